"""From mentioned to relevant, on a real server: read by keyboard, settled, answered, published."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from fractions import Fraction
from math import comb
from pathlib import Path
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

CONFIGURATION = """
[force]
name = "Example Constabulary"
unit = "Information Rights"
address = ["Police Headquarters"]
contact = "information.rights@example.org"
signatory = "Information Rights Officer"
exemption = "We rely on section 40(2) of the Freedom of Information Act 2000."
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


def recount(rows: list[dict[str, str]]) -> tuple[int, int, int, int, int]:
    """Read, relevant and not, and the range: by brute force, from the export alone."""
    verdicts = []
    for row in rows:
        if row["in_sample"] == "yes":
            readings = {row["first_verdict"], row["second_verdict"]} - {""}
            verdicts.append(row["settled_verdict"] or "".join(readings))
    population, sample = len(rows), len(verdicts)
    relevant, others = verdicts.count("relevant"), verdicts.count("not relevant")

    def tail(total: int, numbers: range) -> Fraction:
        ways = sum(
            comb(total, number) * comb(population - total, sample - number)
            for number in numbers
            if sample - number <= population - total
        )
        return Fraction(ways, comb(population, sample))

    possible = [
        total
        for total in range(population + 1)
        if tail(total, range(relevant, sample + 1)) > Fraction(1, 40)
        and tail(total, range(sample - others + 1)) > Fraction(1, 40)
    ]
    return sample, relevant, others, possible[0], possible[-1]


def test_a_sample_that_two_people_read_is_in_the_letter(review: CommandLine) -> None:
    read_sample(review, "--sample", 60)
    sample, relevant, others, low, high = recount(export(review))
    assert (sample, relevant + others) == (60, 60)
    answer = json.loads(run(review, "answer", "request.yaml", "--review", NAME, "--format", "json"))
    (result,) = answer["reviews"]
    assert result["criterion"] == CRITERION
    total = result["total"]
    assert (total["mentioned"], total["sampled"]) == (120, 60)
    assert (total["relevant"], total["not_relevant"]) == (relevant, others)
    assert total["range"] == {"low": low, "high": high}
    assert (result["agreement"]["pairs"], result["agreement"]["agreed"]) == (12, 11)
    letter = run(review, "answer", "request.yaml", "--review", NAME, "--format", "letter")
    words = " ".join(letter.split())
    assert "we read a random sample of 60 of the 120." in words
    assert f"Of the 60, {relevant} were relevant and {others} were not." in words
    assert f"between {low} and {high} of the 120 are relevant (95% confidence interval)" in words
    assert "A second person read 12 of these records" in words


def test_nothing_is_answered_before_all_second_readings_are_done(review: CommandLine) -> None:
    start = ("request.yaml", "--number", "Q1", "--criterion", CRITERION, "--sample", 10)
    run(review, "review", "start", *start)
    run(review, "review", "next", keys="r" * 10)
    outcome = review("answer", "request.yaml", "--review", NAME)
    require_refusal(outcome, ReviewError, "second readings that are still to be made")
    assert "relevant" not in outcome.out


def test_one_reader_alone_ends_second_readings_and_the_letter_says_so(review: CommandLine) -> None:
    review.write("foidex.toml", f'{CONFIGURATION}[review]\nreviewers = ["ann"]\n'.encode())
    start = ("review", "start", "request.yaml", "--number", "Q1", "--sample", 20, "--seed", "s")
    outcome = review(*start, SUDO_USER="ann")
    assert "lists ann only, and a second reading needs another person" in " ".join(
        outcome.err.split()
    )
    sample = [row for row in export(review) if row["in_sample"] == "yes"]
    shown = run(review, "review", "next", keys=list_keys(sample))
    assert "4 second readings wait for another person" in shown
    assert "end-second-readings" in run(review, "review", "status")
    refused = review("answer", "request.yaml", "--review", NAME, SUDO_USER="ann")
    require_refusal(refused, ReviewError, "end-second-readings")
    ending = ("review", "end-second-readings", "--reason", "One reader only.")
    assert "4 records are not read a second time" in run(review, *ending)
    status = run(review, "review", "status")
    assert "Second readings were ended" in status
    assert "One reader only." in status
    assert "The review is complete" in status
    letter = run(review, "answer", "request.yaml", "--review", NAME, "--format", "letter")
    assert "A second person was to read 4 of these records too" in " ".join(letter.split())


def test_what_changed_since_it_was_read_counts_as_not_decided(
    review: CommandLine, load: Callable[..., Any]
) -> None:
    read_sample(review, "--sample", 60, "--second", "0%", slips=0)
    sample = [row["reference"] for row in export(review) if row["in_sample"] == "yes"]
    records = make_records()
    for record in records:
        if record["crime_ref"] in sample[:2]:
            record["narrative"] += " Another line was added."
    load(records)
    outcome = review("answer", "request.yaml", "--review", NAME, "--format", "json")
    assert "2 records of the review" in outcome.err
    total = json.loads(outcome.out)["reviews"][0]["total"]
    assert (total["stale"], total["decided"]) == (2, 58)
    load(make_records(121))
    outcome = review("answer", "request.yaml", "--review", NAME)
    require_refusal(
        outcome, RequestError, "from 120 records of Q1:total, and the answer counts 121"
    )


def test_a_review_of_parts_that_count_others_now_is_refused(
    review: CommandLine, load: Callable[..., Any]
) -> None:
    """The whole number is the same, but a record went from one part to the other."""
    review.write(
        "request.yaml", REQUEST.replace("kind: offences", "kind: by, by: offence").encode()
    )
    read_sample(review, "--sample", 60, "--by", "offence", "--second", "0%", slips=0)
    run(review, "answer", "request.yaml", "--review", NAME, "--format", "json")
    records = make_records()
    records[0] = records[0] | {"offence_code": "88E"}
    load(records)
    outcome = review("answer", "request.yaml", "--review", NAME, "--format", "json")
    told = "parts of its number that count other records now"
    require_refusal(outcome, RequestError, told, "docs/review.md")


def test_a_review_of_which_a_record_was_exchanged_is_refused(
    review: CommandLine, load: Callable[..., Any]
) -> None:
    """As many are counted, and nobody read the new one: the letter said that all were read."""
    read_sample(review, "--sample", 120, "--second", "0%", slips=0)
    run(review, "answer", "request.yaml", "--review", NAME, "--format", "json")
    load([*make_records()[1:], make_records(121)[120]])
    outcome = review("answer", "request.yaml", "--review", NAME, "--format", "json")
    assert (outcome.code, outcome.out) == (RequestError.exit_code, "")
    assert "1 record of Q1:total came after the review" in outcome.err


def test_another_criterion_or_an_unknown_review_is_refused(review: CommandLine) -> None:
    read_sample(review, "--sample", 10, "--second", "0%", slips=0)
    outcome = review("answer", "request.yaml", "--review", "FOI-19-Q2")
    require_refusal(outcome, ReviewError, "FOI-19-Q2")
    other = REQUEST.replace("to make contact.", "by the suspect.")
    review.write("other.yaml", other.encode())
    outcome = review("answer", "other.yaml", "--review", NAME)
    require_refusal(outcome, RequestError, 'was decided by "The app was used to make contact."')


def test_a_reviewed_answer_is_published_and_replayed(review: CommandLine) -> None:
    review.write("foidex.toml", CONFIGURATION.encode())
    read_sample(review, "--sample", 60, "--by", "offence", "--second", "0%", slips=0)
    arguments = ("answer", "request.yaml", "--review", NAME)
    saved = run(review, *arguments, "--format", "json")
    review.write("answer.json", saved.encode())
    replayed = run(review, "replay", "answer.json")
    assert f'was reviewed ("{NAME}", drawn from' in " ".join(replayed.split())
    published = json.loads(run(review, *arguments, "--publish", "--format", "json"))
    (result,) = published["reviews"]
    total = json.loads(saved)["reviews"][0]["total"]
    assert result["total"]["relevant"] == total["relevant"]
    assert result["total"]["range"]["low"] <= total["range"]["low"]


def test_a_replay_says_whether_decisions_have_changed_since(review: CommandLine) -> None:
    def replay() -> str:
        return " ".join(review("replay", "answer.json", SUDO_USER="ann").out.split())

    read_sample(review, "--sample", 60, slips=0)
    saved = run(review, "answer", "request.yaml", "--review", NAME, "--format", "json")
    review.write("answer.json", saved.encode())
    assert f'The store has the same result of the review "{NAME}" now.' in replay()
    run(review, "review", "extend", "--sample", 66)
    hidden = replay()
    assert "second readings that are still to be made" in hidden
    assert "instead of" not in hidden
    for user in ("ann", "bob"):
        run(review, "review", "next", keys="r" * 8, user=user)
    run(review, "review", "settle", keys="r" * 8, user="cem")
    changed = replay()
    assert f'The decisions of the review "{NAME}" are other ones in the store now' in changed
    assert "66 in the sample instead of 60" in changed
    assert "with another range" in changed
    store = Path(review.environment["FOIDEX_HOME"]) / "reviews"
    store.rename(store.with_name("elsewhere"))
    gone = replay()
    assert "were not compared with the store, so they may have changed since" in gone
    assert not store.exists()
