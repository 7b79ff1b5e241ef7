"""Which records a code of a request counts where its class and its category differ. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from indexer.records.offences import OffenceTable, load_offence_table
from indexer.records.offences.facts import OffenceSubcode, load_code_facts

_MAX_CODES_SHOWN: Final = 12

_SOURCE: Final = "the list of April 2026"


class CodeReading(Struct, frozen=True):
    """Sub-codes by which two readings of a code differ. ``counted`` says whether the request counts
    them; ``records`` is how many have one of them, None where nobody counted."""

    code: str
    subcodes: tuple[str, ...]
    counted: bool
    words: str
    records: int | None = None

    @property
    def sentence(self) -> str:
        """The reading, with its records."""
        if self.records is None:
            return self.words
        number = "1 record" if self.records == 1 else f"{self.records:,} records"
        return f"{self.words} {number} of this request's period {_have(self.records)} one of them."


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def find_class_readings(codes: Sequence[str]) -> tuple[CodeReading, ...]:
    """The readings that differ, of each code of a request."""
    table = load_offence_table()
    if table.scheme == "own":
        return ()
    return tuple(
        reading
        for code in dict.fromkeys(codes)
        for reading in _list_readings(code, codes, table)
        if reading.subcodes
    )


def _list_readings(code: str, codes: Sequence[str], table: OffenceTable) -> Iterator[CodeReading]:
    if code not in {row.code for row in load_code_facts().classes}:
        return
    members = [
        subcode
        for subcode in load_code_facts().subcodes
        if code in subcode.classes and set(codes).isdisjoint(table.path(subcode.code))
    ]
    of_one = _name_codes(subcode for subcode in members if len(subcode.classes) == 1)
    yield CodeReading(
        code,
        of_one,
        counted=False,
        words=f"Class {code} in {_SOURCE} also has {_list_some(of_one)}, which {code} does not "
        f"count here. To count the class, add them.",
    )
    of_several = _name_codes(subcode for subcode in members if len(subcode.classes) > 1)
    yield CodeReading(
        code,
        of_several,
        counted=False,
        words=f"{_list_some(of_several)} may be of class {code} or of another: the code alone does "
        f"not say, so {code} does not count them.",
    )
    if code.isdigit():
        others = _name_codes(
            subcode
            for subcode in load_code_facts().subcodes
            if subcode.category == code and subcode.classes and code not in subcode.classes
        )
        yield CodeReading(
            code,
            others,
            counted=True,
            words=f"{code} counts category {code}, with {_list_some(others)}, which {_SOURCE} has "
            f"in other classes. To count the class, list its sub-codes.",
        )


def _name_codes(subcodes: Iterator[OffenceSubcode]) -> tuple[str, ...]:
    return tuple(subcode.code for subcode in subcodes)


def _list_some(codes: Sequence[str]) -> str:
    surplus = len(codes) - _MAX_CODES_SHOWN
    listed = ", ".join(codes[:_MAX_CODES_SHOWN])
    return f"{listed} and {surplus} more" if surplus > 0 else listed
