"""Finds the length at which an export cut texts off.

A column of a database holds so many characters, and a cell of Excel 32,767: what is longer ends
there, in the middle of a sentence. No single text shows that; many of just one length do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple
from zlib import crc32

from msgspec import Struct, field

#: A shorter text is a note, and many notes are of one length.
SHORTEST_CUT: Final = 200

#: The most characters of a cell of Excel.
EXCEL_CELL: Final = 32_767

#: What columns of databases hold. Texts of another length may be a form that is filled in, unless
#: none is longer.
_COLUMN_LENGTHS: Final = frozenset(
    {255, 256, 500, 512, 1000, 1024, 2000, 2048, 3000, 4000, 4096, 5000, 8000, 8192, 10_000, 16_384,
     32_000, 32_766, EXCEL_CELL, 32_768, 65_535, 65_536}
)  # fmt: skip

_SENTENCE_ENDS: Final = (*".!?:", "")

_MIN_TEXTS: Final = 8

_END_LENGTH: Final = 40

_NEIGHBOURS: Final = 20

_TIMES_NEIGHBOURS: Final = 10


class CutTexts(Struct, frozen=True):
    """How many texts were cut off at a length, in characters."""

    length: int
    texts: int


class TextEnd(NamedTuple):
    """Where a text ends in the middle of a sentence: its length, in characters, and a checksum of
    its last words, by which a standard text is known that many records have."""

    length: int
    checksum: int


class TextEnds(NamedTuple):
    """The ends of texts in the middle of a sentence, and the length of the longest of all texts.
    Short texts do not count."""

    ends: tuple[TextEnd, ...] = ()
    longest: int = 0


NO_ENDS: Final = TextEnds()


def is_cut(text: str, addition: str) -> bool:
    """Whether a text ends in the middle of a sentence that its addition goes on with: it has no
    full stop, and the addition begins with a small letter."""
    ending, beginning = text.rstrip()[-1:], addition.lstrip()[:1]
    return ending not in _SENTENCE_ENDS and beginning.islower()


def find_ends(texts: Iterable[str]) -> TextEnds:
    """The ends of texts, as their source gave them."""
    long_texts = [text for text in texts if len(text) >= SHORTEST_CUT]
    if not long_texts:
        return NO_ENDS
    ends = tuple(
        TextEnd(len(text), crc32(text[-_END_LENGTH:].encode("utf-8", "replace")))
        for text in long_texts
        if text[-1].isalnum() or text[-1] == ","
    )
    return TextEnds(ends, max(map(len, long_texts)))


class CutTally(Struct):
    """Counts texts that end in the middle of a sentence by their length, in characters.
    ``longest`` is the length of the longest of all texts, ``checksums`` has the first few different
    ends of each length."""

    lengths: Counter[int] = field(default_factory=Counter)
    longest: int = 0
    checksums: dict[int, set[int]] = field(default_factory=dict)

    def add(self, texts: TextEnds) -> None:
        """Count the texts of a record."""
        self.longest = max(self.longest, texts.longest)
        for end in texts.ends:
            self.lengths[end.length] += 1
            self._add_checksums(end.length, (end.checksum,))

    def merge(self, other: CutTally) -> None:
        """Add what another tally counted."""
        self.lengths.update(other.lengths)
        self.longest = max(self.longest, other.longest)
        for length, checksums in other.checksums.items():
            self._add_checksums(length, checksums)

    def _add_checksums(self, length: int, checksums: Iterable[int]) -> None:
        first = self.checksums.setdefault(length, set())
        if len(first) < _MIN_TEXTS:
            first.update(checksums)

    def find_limits(self) -> tuple[CutTexts, ...]:
        """The texts that were cut, by their length."""
        lengths = sorted(filter(self._is_cut, self.lengths))
        return tuple(CutTexts(length, self.lengths[length]) for length in lengths)

    def _is_cut(self, length: int) -> bool:
        if length == EXCEL_CELL:
            return True
        count = self.lengths[length]
        if len(self.checksums[length]) < _MIN_TEXTS or (
            length != self.longest and length not in _COLUMN_LENGTHS
        ):
            return False
        neighbours = range(length - _NEIGHBOURS, length + _NEIGHBOURS + 1)
        total = sum(self.lengths[neighbour] for neighbour in neighbours) - count
        return count * 2 * _NEIGHBOURS >= total * _TIMES_NEIGHBOURS
