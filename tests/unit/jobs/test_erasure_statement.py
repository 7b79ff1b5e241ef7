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
from indexer.loading.rejects import RejectsErasure


def make_statement(
    presence: RecordPresence, rejects: tuple[RejectsErasure, ...] = ()
) -> ErasureStatement:
    erasure = GenerationErasure(
        name="crimes-20260105-023012",
        live=True,
        presence=presence,
        records=3,
        searches_show=0,
        deleted_in_files=0,
        copies_away=0,
    )
    return ErasureStatement("A/1", datetime(2026, 1, 5, tzinfo=UTC), (erasure,), rejects, ())


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


def test_lines_that_may_be_of_it_are_said_with_what_to_do() -> None:
    files = (RejectsErasure("a.csv", 0, 1), RejectsErasure("b.csv", 1, 3))
    lines = format_statement(make_statement("nothing", files))
    other = "If the file is of another index, run forget with the foidex.toml of that one, too."
    assert lines[2:6] == [
        "a.csv: 0 removed.",
        f"a.csv: 1 line names it, and does not tell whose record it is, so it is left. Look at it. {other}",
        "b.csv: 1 removed.",
        "b.csv: 3 lines name it, and do not tell whose record they are, so they are left. Look "
        f"at them. {other}",
    ]


@pytest.mark.parametrize("kept_in", ["audit/basis", "the store of reviews", "--rejects"])
def test_what_keeps_its_reference_is_named(kept_in: str) -> None:
    assert kept_in in "\n".join(format_statement(make_statement("record")))
