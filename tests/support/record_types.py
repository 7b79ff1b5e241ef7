"""What each kind of record adds to each number of an answer, by counting one of it.

A reader of a published answer knows how records are counted, and no more. So a number is known
here by the kinds of record it counts, and not by what the answer says of its conditions.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from queries.answer.types import Answer
from queries.answering.build import compute_answer_with
from queries.request.reader import Request
from tests.support.fake_search import PlainEngine

Record = dict[str, Any]

#: The numbers of a published answer by where they stand; None is withheld.
Numbers = dict[str, int | None]

#: Of each kind of record, how many times one is counted in a number.
Shares = tuple[int, ...]

#: One record is counted at most 31 times in one number: that is the most victims of one.
_BITS = 5

_MOST = (1 << _BITS) - 1

#: How many kinds are counted at once.
_AT_ONCE = 200


def make_record(text: str = "", **more: Any) -> Record:
    """A record of a usual kind, but for what is given."""
    return {
        "crime_ref": "R",
        "recorded_on": "2016-05-05",
        "offence_code": "22B",
        "narrative": text,
        **more,
    }


def combine(**choices: Sequence[Any]) -> list[Record]:
    """A record of each combination of values of the fields; ``text`` is the narrative."""
    fields = [*choices]
    return [
        make_record(**dict(zip(fields, values, strict=True)))
        for values in itertools.product(*choices.values())
    ]


def multiply(kinds: Sequence[Record], times: Sequence[int]) -> list[Record]:
    """The records of which there are so many of each kind."""
    return [
        {**kind, "crime_ref": f"R{place}", "weight": number}
        for place, (kind, number) in enumerate(zip(kinds, times, strict=True))
        if number
    ]


def list_numbers(answer: Answer) -> Numbers:
    """Every number that an answer prints, by its place in words: "Q1, Skype, 2016/17"."""
    document = msgspec.to_builtins(answer)
    return {
        place: number
        for place, number in _walk_numbers(document)
        if number is None or isinstance(number, int)
    }


def _walk_numbers(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    scope = document["scope"]
    yield "scope", scope["records"]
    for status, number in scope["left_out"].items():
        yield f"scope, {status}", number
    for row in scope["offences"]:
        yield f"scope, offence {row['label']}", row["counts"][0]
    for place, term in enumerate(scope["terms"], 1):
        yield f"scope, term {place}", term["records"]
    for question in document["questions"]:
        table, name = question["table"], question["id"]
        for row in (*table["rows"], table["total"]):
            for column, number in zip(table["columns"], row["counts"], strict=True):
                yield f"{name}, {row['label']}, {column['label']}", number
        for fact in question.get("figures", ()):
            yield f"{name}, {fact['name']}", question["facts"][fact["name"]]
        for place, term in enumerate(question.get("terms", ()), 1):
            yield f"{name}, term {place}", term["records"]


def count_kinds(request: Request, kinds: Sequence[Record]) -> dict[str, Shares]:
    """For each number of the answer to a request, how often it counts a record of each kind.

    All are counted at once: of each kind there are so many records that a number, written in a
    large base, has a digit for each.
    """
    shares: dict[str, list[int]] = {}
    for start in range(0, len(kinds), _AT_ONCE):
        chosen = kinds[start : start + _AT_ONCE]
        weighted = [
            {**kind, "crime_ref": f"R{place}", "weight": 1 << _BITS * place}
            for place, kind in enumerate(chosen)
        ]
        engine = PlainEngine(weighted, in_index=1 << _BITS * (len(chosen) + 1))
        for name, number in list_numbers(compute_answer_with(engine, request)).items():
            assert number is not None
            listed = shares.setdefault(name, [0] * start)
            listed += [0] * (start - len(listed))
            listed += [number >> _BITS * place & _MOST for place in range(len(chosen))]
    return {name: (*listed, *[0] * (len(kinds) - len(listed))) for name, listed in shares.items()}
