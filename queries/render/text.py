"""Plain text laid out on a page of 78 columns: paragraphs and tables. Pure."""

from __future__ import annotations

import textwrap
from typing import Final

from queries.answer import Row, Table
from queries.render.phrases import number

WIDTH: Final = 78
_LABEL_WIDTH: Final = 44


def wrapped(text: str, indent: int = 0) -> str:
    """The text in lines of the page's width."""
    lead = " " * indent
    return textwrap.fill(" ".join(text.split()), WIDTH, initial_indent=lead, subsequent_indent=lead)


def text_table(table: Table) -> str:
    """A table of aligned columns; long labels take several lines."""
    rows = [*table.rows, table.total]
    figures = [[number(count) for count in row.counts] for row in rows]
    heads = [column.label for column in table.columns]
    widths = [max(len(text) for text in column) for column in zip(heads, *figures, strict=True)]
    labels = [_label(row) for row in rows]
    room = WIDTH - sum(widths) - 2 * len(widths)
    width = max(12, min(max(map(len, (*labels, table.heading))), room, _LABEL_WIDTH))
    line = "-" * (width + sum(widths) + 2 * len(widths))
    body = [
        _line(label, cells, width, widths) for label, cells in zip(labels, figures, strict=True)
    ]
    return "\n".join([_line(table.heading, heads, width, widths), line, *body[:-1], line, body[-1]])


def _label(row: Row) -> str:
    return f"{row.label} ({', '.join(row.codes)})" if row.codes else row.label


def _line(label: str, cells: list[str], width: int, widths: list[int]) -> str:
    *first, last = textwrap.wrap(label, width) or [""]
    figures = "".join(f"  {cell:>{wide}}" for cell, wide in zip(cells, widths, strict=True))
    return "\n".join([*first, f"{last:<{width}}{figures}".rstrip()])
