"""Text of a template as sections, paragraphs and items of a list. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

#: A section of at most so many paragraphs and items is kept on one page.
_SHORT_SECTION: Final = 8


class TextBlock(Struct, frozen=True):
    """A paragraph, or an item of a list."""

    text: str
    item: bool


class TextSection(Struct, frozen=True):
    """A heading, then paragraphs and items in their order."""

    heading: str
    blocks: tuple[TextBlock, ...]

    @property
    def short(self) -> bool:
        """Whether it is kept on one page."""
        return len(self.blocks) <= _SHORT_SECTION


def parse_text_sections(text: str) -> Iterator[TextSection]:
    """The sections of a text: "# " starts one, "- " an item; every other line is a paragraph."""
    heading, blocks = "", list[TextBlock]()
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if line.startswith("# "):
            if blocks:
                yield TextSection(heading, tuple(blocks))
            heading, blocks = line[2:], []
        elif line:
            blocks.append(TextBlock(line.removeprefix("- "), item=line.startswith("- ")))
    if blocks:
        yield TextSection(heading, tuple(blocks))


def parse_text_blocks(text: str) -> tuple[TextBlock, ...]:
    """The paragraphs and items of a text without headings."""
    return tuple(block for section in parse_text_sections(text) for block in section.blocks)
