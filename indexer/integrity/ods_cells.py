"""The cells of an ODS that its reader gives as empty, or of which it leaves something out."""

from __future__ import annotations

import re
from typing import IO, Any, Final
from zipfile import ZipFile

from indexer.integrity.damage import LeftOutError
from indexer.integrity.special_cells import (
    COLUMNS,
    OTHER_ERROR,
    UNCOMPUTED,
    SpecialCells,
    list_merged_cells,
)

#: The part of an ODS that has its sheets.
CONTENT_PART: Final = "content.xml"

_BLOCK_BYTES: Final = 1 << 18

#: No tag, with the beginning of the text after it, is longer.
_OVERLAP: Final = 1 << 16

#: So many such cells are not of a table of records.
_MAX_CELLS: Final = 1_000_000

_CELL: Final = rb"<table:(?:covered-)?table-cell\b"

#: A formula without its value; an error, which is read as empty or as 0; a text that is of no type;
#: one that is merged with those below it; and a tab or a line break within a text, without which
#: two words become one.
_SPECIAL: Final = re.compile(
    _CELL + rb"(?=[^>]*\stable:formula=)(?![^>]*\soffice:(?:[a-z]+-)?value=)"
    rb"(?![^>]*\soffice:value-type=[\"']string)"
    rb"|" + _CELL + rb"[^>]*\scalcext:value-type=[\"']error"
    rb"|" + _CELL + rb"(?![^>]*\soffice:value-type=)[^>]*(?<!/)>\s*<text:p\b[^>]*(?<!/)>[^<]"
    rb"|" + _CELL + rb"[^>]*\stable:number-rows-spanned=[\"'](?![01]?[\"'])"
    rb"|<text:(?:tab|line-break)\b|<!\[CDATA\["
)

_VALUE: Final = re.compile(r"office:(?:[a-z]+-)?value")

_ROWS_SPANNED: Final = "table:number-rows-spanned"

_CELL_NAMES: Final = ("table:table-cell", "table:covered-table-cell")

_SIGNS: Final = {"text:tab": "\t", "text:line-break": "\n"}


def read_ods_cells(package: ZipFile) -> dict[int, SpecialCells]:
    """Read the content of an ODS to its end; such cells by the number of their sheet, with their
    whole text. It is read again, element by element, only if there may be any.

    Raises LeftOutError where it is not certain what is in one, or which cell it is.
    """
    with package.open(CONTENT_PART) as part:
        may_have_any = _search_to_end(part)
    if not may_have_any:
        return {}
    reader = _OdsReader()
    with package.open(CONTENT_PART) as part:
        reader.parser.ParseFile(part)
    return reader.sheets


def _search_to_end(part: IO[bytes]) -> bool:
    window = part.read(_BLOCK_BYTES)
    is_there = False
    while block := part.read(_BLOCK_BYTES):
        is_there = is_there or _SPECIAL.search(window) is not None
        window = window[-_OVERLAP:] + block
    return is_there or _SPECIAL.search(window) is not None


class _OdsReader:
    """Follows the elements of the content, and notes the cells; sheets, rows and columns count from
    0, and those that are repeated count as often."""

    def __init__(self) -> None:
        from xml.parsers import expat  # only for an ODS that may have such cells

        self.sheets: dict[int, SpecialCells] = {}
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._add_text
        self.parser.StartCdataSectionHandler = self._refuse_section
        self._open: list[str] = []
        self._sheet = -1
        self._row = self._column = self._count = 0
        self._row_repeats = 1
        self._row_cells: list[tuple[int, int, str]] = []
        self._cell: dict[str, str] | None = None
        self._text = ""
        self._paragraphs = self._signs = self._notes = 0

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._cell is not None:
            self._start_in_cell(name, attributes)
        elif name == "table:table":
            if name in self._open:
                raise LeftOutError
            self._sheet += 1
            self._row = 0
        elif name == "table:table-row":
            self._column = 0
            self._row_repeats = int(attributes.get("table:number-rows-repeated", "1"))
        elif name in _CELL_NAMES:
            if self._open[-1:] != ["table:table-row"] or "table:table" not in self._open:
                raise LeftOutError  # of a tracked change
            self._cell, self._text, self._paragraphs, self._signs = attributes, "", 0, 0
        self._open.append(name)

    def _refuse_section(self) -> None:
        """The reader gives no text of a CDATA section."""
        raise LeftOutError

    def _start_in_cell(self, name: str, attributes: dict[str, str]) -> None:
        if name == "office:annotation":
            self._notes += 1
        if self._notes:
            return
        if name.startswith(("table:", "draw:")):
            raise LeftOutError
        if name == "text:p":
            self._text += "\n" if self._paragraphs else ""
            self._paragraphs += 1
        elif name == "text:s":
            self._text += " " * int(attributes.get("text:c", "1"))
        elif name in _SIGNS:
            self._text += _SIGNS[name]
            self._signs += 1

    def _add_text(self, text: str) -> None:
        if self._cell is not None and not self._notes and "text:p" in self._open:
            self._text += text

    def _end(self, name: str) -> None:
        self._open.pop()
        if name == "office:annotation":
            self._notes -= self._cell is not None
        elif name in _CELL_NAMES and self._cell is not None:
            repeats = int(self._cell.get("table:number-columns-repeated", "1"))
            self._note_merged_cells(int(self._cell.get(_ROWS_SPANNED, "1")))
            kind = _find_kind(self._cell, self._text, has_sign=self._signs > 0)
            if kind is not None:
                self._row_cells.append((self._column, repeats, kind))
            self._column += repeats
            self._cell = None
        elif name == "table:table-row":
            self._end_row()

    def _note_merged_cells(self, row_count: int) -> None:
        """Note the cells below one that spans so many rows; what has no value is left out later."""
        if row_count > 1:
            last = (self._row + row_count - 1, self._column)
            cells = list_merged_cells([((self._row, self._column), last)])
            self._count += len(cells)
            if self._count > _MAX_CELLS:
                raise LeftOutError
            self.sheets.setdefault(self._sheet, {}).update(cells)

    def _end_row(self) -> None:
        cells = [
            (column, kind)
            for first, repeats, kind in self._row_cells
            for column in range(first, min(first + repeats, COLUMNS + 1))
        ]
        self._count += len(cells) * self._row_repeats
        if self._count > _MAX_CELLS or any(column >= COLUMNS for column, _ in cells):
            raise LeftOutError
        if cells:
            special_cells = self.sheets.setdefault(self._sheet, {})
            for row in range(self._row, self._row + self._row_repeats):
                special_cells.update((row * COLUMNS + column, kind) for column, kind in cells)
        self._row += self._row_repeats
        self._row_cells = []


def _find_kind(attributes: dict[str, Any], text: str, *, has_sign: bool) -> str | None:
    """What a cell is that the reader does not give as it is, as SpecialCells have it; else None."""
    kind = attributes.get("office:value-type")
    if attributes.get("calcext:value-type") == "error":
        return text or OTHER_ERROR
    has_value = any(map(_VALUE.fullmatch, attributes))
    if "table:formula" in attributes and not has_value and kind != "string":
        return UNCOMPUTED
    if kind is None:
        return text or None
    is_cut = has_sign and kind == "string" and not has_value
    return text if is_cut else None
