"""A part of a letter, before anything of it is understood."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace


class LetterPart(Struct, frozen=True):
    """A part by its number ("4a"): its own words, those above it that lead to it, and the list
    below it.
    """

    number: str
    text: str
    stem: str = ""
    items: tuple[str, ...] = ()

    @property
    def whole_text(self) -> str:
        """What leads to it, and its own words."""
        return f"{self.stem}\n{self.text}".strip()

    @property
    def quotation(self) -> str:
        """Its words with its list, as they are quoted in a request file."""
        return "\n".join(filter(None, (self.whole_text, *self.items)))


def number_apart(parts: Iterable[LetterPart]) -> tuple[LetterPart, ...]:
    """The parts, each with a number of its own: a letter may number two parts alike."""
    numbers: set[str] = set()
    distinct = []
    for part in parts:
        number, count = part.number, 1
        while number in numbers:
            count += 1
            number = f"{part.number}-{count}"
        numbers.add(number)
        distinct.append(replace(part, number=number))
    return tuple(distinct)
