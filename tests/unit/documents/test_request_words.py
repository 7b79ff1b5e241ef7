"""What a request asks for beyond terms and codes is said in the documents in plain words."""

from __future__ import annotations

from datetime import date
from typing import Any

from queries.documents.formats.letter import render_letter_text
from queries.request.reader import parse_request
from tests.support.answers import FORCE
from tests.support.fake_search import answer
from tests.support.rendered import rendered


def render_words(request: str, records: list[dict[str, Any]]) -> str:
    """The letter of a request over a few records, on one line."""
    text = f"reference: FOI/1\ntitle: Made\n{request}"
    found = answer(parse_request(text), records)
    return " ".join(rendered(render_letter_text, found, FORCE, date(2018, 8, 15)).split())


def make_record(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "crime_ref": f"R{number}",
        "recorded_on": "2017-05-05",
        "offence_code": "22B",
        "narrative": "",
        **fields,
    }


def test_a_letter_says_what_a_victim_must_be() -> None:
    request = (
        "period: 2017/18\nwhere: {victim: {age: {to: 17}, sex: [F, Male]}}\n"
        "questions: [{id: Q1, kind: offences}]"
    )
    words = render_words(request, [make_record(victims=[{"age": 9, "sex": "F"}])])
    assert (
        "recorded from 1 April 2017 to 31 March 2018, where at least one victim was female or male "
        "and aged 17 or under" in words
    )


def test_a_letter_says_that_bands_overlap_and_calls_them_by_their_labels() -> None:
    request = (
        "period: 2017/18\nquestions: [{id: Q1, kind: victims, "
        "bands: [{to: 17, label: Children}, {from: 16, to: 24, label: Young people}]}]"
    )
    victims = [{"age": 16, "victim_ref": "a"}, {"age": 9, "victim_ref": "b"}]
    words = render_words(request, [make_record(victims=victims)])
    assert "Children 2 2 Young people 1 1" in words
    assert "a victim is counted in each band that fits" in words
    assert "because a person's age may differ" not in words
    apart = request.replace("from: 16, to: 24", "from: 18, to: 24")
    assert "overlap" not in render_words(apart, [make_record(victims=victims)])
