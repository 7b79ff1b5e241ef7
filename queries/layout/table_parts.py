"""Tables as documents print them: cells as text, and wide tables in parts that fit a page. Pure.

A part has all columns of a period if they fit, and else each number with its share. Widths are in
characters, the best measure there is before a font is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from math import ceil, sqrt
from operator import attrgetter
from typing import Final, Literal

import msgspec
from msgspec import Struct

from queries.answer.types import Table
from queries.layout.csv_text import list_label_heads, list_row_names
from queries.layout.printed_table import PrintedColumn, list_printed_columns

#: The room, in characters, for figures beside labels of LABEL_ROOM characters on A4, portrait and
#: landscape.
PORTRAIT_ROOM: Final = 54

LANDSCAPE_ROOM: Final = 104

LABEL_ROOM: Final = 34

#: A longer heading word is broken.
LONGEST_WORD: Final = 18

#: A table of at most so many lines below its heads, half a page, is kept on one page. A longer one
#: begins where there is room for some rows, and its heads stand on each of its pages.
WHOLE_LINES: Final = 20

#: How much of a line a further line of the same row takes: it has no rule and no space of its own.
MORE_LINES: Final = 0.75

_COLUMN_GAP: Final = 2


class PartLine(Struct, frozen=True):
    """A row: its label, its codes as text, its cells; ``total`` marks the last. ``fields`` are the
    values of a row of a list, which has a column for each."""

    label: str
    codes: str
    cells: tuple[str, ...]
    total: bool = False
    fields: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The cells before the figures."""
        return self.fields or (self.name,)

    @property
    def name(self) -> str:
        """The label with its codes."""
        return f"{self.label} ({self.codes})" if self.codes else self.label


class TablePart(Struct, frozen=True):
    """Some columns of a table, with every row. ``first`` and ``last`` number the columns from 1;
    ``shares`` are the relative widths of the columns on a portrait page, the labels first, as one
    column. A list has a column for each of its fields instead, under ``field_heads``;
    ``column_shares`` are the widths of all columns then.
    """

    heading: str
    heads: tuple[str, ...]
    lines: tuple[PartLine, ...]
    first: int
    last: int
    shares: tuple[int, ...]
    field_heads: tuple[str, ...] = ()

    @property
    def label_heads(self) -> tuple[str, ...]:
        """The heads of the columns before the figures."""
        return self.field_heads or (self.heading,)

    @property
    def column_shares(self) -> tuple[int, ...]:
        """The relative widths of all columns, those of the labels first."""
        figures = self.shares[1:]
        return (
            *fit_label_widths(self.label_widths, LABEL_ROOM + PORTRAIT_ROOM - sum(figures)),
            *figures,
        )

    @property
    def label_widths(self) -> list[int]:
        """What each column of labels needs to print each cell in one line, in characters; the row
        of the total may take several."""
        rows = (self.label_heads, *(line.labels for line in self.body))
        return [_COLUMN_GAP + max(map(len, column)) for column in zip(*rows, strict=True)]

    @property
    def body(self) -> tuple[PartLine, ...]:
        """The rows before the total."""
        return self.lines[:-1]

    @property
    def total(self) -> PartLine:
        """The last row."""
        return self.lines[-1]

    @property
    def whole(self) -> bool:
        """Whether it is short enough that no page may cut it."""
        widths = self.column_shares if self.field_heads else self.shares
        return is_kept_whole(
            max(
                ceil(len(text) / max(width, 1))
                for text, width in zip(line.labels, widths, strict=False)
            )
            for line in self.lines
        )

    @property
    def crowded(self) -> bool:
        """Whether the heads, each in one line, would not fit a portrait page."""
        return sum(_COLUMN_GAP + len(head) for head in self.heads) > PORTRAIT_ROOM


def is_kept_whole(row_lines: Iterable[int]) -> bool:
    """Whether rows of so many lines each are kept on one page: they take half of it at most."""
    return sum(1 + MORE_LINES * (lines - 1) for lines in row_lines) <= WHOLE_LINES


def build_single_part(table: Table) -> TablePart:
    """The table as one part."""
    printed = _print_table(table)
    return _build_part(printed, 0, len(printed.columns))


def split_table(table: Table, room: int, labels: int = 0) -> tuple[TablePart, ...]:
    """Cut the table into parts whose columns fit ``room`` characters.

    Labels may take ``label_room`` characters; what shorter labels leave is added to the room.
    """
    printed = _print_table(table)
    room += max(0, labels - _measure_longest_label(printed))
    sizes = _count_columns(printed, "period")
    widths = _measure_columns(printed)
    ends = [0, *accumulate(sizes)]
    group_widths = [sum(widths[start:end]) for start, end in pairwise(ends)]
    if max(group_widths) > room:
        ends = [0, *accumulate(_count_columns(printed, "index"))]
        group_widths = [sum(widths[start:end]) for start, end in pairwise(ends)]
    if max(group_widths) > room:
        ends, group_widths = list(range(len(widths) + 1)), widths
    part_count = len(list(_fit_spans(group_widths, room)))
    # As many parts as it takes, and those of like width: the least room that still does.
    rooms = range(sum(group_widths) // part_count, room + 1)
    spans = next(
        (
            candidate
            for limit in rooms
            if len(candidate := list(_fit_spans(group_widths, limit))) == part_count
        ),
        [],
    )
    return tuple(
        _build_part(printed, ends[start], ends[end])
        for start, end in spans or _fit_spans(group_widths, room)
    )


class _PrintedTable(Struct, frozen=True):
    """All columns and lines of a table, as text; of a list, the heads of its fields."""

    heading: str
    columns: tuple[PrintedColumn, ...]
    lines: tuple[PartLine, ...]
    field_heads: tuple[str, ...] = ()


def _print_table(table: Table) -> _PrintedTable:
    columns = tuple(list_printed_columns(table))
    lines = tuple(
        PartLine(
            row.label,
            ", ".join(row.codes or row.references),
            tuple(column.format_cell(row, table) for column in columns),
            total=row is table.total,
            fields=tuple(list_row_names(row, table)) if table.fields else (),
        )
        for row in table.rows_and_total
    )
    field_heads = tuple(list_label_heads(table)) if table.fields else ()
    return _PrintedTable(table.heading, columns, lines, field_heads)


def _build_part(table: _PrintedTable, start: int, end: int) -> TablePart:
    return TablePart(
        heading=table.heading,
        heads=tuple(column.label for column in table.columns[start:end]),
        lines=tuple(
            msgspec.structs.replace(line, cells=line.cells[start:end]) for line in table.lines
        ),
        first=start + 1,
        last=end,
        shares=_share_widths(table, start, end),
        field_heads=table.field_heads,
    )


def _measure_longest_label(table: _PrintedTable) -> int:
    return max(len(line.name) for line in table.lines)


def _share_widths(table: _PrintedTable, start: int, end: int) -> tuple[int, ...]:
    """The figures take what they need, the heads what the labels leave, the labels the rest."""
    widths = _measure_columns(table)[start:end]
    labels = min(_measure_longest_label(table), LABEL_ROOM)
    heads = [_COLUMN_GAP + len(column.label) for column in table.columns[start:end]]
    widths = widen_columns(widths, heads, LABEL_ROOM + PORTRAIT_ROOM - sum(widths) - labels)
    return (max(labels, LABEL_ROOM + PORTRAIT_ROOM - sum(widths)), *widths)


def widen_columns(widths: Sequence[int], heads: Sequence[int], spare: int) -> list[int]:
    """The widths, with the spare room shared in proportion among the columns with a wider head."""
    shortfalls = [max(0, head - width) for head, width in zip(heads, widths, strict=True)]
    fraction = min(1.0, max(0, spare) / (sum(shortfalls) or 1))
    return [
        width + int(shortfall * fraction)
        for width, shortfall in zip(widths, shortfalls, strict=True)
    ]


def fit_label_widths(widths: Sequence[int], room: int) -> list[int]:
    """The widths of columns that share a room: what is left over in proportion. If they need more
    than there is, each that needs no more than an equal part gets what it needs, and the others
    share the rest by the square roots of their needs, so that rows take few lines."""
    if sum(widths) <= room:
        return [width * room // sum(widths) for width in widths]
    fitted = dict.fromkeys(range(len(widths)), 0)
    places = sorted(fitted, key=lambda index: widths[index])
    while widths[places[0]] <= room // len(places):
        index = places.pop(0)
        fitted[index] = widths[index]
        room -= widths[index]
    weights = {index: sqrt(widths[index]) for index in places}
    for index, weight in weights.items():
        fitted[index] = max(1, int(room * weight / sum(weights.values())))
    return [*fitted.values()]


def _count_columns(table: _PrintedTable, field: Literal["period", "index"]) -> list[int]:
    """How many columns each period has, or each number with its share."""
    groups = groupby(table.columns, attrgetter(field))
    return [len(list(columns)) for _, columns in groups]


def _measure_columns(table: _PrintedTable) -> list[int]:
    """What each column needs: its longest number, or the longest word in its head."""
    return [
        _COLUMN_GAP
        + max(
            *(min(len(word), LONGEST_WORD) for word in (column.label.split() or [""])),
            *(len(line.cells[index]) for line in table.lines),
        )
        for index, column in enumerate(table.columns)
    ]


def _fit_spans(widths: list[int], room: int) -> Iterator[tuple[int, int]]:
    start = used = 0
    for index, width in enumerate(widths):
        if used and used + width > room:
            yield start, index
            start, used = index, 0
        used += width
    yield start, len(widths)
