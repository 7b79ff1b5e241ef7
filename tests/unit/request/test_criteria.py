"""The criteria of a request: for numbers that it has, one each."""

from __future__ import annotations

import pytest

from indexer.errors import RequestError
from queries.request.criteria import (
    CriterionSpec,
    choose_criterion,
    find_criterion,
    list_unreviewed,
)
from queries.request.reader import parse_request

REQUEST = """\
reference: FOI/1
title: Messages
questions:
  - {id: Q1, kind: keywords, keywords: [Snapchat, Skype]}
review:
"""


def test_a_criterion_is_found_however_its_number_is_written() -> None:
    review = parse_request(
        REQUEST
        + "  - {number: Q1, criterion: it was used}\n"
        + "  - {number: 'Q1:Snapchat', criterion: it was used to make contact}\n"
    ).review
    assert find_criterion(review, "q1:total") == "it was used"
    assert find_criterion(review, "Q1: snapchat") == "it was used to make contact"
    assert find_criterion(review, "Q1:Skype") == ""
    assert find_criterion(review, "Q1", "Victims") == ""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("- {number: Q2, criterion: it was used}", r':6: .*no question "Q2"'),
        ("- {number: Q1, criterion: ' '}", ":6: .*criterion"),
        ("- {number: Q1}", ":6: .*criterion"),
        ("- {number: Q1, criterion: a, reviewer: b}", ":6: .*reviewer"),
        (
            "- {number: Q1, criterion: a}\n  - {number: 'q1:total', criterion: b}",
            ":7: .*has two criteria",
        ),
    ],
)
def test_a_criterion_that_does_not_fit_is_refused(line: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        parse_request(f"{REQUEST}  {line}\n")


def test_a_criterion_is_written_once() -> None:
    stated = [CriterionSpec("Q1", "It was\nused.")]
    assert choose_criterion(stated, "Q1:total", "", None) == "It was used."
    assert choose_criterion(stated, "Q1", "", "It was used.") == "It was used."
    assert choose_criterion(stated, "Q2", "", "It was seen.") == "It was seen."
    with pytest.raises(RequestError, match="does not say when"):
        choose_criterion(stated, "Q2", "", None)
    with pytest.raises(RequestError, match="--criterion says something else"):
        choose_criterion(stated, "Q1", "", "It was seen.")


def test_a_criterion_is_unreviewed_unless_a_review_is_of_its_number() -> None:
    """A review that names a row by its key may be of any criterion of the question."""
    review = parse_request(
        REQUEST
        + "  - {number: Q1, criterion: it was used}\n"
        + "  - {number: 'Q1:Snapchat', criterion: it was used to make contact}\n"
    ).review
    assert [spec.number for spec in list_unreviewed(review, [])] == ["Q1", "Q1:Snapchat"]
    assert [spec.number for spec in list_unreviewed(review, [("q1:total", "")])] == ["Q1:Snapchat"]
    assert list_unreviewed(review, [("Q1", ""), ("Q1: snapchat", "")]) == []
    assert list_unreviewed(review, [("Q1:#0", "")]) == []
    assert len(list_unreviewed(review, [("Q2", "")])) == 2
