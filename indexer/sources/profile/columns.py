"""Compare the columns of a table with those that the profile expects: their names and types.

What deviates is an error that names old and new; a file that changed its layout is never read on.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Final

from indexer.config.profile import ColumnType, SourceProfile, is_ignored, list_used_columns
from indexer.errors import SourceError
from indexer.records.validation_messages import describe_shape
from indexer.sources.profile.dates import DateReader
from indexer.sources.profile.values import is_empty
from indexer.suggestions import find_closest_names

#: So many values of a column must be there before its type is compared.
_MIN_VALUES: Final = 10

#: A column whose name stands twice, by its place.
_NUMBERED: Final = re.compile(r".+ \([0-9]+\)")

#: A column without a name.
UNNAMED: Final = re.compile(r"\(column [0-9]+\)")

_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:[.,][0-9]+)?")

#: A date with a time to the tenth of a microsecond and a time zone is shorter.
MAX_DATE_LENGTH: Final = 40

_DATE_TEXT: Final = re.compile(
    r"[0-9]{1,4}([/.-])(?:[0-9]{1,2}|[A-Za-z]{3,9})\1[0-9]{1,4}"
    r"(?:[ T][0-9:.]+(?: ?(?:[AaPp][Mm]|Z|UTC|GMT|[+-][0-9:]{2,5}))?)?"
    r"|[0-9]{1,2} [A-Za-z]{3,9} [0-9]{2,4}(?: [0-9:]+)?"
)

_TYPE_WORDS: Final = {
    "text": "text",
    "number": "numbers",
    "date": "dates",
    "empty": "empty",
    "any": "of several types",
}


def find_cell_type(cell: Any) -> ColumnType:
    """The type of one cell. Text that is a number or a date counts as one."""
    if is_empty(cell) or cell == []:
        return "empty"
    if isinstance(cell, list):
        return find_column_type(Counter(map(find_cell_type, cell)))
    if isinstance(cell, str):
        text = cell.strip()
        is_number = _NUMBER.fullmatch(text) is not None
        is_date = len(text) < MAX_DATE_LENGTH and _DATE_TEXT.fullmatch(text) is not None
    else:
        is_number = isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)
        is_date = isinstance(cell, date | time | timedelta)
    return "number" if is_number else "date" if is_date else "text"


def find_column_type(counts: Counter[ColumnType]) -> ColumnType:
    """The type of a column by the types of its cells."""
    types = {kind for kind, count in counts.items() if count and kind != "empty"}
    if not types:
        return "empty"
    if len(types) == 1:
        return types.pop()
    return "text" if "text" in types else "any"


def check_header(location: str, header: Sequence[str], profile: SourceProfile) -> None:
    """Raise SourceError for a row of names that is not the one that the profile expects."""
    expected = list(profile.columns) or list_used_columns(profile)
    used = set(list_used_columns(profile))
    missing = [
        name
        for name in expected
        if name not in header
        and (name in used or not is_ignored(name, profile))
        and not UNNAMED.fullmatch(name)
    ]
    if len(missing) > len(expected) / 2:
        raise SourceError(
            f"{location}: is not the row of names that [source.profile] describes: it lacks "
            f"{len(missing)} of {len(expected)} columns, such as {_quote(missing[:3])}. Check "
            "header_row and the export."
        )
    new = [
        name
        for name in header
        if name not in expected and not is_ignored(name, profile) and not UNNAMED.fullmatch(name)
    ]
    if missing or new:
        raise _make_header_error(location, missing, new, list_absent_columns(header, profile))


def list_absent_columns(header: Sequence[str], profile: SourceProfile) -> list[str]:
    """The columns that the profile expects and nothing reads, and that are not there."""
    used = set(list_used_columns(profile))
    return [
        name
        for name in profile.columns
        if name not in header and name not in used and is_ignored(name, profile)
    ]


def _make_header_error(
    location: str, missing: list[str], new: list[str], absent: list[str]
) -> SourceError:
    parts = []
    for name in list(missing):
        if _NUMBERED.fullmatch(name):  # which one of that name is left, nothing tells
            continue
        candidates = find_closest_names(name, new, limit=1, min_similarity=60)
        if not candidates and len(missing) == len(new) == 1:
            candidates = new[:1]
        if candidates:
            parts.append(f'"{name}" is now "{candidates[0]}"')
            missing.remove(name)
            new.remove(candidates[0])
    if missing := [*missing, *absent]:
        parts.append(f"{_quote(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    if new:
        parts.append(f"{_quote(new)} {'is' if len(new) == 1 else 'are'} new")
    return SourceError(
        f"{location}: its columns are not those of [source.profile]: {'; '.join(parts)}. Export it "
        "as before; or, if the change is meant, correct the profile, or list what is new under "
        "ignore."
    )


def _quote(names: Iterable[str]) -> str:
    listing = [f'"{name[:60]}"' for name in names]
    more = f" and {len(listing) - 10} more" if len(listing) > 10 else ""
    return ", ".join(listing[:10]) + more


def check_types(
    location: str, header: Sequence[str], rows: Sequence[Sequence[Any]], profile: SourceProfile
) -> None:
    """Raise SourceError if the first rows of a column are all of another type than expected."""
    for index, name in enumerate(header):
        is_unnamed = UNNAMED.fullmatch(name) is not None
        expected = profile.columns.get(name, "empty" if is_unnamed else "any")
        if expected == "any" or is_ignored(name, profile):
            continue
        counts = Counter(find_cell_type(row[index]) for row in rows)
        filled = sum(counts.values()) - counts["empty"]
        least = 1 if expected == "empty" else _MIN_VALUES
        if filled >= least and not counts[expected] and not (expected == "text" and counts["any"]):
            actual = find_column_type(counts)
            if is_unnamed and expected == "empty":
                raise SourceError(
                    f"{location}: has a column without a name, {name}, that is not empty. Name it "
                    "in the file; or, if nothing in it is needed, add it to ignore in "
                    "[source.profile]."
                )
            raise SourceError(
                f'{location}: the column "{name}" was {_TYPE_WORDS[expected]} and is now '
                f"{_TYPE_WORDS[actual]}. Export it as before; or, if the change is meant, correct "
                "[source.profile.columns] and what is read from it."
            )
    _check_date_forms(location, header, rows, profile)


def _check_date_forms(
    location: str, header: Sequence[str], rows: Sequence[Sequence[Any]], profile: SourceProfile
) -> None:
    rule = profile.rules.get("recorded_on")
    if rule is None or rule.column is None or rule.column not in header:
        return
    reader = DateReader(rule.dates)
    index = list(header).index(rule.column)
    mapped = {key.casefold() for key in rule.values}
    cells = [
        row[index]
        for row in rows
        if not is_empty(row[index]) and str(row[index]).casefold() not in mapped
    ]
    if len(cells) >= _MIN_VALUES and not any(map(reader.read, cells)):
        raise SourceError(
            f'{location}: the column "{rule.column}" has dates of the form {reader.description} '
            f"by [source.profile.fields], and its first value is "
            f"{describe_shape(cells[0])}. Correct dates there; or, if the file has changed, export "
            "it as before."
        )
