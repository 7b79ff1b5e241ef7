"""The tables as one workbook. No cell is ever a formula."""

from __future__ import annotations

import io
import re
import textwrap
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

from queries.answer.shares import Share
from queries.answer.types import NOT_COVERED, Answer, Count, Table
from queries.documents.content.context import DocumentContext, QuestionView
from queries.documents.content.review_text import ReviewView
from queries.documents.formats.optional_imports import require_extra
from queries.documents.formats.zip_archive import fix_zip_timestamps
from queries.layout.csv_text import (
    escape_formula,
    list_column_heads,
    list_label_heads,
    list_row_names,
)
from queries.layout.printed_table import list_printed_columns
from queries.layout.prose import WITHHELD_SIGN
from queries.review.result import ReviewedPart

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

_FONT: Final = "Arial"

_LINE_HEIGHT: Final = 13.5

_LABELS_WIDTH: Final = 45

_FIGURES_WIDTH: Final = 13

_REVIEW_LABEL_WIDTH: Final = 26

_NOTES_WIDTH: Final = 85  # of A4; LibreOffice cuts a single column that is wider

_MIN_TEXT_WIDTH: Final = 60

_UPRIGHT_COLUMNS: Final = 5

_COLUMNS_PER_PAGE: Final = 12

_FORBIDDEN_IN_NAMES: Final = re.compile(r"[\[\]:*?/\\']")

_NAME_LENGTH: Final = 31

#: What a cell of Excel holds, in units of UTF-16.
_MAX_CELL_UNITS: Final = 32_767

_CUT_MARK: Final = " [Cut off here, because a cell holds no more. The CSV file has the whole.]"

_NOTES_TITLE: Final = "Notes"

_REVIEW_TITLE: Final = "Records read"

_REVIEW_HEADS: Final = (
    "Figure",
    "Part",
    "Records",
    "Read or drawn",
    "Relevant",
    "Not relevant",
    "No decision",
    "At least relevant of all",
    "At most relevant of all",
)


def render_workbook(document_context: DocumentContext) -> bytes:
    """One workbook: a sheet of notes, a sheet for each question, and one for what was read.

    Raises ConfigurationError.
    """
    with require_extra("A workbook"):
        from openpyxl import Workbook
        from openpyxl.styles import Font
    context = document_context.names
    printable_answer: Answer = context["answer"]
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    book.remove(sheet)
    titles = list(make_sheet_names(question.id for question in printable_answer.questions))
    # Widths are in characters of this font.
    book._named_styles["Normal"].font = Font(name=_FONT, size=10)  # type: ignore[attr-defined]  # noqa: SLF001
    _fill_notes_sheet(book.create_sheet(_NOTES_TITLE), context, titles)
    counted = [question for question in context["questions"] if question.counted]
    for question, title in zip(counted, titles, strict=True):
        question_sheet = book.create_sheet(title)
        remarks = _list_remarks(question, context)
        _fill_question_sheet(question_sheet, question, remarks, context["draft"])
    if context["reviews"]:
        _fill_review_sheet(book.create_sheet(_REVIEW_TITLE), context["reviews"])
    _mark_pages(book, context["draft"])
    _set_book_properties(book, context)
    return fix_zip_timestamps(_save_book(book), printable_answer.provenance.run_at)


def _save_book(book: Workbook) -> bytes:
    """The workbook as a file. Each sheet is made in memory: openpyxl writes it into a temporary
    file, which a full disk or a kill leaves there, with every number."""
    from openpyxl.worksheet._writer import WorksheetWriter
    from openpyxl.writer.excel import ExcelWriter

    class MemoryWriter(ExcelWriter):
        """Writes sheets without drawings."""

        def write_worksheet(self, ws: Any) -> None:
            writer = WorksheetWriter(ws, io.BytesIO())
            writer.write()
            ws._rels = writer._rels  # type: ignore[attr-defined]  # noqa: SLF001
            self._archive.writestr(ws.path[1:], writer.read())  # type: ignore[attr-defined]
            self.manifest.append(ws)

    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        MemoryWriter(book, archive).save()
    return file.getvalue()


def _mark_pages(book: Workbook, mark: str) -> None:
    """Print the mark of a workbook that is not for publication at the head of each page."""
    for sheet in book.worksheets:
        header = sheet.HeaderFooter.oddHeader
        assert header is not None
        header.center.text = f"&B{mark}" if mark else None


def _set_book_properties(book: Workbook, context: dict[str, Any]) -> None:
    properties, printable_answer = book.properties, context["answer"]
    properties.title = f"{printable_answer.reference}: {printable_answer.title}"
    properties.creator = context["force"].name
    properties.language = "en-GB"
    properties.created = properties.modified = printable_answer.provenance.run_at.astimezone(
        UTC
    ).replace(tzinfo=None)


def make_sheet_names(ids: Iterator[str]) -> Iterator[str]:
    """A valid and unique sheet name for each id."""
    # The last is Excel's own.
    taken = {_NOTES_TITLE.lower(), _REVIEW_TITLE.lower(), "history"}
    for identifier in ids:
        plain = _FORBIDDEN_IN_NAMES.sub("-", identifier)[: _NAME_LENGTH - 5] or "Question"
        name, number = plain, 1
        while name.lower() in taken:
            number += 1
            name = f"{plain} ({number})"
        taken.add(name.lower())
        yield name


def _fill_notes_sheet(sheet: Worksheet, context: dict[str, Any], titles: Sequence[str]) -> None:
    printable_answer: Answer = context["answer"]
    lines = [(context["draft"], True)] if context["draft"] else []
    lines += [
        (f"{printable_answer.reference}: {printable_answer.title}", True),
        (context["force"].name, False),
        ("", False),
    ]
    counted = [question for question in context["questions"] if question.counted]
    lines += [("Sheets", True)] if counted else []
    lines += [
        (f"{title}: {question.answer.text or question.answer.table.heading}", False)
        for title, question in zip(titles, counted, strict=True)
    ]
    for question in context["questions"]:
        if not question.counted:
            lines += [("", False), (question.title, True)]
            lines += [(paragraph, False) for paragraph in question.prose]
    for section in (*context["sections"], *context["public_annex"]):
        lines += [("", False), (section.heading, True)]
        lines += [(block.text, False) for block in section.blocks]
    for number, (text, strong) in enumerate(lines, 1):
        if text:
            _write_text_cell(sheet, (number, 1), text, strong=strong)
            sheet.row_dimensions[number].height = _estimate_row_height(text, _NOTES_WIDTH)
    sheet.column_dimensions["A"].width = _NOTES_WIDTH
    _set_up_page(sheet, rows=len(lines), columns=1)


def _list_remarks(question: QuestionView, context: dict[str, Any]) -> list[str]:
    """The remarks printed below a table."""
    table, restriction = question.answer.table, question.answer.within
    counts = [count for row in table.rows_and_total for count in row.counts]
    return [
        *([f"This part counts only {question.noun.plural} {restriction}."] if restriction else []),
        *question.columns,
        *question.note,
        *question.answer.notes,
        *(context["coverage"] if NOT_COVERED in counts else []),
        *([context["withheld"]] if None in counts and context["withheld"] else []),
        *([context["rounded"]] if context["rounded"] else []),
    ]


def _fill_question_sheet(
    sheet: Worksheet, question: QuestionView, remarks: Sequence[str], mark: str
) -> None:
    """Write the mark and the title, the head, the rows and the total, and the remarks below."""
    from openpyxl.utils import get_column_letter

    table = question.answer.table
    labels, figures = list_label_heads(table), list_printed_columns(table)
    heads = list_column_heads(table)
    first_figure = len(labels) + 1
    for column_number, head in enumerate(heads, 1):
        _write_text_cell(
            sheet, (2, column_number), head, strong=True, right=column_number >= first_figure
        )
        sheet.column_dimensions[get_column_letter(column_number)].width = _FIGURES_WIDTH
    rows = (*table.rows, table.total)
    for number, row in enumerate(rows, 3):
        strong = row is table.total
        for column_number, text in enumerate(list_row_names(row, table), 1):
            _write_text_cell(sheet, (number, column_number), text, strong=strong)
        for column_number, column in enumerate(figures, first_figure):
            position, value = (number, column_number), column.get_value(row, table)
            if column.shares and isinstance(value, int):
                _write_number_cell(sheet, position, value / 100, "0%", strong=strong)
            else:
                _write_count_cell(sheet, position, value, strong=strong)
    sheet.row_dimensions[2].height = max(
        _estimate_row_height(head, _FIGURES_WIDTH) for head in heads[1:]
    )
    widths = _set_label_widths(sheet, table)
    for number, row in enumerate(rows, 3):
        heights = map(_estimate_row_height, list_row_names(row, table), widths)
        sheet.row_dimensions[number].height = max(heights)
    columns, width = _measure_text_span(sheet, len(heads))
    end = len(rows) + 2
    title = "\n".join(filter(None, (mark, question.title)))
    for number, text in ((1, title), *enumerate(remarks, end + 2)):
        _write_text_cell(sheet, (number, 1), text, strong=number == 1)
        sheet.merge_cells(start_row=number, end_row=number, start_column=1, end_column=columns)
        sheet.row_dimensions[number].height = _estimate_row_height(text, width)
        end = max(end, number)
    sheet.freeze_panes = sheet.cell(3, first_figure).coordinate
    sheet.print_title_rows = "2:2"
    sheet.print_title_cols = f"A:{get_column_letter(first_figure - 1)}"
    _set_up_page(sheet, rows=end, columns=max(columns, len(heads)))


def _set_label_widths(sheet: Worksheet, table: Table) -> list[int]:
    """Make the columns of labels as wide as their texts, within limits; codes and references keep
    the width of figures. Returns the width of each."""
    from openpyxl.utils import get_column_letter

    sized = len(table.fields) or 1
    cells = [list_label_heads(table), *(list_row_names(row, table) for row in table.rows_and_total)]
    longest = [max(map(len, column)) for column in zip(*cells, strict=True)]
    widths = [
        min(length + 3, _LABELS_WIDTH // (1 if number == 0 else 2))
        if number < sized
        else _FIGURES_WIDTH
        for number, length in enumerate(longest)
    ]
    for number, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    return widths


def _fill_review_sheet(sheet: Worksheet, reviews: Sequence[ReviewView]) -> None:
    """Write what was read of each number and of each part, and the range that follows."""
    from openpyxl.utils import get_column_letter

    for column_number, head in enumerate(_REVIEW_HEADS, 1):
        _write_text_cell(sheet, (1, column_number), head, strong=True, right=column_number > 2)
        width = _FIGURES_WIDTH if column_number > 2 else _REVIEW_LABEL_WIDTH
        sheet.column_dimensions[get_column_letter(column_number)].width = width
    sheet.row_dimensions[1].height = max(
        _estimate_row_height(head, _FIGURES_WIDTH) for head in _REVIEW_HEADS
    )
    number = 1
    for review in reviews:
        for part in (*review.result.strata, review.result.total):
            number += 1
            names = (review.title, part.label or "All")
            for column_number, text in enumerate(names, 1):
                _write_text_cell(sheet, (number, column_number), text)
            sheet.row_dimensions[number].height = max(
                _estimate_row_height(text, _REVIEW_LABEL_WIDTH) for text in names
            )
            for column_number, count in enumerate(_list_review_counts(part), 3):
                _write_count_cell(sheet, (number, column_number), count, strong=not part.label)
    sheet.freeze_panes = "C2"
    sheet.print_title_rows = "1:1"
    _set_up_page(sheet, rows=number, columns=len(_REVIEW_HEADS))


def _list_review_counts(part: ReviewedPart) -> tuple[Count, ...]:
    return (
        part.mentioned,
        part.sampled,
        part.relevant,
        part.not_relevant,
        part.undecided + part.stale + part.unread,
        part.range.low if part.range else None,
        part.range.high if part.range else None,
    )


def _measure_text_span(sheet: Worksheet, heads: int) -> tuple[int, int]:
    """How many columns a text spans, and how many characters fit across them."""
    from openpyxl.utils import get_column_letter

    columns, width = 1, int(sheet.column_dimensions["A"].width)
    while width < _MIN_TEXT_WIDTH or (columns < heads and width + _FIGURES_WIDTH <= _NOTES_WIDTH):
        columns += 1
        sheet.column_dimensions[get_column_letter(columns)].width = _FIGURES_WIDTH
        width += _FIGURES_WIDTH
    return columns, width


def _estimate_row_height(text: str, width: int) -> float:
    """The height in points of a text that wraps in a column of ``width`` characters."""
    return _LINE_HEIGHT * sum(
        max(1, len(textwrap.wrap(line, width - 2))) for line in text.split("\n")
    )


def _write_text_cell(  # noqa: PLR0913 - the properties of a cell
    sheet: Worksheet,
    position: tuple[int, int],
    text: str,
    *,
    strong: bool = False,
    right: bool = False,
    wrap: bool = True,
) -> None:
    from openpyxl.styles import Alignment, Font

    cell = sheet.cell(*position)
    cell.value = _fit_cell(text)
    cell.data_type = "s"  # even if it looks like a formula or an error
    cell.quotePrefix = text != escape_formula(text)
    cell.font = Font(name=_FONT, size=10, bold=strong)
    cell.alignment = Alignment(
        wrap_text=wrap, vertical="top", horizontal="right" if right else None
    )


def _fit_cell(text: str) -> str:
    """A text, or as much of it as a cell can hold, and that there is more: openpyxl cuts it off."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * _MAX_CELL_UNITS:
        return text
    room = 2 * (_MAX_CELL_UNITS - len(_CUT_MARK))
    return units[:room].decode("utf-16-le", "ignore") + _CUT_MARK


def _write_count_cell(
    sheet: Worksheet, position: tuple[int, int], count: Count | Share, *, strong: bool
) -> None:
    if not isinstance(count, int):
        text = WITHHELD_SIGN if count is None else count
        _write_text_cell(sheet, position, text, strong=strong, right=True)
        return
    _write_number_cell(sheet, position, count, "#,##0", strong=strong)


def _write_number_cell(
    sheet: Worksheet, position: tuple[int, int], number: float, number_format: str, *, strong: bool
) -> None:
    from openpyxl.styles import Alignment, Font

    cell = sheet.cell(*position)
    cell.value, cell.number_format = number, number_format
    cell.font = Font(name=_FONT, size=10, bold=strong)
    cell.alignment = Alignment(vertical="top")


def _set_up_page(sheet: Worksheet, rows: int, columns: int) -> None:
    """Print on A4: a wide table in landscape, a very wide one on several pages side by side."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    sheet.print_area = f"A1:{get_column_letter(columns)}{rows}"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    if columns > _UPRIGHT_COLUMNS:
        sheet.page_setup.orientation = sheet.ORIENTATION_LANDSCAPE
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.page_setup.fitToWidth = -(-columns // _COLUMNS_PER_PAGE)
    sheet.page_setup.fitToHeight = 0
    footer = sheet.HeaderFooter.oddFooter
    assert footer is not None
    footer.left.text, footer.right.text = "&A", "&P of &N"
