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


#: What a column of questions is called.
_COLUMN_NAME: Final = re.compile(
    r"(?:no|nos|number|numbers|ref|reference|item|part|#|q|(?:the )?(?:questions?|requests?|details?|description|information)"
    r"(?: (?:no|number|requested|required|wanted|asked|text))?)\W*|\W*",
    re.IGNORECASE,
)


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
    return [line for block in blocks if not _is_header_row(block) for line in _split_block(block)]


def _is_header_row(block: LetterBlock) -> bool:
    """Whether a row of a table only says what is in its columns."""
    cells = block.text.split("\t")
    return (
        block.kind == BlockKind.ROW
        and len(cells) > 1
        and all(_COLUMN_NAME.fullmatch(cell.strip()) or not cell.strip() for cell in cells)
    )


def _split_block(block: LetterBlock) -> Iterator[LetterLine]:
    text = plain_text(
        block.text.replace("\t", "   ") if block.kind != BlockKind.ROW else block.text
    )
    text = hide_phone_numbers(_LONG_WORD.sub(r"\1...", text))
    label = read_label(plain_text(block.number)) if block.number else None
    kind = block.kind
    stem, parts = split_inline(f"{block.number or ''} {text}".strip())
    if parts and not stem:  # "1) ...; 2) ..." in one paragraph
        for part_label, part_text in parts:
            yield from _split_inner(part_text, part_label, BlockKind.ITEM, block.level)
        return
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
    yield from _split_inner(text, label, kind, block.level)


def _split_inner(
    text: str, label: Label | None, kind: BlockKind, level: int
) -> Iterator[LetterLine]:
    """A line, and behind it the parts that stand in it."""
    stem, parts = split_inline(text)
    yield LetterLine(stem, label, kind, level)
    for part_label, part_text in parts:
        yield LetterLine(part_text, part_label, BlockKind.ITEM, level + 1)
