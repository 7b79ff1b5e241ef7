"""The answer rendered: text for reading, letters in text and HTML. Nothing is counted here.

What a template needs worked out (which rows are not zero, how many are) is worked out in ``View``;
templates print. Their variables are strict, and HTML escapes by itself.
"""

from __future__ import annotations

import textwrap
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Final

import jinja2
import msgspec
from msgspec import Struct
from num2words import num2words

from indexer import resources
from indexer.errors import ConfigurationError
from indexer.settings import Force
from queries.answer import Answer, QuestionAnswer, Row, ScopeAnswer, Table, TermFound
from queries.scope import Period, in_words

WIDTH: Final = 78
_LABEL_WIDTH: Final = 44
_WORDS_TO: Final = 10


class QuestionView(Struct, frozen=True):
    """A question with what its sentences need: the rows that are not zero, and how many are."""

    answer: QuestionAnswer
    found: tuple[Row, ...]
    absent: int
    several: bool
    tabled: bool
    prose: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """What the first column counts, in the singular."""
        return self.answer.table.columns[0].label.lower().removesuffix("s")

    @property
    def total(self) -> int:
        """The total of the first column."""
        return self.answer.table.total.counts[0]


def letter_text(answer: Answer, force: Force, day: date) -> str:
    """The letter, as text of at most 78 columns."""
    return _render("letter.txt.j2", answer, force, day)


def letter_html(answer: Answer, force: Force, day: date) -> str:
    """The letter, as one HTML file that prints on A4."""
    return _render("letter.html.j2", answer, force, day)


def report_text(answer: Answer, force: Force, day: date) -> str:
    """The answer for the person who must stand by it: rows, forms found and provenance."""
    return _render("report.txt.j2", answer, force, day)


def _render(name: str, answer: Answer, force: Force, day: date) -> str:
    environment = _environment(resources.folder("templates"))
    letter = answer.request["letter"]
    try:
        text = environment.get_template(name).render(
            answer=answer,
            scope=answer.scope,
            period=when(answer.scope),
            wordings=[one for term in answer.scope.terms for one in worded(term)],
            forms=_forms(answer),
            left_out=left_out(answer.scope.left_out),
            questions=[_view(environment, question) for question in answer.questions],
            provenance=answer.provenance,
            force=force,
            day=day,
            letter=letter,
            received=in_words(date.fromisoformat(letter["received"])) if letter["received"] else "",
        )
    except jinja2.TemplateSyntaxError as error:
        raise ConfigurationError(
            f"{error.filename}:{error.lineno}: {error.message}. Correct the template."
        ) from None
    except jinja2.TemplateError as error:
        raise ConfigurationError(f"{name}: {error.message}. Correct the template.") from None
    return text.strip("\n") + "\n"


def _view(environment: jinja2.Environment, question: QuestionAnswer) -> QuestionView:
    asked = [row for row in question.table.rows if row.kind == "asked"]
    found = tuple(row for row in asked if row.counts[0])
    view = QuestionView(
        answer=question,
        found=found,
        absent=len(asked) - len(found),
        several=len(asked) > 1,
        tabled=sum(row.kind != "none" for row in question.table.rows) > 1
        or len(question.table.columns) > 1,
    )
    prose = environment.get_template(f"questions/{question.kind}.j2").render(question=view)
    lines = tuple(" ".join(line.split()) for line in prose.splitlines() if line.strip())
    return msgspec.structs.replace(view, prose=lines)


def _forms(answer: Answer) -> list[str]:
    """A line for each term that was found, with its forms."""
    terms = [*answer.scope.terms, *(term for one in answer.questions for term in one.terms)]
    lines = [
        f"{listed(worded(term), 'or')}: "
        + ", ".join(f"{form.form} {number(form.records)}" for form in term.forms)
        for term in terms
        if term.forms
    ]
    return list(dict.fromkeys(lines))


def worded(term: TermFound) -> list[str]:
    """The wordings of a term, each with what else was asked of it."""
    more = [f'or "{alias}"' for alias in term.aliases]
    more += [f'with "{other}"' for other in term.company]
    more += ["exactly so written"] if term.exact else []
    said = f" ({', '.join(more)})" if more else ""
    return [f'"{one}"{said}' for one in term.wordings]


def when(scope: ScopeAnswer) -> str:
    """The periods of an answer, and what its records' fields must be, in words."""
    if len(scope.periods) > 1:
        said = f"in {listed([one.label for one in scope.periods])}"
    else:
        said = Period(scope.period_from, scope.period_to).words
    return "; ".join([said, *scope.conditions])


def left_out(statuses: dict[str, int]) -> str:
    """Say how many records in scope their status left out."""
    parts = [counted(number, f"{status} record") for status, number in statuses.items() if number]
    if not parts:
        return ""
    verb = "is" if sum(statuses.values()) == 1 else "are"
    return f"{sentence(listed(parts))} {verb} left out of every figure."


@cache
def _environment(folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": number,
        "words": words,
        "counted": counted,
        "day": in_words,
        "moment": moment,
        "sentence": sentence,
        "listed": listed,
        "wrapped": wrapped,
        "text_table": text_table,
    }
    return environment


def number(value: int) -> str:
    """1234 as "1,234"."""
    return f"{value:,}"


def words(value: int) -> str:
    """A number as running text has it: "no", "one" to "ten", then figures."""
    if value == 0:
        return "no"
    return str(num2words(value)) if value <= _WORDS_TO else number(value)


def counted(value: int, one: str, many: str = "") -> str:
    """A number with its noun: "no offences", "one offence", "1,234 offences"."""
    return f"{words(value)} {one if value == 1 else many or one + 's'}"


def sentence(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def listed(items: list[str], conjunction: str = "and") -> str:
    """The items as running text has them: "a, b and c"."""
    return f" {conjunction} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def moment(value: datetime | None) -> str:
    """A moment as a letter writes it, in UTC."""
    return "not recorded" if value is None else f"{in_words(value)} at {value:%H:%M} UTC"


def wrapped(text: str, indent: int = 0) -> str:
    """The text in lines of the page's width."""
    lead = " " * indent
    return textwrap.fill(" ".join(text.split()), WIDTH, initial_indent=lead, subsequent_indent=lead)


def text_table(table: Table) -> str:
    """A table of aligned columns; long labels take several lines."""
    rows = [*table.rows, table.total]
    figures = [[number(count) for count in row.counts] for row in rows]
    heads = [column.label for column in table.columns]
    widths = [max(len(text) for text in column) for column in zip(heads, *figures, strict=True)]
    labels = [_label(row) for row in rows]
    room = WIDTH - sum(widths) - 2 * len(widths)
    width = max(12, min(max(map(len, (*labels, table.heading))), room, _LABEL_WIDTH))
    line = "-" * (width + sum(widths) + 2 * len(widths))
    body = [
        _line(label, cells, width, widths) for label, cells in zip(labels, figures, strict=True)
    ]
    return "\n".join([_line(table.heading, heads, width, widths), line, *body[:-1], line, body[-1]])


def _label(row: Row) -> str:
    return f"{row.label} ({', '.join(row.codes)})" if row.codes else row.label


def _line(label: str, cells: list[str], width: int, widths: list[int]) -> str:
    *first, last = textwrap.wrap(label, width) or [""]
    figures = "".join(f"  {cell:>{wide}}" for cell, wide in zip(cells, widths, strict=True))
    return "\n".join([*first, f"{last:<{width}}{figures}".rstrip()])
