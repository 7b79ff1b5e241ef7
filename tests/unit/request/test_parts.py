"""The parts of a request as the requester numbers them, with and without figures."""

from __future__ import annotations

import msgspec
import pytest

from indexer.errors import RequestError
from queries.answer.types import UncoveredPart
from queries.request.reader import parse_request, request_from_answer

HEAD = "reference: R1\ntitle: T\n"


@pytest.mark.parametrize("name", ["1", "b)", "3a", "(ii)", "2.1", "Q1", "4-b", "(c"])
def test_parts_have_the_numbers_that_the_requester_gave_them(name: str) -> None:
    request = parse_request(f'{HEAD}questions:\n- {{id: "{name}", kind: offences}}')
    assert [question.id for question in request.questions] == [name]


@pytest.mark.parametrize("name", ["", ")", "a b", "a/b", "a]b", "x" * 21, "a>b", "é"])
def test_what_no_requester_numbers_a_part_by_is_refused(name: str) -> None:
    with pytest.raises(RequestError, match="an id is up to 20 letters"):
        parse_request(f'{HEAD}questions:\n- {{id: "{name}", kind: offences}}')


def test_a_part_without_figures_keeps_its_place() -> None:
    request = parse_request(
        f"{HEAD}questions:\n"
        "- {id: 1, kind: offences, note: A note., not_covered: Not all of it.}\n"
        "- {id: 2, text: 'How many arrests?', not_covered: We do not hold this.}\n"
        "- {id: 3, kind: offences}\n"
    )
    assert [question.id for question in request.questions] == ["1", "3"]
    assert request.questions[0].note == "A note."
    assert request.questions[0].not_covered == "Not all of it."
    assert request.uncovered == (
        UncoveredPart("2", "How many arrests?", "We do not hold this.", 1),
    )
    assert request_from_answer(msgspec.to_builtins(request)) == request


def test_a_request_may_have_no_figures_at_all() -> None:
    request = parse_request(f"{HEAD}questions: [{{id: a, not_covered: Not held.}}]")
    assert (request.questions, [part.id for part in request.uncovered]) == ((), ["a"])


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("{id: 1, kind: offences}", ':4: the id "1" is used twice'),
        ('{id: 2, not_covered: " "}', ':4: "not_covered": '),
        ("{id: 2, not_covered: x, keywords: [a]}", ':4: "keywords" is not a key here'),
        ("{id: 2, note: x}", ":4: lacks"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_with_its_line(part: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(f"{HEAD}questions: [{{id: 1, not_covered: x}},\n {part}]", "r.yaml")
    assert message in str(refused.value)


def test_an_answer_of_the_version_before_has_no_parts_without_figures() -> None:
    saved = msgspec.to_builtins(parse_request(f"{HEAD}questions: [{{id: Q1, kind: offences}}]"))
    del saved["uncovered"]
    for question in saved["questions"]:
        del question["note"], question["not_covered"]
    assert request_from_answer(saved).uncovered == ()
