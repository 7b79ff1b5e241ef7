"""Kind ``linked``: how many records in scope are linked to an offence of each of a few codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Nested, Query, Terms
from msgspec import Meta

from indexer import offences
from indexer.errors import RequestError
from queries.answer import Column, Figure, QuestionAnswer, Relation, Row, Table
from queries.problems import Problem
from queries.questions.base import Question, bucketed, counts, overlap_note
from queries.scope import Scope, none_of


class Linked(Question, frozen=True, tag="linked"):
    """A row for each code, covering all below it, and the records with no such link."""

    codes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100)]

    def problems(self) -> Iterator[Problem]:
        """Codes that are not known."""
        for number, code in enumerate(self.codes):
            try:
                offences.load().require(code)
            except RequestError as error:
                yield Problem(f".codes[{number}]", str(error))

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """A bucket for each code, for all together and for none of them."""
        del scope
        codes = self._canonical()
        every = _linked_to(codes)
        return {
            "rows": bucketed([*(_linked_to([code]) for code in codes), every, none_of([every])])
        }

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """Read the rows."""
        del scope
        table = offences.load()
        *each, every, none = counts(found["rows"])
        rows = [
            Row(code, table.title(code), (count,), codes=(code,), means=f"linked:{code}")
            for code, count in zip(self._canonical(), each, strict=True)
        ]
        together = ",".join(sorted(self._canonical()))
        rows.append(Row("none", "No such link", (none,), "none", means=f"not linked:{together}"))
        return QuestionAnswer(
            id=self.id,
            kind="linked",
            text=self.text,
            table=Table(
                heading="Linked to",
                columns=(Column("offences", "Offences"),),
                rows=tuple(rows),
                total=Row("total", "All offences asked about", (found["doc_count"],), kind="total"),
                relations=(
                    Relation("sum", "total", ("linked", "none")),
                    Relation("union", "linked", tuple(self._canonical())),
                ),
            ),
            facts={"linked": every},
            figures=(Figure("linked", means=f"linked:{together}"),),
            notes=overlap_note(each, every, "a record may have links to several of them"),
        )

    def _canonical(self) -> list[str]:
        return list(dict.fromkeys(map(offences.load().canonical, self.codes)))


def _linked_to(codes: list[str]) -> Query:
    return Nested(path="linked", query=Terms(linked__offence_path=codes))
