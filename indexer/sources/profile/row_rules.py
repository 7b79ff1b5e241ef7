"""Which rows of a table are records: rules of skip, blank rows, what stands below an empty stretch,
and formulas without their values."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple, TypeAlias

from indexer.config.profile import SourceProfile, list_used_columns
from indexer.errors import SourceError
from indexer.integrity.special_cells import MergedCell, UncomputedCell
from indexer.sources.profile.columns import find_cell_type
from indexer.sources.profile.values import is_empty
from indexer.sources.tables.table import is_blank_row, name_columns

#: Why a row is skipped that stands below an empty stretch, and one that repeats the names.
BELOW: Final = "stands below blank rows"

REPEATED_NAMES: Final = "repeats the names of the columns"

#: What is added to a rule that skips a row which never had the cell.
TORN: Final = (
    ", in a row with fewer cells than names: it may be the rest of a text with a line break"
)

#: What says which rule skips a row: "" for none, "blank" for a row without a value. It takes the
#: cells and the place of each row in turn.
SkipCheck: TypeAlias = Callable[[list[Any], str], str]

#: So many blank rows between others are an empty stretch, whatever follows.
STRETCH_ROWS: Final = 2

_MAX_NAME_LENGTH: Final = 80


class ShortCells(list[Any]):
    """The cells of a row that had fewer than there are names, with empty ones at its end."""


class RowNature(NamedTuple):
    """What rows are: ``is_ordered`` if they stand below each other, as those of a text or a sheet,
    so that blank ones between them may end the table; ``has_unknown`` if cells may have a
    formula without its value, or be merged with others."""

    is_ordered: bool = False
    has_unknown: bool = False


def make_skip_check(profile: SourceProfile, header: list[str], nature: RowNature) -> SkipCheck:
    """What says which rule skips a row of a table. It raises SourceError for a row that is not
    certain to be of the table, or not known."""
    rules = [
        (header.index(rule.column), rule.like.casefold() if rule.like else None, rule.text)
        for rule in profile.skip
    ]
    check_stretch = _make_stretch_check(profile, header)
    blank_rows = 0
    is_below = has_rows = False

    def check(cells: list[Any], location: str) -> str:
        nonlocal blank_rows, is_below, has_rows
        first = cells[0]
        if (type(first) is not str or not first or first.isspace()) and is_blank_row(cells):
            blank_rows += has_rows
            return "blank"
        if is_below:
            return BELOW
        stretch = blank_rows
        if stretch:
            blank_rows = 0
        for index, pattern, text in rules:
            cell = cells[index]
            if pattern is None:
                if is_empty(cell):
                    return text + TORN if type(cells) is ShortCells else text
            elif fnmatchcase(str(cell).strip().casefold(), pattern):
                return text
        if stretch:
            reason = check_stretch(cells, stretch, location)
            is_below = reason == BELOW
            return reason
        has_rows = nature.is_ordered
        return ""

    return _require_values(check, profile, header) if nature.has_unknown else check


def _make_stretch_check(
    profile: SourceProfile, header: list[str]
) -> Callable[[list[Any], int, str], str]:
    """What says why a row is skipped that stands below so many blank rows. It raises SourceError
    for one that may be of another table, until a person has decided."""
    required = [
        header.index(name)
        for field in ("crime_ref", "recorded_on")
        for name in profile.rules[field].names
    ]
    few = len(list_used_columns(profile)) / 2
    continued = header.index(profile.continuation.column) if profile.continuation else -1

    def check(cells: list[Any], stretch: int, location: str) -> str:
        is_part = continued >= 0 and not is_empty(cells[continued])
        is_short = sum(not is_empty(cell) for cell in cells) < few
        is_title = is_short and not is_part and any(is_empty(cells[place]) for place in required)
        if not (stretch >= STRETCH_ROWS or is_title or is_row_of_names(cells)):
            return ""
        if profile.after_blank_rows == "skip":
            return BELOW
        if profile.after_blank_rows == "read":
            return REPEATED_NAMES if name_columns(cells) == header else ""
        count = "a blank row" if stretch == 1 else f"{stretch:,} blank rows"
        raise SourceError(
            f"{location}: this row stands below {count}, and may begin another table. Look at it, "
            'and say after_blank_rows in [source.profile]: "read" if the rows below are records '
            'like those above, "skip" if they are not, and what follows in the table is left out.'
        )

    return check


def is_row_of_names(cells: list[Any]) -> bool:
    """Whether a row looks like one of names: two or more texts, none a number, a date or long."""
    texts = [cell for cell in cells if not is_empty(cell)]
    return len(texts) > 1 and all(
        isinstance(text, str) and len(text) <= _MAX_NAME_LENGTH and find_cell_type(text) == "text"
        for text in texts
    )


def make_uncomputed_error(location: str, cell: str) -> SourceError:
    """The error for a cell that has a formula and no value of it, and would be read."""
    return SourceError(
        f"{location}: {cell} has a formula without its value, as programs other than a "
        "spreadsheet write them, so what it shows is not known. Open the file in Excel or "
        "LibreOffice, save it, and give that file."
    )


def _make_merged_error(location: str, cell: str) -> SourceError:
    return SourceError(
        f"{location}: {cell} is merged with the cell above, so only that row has its value. Undo "
        "the merging in the spreadsheet, and fill in the value of each row."
    )


def _require_values(check: SkipCheck, profile: SourceProfile, header: list[str]) -> SkipCheck:
    """The same check for rows in which cells have a formula without its value, or are merged with
    the cell above. It makes such a cell an empty one where nothing reads it, and raises SourceError
    where its row or a rule does. A merged cell in a row that has nothing else, or only continues
    the text of the row above, is empty."""
    used = {header.index(name) for name in list_used_columns(profile)}
    decisive = {header.index(rule.column) for rule in profile.skip}
    continued = {header.index(profile.continuation.column)} if profile.continuation else set()

    def check_values(cells: list[Any], location: str) -> str:
        numbers = [number for number, cell in enumerate(cells) if type(cell) is UncomputedCell]
        merged = [number for number, cell in enumerate(cells) if type(cell) is MergedCell]
        for number in (*numbers, *merged):
            cells[number] = ""
        rule = check(cells, location)
        columns_read = used if rule in ("", "blank") else set() if rule == BELOW else decisive
        if unknown := [number for number in numbers if number in columns_read]:
            raise make_uncomputed_error(location, f'"{header[unknown[0]][:60]}"')
        if unknown := [number for number in merged if number in columns_read]:
            filled = {number for number, cell in enumerate(cells) if not is_empty(cell)}
            if not filled <= continued:
                raise _make_merged_error(location, f'"{header[unknown[0]][:60]}"')
        return rule

    return check_values
