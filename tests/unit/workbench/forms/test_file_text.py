"""A value of a request file is changed, and every other line stays as it was written."""

from __future__ import annotations

import pytest

from indexer.errors import RequestError
from queries.spec.yaml_text import parse_yaml
from queries.workbench.forms.file_text import REMOVED, change_text

TEXT = """\
# The first remark.
reference: FOI/1   # beside
title: "Apps"

# About the period.
period: {from: 2017-04-01, to: 2018-03-31}
where: {outcome: [1, 18]}   # kept
questions:
  # the first
  - {id: Q1, kind: offences}
  - id: Q2  # the second
    kind: by
    by: month
  # the last remark
letter: {to: Pat Example}
"""


def test_a_key_is_changed_and_all_else_stays_as_it_is_written() -> None:
    changed = change_text(TEXT, {"title": "Maps: all of them"}, {})
    assert changed == TEXT.replace('title: "Apps"', "title: 'Maps: all of them'")


def test_a_key_is_taken_out_and_one_is_added() -> None:
    changed = change_text(TEXT, {"period": REMOVED, "mentions": ["Kik"]}, {})
    assert "period:" not in changed
    assert "# About the period." in changed
    assert changed.endswith("letter: {to: Pat Example}\nmentions:\n- Kik\n")


def test_a_question_is_changed_taken_out_and_added() -> None:
    new = {"id": "Q3", "kind": "victims", "bands": [{"to": "17"}], "youngest": "true"}
    changed = change_text(TEXT, {}, {0: REMOVED, 1: {"id": "Q2", "kind": "offences"}, 2: new})
    assert parse_yaml(changed, "x").value["questions"] == [{"id": "Q2", "kind": "offences"}, new]
    assert "youngest: true" in changed
    assert "# the first" in changed
    assert "# the last remark" in changed
    assert "where: {outcome: [1, 18]}   # kept" in changed


@pytest.mark.parametrize(
    "text",
    [
        "{reference: A, title: T, questions: [{id: Q1, kind: offences}]}",
        "reference: A\ntitle: T\nquestions: [{id: Q1, kind: offences}]",
        "reference: A\ntitle: >\n  T\n\nquestions:\n- id: Q1\n  kind: offences",
        "reference: A\r\ntitle: T\r\nquestions:\r\n- id: Q1\r\n  kind: offences\r\n",
        "---\nreference: A\ntitle: T\n...\n",
    ],
)
def test_a_file_of_any_layout_holds_what_is_expected(text: str) -> None:
    before = parse_yaml(text, "x").value
    added = {"id": "Q2", "kind": "by", "by": "month"}
    position = len(before.get("questions", []))
    changed = parse_yaml(
        change_text(text, {"title": "U\nV: 'w' # x"}, {position: added}), "x"
    ).value
    questions = [*before.get("questions", []), added]
    assert changed == {**before, "title": "U\nV: 'w' # x", "questions": questions}


@pytest.mark.parametrize(
    "value", ["086/02", "086", "1e3", "no", "~", "2018-02-30", "0o7", "12", "²"]
)
def test_a_value_is_read_back_as_it_was_written(value: str) -> None:
    changed = change_text("reference: A\n", {"mentions": [value]}, {})
    assert parse_yaml(changed, "x").value["mentions"] == [value]


def test_what_is_no_request_file_is_refused() -> None:
    with pytest.raises(RequestError, match="not a list of keys"):
        change_text("- a\n", {"title": "T"}, {})
