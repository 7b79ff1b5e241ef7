"""What changed in the numbers of a document set since it was last written in the same folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from queries.answer.cells import Cell, CellValue, list_cells, list_review_cells
from queries.answer.types import Answer, format_json


class NumberChange(Struct, frozen=True):
    """A number that changed: None is a count that is not given, "" a number that is not there."""

    label: str
    before: CellValue
    after: CellValue

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
    """The numbers that changed since an earlier answer, read from JSON.

    None if that answered another request, or is not an answer as this version reads it.
    """
    after: dict[str, Any] = msgspec.json.decode(format_json(answer))
    try:
        earlier_answer = msgspec.convert(before, Answer)
    except msgspec.ValidationError:
        return None
    if _strip_letter_fields(before) != _strip_letter_fields(after):
        return None
    old, new = _index_cells(earlier_answer), _index_cells(answer)
    return tuple(
        NumberChange(name[1], old.get(name, ""), new.get(name, ""))
        for name in {**old, **new}
        if old.get(name, "") != new.get(name, "")
    )


def _strip_letter_fields(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The request without the fields that only a letter uses."""
    return {
        name: value for name, value in answer["request"].items() if name not in ("letter", "title")
    }


def _index_cells(answer: Answer) -> dict[tuple[object, str], CellValue]:
    """Every number by its key and the words for where it stands."""
    cells = (*list_cells(answer), *list_review_cells(answer))
    return {_name_cell(cell): cell.value for cell in cells}


def _name_cell(cell: Cell) -> tuple[object, str]:
    return cell.key, cell.location
