"""Messages about files that are wrong: in our words, and at the line where the fault begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import RequestError
from queries.answer.answer_file import read_answer_file
from queries.questions import load_question_kinds
from queries.request.reader import parse_request, request_from_answer
from queries.spec.yaml_text import parse_yaml


@pytest.mark.parametrize("quote", ["'", '"'])
def test_an_unclosed_quote_is_reported_where_it_opens(quote: str) -> None:
    with pytest.raises(RequestError, match=r"^r.yaml:2: opens a quote that is not closed"):
        parse_yaml(f"reference: A\ntitle: {quote}Open\nperiod: 2017/18\nquestions: []\n", "r.yaml")


def test_a_wrong_answer_file_is_explained_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"format": "foidex-answer/2", "reference": 3}', encoding="utf-8")
    with pytest.raises(RequestError) as refusal:
        read_answer_file(path)
    assert '"reference": expected text, not a whole number' in str(refusal.value)
    assert "`" not in str(refusal.value)


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({}, "the answer holds no request with questions."),
        ({"questions": 3}, "the answer holds no request with questions."),
        (
            {"questions": [], "reference": "A", "title": []},
            'the request that the answer holds cannot be read: "title" expected text, not a list.',
        ),
        (
            {"questions": [{"id": "Q1", "kind": "no such kind"}]},
            'the request that the answer holds cannot be read: "kind" is not one of the allowed '
            "values.",
        ),
        (
            {"questions": [], "reference": "A"},
            'the request that the answer holds cannot be read: lacks "title".',
        ),
    ],
)
def test_a_request_in_an_answer_that_cannot_be_read_is_explained_in_plain_words(
    saved: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError) as refusal:
        request_from_answer(saved)
    assert str(refusal.value) == f"{message} Use the file as it was made."


ODD_VALUES: list[Any] = [{"zz": 1}, [{"zz": 1}], {"to": "x"}, [{"band": [{"to": 17}]}], [[1]], {"zz": {"zz": 1}}]  # fmt: skip


@pytest.mark.parametrize("kind", sorted(load_question_kinds()))
@pytest.mark.parametrize("value", ODD_VALUES, ids=str)
def test_an_odd_value_of_any_key_of_any_kind_of_question_is_explained(
    kind: str, value: Any
) -> None:
    for key in load_question_kinds()[kind].__struct_encode_fields__:
        question = {"id": "Q1", "kind": kind, "text": "?", key: value}
        request = {"reference": "F", "title": "T", "mentions": ["a"], "questions": [question]}
        with pytest.raises(RequestError, match=r"^r.yaml"):
            parse_request(json.dumps(request), "r.yaml")
