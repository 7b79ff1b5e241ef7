"""The order of the rows and cells of an XLSX: each once, and where its row says.

Excel refuses a sheet in which a row or a cell occurs twice or out of order, or a cell names another
row than its own; a reader that does not look keeps one of two, or none.

A sheet has a million rows and cells, so there are three ways to the same verdict. Rows of columns
that were seen before are one pattern; what programs write otherwise looks the same in each row, and
is proved some rows at a time; whatever does not look like that is read element by element.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise
from typing import IO, Final

from indexer.integrity.damage import DamageError, LeftOutError, UncomputedError
from indexer.integrity.special_cells import (
    COLUMNS,
    ERRORS,
    OTHER_ERROR,
    UNCOMPUTED,
    SpecialCells,
)

#: Of larger pieces each gets new pages of memory, which takes a sixth of the time.
_CHUNK_BYTES: Final = 1 << 16

#: Nothing in a sheet's rows has a longer tag.
_MAX_TAG_BYTES: Final = 1 << 16

_WORKSHEET: Final = re.compile(rb"<(?:[\w.-]+:)?worksheet[\s>]")

_BEGIN: Final = re.compile(rb"<(?:[\w.-]+:)?sheetData(?:\s[^>]*?)?(/?)>")

_END: Final = re.compile(rb"</(?:[\w.-]+:)?sheetData[\s>]")

#: The beginning of a row or a cell, with the letters and the number in its attribute r, if any.
_ELEMENT: Final = re.compile(
    rb"<(?:[\w.-]+:)??(row|c)(?=[\s/>])"
    rb"(?:\s(?:[^>]*?\s)??r\s*=\s*[\"']([A-Za-z]*)([0-9]+)[\"'])?"
)

_ROW: Final = b"<row r="

#: What begins with "<" and is no end: the place of a row or a cell as most programs write it,
#: ``"12`` for a row and ``B12`` for a cell; empty for all else that is not certain to be neither.
_PLACE: Final = re.compile(
    rb"<[^/](?:(?: r=\"(?<=<c r=\")(?!\")|ow r=(?<=<row r=))(\"?[A-Z]*[0-9]+)\""
    rb"|(?!s>|(?<=[vt])[ >]))"
)

#: A cell with a formula and nothing, or nothing in it, as its value; and what its tag says.
_UNCOMPUTED_CELL: Final = re.compile(
    rb"<(?:[\w.-]+:)?c(\s[^>]*)?>\s*<(?:[\w.-]+:)?f(?:\s[^>]*?)?(?:/>|>[^<]*</(?:[\w.-]+:)?f\s*>)\s*"
    rb"(?:<(?:[\w.-]+:)?v\s*(?:/>|>\s*</(?:[\w.-]+:)?v\s*>)\s*)?</(?:[\w.-]+:)?c\s*>"
)

#: A value in a CDATA section, of which the reader gives nothing.
_SECTION: Final = re.compile(rb"<(?:[\w.-]+:)?v(?:\s[^>]*)?>[^<]*<!\[CDATA\[")

#: That the value of a formula is text, which may be empty.
_TEXT_RESULT: Final = re.compile(rb"\st\s*=\s*[\"']str[\"']")

#: A cell that holds an error, with its text.
_ERROR_CELL: Final = re.compile(
    rb"<(?:[\w.-]+:)?c(?=\s)[^>]*?\st\s*=\s*[\"']e[\"'][^>]*>\s*"
    rb"(?:<(?:[\w.-]+:)?f(?:\s[^>]*?)?(?:/>|>[^<]*</(?:[\w.-]+:)?f\s*>)\s*)?"
    rb"<(?:[\w.-]+:)?v(?:\s[^>]*)?>([^<]*)</"
)

_ERROR_TEXTS: Final = {text.encode(): text for text in ERRORS.values()}

#: A row of cells in a pattern, and a cell that has a value, or nothing at all.
_PLAIN_ROW: Final = rb'<row r="([0-9]{1,7})"[^<>]*+>(?:(?<=/>)|#</row>)'

_PLAIN_CELL: Final = (
    rb'(?:<c r="#\1"(?:@(?: s="[0-9]++")?+(?: t="(?:s|n|b|d|str|inlineStr)")?+(?:/>|>'
    rb"(?:(?:<f(?: [^<>]*+)?+>(?:(?<=/>)|[^<]*+</f>))?+<v>[^<]++</v>"
    rb"|<is><t(?: [^<>]*+)?+>[^<]*+</t></is>)?+</c>)))?+"
)

#: A plain cell up to its value: its column, and what comes after its place; empty if it has none.
_CELL_BEGINNING: Final = re.compile(
    rb'<c r="([A-Z]{1,3})[0-9]++"((?: s="[0-9]++")?+(?: t="(?:s|n|b|d|str|inlineStr)")?+>'
    rb"(?:<v>|<is><t(?: [^<>]*+)?+>)|)"
)

#: For more columns, or after so many texts that the pattern did not fit, it is not worth its time.
_MAX_PATTERN_COLUMNS: Final = 100

_MAX_CHANGES: Final = 4

_COLUMNS: Final = re.compile(rb"(?:[A-Z]{1,3}# )*")


def is_worksheet(beginning: bytes) -> bool:
    """Whether a part of a package that begins so is a sheet."""
    return _WORKSHEET.search(beginning) is not None


def check_row_order(beginning: bytes, part: IO[bytes]) -> SpecialCells:
    """Read a sheet, of which ``beginning`` is read already, to the end of its rows; its formulas
    without a value, and its errors.

    Raises DamageError where a row or a cell is there twice or out of order, or a cell is in a row
    that is not its own, UncomputedError for such a formula that is in no certain place, and
    LeftOutError for a value that its reader does not give.
    """
    row = column = 0
    special_cells: SpecialCells = {}
    pattern = _RowPattern()
    for text in _iter_sheet_data(beginning, part):
        if end := pattern.check_rows(text, row):
            row, column = end, COLUMNS
            continue
        if _SECTION.search(text):
            raise LeftOutError
        last = _check_regular_rows(text, row)
        is_regular = last is not None
        last = last or _check_elements(text, row, column)
        kinds = {} if is_regular else _find_uncomputed(text)
        if b'"e"' in text or b"'e'" in text:
            kinds |= _find_errors(text)
        if kinds:
            special_cells.update(_locate_cells(text, row, column, kinds))
        row, column = last
    return special_cells


class _RowPattern:
    """The pattern of whole rows of the columns that a sheet has had so far: a row, and each of the
    columns once or not, in order, with a value that needs no second look.

    Most cells of a column begin alike, which is compared before all that they may begin with.
    """

    def __init__(self) -> None:
        self._columns: dict[bytes, bytes] = {}
        self._pattern: re.Pattern[bytes] | None = None
        self._changes = -1

    def check_rows(self, text: bytes, row: int) -> int | None:
        """The last row of a text that has only such rows in order; None if that is not so, or not
        certain. ``row`` is the last row before it."""
        if self._changes >= _MAX_CHANGES or not text.startswith(_ROW):
            return None
        numbers = self._split_rows(text) if self._columns else None
        if numbers is None:
            self._learn_columns(text)
            return None
        following = list(range(row + 1, row + 1 + len(numbers)))
        if numbers != following and any(a >= b for a, b in pairwise([row, *numbers])):
            return None
        return numbers[-1]

    def _split_rows(self, text: bytes) -> list[int] | None:
        """The numbers of the rows of a text; None if there is anything else in it."""
        if self._pattern is None:  # compiling takes milliseconds, and most sheets are of one piece
            columns = sorted(self._columns, key=_read_column)
            cells = b"".join(
                _PLAIN_CELL.replace(b"#", letters).replace(b"@", self._columns[letters])
                for letters in columns
            )
            self._pattern = re.compile(_PLAIN_ROW.replace(b"#", cells))
        parts = self._pattern.split(text)
        return None if any(parts[::2]) else list(map(int, parts[1::2]))

    def _learn_columns(self, text: bytes) -> None:
        """Let the pattern be one of the columns of this text, too."""
        self._changes += 1
        for letters, beginning in dict.fromkeys(_CELL_BEGINNING.findall(text)):
            self._columns.setdefault(letters, b"")
            if beginning:
                self._columns[letters] = _write_cell_form(beginning)
        self._pattern = None
        if len(self._columns) > _MAX_PATTERN_COLUMNS:
            self._changes = _MAX_CHANGES


def _write_cell_form(beginning: bytes) -> bytes:
    """The pattern of the rest of a cell that begins so after its place, as an alternative; nothing
    for a cell without a value."""
    if not beginning:
        return b""
    ending = rb"[^<]++</v>" if beginning.endswith(b"<v>") else rb"[^<]*+</t></is>"
    return re.escape(beginning) + ending + b"</c>|"


def _find_uncomputed(text: bytes) -> dict[int, str]:
    """Where cells begin that have a formula without its value."""
    return {
        cell.start(): UNCOMPUTED
        for cell in _UNCOMPUTED_CELL.finditer(text)
        if not _TEXT_RESULT.search(cell[1] or b"")
    }


def _find_errors(text: bytes) -> dict[int, str]:
    """Where cells begin that hold an error, with its text."""
    return {
        cell.start(): _ERROR_TEXTS.get(cell[1].strip(), OTHER_ERROR)
        for cell in _ERROR_CELL.finditer(text)
    }


def _locate_cells(
    text: bytes, row: int, column: int, kinds: dict[int, str]
) -> Iterator[tuple[int, str]]:
    """The places of the cells that begin at some positions of a text that is in order. ``row``
    and ``column`` are the last before it. Raises UncomputedError where one is in none."""
    count = 0
    for element in _ELEMENT.finditer(text):
        kind, letters, digits = element.groups(b"")
        if kind == b"row":
            row, column = int(digits) if digits else row + 1, 0
            continue
        column = _read_column(letters) if digits else column + 1
        if element.start() in kinds:
            if column > COLUMNS:
                break
            count += 1
            yield (row - 1) * COLUMNS + column - 1, kinds[element.start()]
    if count != len(kinds):
        raise UncomputedError


def _check_regular_rows(text: bytes, row: int) -> tuple[int, int] | None:
    """The last row and column of some rows that are regular and in order; None if that is not so,
    or not certain. ``row`` is the last row before them."""
    places = _PLACE.findall(text)
    if not text.startswith(_ROW) or b"" in places:
        return None
    column, form = 0, b""
    for line in b" ".join([*places, b""]).split(b'"')[1:]:
        if line == form.replace(b"#", b"%d" % (row + 1)):  # as the row before, and the next
            row += 1
            continue
        digits, _, cells = line.partition(b" ")
        number = int(digits) if digits.isdigit() else 0
        # In row 12, "A12 B12 " becomes "A# B# ", and a cell of another row keeps a digit.
        columns = cells.replace(digits, b"#")
        last = _read_last_column(columns)
        if number <= row or last is None:
            return None
        row, column, form = number, last, b"# " + columns
    return row, column


@lru_cache(4096)
def _read_last_column(columns: bytes) -> int | None:
    """The last of columns such as "A# C# "; 0 if there are none, None if they are not in order."""
    if not _COLUMNS.fullmatch(columns):
        return None
    numbers = [_read_column(letters) for letters in columns.replace(b"#", b"").split()]
    if any(before >= after for before, after in pairwise(numbers)):
        return None
    return numbers[-1] if numbers else 0


def _check_elements(text: bytes, row: int, column: int) -> tuple[int, int]:
    """The last row and column of a text, element by element. ``row`` and ``column`` are the last
    before it."""
    row_digits = b"%d" % row
    # What it is, and its letters and number, which may be empty.
    for kind, letters, digits in _ELEMENT.findall(text):
        if kind == b"row":
            number = int(digits) if digits else row + 1
            if number <= row or letters:
                raise DamageError("a row occurs twice or out of order")
            row, column, row_digits = number, 0, digits
            continue
        if digits and digits != row_digits and int(digits) != row:
            raise DamageError("a cell names another row")
        number = _read_column(letters) if digits else column + 1
        if number <= column:
            raise DamageError("a cell occurs twice or out of order")
        column = number
    return row, column


@cache
def _read_column(letters: bytes) -> int:
    """The number of a column, from 1: 28 for AB."""
    number = 0
    for letter in letters.upper():
        number = 26 * number + letter - 64
    return number


def _iter_sheet_data(beginning: bytes, part: IO[bytes]) -> Iterator[bytes]:
    """The XML between the tags of ``sheetData``, in pieces that cut no tag, and of rows no longer
    than a piece no row."""
    rest = b""
    inside = False
    data = beginning
    while data:
        rest += data
        data = part.read(_CHUNK_BYTES)
        if not inside:
            if not (begin := _BEGIN.search(rest)):
                rest = rest[-_MAX_TAG_BYTES:]
                continue
            if begin[1]:
                return
            rest, inside = rest[begin.end() :], True
        # After the last row, if that is not too long; no row comes after the end.
        row = max(rest.rfind(_ROW), len(rest) - _CHUNK_BYTES, 0)
        is_row = rest.startswith(_ROW, row)
        if end := _END.search(rest, row if is_row else 0):
            yield rest[: end.start()]
            return
        cut = row if is_row else _find_last_cell(rest)
        yield rest[:cut]
        rest = rest[cut:]
    if inside:
        raise DamageError("the rows do not end")


def _find_last_cell(text: bytes) -> int:
    """Where the last cell of a text begins; its last tag if that is not certain."""
    cut = max(text.rfind(b"<c "), text.rfind(b"<c>"))
    return cut if cut > 0 else _find_last_tag(text)


def _find_last_tag(text: bytes) -> int:
    """Where the last tag of a text begins; its end if that is not certain."""
    cut = text.rfind(b"<")
    return cut if cut >= 0 and len(text) - cut <= _MAX_TAG_BYTES else len(text)
