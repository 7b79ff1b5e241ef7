"""Ad hoc counts: a request built from a command line, and its numbers as they are piped on."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import offences
from indexer.categories import Categories
from indexer.errors import RequestError
from queries import execute, render, termbook, wording
from queries.answer import Answer, Form, Table
from queries.grid import Unit
from queries.problems import Problem
from queries.questions import Question
from queries.questions.by import By
from queries.questions.cross import Cross
from queries.questions.keywords import Keywords
from queries.questions.offences import Offences
from queries.questions.overlap import Overlap
from queries.render import spreadsheets
from queries.render.text import text_table, wrapped
from queries.request import Request, years
from queries.scope import Scope
from queries.spec import AxisSpec, OffenceSpec, PeriodSpec
from queries.termbook import Book
from queries.wording import CompanySpec, TermSpec, Wording

TERM: Final = "term"
_ID: Final = "count"


class Options(Struct, frozen=True, kw_only=True):
    """What may be asked beside terms. ``by`` are one or two fields, or "term"; ``where`` are texts
    such as "district=North"; ``near`` is how many words from its company a term may stand."""

    codes: Sequence[str] = ()
    start: date | None = None
    end: date | None = None
    periods: Sequence[str] = ()
    where: Sequence[str] = ()
    by: Sequence[str] = ()
    unit: Unit | None = None
    overlap: bool = False
    company: Sequence[str] = ()
    near: int | None = None
    aliases: Sequence[str] = ()
    exact: bool = False


class TermCount(Struct, frozen=True):
    """A term as typed, the records that mention it, and the forms found."""

    term: str
    records: int | None
    forms: tuple[Form, ...]


class Count(Struct, frozen=True):
    """An ad hoc count. ``records`` counts each record once, whichever of the terms it mentions;
    ``table`` is there where the number was to be broken down."""

    terms: tuple[TermCount, ...]
    records: int | None
    left_out: dict[str, int | None]
    period_from: date | None
    period_to: date | None
    offences: tuple[str, ...]
    table: Table | None
    notes: tuple[str, ...]
    generation: str
    built_at: datetime
    watermark: datetime | None


def request(
    terms: Sequence[str],
    options: Options | None = None,
    *,
    book: Book | None = None,
    categories: Categories | None = None,
) -> Request:
    """The request a command line stands for, with the openings of a term book, or else of ours.

    Raises RequestError for what is none.
    """
    asked = options or Options()
    book = book or termbook.load()
    table = offences.load()
    mentions = tuple(_wording(term, asked, len(terms)) for term in terms)
    built = Request(
        reference="ad hoc",
        title="Ad hoc count",
        questions=_questions(mentions, asked),
        periods=_periods(asked),
        mentions=wording.opened(mentions, tuple[Wording, ...], book.openings),
        offences=tuple(OffenceSpec(codes=(table.require(code),)) for code in asked.codes),
        where=_where(asked.where),
        categories=categories or {},
    )
    opened = wording.opened(built.questions, tuple[Question, ...], book.openings)
    built = msgspec.structs.replace(built, questions=opened)
    _refuse(list(built.problems(built.categories)))
    for question in built.questions:
        _refuse(list(question.problems(built.scope)))
    return built


def _refuse(problems: list[Problem]) -> None:
    if problems:
        raise RequestError("\n".join(problem.message for problem in problems))


def _wording(term: str, asked: Options, number: int) -> Wording:
    if asked.aliases and number != 1:
        raise RequestError(
            f"--alias is another name of the one term, and there are {number}. Ask for one term, "
            "or write a request file."
        )
    if asked.near is not None and not asked.company:
        raise RequestError("--near says how near --with must be. Give --with, or leave it out.")
    if not (asked.exact or asked.aliases or asked.company):
        return term
    return TermSpec(
        term=term,
        variants="none" if asked.exact else "all",
        aliases=tuple(asked.aliases),
        company=tuple(
            one if asked.near is None else CompanySpec(one, asked.near) for one in asked.company
        ),
    )


def _periods(asked: Options) -> tuple[PeriodSpec, ...]:
    first, last = asked.start or date.min, asked.end or date.max
    if last < first:
        raise RequestError(f"--to ({last}) is before --from ({first}). Turn them round.")
    if asked.periods and (asked.start or asked.end):
        raise RequestError("--period stands beside --from or --to. Keep one of the two.")
    if asked.start or asked.end:
        return (PeriodSpec(first, last),)
    return tuple(map(_period, asked.periods))


def _period(text: str) -> PeriodSpec:
    days: Any = years(text)
    if isinstance(days, str):
        start, _, end = days.partition("..")
        days = {"from": start, "to": end}
    try:
        return msgspec.convert(days, PeriodSpec)
    except msgspec.ValidationError:
        raise RequestError(
            f'"{text[:60]}" is no period. Write a year (2017/18 or 2017) or two days '
            "(2017-04-01..2017-06-30)."
        ) from None


def _where(conditions: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for condition in conditions:
        name, equals, value = condition.partition("=")
        if not equals or not value:
            raise RequestError(
                f'"{condition[:60]}" is no condition. Write a field and its value: district=North.'
            )
        found[name] = (*found.get(name, ()), value)
    return found


def _questions(mentions: tuple[Wording, ...], asked: Options) -> tuple[Question, ...]:
    if len(asked.by) > 2:
        raise RequestError("--by is given more than twice; a table has two sides. Leave one out.")
    if TERM in asked.by and not mentions:
        raise RequestError("--by term counts by the terms, and there are none. Name some.")
    if asked.overlap and (asked.by or len(mentions) < 2):
        raise RequestError("--overlap compares two terms or more, and stands without --by.")
    if asked.overlap:
        return (Overlap(id=_ID, keywords=mentions),)
    if len(asked.by) == 2:
        rows, columns = (_axis(name, mentions) for name in asked.by)
        return (Cross(id=_ID, rows=rows, columns=columns, count=asked.unit),)
    if list(asked.by) == [TERM]:
        return (Keywords(id=_ID, keywords=mentions),)
    if asked.by:
        return (By(id=_ID, by=asked.by[0], count=asked.unit),)
    if asked.unit:
        raise RequestError("--count says what --by counts. Give --by, or leave it out.")
    if len(asked.periods) > 1:
        return (Keywords(id=_ID, keywords=mentions),) if mentions else (Offences(id=_ID),)
    return ()


def _axis(name: str, mentions: tuple[Wording, ...]) -> str | AxisSpec:
    return AxisSpec(keywords=mentions) if name == TERM else name


def count(client: Elasticsearch, alias: str, asked: Request) -> Count:
    """Count the records. Raises as ``execute.answer``."""
    found = execute.answer(client, alias, asked)
    scope = asked.scope
    question = found.questions[0] if found.questions else None
    return Count(
        terms=_terms(found, asked, scope),
        records=found.scope.records,
        left_out=found.scope.left_out,
        period_from=scope.period.start,
        period_to=scope.period.end,
        offences=tuple(code for row in scope.offences for code in row.codes),
        table=question.table if question else None,
        notes=question.notes if question else (),
        generation=found.provenance.generation,
        built_at=found.provenance.built_at,
        watermark=found.provenance.watermark,
    )


def _terms(found: Answer, asked: Request, scope: Scope) -> tuple[TermCount, ...]:
    """A row for each term typed, also where two are one term."""
    by_key = {
        mention.key: term for mention, term in zip(scope.mentions, found.scope.terms, strict=True)
    }
    return tuple(
        TermCount(mention.term.written, by_key[mention.key].records, by_key[mention.key].forms)
        for mention in asked.every_mention
    )


def table(counted: Count) -> str:
    """The count for a person, as aligned text."""
    lines = []
    if counted.table:
        lines += [text_table(counted.table), *map(wrapped, counted.notes)]
    else:
        rows = [(term.term, term.records) for term in counted.terms]
        width = min(60, max(len(label) for label, _ in [*rows, ("each record once", 0)]))
        lines += [f"{label[:width]:<{width}}  {render.number(number):>9}" for label, number in rows]
        if len(rows) != 1:
            lines.append(f"{'each record once':<{width}}  {render.number(counted.records):>9}")
    for term in counted.terms:
        forms = ", ".join(f"{form.form} {render.number(form.records)}" for form in term.forms)
        lines.append(f"  {term.term}: {forms or 'no form found'}")
    if left_out := render.left_out(counted.left_out):
        lines.append(left_out)
    lines.append(f"From {counted.generation}, built {render.moment(counted.built_at)}.")
    return "\n".join(lines) + "\n"


def as_csv(counted: Count) -> str:
    """The count as CSV: a row for each row of the table, or for each term, and the total."""
    if counted.table:
        return spreadsheets.table_csv(counted.table)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["term", "records"])
    rows.writerows([spreadsheets.safe(term.term), term.records] for term in counted.terms)
    rows.writerow(["each record once", counted.records])
    return text.getvalue()
