"""The lines of a printed page from its pieces of text: rows, columns, and gaps between paragraphs.

All lengths are in points; the vertical axis goes up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

#: A column has at least so many lines, of so many characters on the average.
_MIN_COLUMN_LINES: Final = 6

_MIN_COLUMN_CHARACTERS: Final = 16

_MIN_GUTTER: Final = 10.0

#: What is narrower was not broken because its lines were full.
_MIN_COLUMN_WIDTH: Final = 120.0

#: A gap in a row as wide as so many heights of a line is that between two cells of a table.
_CELL_GAP: Final = 2.5

_WORD_GAP: Final = 0.12

#: A line this full, before one that begins with a small letter, was broken by the program.
_NEARLY_FULL: Final = 0.75

#: Fewer lines have no footnotes.
_FEW_LINES: Final = 10

#: Lines further apart than so many usual distances are of two paragraphs.
_PARAGRAPH_GAP: Final = 1.3


class TextPiece(NamedTuple):
    """A run of text on a page, and the box around it."""

    start: float
    bottom: float
    end: float
    top: float
    text: str

    @property
    def middle(self) -> float:
        """Where it stands on the page."""
        return (self.top + self.bottom) / 2


class PageLine(NamedTuple):
    """A line of a column. ``fills`` says whether the next one began because this had no room left,
    ``gap`` whether a paragraph ends before it."""

    text: str
    start: float
    end: float
    middle: float
    fills: bool = False
    gap: bool = False


def lay_out_page(pieces: Sequence[TextPiece]) -> list[PageLine]:
    """The lines of a page in the order in which they are read."""
    lines: list[PageLine] = []
    for column in _split_columns(pieces):
        lines += _mark_breaks(_build_rows(column))
    return lines


def _build_rows(pieces: Sequence[TextPiece]) -> list[PageLine]:
    """Pieces side by side as one line, the highest first."""
    rows: list[list[TextPiece]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.middle):
        row = rows[-1] if rows else []
        if row and _is_beside(row[-1], piece):
            row.append(piece)
        else:
            rows.append([piece])
    return [_join_row(sorted(row)) for row in rows]


def _is_beside(neighbour: TextPiece, piece: TextPiece) -> bool:
    overlap = min(neighbour.top, piece.top) - max(neighbour.bottom, piece.bottom)
    height = min(neighbour.top - neighbour.bottom, piece.top - piece.bottom)
    return overlap > 0.5 * height


def _join_row(row: Sequence[TextPiece]) -> PageLine:
    height = max(piece.top - piece.bottom for piece in row)
    text = ""
    end = row[0].start
    for piece in row:
        gap = piece.start - end
        if text and gap > _CELL_GAP * height:
            text = f"{text.rstrip()}\t"
        elif text and gap > _WORD_GAP * height and not text.endswith(" "):
            text += " "
        text += piece.text
        end = max(end, piece.end)
    middle = median(piece.middle for piece in row)
    return PageLine(text.strip(), row[0].start, end, middle)


def _mark_breaks(lines: Sequence[PageLine]) -> list[PageLine]:
    """The lines of one column, with what a paragraph's end shows."""
    if not lines:
        return []
    edge = max(line.end for line in lines)
    distances = [above.middle - line.middle for above, line in pairwise(lines)]
    usual = _find_line_distance(distances)
    marked = []
    for index, line in enumerate(lines):
        following = lines[index + 1] if index + 1 < len(lines) else None
        fills = _had_no_room(line, following, edge) if following else _goes_on_elsewhere(line, edge)
        gap = index > 0 and distances[index - 1] > _PARAGRAPH_GAP * usual
        marked.append(line._replace(fills=fills, gap=gap))
    return marked


def _find_line_distance(distances: Sequence[float]) -> float:
    """The distance of two lines of a paragraph: a small one, as a letter may have more paragraphs
    than lines, but not the least of many, which may be that of a footnote."""
    if not distances:
        return 0.0
    few = len(distances) < _FEW_LINES
    return sorted(distances)[0 if few else len(distances) // 5]


def _goes_on_elsewhere(line: PageLine, edge: float) -> bool:
    """Whether the last line of a column breaks off in the middle of a sentence."""
    nearly_full = line.end - line.start > _NEARLY_FULL * (edge - line.start)
    return nearly_full and line.text[-1:] not in ".!?:;"


def _had_no_room(line: PageLine, following: PageLine, edge: float) -> bool:
    """Whether the first word of the next line did not fit; a sentence that goes on is one too."""
    width = (line.end - line.start) / max(len(line.text), 1)
    word = following.text.split(maxsplit=1)[0] if following.text else ""
    if line.end + (len(word) + 1) * width > edge:
        return True
    nearly_full = line.end - line.start > _NEARLY_FULL * (edge - line.start)
    return nearly_full and word[:1].islower()


def _split_columns(pieces: Sequence[TextPiece]) -> list[list[TextPiece]]:
    """The pieces of a page by columns, in the order in which they are read.

    A piece across the gap between two columns, such as a heading, ends both.
    """
    gutter = _find_gutter(pieces)
    if gutter is None:
        return [list(pieces)]
    bands: list[list[TextPiece]] = [[]]
    columns: list[list[TextPiece]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.middle):
        if piece.start < gutter < piece.end:
            columns += [*_split_band(bands.pop(), gutter), [piece]]
            bands.append([])
        else:
            bands[-1].append(piece)
    columns += _split_band(bands.pop(), gutter)
    return [column for column in columns if column]


def _split_band(pieces: Sequence[TextPiece], gutter: float) -> list[list[TextPiece]]:
    start = [piece for piece in pieces if piece.end <= gutter]
    end = [piece for piece in pieces if piece.end > gutter]
    return [start, end]


def _find_gutter(pieces: Sequence[TextPiece]) -> float | None:
    """Where the gap between two columns of text is; None on a page of one column, or of a table."""
    if not pieces:
        return None
    start, end = min(piece.start for piece in pieces), max(piece.end for piece in pieces)
    width = end - start
    for edge in sorted({piece.start for piece in pieces}):
        if not start + 0.25 * width < edge < start + 0.75 * width:
            continue
        gutter = edge - 1
        before = [piece for piece in pieces if piece.end <= gutter]
        after = [piece for piece in pieces if piece.start >= gutter]
        across = len(pieces) - len(before) - len(after)
        if across > 0.2 * len(pieces) or not _is_column(before) or not _is_column(after):
            continue
        if edge - max(piece.end for piece in before) >= _MIN_GUTTER:
            return gutter
    return None


def _is_column(pieces: Sequence[TextPiece]) -> bool:
    rows = _build_rows(pieces)
    if len(rows) < _MIN_COLUMN_LINES:
        return False
    return sum(len(row.text) for row in rows) / len(rows) >= _MIN_COLUMN_CHARACTERS
