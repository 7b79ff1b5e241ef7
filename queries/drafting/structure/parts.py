"""A part of a letter, before anything of it is understood."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

#: The number of a part as a sentence writes it: "4", "4a", "4(a)", "1.2", "(c)", "iv".
PART_NUMBER: Final = r"(?:\(?(?:\d{1,2}(?:\.\d{1,2})*(?:\s?\([a-z]{1,4}\)|\.?[a-z]\b|\.?[ivx]{1,4}\b)?|[ivx]{1,4}\b|[a-z]\b)\)?)"

_NUMBER: Final = re.compile(PART_NUMBER, re.IGNORECASE)


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


def list_written_numbers(text: str) -> list[str]:
    """The numbers of a list such as "1(b), 3 and c", each as a draft has it: "1b", "3", "c"."""
    joined = re.sub(r"\b(?:and|or|to|questions?|parts?|q)\b", ",", text.casefold())
    return [fold_number(match[0]) for match in _NUMBER.finditer(joined)]


def fold_number(number: str) -> str:
    """A number of a part without brackets and spaces: "1b" for "1 (b)"."""
    return re.sub(r"[\s()]|\.(?!\d)", "", number.casefold())
