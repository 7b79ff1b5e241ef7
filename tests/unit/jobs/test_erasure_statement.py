"""What a statement of erasure says of a record that was never there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from indexer.jobs.erasure_statement import (
    ErasureStatement,
    GenerationErasure,
    RecordPresence,
    format_statement,
)


def make_statement(presence: RecordPresence) -> ErasureStatement:
    erasure = GenerationErasure(
        name="crimes-20260105-023012",
        live=True,
        presence=presence,
        records=3,
        searches_show=0,
        deleted_in_files=0,
        copies_away=0,
    )
    return ErasureStatement("A/1", datetime(2026, 1, 5, tzinfo=UTC), (erasure,), (), ())


@pytest.mark.parametrize(
    ("presence", "heading"),
    [
        ("record", "A/1, forgotten on request at 2026-01-05 00:00:00 UTC"),
        ("forgotten", "A/1, forgotten on request at 2026-01-05 00:00:00 UTC"),
        (
            "nothing",
            "A/1, looked for at 2026-01-05 00:00:00 UTC: no record, so nothing was changed",
        ),
    ],
)
def test_only_what_was_there_is_called_forgotten(presence: RecordPresence, heading: str) -> None:
    assert format_statement(make_statement(presence))[0] == heading
