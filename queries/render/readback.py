"""Documents read back before they are given: the numbers they print are those of the answer.

Pure. Templates are a force's own, and may print a wrong number: one that was typed, worked out, or
left from another request. What is read is told from what cannot be: a row that bears the name of a
row of the answer has numbers of that row; a number said of offences, victims or records is one
that the answer or the force's own text holds; a number in words and in figures is one number.
Everything else (sections of an act, days, telephone numbers) is left alone, as a letter that is
refused without cause would be worse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from typing import Final, NamedTuple

import msgspec
from num2words import num2words

from indexer.errors import ConfigurationError
from indexer.settings import Force
from queries.answer import WITHHELD, Answer
from queries.render import tables

_FIGURES: Final = re.compile(r"[\d,]+")
#: A number said of what is counted, after a word that starts or carries a statement: not
#: "section 47 offences", nor "sections 18 and 20 offences".
_SAID: Final = re.compile(
    r"(?:^|[.:;(]\s*|\b(?:is|are|was|were|found|recorded|identified|of|the|total|totalling|holds?"
    r"|held|have|has|shows?|counted|in|mention)\s+)"
    r"((\d{1,3}(?:,\d{3})+|\d+) (?:offences?|victims?|crimes?|records?))\b",
    re.IGNORECASE,
)
_IN_BOTH: Final = re.compile(
    r"\b([a-z]+(?:[ -][a-z]+){0,12}) \((\d{1,3}(?:,\d{3})+|\d{1,3})\)", re.IGNORECASE
)
#: A number in a text, and no part of a day, code or reference.
_ALONE: Final = re.compile(r"(?<![\w/.-])(?:\d{1,3}(?:,\d{3})+|\d+)(?![\w/-])")
_YEARS: Final = range(1900, 2101)
_NUMBER_WORDS: Final = {
    *(num2words(n) for n in range(21)),
    *(num2words(n) for n in range(30, 100, 10)),
    "hundred",
    "thousand",
}
_LITERAL: Final = re.compile(r'#"((?:[^"\\]|\\.)*)";?')
_INLINE: Final = {"a", "abbr", "b", "code", "em", "i", "small", "span", "strong", "sub", "sup", "u"}
_UNSEEN: Final = {"style", "script", "template"}


class Read(NamedTuple):
    """What a document says: its paragraphs, and its rows as a label and cells."""

    prose: list[str]
    rows: list[tuple[str, list[str]]]


def require(read: Read, answer: Answer, force: Force, document: str) -> None:
    """Raise ConfigurationError where a document says another number than the answer does."""
    wrong = [*_rows(read, answer), *_prose(read, answer, force)]
    if wrong:
        raise ConfigurationError(
            f"{document} says what the answer does not, so it is not given:\n"
            + "\n".join(dict.fromkeys(wrong))
            + "\nCorrect the template: it prints numbers as they are, and works none out."
        )


def _rows(read: Read, answer: Answer) -> Iterator[str]:
    known: dict[str, list[set[str]]] = {}
    for question in answer.questions:
        for line in tables.whole(question.table).lines:
            for name in {_plain(line.name), _plain(line.label)}:
                known.setdefault(name, []).append(set(line.cells))
    for label, cells in read.rows:
        printed = [cell for cell in cells if cell == WITHHELD or _FIGURES.fullmatch(cell)]
        rows = known.get(_plain(label), [])
        if rows and not any(row.issuperset(printed) for row in rows):
            yield (
                f'the row "{label[:60]}" has {", ".join(printed)}, and in the answer '
                + " or ".join(", ".join(sorted(row)) for row in rows)
            )


def _prose(read: Read, answer: Answer, force: Force) -> Iterator[str]:
    held = _held(answer, force)
    for text in map(_plain, read.prose):
        for match in _SAID.finditer(text):
            number = _number(match[2])
            if number not in held and not ("," not in match[2] and number in _YEARS):
                yield f'"{match[1]}": {match[2]} is no number of the answer'
        for match in _IN_BOTH.finditer(text):
            words = match[1].lower().replace("-", " ").split()
            expected = str(num2words(_number(match[2]))).replace("-", " ").replace(",", "").split()
            bare = [word for word in expected if word != "and"]
            said = [word for word in words if word != "and"]
            if said[-1] in _NUMBER_WORDS and said[-len(bare) :] != bare:
                yield f'"{match[0][-60:]}": the number in words is not the one in figures'


def _held(answer: Answer, force: Force) -> set[int]:
    """Every number of the answer, in figures or in its text and the force's."""
    provenance = answer.provenance
    held = {provenance.records, provenance.rejected}
    told = (answer.reference, answer.title, answer.request, answer.scope, answer.questions)
    for one in _leaves(msgspec.to_builtins((*told, answer.disclosure, answer.near_misses, force))):
        held |= {_number(found) for found in _ALONE.findall(one)} if isinstance(one, str) else {one}
    return held


def _leaves(value: object) -> Iterator[int | str]:
    if isinstance(value, dict):
        yield from _leaves([*value.values()])
    elif isinstance(value, list | tuple):
        for held in value:
            yield from _leaves(held)
    elif isinstance(value, int | str):
        yield value


def _number(figures: str) -> int:
    return int(figures.replace(",", ""))


def _plain(text: str) -> str:
    return " ".join(text.split())


def text(document: str) -> Read:
    """What a text says. A table is a paragraph with a ruled line."""
    read = Read([], [])
    for paragraph in re.split(r"\n\s*\n", document):
        lines = paragraph.splitlines()
        if any(re.fullmatch(r"\s*-{3,}\s*", line) for line in lines):
            read.rows.extend(_lines(lines))
        else:
            read.prose.append(paragraph)
    return read


def _lines(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table; one whose label takes several lines cannot be told by its last."""
    fresh = False
    for line in lines:
        label, *cells = re.split(r"\s{2,}", line.strip())
        if cells and fresh:
            yield label, cells
        fresh = bool(cells) or re.fullmatch(r"-{3,}", line.strip()) is not None


def typst(source: str) -> Read:
    """What the source of a PDF says: a line that starts with a bracket is a row."""
    read = Read([], [])
    for paragraph in re.split(r"\n\s*\n", source):
        for line in paragraph.splitlines():
            if line.strip().startswith("["):
                label, *cells = _bracketed(line) or [""]
                read.rows.append((label, cells))
        read.prose.append(_LITERAL.sub(lambda found: _unquoted(found[1]), paragraph))
    return read


def _bracketed(line: str) -> list[str]:
    """What stands in brackets, which a text may hold too."""
    texts = [_unquoted(one) for one in _LITERAL.findall(line)]
    numbers = iter(range(len(texts)))
    masked = _LITERAL.sub(lambda _: f"\0{next(numbers)}\0", line)
    return [
        re.sub(r"\0(\d+)\0", lambda found: texts[int(found[1])], cell).strip(" *")
        for cell in re.findall(r"\[([^\[\]]*)\]", masked)
    ]


def _unquoted(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal).replace("\u200b", "")


def markup(document: str) -> Read:
    """What a web page says."""
    reader = _Page()
    reader.feed(document)
    reader.close()
    reader.end_block()
    return reader.read


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read([], [])
        self._block: list[str] = []
        self._cells: list[str] | None = None
        self._unseen = 0

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        """Start a row, a cell or a paragraph."""
        self._unseen += tag in _UNSEEN
        if tag not in _INLINE:
            self.end_block()
        if tag == "tr":
            self._cells = []

    def handle_endtag(self, tag: str) -> None:
        """End what was started."""
        self._unseen -= tag in _UNSEEN
        if tag in ("td", "th") and self._cells is not None:
            self._cells.append(_plain("".join(self._block)))
            self._block = []
        elif tag == "tr" and self._cells is not None:
            label, *cells = self._cells or [""]
            self.read.rows.append((label, cells))
            self._cells = None
        if tag not in _INLINE:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Take text in."""
        if not self._unseen:
            self._block.append(data)

    def end_block(self) -> None:
        """End a paragraph; what stands in a row ends with its cell."""
        if self._cells is None and (said := "".join(self._block)).strip():
            self.read.prose.append(said)
            self._block = []
