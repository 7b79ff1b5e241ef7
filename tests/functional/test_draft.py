"""From a letter to a request on the command line: drafted, asked, and refused until confirmed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from queries.request.reader import read_request
from tests.support.command_line import Outcome, run_command

#: A letter of an invented person; no output but the draft may hold her name.
LETTER = """\
From: Zoqxa Canaryname <zoqxa@post.example.org>
To: foi@northshire.example.org
Date: 18 July 2018 10:41
Subject: Snapchat request from Zoqxa Canaryname

Dear team,

Please tell me, for the financial year 2017/18:

1. How many recorded crimes mention Snapchat?

2. How many of these had grooming as the offence, by month?

3. How much did the force spend on the training of Zoqxa Canaryname's officers?

Kind regards,
Zoqxa Canaryname
zoqxa@post.example.org
"""

NAMES = ("Zoqxa", "Canaryname", "post.example.org")

Run = Callable[..., Outcome]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The program without a server, with a letter in its folder and lines typed on its input."""
    (tmp_path / "letter.txt").write_text(LETTER)

    def run_typed(*words: str, typed: str = "", code: int = 0) -> Outcome:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        environment = {"FOIDEX_HOME": str(tmp_path / "home"), "FOIDEX_URL": "http://127.0.0.1:9"}
        return run_command(*words, environment=environment, folder=tmp_path, expected_code=code)

    return run_typed


def test_a_letter_becomes_a_request_that_lints(run: Run, tmp_path: Path) -> None:
    drafted = run("draft", "letter.txt", "--out", "request.yaml")
    assert drafted.out == "request.yaml\n"
    request = read_request(tmp_path / "request.yaml")
    assert request.every_period[0].label == "2017/18"
    parts = {question.id for question in request.questions} | {
        part.id for part in request.uncovered
    }
    assert parts == {"1", "2", "3"}
    assert [part.id for part in request.uncovered] == ["3"]
    text = (tmp_path / "request.yaml").read_text()
    assert "# Part 1 of the letter\n" in text
    assert "2 counted, 1 not covered," in drafted.err
    run("lint", "request.yaml", "--offline")


def test_without_a_file_the_draft_is_printed(run: Run, tmp_path: Path) -> None:
    assert run("draft", "letter.txt").out.startswith("# Drafted from a letter (SHA-256 ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "letter.txt"]


def test_the_requester_is_named_in_the_letters_address_alone(run: Run, tmp_path: Path) -> None:
    drafted = run("draft", "letter.txt", "--out", "request.yaml")
    lines = (tmp_path / "request.yaml").read_text().splitlines()
    named = [line for line in lines if any(name in line for name in NAMES)]
    assert named == ["  to: Zoqxa Canaryname"]
    written = [drafted.out, drafted.err]
    written += [path.read_text() for path in (tmp_path / "home").rglob("*") if path.is_file()]
    for text in written:
        assert not any(name in text for name in (*NAMES, "Snapchat", "grooming"))


def test_the_audit_log_has_the_hash_of_the_letter_and_the_reference(
    run: Run, tmp_path: Path
) -> None:
    run("draft", "letter.txt")
    (log,) = (tmp_path / "home").rglob("audit*.jsonl")
    entry = json.loads(log.read_text().splitlines()[-1])
    entry = entry.get("entry", entry)
    assert entry["command"] == "draft"
    assert entry["reference"] == "DRAFT"
    assert len(entry["asked"]["letter"]) == 64


def test_a_file_is_not_replaced_unless_asked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "request.yaml").write_text("mine")
    refused = run("draft", "letter.txt", "--out", "request.yaml", code=11)
    assert "request.yaml: is there already." in refused.err
    assert (tmp_path / "request.yaml").read_text() == "mine"
    run("draft", "letter.txt", "--out", "request.yaml", "--force")
    assert (tmp_path / "request.yaml").read_text().startswith("# Drafted")
    letter = (tmp_path / "letter.txt").read_text()
    (tmp_path / "link.txt").symlink_to("letter.txt")
    for name in ("letter.txt", "link.txt"):
        refused = run("draft", "letter.txt", "--out", name, "--force", code=11)
        assert f"{name}: is the letter itself." in refused.err
    assert (tmp_path / "letter.txt").read_text() == letter


def test_answer_refuses_a_draft_until_it_is_confirmed(run: Run, tmp_path: Path) -> None:
    run("draft", "letter.txt", "--out", "request.yaml")
    open_count = len(read_request(tmp_path / "request.yaml").confirmations)
    assert open_count
    refused = run("answer", "request.yaml", code=21)
    assert "under confirm" in refused.err
    asked = run(
        "draft", "letter.txt", "--out", "request.yaml", "--force", "--ask", typed="\n" * open_count
    )
    assert f"(1 of {open_count}, " in asked.err
    assert read_request(tmp_path / "request.yaml").confirmations == ()
    assert run("answer", "request.yaml", code=5).err.startswith("foidex: ")  # now for the server


def test_what_is_left_open_at_the_terminal_stays_open(run: Run, tmp_path: Path) -> None:
    run("draft", "letter.txt", "--out", "all.yaml")
    everything = read_request(tmp_path / "all.yaml").confirmations
    run("draft", "letter.txt", "--out", "open.yaml", "--ask", typed="s\n" * len(everything))
    assert read_request(tmp_path / "open.yaml").confirmations == everything


def test_a_letter_that_cannot_be_read_is_one_message(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.odt").write_text(LETTER)
    refused = run("draft", "letter.odt", code=20)
    assert refused.err.startswith("foidex: letter.odt: is not a kind of letter that foidex reads.")
    assert refused.err.count("\n") == 1
    assert run("draft", "nothing.txt", code=20).err.count("\n") == 1
    assert run("draft", "letter.txt", "--force", code=2).err


def test_a_letter_without_a_question_is_a_draft_to_complete(run: Run, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Thank you for your help with my last request.\n")
    refused = run("draft", "letter.txt", "--out", "request.yaml", code=20)
    assert "request.yaml: is written, but not a valid request yet" in refused.err
    assert (tmp_path / "request.yaml").exists()
