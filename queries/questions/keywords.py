"""Kind ``keywords``: how many records in scope mention each of a list of terms, and none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from elasticsearch.dsl import aggs
from msgspec import Meta

from queries import wording
from queries.answer import Column, QuestionAnswer, Relation, Row, Table
from queries.problems import Problem
from queries.questions.base import (
    MAX_TERMS,
    Question,
    adding_up,
    beside_none,
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
            Row(str(number), mention.label, _cells(buckets[str(number)]), means=mention.means)
            for number, mention in enumerate(mentions)
        ]
        total = _cells(found)
        records = [buckets[row.key]["doc_count"] for row in rows]
        parts = tuple(f"offence_{place}" for place in range(len(offences)))
        none = Row(_NONE, "None of these", _cells(buckets[_NONE]), _NONE, means=_none(mentions))
        return QuestionAnswer(
            id=self.id,
            kind="keywords",
            text=self.text,
            table=Table(
                heading="Keyword",
                columns=(
                    Column("offences", "Offences"),
                    *(
                        Column(key, ", ".join(row.codes), row.label, means=row.means)
                        for key, row in zip(parts, offences, strict=True)
                    ),
                ),
                rows=(*rows, none),
                total=Row("total", "All offences asked about", total, kind="total"),
                relations=(
                    *beside_none((row.key for row in rows), none.key, "total"),
                    *(
                        [
                            Relation(
                                adding_up([row.codes for row in offences]),
                                "offences",
                                parts,
                                "columns",
                            )
                        ]
                        if parts
                        else []
                    ),
                ),
            ),
            notes=overlap_note(
                records,
                total[0] - buckets[_NONE]["doc_count"],
                "a record may mention several of them",
            ),
            terms=terms_found(mentions, records, found["forms"]),
        )

    def _by_offence(self, scope: Scope) -> bool:
        return self.each_offence and bool(scope.offences)


def _none(mentions: tuple[Mention, ...]) -> str:
    return f"none of:{'|'.join(sorted(mention.means for mention in mentions))}"


def _cells(bucket: dict[str, Any]) -> tuple[int, ...]:
    return (bucket["doc_count"], *(counts(bucket["columns"]) if "columns" in bucket else ()))


def _columns(scope: Scope) -> aggs.Filters:
    return bucketed(offence_query(row.codes) for row in scope.offences)
