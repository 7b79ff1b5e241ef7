"""Letters as Word files (.docx): paragraphs with the numbers that Word prints, tables, text boxes.

Headers, footers, comments, deleted and hidden text are left out. No macro, field, link or
object is followed, and nothing outside the file is read, nor a file that the letter inserts.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any, Final

import docx
from docx.oxml.ns import qn

from queries.drafting.letter_text import BlockKind
from queries.drafting.lines.line import BLANK, Line, clean_text, squeeze_spaces
from queries.drafting.lines.mail_chain import ChainMail, read_mails
from queries.drafting.lines.word_numbering import ItemNumber, WordNumbering
from queries.drafting.readers.faults import (
    MAX_TEXT_BYTES,
    MAX_UNPACKED_BYTES,
    LetterFault,
    UnreadableLetterError,
)

_COMPATIBILITY: Final = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"

_ALTERNATIVE: Final = f"{_COMPATIBILITY}AlternateContent"

_CHOICE: Final = f"{_COMPATIBILITY}Choice"

_OLE_MARK: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

#: Around paragraphs or runs, and of no meaning here.
_WRAPPERS: Final = tuple(
    qn(name)
    for name in (
        "w:sdt", "w:sdtContent", "w:customXml", "w:ins", "w:moveTo", "w:smartTag", "w:hyperlink",
        "w:fldSimple", "w:dir", "w:bdo",
    )
)  # fmt: skip

#: What hides a run, or strikes it out.
_LEFT_OUT: Final = ("w:vanish", "w:strike", "w:dstrike")

_FORMULAS: Final = (qn("m:oMath"), qn("m:oMathPara"))

#: What stands before a part of a formula, so that a half is not 12.
_FORMULA_SIGNS: Final = {qn("m:den"): "/", qn("m:sup"): "^"}

#: What is said to be unread of a letter with text that Word takes from a file within it.
INSERTED_FILE: Final = "a file inserted into the text"

_TEXT_OF: Final = {
    qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-",
}  # fmt: skip

#: Parts of a document that hold the text of a letter; a damaged one may name others of any size.
_LARGEST_TEXT_PART: Final = 8 * MAX_TEXT_BYTES


def read_word_file(data: bytes, unread: list[str]) -> list[ChainMail]:
    """The mails of a Word file: the letter. Adds to ``unread`` for each file that it inserts.

    Raises UnreadableLetterError.
    """
    _check_package(data)
    document = docx.Document(io.BytesIO(data))
    reader = _WordReader(document)
    for element in document.element.body:
        reader.read_body_element(element)
    unread += [INSERTED_FILE for _ in document.element.body.iter(qn("w:altChunk"))]
    return read_mails(reader.lines)


def _check_package(data: bytes) -> None:
    """Raise UnreadableLetterError for a file that is none of Word's, or unpacks to too much."""
    if data.startswith(_OLE_MARK):  # how Word writes a file with a password
        raise UnreadableLetterError(LetterFault.PROTECTED)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        raise UnreadableLetterError(LetterFault.DAMAGED) from None
    texts = [part.file_size for part in parts if part.filename.endswith((".xml", ".rels"))]
    if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES or (
        texts and max(texts) > _LARGEST_TEXT_PART
    ):
        raise UnreadableLetterError(LetterFault.TOO_LONG)


class _WordReader:
    """Reads the elements of a document in order."""

    def __init__(self, document: Any) -> None:
        self.lines: list[Line] = []
        part = document.part
        # Asking the part itself would make a numbering where the file has none.
        numbering = next(
            (
                relation.target_part.element
                for relation in part.rels.values()
                if not relation.is_external and relation.reltype.endswith("/numbering")
            ),
            None,
        )
        self._numbering = WordNumbering(numbering, document.styles.element)
        self._headings = {
            style.style_id
            for style in document.styles
            if (style.name or "").lower().startswith(("heading", "title"))
        }

    def read_body_element(self, element: Any) -> None:
        """Read a paragraph, a table, or what is around some."""
        if element.tag == qn("w:p"):
            self._read_paragraph(element)
        elif element.tag == qn("w:tbl"):
            self._read_table(element)
        elif element.tag in _FORMULAS:
            self._add_paragraph(clean_text("".join(_read_formula(element))), None, heading=False)
        else:
            for child in _open_wrapper(element):
                self.read_body_element(child)

    def _read_paragraph(self, paragraph: Any) -> None:
        properties = paragraph.find(qn("w:pPr"))
        number = self._numbering.number_paragraph(properties)
        text = clean_text("".join(_read_runs(paragraph)))
        self._add_paragraph(text, number, self._is_heading(properties))
        for box in _list_text_boxes(paragraph):
            for element in box:
                self.read_body_element(element)

    def _is_heading(self, properties: Any) -> bool:
        style = properties.find(qn("w:pStyle")) if properties is not None else None
        return style is not None and style.get(qn("w:val")) in self._headings

    def _add_paragraph(self, text: str, number: ItemNumber | None, heading: bool) -> None:  # noqa: FBT001 - one of its properties
        if not text.strip():
            return
        if number:
            self.lines.append(
                Line(
                    text=squeeze_spaces(text),
                    kind=BlockKind.ITEM,
                    number=number.number,
                    level=number.level,
                )
            )
        elif heading:
            self.lines.append(Line(text=squeeze_spaces(text), kind=BlockKind.HEADING))
        else:
            self.lines += [Line(text=line.strip()) for line in text.split("\n")]
        self.lines.append(BLANK)

    def _read_table(self, table: Any) -> None:
        for row in _iterate_rows(table):
            cells = list(_iterate_cells(row))
            if _is_data_row(cells):
                texts = [squeeze_spaces(clean_text(_read_cell(cell))) for cell in cells]
                if any(texts):
                    self.lines += [Line(text="\t".join(texts), kind=BlockKind.ROW), BLANK]
            else:
                for cell in cells:
                    for element in cell:
                        self.read_body_element(element)


def _iterate_rows(table: Iterable[Any]) -> Iterator[Any]:
    for element in table:
        if element.tag == qn("w:tr"):
            yield element
        else:
            for inner in _open_wrapper(element):
                yield from _iterate_rows([inner])


def _iterate_cells(row: Iterable[Any]) -> Iterator[Any]:
    for element in row:
        if element.tag == qn("w:tc"):
            yield element
        else:
            for inner in _open_wrapper(element):
                yield from _iterate_cells([inner])


def _is_data_row(cells: list[Any]) -> bool:
    """Whether a row has several cells without lists or tables; others only arrange a page."""
    inner = (qn("w:numPr"), qn("w:tbl"))
    return len(cells) > 1 and not any(next(cell.iter(*inner), None) is not None for cell in cells)


def _read_cell(cell: Any) -> str:
    paragraphs = [part for part in cell.iter(qn("w:p")) if not _is_second_form(part)]
    return " ".join("".join(_read_runs(paragraph)) for paragraph in paragraphs)


def _is_second_form(paragraph: Any) -> bool:
    """Whether a paragraph is there in another form, which is read."""
    forms = paragraph.iterancestors(f"{_COMPATIBILITY}Fallback")
    return any(form.getparent().find(_CHOICE) is not None for form in forms)


def _read_runs(element: Iterable[Any]) -> Iterator[str]:
    """The text of the runs in an element, without that of text boxes."""
    for child in element:
        if child.tag == qn("w:r"):
            if not _is_hidden(child):
                yield from _read_run(child)
        elif child.tag in _FORMULAS:
            yield from _read_formula(child)
        else:
            yield from _read_runs(_open_wrapper(child))


def _read_run(run: Iterable[Any]) -> Iterator[str]:
    for child in run:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in _TEXT_OF:
            yield _TEXT_OF[child.tag]
        elif child.tag == qn("w:ruby"):
            for base in child.iterchildren(qn("w:rubyBase")):
                yield from _read_runs(base)
        elif child.tag == _ALTERNATIVE:
            yield from _read_run(_open_wrapper(child))


def _read_formula(formula: Any) -> Iterator[str]:
    for part in formula.iter(qn("m:t"), *_FORMULA_SIGNS):
        yield _FORMULA_SIGNS.get(part.tag) or part.text or ""


def _open_wrapper(element: Any) -> Iterable[Any]:
    """What an element is around; of what is there in two forms, the one for newer programs. Nothing
    for other elements."""
    if element.tag == _ALTERNATIVE:
        choice = element.find(_CHOICE)
        return choice if choice is not None else next(iter(element), ())
    return element if element.tag in _WRAPPERS else ()


def _is_hidden(run: Any) -> bool:
    """Whether the text of a run is not to be read: it is hidden, or struck out."""
    marks = (run.find(f"{qn('w:rPr')}/{qn(name)}") for name in _LEFT_OUT)
    return any(
        mark is not None and mark.get(qn("w:val")) not in ("0", "false", "off") for mark in marks
    )


def _list_text_boxes(paragraph: Iterable[Any]) -> Iterator[Any]:
    """The text boxes of a paragraph; of a box that is there in two forms, one."""
    for child in paragraph:
        if child.tag == qn("w:txbxContent"):
            yield child
        elif child.tag == _ALTERNATIVE:
            yield from _list_text_boxes(_open_wrapper(child))
        else:
            yield from _list_text_boxes(child)
