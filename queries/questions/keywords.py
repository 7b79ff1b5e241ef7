"""Kind ``keywords``: how many records in scope mention each of a list of terms, and none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from elasticsearch.dsl import aggs
from msgspec import Meta

from queries import wording
from queries.answer import Column, QuestionAnswer, Row, Table
from queries.problems import Problem
from queries.questions.base import (
    MAX_TERMS,
    Question,
    bucketed,
    counts,
    forms_of,
    overlap_note,
    terms_found,
)
from queries.scope import Mention, Scope, offence_query
from queries.wording import Wording

_NONE = "none"


class Keywords(Question, frozen=True, tag="keywords"):
    """A row for each keyword, and one for none of them.

    ``each_offence`` adds a column for each offence the request lists.
    """

    keywords: Annotated[tuple[Wording, ...], Meta(min_length=1, max_length=MAX_TERMS)]
    each_offence: bool = False

    def mentions(self) -> tuple[Mention, ...]:
        """The keywords as terms. Raises RequestError for one that is no term."""
        return tuple(wording.mention(keyword) for keyword in self.keywords)

    def problems(self) -> Iterator[Problem]:
        """Keywords that are no term, or the same term twice."""
        yield from wording.problems(self.keywords, ".keywords", repeats=False)

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """A bucket for each row, with the forms of each keyword beside them."""
        mentions = self.mentions()
        columns = {"columns": _columns(scope)} if self._by_offence(scope) else {}
        rows = bucketed((mention.query() for mention in mentions), columns, other=_NONE)
        return {"rows": rows, "forms": forms_of(mentions), **columns}

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """Read the rows and the forms."""
        mentions = self.mentions()
        offences = scope.offences if self._by_offence(scope) else ()
        buckets = found["rows"]["buckets"]
        rows = [
            Row(str(number), mention.label, _cells(buckets[str(number)]))
            for number, mention in enumerate(mentions)
        ]
        total = _cells(found)
        return QuestionAnswer(
            id=self.id,
            kind="keywords",
            text=self.text,
            table=Table(
                heading="Keyword",
                columns=(
                    Column("offences", "Offences"),
                    *(
                        Column(f"offence_{place}", ", ".join(row.codes), row.label)
                        for place, row in enumerate(offences)
                    ),
                ),
                rows=(*rows, Row("none", "None of these", _cells(buckets[_NONE]), kind="none")),
                total=Row("total", "All offences asked about", total, kind="total"),
            ),
            notes=overlap_note(
                (row.counts[0] for row in rows),
                total[0] - buckets[_NONE]["doc_count"],
                "a record may mention several of them",
            ),
            terms=terms_found(mentions, (row.counts[0] for row in rows), found["forms"]),
        )

    def _by_offence(self, scope: Scope) -> bool:
        return self.each_offence and bool(scope.offences)


def _cells(bucket: dict[str, Any]) -> tuple[int, ...]:
    return (bucket["doc_count"], *(counts(bucket["columns"]) if "columns" in bucket else ()))


def _columns(scope: Scope) -> aggs.Filters:
    return bucketed(offence_query(row.codes) for row in scope.offences)
