"""Kind ``linked``: how many records in scope are linked to an offence of each code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Nested, Query, Terms
from msgspec import Meta

from indexer.errors import RequestError
from indexer.records.offences import load_offence_table
from indexer.records.offences.ranges import list_codes, require_codes
from queries.answer.condition import Not, build_link_condition
from queries.answer.types import FactMeta, QuestionAnswer, Relation
from queries.questions.base import Question, write_overlap_note
from queries.spec.problem import Problem
from queries.tables.axis_type import Axis, Bucket
from queries.tables.scope import Scope, none_of
from queries.tables.table_query import TOTAL_KEY, TableQuery

_LINKED: Final = "linked"


class Linked(Question, frozen=True, tag="linked"):
    """A row for each code, or code of a range, with all codes below it, and one for records with
    no such link."""

    codes: Annotated[tuple[str, ...], Meta(min_length=1, max_length=100)]

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Unknown offence codes."""
        del scope
        for number, code in enumerate(self.codes):
            try:
                require_codes(load_offence_table(), code)
            except RequestError as error:
                yield Problem(f".codes[{number}]", str(error))

    def table_query(self, scope: Scope) -> TableQuery:
        """A row for each code, and for none of them."""
        del scope
        table = load_offence_table()
        codes = self._canonical_codes()
        buckets = [
            Bucket(
                code,
                table.title(code),
                _build_link_query([code]),
                (build_link_condition([code]),),
                codes=(code,),
            )
            for code in codes
        ]
        without = (Not(build_link_condition(codes)),)
        none = Bucket("none", "No such link", none_of([_build_link_query(codes)]), without, "none")
        return TableQuery(Axis("Linked to", (*buckets, none), partition=False), None, "offences")

    def build(self, table_query: TableQuery) -> dict[str, aggs.Agg[Any]]:
        """The rows, and all codes together."""
        return {
            **super().build(table_query),
            _LINKED: aggs.Filter(_build_link_query(self._canonical_codes())),
        }

    def parse(self, response: dict[str, Any], table_query: TableQuery) -> QuestionAnswer:
        """Read the rows, and the fact of how many records are linked to any of the codes."""
        relations = (
            Relation("sum", TOTAL_KEY, (_LINKED, "none")),
            Relation("union", _LINKED, tuple(self._canonical_codes())),
        )
        table = msgspec.structs.replace(table_query.parse_response(response), relations=relations)
        linked = response[_LINKED]["doc_count"]
        return self.make_answer(
            table,
            response,
            table_query,
            facts={_LINKED: linked},
            figures=(
                FactMeta(_LINKED, means=(build_link_condition(self._canonical_codes()).text,)),
            ),
            overlaps=write_overlap_note(table, "a record may have links to several of them"),
        )

    def _canonical_codes(self) -> list[str]:
        table = load_offence_table()
        codes = (code for written in self.codes for code in list_codes(table, written))
        return list(dict.fromkeys(codes))


def _build_link_query(codes: list[str]) -> Query:
    return Nested(path="linked", query=Terms(linked__offence_path=codes))
