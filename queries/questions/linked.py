"""Kind ``linked``: how many records in scope are linked to an offence of each of a few codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Nested, Query, Terms
from msgspec import Meta

from indexer import offences
from indexer.errors import RequestError
from queries import conditions
from queries.answer import Figure, QuestionAnswer, Relation
from queries.fields import Axis, Bucket
from queries.grid import Grid
from queries.problems import Problem
from queries.questions.base import Question, overlap_note
from queries.scope import Scope, none_of

_LINKED: Final = "linked"


class Linked(Question, frozen=True, tag="linked"):
    """A row for each code, covering all below it, and the records with no such link."""

    codes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100)]

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Codes that are not known."""
        del scope
        for number, code in enumerate(self.codes):
            try:
                offences.load().require(code)
            except RequestError as error:
                yield Problem(f".codes[{number}]", str(error))

    def grid(self, scope: Scope) -> Grid:
        """A row for each code, and for none of them."""
        del scope
        table = offences.load()
        codes = self._canonical()
        buckets = [
            Bucket(
                one,
                table.title(one),
                _linked_to([one]),
                (conditions.linked([one]),),
                codes=(one,),
            )
            for one in codes
        ]
        without = (conditions.negated(conditions.linked(codes)),)
        none = Bucket("none", "No such link", none_of([_linked_to(codes)]), without, "none")
        return Grid(Axis("Linked to", (*buckets, none), partition=False), None, "offences")

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """The rows, and all codes together."""
        return {**super().build(scope), _LINKED: aggs.Filter(_linked_to(self._canonical()))}

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """Read the rows."""
        relations = (
            Relation("sum", "total", (_LINKED, "none")),
            Relation("union", _LINKED, tuple(self._canonical())),
        )
        table = msgspec.structs.replace(self.grid(scope).read(found), relations=relations)
        linked = found[_LINKED]["doc_count"]
        return self.answered(
            table,
            found,
            scope,
            facts={_LINKED: linked},
            figures=(Figure(_LINKED, means=(conditions.linked(self._canonical()),)),),
            notes=overlap_note(table, "a record may have links to several of them"),
        )

    def _canonical(self) -> list[str]:
        return list(dict.fromkeys(map(offences.load().canonical, self.codes)))


def _linked_to(codes: list[str]) -> Query:
    return Nested(path="linked", query=Terms(linked__offence_path=codes))
