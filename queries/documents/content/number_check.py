"""Every document is read back before it is given, to check that its numbers are the answer's.

Pure. A force's own template may print a wrong number: one that was typed, calculated, or left over
from another request. Three things are checked. A row with the name of a row of the answer must have
that row's numbers. A number of offences, people or records must be in the answer or in the force's
own text. A number given in words and in figures must be the same number. Everything else (sections
of an act, dates, telephone numbers) is left alone: to refuse a correct letter would be worse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from html.parser import HTMLParser
from typing import Final, NamedTuple

import msgspec
from num2words import num2words

from indexer.config.model import ForceSettings
from indexer.errors import ConfigurationError
from indexer.records.noun import OFFENCE, Noun
from queries.answer.types import WITHHELD, Answer, ReadingLimit
from queries.layout.table_parts import build_single_part

_FIGURES: Final = re.compile(r"[\d,]+")

#: A number of what is counted, after a word that begins or carries a statement. It does not match
#: "section 47 offences" or "sections 18 and 20 offences", nor the name of a part: "Q4.2 Offences".
_STATED_COUNT: Final = (
    r"(?:^|\.\s+|[:;(]\s*|\b(?:is|are|was|were|found|recorded|identified|of|the|total|totalling|holds?"
    r"|held|have|has|shows?|counted|in|mention)\s+)"
    r"((\d{1,3}(?:,\d{3})+|\d+) (?:{nouns}))\b"
)

_WORDS_AND_FIGURES: Final = re.compile(
    r"\b([a-z]+(?:[ -][a-z]+){0,12}) \((\d{1,3}(?:,\d{3})+|\d{1,3})\)", re.IGNORECASE
)

#: A number in a text that is not part of a date, code or reference.
_BARE_NUMBER: Final = re.compile(r"(?<![\w/.-])(?:\d{1,3}(?:,\d{3})+|\d+)(?![\w/-])")

_YEARS: Final = range(1900, 2101)

_NUMBER_WORDS: Final = {
    *(num2words(n) for n in range(21)),
    *(num2words(n) for n in range(30, 100, 10)),
    "hundred",
    "thousand",
}

#: Between the fields of a row of a list, in its name.
_FIELD_SEPARATOR: Final = "; "

_NUMBER_CELL: Final = re.compile(r"[\d,]+%?|\[c\]|not covered|n/a")

_RULE: Final = re.compile(r"\s*-{3,}\s*")

_LITERAL: Final = re.compile(r'#"((?:[^"\\]|\\.)*)";?')

_INLINE_TAGS: Final = {
    "a",
    "abbr",
    "b",
    "code",
    "em",
    "i",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "u",
}

_HIDDEN_TAGS: Final = {"style", "script", "template"}


class ExtractedText(NamedTuple):
    """The text of a document: its paragraphs, and its table rows as a label and cells."""

    prose: list[str]
    rows: list[tuple[str, list[str]]]


class ExpectedNumbers(NamedTuple):
    """What a document may print: the cells of the rows and heads of a name, and every number of the
    prose."""

    cells_by_name: dict[str, list[set[str]]]
    numbers: frozenset[int]
    noun: Noun = OFFENCE


def collect_expected_numbers(answer: Answer, force: ForceSettings) -> ExpectedNumbers:
    """The numbers of an answer and of the force's own text."""
    cells_by_name: dict[str, list[set[str]]] = {}
    for question in answer.questions:
        part = build_single_part(question.table)
        cells_by_name.setdefault(_collapse_spaces(part.heading), []).append(set(part.heads))
        for line in part.lines:
            joined = _FIELD_SEPARATOR.join(line.fields)
            for name in {*map(_collapse_spaces, (line.name, line.label, joined))} - {""}:
                cells_by_name.setdefault(name, []).append(set(line.cells))
    return ExpectedNumbers(cells_by_name, _collect_allowed_numbers(answer, force), answer.noun)


def require_same_numbers(content: ExtractedText, expected: ExpectedNumbers, document: str) -> None:
    """Raise ConfigurationError if a document prints a number that the answer does not have.

    ``document`` is the template's file, which the message names.
    """
    wrong = [*_check_printed_rows(content, expected), *_check_prose(content, expected)]
    if wrong:
        raise ConfigurationError(
            f"{document} prints numbers that the answer does not have, so it was not written:\n"
            + "\n".join(dict.fromkeys(wrong))
            + "\nCorrect the template: it must print numbers as they are and calculate none."
        )


@cache
def _compile_stated_count(noun: Noun) -> re.Pattern[str]:
    nouns = map(re.escape, dict.fromkeys((noun.singular, noun.plural)))
    words = "|".join(("offences?", "victims?", "suspects?", "crimes?", "records?", *nouns))
    return re.compile(_STATED_COUNT.replace("{nouns}", words), re.IGNORECASE)


def _check_printed_rows(content: ExtractedText, expected: ExpectedNumbers) -> Iterator[str]:
    for label, row_cells in content.rows:
        name, cells = _find_row_name(label, row_cells, expected)
        printed = [cell for cell in cells if cell == WITHHELD or _FIGURES.fullmatch(cell)]
        rows = expected.cells_by_name.get(name, [])
        is_wrong = rows and not any(row.issuperset(printed) for row in rows)
        if is_wrong and not (cells == row_cells and _begins_list_row(label, cells, expected)):
            yield (
                f'the row "{label[:60]}" has {", ".join(printed)}, and in the answer '
                + " or ".join(", ".join(sorted(row)) for row in rows)
            )


def _find_row_name(
    label: str, cells: list[str], expected: ExpectedNumbers
) -> tuple[str, list[str]]:
    """What a row is called, and its other cells: the name of a row of a list takes several."""
    for number in range(len(cells), 0, -1):
        name = _collapse_spaces(_FIELD_SEPARATOR.join((label, *cells[:number])))
        if name in expected.cells_by_name:
            return name, cells[number:]
    return _collapse_spaces(label), cells


def _begins_list_row(label: str, cells: list[str], expected: ExpectedNumbers) -> bool:
    """Whether a line is the first of a row of a list that takes several: its year is no count."""
    start = _collapse_spaces(_FIELD_SEPARATOR.join((label, *cells[:1])))
    return len(cells) > 1 and any(name.startswith(start) for name in expected.cells_by_name)


def _check_prose(content: ExtractedText, expected: ExpectedNumbers) -> Iterator[str]:
    for text in map(_collapse_spaces, content.prose):
        for match in _compile_stated_count(expected.noun).finditer(text):
            number = _parse_figures(match[2])
            if number not in expected.numbers and not ("," not in match[2] and number in _YEARS):
                yield f'"{match[1]}": {match[2]} is not a number of the answer'
        for match in _WORDS_AND_FIGURES.finditer(text):
            words = match[1].lower().replace("-", " ").split()
            number_words = (
                str(num2words(_parse_figures(match[2]))).replace("-", " ").replace(",", "").split()
            )
            bare = [word for word in number_words if word != "and"]
            stated_words = [word for word in words if word != "and"]
            if (
                stated_words
                and stated_words[-1] in _NUMBER_WORDS
                and stated_words[-len(bare) :] != bare
            ):
                yield f'"{match[0][-60:]}": the number in words is not the one in figures'


def _collect_allowed_numbers(answer: Answer, force: ForceSettings) -> frozenset[int]:
    """Every number of the answer, including those in its text and in the force's."""
    provenance = answer.provenance
    numbers = {provenance.records, provenance.rejected}
    if provenance.damage is not msgspec.UNSET:
        numbers |= {provenance.damage.damaged, provenance.damage.repaired}
    parts = (
        answer.reference,
        answer.title,
        answer.request,
        answer.scope,
        answer.questions,
        answer.uncovered,
        answer.reviews,
    )
    if isinstance(answer.reading_limit, ReadingLimit):
        numbers |= {answer.reading_limit.max_records}
    return collect_text_numbers(
        msgspec.to_builtins((*parts, answer.disclosure, answer.near_misses, force))
    ) | frozenset(numbers)


def collect_text_numbers(value: object) -> frozenset[int]:
    """Every number of a value of plain types, and every number that stands in its text."""
    numbers: set[int] = set()
    for leaf in _iter_leaves(value):
        numbers |= (
            {_parse_figures(digits) for digits in _BARE_NUMBER.findall(leaf)}
            if isinstance(leaf, str)
            else {leaf}
        )
    return frozenset(numbers)


def _iter_leaves(value: object) -> Iterator[int | str]:
    if isinstance(value, dict):
        yield from _iter_leaves([*value.values()])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _iter_leaves(item)
    elif isinstance(value, int | str):
        yield value


def _parse_figures(figures: str) -> int:
    return int(figures.replace(",", ""))


def _collapse_spaces(text: str) -> str:
    return " ".join(text.split())


def extract_plain_text(document: str) -> ExtractedText:
    """The text of a plain text document. A table is a paragraph with a ruled line."""
    content = ExtractedText([], [])
    for paragraph in re.split(r"\n\s*\n", document):
        lines = paragraph.splitlines()
        if any(map(_RULE.fullmatch, lines)):
            content.rows.extend(iter_table_rows(lines))
        else:
            content.prose.append(paragraph)
    return content


def iter_table_rows(lines: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table, which follow its first ruled line: what is above are heads.

    A row whose label takes several lines is left out: its last line is not its name. The number
    of a row is on its last line.
    """
    is_head, fresh = True, False
    for line in lines:
        is_rule = _RULE.fullmatch(line) is not None
        is_head = is_head and not is_rule
        label, *cells = re.split(r"\s{2,}", line.strip())
        is_end = bool(cells) and _NUMBER_CELL.fullmatch(cells[-1]) is not None
        if is_end and fresh:
            yield label, cells
        fresh = not is_head and (is_end or is_rule)


def extract_typst_text(source: str) -> ExtractedText:
    """The text of Typst source. A line that starts with a bracket is a table row."""
    content = ExtractedText([], [])
    for paragraph in re.split(r"\n\s*\n", source):
        for line in paragraph.splitlines():
            if line.strip().startswith("["):
                label, *cells = _split_brackets(line) or [""]
                content.rows.append((label, cells))
        content.prose.append(_LITERAL.sub(lambda match: _unquote_literal(match[1]), paragraph))
    return content


def _split_brackets(line: str) -> list[str]:
    """The contents of the brackets; a quoted text may contain brackets too."""
    texts = [_unquote_literal(literal) for literal in _LITERAL.findall(line)]
    numbers = iter(range(len(texts)))
    masked = _LITERAL.sub(lambda _: f"\0{next(numbers)}\0", line)
    return [
        re.sub(r"\0(\d+)\0", lambda match: texts[int(match[1])], cell).strip(" *")
        for cell in re.findall(r"\[([^\[\]]*)\]", masked)
    ]


def _unquote_literal(literal: str) -> str:
    return re.sub(r"\\(.)", r"\1", literal).replace("\u200b", "")


def extract_markup_text(document: str) -> ExtractedText:
    """The text of a web page."""
    parser = _PageTextParser()
    parser.feed(document)
    parser.close()
    parser.end_block()
    return parser.content


class _PageTextParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.content = ExtractedText([], [])
        self._block: list[str] = []
        self._cells: list[str] | None = None
        self._hidden_depth = 0

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        """Begin a row, a cell or a paragraph."""
        self._hidden_depth += tag in _HIDDEN_TAGS
        if tag not in _INLINE_TAGS:
            self.end_block()
        if tag == "tr":
            self._cells = []

    def handle_endtag(self, tag: str) -> None:
        """End a row, a cell or a paragraph."""
        self._hidden_depth -= tag in _HIDDEN_TAGS
        if tag in ("td", "th") and self._cells is not None:
            self._cells.append(_collapse_spaces("".join(self._block)))
            self._block = []
        elif tag == "tr" and self._cells is not None:
            label, *cells = self._cells or [""]
            self.content.rows.append((label, cells))
            self._cells = None
        if tag not in _INLINE_TAGS:
            self.end_block()

    def handle_data(self, data: str) -> None:
        """Collect text."""
        if not self._hidden_depth:
            self._block.append(data)

    def end_block(self) -> None:
        """End a paragraph; text in a row ends with its cell."""
        if self._cells is None and (paragraph := "".join(self._block)).strip():
            self.content.prose.append(paragraph)
            self._block = []
