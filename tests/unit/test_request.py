"""The request file: strict, and wrong in all its lines at once."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import RequestError
from queries import request
from tests.conftest import ROOT

REQUESTS = sorted((ROOT / "tests" / "data" / "requests").glob("*.yaml"))
HEAD = "reference: R1\ntitle: T\n"
QUESTIONS = "questions: [{id: Q1, kind: offences}]\n"


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_every_request_file_of_the_tests_is_right(path: object) -> None:
    assert request.read(path).questions  # type: ignore[arg-type]


def test_six_wordings_are_two_terms() -> None:
    found = request.read(ROOT / "tests/data/requests/reference.yaml")
    first, second = found.scope.mentions
    assert found.wordings(first) == ("live stream", "live-stream", "livestream")
    assert found.wordings(second) == ("livestreaming", "live-streaming", "live streaming")


def test_a_financial_year_is_its_days() -> None:
    period = request.parse(f"{HEAD}period: 2017/18\n{QUESTIONS}").period
    assert period
    assert (period.start.isoformat(), period.end.isoformat()) == ("2017-04-01", "2018-03-31")


def test_values_stay_as_they_are_written() -> None:
    """YAML alone would read a number, a boolean and a float."""
    text = f"{HEAD}{QUESTIONS}mentions: [086, No, 4.10, null, 1e3]\noffences: [{{codes: [086/02, 21]}}]"
    found = request.parse(text)
    assert found.mentions == ("086", "No", "4.10", "null", "1e3")
    assert found.scope.offences[0].codes == ("86/2", "21")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["is empty"]),
        ("- a\n- b", [":1: is not a request"]),
        ("a: [", [":1: is not YAML"]),
        ("a: &x 1\nb: *x", [":1: holds an anchor or alias"]),
        ("a: !!python/object:os.system x", [":1: holds a YAML tag"]),
        ("[" * 30, ["nested too deeply"]),
        ("a: 1\na: 2", [':2: gives "a" twice']),
        (HEAD, [':1: lacks "questions"']),
        (f"{HEAD}titel: x\n{QUESTIONS}", [':3: "titel" is not a key here. Did you mean "title"?']),
        (f"{HEAD}period: soon\n{QUESTIONS}", [':3: "period": expected {from']),
        (f"{HEAD}period: {{from: 2018-02-30, to: 2018-03-01}}\n{QUESTIONS}", [':3: "from": is not a day']),
        (
            f"{HEAD}period: {{from: 2018-04-01, to: 2017-03-31}}\n{QUESTIONS}",
            [":3: the period ends (2017-03-31) before it starts"],
        ),
        (f"{HEAD}mentions: live\n{QUESTIONS}", [':3: "mentions": expected a list']),
        (f'{HEAD}mentions:\n- live\n- ""\n{QUESTIONS}', [':5: term "" has no letter']),
        (f"{HEAD}offences: [{{codes: [22F]}}]\n{QUESTIONS}", [':3: offence code "22F" is not known']),
        (f"{HEAD}offences: [{{code: [22B]}}]\n{QUESTIONS}", ['Did you mean "codes"?']),
        (f"{HEAD}questions:\n- {{id: Q1, kind: ofences}}", [':4: there is no kind of question "ofences". Did you mean "offences"?']),
        (f"{HEAD}questions:\n- {{id: 1, kind: offences}}", [":4: an id is a letter"]),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: offences}}\n- {{id: Q1, kind: offences}}",
            [':5: the id "Q1" is used twice'],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: keywords, keywords: [Snap chat, snapchat]}}",
            ['"snapchat" is the same term as "Snap chat"'],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: keywords, keywords: [{{term: x, alias: [y]}}]}}",
            ['"alias" is not a key here. Did you mean "aliases"?'],
        ),
        (f"{HEAD}questions:\n- {{id: Q1, kind: linked, codes: [86/99]}}", ['"86/99" is not known']),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: victims, bands: [{{to: 12}}, {{from: 12}}]}}",
            ['"Aged 12 and under" and "Aged 12 and over" overlap'],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: victims, bands: [{{from: 15, to: 12}}]}}",
            ["the band runs from 15 to 12"],
        ),
        (
            f"{HEAD}questions:\n- {{id: Q1, kind: victims, bands: [{{from: -1}}]}}",
            ["expected an age from 0 to 120"],
        ),
        (
            f"{HEAD}titel: x\nmentions: [--]\noffences: [{{codes: [22F]}}]\n{QUESTIONS}",
            [":3:", ":4:", ":5:"],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(text: str, messages: list[str]) -> None:
    with pytest.raises(RequestError) as refused:
        request.parse(text, "request.yaml")
    for message in messages:
        assert message in str(refused.value)
    assert all(line.startswith("request.yaml") for line in str(refused.value).splitlines())


@given(st.text())
def test_any_text_is_a_request_or_refused(text: str) -> None:
    with pytest.raises(RequestError):
        request.parse(text)


@given(st.recursive(st.text("abc17"), lambda inner: st.dictionaries(
    st.sampled_from(["reference", "title", "questions", "period", "mentions", "offences", "from", "to",
                     "codes", "label", "id", "kind", "bands", "keywords", "term", "with"]), inner)
    | st.lists(inner), max_leaves=20))  # fmt: skip
def test_any_tree_of_our_keys_is_a_request_or_refused(tree: object) -> None:
    import yaml

    with contextlib.suppress(RequestError):
        request.parse(yaml.safe_dump(tree))
