"""A reviewed answer, on a real server: what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from indexer.errors import RequestError, ReviewError
from tests.support.command_line import CommandLine, require_refusal

CRITERION = "The app was used to make contact."

NAME = "FOI-19-Q1"

REQUEST = """
reference: FOI 19
title: Offences that mention Snapchat
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences, text: "How many?"}
review:
  - {number: Q1, criterion: "The app was used to make contact."}
"""


def make_records(number: int = 120, relevant: Callable[[int], bool] = lambda n: n % 2 == 0) -> Any:
    """Records that mention the app; every second one is about it."""
    return [
        {
            "crime_ref": f"SYN-{one:03}",
            "recorded_on": f"2023-0{1 + one % 9}-01",
            "offence_code": ("22B", "88E")[one % 4 // 2],
            "narrative": f"Entry {one}. Snapchat "
            + ("was used to make contact." if relevant(one) else "was open on the screen."),
        }
        for one in range(number)
    ]


@pytest.fixture
def review(foidex: CommandLine, load: Callable[..., Any]) -> CommandLine:
    load(make_records())
    foidex.write("request.yaml", REQUEST.encode())
    return foidex


def run(review: CommandLine, *arguments: object, keys: str = "", user: str = "ann") -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("".join(f"{key}\n" for key in keys)))
        outcome = review(*arguments, SUDO_USER=user)
    assert outcome.code == 0, outcome.err
    return outcome.out


def export(review: CommandLine) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(run(review, "review", "export")))]


def list_keys(rows: Iterable[dict[str, str]]) -> str:
    """The key for each record, by its reference: those of even numbers are relevant."""
    return "".join("rn"[int(row["reference"][-3:]) % 2] for row in rows)


def read_sample(review: CommandLine, *options: object, slips: int = 1) -> None:
    """Start a review, read it once and a share twice; of the second readings the first few differ,
    and are settled as they were."""
    start = ("request.yaml", "--number", "Q1", "--criterion", CRITERION, "--seed", "a seed")
    run(review, "review", "start", *start, *options)
    sample = [row for row in export(review) if row["in_sample"] == "yes"]
    twice = [row for row in sample if row["second_reading"] == "yes"]
    run(review, "review", "next", keys=list_keys(sample))
    second = list_keys(twice)
    swapped = second[:slips].translate(str.maketrans("rn", "nr"))
    run(review, "review", "next", keys=swapped + second[slips:], user="bob")
    run(review, "review", "settle", keys=second[:slips], user="cem")


def test_nothing_is_answered_before_all_second_readings_are_done(review: CommandLine) -> None:
    start = ("request.yaml", "--number", "Q1", "--criterion", CRITERION, "--sample", 10)
    run(review, "review", "start", *start)
    run(review, "review", "next", keys="r" * 10)
    outcome = review("answer", "request.yaml", "--review", NAME)
    require_refusal(outcome, ReviewError, "second readings that are still to be made")
    assert "relevant" not in outcome.out


def test_another_criterion_or_an_unknown_review_is_refused(review: CommandLine) -> None:
    read_sample(review, "--sample", 10, "--second", "0%", slips=0)
    outcome = review("answer", "request.yaml", "--review", "FOI-19-Q2")
    require_refusal(outcome, ReviewError, "FOI-19-Q2")
    other = REQUEST.replace("to make contact.", "by the suspect.")
    review.write("other.yaml", other.encode())
    outcome = review("answer", "other.yaml", "--review", NAME)
    require_refusal(outcome, RequestError, 'was decided by "The app was used to make contact."')
