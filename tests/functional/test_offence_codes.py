"""Offence codes from the file to the answer and the letter: ranges, and a scheme of the force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.errors import ConfigurationError, RequestError, SourceError
from indexer.index.generations import read_live_generation
from indexer.records.offences.active import select_offence_table
from tests.support.command_line import CommandLine, require_refusal
from tests.support.force import FORCE_TOML

RAPE_CODES = ("19C", "19D", "19E", "19F", "19G", "19H", "19J", "19K")

OWN_CODES = b"""\
code,title,group,parent
A,Anti-social behaviour,Incidents,
A-12,Nuisance vehicle,,A
A-20,Noise,,A
B,Welfare check,Calls,
"""


@pytest.fixture(autouse=True)
def _built_in_table_afterwards() -> Iterator[None]:
    yield
    select_offence_table(None)


def write_codes(foidex: CommandLine, codes: Sequence[str], day: str = "2019-06-01") -> None:
    """A record of each code, which mentions a drone."""
    rows = [
        {"crime_ref": f"R{n}", "recorded_on": day, "offence_code": code, "narrative": "A drone."}
        for n, code in enumerate(codes)
    ]
    foidex.write("records.jsonl", b"\n".join(map(msgspec.json.encode, rows)) + b"\n")


def load_codes(foidex: CommandLine, codes: Sequence[str], day: str = "2019-06-01") -> str:
    write_codes(foidex, codes, day)
    loaded = foidex("load", "records.jsonl")
    assert loaded.code == 0, loaded.err
    return loaded.out


def answer_rows(foidex: CommandLine, request: str) -> dict[str, Any]:
    """The number in each row of the first question, by its codes."""
    foidex.write("request.yaml", request.encode())
    outcome = foidex("answer", "request.yaml", "--format", "json")
    assert outcome.code == 0, outcome.err
    answer = msgspec.json.decode(outcome.out)
    rows = answer["questions"][0]["table"]["rows"]
    return {", ".join(row.get("codes", [row["label"]])): row["counts"][0] for row in rows}


REQUEST = """\
reference: R1
title: Offences
period: 2019/20
offences:
{rows}
questions: [{{id: Q1, kind: offences, text: "How many?"}}]
"""


def test_a_range_counts_what_its_codes_count_in_a_request_and_on_the_command_line(
    foidex: CommandLine,
) -> None:
    load_codes(foidex, [*RAPE_CODES, "19/7", "20A", "22B", "19K"])
    request = REQUEST.format(rows="  - codes: [19C-19K]\n  - {codes: ['88/1-3', 22B], label: Two}")
    assert answer_rows(foidex, request) == {
        ", ".join(RAPE_CODES): 10,
        "88/1, 88/2, 88/3, 22B": 1,
    }
    linted = foidex("lint", "request.yaml", "--offline")
    assert f"{', '.join(RAPE_CODES)}  19C to 19K" in linted.out
    counted = foidex("count", "drone", "--offence", "19C-19K", "--format", "json")
    assert msgspec.json.decode(counted.out)["records"] == 10
    listed = foidex("find", "drone", "--offence", "19J to 19K", "--refs-only")
    assert listed.out.split() == ["R11", "R6", "R7"]


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("19K-19C", "runs backwards"),
        ("19C-20B", "has ends of different kinds"),
        ("19C-19Z", '"19Z", which is not a known offence code'),
    ],
)
def test_a_range_without_meaning_is_one_message(
    foidex: CommandLine, written: str, fault: str
) -> None:
    foidex.write("request.yaml", REQUEST.format(rows=f"  - codes: [{written}]").encode())
    require_refusal(foidex("lint", "request.yaml", "--offline"), RequestError, fault)
    require_refusal(foidex("count", "--offence", written), RequestError, fault)


def test_a_class_counts_the_subcodes_that_can_be_in_no_other(foidex: CommandLine) -> None:
    load_codes(foidex, ["10C", "8/11", "008/28", "8/1", "88/3", "71/17", "88A"])
    rows = "".join(f"  - codes: [{code}]\n" for code in ("10C", "8N", "88D", "88A", "71"))
    assert answer_rows(foidex, REQUEST.format(rows=rows)) == {
        "10C": 3, "8N": 0, "88D": 1, "88A": 1, "71": 1,
    }  # fmt: skip


def test_a_scheme_of_the_force_goes_from_the_file_to_the_answer_and_the_letter(
    foidex: CommandLine,
) -> None:
    foidex.write("codes.csv", OWN_CODES)
    config = FORCE_TOML + '[offences]\ntable = "codes.csv"\nscheme = "own"\n'
    foidex.write("foidex.toml", config.encode())
    assert "not in the table: 22B (1)" in load_codes(
        foidex, ["A", "a-12", "A-12", "A-20", "B", "22B"]
    )
    request = REQUEST.format(rows="  - codes: [a]\n  - codes: [A-12]\n  - codes: [B]")
    assert answer_rows(foidex, request) == {"A": 4, "A-12": 2, "B": 1}
    counted = foidex("count", "--by", "offence_group", "--format", "json")
    assert counted.code == 0, counted.err
    rows = msgspec.json.decode(counted.out)["table"]["rows"]
    assert {row["label"]: row["counts"][0] for row in rows} == {
        "Incidents": 4, "Calls": 1, "Group not known": 1,
    }  # fmt: skip
    written = foidex("answer", "request.yaml", "--out", "out")
    assert written.code == 0, written.err
    (letter,) = (foidex.folder / "out").rglob("*.letter.txt")
    text = letter.read_text("utf-8")
    assert "Nuisance vehicle" in text
    assert "Welfare check" in text
    require_refusal(foidex("count", "--offence", "22B"), RequestError, '"22B" is not known')
    assert "A-12" in foidex("offences", "nuisance").out


def test_an_increment_with_another_table_of_codes_is_refused(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    foidex.write("foidex.toml", b'[source]\npaths = ["records.jsonl"]\n')
    write_codes(foidex, ["22B", "86/2"])
    assert foidex("refresh").code == 0
    assert foidex("refresh", "--incremental").code == 0
    foidex.write("codes.csv", b"code,title,parent\nL1,Local,22B\n")
    foidex.write(
        "foidex.toml", b'[source]\npaths = ["records.jsonl"]\n[offences]\ntable = "codes.csv"\n'
    )
    refused = foidex("refresh", "--incremental")
    assert refused.code == SourceError.exit_code
    assert "another table of offence codes" in refused.err
    assert "Run a full refresh: foidex refresh --full" in refused.err
    write_codes(foidex, ["22B", "86/2", "l1"])
    assert foidex("refresh", "--full").code == 0
    counted = foidex("count", "--offence", "22B", "--format", "json")
    assert msgspec.json.decode(counted.out)["records"] == 2
    live = read_live_generation(client, foidex.environment["FOIDEX_INDEX"])
    assert live.unknown_codes == {}


def test_a_record_from_outside_the_life_of_its_code_is_indexed_and_counted(
    foidex: CommandLine, client: Elasticsearch
) -> None:
    told = load_codes(foidex, ["19J", "19J", "28I", "22B", "8/71"], day="2018-06-01")
    assert "known days" not in told  # only the check of a source asks to look at them
    live = read_live_generation(client, foidex.environment["FOIDEX_INDEX"])
    assert (live.records, live.codes_outside_validity) == (5, {"19J": 2, "28I": 1})


def test_a_wrong_table_stops_a_load_before_it_begins(foidex: CommandLine) -> None:
    foidex.write("codes.csv", b"code,title,parent\nL1,Local,99Z\n")
    foidex.write("foidex.toml", b'[offences]\ntable = "codes.csv"\n')
    write_codes(foidex, ["22B"])
    fault = 'codes.csv:2: the parent "99Z" of "L1" is not a known code.'
    require_refusal(foidex("load", "records.jsonl"), ConfigurationError, fault)


def test_lint_says_which_records_each_reading_counts_and_which_change_is_crossed(
    foidex: CommandLine,
) -> None:
    load_codes(foidex, ["71", "71/1", "71/17", "71/17", "88A", "8N", "8/1", "22B"])
    rows = "  - codes: [71]\n  - codes: [8N]\n  - codes: [19C]"
    request = REQUEST.format(rows=rows).replace("2019/20", "{from: 2018-04-01, to: 2020-03-31}")
    foidex.write("request.yaml", request.encode())
    linted = " ".join(foidex("lint", "request.yaml").out.split())
    assert "71 counts category 71, with 71/17" in linted
    assert "2 records of this request's period have one of them." in linted
    assert "8/1, 8/6, 8/77 may be of class 8N or of another" in linted
    assert "1 April 2019: rape by several offenders" in linted
    report = msgspec.json.decode(foidex("lint", "request.yaml", "--format", "json").out)
    readings = {reading["code"]: reading["records"] for reading in report["wording"]["readings"]}
    assert readings == {"71": 2, "8N": 1}
    assert [note["add"] for note in report["offence_changes"] if note["day"] == "2019-04-01"] == [
        ["19D", "19E", "19F", "19G", "19H", "19J", "19K"]
    ]


def test_a_replay_says_that_the_table_of_codes_changed_and_accuses_nobody(
    foidex: CommandLine,
) -> None:
    """The group of a code is part of the query, which differs now though nobody changed it."""
    foidex.write("foidex.toml", b'[offences]\ntable = "codes.csv"\n')
    foidex.write("codes.csv", b"code,title,group\nL1,Local,Local offences\nL2,Other,\n")
    load_codes(foidex, ["L1", "22B"])
    foidex.write(
        "request.yaml",
        b"reference: R1\ntitle: T\nwhere: {offence_group: [Local offences]}\n"
        b"questions: [{id: Q1, kind: by, by: offence}]\n",
    )
    answered = foidex("answer", "request.yaml", "--format", "json")
    assert answered.code == 0, answered.err
    foidex.write("answer.json", answered.out.encode())
    foidex.write(
        "codes.csv", b"code,title,group\nL1,Local,Local offences\nL2,Other,Local offences\n"
    )
    replayed = foidex("replay", "answer.json", "--format", "json")
    assert replayed.code == 0, replayed.err
    replay = msgspec.json.decode(replayed.out)
    assert any("table of offence codes changed" in note for note in replay["notes"]), replay[
        "notes"
    ]
    assert not replay["doubts"]
