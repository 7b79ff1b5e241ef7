"""What the templates need worked out: which rows are not zero, how many are, prose, forms."""

from __future__ import annotations

from datetime import date
from typing import Any

import jinja2
import msgspec
from msgspec import Struct

from indexer.settings import Force
from queries.answer import Answer, QuestionAnswer, Row
from queries.render import phrases
from queries.scope import Period, in_words


class QuestionView(Struct, frozen=True):
    """A question with what its sentences need: the rows that are not zero, and how many are."""

    answer: QuestionAnswer
    found: tuple[Row, ...]
    absent: int
    several: bool
    tabled: bool
    prose: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The total of the first column."""
        return self.answer.table.total.counts[0]


def names(
    environment: jinja2.Environment, answer: Answer, force: Force, day: date
) -> dict[str, Any]:
    """The names a template may use."""
    letter = answer.request["letter"]
    return {
        "answer": answer,
        "scope": answer.scope,
        "period": Period(answer.scope.period_from, answer.scope.period_to).words,
        "wordings": [f'"{one}"' for term in answer.scope.terms for one in term.wordings],
        "forms": _forms(answer),
        "left_out": phrases.left_out(answer.scope.left_out),
        "questions": [_view(environment, question) for question in answer.questions],
        "provenance": answer.provenance,
        "force": force,
        "day": day,
        "letter": letter,
        "received": in_words(date.fromisoformat(letter["received"])) if letter["received"] else "",
    }


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
    return [
        f"{phrases.listed(list(term.wordings), 'or')}: "
        + ", ".join(f"{form.form} {phrases.number(form.records)}" for form in term.forms)
        for term in terms
        if term.forms
    ]
