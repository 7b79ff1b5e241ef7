"""What is to be confirmed: read with the request, listed by lint, and in the way of an answer."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from indexer.errors import RequestError, UnconfirmedError
from queries.lint.findings import format_request_outline, make_lint_report
from queries.request.reader import parse_request, request_from_answer
from tests.support.command_line import run_command

REQUEST = """\
reference: FOI/1
title: Grooming
period: 2017/18
questions:
  - {id: "1", kind: offences, text: "How many?"}
"""

CONFIRM = """\
confirm:
  - part: "1"
    question: Which codes does "grooming" mean?
    sentence: How many grooming offences ZQXCANARY were there?
    choices: ["88A", "88A and 71/17"]
    default: "88A"
  - question: Is the year a financial year?
"""


def test_a_request_without_confirmations_holds_none() -> None:
    request = parse_request(REQUEST)
    assert request.confirmations == ()
    request.require_confirmed()


def test_no_answer_holds_the_key() -> None:
    saved = msgspec.to_builtins(parse_request(REQUEST))
    assert "confirm" not in saved
    assert request_from_answer(saved).confirmations == ()


@pytest.mark.parametrize("emptied", ["confirm: []\n", "confirm:\n"])
def test_an_emptied_list_is_no_confirmation(emptied: str) -> None:
    parse_request(REQUEST + emptied).require_confirmed()


def test_what_is_to_be_confirmed_is_in_the_way_and_the_message_says_how_to_empty_it() -> None:
    request = parse_request(REQUEST + CONFIRM)
    assert [spec.place for spec in request.confirmations] == ["part 1", "the whole request"]
    with pytest.raises(UnconfirmedError) as refused:
        request.require_confirmed()
    message = str(refused.value)
    assert message.startswith(
        "FOI/1: has 2 entries under confirm (part 1, the whole request), so it is not answered."
    )
    assert "remove the entry from the file" in message
    assert "grooming" not in message
    assert "ZQXCANARY" not in message


def test_lint_lists_what_is_to_be_confirmed() -> None:
    request = parse_request(REQUEST + CONFIRM)
    outline = format_request_outline(request, "request.yaml")
    assert '1. part 1: Which codes does "grooming" mean?' in outline
    assert 'The letter: "How many grooming offences ZQXCANARY were there?"' in outline
    assert "- 88A (as the request has it)\n   - 88A and 71/17\n" in outline
    assert "2. the whole request: Is the year a financial year?" in outline
    assert "confirm" not in format_request_outline(parse_request(REQUEST), "request.yaml")
    report = make_lint_report(request, "request.yaml", None)
    assert [entry["part"] for entry in report.request["confirm"][:1]] == ["1"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("- {sentence: x}", 'request:7: lacks "question". Add it.'),
        ("- {question: x, why: y}", '"why" is not a key here.'),
        ("- {question: ' '}", '"question": '),
        ("- {question: x, choices: [a, b], default: c}", 'the "default" is not one of the choices'),
        ("nothing", '"confirm": '),
    ],
)
def test_a_wrong_entry_is_explained(entry: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_request(f"{REQUEST}confirm:\n  {entry}\n")
    assert message in str(refused.value)


def test_answer_refuses_before_it_asks_a_server(tmp_path: Path) -> None:
    (tmp_path / "request.yaml").write_text(REQUEST + CONFIRM)
    environment = {"FOIDEX_HOME": str(tmp_path / "home"), "FOIDEX_URL": "http://127.0.0.1:9"}
    refused = run_command(
        "answer", "request.yaml", environment=environment, folder=tmp_path, expected_code=21
    )
    assert refused.err.startswith("foidex: FOI/1: has 2 entries under confirm (")
    assert not refused.out
    logs = [path.read_text() for path in tmp_path.rglob("audit*.jsonl")]
    assert logs
    assert all("ZQXCANARY" not in log and "grooming" not in log for log in logs)
    assert any('"exit_code":21' in log.replace(" ", "") for log in logs)


def test_letters_and_lint_read_a_request_that_is_not_confirmed(tmp_path: Path) -> None:
    (tmp_path / "request.yaml").write_text(f"{REQUEST}letter: {{received: 2018-07-18}}\n{CONFIRM}")
    environment = {"FOIDEX_HOME": str(tmp_path / "home")}
    for words in (["lint", "--offline"], ["letter", "acknowledgement"]):
        run_command(
            *words, "request.yaml", environment=environment, folder=tmp_path, expected_code=0
        )
