"""The lines of an HTML text: paragraphs, lists with their numbers, tables and quotations.

No style sheet, script, picture or link is loaded; what a style hides, or is struck out, is left out.
"""

from __future__ import annotations

import re
from typing import Final

from lxml import etree, html

from queries.drafting.letter_text import BlockKind
from queries.drafting.lines.item_numbers import write_roman
from queries.drafting.lines.line import MAX_QUOTE_DEPTH, Line, clean_text, squeeze_spaces
from queries.drafting.readers.faults import LetterFault, UnreadableLetterError

_SKIPPED: Final = frozenset(
    {
        "script", "style", "head", "title", "noscript", "template", "svg", "math", "object",
        "embed", "iframe", "applet", "audio", "video", "canvas", "select", "button", "meta", "link",
        "s", "strike", "del",
    }
)  # fmt: skip

_BLOCKS: Final = frozenset(
    {
        "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div",
        "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
        "header", "hr", "html", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody",
        "td", "tfoot", "th", "thead", "tr", "ul",
    }
)  # fmt: skip

_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})

_HIDING: Final = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![.\d])"
    r"|text-decoration(?:-line)?\s*:[^;]*\bline-through\b",
    re.IGNORECASE,
)

_LIST_STYLE: Final = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.IGNORECASE)

#: The types of a numbered list, by attribute and by style.
_LIST_TYPES: Final = {
    "decimal": "1", "lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A",
    "upper-latin": "A", "lower-roman": "i", "upper-roman": "I",
}  # fmt: skip

#: The deepest nesting of elements that is read; the parser itself stops soon after.
_MAX_DEPTH: Final = 200


def read_html_lines(text: str) -> list[Line]:
    """The lines of an HTML text. Raises UnreadableLetterError for one nested too deeply."""
    if not text.strip():
        return []
    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    try:
        root = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # nothing but comments
        return []
    reader = _HtmlReader()
    reader.read_element(root, 0)
    reader.end_paragraph()
    return reader.lines


def write_list_number(value: int, kind: str) -> str:
    """The number of an item as a browser prints it: kind is 1, a, A, i or I."""
    if kind in ("i", "I") and 0 < value < 4000:
        roman = write_roman(value)
        return f"{roman if kind == 'i' else roman.upper()}."
    if kind in ("a", "A") and value > 0:
        letters = ""
        while value:
            value, digit = divmod(value - 1, 26)
            letters = chr(ord(kind) + digit) + letters
        return f"{letters}."
    return f"{value}."


class _HtmlList:
    """A list that is open: its kind, None for bullets, and the number of its next item."""

    def __init__(self, element: html.HtmlElement) -> None:
        style = _LIST_STYLE.search(element.get("style") or "")
        named = style[1].lower() if style else ""
        self.kind: str | None = None
        self.plain = named == "none"
        if element.tag == "ol":
            self.kind = _LIST_TYPES.get(named) or element.get("type") or "1"
        self.next = _read_whole_number(element.get("start"), 1)


def _read_whole_number(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,6}", text.strip()) else default


class _HtmlReader:
    """Reads elements in order; text is collected until a paragraph ends."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._text: list[str] = []
        self._quote_depth = 0
        self._lists: list[_HtmlList] = []
        self._hint: tuple[BlockKind, str | None, int] | None = None  # of the next paragraph

    def read_element(self, element: html.HtmlElement, depth: int) -> None:
        """Read an element and those in it. Raises UnreadableLetterError."""
        if depth > _MAX_DEPTH:
            raise UnreadableLetterError(LetterFault.TOO_DEEP)
        tag = element.tag if isinstance(element.tag, str) else ""
        if tag and tag not in _SKIPPED and not _is_hidden(element):
            if tag == "br":
                self._text.append("\n")
            elif tag == "tr" and _is_data_row(element):
                self._read_row(element)
            elif tag in _BLOCKS:
                self._read_block(element, tag, depth)
            else:
                self._read_content(element, depth)

    def _read_content(self, element: html.HtmlElement, depth: int) -> None:
        preformatted = element.tag in ("pre", "textarea")
        self._add_text(element.text, preformatted=preformatted)
        for child in element:
            self.read_element(child, depth + 1)
            self._add_text(child.tail, preformatted=preformatted)

    def _read_block(self, element: html.HtmlElement, tag: str, depth: int) -> None:
        self.end_paragraph()
        quotes = tag == "blockquote" and _is_quotation(element)
        self._quote_depth += quotes and self._quote_depth < MAX_QUOTE_DEPTH
        before = self._quote_depth
        if tag in ("ol", "ul"):
            self._lists.append(_HtmlList(element))
        elif tag == "li":
            self._hint = self._number_item(element)
        elif tag in _HEADINGS:
            self._hint = (BlockKind.HEADING, None, 0)
        self._read_content(element, depth)
        self.end_paragraph()
        if tag in ("ol", "ul"):
            self._lists.pop()
        elif tag == "li":
            self._hint = None
        self._quote_depth = before - quotes

    def _number_item(self, element: html.HtmlElement) -> tuple[BlockKind, str | None, int] | None:
        level = max(len(self._lists) - 1, 0)
        if not self._lists:
            return (BlockKind.ITEM, None, level)
        entry = self._lists[-1]
        if entry.kind is None:
            return None if entry.plain else (BlockKind.ITEM, None, level)
        value = _read_whole_number(element.get("value"), entry.next)
        entry.next = value + 1
        return (BlockKind.ITEM, write_list_number(value, entry.kind), level)

    def _read_row(self, row: html.HtmlElement) -> None:
        self.end_paragraph()
        cells = [squeeze_spaces(clean_text(_collect_text(cell))) for cell in _list_cells(row)]
        self._add_line("\t".join(cells), (BlockKind.ROW, None, 0))
        self._add_line("", None)

    def _add_text(self, text: str | None, *, preformatted: bool) -> None:
        if text:
            plain = text if preformatted else re.sub(r"[ \t\r\n\f]+", " ", text)
            self._text.append(plain)

    def end_paragraph(self) -> None:
        """End the paragraph that is open, if one is."""
        lines = clean_text("".join(self._text)).split("\n")
        self._text = []
        if not any(line.strip() for line in lines):
            return
        hint = self._hint
        if hint and hint[0] is not BlockKind.PARAGRAPH:
            if hint[0] is BlockKind.ITEM:
                lines = [squeeze_spaces(" ".join(lines))]
            self._hint = None
        for line in lines:
            self._add_line(line.strip(), hint)
        self._add_line("", None)

    def _add_line(self, text: str, hint: tuple[BlockKind, str | None, int] | None) -> None:
        depth = self._quote_depth
        if hint is None or not text:
            self.lines.append(Line(text=text, quote_depth=depth))
        else:
            kind, number, level = hint
            self.lines.append(
                Line(text=text, quote_depth=depth, kind=kind, number=number, level=level)
            )


def _is_hidden(element: html.HtmlElement) -> bool:
    return element.get("hidden") is not None or bool(_HIDING.search(element.get("style") or ""))


def _is_quotation(element: html.HtmlElement) -> bool:
    """Whether it holds a mail that is answered; some programs use it to indent a paragraph."""
    return element.get("type") == "cite" or "quote" in (element.get("class") or "").lower()


def _list_cells(row: html.HtmlElement) -> list[html.HtmlElement]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _is_data_row(row: html.HtmlElement) -> bool:
    """Whether a row has several cells of plain text; others only arrange a page."""
    cells = [cell for cell in _list_cells(row) if _collect_text(cell).strip()]
    inner = {"table", "ol", "ul", "blockquote"}
    return len(cells) > 1 and not any(
        inner_element.tag in inner for cell in cells for inner_element in cell.iter()
    )


def _collect_text(element: html.HtmlElement) -> str:
    if not isinstance(element.tag, str) or element.tag in _SKIPPED or _is_hidden(element):
        return ""
    if element.tag == "br":
        return " "
    parts = [element.text or ""]
    for child in element:
        parts += [_collect_text(child), child.tail or ""]
    gap = " " if element.tag in _BLOCKS else ""
    return gap + "".join(parts) + gap
