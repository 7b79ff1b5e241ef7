"""The tables as CSV, a file a question, and as one workbook. No cell is ever a formula."""

from __future__ import annotations

import csv
import io
import re
import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from indexer.settings import Force
from queries.answer import Answer, Row, Table
from queries.render import extras, packages, phrases, view

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FORMULA: Final = "=+-@\t\r\n"
_FONT: Final = "Arial"
_LINE_HEIGHT: Final = 13.5
_LABELS_WIDTH: Final = 45
_FIGURES_WIDTH: Final = 13
_NOTES_WIDTH: Final = 85  # of A4; LibreOffice cuts a single column that is wider
_LEAST_TEXT: Final = 60
_UPRIGHT_COLUMNS: Final = 5
_COLUMNS_ASIDE: Final = 12
_FORBIDDEN_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")
_NAME_LENGTH: Final = 31
_NOTES: Final = "Notes"


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, in a format without types."""
    start = unicodedata.normalize("NFKC", text[:1])
    return f"'{text}" if start and start in _FORMULA else text


def table_csv(table: Table) -> str:
    """A table as CSV: a row each, the total last; a count not given is "[c]"."""
    table = view.printable(table)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    coded = _coded(table)
    writer.writerow(map(safe, _heads(table, coded=coded)))
    for row in (*table.rows, table.total):
        counts = (phrases.HIDDEN if count is None else count for count in row.counts)
        writer.writerow([*map(safe, _names(row, coded=coded)), *counts])
    return text.getvalue()


def _coded(table: Table) -> bool:
    return any(row.codes for row in table.rows)


def _heads(table: Table, *, coded: bool) -> list[str]:
    codes = ["Codes"] if coded else []
    return [table.heading, *codes, *(column.label for column in table.columns)]


def _names(row: Row, *, coded: bool) -> list[str]:
    return [row.label, *([", ".join(row.codes)] if coded else [])]


def workbook(answer: Answer, force: Force, day: date, own: Path | None = None) -> bytes:
    """A sheet of notes, and one a question. Raises ConfigurationError."""
    with extras.needed("A workbook"):
        from openpyxl import Workbook
        from openpyxl.styles import Font
        from openpyxl.writer.excel import ExcelWriter
    names = view.names(answer, force, day, own)
    shown: Answer = names["answer"]
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    book.remove(sheet)
    titles = list(sheet_names(question.id for question in shown.questions))
    # Widths are in characters of this font.
    book._named_styles["Normal"].font = Font(name=_FONT, size=10)  # type: ignore[attr-defined]  # noqa: SLF001
    _notes(book.create_sheet(_NOTES), names, titles)
    for question, title in zip(names["questions"], titles, strict=True):
        _question(book.create_sheet(title), question, _said(question, names))
    _describe(book, names)
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).save()
    return packages.sealed(file.getvalue(), answer.provenance.run_at)


def _describe(book: Workbook, names: dict[str, Any]) -> None:
    about, shown = book.properties, names["answer"]
    about.title = f"{shown.reference}: {shown.title}"
    about.creator = names["force"].name
    about.language = "en-GB"
    about.created = about.modified = shown.provenance.run_at.astimezone(UTC).replace(tzinfo=None)


def sheet_names(ids: Iterator[str]) -> Iterator[str]:
    """A name a sheet may have for each id, none twice."""
    taken = {_NOTES.lower(), "history"}  # the second is Excel's own
    for identifier in ids:
        plain = _FORBIDDEN_IN_NAMES.sub("-", identifier)[: _NAME_LENGTH - 5] or "Question"
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain} ({number})"
        taken.add(name.lower())
        yield name


def _notes(sheet: Worksheet, names: dict[str, Any], titles: Sequence[str]) -> None:
    shown: Answer = names["answer"]
    lines = [(f"{shown.reference}: {shown.title}", True), (names["force"].name, False), ("", False)]
    lines.append(("Sheets", True))
    lines += [
        (f"{title}: {question.answer.text or question.answer.table.heading}", False)
        for title, question in zip(titles, names["questions"], strict=True)
    ]
    for section in names["annex"]:
        lines += [("", False), (section.heading, True)]
        lines += [(block.text, False) for block in section.blocks]
    for number, (text, strong) in enumerate(lines, 1):
        if text:
            _text(sheet, (number, 1), text, strong=strong)
            sheet.row_dimensions[number].height = _height(text, _NOTES_WIDTH)
    sheet.column_dimensions["A"].width = _NOTES_WIDTH
    _page(sheet, rows=len(lines), columns=1)


def _said(question: view.QuestionView, names: dict[str, Any]) -> list[str]:
    """What must be said below a table."""
    table, within = question.answer.table, question.answer.within
    hidden = any(None in row.counts for row in (*table.rows, table.total))
    return [
        *([f"Only offences {within}."] if within else []),
        *question.columns,
        *question.answer.notes,
        *([names["withheld"]] if hidden and names["withheld"] else []),
        *([names["rounded"]] if names["rounded"] else []),
    ]


def _question(sheet: Worksheet, question: view.QuestionView, said: Sequence[str]) -> None:
    """The title, the head, the rows, the total; below them what must be said."""
    from openpyxl.utils import get_column_letter

    table = question.answer.table
    coded = _coded(table)
    heads = _heads(table, coded=coded)
    first_figure = 3 if coded else 2
    for place, head in enumerate(heads, 1):
        _text(sheet, (2, place), head, strong=True, right=place >= first_figure)
        sheet.column_dimensions[get_column_letter(place)].width = _FIGURES_WIDTH
    rows = (*table.rows, table.total)
    for number, row in enumerate(rows, 3):
        strong = row is table.total
        for place, text in enumerate(_names(row, coded=coded), 1):
            _text(sheet, (number, place), text, strong=strong)
        for place, count in enumerate(row.counts, first_figure):
            _count(sheet, (number, place), count, strong=strong)
        sheet.row_dimensions[number].height = _height(row.label, _LABELS_WIDTH)
    sheet.row_dimensions[2].height = max(_height(head, _FIGURES_WIDTH) for head in heads[1:])
    longest = max(len(label) for label in (table.heading, *(row.label for row in rows)))
    sheet.column_dimensions["A"].width = min(longest + 3, _LABELS_WIDTH)
    columns, width = _room(sheet, len(heads))
    end = len(rows) + 2
    for number, text in ((1, question.title), *enumerate(said, end + 2)):
        _text(sheet, (number, 1), text, strong=number == 1)
        sheet.merge_cells(start_row=number, end_row=number, start_column=1, end_column=columns)
        sheet.row_dimensions[number].height = _height(text, width)
        end = max(end, number)
    sheet.freeze_panes = sheet.cell(3, first_figure).coordinate
    sheet.print_title_rows = "2:2"
    sheet.print_title_cols = f"A:{get_column_letter(first_figure - 1)}"
    _page(sheet, rows=end, columns=max(columns, len(heads)))


def _room(sheet: Worksheet, heads: int) -> tuple[int, int]:
    """How many columns a text takes that stands across them, and how many characters that is."""
    from openpyxl.utils import get_column_letter

    columns, width = 1, int(sheet.column_dimensions["A"].width)
    while width < _LEAST_TEXT or (columns < heads and width + _FIGURES_WIDTH <= _NOTES_WIDTH):
        columns += 1
        sheet.column_dimensions[get_column_letter(columns)].width = _FIGURES_WIDTH
        width += _FIGURES_WIDTH
    return columns, width


def _height(text: str, width: int) -> float:
    """Points for a text that wraps in a column of so many characters."""
    return _LINE_HEIGHT * max(1, len(textwrap.wrap(text, width - 2)))


def _text(  # noqa: PLR0913 - the properties of a cell
    sheet: Worksheet,
    place: tuple[int, int],
    text: str,
    *,
    strong: bool = False,
    right: bool = False,
    wrap: bool = True,
) -> None:
    from openpyxl.styles import Alignment, Font

    cell = sheet.cell(*place)
    cell.value = text
    cell.data_type = "s"  # also where it looks like a formula or an error
    cell.quotePrefix = text != safe(text)
    cell.font = Font(name=_FONT, size=10, bold=strong)
    cell.alignment = Alignment(
        wrap_text=wrap, vertical="top", horizontal="right" if right else None
    )


def _count(sheet: Worksheet, place: tuple[int, int], count: int | None, *, strong: bool) -> None:
    from openpyxl.styles import Alignment, Font

    if count is None:
        _text(sheet, place, phrases.HIDDEN, strong=strong, right=True)
        return
    cell = sheet.cell(*place)
    cell.value, cell.number_format = count, "#,##0"
    cell.font = Font(name=_FONT, size=10, bold=strong)
    cell.alignment = Alignment(vertical="top")


def _page(sheet: Worksheet, rows: int, columns: int) -> None:
    """Print on A4; a wide table on its side, a very wide one on several pages beside each other."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.print_area = f"A1:{get_column_letter(columns)}{rows}"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    if columns > _UPRIGHT_COLUMNS:
        sheet.page_setup.orientation = sheet.ORIENTATION_LANDSCAPE
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth = -(-columns // _COLUMNS_ASIDE)
    sheet.page_setup.fitToHeight = 0
    footer = sheet.HeaderFooter.oddFooter
    assert footer is not None
    footer.left.text, footer.right.text = "&A", "&P of &N"
