"""Any text as a letter: it is drafted, nothing in the draft is invented, and no part is lost."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.records.offences.facts import load_common_names
from queries.drafting.composing.accounting import is_accounted_for
from queries.drafting.drafting import draft_request
from queries.drafting.letter_text import LetterText
from queries.drafting.phrases.plain_text import plain_text
from queries.drafting.request_mapping import apply_choice, build_request_mapping
from queries.request.reader import parse_request
from tests.support.examples import examples
from tests.support.letter_texts import SENT, make_letter

PIECES = """
how many offences did the force record|the number of|victims|suspects|by month|by sex and|for each|of those|mention|mentions
"Snapchat"|'Tik Tok'|Omegle, Yubo or Twitch|the words|live-stream*|etc.|but not|within 5 words of|only if the word|app|neither
1.|2)|(a)|(b)|i.|ii)|Q3|Part B.|Question four:|* |Dear Sir|Hi,|Kind regards|PS.|> |Please drop part 2|replacing my earlier request
in 2022|2021/22|fy 17/18|since January 2020|between 1 April 2017 and|31 March 2018|the last five financial years|99/99/9999|in 0000
086/02|88A|19C to 19E|code 21|codes 999Z, 22B|71/1-16|section 15A|grooming offences|knife crime|sexual offences|burglaries
11 and under|12 to 15|16-26|26 and above|over 40|aged 999|youngest|oldest|arrested|convicted|cost|policy|percentage of|summary of what happened
Home Office|\u00e9\u00fc|\u4e2d\u6587|\u0000|'|"|,|;|:|?|-|\n|\n\n|\t|the|and|or|a|x|7
""".replace("\n", "|").split("|")[1:-1]

LINES = st.lists(st.sampled_from([piece for piece in PIECES if piece]), max_size=14).map(" ".join)

ANY_TEXT = st.text(alphabet="abcdeXYZ0123456789 /.,;:()'\"-*\n?\u2019\u2013", max_size=120)

MAILS = st.lists(st.one_of(LINES, ANY_TEXT), min_size=1, max_size=12).map("\n".join)

LETTERS = st.lists(MAILS, min_size=1, max_size=3).map(
    lambda mails: make_letter(*mails, sent=(SENT,) * len(mails))
)


def read_words(letter: LetterText) -> str:
    """All of a letter in plain characters, without capitals."""
    text = "\n".join(f"{block.number or ''} {block.text}" for block in letter.blocks)
    return " ".join(plain_text(text).casefold().split())


def list_values(mapping: Any, names: tuple[str, ...]) -> list[Any]:
    """Every value of some keys, however deep."""
    if isinstance(mapping, list):
        return [value for item in mapping for value in list_values(item, names)]
    if not isinstance(mapping, dict):
        return []
    own = [item for name in names for item in mapping.get(name, ()) if name in mapping]
    return own + [value for item in mapping.values() for value in list_values(item, names)]


@settings(max_examples=examples(60), deadline=None)
@given(LETTERS)
def test_a_draft_is_a_request_and_invents_nothing(letter: LetterText) -> None:
    draft = draft_request(letter)
    mapping = build_request_mapping(draft)
    mapping.pop("confirm", None)
    words = read_words(letter)
    for term in list_values(mapping, ("mentions", "keywords")):
        for name in [term] if isinstance(term, str) else [term["term"], *term.get("aliases", ())]:
            assert " ".join(name.casefold().split()) in words.replace("*", ""), name
    names = [name.name for name in load_common_names()] + ["sexual offences", "burglar"]
    has_name = any(name.casefold().removesuffix("y") in words for name in names)
    numbers = {int(number) for number in re.findall(r"\d{1,3}", words)}
    numbers |= {int(number[:3]) for number in re.findall(r"\d{5}", words)}
    for code in list_values(mapping, ("codes",)):
        number = re.match(r"\d+", code)
        assert has_name or (number and int(number[0]) in numbers), code
    if mapping["questions"]:
        parse_request(json.dumps(mapping))


@settings(max_examples=examples(40), deadline=None)
@given(LETTERS)
def test_each_part_is_accounted_for_and_each_choice_can_be_taken(letter: LetterText) -> None:
    draft = draft_request(letter)
    assert draft == draft_request(letter)
    assert all(map(is_accounted_for, draft.parts))
    assert len({part.number for part in draft.parts}) == len(draft.parts)
    mapping = build_request_mapping(draft)
    for confirmation in draft.confirmations:
        for choice in confirmation.choices:
            changed = apply_choice(mapping, choice)
            changed.pop("confirm", None)
            if changed["questions"]:
                parse_request(json.dumps(changed))
