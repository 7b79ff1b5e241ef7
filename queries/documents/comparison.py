"""Which numbers of an answer changed since the set of documents that it replaces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from queries.answer.types import Answer, format_json


class NumberChange(Struct, frozen=True):
    """A number that is not what it was; None is a withheld count, "" a new number."""

    label: str
    before: int | str | None
    after: int | str | None

    def __str__(self) -> str:
        before, after = (
            "not given"
            if number is None
            else "none"
            if number == ""
            else f"{number:,}"
            if isinstance(number, int)
            else number
            for number in (self.before, self.after)
        )
        return f"{self.label}: {before} before, {after} now"


def compare_answers(before: Mapping[str, Any], answer: Answer) -> tuple[NumberChange, ...] | None:
    """The numbers that are not what they were; None if the request is another one."""
    after: dict[str, Any] = msgspec.json.decode(format_json(answer))
    if _strip_letter_fields(before) != _strip_letter_fields(after):
        return None
    old, new = _collect_answer_numbers(before), _collect_answer_numbers(after)
    return tuple(
        NumberChange(
            ", ".join(filter(None, number_key[1::2])),
            old.get(number_key, ""),
            new.get(number_key, ""),
        )
        for number_key in {**old, **new}
        if old.get(number_key, "") != new.get(number_key, "")
    )


def _strip_letter_fields(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The request without the parts that only the letter prints."""
    return {
        name: value for name, value in answer["request"].items() if name not in ("letter", "title")
    }


#: Where a number stands: keys, each followed by its words for a person.
_NumberKey = tuple[str, ...]


def _collect_answer_numbers(answer: Mapping[str, Any]) -> dict[_NumberKey, int | str | None]:
    """Every number of an answer: the scope's, single facts, the tables'."""
    numbers: dict[_NumberKey, int | str | None] = {
        ("scope", "Offences in scope"): answer["scope"]["records"]
    }
    for status, number in answer["scope"]["left_out"].items():
        numbers["left out", "Left out", status, status] = number
    for question in answer["questions"]:
        name, table = question["id"], question["table"]
        for fact, value in question.get("facts", {}).items():
            numbers[name, name, fact, fact.replace("_", " ")] = value
        for row in (*table["rows"], table["total"]):
            for column, count in zip(table["columns"], row["counts"], strict=True):
                cell_key = (row["key"], row["label"], column["key"], column["label"])
                numbers[(name, name, *cell_key)] = count
    return numbers
