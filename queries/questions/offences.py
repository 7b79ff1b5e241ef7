"""Kind ``offences``: how many records in scope, a row for each offence the request lists."""

from __future__ import annotations

from typing import Any, Final

from elasticsearch.dsl import aggs

from indexer import offences
from queries.answer import Column, QuestionAnswer, Relation, Row, Table
from queries.questions.base import Question, adding_up, bucketed, counts, overlap_note
from queries.scope import Scope, offence_query, offences_mean

_CODES: Final = 5_000


class Offences(Question, frozen=True, tag="offences"):
    """Rows are the offences of the request, or every code found where it lists none."""

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """A bucket for each row."""
        if scope.offences:
            return {"rows": bucketed(offence_query(row.codes) for row in scope.offences)}
        return {"codes": aggs.Terms(field="offence_code", size=_CODES, order={"_key": "asc"})}

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """Read the rows; codes nobody listed come in the order of the table."""
        total = found["doc_count"]
        if scope.offences:
            rows = [
                Row(str(number), row.label, (count,), codes=row.codes, means=row.means)
                for number, (row, count) in enumerate(
                    zip(scope.offences, counts(found["rows"]), strict=True)
                )
            ]
        else:
            table = offences.load()
            rows = [
                Row(
                    key=one["key"],
                    label=table.title(one["key"]),
                    counts=(one["doc_count"],),
                    codes=(one["key"],),
                    means=_exactly(one["key"]),
                )
                for one in found["codes"]["buckets"]
            ]
        kind = adding_up([row.codes for row in scope.offences])
        each = [count for row in rows for count in row.counts if count is not None]
        return QuestionAnswer(
            id=self.id,
            kind="offences",
            text=self.text,
            table=Table(
                heading="Offence",
                columns=(Column("offences", "Offences"),),
                rows=tuple(rows),
                total=Row("total", "All offences asked about", (total,), kind="total"),
                relations=(Relation(kind, "total", tuple(row.key for row in rows)),),
            ),
            notes=overlap_note(each, total, "an offence may belong to several rows"),
        )


def _exactly(code: str) -> str:
    """The condition of the records of a code and of none below it."""
    alone = offences.load().covered([code]) == {code}
    return offences_mean([code]) if alone else f"code:{code}"
