"""A review at the command line, on a real server: started, read, settled, exported, and blind."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import ReviewError
from tests.support.command_line import CommandLine, Outcome, require_refusal
from tests.support.terminals import Terminal

Records = list[dict[str, Any]]

CRITERION = "The app was used to make contact."

NAME = "FOI-19-Q1"

REQUEST = """
reference: FOI 19
title: Offences that mention Snapchat
mentions: [Snapchat]
letter: {to: "Ms Requester"}
questions:
  - {id: Q1, kind: offences, text: "How many?"}
"""


def make_records(number: int = 12) -> Records:
    """Records that mention the app; the third and the fourth say the same."""
    return [
        {
            "crime_ref": f"SYN-{one:03}",
            "recorded_on": f"2023-0{1 + one % 9}-01",
            "offence_code": ("22B", "88E")[one % 2],
            "narrative": f"Entry {3 if one == 4 else one}. Snapchat is named in this entry.",
        }
        for one in range(number)
    ]


@pytest.fixture
def review(foidex: CommandLine, load: Callable[..., Any]) -> CommandLine:
    load(make_records())
    foidex.write("request.yaml", REQUEST.encode())
    return foidex


def start(review: CommandLine, *options: object) -> Outcome:
    """Begin a review, from one seed: a sample with both records of one text needs one key less."""
    arguments = ["request.yaml", "--number", "Q1", "--criterion", CRITERION]
    if "--seed" not in options:
        arguments += ["--seed", "a seed"]
    outcome = review("review", "start", *arguments, *options)
    assert outcome.code == 0, outcome.err
    return outcome


def read(
    review: CommandLine, keys: str, user: str = "ann", command: str = "next", *options: str
) -> str:
    """What a reviewer sees who types keys, one on each line."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
        outcome = review("review", command, *options, SUDO_USER=user)
    assert outcome.code == 0, outcome.err
    return outcome.out


def export(review: CommandLine) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(review("review", "export").out))]


def audit_lines(review: CommandLine) -> list[dict[str, Any]]:
    log = Path(review.environment["FOIDEX_HOME"], "audit", "audit.jsonl")
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_a_sample_is_read_twice_settled_and_exported(review: CommandLine) -> None:
    started = start(review, "--sample", 6, "--second", "50%", "--seed", "a seed")
    assert "6 of 12 records are to be read, 3 of them twice." in started.out
    assert "only 1 to 4 are relevant, or not relevant, publishing withholds" in started.out
    seen = read(review, "rrrrrr")
    assert f"Relevant if: {CRITERION}" in seen
    assert seen.count("Snapchat is named") >= 5
    assert "3 second readings wait for another person" in seen
    seen = read(review, "rnu", "bob")
    assert "2 records are to be settled: foidex review settle FOI-19-Q1" in seen
    seen = read(review, "nn", "cem", "settle")
    assert "First reading, ann: relevant." in seen
    assert "Second reading, bob: not relevant." in seen
    assert "The review is complete" in seen
    rows = [row for row in export(review) if row["in_sample"] == "yes"]
    assert [row["first_verdict"] for row in rows] == ["relevant"] * 6
    assert sorted(row["second_verdict"] for row in rows) == [
        "",
        "",
        "",
        "not relevant",
        "relevant",
        "unsure",
    ]
    assert [row["settled_reviewer"] for row in rows].count("cem") == 2
    status = json.loads(review("review", "status", "--format", "json").out)
    assert (status["conflicts"], status["settled"], status["stale"]) == (0, 2, [])


def test_a_record_is_shown_as_find_shows_it_and_the_whole_text_on_a_key(
    review: CommandLine,
) -> None:
    start(review, "--sample", 1)
    seen = read(review, "wq", "ann", "next", "--mask", "--sentences", "0")
    assert "Snapchat is named in this entry." in seen
    assert re.search(r"SYN-\d{3}  2023-0\d-01  (22B|88E)", seen)
    assert "\n  Entry" not in seen
    assert "\n  \u2588\u2588\u2588" in seen  # the whole text is masked as well
    assert "Stopped." in seen


def test_records_with_the_same_text_are_decided_at_once(review: CommandLine) -> None:
    start(review, "--second", "0%")
    seen = read(review, "n" * 11)
    assert "The same text is in 1 other record (SYN-00" in seen
    assert "The review is complete" in seen
    assert {row["first_verdict"] for row in export(review)} == {"not relevant"}


def test_one_goes_back_and_decides_again(review: CommandLine) -> None:
    start(review, "--sample", 3, "--second", "0%")
    seen = read(review, "rbnruq", "ann", "next")
    assert "You decided: relevant." in seen
    rows = [row["first_verdict"] for row in export(review) if row["in_sample"] == "yes"]
    assert rows == ["not relevant", "relevant", "unsure"]


def test_the_last_decision_can_be_changed_too(review: CommandLine) -> None:
    start(review, "--sample", 1, "--second", "0%")
    seen = read(review, "rbnbbbq")
    assert seen.count("You decided: relevant.") >= 1
    assert "Cannot go back: there is no decision of yours" in seen
    assert export(review)[0]["first_verdict"] == "not relevant"


def test_nothing_shows_a_first_decision_before_the_second(review: CommandLine) -> None:
    """Two reviews that differ in nothing but the first decisions look the same to the second reader."""
    pages: list[list[str]] = []
    lines = [f"SYN-{number:03},relevant,eve" for number in range(12)]
    guesses = "\n".join(["reference,first_verdict,first_reviewer", *lines, ""])
    review.write("worksheet.csv", guesses.encode())
    for verdicts in ("rrr", "nun"):
        start(
            review, "--sample", 3, "--second", "100%", "--seed", "same", "--name", f"R-{verdicts}"
        )
        read(review, verdicts, "ann", "next", f"R-{verdicts}")
        page = []
        for position in range(3):  # before each decision of the second reader
            page += [
                review("review", "status", f"R-{verdicts}", SUDO_USER="bob").out,
                review("review", "export", f"R-{verdicts}", SUDO_USER="bob").out,
                review("review", "import", "worksheet.csv", f"R-{verdicts}", SUDO_USER="bob").err,
                read(review, "q", "bob", "next", f"R-{verdicts}"),
            ]
            if position < 2:
                page.append(read(review, "rq", "bob", "next", f"R-{verdicts}"))
        unlike = re.compile(r"R-[rnu]{3}|\d+ s\b|\d{4}-\d\d-\d\dT[\d:]+Z")
        pages.append([unlike.sub("", text) for text in page])
        logged = [line for line in audit_lines(review) if "review" in line["command"]]
        assert not re.search("relevant|unsure", json.dumps(logged))
    assert pages[0] == pages[1]
    # The same comparison sees a difference once all second readings are done.
    ends = [read(review, "r", "bob", "next", f"R-{one}") for one in ("rrr", "nun")]
    assert "to be settled" not in ends[0]
    assert "3 records are to be settled" in ends[1]


def test_each_opened_record_leaves_a_line_in_the_log(review: CommandLine) -> None:
    start(review, "--sample", 3, "--second", "0%")
    before = len(audit_lines(review))
    read(review, "rq", "ann")
    opened = audit_lines(review)[before:]
    assert [line["command"] for line in opened] == ["review next"] * 2
    for line in opened:
        assert line["reference"] == "FOI 19"
        assert line["sudo_user"] == "ann"
        assert line["asked"]["review"] == NAME
        assert len(line["asked"]["opened_crime_ref_hmac_sha256"]) == 64
    assert "SYN-" not in json.dumps(opened)
    assert len({line["asked"]["opened_crime_ref_hmac_sha256"] for line in opened}) == 2


def test_a_refresh_that_changes_a_text_has_it_read_again(
    review: CommandLine, load: Callable[..., Any]
) -> None:
    start(review, "--second", "0%")
    read(review, "r" * 11)
    records = make_records()
    records[0]["narrative"] = "Snapchat is named in another entry."
    del records[1]
    load(records)
    status = review("review", "status").out
    assert "Text changed since it was read: SYN-000" in status
    assert "No longer in the index: SYN-001" in status
    seen = read(review, "n", "bob")
    assert "The text has changed since the sample was drawn." in seen
    assert "another entry" in seen
    (row,) = [row for row in export(review) if row["reference"] == "SYN-000"]
    assert (row["first_verdict"], row["first_reviewer"]) == ("not relevant", "bob")
    assert row["first_content_hash"] != row["content_hash"]
    assert "Text changed" not in review("review", "status").out


def test_a_record_that_is_forgotten_in_the_generation_of_the_draw_is_gone(
    review: CommandLine,
) -> None:
    start(review, "--second", "0%")
    assert review("forget", "SYN-005").code == 0
    assert "No longer in the index: SYN-005" in review("review", "status").out
    seen = read(review, "r" * 10)
    assert "SYN-005" not in seen
    assert "refreshed" not in seen


def test_a_sample_is_extended_and_imported(review: CommandLine) -> None:
    start(review, "--sample", 4, "--by", "offence", "--second", "0%")
    read(review, "rrrr")
    outcome = review("review", "extend", "--sample", 8)
    assert "8 of 12 records are to be read" in outcome.out
    rows = export(review)
    open_rows = [row for row in rows if row["in_sample"] == "yes" and not row["first_verdict"]]
    assert len(open_rows) == 4
    for row in open_rows:
        row |= {"first_verdict": "unsure", "first_reviewer": "dee"}
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*rows[0]])
    writer.writeheader()
    writer.writerows(rows)
    review.write("filled.csv", stream.getvalue().encode())
    assert review("review", "import", "filled.csv").out == "4 decisions imported.\n"
    again = review("review", "import", "filled.csv")
    assert (again.out, again.err) == ("0 decisions imported.\n", "")


def test_the_request_is_stored_without_the_requester(review: CommandLine) -> None:
    start(review, "--sample", 2)
    home = Path(review.environment["FOIDEX_HOME"])
    content = (home / "reviews" / "reviews.sqlite").read_bytes()
    assert b"Snapchat" in content
    assert b"Requester" not in content
    assert b"is named in" not in content


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("next",), "so there is no review yet"),
        (("status", "x"), "so there is no review yet"),
        (("import", "nowhere.csv"), "so there is no review yet"),
        (("start", "request.yaml", "--number", "Q1", "--criterion", "x", "--sample", "13"), "more than the 12 records"),
        (("start", "request.yaml", "--number", "Q1:22B", "--criterion", "x", "--sample", "9"), "more than the 6 records"),
        (("start", "request.yaml", "--number", "Q1", "--criterion", "x", "--by", "offence", "--sample", "1"), "less than one record for each"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_the_remedy(
    review: CommandLine, words: tuple[str, ...], message: str
) -> None:
    require_refusal(review("review", *words), ReviewError, message)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--number", "Q9", "--criterion", "x"), 3, 'no question "Q9"'),
        (("--number", "Q1", "--criterion", " "), 2, "is blank"),
        (("--number", "Q1", "--criterion", "x", "--second", "120%"), 2, "not a percentage"),
        (("--number", "Q1", "--criterion", "x", "--sample", "0"), 2, "1 or more"),
        (("--number", "Q1", "--criterion", "x", "--seed", "a\nb"), 2, "line break"),
        (("--number", "Q1"), 3, "--criterion"),
    ],
)
def test_a_wrong_command_line_starts_nothing(
    review: CommandLine, words: tuple[str, ...], code: int, message: str
) -> None:
    outcome = review("review", "start", "request.yaml", *words)
    assert outcome.code == code, outcome.err
    assert message in outcome.err
    assert "no review yet" in review("review", "status").err


def test_only_those_who_are_listed_may_review(review: CommandLine) -> None:
    review.write("foidex.toml", b'[review]\nreviewers = ["ann"]\n')
    refused = review("review", "next", SUDO_USER="bob")
    require_refusal(refused, ReviewError, '"bob" is not one of the reviewers')
    arguments = ("--number", "Q1", "--criterion", CRITERION)
    assert review("review", "start", "request.yaml", *arguments, SUDO_USER="ann").code == 0


# -- a terminal ------------------------------------------------------------------------------------


@pytest.fixture
def terminal(review: CommandLine) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def open_terminal(*arguments: str) -> Terminal:
        opened.append(Terminal(review, *arguments))
        return opened[-1]

    yield open_terminal
    for one in opened:
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(one.process, signal.SIGKILL)


def test_at_a_terminal_one_key_is_a_decision_and_a_kill_loses_none(
    review: CommandLine, terminal: Callable[..., Terminal]
) -> None:
    start(review, "--sample", 4, "--second", "0%")
    reader = terminal("review", "next")
    assert CRITERION in reader.wait_for("q quit")
    reader.press("r")
    assert "1 of 4 readings done" in reader.wait_for("q quit")
    reader.press("x")
    reader.wait_for("Press one of r, n, u, w, b, q.")
    os.kill(reader.process, signal.SIGKILL)
    assert reader.end() == -signal.SIGKILL
    again = terminal("review", "next")
    again.wait_for("1 of 4 readings done")
    again.wait_for("q quit")
    again.press("\x03")  # Ctrl-C
    again.wait_for("foidex: stopped.")
    assert again.end() == 130
    last = terminal("review", "next")
    last.wait_for("q quit")
    last.press("n")
    last.wait_for("2 of 4 readings done")
    last.wait_for("q quit")
    last.press("q")
    last.wait_for("Stopped.")
    assert last.end() == 0
    verdicts = [row["first_verdict"] for row in export(review) if row["in_sample"] == "yes"]
    assert verdicts == ["relevant", "not relevant", "", ""]
