"""Looking up offence codes by words: names of the public, titles, codes, and what is no offence."""

from __future__ import annotations

import pytest

from indexer.records.offences.lookup import find_offences
from queries.layout.offence_text import format_offence_lookup


def list_codes(words: str) -> list[str]:
    return [offence.code for offence in find_offences(words, 1_000).offences]


def test_a_name_that_the_public_uses_gives_its_codes_and_since_when() -> None:
    lookup = find_offences("upskirting")
    assert [(name.kind, name.codes) for name in lookup.names] == [("subcode", ("88/12",))]
    assert [offence.code for offence in lookup.offences] == ["88/12"]
    text = " ".join(format_offence_lookup(lookup).split())
    assert "has codes of its own. Count 88/12, since 12 April 2019." in text
    assert "Sexual offences; class 88E" in text


@pytest.mark.parametrize("words", ["cyber", "domestic abuse", "hate", "knife crime", "Hate Crime"])
def test_a_flag_is_not_an_offence_and_the_answer_says_so(words: str) -> None:
    lookup = find_offences(words)
    assert lookup.names[0].kind == "flag"
    text = " ".join(format_offence_lookup(lookup).split())
    assert "It is not an offence, and no code counts it." in text


def test_what_no_code_holds_says_so() -> None:
    text = " ".join(format_offence_lookup(find_offences("deepfake")).split())
    assert '"deepfake" has no code of its own. Ask for words in the text.' in text


def test_words_of_a_title_find_the_code_in_any_order_and_with_endings() -> None:
    assert "86/2" in list_codes("photographs indecent")
    assert "86/2" in list_codes("indecent photograph")
    assert list_codes("stalking")[:1] == ["8Q"]  # a class before its sub-codes


def test_a_mistyped_word_finds_similar_ones_and_says_so() -> None:
    lookup = find_offences("blackmial")
    assert [name.name for name in lookup.names] == ["blackmail"]
    similar = find_offences("bigammy")
    assert "26" in [offence.code for offence in similar.offences]
    assert not find_offences("manslaugter").is_exact


def test_a_code_is_shown_with_what_it_covers() -> None:
    lookup = find_offences("088/01")
    assert [offence.code for offence in lookup.offences] == ["88/1"]
    codes = [offence.code for offence in find_offences("88E").offences]
    assert codes == ["88E", "88/9", "88/10", "88/12", "88/13", "88/14"]


def test_a_subcode_of_several_classes_names_them() -> None:
    (offence, *_) = find_offences("8/73").offences
    assert offence.classes == ("104", "105A")
    assert "class 104 or 105A" in format_offence_lookup(find_offences("8/73"))


def test_a_code_in_no_list_of_recorded_crime_says_so_and_comes_last() -> None:
    text = format_offence_lookup(find_offences("803/1"))
    assert "in no list of recorded crime" in text
    lookup = find_offences("driving", 1_000)
    recorded = [offence.recorded for offence in lookup.offences]
    assert recorded == sorted(recorded, reverse=True)
    assert not recorded[-1]


def test_no_more_codes_are_listed_than_the_limit() -> None:
    lookup = find_offences("22", 3)
    assert len(lookup.offences) == 3
    assert lookup.more == len(list_codes("22")) - 3 > 0
    assert f"and {lookup.more} more" in format_offence_lookup(lookup)


@pytest.mark.parametrize(
    "words", ["", "   ", "of the", "xyzzyx", "\x00", "’", "\x1b[31mzz", "z" * 9_000]
)
def test_words_that_nothing_is_known_of_say_so(words: str) -> None:
    lookup = find_offences(words)
    assert (lookup.names, lookup.offences) == ((), ())
    text = format_offence_lookup(lookup)
    assert "Nothing is known of" in text
    assert "\x1b" not in text
    assert len(text) < 300
