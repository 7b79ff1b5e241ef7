"""Plain text laid out on a page of 78 columns: paragraphs and tables. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

from queries.answer.types import Table
from queries.layout.table_parts import TablePart, fit_label_widths, split_table

PAGE_WIDTH: Final = 78

_MAX_LABEL_WIDTH: Final = 44

_MIN_LABEL_WIDTH: Final = 24

_HEAD_WIDTH: Final = 18


def wrap_paragraph(text: str, indent: int = 0) -> str:
    """The text in lines of the page's width."""
    lead = " " * indent
    return textwrap.fill(
        " ".join(text.split()),
        PAGE_WIDTH,
        initial_indent=lead,
        subsequent_indent=lead,
        break_on_hyphens=False,  # what is asked for is not to be broken where a variant is
    )


def _wrap_label(label: str, width: int) -> list[str]:
    return textwrap.wrap(label, width, break_on_hyphens=False) or [""]


def align_rows(rows: Iterable[Sequence[str]], formats: Sequence[str]) -> list[str]:
    """Rows as lines of aligned columns, two spaces apart.

    Each column has a format such as "<44" or ">9". A cell of the first column that is too long is
    cut short with "...".
    """
    return ["  ".join(_align_cells(row, formats)) for row in rows]


def _align_cells(row: Sequence[str], formats: Sequence[str]) -> list[str]:
    label_width = int(formats[0][1:])
    label = row[0] if len(row[0]) <= label_width else f"{row[0][: label_width - 3]}..."
    return [format(cell, spec) for cell, spec in zip((label, *row[1:]), formats, strict=True)]


def format_text_table(table: Table) -> str:
    """A table of aligned columns. Long labels take several lines, a wide table several parts."""
    return "\n\n".join(map(_format_table_part, split_table(table, PAGE_WIDTH - _MIN_LABEL_WIDTH)))


def _format_table_part(part: TablePart) -> str:
    longest = max(len(name) for name in (part.heading, *(line.name for line in part.lines)))
    heads, widths = _fit_heads(part, PAGE_WIDTH - max(12, min(longest, _MIN_LABEL_WIDTH)))
    figures = sum(widths) + 2 * len(widths)
    if part.field_heads:
        return _format_list_part(part, heads, widths)
    width = max(12, min(longest, PAGE_WIDTH - figures, _MAX_LABEL_WIDTH))
    rule = "-" * (width + figures)
    body = [_format_table_line(line.name, line.cells, width, widths) for line in part.lines]
    rows = [rule, *body[:-1], rule, body[-1]] if body[1:] else [rule, *body]
    return "\n".join([*_format_table_head(part.heading, heads, width, widths), *rows])


def _fit_heads(part: TablePart, room: int) -> tuple[list[list[str]], list[int]]:
    """The lines of each head, and the width of each column: as wide as the room lets them be."""
    for head_width in range(_HEAD_WIDTH, 1, -1):
        heads, widths = _lay_out_columns(part, head_width)
        if sum(widths) + 2 * len(widths) <= room:
            return heads, widths
    return _lay_out_columns(part, 1)


def _format_list_part(part: TablePart, heads: list[list[str]], widths: list[int]) -> str:
    """A list, with a column for each field; a number is on the last line of its row."""
    figures = sum(widths) + 2 * len(widths)
    gaps = 2 * (len(part.field_heads) - 1)
    needs = [width - 2 for width in part.label_widths]
    room = min(sum(needs), PAGE_WIDTH - figures - gaps)
    label_widths = fit_label_widths(needs, room)
    rule = "-" * (sum(label_widths) + gaps + figures)
    *body, total = (
        _format_list_line(line.labels, [[cell] for cell in line.cells], label_widths, widths)
        for line in part.lines
    )
    head = _format_list_line(part.field_heads, heads, label_widths, widths)
    end = "  ".join(
        [
            part.total.label.ljust(sum(label_widths) + gaps),
            *(f"{cell:>{width}}" for cell, width in zip(part.total.cells, widths, strict=True)),
        ]
    )
    if len(part.total.label) > sum(label_widths) + gaps:
        end = total
    return "\n".join([head, rule, *body, *([rule] if body else []), end])


def _format_list_line(
    labels: Sequence[str],
    cells: list[list[str]],
    label_widths: list[int],
    widths: list[int],
) -> str:
    columns = [_wrap_words(label, width) for label, width in zip(labels, label_widths, strict=True)]
    height = max(map(len, (*columns, *cells)))
    columns = [column + [""] * (height - len(column)) for column in columns]
    numbers = [[""] * (height - len(column)) + column for column in cells]
    lines = zip(*columns, *numbers, strict=True)
    formats = [f"<{width}" for width in label_widths] + [f">{width}" for width in widths]
    return "\n".join(
        "  ".join(format(cell, spec) for cell, spec in zip(line, formats, strict=True)).rstrip()
        for line in lines
    )


def _wrap_words(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(1, width), break_on_hyphens=False) or [""]


def _lay_out_columns(part: TablePart, width: int) -> tuple[list[list[str]], list[int]]:
    """The heads, wrapped to ``width`` or to their longest word, and the width of each column."""
    heads, widths = [], []
    for index, head in enumerate(part.heads):
        longest = min(max(map(len, head.split()), default=1), _HEAD_WIDTH)
        heads.append(textwrap.wrap(head, max(width, longest)) or [""])
        cells = (line.cells[index] for line in part.lines)
        widths.append(max(map(len, (*heads[-1], *cells))))
    return heads, widths


def _format_table_head(
    heading: str, heads: list[list[str]], width: int, widths: list[int]
) -> list[str]:
    """The lines of the head; a short one is on the last line."""
    labels = _wrap_label(heading, width)
    height = max(map(len, (labels, *heads)))
    columns = [[""] * (height - len(column)) + column for column in (labels, *heads)]
    return [
        _format_table_line(label, cells, width, widths)
        for label, *cells in zip(*columns, strict=True)
    ]


def _format_table_line(
    label: str, cells: list[str] | tuple[str, ...], width: int, widths: list[int]
) -> str:
    *first, last = _wrap_label(label, width)
    figures = "".join(
        f"  {cell:>{column_width}}" for cell, column_width in zip(cells, widths, strict=True)
    )
    return "\n".join([*first, f"{last:<{width}}{figures}".rstrip()])
