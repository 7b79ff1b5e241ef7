"""Breakdowns, and what no question answers."""

from __future__ import annotations

import pytest

from queries.drafting.phrases.breakdowns import find_breakdowns
from queries.drafting.phrases.gaps import find_gaps


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("at least one of the three terms, month by month", ["month"]),
        ("the same records according to the type of offence", ["offence"]),
        ("which offence groups the crimes belong to", ["offence_group"]),
        ("how each one was resolved (outcome)", ["outcome"]),
        ("how many of those led to a charge", ["outcome"]),
        ("how many victims were men and how many were women", ["sex"]),
        ("for each of the three tax years", ["year"]),
        ("by quarter and by sex", ["quarter", "sex"]),
        ("sexual offences against men", []),
        ("how many offences", []),
    ],
)
def test_a_breakdown_is_a_field(text: str, fields: list[str]) -> None:
    assert find_breakdowns(text) == fields


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("the number of persons arrested", "arrests"),
        ("how many ended in a conviction", "convictions"),
        ("what the force spent on seizing e-scooters", "costs"),
        ("every policy, standing instruction or guidance note", "policies"),
        ("whether your officers get any training", "training"),
        ("a short summary of what happened in every case", "narratives"),
        ("as a percentage of all offences", "percentages"),
        ("full-time-equivalent staff in your team", "staff"),
        ("copies of any internal emails", "documents"),
        ("How many stop and searches", "stop and search"),
        ("Average time from report to charge", "times"),
        ("The ethnicity of the victims", "people"),
        ("in each of your policing districts", "places"),
        ("What steps are being taken", "opinions"),
    ],
)
def test_what_is_not_counted_has_a_reason(text: str, kind: str) -> None:
    gaps = find_gaps(text)
    assert gaps[0].kind == kind
    assert gaps[0].why.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "How many offences did the force record?",
        "How many victims were aged 12 to 15?",
        "take or make indecent photographs of children",
        "the outcome of each",
    ],
)
def test_what_is_counted_is_not_a_gap(text: str) -> None:
    assert find_gaps(text) == []
