"""What the tables in ``mappings/`` say of the Home Office's codes, as typed records.

Nothing is read until it is needed.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeVar, get_args

from indexer.errors import ConfigurationError
from indexer.records.offences.validity import DAY_STATUSES, DayStatus, Validity
from indexer.resources import find_data_folder

#: What a word of the public is: a class, some sub-codes of one, several places, an outcome, a
#: marker across classes, fraud that forces do not record, or nothing that a code holds.
NameKind = Literal["class", "subcode", "mixed", "outcome", "flag", "fraud", "none"]

_NAME_KINDS: Final = frozenset(get_args(NameKind))

_Row = TypeVar("_Row")


class OffenceClass(NamedTuple):
    """A statistical class under one title; a class that was renamed has one record a title.

    ``replaced_by`` and ``split_from`` are the codes after and before it; ``seen_in`` names the
    lists that it was seen in, oldest first.
    """

    code: str
    title: str
    group: str
    subgroup: str
    validity: Validity
    replaced_by: tuple[str, ...]
    split_from: tuple[str, ...]
    seen_in: tuple[str, ...]


class OffenceSubcode(NamedTuple):
    """A category with a sub-code. ``classes`` are its classes in the list of April 2026: one of
    several applies where the code alone does not decide. ``list_title`` is the title in that list,
    where it differs; ``lists`` are the years of the lists of recorded crime that have the code, and
    ``added`` the edition that added it."""

    code: str
    classes: tuple[str, ...]
    main_class: str
    title: str
    list_title: str
    group: str
    lists: tuple[str, ...]
    added: str
    validity: Validity

    @property
    def category(self) -> str:
        """Its category: "86" of 86/2."""
        return self.code.partition("/")[0]


class CommonName(NamedTuple):
    """Words of the public, and the codes that hold what they mean. For a flag and for nothing, the
    codes are those where such records mostly are."""

    name: str
    kind: NameKind
    classes: tuple[str, ...]
    subcodes: tuple[str, ...]
    since: date | None
    certainty: str


class CodeChange(NamedTuple):
    """A change that a count over time can cross, on its first day. Counts of ``codes`` before and
    after are not alike. ``joined`` are the codes that have to be counted together to make them so;
    without any, nothing does. ``effect`` says in words what happened."""

    day: date
    status: DayStatus
    codes: tuple[str, ...]
    joined: tuple[str, ...]
    effect: str


class CodeFacts(NamedTuple):
    """The classes and the sub-codes."""

    classes: tuple[OffenceClass, ...]
    subcodes: tuple[OffenceSubcode, ...]


@cache
def load_code_facts(folder: Path | None = None) -> CodeFacts:
    """The tables of codes. Raises ConfigurationError, with file and line, if one is wrong."""
    folder = folder or find_data_folder("mappings")
    return CodeFacts(
        _read_records(folder / "offence_classes.tsv", 11, _parse_class),
        _read_records(folder / "offence_subcodes.tsv", 11, _parse_subcode),
    )


@cache
def load_common_names(folder: Path | None = None) -> tuple[CommonName, ...]:
    """The words of the public. Raises ConfigurationError, with file and line, if one is wrong."""
    folder = folder or find_data_folder("mappings")
    return _read_records(folder / "offence_names.tsv", 6, _parse_name)


@cache
def load_code_changes(folder: Path | None = None) -> tuple[CodeChange, ...]:
    """The changes, oldest first. Raises ConfigurationError, with file and line, if one is wrong."""
    folder = folder or find_data_folder("mappings")
    return _read_records(folder / "offence_changes.tsv", 6, _parse_change)


def _read_records(path: Path, columns: int, parse: Callable[[list[str]], _Row]) -> tuple[_Row, ...]:
    records = []
    for number, row in _number_tsv_rows(path, columns):
        try:
            records.append(parse(row))
        except ValueError as error:
            raise ConfigurationError(f"{path.name}:{number}: {error}. Correct the line.") from None
    return tuple(records)


def _parse_class(row: list[str]) -> OffenceClass:
    code, title, group, subgroup, *days, replaced_by, split_from, seen_in = row
    return OffenceClass(
        code,
        title,
        group,
        subgroup,
        _parse_validity(*days),
        _split_codes(replaced_by),
        _split_codes(split_from),
        tuple(seen_in.split()),
    )


def _parse_subcode(row: list[str]) -> OffenceSubcode:
    code, classes, title, list_title, group, lists, added, *days = row
    marked = _split_codes(classes)
    certain = [text for text in marked if text.endswith("*") or len(marked) == 1]
    return OffenceSubcode(
        code,
        tuple(text.rstrip("*?") for text in marked),
        certain[0].rstrip("*") if certain and not certain[0].endswith("?") else "",
        title,
        list_title or title,
        group,
        tuple(f"20{year}" for year in lists.split()),
        added,
        _parse_validity(*days),
    )


def _parse_name(row: list[str]) -> CommonName:
    name, kind, classes, subcodes, since, certainty = row
    if kind not in _NAME_KINDS:
        raise ValueError(f'"{kind}" is not a kind of name')
    return CommonName(
        name,
        kind,  # type: ignore[arg-type]
        _split_codes(classes),
        _split_codes(subcodes),
        date.fromisoformat(since) if since else None,
        certainty,
    )


def _parse_change(row: list[str]) -> CodeChange:
    day, status, kind, codes, joined, effect = row
    if kind != ("join" if joined else "break"):
        raise ValueError(f'the kind "{kind}" does not agree with the codes to join')
    return CodeChange(
        date.fromisoformat(day),
        _check_status(status),
        _split_codes(codes),
        _split_codes(joined),
        effect,
    )


@lru_cache(1_000)
def _parse_validity(*days: str) -> Validity:
    start, start_status, end, end_status = days
    return Validity(
        date.fromisoformat(start) if start else None,
        _check_status(start_status),
        date.fromisoformat(end) if end else None,
        _check_status(end_status),
    )


def _check_status(text: str) -> DayStatus:
    if text not in DAY_STATUSES:
        raise ValueError(f'"{text}" does not say how far a day is known')
    return text  # type: ignore[return-value]


def _split_codes(text: str) -> tuple[str, ...]:
    return tuple(text.split(";")) if text else ()


def read_tsv_rows(path: Path, columns: int) -> list[list[str]]:
    """The rows of a tab-separated file, without its heading.

    Raises ConfigurationError, with file and line.
    """
    return [row for _, row in _number_tsv_rows(path, columns)]


def _number_tsv_rows(path: Path, columns: int) -> list[tuple[int, list[str]]]:
    """The rows, each with the number of its line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(
            f"{path.name}: cannot be read ({error.strerror}). Install foidex again."
        ) from error
    body_rows = []
    table = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = True
    for number, row in enumerate(table, start=1):
        if not row or row[0].startswith("#"):
            continue
        if len(row) != columns:
            raise ConfigurationError(
                f"{path.name}:{number}: has {len(row)} columns, not {columns}. Correct the line."
            )
        if header:
            header = False
        else:
            body_rows.append((number, row))
    return body_rows
