"""Search terms: which words of a letter are some, and what holds for them."""

from __future__ import annotations

import pytest

from queries.drafting.draft import DraftTerm
from queries.drafting.phrases.terms import find_terms


def list_terms(text: str, items: tuple[str, ...] = ()) -> list[str]:
    return [term.term for term in find_terms(text, items).terms]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("contains any of the words 'live stream', 'live-stream' or 'livestream'?", ["live stream", "live-stream", "livestream"]),
        ("How many of those crimes also mention Omegle, Yubo or Periscope (one figure for each)", ["Omegle", "Yubo", "Periscope"]),
        ("crimes with Snapchat or Tik Tok in the free text", ["Snapchat", "Tik Tok"]),
        ("crimes in which TikTok plays a part", ["TikTok"]),
        ('mention these -\ntinder, "dating app" and/or bumble', ["tinder", "dating app", "bumble"]),
        ("the words drone, drones or UAV appear in the record", ["drone", "drones", "UAV"]),
        ("search the free text for Instagram and Skype from 1 April 2013", ["Instagram", "Skype"]),
        ("how many mention Discord, and how many mention Roblox?", ["Discord", "Roblox"]),
        ("the weapon was described as a zombie knife, a machete or an axe", ["zombie knife", "machete", "axe"]),
        ("how many mention any of the three words", []),
        ('In this letter "the Relevant Period" means 2020', []),
        ("say how many mention the victim's age", []),
        ("the records, including both days, would you search", []),
        ("records with '11 and under' as the age band", []),
    ],
)  # fmt: skip
def test_terms_are_those_of_the_text(text: str, terms: list[str]) -> None:
    assert list_terms(text) == terms


def test_items_below_a_text_are_terms_with_their_other_names() -> None:
    phrase = find_terms(
        "mention each of:", ("Snapchat;", "X (formerly Twitter); and", "'Dating site'", "other")
    )
    assert phrase.terms == (
        DraftTerm("Snapchat"),
        DraftTerm("X", ("Twitter",)),
        DraftTerm("Dating site"),
    )
    assert phrase.unread_items == ("other",)


def test_what_must_stand_beside_a_term_is_not_a_term_itself() -> None:
    phrase = find_terms(
        "mention tinder or hinge\nonly count hinge if the word app is in there as well"
    )
    assert phrase.terms == (DraftTerm("tinder"), DraftTerm("hinge", required=(("app", None),)))


def test_words_near_each_other_have_a_distance() -> None:
    phrase = find_terms("mention 'taxi' within ten words of 'driver'")
    assert phrase.terms == (DraftTerm("taxi", required=(("driver", 10),)),)


def test_wildcards_exclusions_and_open_lists_are_in_doubt() -> None:
    phrase = find_terms('the terms "live stream", nudify* etc. but not "steam train"')
    assert [term.term for term in phrase.terms] == ["live stream", "nudify"]
    assert phrase.wild == ("nudify*",)
    assert phrase.excluded == ("steam train",)
    assert phrase.open_end == "etc."


def test_a_word_without_quotation_marks_behind_a_verb_is_unsure() -> None:
    assert find_terms("in which a cat flap is mentioned?").unsure == ("cat flap",)
    assert find_terms('mention "cat flap"?').unsure == ()
