"""The answer rendered: text for reading, letters in text and HTML. Nothing is counted here.

What a template needs worked out (which rows are not zero, how many are) is worked out in ``View``;
templates print. Their variables are strict, and HTML escapes by itself.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
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
from queries.answer import WITHHELD, Answer, QuestionAnswer, Row, Table
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
    def total(self) -> int | None:
        """The total of the first column."""
        return self.answer.table.total.counts[0]


def letter_text(answer: Answer, force: Force, day: date) -> str:
    """The letter, as text of at most 78 columns."""
    return _render("letter.txt.j2", answer, force, day)


def letter_html(answer: Answer, force: Force, day: date) -> str:
    """The letter, as one HTML file that prints on A4."""
    return _render("letter.html.j2", answer, force, day)


def report_text(answer: Answer, force: Force, day: date, small: Sequence[str] = ()) -> str:
    """The answer for the person who must stand by it: rows, forms found and provenance.

    ``small`` are the places of small numbers, to be thought of before anything is published.
    """
    return _render("report.txt.j2", answer, force, day, small)


def _render(name: str, answer: Answer, force: Force, day: date, small: Sequence[str] = ()) -> str:
    environment = _environment(resources.folder("templates"))
    letter = answer.request["letter"]
    period = Period(answer.scope.period_from, answer.scope.period_to)
    try:
        text = environment.get_template(name).render(
            answer=answer,
            scope=answer.scope,
            period=period.words,
            wordings=[f'"{one}"' for term in answer.scope.terms for one in term.wordings],
            forms=_forms(answer),
            left_out=left_out(answer.scope.left_out),
            questions=[_view(environment, answer, question) for question in answer.questions],
            small=small,
            disclosure=answer.disclosure,
            withheld=withheld(answer),
            rounded=rounded(answer),
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


def _view(
    environment: jinja2.Environment, answer: Answer, question: QuestionAnswer
) -> QuestionView:
    asked = [row for row in question.table.rows if row.kind == "asked"]
    found = tuple(row for row in asked if row.counts[0] != 0)
    view = QuestionView(
        answer=question,
        found=found,
        absent=len(asked) - len(found),
        several=len(asked) > 1,
        tabled=sum(row.kind != "none" for row in question.table.rows) > 1
        or len(question.table.columns) > 1,
    )
    if answer.disclosure and answer.disclosure.rounding:  # where a 0 need not be none
        return msgspec.structs.replace(view, tabled=True, prose=("The table gives the figures.",))
    prose = environment.get_template(f"questions/{question.kind}.j2").render(question=view)
    lines = tuple(" ".join(line.split()) for line in prose.splitlines() if line.strip())
    return msgspec.structs.replace(view, prose=lines)


def _forms(answer: Answer) -> list[str]:
    """A line for each term that was found, with its forms."""
    terms = [*answer.scope.terms, *(term for one in answer.questions for term in one.terms)]
    return [
        f"{listed(list(term.wordings), 'or')}: "
        + ", ".join(
            form.form if form.records is None else f"{form.form} {number(form.records)}"
            for form in term.forms
        )
        for term in terms
        if term.forms
    ]


def withheld(answer: Answer) -> str:
    """What a withheld number is, where there are any."""
    if not answer.disclosure or not (
        answer.disclosure.withheld or None in answer.scope.left_out.values()
    ):
        return ""
    most = answer.disclosure.threshold - 1
    small = "1" if most == 1 else f"from 1 to {most}"
    which = f": it is {small}, or would give such a number away" if most > 0 else ""
    return f"{WITHHELD} marks a number withheld to protect the people concerned{which}."


def rounded(answer: Answer) -> str:
    """How the numbers are rounded, where they are."""
    base = answer.disclosure.rounding if answer.disclosure else 0
    if not base:
        return ""
    return (
        f"Every number is rounded to the nearest {base}, totals by themselves, so rows need not "
        f"add up; a 0 may stand for as many as {(base - 1) // 2}."
    )


def left_out(statuses: Mapping[str, int | None]) -> str:
    """Say how many records in scope their status left out."""
    some = {status: number for status, number in statuses.items() if number != 0}
    parts = [counted(number, f"{status} record") for status, number in some.items()]
    if not parts:
        return ""
    verb = "is" if [*some.values()] == [1] else "are"
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


def number(value: int | None) -> str:
    """1234 as "1,234"; a withheld number as its mark."""
    return WITHHELD if value is None else f"{value:,}"


def words(value: int | None) -> str:
    """A number as running text has it: "no", "one" to "ten", then figures."""
    if value is None:
        return "a withheld number of"
    if value == 0:
        return "no"
    return str(num2words(value)) if value <= _WORDS_TO else number(value)


def counted(value: int | None, one: str, many: str = "") -> str:
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
