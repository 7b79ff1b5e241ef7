"""Texts in a list on a real server: read and approved by name, and only then given."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import ReviewError
from queries import api
from tests.support.command_line import CommandLine, require_refusal
from tests.support.documents import extract_text
from tests.support.force import FORCE_TOML
from tests.support.terminals import Terminal

REQUEST = """\
reference: FOI/62
title: What was written
questions:
  - {id: L1, kind: list, text: "What do the records say?", fields: [offence, narrative]}
"""

#: Six records of one line, and two of another, which is too short a line for its texts.
RECORDS = [
    {
        "crime_ref": f"SYN-{number:03}",
        "recorded_on": f"2023-0{1 + number % 9}-01",
        "offence_code": "22B" if number < 6 else "88E",
        "narrative": f"An entry of Exampleton, kept by zqxname {number}, about item {'abcdefgh'[number]}.",
    }
    for number in range(8)
]

ALLOWED = b"[lists]\nnarratives = true\n"


@pytest.fixture
def site(foidex: CommandLine, load: Callable[..., Any]) -> CommandLine:
    load(RECORDS)
    foidex.write("request.yaml", REQUEST.encode())
    foidex.write("foidex.toml", ALLOWED + FORCE_TOML.encode())
    return foidex


def approve(site: CommandLine, keys: str, *options: str, user: str = "ann") -> str:
    """What a person sees who types lines, with a space between them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO(keys.replace(" ", "\n") + "\n"))
        outcome = site("review", "approve", "request.yaml", *options, SUDO_USER=user)
    assert outcome.code == 0, outcome.err
    return outcome.out


def count_decisions(site: CommandLine) -> tuple[int, int, int]:
    (report,) = json.loads(site("review", "approvals", "request.yaml", "--format", "json").out)
    return report["approved"], report["refused"], len(report["open"])


def read_texts(site: CommandLine, *options: str) -> list[list[str | None]]:
    outcome = site("answer", "request.yaml", "--format", "json", *options)
    assert outcome.code == 0, outcome.err
    rows = json.loads(outcome.out)["questions"][0]["table"]["rows"]
    return [row.get("texts", []) for row in rows]


def test_a_list_gives_no_text_that_the_force_does_not_allow_or_nobody_has_read(
    site: CommandLine,
) -> None:
    refused = site("answer", "request.yaml", "--publish")
    assert refused.code == ReviewError.exit_code, refused.err
    assert "some are still to be read (L1: 6 of 6)" in refused.err
    assert "foidex review approve REQUEST --question L1" in refused.err
    assert "zqxname" not in refused.err + refused.out
    site.write("foidex.toml", FORCE_TOML.encode())
    for command in (["answer"], ["review", "approve"]):
        forbidden = site(*command, "request.yaml")
        assert "set narratives = true under [lists]" in forbidden.err


def test_texts_are_given_masked_after_each_was_approved_or_refused(site: CommandLine) -> None:
    seen = approve(site, "a a a q")
    assert "The list shows: Offence: " in seen
    assert "An entry of \u2588\u2588\u2588, kept by zqxname \u2588\u2588\u2588" in seen
    assert "Exampleton" not in seen
    assert "3 approved, 0 refused, 3 open" in seen
    assert "3 of 6 decided" in approve(site, "h zqxname a r a q")
    assert count_decisions(site) == (5, 1, 0)
    ((), large) = sorted(map(tuple, read_texts(site)), key=len)
    assert large[-1] is None
    assert len(large) == 6
    assert sum("zqxname" not in str(text) for text in large) == 2


def test_a_published_list_has_the_texts_of_its_lines_in_every_document(
    site: CommandLine, load: Callable[..., Any], tmp_path: Path
) -> None:
    load([{**one, "crime_ref": f"{one['crime_ref']}-{code}", "offence_code": code}
          for one in RECORDS for code in ("22B", "88E")])  # fmt: skip
    approve(site, "a " * 8 + "h zqxname a r " + "a " * 6 + "q")
    assert count_decisions(site) == (15, 1, 0)
    published = json.loads(site("answer", "request.yaml", "--publish", "--format", "json").out)
    (question,) = published["questions"]
    assert [len(row["texts"]) for row in question["table"]["rows"]] == [8, 8]
    approvals = question["approvals"]
    assert (approvals["approved"], approvals["refused"], approvals["min_records"]) == (15, 1, 5)
    assert {*approvals} == {"approved", "refused", "min_records", "first_at", "last_at"}
    outcome = site("answer", "request.yaml", "--publish", "--out", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert "nothing in a text is protected by the rule" in outcome.err
    for name in (
        "letter.txt",
        "letter.html",
        "letter.docx",
        "letter.pdf",
        "report.html",
        "report.txt",
    ):
        (path,) = (tmp_path / "out").rglob(f"*.{name}")
        words = " ".join(extract_text(name, path.read_bytes()).split())
        assert words.count("kept by zqxname") == 14, name
        assert words.count("[withheld]") >= 1, name
        assert "Exampleton, kept" not in words
    (table,) = (tmp_path / "out").rglob("*.L1.texts.csv")
    lines = [*csv.reader(io.StringIO(table.read_text()))]
    assert lines[0] == ["Offence", "Text"]
    assert [line[1] for line in lines].count("[withheld]") == 1
    assert len(lines) == 17


def test_an_answer_with_texts_is_found_and_replayed_by_its_numbers(site: CommandLine) -> None:
    approve(site, "a a a a a r q")
    row = "L1:22B"
    found = site("find", "--request", "request.yaml", "--row", row, "--refs-only")
    assert found.out.split() == [f"SYN-00{number}" for number in range(6)], found.err
    saved = site.write(
        "answer.json", site("answer", "request.yaml", "--format", "json").out.encode()
    )
    replayed = site("replay", saved)
    assert replayed.code == 0, replayed.err
    assert "L1 gave 5 texts and withheld 1" in replayed.out


def test_a_program_publishes_no_text_that_is_not_approved_now(
    site: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    approve(site, "a a a a a a q")
    saved = site.write(
        "answer.json", site("answer", "request.yaml", "--format", "json").out.encode()
    )
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(site.folder)
    answer = api.read_answer(saved)
    api.publish(answer)
    approve(site, "r q", "--again")
    with pytest.raises(ReviewError, match="not those that are approved now"):
        api.publish(answer)


def test_a_decision_holds_only_for_the_text_that_was_read(
    site: CommandLine, load: Callable[..., Any]
) -> None:
    approve(site, "a a a a a a q")
    assert count_decisions(site) == (6, 0, 0)
    load([{**one, "narrative": "Another entry."} if one["crime_ref"] == "SYN-002" else one
          for one in RECORDS])  # fmt: skip
    assert count_decisions(site) == (5, 0, 1)
    assert site("answer", "request.yaml").code == ReviewError.exit_code
    assert "has changed since it was decided" in approve(site, "a q")
    assert count_decisions(site) == (6, 0, 0)
    site.write("request.yaml", REQUEST.replace("[offence, n", "[offence, outcome, n").encode())
    assert count_decisions(site) == (0, 0, 6)  # the line says more of the record now


def test_one_goes_back_and_decides_again_and_later_too(site: CommandLine) -> None:
    approve(site, "a a b r q")
    assert count_decisions(site) == (1, 1, 4)
    seen = approve(site, "b a q")  # the next day
    assert "You refused it" in seen
    assert count_decisions(site) == (2, 0, 4)
    assert "ann approved it" in approve(site, "r q", "--again", user="bob")
    assert count_decisions(site) == (1, 1, 4)


def test_only_reviewers_approve_and_each_text_that_is_opened_is_logged(site: CommandLine) -> None:
    site.write("foidex.toml", b'[review]\nreviewers = ["ann"]\n' + ALLOWED + FORCE_TOML.encode())
    require_refusal(
        site("review", "approve", "request.yaml", SUDO_USER="eve"), ReviewError, "eve", "reviewers"
    )
    approve(site, "a a q")
    log = Path(site.environment["FOIDEX_HOME"], "audit", "audit.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    opened = [
        line
        for line in lines
        if line["command"] == "review approve" and "question" in line.get("asked", {})
    ]
    assert len(opened) == 3
    assert {line["reference"] for line in opened} == {"FOI/62"}
    assert "zqxname" not in log
    assert "SYN-0" not in log


def test_the_store_keeps_no_word_of_a_text(site: CommandLine) -> None:
    approve(site, "h zqxname a r q")
    folder = Path(site.environment["FOIDEX_HOME"], "reviews")
    content = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"zqxname" not in content
    assert b"An entry" not in content
    with sqlite3.connect(folder / "reviews.sqlite") as connection:
        hidden = [row[0] for row in connection.execute("SELECT hidden FROM approvals ORDER BY id")]
    text = str(RECORDS[0]["narrative"])
    start = text.index("zqxname")
    assert hidden == [f"{start}-{start + len('zqxname')}", ""]


def test_texts_are_not_given_where_numbers_are_rounded(site: CommandLine) -> None:
    site.write("request.yaml", f"{REQUEST}disclosure: {{rounding: 5, threshold: 0}}\n".encode())
    refused = site("review", "approve", "request.yaml")
    assert "whoever counts the texts of a line knows its number" in refused.err


def test_whoever_is_killed_loses_no_decision(site: CommandLine) -> None:
    terminal = Terminal(site, "review", "approve", "request.yaml")
    for number in range(2):
        terminal.wait_for(f"{number} of 6 decided")
        terminal.wait_for("q quit")
        terminal.press("a")
    terminal.wait_for("2 of 6 decided")
    os.kill(terminal.process, signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL
    assert count_decisions(site) == (2, 0, 4)
