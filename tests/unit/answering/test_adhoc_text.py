"""What a count without a request file prints where no term is counted."""

from __future__ import annotations

from datetime import UTC, datetime

from queries.answering.adhoc import AdhocCount, AdhocTermCount, format_adhoc_text


def write_count(*terms: str) -> str:
    count = AdhocCount(
        terms=tuple(AdhocTermCount(term, 2, ()) for term in terms),
        records=3,
        left_out={},
        period_from=None,
        period_to=None,
        offences=(),
        table=None,
        notes=(),
        generation="crimes-1",
        built_at=datetime(2026, 1, 2, tzinfo=UTC),
        watermark=None,
    )
    return format_adhoc_text(count).split("\n", 1)[0]


def test_records_of_no_term_are_called_all_records() -> None:
    assert write_count().split() == ["all", "records", "3"]
    assert write_count("Kik").split() == ["Kik", "2"]
