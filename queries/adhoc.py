"""Ad hoc counts: a request built from a command line, and its numbers as they are piped on."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime

from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import offences
from indexer.errors import RequestError
from queries import execute, render, wording
from queries.answer import Answer, Form, Row
from queries.questions.offences import Offences
from queries.request import OffenceSpec, PeriodSpec, Request
from queries.scope import Scope


class TermCount(Struct, frozen=True):
    """A term as typed, the records that mention it, and the forms found."""

    term: str
    records: int | None
    forms: tuple[Form, ...]


class Count(Struct, frozen=True):
    """An ad hoc count. ``records`` counts each record once, whichever of the terms it mentions."""

    terms: tuple[TermCount, ...]
    records: int | None
    left_out: dict[str, int | None]
    period_from: date | None
    period_to: date | None
    offences: tuple[str, ...]
    by_offence: tuple[Row, ...] | None
    generation: str
    built_at: datetime
    watermark: datetime | None


def request(
    terms: Sequence[str],
    codes: Sequence[str] = (),
    start: date | None = None,
    end: date | None = None,
) -> Request:
    """The request a command line stands for. Raises RequestError for what is none."""
    table = offences.load()
    first, last = start or date.min, end or date.max
    if last < first:
        raise RequestError(f"--to ({last}) is before --from ({first}). Turn them round.")
    if wrong := [problem.message for problem in wording.problems(terms, "", repeats=True)]:
        raise RequestError("\n".join(wrong))
    return Request(
        reference="ad hoc",
        title="Ad hoc count",
        questions=(Offences(id="offences"),),
        period=PeriodSpec(first, last) if start or end else None,
        mentions=tuple(terms),
        offences=tuple(OffenceSpec(codes=(table.require(code),)) for code in codes),
    )


def count(client: Elasticsearch, alias: str, asked: Request, *, by_offence: bool) -> Count:
    """Count the records. Raises as ``execute.answer``."""
    found = execute.answer(client, alias, asked)
    scope = asked.scope
    return Count(
        terms=_terms(found, asked, scope),
        records=found.scope.records,
        left_out=found.scope.left_out,
        period_from=scope.period.start,
        period_to=scope.period.end,
        offences=tuple(code for row in scope.offences for code in row.codes),
        by_offence=found.questions[0].table.rows if by_offence else None,
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
        TermCount(mention.label, by_key[mention.key].records, by_key[mention.key].forms)
        for mention in asked.every_mention
    )


def table(counted: Count) -> str:
    """The count for a person, as aligned text."""
    lines = []
    if counted.by_offence is not None:
        rows = [(f"{row.codes[0]}  {row.label}", row.counts[0]) for row in counted.by_offence]
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
    """The count as CSV: a row for each offence, or for each term, and one for all together."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    if counted.by_offence is not None:
        rows.writerow(["offence_code", "title", "records"])
        rows.writerows([row.codes[0], row.label, row.counts[0]] for row in counted.by_offence)
        rows.writerow(["total", "", counted.records])
        rows.writerows([status, "left out", number] for status, number in counted.left_out.items())
    else:
        rows.writerow(["term", "records"])
        rows.writerows([safe(term.term), term.records] for term in counted.terms)
        rows.writerow(["total", counted.records])
        rows.writerows([f"left out: {name}", n] for name, n in counted.left_out.items())
    return text.getvalue()


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
