"""A part that asks for several things: each is counted, or asked about."""

from __future__ import annotations

import pytest

from queries.drafting.draft import Confirmation, Draft, DraftPart
from queries.drafting.drafting import draft_request
from queries.drafting.phrases.named_offences import find_named_offences
from tests.support.letter_texts import make_letter

APPS = 'How many crimes between 1 January 2021 and 31 December 2022 mention "Vinted", "Gumtree" or "Depop"?'


def draft_letter(text: str) -> Draft:
    return draft_request(make_letter(text))


def draft_last(text: str) -> tuple[DraftPart, list[Confirmation]]:
    """The last part of a letter, and what is asked about it."""
    draft = draft_letter(text)
    last = draft.parts[-1]
    return last, [entry for entry in draft.confirmations if entry.part == last.number]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("How many were arson, how many were criminal damage, and how many were assault on an emergency worker?", ["arson", "criminal damage", "assault on an emergency worker"]),
        ("how many offences of harassment, and threats to kill, mention a gun", ["harassment", "threats to kill"]),
        ("the number of offences of harassment and stalking", ["harassment", "stalking"]),
        ('How many harassment offences mention "stalking" or "arson"?', ["harassment"]),
        ("How many harassment offences mention arson?", ["harassment"]),
    ],
)  # fmt: skip
def test_each_offence_of_a_sentence_is_found(text: str, names: list[str]) -> None:
    assert [offence.words for offence in find_named_offences(text)] == names


def test_each_offence_of_a_part_is_counted_and_asked_about() -> None:
    part, asked = draft_last(
        'In 2022:\n1. How many crimes mention "kite"?\n'
        "2. How many were arson, how many were criminal damage, and how many were hate crimes?"
    )
    labels = [row["label"] for row in part.fields["within"]["offences"]]
    assert labels == ["arson", "criminal damage"]
    questions = " ".join(entry.question for entry in asked)
    assert all(f'"{words}' in questions for words in ("arson", "criminal damage", "hate"))
    assert "counted together" in questions


def test_several_groups_of_a_part_are_all_kept() -> None:
    part, asked = draft_last(
        'In 2022:\n1. How many crimes mention "kite"?\n'
        "2. How many sexual offences and how many drug offences were recorded?"
    )
    groups = part.fields["within"]["where"]["offence_group"]
    assert groups == ["Sexual offences", "Drug offences"]
    assert len(asked) >= 3


def test_words_within_a_distance_are_a_term_with_company() -> None:
    part, _ = draft_last(
        'For 2022 we ask about crimes with the words "kite" or "balloon".\n1. How many by month?\n'
        '2. How many mention kites within five words of "police"?'
    )
    assert part.fields["keywords"] == [{"term": "kites", "with": [{"term": "police", "within": 5}]}]


def test_a_second_distance_is_asked_about() -> None:
    _, asked = draft_last(
        'In 2022:\n1. How many mention "kite" within 5 words of "police", and "drone" within 8 words of "school"?'
    )
    assert any("within 8 words of" in entry.question for entry in asked)


@pytest.mark.parametrize(
    ("wish", "fields"),
    [
        ("How many mention more than one of the platforms?", {"kind": "overlap", "keywords": ["Vinted", "Gumtree", "Depop"]}),
        ("The number in each calendar year, for each platform.", {"kind": "cross", "rows": {"keywords": ["Vinted", "Gumtree", "Depop"]}, "columns": "calendar_year"}),
        ("For each word, the offence types.", {"kind": "cross", "rows": "offence", "columns": {"keywords": ["Vinted", "Gumtree", "Depop"]}}),
    ],
)  # fmt: skip
def test_each_term_is_counted_apart_where_the_letter_says_so(
    wish: str, fields: dict[str, object]
) -> None:
    part, _ = draft_last(f"1. {APPS}\n2. {wish}")
    assert part.fields == fields


def test_each_term_may_stand_in_the_words_above_a_list() -> None:
    draft = draft_letter(
        f"{APPS}\nFor each platform, I'd like:\n* the number of crimes per calendar year\n"
        "* the total value (£) lost by victims"
    )
    assert draft.parts[1].fields["kind"] == "cross"
    assert draft.parts[2].gap == "costs"


def test_terms_that_were_not_found_are_asked_about() -> None:
    for wish in ("How many mention more than one of the platforms?", "How many by month for each platform?"):  # fmt: skip
        _, asked = draft_last(f"In 2022:\n1. {wish}")
        assert any("term" in entry.question for entry in asked)


def test_names_that_offences_involve_are_terms_to_confirm() -> None:
    draft = draft_letter(
        "We ask about crimes of 2022 that involve Roblox, Discord or Minecraft.\n1. How many by month?"
    )
    assert [term.term for term in draft.mentions] == ["Roblox", "Discord", "Minecraft"]
    assert any(
        '"Roblox", "Discord", "Minecraft"' in entry.question for entry in draft.confirmations
    )


def test_another_offence_in_the_same_record_is_linked_and_asked_about() -> None:
    part, asked = draft_last(
        "In 2022:\n1. How many offences under code 22B?\n2. How many also include an offence of taking photographs (code 86/2)?"
    )
    assert part.fields == {"kind": "linked", "codes": ["86/2"]}
    assert any("same record" in entry.question for entry in asked)


def test_an_offence_beside_a_period_is_no_background() -> None:
    draft = draft_letter("I want to understand stalking offences of 2022.\n1. How many by month?")
    assert [row.codes for row in draft.offences] == [("8Q",)]


@pytest.mark.parametrize(
    "distance", ["within ten words of each other", "within 5 words", "no more than 5 words apart"]
)
def test_a_distance_without_a_second_term_is_asked_about(distance: str) -> None:
    part, asked = draft_last(f'In 2022:\n1. How many mention "kite" and "balloon" {distance}?')
    assert "each other" not in str(part.fields)
    assert any("words" in entry.question for entry in asked)


def test_a_group_beside_other_offences_is_asked_about() -> None:
    draft = draft_letter("In 2022:\n1. How many rapes were there, and how many sexual offences?")
    assert any("of both" in entry.question for entry in draft.confirmations)


def test_a_group_beside_offences_of_another_is_counted_with_them() -> None:
    """No record is of both, so every number would be 0."""
    draft = draft_letter(
        "1. How many offences of public order and criminal damage were recorded in 2022?\n"
        '2. How many of these mention "kite"?'
    )
    assert draft.groups == ()
    public_order, damage = draft.offences
    assert (public_order.label, damage.label) == ("public order", "criminal damage")
    assert {"9", "66"} <= set(public_order.codes)
    assert any('"public order"' in entry.question for entry in draft.confirmations)
