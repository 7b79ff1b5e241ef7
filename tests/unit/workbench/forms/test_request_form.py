"""The form of a new request: the file that it makes is one that foidex reads."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from queries.request.reader import parse_request
from queries.workbench.forms.request_form import format_request, name_request_file, read_form

FORM = {
    "reference": "FOI2018/03922",
    "title": 'Live-streaming: in "recorded" offences',
    "to": "Ms O'Hare",
    "received": "2018-07-31",
    "from": "2017-04-01",
    "until": "2018-03-31",
    "terms": "live stream\r\n\r\n  Snapchat \r\n",
    "codes": "22B\r\n88/1 - Meeting a child following grooming\r\n",
    "keywords": "Facebook\nMusical.ly\nno\n1",
    "bands": "under 12\n12 to 15, 16-17\nover 17",
    "by_offence": "on",
    "by_month": "on",
    "by_outcome": "on",
    "youngest": "on",
}


def test_what_the_form_makes_is_a_request() -> None:
    request, problems = read_form(FORM)
    assert problems == {}
    parsed = parse_request(format_request(request))
    assert parsed.reference == "FOI2018/03922"
    assert parsed.title == FORM["title"]
    assert parsed.letter is not None
    assert (parsed.letter.to, parsed.letter.received) == ("Ms O'Hare", date(2018, 7, 31))
    assert parsed.scope.period.start == date(2017, 4, 1)
    assert parsed.scope.period.end == date(2018, 3, 31)
    assert [one.label for one in parsed.scope.mentions] == ["live stream", "Snapchat"]
    assert [row.codes for row in parsed.scope.offences] == [("22B",), ("88/1",)]
    kinds = [(one.id, type(one).__name__) for one in parsed.questions]
    assert kinds == [
        ("Q1", "Offences"), ("Q2", "Keywords"), ("Q3", "By"), ("Q4", "By"), ("Q5", "Victims"),
    ]  # fmt: skip
    people: Any = parsed.questions[-1]
    assert [(band.start, band.end) for band in people.bands] == [
        (0, 11), (12, 15), (16, 17), (18, 120),
    ]  # fmt: skip
    assert people.youngest


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"reference": " "}, "reference", "Enter the reference"),
        ({"title": ""}, "title", "Enter the subject"),
        ({"received": "31/07/2018"}, "received", "Enter a day"),
        ({"from": ""}, "from", "both days"),
        ({"until": ""}, "until", "both days"),
        ({"until": "2016-01-01"}, "until", "must not be before"),
        ({"bands": "children"}, "bands", "Enter age bands"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(
    change: dict[str, str], field: str, message: str
) -> None:
    problems = read_form(FORM | change)[1]
    assert list(problems) == [field]
    assert message in problems[field]


def test_a_request_that_counts_nothing_is_refused() -> None:
    assert read_form({"reference": "A", "title": "T"})[1] == {
        "by_offence": "Choose at least one thing to count"
    }


def test_a_range_of_codes_stays_one() -> None:
    request, _ = read_form(FORM | {"codes": "19C-19K\n71 to 72"})
    assert request["offences"] == [{"codes": ["19C-19K"]}, {"codes": ["71 to 72"]}]


@pytest.mark.parametrize("reference", ["../../etc", "a/b", "CON", "🙂", "x" * 300])
def test_the_name_of_a_file_is_safe_whatever_the_reference(reference: str) -> None:
    name = name_request_file(reference)
    assert "/" not in name
    assert not name.startswith(".")
    assert len(name) < 100
