"""Records as they are listed: one a line into a pipe, rows for a spreadsheet, JSON for programs."""

from __future__ import annotations

import io
import json

from queries.evidence.find_output import HitFormat, write_hits
from queries.evidence.hits import Hit, MentionSnippet

HITS = [
    Hit("41/1/17", "2017-06-03", "22B", 2, (MentionSnippet("live stream", "on a ", "live-stream", " then"),)),
    Hit("41/2/17", "2017-06-04", "21", 1, (MentionSnippet("=cmd()", "", "=x", ""),)),
    Hit("41/3/17", "2017-06-05", "86/2"),
]  # fmt: skip


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(form: HitFormat, out: io.StringIO) -> str:
    assert write_hits(HITS, form, out) == 3
    return out.getvalue()


def test_a_pipe_gets_one_record_a_line_without_colour() -> None:
    assert written(HitFormat.TABLE, io.StringIO()) == (
        "41/1/17\t2017-06-03\t22B\ton a live-stream then\n"
        "41/2/17\t2017-06-04\t21\t=x\n"
        "41/3/17\t2017-06-05\t86/2\n"
    )


def test_a_spreadsheet_gets_a_row_for_each_mention_and_no_formula() -> None:
    assert written(HitFormat.CSV, io.StringIO()) == (
        "crime_ref,recorded_on,offence_code,term,before,match,after\n"
        "41/1/17,2017-06-03,22B,live stream,on a ,live-stream, then\n"
        "41/2/17,2017-06-04,21,'=cmd(),,'=x,\n"
        "41/3/17,2017-06-05,86/2,,,,\n"
    )


def test_a_program_gets_an_object_a_line() -> None:
    lines = written(HitFormat.JSONL, io.StringIO()).splitlines()
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
    text = written(HitFormat.TABLE, Terminal())
    assert "live-stream" in text
    assert "and 1 more mentions" not in text
    assert "and 1 more mention" in text
