"""The letter as a Word file, from a Word file with tags that a force may edit in Word."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import jinja2

from indexer.errors import ConfigurationError
from queries.answer.types import NOT_COVERED
from queries.documents.content.context import DocumentContext
from queries.documents.content.letter.contents import require_contents
from queries.documents.content.number_check import ExtractedText, require_same_numbers
from queries.documents.content.templates import (
    EscapeMode,
    describe_template_error,
    find_template,
    get_environment,
    read_template,
)
from queries.documents.formats.optional_imports import require_extra
from queries.documents.formats.zip_archive import fix_zip_timestamps
from queries.layout.table_parts import (
    LONGEST_WORD,
    fit_label_widths,
    is_kept_whole,
    widen_columns,
)

#: The style of the tables whose columns are made as wide as they need.
TABLE_STYLE: Final = "Figures"

_TEMPLATE_NAME: Final = "letter.docx"

_LETTER_WIDTH: Final = 64_000  # an ordinary letter of a cell, in EMU: 1.8 mm

_BOLD: Final = 1.1  # how much wider bold letters are

_WIDE_LETTERS: Final = frozenset("mwMW@%")

_CELL_PADDING: Final = 160_000  # the space beside it

_INTRODUCTION: Final = 8  # at most so many paragraphs before a table stay with it

_LIST_STYLE: Final = "List Bullet"

_SHORT_LIST: Final = 8

_TAGS: Final = re.compile(r"<[^>]+>")


def render_letter_docx(context: DocumentContext) -> bytes:
    """The letter as a Word file. Raises ConfigurationError for a template that is wrong."""
    return save_docx(fill_letter_docx(context), context.run_at)


def fill_letter_docx(context: DocumentContext) -> Any:
    """The letter as a Word document, its numbers checked. Raises ConfigurationError."""
    templates = context.settings.templates
    path = find_template(_TEMPLATE_NAME, templates)
    document = _render_docx_template(path, context.names, templates)
    content = extract_docx_text(document)
    require_same_numbers(content, context.expected, str(path))
    require_contents(content, context.names, str(path))
    return document


def extract_docx_text(document: Any) -> ExtractedText:
    """The text of a Word document."""
    return ExtractedText(
        [paragraph.text for paragraph in document.paragraphs],
        [
            (label.text, [cell.text for cell in cells])
            for table in document.tables
            for label, *cells in (row.cells for row in table.rows if row.cells)
        ],
    )


def _render_docx_template(
    path: Path, letter_context: Mapping[str, Any], custom_templates: Path | None
) -> Any:
    with require_extra("A Word file"):
        from docx.opc.exceptions import PackageNotFoundError
        from docxtpl import DocxTemplate
        from lxml.etree import XMLSyntaxError

    class Letter(DocxTemplate):  # type: ignore[misc]
        """A template whose errors quote the words near the fault."""

        def render_xml_part(self, source: str, *arguments: Any) -> str:
            try:
                return str(super().render_xml_part(source, *arguments))
            except Exception as error:  # noqa: BLE001 - a template may do anything
                location = _quote_error_paragraph(re.sub(r"<w:p([ >])", r"\n<w:p\1", source), error)
                raise ConfigurationError(
                    f"{path}{location}: {describe_template_error(error, letter_context)}"
                ) from None

        def render_properties(self, context: Any, jinja_env: Any = None) -> None:
            del jinja_env  # it escapes, and so does what writes the properties
            super().render_properties(context, get_environment(EscapeMode.TEXT, custom_templates))

    try:
        letter = Letter(io.BytesIO(read_template(path)))
        letter.render(
            dict(letter_context),
            jinja_env=get_environment(EscapeMode.MARKUP, custom_templates).overlay(),
            autoescape=True,
        )
    except (PackageNotFoundError, BadZipFile, KeyError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: is not a Word file ({error}). Save it as .docx."
        ) from None
    except XMLSyntaxError:
        raise ConfigurationError(
            f"{path}: is not a Word file any more once it is filled in. Check that each tag "
            "such as {%p for ... %} stands alone in its paragraph, row or cell, and has its end."
        ) from None
    except (jinja2.TemplateError, RecursionError, MemoryError) as error:  # in the properties
        raise ConfigurationError(
            f"{path}: {describe_template_error(error, letter_context)}"
        ) from None
    for table in letter.docx.tables:
        if table.style is not None and table.style.name == TABLE_STYLE:
            _set_column_widths(table, letter.docx.sections[0])
            _keep_rows_together(table)
            _keep_introduction(table)
    _keep_lists_whole(letter.docx)
    return letter.docx


def _set_column_widths(table: Any, page: Any) -> None:
    """Share the page among a table's columns: the figures take what they need, the heads get what
    the labels leave, and the labels get the rest."""
    room = page.page_width - page.left_margin - page.right_margin
    grid, rows = table._tbl.tblGrid.gridCol_lst, table._tbl.tr_lst  # noqa: SLF001
    first = _count_label_columns(table)
    figures = [_measure_longest_word(rows, index) for index in range(first, len(grid))]
    body = rows if first == 1 else rows[:-1]  # the total of a list may take several lines
    labels = [max(_measure_cell(row, index) for row in body) for index in range(first)]
    heads = [_measure_cell(rows[0], index) for index in range(first, len(grid))]
    spare = room - sum(figures) - min(room // 2, sum(labels))
    figures = widen_columns(figures, heads, spare)
    label_room = max(room - sum(figures), room // 5)
    widths = [*fit_label_widths(labels, label_room), *figures]
    for column, width in zip(grid, widths, strict=True):
        column.w = width
    for row in rows:
        for cell, width in zip(row.tc_lst, widths, strict=False):  # a force may merge cells
            cell.width = width
    _merge_total_labels(table, first)


def _merge_total_labels(table: Any, first: int) -> None:
    """Let the label of a list's total take the room of the fields, where it has only a label."""
    last = table.rows[-1]
    others = last.cells[1:first]
    if others and not any(cell.text.strip() for cell in others):
        merged = last.cells[0].merge(last.cells[first - 1])
        for paragraph in merged.paragraphs[1:]:
            merged._tc.remove(paragraph._p)  # noqa: SLF001


def _count_label_columns(table: Any) -> int:
    """How many columns stand before the figures, whose heads are on the right."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraphs = [cell.paragraphs[0] for cell in table.rows[0].cells]
    on_right = [paragraph.alignment == WD_ALIGN_PARAGRAPH.RIGHT for paragraph in paragraphs]
    return max(1, on_right.index(True) if True in on_right else 1)


def _keep_rows_together(table: Any) -> None:
    """Keep a table of at most half a page on one page; of any other, the first rows with the heads,
    and the total row with the rows before."""
    rows = list(table.rows)
    is_whole = is_kept_whole(map(_count_lines, rows[1:]))
    rows_together = rows[:-1] if is_whole else [*rows[:3], *rows[-3:-1]]
    for row in rows_together:
        for cell in row.cells:
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.keep_with_next = True


def _count_lines(row: Any) -> int:
    """How many lines a row takes: those of its longest cell."""
    return max(
        (
            -(-_measure_cell(row._tr, index) // cell.width)  # noqa: SLF001
            for index, cell in enumerate(row._tr.tc_lst)  # noqa: SLF001
            if cell.width
        ),
        default=1,
    )


def _keep_introduction(table: Any) -> None:
    """Keep a few paragraphs between a heading and its table with the table."""
    from docx.oxml.ns import qn as qualify
    from docx.text.paragraph import Paragraph

    element = table._tbl.getprevious()  # noqa: SLF001
    for _ in range(_INTRODUCTION):
        if element is None or element.tag != qualify("w:p"):
            return
        paragraph = Paragraph(element, table)
        if paragraph.style is not None and paragraph.style.name.startswith("Heading"):
            return
        paragraph.paragraph_format.keep_with_next = True
        element = element.getprevious()


def _keep_lists_whole(document: Any) -> None:
    """Keep the items of a short list on one page, with the heading above them."""
    run: list[Any] = []
    for paragraph in (*document.paragraphs, None):
        if paragraph is not None and paragraph.style.name == _LIST_STYLE:
            run.append(paragraph)
            continue
        if len(run) <= _SHORT_LIST:
            for item in run[:-1]:
                item.paragraph_format.keep_with_next = True
        run = []


def _measure_cell(row: Any, index: int) -> int:
    """The width of a cell's text in one line, in EMU."""
    cells = row.tc_lst
    lines = cells[index].p_lst if index < len(cells) else []
    return _CELL_PADDING + max((_measure_text(line.text) for line in lines), default=0)


def _measure_longest_word(rows: Any, index: int) -> int:
    """The width of the longest word in a column, in EMU; heads and totals are bold."""
    cells = (row.tc_lst[index] for row in rows if index < len(row.tc_lst))
    lines = (line.text for cell in cells for line in cell.p_lst)
    words = (
        word for text in lines for word in ([text] if text == NOT_COVERED else text.split(" "))
    )
    longest = max((_measure_text(word[:LONGEST_WORD]) for word in words), default=0)
    return _CELL_PADDING + int(_BOLD * longest)


def _measure_text(text: str) -> int:
    """The width of a text in ordinary letters, in EMU."""
    wide = sum(letter in _WIDE_LETTERS for letter in text)
    return _LETTER_WIDTH * len(text) + _LETTER_WIDTH * wide // 2


def _quote_error_paragraph(source: str, error: Exception) -> str:
    """The first words of the paragraph in which a template is wrong."""
    line = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    lines = source.splitlines()
    if line is None or not 0 < line <= len(lines):
        return ""
    words = " ".join(_TAGS.sub(" ", lines[line - 1]).split())
    return f', at "{words[:80]}"' if words else ""


def save_docx(document: Any, moment: datetime) -> bytes:
    """A Word document as bytes that depend only on its content and the given moment."""
    properties = document.core_properties
    properties.created = properties.modified = moment.astimezone(UTC).replace(tzinfo=None)
    properties.last_modified_by, properties.revision = "", 1
    file = io.BytesIO()
    document.save(file)
    return fix_zip_timestamps(file.getvalue(), moment)
