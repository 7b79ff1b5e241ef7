"""Letters as PDF files with a text layer: lines by their place on the page.

No script, form, link, attachment or font outside the file is used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pypdfium2

from queries.drafting.lines.line import BLANK, Line, clean_text
from queries.drafting.lines.mail_chain import ChainMail, read_mails
from queries.drafting.lines.page_layout import PageLine, TextPiece, lay_out_page
from queries.drafting.readers.faults import MAX_PAGES, LetterFault, UnreadableLetterError

#: How PDFium gives a hyphen at the end of a line.
_BROKEN_WORD: Final = "\x02"

#: The share of a page, from its top and from its bottom, where its number stands; and that where
#: what stands on several pages is a header or a footer.
_NUMBER_MARGIN: Final = 0.1

_RUNNING_MARGIN: Final = 0.15

_PAGE_NUMBER: Final = re.compile(
    r"(?:.*\s)?page\s+\d{1,3}(?:\s*(?:of|/)\s*\d{1,3})?|[-\u2013\s]*\d{1,3}(?:\s*/\s*\d{1,3})?[-\u2013\s]*",
    re.IGNORECASE,
)

#: The most pieces of text that a page of a letter has.
_MAX_PIECES: Final = 5_000

_PASSWORD_ERROR: Final = 4

_WORD: Final = re.compile(r"[^\W\d_]+(?:[-\u2010\u2011][^\W\d_]+)*")


def read_pdf_file(data: bytes) -> list[ChainMail]:
    """The mails of a PDF file: the letter. Raises UnreadableLetterError."""
    pages = _drop_running_lines(_read_pages(data))
    words = _count_words(pages)
    lines: list[Line] = []
    pending: list[PageLine] = [line for page in pages for line in page]
    for index, line in enumerate(pending):
        if line.gap:
            lines.append(BLANK)
        text = line.text
        if text.endswith(_BROKEN_WORD) and index + 1 < len(pending):
            following = pending[index + 1]
            tail, _, rest = following.text.partition(" ")
            text = _mend_word(text.removesuffix(_BROKEN_WORD), tail, words)
            pending[index + 1] = following._replace(text=rest)
        cleaned = clean_text(text.replace(_BROKEN_WORD, "-")).strip()
        if cleaned:
            lines.append(Line(text=cleaned, fills=line.fills))
    return read_mails(lines)


def _read_pages(data: bytes) -> list[list[PageLine]]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        protected = getattr(error, "err_code", None) == _PASSWORD_ERROR
        fault = LetterFault.PROTECTED if protected else LetterFault.DAMAGED
        raise UnreadableLetterError(fault) from None
    if len(document) > MAX_PAGES:
        raise UnreadableLetterError(LetterFault.TOO_MANY_PAGES)
    pages = [_read_page(document[number]) for number in range(len(document))]
    if not any(line.text.strip() for page in pages for line in page):
        raise UnreadableLetterError(LetterFault.SCAN if pages else LetterFault.NO_TEXT)
    return pages


def _read_page(page: Any) -> list[PageLine]:
    """The lines of a page; their places are shares of its height."""
    height = page.get_height() or 1.0
    text = page.get_textpage()
    count = text.count_rects()
    if count > _MAX_PIECES:
        raise UnreadableLetterError(LetterFault.TOO_LONG)
    pieces = []
    for number in range(count):
        start, bottom, end, top = text.get_rect(number)
        content = text.get_text_bounded(start, bottom, end, top)
        if content.strip():
            pieces.append(TextPiece(start, bottom, end, top, content.replace("\r\n", " ")))
    return [line._replace(middle=line.middle / height) for line in lay_out_page(pieces)]


def _drop_running_lines(pages: Sequence[list[PageLine]]) -> list[list[PageLine]]:
    """The pages without page numbers, and without what stands at the edge of several."""
    counts = Counter(
        name
        for page in pages
        for name in {line.text for line in page if _is_at_edge(line, _RUNNING_MARGIN)}
    )
    return [
        [
            line
            for line in page
            if not (_is_at_edge(line, _NUMBER_MARGIN) and _PAGE_NUMBER.fullmatch(line.text))
            and not (_is_at_edge(line, _RUNNING_MARGIN) and counts[line.text] > 1)
        ]
        for page in pages
    ]


def _is_at_edge(line: PageLine, margin: float) -> bool:
    return line.middle < margin or line.middle > 1 - margin


def _count_words(pages: Sequence[Sequence[PageLine]]) -> Counter[str]:
    """The words of a letter that are not broken, in small letters."""
    return Counter(
        word[0].casefold()
        for page in pages
        for line in page
        for word in _WORD.finditer(line.text)
        if not line.text[word.end() :].startswith(_BROKEN_WORD)
    )


def _mend_word(head: str, tail: str, words: Counter[str]) -> str:
    """A word that was broken at a hyphen, with the hyphen if it is one of the word.

    The letter itself decides: which of the two it writes elsewhere, or whether both halves are
    words of their own. Programs that break words leave two letters on each line at least.
    """
    first, last = _find_last_word(head), _find_first_word(tail)
    joined, hyphened = (first + last).casefold(), f"{first}-{last}".casefold()
    if words[hyphened] or (not words[joined] and _is_compound(first, last, words)):
        return f"{head}-{tail}"
    return head + tail


def _is_compound(first: str, last: str, words: Counter[str]) -> bool:
    if len(first) < 2 or len(last) < 2 or not last[:1].islower():
        return True
    return bool(words[first.casefold()] and words[last.casefold()])


def _find_last_word(text: str) -> str:
    match = re.search(r"\w+$", text)
    return match[0] if match else ""


def _find_first_word(text: str) -> str:
    match = re.match(r"\w+", text)
    return match[0] if match else ""
