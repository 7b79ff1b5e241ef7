"""Numbers that may be 0 because the source does not say at all what is asked are warned of."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from indexer.records.damage.kinds import TextDamage
from queries.answer.types import Answer, Column, QuestionAnswer, Row, Table
from queries.documents.empty_counts import warn_of_empty
from tests.support.answers import sample_answer


def make_answer(
    unit: str, counts: tuple[int, ...], kind: str = "by", row_kind: str = "asked", **entry: Any
) -> Answer:
    rows = tuple(Row(f"#{n}", str(n), (count,), row_kind) for n, count in enumerate(counts))
    table = Table("", (Column(unit, unit, unit=unit),), rows, Row("total", "", (sum(counts),)))
    request = {"questions": [{"id": "Q1", "kind": kind, **entry}]}
    questions = (QuestionAnswer("Q1", kind, "", table),)
    return msgspec.structs.replace(sample_answer(3), questions=questions, request=request)


@pytest.mark.parametrize(
    ("answer", "content"),
    [
        (make_answer("victims", (0, 0)), "victim"),
        (make_answer("suspects", ()), "suspect"),
        (make_answer("offences", (0,), "linked"), "link to another offence"),
        (make_answer("offences", (5,), row_kind="unknown", by="outcome"), "outcome"),
        (make_answer("offences", (), within={"where": {"victim": {"age": {}}}}), "victim"),
        (make_answer("offences", (0,), within={"where": {"outcome": ["1"]}}), "outcome"),
    ],
)
def test_a_question_that_finds_none_is_warned_of(answer: Answer, content: str) -> None:
    [warning] = warn_of_empty(answer)
    assert warning.startswith(f"Q1 finds no {content} in 3 records.")
    assert "not_covered" in warning


@pytest.mark.parametrize(
    "answer",
    [
        make_answer("victims", (0, 2)),
        make_answer("offences", (0, 0)),
        make_answer("offences", (4, 1), by="outcome"),
        make_answer("offences", (2,), within={"where": {"outcome": ["1"]}}),
    ],
)
def test_other_questions_are_not(answer: Answer) -> None:
    assert warn_of_empty(answer) == ()


@pytest.mark.parametrize(("without_text", "warned"), [(2, True), (0, False)])
def test_terms_in_records_without_text_are_warned_of(without_text: int, *, warned: bool) -> None:
    answer = sample_answer(3)
    provenance = msgspec.structs.replace(
        answer.provenance, damage=TextDamage(without_text=without_text), records=5
    )
    answer = msgspec.structs.replace(answer, provenance=provenance)
    missing = "2 of 5 records have no text"
    assert any(missing in warning for warning in warn_of_empty(answer)) is warned
    scope = msgspec.structs.replace(answer.scope, terms=())
    without_terms = msgspec.structs.replace(answer, scope=scope, questions=())
    assert not any(missing in warning for warning in warn_of_empty(without_terms))
