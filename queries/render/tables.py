"""Tables as documents print them: cells as text, and wide tables in parts that fit a page. Pure.

A part has all columns of a period, where they fit. Widths are in characters, which is as near as
anything can be before a font is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby, pairwise
from typing import Final

from msgspec import Struct

from queries import periods
from queries.answer import Row, Table
from queries.render.phrases import number

#: The room for figures beside labels of LABELS characters on A4, upright and on its side.
PORTRAIT: Final = 54
LANDSCAPE: Final = 104
LABELS: Final = 34
#: Longer words of a head are broken.
LONGEST_WORD: Final = 18
_GAP: Final = 2


class Line(Struct, frozen=True):
    """A row: its label, its codes as text, its cells; ``total`` marks the last."""

    label: str
    codes: str
    cells: tuple[str, ...]
    total: bool = False

    @property
    def name(self) -> str:
        """The label with its codes."""
        return f"{self.label} ({self.codes})" if self.codes else self.label


class Part(Struct, frozen=True):
    """Some columns of a table, with every row. ``first`` and ``last`` number the columns from 1;
    ``shares`` are the widths of each column on an upright page, that of the labels first."""

    heading: str
    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    first: int
    last: int
    shares: tuple[int, ...]

    @property
    def body(self) -> tuple[Line, ...]:
        """The rows before the total."""
        return self.lines[:-1]

    @property
    def total(self) -> Line:
        """The last row."""
        return self.lines[-1]

    @property
    def crowded(self) -> bool:
        """Whether the heads would not fit an upright page, each in one line."""
        return sum(_GAP + len(head) for head in self.heads) > PORTRAIT


def whole(table: Table) -> Part:
    """The table as one part."""
    return _part(table, 0, len(table.columns))


def parts(table: Table, room: int, labels: int = 0) -> tuple[Part, ...]:
    """The table in parts whose columns fit the room, and what shorter labels than so many
    characters leave of theirs."""
    room += max(0, labels - _longest(table))
    sizes = _groups(table)
    widths = _widths(table)
    ends = [0, *accumulate(sizes)]
    wide = [sum(widths[start:end]) for start, end in pairwise(ends)]
    if max(wide) > room:
        ends, wide = list(range(len(widths) + 1)), widths
    fewest = len(list(_spans(wide, room)))
    # As many parts as it takes, and those of like width: the least room that still does.
    rooms = range(sum(wide) // fewest, room + 1)
    spans = next(
        (found for least in rooms if len(found := list(_spans(wide, least))) == fewest), []
    )
    return tuple(_part(table, ends[start], ends[end]) for start, end in spans or _spans(wide, room))


def _part(table: Table, start: int, end: int) -> Part:
    return Part(
        heading=table.heading,
        heads=tuple(column.label for column in table.columns[start:end]),
        lines=(
            *(_line(row, start, end) for row in table.rows),
            _line(table.total, start, end, total=True),
        ),
        first=start + 1,
        last=end,
        shares=_shares(table, start, end),
    )


def _longest(table: Table) -> int:
    return max(len(_line(row, 0, 0).name) for row in (*table.rows, table.total))


def _shares(table: Table, start: int, end: int) -> tuple[int, ...]:
    """The figures take what they need; what the labels leave goes to the heads, then to them."""
    widths = _widths(table)[start:end]
    labels = min(_longest(table), LABELS)
    heads = [_GAP + len(column.label) for column in table.columns[start:end]]
    widths = widened(widths, heads, LABELS + PORTRAIT - sum(widths) - labels)
    return (max(labels, LABELS + PORTRAIT - sum(widths)), *widths)


def widened(widths: Sequence[int], heads: Sequence[int], spare: int) -> list[int]:
    """The widths with what is spare shared among those whose head takes more, in proportion."""
    wanted = [max(0, head - width) for head, width in zip(heads, widths, strict=True)]
    part = min(1.0, max(0, spare) / (sum(wanted) or 1))
    return [width + int(more * part) for width, more in zip(widths, wanted, strict=True)]


def _groups(table: Table) -> list[int]:
    """How many columns each period has."""
    groups = groupby(table.columns, lambda column: periods.column_of(column.key)[1])
    return [len(list(columns)) for _, columns in groups]


def _line(row: Row, start: int, end: int, *, total: bool = False) -> Line:
    cells = tuple(number(count) for count in row.counts[start:end])
    return Line(row.label, ", ".join(row.codes), cells, total)


def _widths(table: Table) -> list[int]:
    """What each column needs: its longest number, or word of its head."""
    rows = (*table.rows, table.total)
    return [
        _GAP
        + max(
            *(min(len(word), LONGEST_WORD) for word in (column.label.split() or [""])),
            *(len(number(row.counts[place])) for row in rows),
        )
        for place, column in enumerate(table.columns)
    ]


def _spans(widths: list[int], room: int) -> Iterator[tuple[int, int]]:
    start = used = 0
    for place, width in enumerate(widths):
        if used and used + width > room:
            yield start, place
            start, used = place, 0
        used += width
    yield start, len(widths)
