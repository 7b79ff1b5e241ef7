"""What is asked of an officer before a release that cannot be taken back."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from tests.support.command_line import CommandLine
from tests.support.force import FORCE_TOML
from tests.support.terminals import Terminal

REQUEST = """\
reference: R/1
title: Months and offences
period: {from: 2017-04-01, to: 2017-07-31}
questions:
  - {id: Q1, kind: cross, rows: month, columns: offence}
review:
  - {number: Q1, criterion: The message was read}
"""

#: Two records of each of three offences in each of four months: every total can be given.
RECORDS = [
    {
        "crime_ref": f"A/{month}/{code}/{number}",
        "recorded_on": f"2017-{month:02}-05",
        "offence_code": code,
        "narrative": "A report.",
    }
    for month in range(4, 8)
    for code in ("22B", "88/1", "71/1")
    for number in range(2)
]

APART = "Q1: by month and by offence apart, a question for each: 9 of 9 numbers given"

QUESTION = "Publish it as it is? [y/N]"


def test_a_person_is_asked_before_most_of_a_table_is_withheld_for_good(
    foidex: CommandLine, load: Callable[..., Any]
) -> None:
    """A person who does not say yes publishes nothing. A program is not asked, and is warned."""
    load(RECORDS)
    foidex.write("foidex.toml", f'{FORCE_TOML}[disclosure]\nledger = "releases.jsonl"\n'.encode())
    foidex.write("request.yaml", REQUEST.encode())
    ledger = foidex.folder / "releases.jsonl"
    assert APART in foidex("lint", "request.yaml", "--publish").out

    terminal = Terminal(foidex, "answer", "request.yaml", "--publish", "--format", "json")
    screen = terminal.wait_for(QUESTION, 120)
    assert APART in screen
    assert "what a release withholds stays withheld, in later answers too" in screen
    assert "no review is in the answer, so the letter says that the records were not read" in screen
    os.write(terminal.handle, b"n\n")
    terminal.wait_for("nothing is published. Change the request", 60)
    assert terminal.end() == 15
    assert not ledger.exists()

    released = foidex("answer", "request.yaml", "--publish", "--format", "json")
    assert released.code == 0, released.err
    assert APART in released.err
    assert QUESTION not in released.err
    counts = json.loads(released.out)["questions"][0]["table"]["total"]["counts"]
    assert None in counts
    assert len(ledger.read_text().splitlines()) == 1

    # It withholds nothing that was not withheld before, so only the review is left to ask about.
    terminal = Terminal(foidex, "answer", "request.yaml", "--publish", "--format", "letter")
    assert APART not in terminal.wait_for(QUESTION, 120)
    os.write(terminal.handle, b"y\n")
    letter = " ".join(terminal.wait_for("folder. foidex replay explains", 60).split())
    assert 'how many of them meet this condition: "The message was read".' in letter
    assert terminal.end() == 0
    asked_once = foidex("answer", "request.yaml", "--as-it-is")
    assert asked_once.code == 2
    assert "--as-it-is needs --publish." in asked_once.err
