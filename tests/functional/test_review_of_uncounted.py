"""What the words of a request miss, on a real server: near misses, and records without a mention.

The naive counter reads every text word by word, and shares no code with the draw.
"""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
import json
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from math import comb
from typing import Any

import pytest

from indexer.errors import RequestError, ReviewError
from queries.reviewing import uncounted
from tests.support.command_line import CommandLine, require_refusal

CRITERION = "The app was used to make contact."

REQUEST = """
reference: FOI 19
title: Offences that mention Snapchat
period: 2023
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences, text: "How many?"}
  - {id: Q2, kind: offences, within: {mentions: [Snapchat, {term: message, with: [phone]}]}}
  - {id: Q3, kind: keywords, keywords: [TikTok, Kik]}
review:
  - {number: Q1, criterion: "The app was used to make contact."}
  - {number: "Q1:88E", criterion: "It was used."}
  - {number: Q2, criterion: "It was used."}
"""

WORDINGS = (
    "Snapchat was open", "Snap chat was open", "They snapchatted all night", "A snapchst came",
    "SnapChats were sent", "Nothing of note", "A chat was had", "A snapshot was kept",
    "A message came", "A message on the phone came", "Snaps of a chat", "TikTok was open",
)  # fmt: skip


def make_records(number: int = 240) -> list[dict[str, Any]]:
    """Every wording in its turn; a fifth is of the year before."""
    return [
        {
            "crime_ref": f"SYN-{one:03}",
            "recorded_on": f"{2022 if one % 5 == 0 else 2023}-0{1 + one % 9}-01",
            "offence_code": ("22B", "88E")[one % 4 // 2],
            "narrative": f"Entry {one}. {WORDINGS[one % len(WORDINGS)]}.",
        }
        for one in range(number)
    ]


def list_words(record: dict[str, Any]) -> list[str]:
    return re.findall(r"[a-z0-9]+", record["narrative"].lower())


def mentions(record: dict[str, Any]) -> bool:
    words = list_words(record)
    return "snapchat" in words or ("snap", "chat") in pairwise(words)


def is_near(record: dict[str, Any]) -> bool:
    """A word that begins with the term, or differs from it by one letter that is another."""
    return any(
        (word.startswith("snapchat") and word != "snapchat" and len(word) <= 13)
        or (
            len(word) == 8
            and word[0] == "s"
            and sum(a != b for a, b in zip(word, "snapchat", strict=True)) == 1
        )
        for word in list_words(record)
    )


def in_scope(record: dict[str, Any]) -> bool:
    return bool(record["recorded_on"].startswith("2023"))


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


def start(review: CommandLine, *options: object, number: str = "Q1", seed: str = "s") -> str:
    words = ("review", "start", "request.yaml", "--number", number, "--seed", seed)
    return run(review, *words, *options)


def export(review: CommandLine, name: str) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(run(review, "review", "export", name)))]


def bound(population: int, sample: int, relevant: int) -> int:
    """The most relevant records with which so few of the sample are not improbable."""
    for total in range(population, -1, -1):
        ways = sum(
            comb(total, found) * comb(population - total, sample - found)
            for found in range(relevant + 1)
        )
        if Fraction(ways, comb(population, sample)) > Fraction(1, 20):
            return total
    raise AssertionError


@pytest.mark.parametrize(
    ("kind", "belongs"),
    [
        ("near-misses", lambda record: not mentions(record) and is_near(record)),
        ("no-mention", lambda record: not mentions(record) and not is_near(record)),
    ],
)
def test_the_naive_counter_finds_the_same_records_in_the_same_order(
    review: CommandLine, kind: str, belongs: Callable[[dict[str, Any]], bool]
) -> None:
    out = start(review, "--of", kind, "--sample", 10)
    expected = [one["crime_ref"] for one in make_records() if in_scope(one) and belongs(one)]
    assert f"10 of {len(expected)} records are to be read, 2 of them twice." in out
    rows = export(review, f"FOI-19-Q1-{kind}")
    expected.sort(
        key=lambda name: hmac.new(b"s", f"order:{name}".encode(), hashlib.sha256).hexdigest()
    )
    assert [row["reference"] for row in rows] == expected
    assert [row["in_sample"] for row in rows] == ["yes"] * 10 + ["no"] * (len(rows) - 10)


def test_a_row_has_its_own_words_and_the_other_conditions_stay(review: CommandLine) -> None:
    start(review, "--of", "no-mention", number="Q1:88E")
    rows = export(review, "FOI-19-Q1-88E-no-mention")
    expected = {
        one["crime_ref"]
        for one in make_records()
        if in_scope(one) and one["offence_code"] == "88E" and not mentions(one) and not is_near(one)
    }
    assert {row["reference"] for row in rows} == expected


def test_a_word_without_what_it_requires_is_near(review: CommandLine) -> None:
    start(review, "--of", "near-misses", number="Q2")
    near = {row["reference"] for row in export(review, "FOI-19-Q2-near-misses")}
    alone = {one["crime_ref"] for one in make_records() if "A message came" in one["narrative"]}
    assert alone & near == alone & {o["crime_ref"] for o in make_records() if in_scope(o)}
    shown = run(review, "review", "next", "FOI-19-Q2-near-misses", keys="q")
    assert "beside Q2:total" in run(review, "review", "status", "FOI-19-Q2-near-misses")
    assert "Entry" in shown


def test_the_letter_says_what_the_words_miss(review: CommandLine) -> None:
    start(review, "--second", "0%")
    run(review, "review", "next", "FOI-19-Q1", keys="r" * 50)
    start(review, "--of", "near-misses", "--second", "0%")
    near = export(review, "FOI-19-Q1-near-misses")
    start(review, "--of", "no-mention", "--sample", 60, "--second", "0%")
    others = export(review, "FOI-19-Q1-no-mention")
    shown = run(review, "review", "next", "FOI-19-Q1-near-misses", keys="r" * 6 + "n" * 50)
    assert "hatted" in shown or "hst came" in shown
    shown = run(review, "review", "next", "FOI-19-Q1-no-mention", keys="n" * 60)
    assert "The number does not count this record." in shown
    assert "A snapshot was kept" in shown  # nothing to show a part around, so the whole text
    names = [
        word
        for name in ("FOI-19-Q1", "FOI-19-Q1-near-misses", "FOI-19-Q1-no-mention")
        for word in ("--review", name)
    ]
    answer = run(review, "answer", "request.yaml", *names, "--format", "json")
    (result,) = json.loads(answer)["reviews"]
    first, second = result["elusion"]
    assert (first["records"], first["population"], first["at_most"]) == (
        "near misses",
        len(near),
        6,
    )
    assert (second["sampled"], second["relevant"]) == (60, 0)
    assert second["at_most"] == bound(len(others), 60, 0)
    letter = " ".join(run(review, "answer", "request.yaml", *names, "--format", "letter").split())
    assert f"We also read all {len(near)} records that have wording similar" in letter
    assert "Of these, 6 were relevant." in letter
    assert (
        f"We also read a random sample of 60 of the {len(others)} records that do not mention the "
        f"words we searched for. None was relevant, so we estimate that no more than "
        f"{second['at_most']} of the {len(others)} are relevant (95% confidence)." in letter
    )
    review.write("answer.json", answer.encode())
    replay = " ".join(run(review, "replay", "answer.json").split())
    assert f"so no more than {second['at_most']} are relevant (95%, one-sided)" in replay
    changed = answer.replace(f'"at_most":{second["at_most"]}', '"at_most":1').replace(
        f'"at_most": {second["at_most"]}', '"at_most": 1'
    )
    review.write("changed.json", changed.encode())
    refused = review("replay", "changed.json")
    assert "not the one that follows from its counts" in refused.err + refused.out


def test_records_beside_a_number_are_given_with_its_own_review_only(review: CommandLine) -> None:
    start(review, "--second", "0%")
    start(review, "--of", "near-misses", "--second", "0%")
    names = ("--review", "FOI-19-Q1-near-misses")
    refused = review("answer", "request.yaml", *names)
    require_refusal(refused, RequestError, "Name the review of the records that it counts too")


def test_what_has_no_words_or_too_many_records_is_refused(
    review: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    review.write("bare.yaml", REQUEST.replace("mentions: [Snapchat]\nq", "q").encode())
    words = ("review", "start", "bare.yaml", "--number", "Q1", "--of", "no-mention")
    require_refusal(review(*words), RequestError, "does not depend on any word")
    none = ("review", "start", "request.yaml", "--number", "Q3:none", "--of", "no-mention")
    require_refusal(review(*none, "--criterion", "x"), RequestError, "is not of one of the words")
    words = ("review", "start", "request.yaml", "--number", "Q1", "--of", "no-mention")
    require_refusal(review(*words, "--by", "year"), ReviewError, "Leave out --by")
    require_refusal(review(*words, "--sample", "9999"), ReviewError, "more than the")
    monkeypatch.setattr(uncounted, "MAX_KEPT", 20)
    require_refusal(review(*words), ReviewError, "a sample has 20 at most")
    out = run(review, *words, "--sample", 10)
    assert "10 of 112 records" in out or "records are to be read" in out
    assert len(export(review, "FOI-19-Q1-no-mention")) == 20
    extended = review("review", "extend", "--sample", 21)
    require_refusal(extended, ReviewError, "only the first of the order are kept")
