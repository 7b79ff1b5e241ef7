"""Records as they are listed: one a line into a pipe, rows for a spreadsheet, JSON for programs."""

from __future__ import annotations

import io
import json

from queries import listing
from queries.evidence import Hit, Shown
from queries.listing import Format

HITS = [
    Hit("41/1/17", "2017-06-03", "22B", 2, (Shown("live stream", "on a ", "live-stream", " then"),)),
    Hit("41/2/17", "2017-06-04", "21", 1, (Shown("=cmd()", "", "=x", ""),)),
    Hit("41/3/17", "2017-06-05", "86/2"),
]  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(form: Format, out: io.StringIO) -> str:
    assert listing.write(HITS, form, out) == 3
    return out.getvalue()


def test_a_pipe_gets_one_record_a_line_without_colour() -> None:
    assert written(Format.TABLE, io.StringIO()) == (
        "41/1/17\t2017-06-03\t22B\ton a live-stream then\n"
        "41/2/17\t2017-06-04\t21\t=x\n"
        "41/3/17\t2017-06-05\t86/2\n"
    )


def test_a_spreadsheet_gets_a_row_for_each_mention_and_no_formula() -> None:
    assert written(Format.CSV, io.StringIO()) == (
        "crime_ref,recorded_on,offence_code,term,before,match,after\n"
        "41/1/17,2017-06-03,22B,live stream,on a ,live-stream, then\n"
        "41/2/17,2017-06-04,21,'=cmd(),,'=x,\n"
        "41/3/17,2017-06-05,86/2,,,,\n"
    )


def test_a_program_gets_an_object_a_line() -> None:
    lines = written(Format.JSONL, io.StringIO()).splitlines()
    assert json.loads(lines[0]) == {
        "crime_ref": "41/1/17",
        "recorded_on": "2017-06-03",
        "offence_code": "22B",
        "found": 2,
        "shown": [
            {"term": "live stream", "before": "on a ", "match": "live-stream", "after": " then"}
        ],
    }


def test_a_terminal_gets_the_match_marked_and_what_is_not_shown_counted() -> None:
    text = written(Format.TABLE, Terminal())
    assert "live-stream" in text
    assert "and 1 more mentions" not in text
    assert "and 1 more mention" in text
