"""Plain text laid out on a page of 78 columns: paragraphs and tables. Pure."""

from __future__ import annotations

import textwrap
from typing import Final

from queries.answer import Table
from queries.render import tables
from queries.render.tables import Part

WIDTH: Final = 78
_LABEL_WIDTH: Final = 44
_LEAST_LABEL: Final = 24
_HEAD_WIDTH: Final = 18


def wrapped(text: str, indent: int = 0) -> str:
    """The text in lines of the page's width."""
    lead = " " * indent
    return textwrap.fill(
        " ".join(text.split()),
        WIDTH,
        initial_indent=lead,
        subsequent_indent=lead,
        break_on_hyphens=False,  # what is asked for is not to be broken where a variant is
    )


def _wrapped(label: str, width: int) -> list[str]:
    return textwrap.wrap(label, width, break_on_hyphens=False) or [""]


def text_table(table: Table) -> str:
    """A table of aligned columns. Long labels take several lines, a wide table several parts."""
    return "\n\n".join(map(_part, tables.parts(table, WIDTH - _LEAST_LABEL)))


def _part(part: Part) -> str:
    heads, widths = _columns(part, _HEAD_WIDTH)
    if sum(widths) + 2 * len(widths) > WIDTH - _LEAST_LABEL:
        heads, widths = _columns(part, 1)
    figures = sum(widths) + 2 * len(widths)
    longest = max(len(name) for name in (part.heading, *(line.name for line in part.lines)))
    width = max(12, min(longest, WIDTH - figures, _LABEL_WIDTH))
    rule = "-" * (width + figures)
    body = [_line(line.name, line.cells, width, widths) for line in part.lines]
    return "\n".join([*_head(part.heading, heads, width, widths), rule, *body[:-1], rule, body[-1]])


def _columns(part: Part, width: int) -> tuple[list[list[str]], list[int]]:
    """The heads in lines of the width, or of their longest word, and each column's width."""
    heads, widths = [], []
    for place, head in enumerate(part.heads):
        longest = min(max(map(len, head.split()), default=1), _HEAD_WIDTH)
        heads.append(textwrap.wrap(head, max(width, longest)) or [""])
        cells = (line.cells[place] for line in part.lines)
        widths.append(max(map(len, (*heads[-1], *cells))))
    return heads, widths


def _head(heading: str, heads: list[list[str]], width: int, widths: list[int]) -> list[str]:
    """The lines of the head; what is short stands on the last."""
    labels = _wrapped(heading, width)
    height = max(map(len, (labels, *heads)))
    columns = [[""] * (height - len(column)) + column for column in (labels, *heads)]
    return [_line(label, cells, width, widths) for label, *cells in zip(*columns, strict=True)]


def _line(label: str, cells: list[str] | tuple[str, ...], width: int, widths: list[int]) -> str:
    *first, last = _wrapped(label, width)
    figures = "".join(f"  {cell:>{wide}}" for cell, wide in zip(cells, widths, strict=True))
    return "\n".join([*first, f"{last:<{width}}{figures}".rstrip()])
