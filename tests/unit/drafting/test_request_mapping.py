"""A draft as a request file: what is written is a request that the reader takes."""

from __future__ import annotations

import json
from datetime import date

from queries.drafting.draft import (
    Choice,
    Confirmation,
    Draft,
    DraftHead,
    DraftOffence,
    DraftPart,
    DraftPeriod,
    DraftTerm,
)
from queries.drafting.request_mapping import apply_choice, build_request_mapping
from queries.request.reader import Request, parse_request

CONFIRMATION = Confirmation(
    part="2",
    sentence="grooming etc.",
    question="Which offences?",
    choices=(
        Choice("as drafted"),
        Choice("more", {"offences": [{"codes": ["88A"]}], "questions/2/bands": [{"to": 17}]}),
        Choice("every day", {"period": None}),
    ),
)

DRAFT = Draft(
    head=DraftHead(
        received=date(2023, 6, 6),
        clarified=date(2023, 6, 9),
        sender="Ada Example",
        body="Example Trust",
        reference="FOI/1",
        subject="Apps",
    ),
    periods=(DraftPeriod(date(2022, 4, 1), date(2023, 3, 31), "2022/23"),),
    mentions=(
        DraftTerm("TikTok", aliases=("Tic Toc",)),
        DraftTerm("hinge", required=(("app", None), ("date", 5))),
    ),
    offences=(DraftOffence(("22B",), "Sexual activity"), DraftOffence(("71/17",))),
    groups=("Sexual offences",),
    parts=(
        DraftPart(number="1", text="How many?", fields={"kind": "offences"}),
        DraftPart(number="2", text="Ages?", fields={"kind": "victims", "bands": [{"to": 11}]}),
        DraftPart(number="3", text="Forget this.", withdrawn=True),
        DraftPart(number="4", text="How many arrests?", gap="arrests", why="Arrests are not held."),
    ),
    confirmations=(CONFIRMATION,),
)


def read_mapping(mapping: dict[str, object]) -> Request:
    return parse_request(json.dumps(mapping))


def test_a_draft_is_a_request_that_the_reader_takes() -> None:
    mapping = build_request_mapping(DRAFT)
    mapping.pop("confirm")
    request = read_mapping(mapping)
    assert [question.id for question in request.questions] == ["1", "2"]
    assert [part.id for part in request.uncovered] == ["4"]
    assert [row.codes for row in request.scope.offences] == [("22B",), ("71/17",)]
    assert request.letter.to == "Ada Example, Example Trust"
    assert request.letter.clarification_date == date(2023, 6, 9)


def test_several_periods_stand_side_by_side() -> None:
    years = tuple(DraftPeriod(date(year, 1, 1), date(year, 12, 31)) for year in (2021, 2022))
    mapping = build_request_mapping(Draft(head=DraftHead(), periods=years))
    assert [period["from"] for period in mapping["periods"]] == ["2021-01-01", "2022-01-01"]
    assert "period" not in mapping


def test_a_confirmation_quotes_its_sentence_and_drafts_the_first_choice() -> None:
    [entry] = build_request_mapping(DRAFT)["confirm"]
    assert entry == {
        "part": "2",
        "question": "Which offences?",
        "sentence": "grooming etc.",
        "choices": ["as drafted", "more", "every day"],
        "default": "as drafted",
    }


def test_a_choice_changes_the_request_and_the_question_that_it_names() -> None:
    mapping = build_request_mapping(DRAFT)
    changed = apply_choice(mapping, CONFIRMATION.choices[1])
    assert changed["offences"] == [{"codes": ["88A"]}]
    assert changed["questions"][1]["bands"] == [{"to": 17}]
    assert mapping["questions"][1]["bands"] == [{"to": 11}]
    assert "period" not in apply_choice(mapping, CONFIRMATION.choices[2])
