"""The blocks of a mail as lines in plain text, each with its number apart from its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from queries.drafting.letter_text import BlockKind, LetterBlock
from queries.drafting.phrases.plain_text import hide_phone_numbers, plain_text
from queries.drafting.structure.labels import Label, read_label, split_inline, split_label

#: A run of characters that no rule needs whole, such as an encoded picture.
_LONG_WORD: Final = re.compile(r"(\S{200})\S+")

_BULLET: Final = re.compile(r"[*\u2022\u25cf\u25aa\u2043\u00b7o>-]\s+(?=\S)")


class LetterLine(Struct, frozen=True):
    """A line: its words, its number if it has one, and what kind of block it comes from.

    ``level`` counts from 0 how deep an item is.
    """

    text: str
    label: Label | None = None
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0

    @property
    def is_bullet(self) -> bool:
        """Whether it is an item without a number."""
        return self.label is None and self.kind in (BlockKind.ITEM, BlockKind.ROW)


def read_lines(blocks: Iterable[LetterBlock]) -> list[LetterLine]:
    """The lines of some blocks in order; parts that stand in one block become lines of their own."""
    return [line for block in blocks for line in _split_block(block)]


def _split_block(block: LetterBlock) -> Iterator[LetterLine]:
    text = plain_text(
        block.text.replace("\t", "   ") if block.kind != BlockKind.ROW else block.text
    )
    text = hide_phone_numbers(_LONG_WORD.sub(r"\1...", text))
    label = read_label(plain_text(block.number)) if block.number else None
    kind = block.kind
    if label is None and (bullet := _BULLET.match(text)) and kind != BlockKind.HEADING:
        text, kind = text[bullet.end() :], BlockKind.ITEM
    if label is None:
        label, text = split_label(text)
    while label is not None:
        inner, rest = split_label(text)
        if inner is None or not rest:
            break
        yield LetterLine("", label, kind, block.level)
        label, text = inner, rest
    stem, parts = split_inline(text)
    yield LetterLine(stem, label, kind, block.level)
    for part_label, part_text in parts:
        yield LetterLine(part_text, part_label, BlockKind.ITEM, block.level + 1)
