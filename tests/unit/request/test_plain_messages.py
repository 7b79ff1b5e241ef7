"""Messages about files that are wrong: in our words, and at the line where the fault begins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from indexer.errors import RequestError
from queries.answer.answer_file import read_answer_file
from queries.request.reader import request_from_answer
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
