"""A part of a letter, before anything of it is understood."""

from __future__ import annotations

from msgspec import Struct


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
