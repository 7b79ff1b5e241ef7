"""Coverage: declared or inferred, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from indexer.errors import ConfigurationError
from indexer.records.coverage import (
    Coverage,
    CoverageSettings,
    MonthSpan,
    list_month_spans,
    parse_coverage,
)

DAYS = ("2018-04-12", "2018-05-01", "2018-08-31", "2019-02-03")


def response(days: Sequence[str] = DAYS, textless: Sequence[str] = ()) -> dict[str, Any]:
    """What the server says of records of these days, and of months whose records have no text."""
    if not days:
        return {"doc_count": 0, "first": {"value": None}, "last": {"value": None}, "months": {"buckets": []}}  # fmt: skip
    first, last = (
        (date.fromisoformat(day) - date(1970, 1, 1)) / timedelta(milliseconds=1)
        for day in (min(days), max(days))
    )
    months = sorted({f"{day[:7]}-01" for day in days})
    return {
        "doc_count": len(days),
        "first": {"value": first},
        "last": {"value": last},
        "months": {
            "buckets": [
                {"key_as_string": month, "with_text": {"doc_count": int(month not in textless)}}
                for month in months
            ]
        },
    }


def test_without_a_declaration_the_first_and_the_last_record_are_the_ends() -> None:
    coverage = parse_coverage(response(), CoverageSettings())
    assert coverage == Coverage(
        date(2018, 4, 12),
        date(2019, 2, 3),
        inferred=("from", "to"),
        empty_months=(
            *(date(2018, month, 1) for month in (6, 7, 9, 10, 11, 12)),
            date(2019, 1, 1),
        ),
    )


def test_one_end_may_be_declared() -> None:
    coverage = parse_coverage(response(), CoverageSettings(start=date(2018, 3, 15)))
    assert coverage
    assert (coverage.start, coverage.end, coverage.inferred) == (
        date(2018, 3, 15),
        date(2019, 2, 3),
        ("to",),
    )
    assert date(2018, 3, 1) not in coverage.empty_months  # half of March is outside
    assert not coverage.outside


def test_records_of_days_that_are_declared_to_be_outside_are_said() -> None:
    declared = CoverageSettings(date(2018, 5, 1), date(2019, 12, 31))
    coverage = parse_coverage(response(), declared, built_on=date(2019, 3, 1))
    assert coverage
    assert coverage.outside
    assert coverage.end == date(2019, 3, 1)  # nothing can be recorded after the index was built


def test_months_whose_records_have_no_text_are_said() -> None:
    months = ("2018-05-01", "2019-02-01")
    coverage = parse_coverage(response(textless=months), CoverageSettings())
    assert coverage
    assert coverage.textless_months == (date(2018, 5, 1), date(2019, 2, 1))
    declared = CoverageSettings(date(2018, 5, 20), date(2019, 1, 31))
    coverage = parse_coverage(response(textless=months), declared)
    assert coverage
    assert coverage.textless_months == (date(2018, 5, 1),)


def test_days_before_the_year_1970_are_days() -> None:
    coverage = parse_coverage(response(("1969-12-31", "1970-01-01")), CoverageSettings())
    assert coverage
    assert (coverage.start, coverage.end) == (date(1969, 12, 31), date(1970, 1, 1))


def test_an_index_without_a_record_covers_nothing() -> None:
    assert parse_coverage(response(()), CoverageSettings()) is None


def test_days_that_end_before_they_start_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"\[records\] covers: .*2018-04-12.*2018-01-01"):
        parse_coverage(response(), CoverageSettings(end=date(2018, 1, 1)))


def test_months_that_follow_each_other_are_one_span() -> None:
    months = [date(2017, 12, 1), date(2018, 1, 1), date(2018, 3, 1), date(2019, 3, 1)]
    assert list_month_spans(months) == [
        MonthSpan(date(2017, 12, 1), date(2018, 1, 1)),
        MonthSpan(date(2018, 3, 1), date(2018, 3, 1)),
        MonthSpan(date(2019, 3, 1), date(2019, 3, 1)),
    ]
    assert [span.format("%Y-%m") for span in list_month_spans(months)] == [
        "2017-12 to 2018-01",
        "2018-03",
        "2019-03",
    ]
    assert list_month_spans([]) == []
