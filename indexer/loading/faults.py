"""Counts rejected records by the kind of their fault, with the first examples of each.

Neither a kind nor an example ever holds a value of a record.
"""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from indexer.errors import SourceError

_MAX_KINDS: Final = 100

_MAX_EXAMPLES: Final = 3

_SHOWN_KINDS: Final = 20

_OTHER_KIND: Final = "other faults"


class RejectedKind(Struct, frozen=True):
    """The records rejected for one kind of fault.

    ``places`` are where the first of them are, and ``examples`` the same with the whole reason.
    """

    kind: str
    records: int
    places: tuple[str, ...]
    examples: tuple[str, ...]


class RejectedRecordsError(SourceError):
    """More records were rejected than may be; ``kinds`` counts them by their fault."""

    def __init__(self, text: str, kinds: tuple[RejectedKind, ...]) -> None:
        super().__init__(text)
        self.kinds = kinds


class _Fault(Struct):
    records: int = 0
    places: list[str] = []
    examples: list[str] = []


class FaultTally(Struct):
    """The rejected records by kind of fault. After 100 kinds, new ones are counted together."""

    faults: dict[str, _Fault] = msgspec.field(default_factory=dict)

    def add(self, kind: str, example: str, place: str) -> None:
        """Count a record at a place; ``example`` is its place and reason."""
        if kind not in self.faults and len(self.faults) >= _MAX_KINDS:
            kind = _OTHER_KIND
        fault = self.faults.setdefault(kind, _Fault())
        fault.records += 1
        if len(fault.places) < _MAX_EXAMPLES:
            fault.places.append(place)
            fault.examples.append(example)

    def list_kinds(self) -> tuple[RejectedKind, ...]:
        """Every kind, the most frequent first; equal ones in the order in which they occurred."""
        return tuple(
            RejectedKind(kind, fault.records, tuple(fault.places), tuple(fault.examples))
            for kind, fault in sorted(self.faults.items(), key=lambda item: -item[1].records)
        )


def list_kinds(kinds: tuple[RejectedKind, ...]) -> list[str]:
    """The kinds of fault in lines for a person, each with its number and the first places."""
    lines = [
        f"{describe_records(kind.records)}: {kind.kind}; first: {', '.join(kind.places)}"
        for kind in kinds[:_SHOWN_KINDS]
    ]
    rest = kinds[_SHOWN_KINDS:]
    if rest:
        number = sum(kind.records for kind in rest)
        lines.append(f"{describe_records(number)}: {len(rest):,} more kinds")
    return lines


def describe_records(number: int) -> str:
    """A number of records with its noun: "1 record", "2,000 records"."""
    return f"{number:,} record{'' if number == 1 else 's'}"
