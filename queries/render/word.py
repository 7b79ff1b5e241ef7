"""The letter as a Word file, from a Word file with tags that a force may edit in Word."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile

import jinja2

from indexer.errors import ConfigurationError
from indexer.settings import Force
from queries.answer import Answer
from queries.render import extras, packages, readback, tables, templates, view
from queries.render.readback import Read
from queries.render.templates import Form

#: The style of the tables whose columns are made as wide as they need.
TABLE: Final = "Figures"
_NAME: Final = "letter.docx"
_LETTER: Final = 72_000  # a bold letter of a cell, in EMU: 2 mm
_AROUND_CELL: Final = 160_000  # the space beside it
_TAGS: Final = re.compile(r"<[^>]+>")


def letter_docx(answer: Answer, force: Force, day: date, own: Path | None = None) -> bytes:
    """The letter as a Word file. Raises ConfigurationError for a template that is wrong."""
    path = templates.find(_NAME, own)
    names = view.names(answer, force, day, own)
    document = _rendered(path, names, own)
    readback.require(_read(document), answer, force, str(path))
    return saved(document, answer.provenance.run_at)


def _read(document: Any) -> Read:
    return Read(
        [one.text for one in document.paragraphs],
        [
            (label.text, [cell.text for cell in cells])
            for table in document.tables
            for label, *cells in (row.cells for row in table.rows if row.cells)
        ],
    )


def _rendered(path: Path, names: Mapping[str, Any], own: Path | None) -> Any:
    with extras.needed("A Word file"):
        from docx.opc.exceptions import PackageNotFoundError
        from docxtpl import DocxTemplate
        from lxml.etree import XMLSyntaxError

    class Letter(DocxTemplate):  # type: ignore[misc]
        """A template that says near which words it is wrong."""

        def render_xml_part(self, source: str, *arguments: Any) -> str:
            try:
                return str(super().render_xml_part(source, *arguments))
            except Exception as error:  # noqa: BLE001 - a template may do anything
                near = _near(re.sub(r"<w:p([ >])", r"\n<w:p\1", source), error)
                raise ConfigurationError(f"{path}{near}: {templates.told(error, names)}") from None

        def render_properties(self, context: Any, jinja_env: Any = None) -> None:
            del jinja_env  # it escapes, and so does what writes the properties
            super().render_properties(context, templates.environment(Form.TEXT, own))

    try:
        letter = Letter(path)
        letter.render(
            dict(names),
            jinja_env=templates.environment(Form.MARKUP, own).overlay(),
            autoescape=True,
        )
    except (PackageNotFoundError, BadZipFile, KeyError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: is not a Word file ({error}). Save it as .docx."
        ) from None
    except XMLSyntaxError:
        raise ConfigurationError(
            f"{path}: is no Word file any more once filled in. Check that each tag such as "
            "{%p for ... %} stands alone in its paragraph, row or cell, and has its end."
        ) from None
    except jinja2.TemplateError as error:  # in the properties
        raise ConfigurationError(f"{path}: {templates.told(error, names)}") from None
    for table in letter.docx.tables:
        if table.style is not None and table.style.name == TABLE:
            _widen(table, letter.docx.sections[0])
            _keep_total(table)
    return letter.docx


def _widen(table: Any, page: Any) -> None:
    """Share the page among a table's columns: the figures take what they need; what the labels
    leave goes to the heads, then to them."""
    room = page.page_width - page.left_margin - page.right_margin
    grid, rows = table._tbl.tblGrid.gridCol_lst, table._tbl.tr_lst  # noqa: SLF001
    figures = [_needed(rows, place) for place in range(1, len(grid))]
    labels = min(room // 2, max(_width(row, 0) for row in rows))
    heads = [_width(rows[0], place) for place in range(1, len(grid))]
    figures = tables.widened(figures, heads, room - sum(figures) - labels)
    widths = [max(room - sum(figures), room // 5), *figures]
    for column, width in zip(grid, widths, strict=True):
        column.w = width
    for row in rows:
        for cell, width in zip(row.tc_lst, widths, strict=False):  # a force may merge cells
            cell.width = width


def _keep_total(table: Any) -> None:
    """The total is never alone on a page."""
    for row in table.rows[-3:-1]:
        for cell in row.cells:
            for paragraph in cell.paragraphs:
                paragraph.paragraph_format.keep_with_next = True


def _width(row: Any, place: int) -> int:
    """What a cell takes in one line, in EMU."""
    cells = row.tc_lst
    lines = cells[place].p_lst if place < len(cells) else []
    return _AROUND_CELL + _LETTER * max((len(line.text) for line in lines), default=0)


def _needed(rows: Any, place: int) -> int:
    """What the longest word of a column takes, in EMU."""
    cells = (row.tc_lst[place] for row in rows if place < len(row.tc_lst))
    words = (word for cell in cells for line in cell.p_lst for word in line.text.split())
    longest = max(map(len, words), default=0)
    return _AROUND_CELL + _LETTER * min(longest, tables.LONGEST_WORD)


def _near(source: str, error: Exception) -> str:
    """The words of the paragraph at which a template is wrong."""
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


def saved(document: Any, moment: datetime) -> bytes:
    """A Word document as bytes that depend on its content and the moment alone."""
    about = document.core_properties
    about.created = about.modified = moment.astimezone(UTC).replace(tzinfo=None)
    about.last_modified_by, about.revision = "", 1
    file = io.BytesIO()
    document.save(file)
    return packages.sealed(file.getvalue(), moment)
