"""Age bands and offence codes: each form by itself."""

from __future__ import annotations

import pytest

from queries.drafting.composing.offence_rows import find_offence_rows, find_unknown_codes
from queries.drafting.phrases.bands import find_bands, find_overlap
from queries.drafting.phrases.codes import find_codes
from queries.drafting.phrases.named_offences import find_named_offences


@pytest.mark.parametrize(
    ("text", "bands"),
    [
        ("age bands - 11 and under; 12 to 15; 16 to 17?", [(None, 11), (12, 15), (16, 17)]),
        ("ages grouped as: under 16, 16-26, 26 and above.", [(None, 15), (16, 26), (26, None)]),
        ("ages 0-12, 13-17 and 25+", [(None, 12), (13, 17), (25, None)]),
        ("a victim aged 12 or under, and a victim aged 16 or 17", [(None, 12), (16, 17)]),
        ("victims between 12 and 15", [(12, 15)]),
        ("victims over 40", [(41, None)]),
        ("the 3 to 5 questions above", []),
        ("victims of 22B in 2017 to 2018", []),
        ("victims, 5% to 10% of them", []),
    ],
)
def test_ages_are_read_as_they_are_written(text: str, bands: list[object]) -> None:
    assert [(band.low, band.high) for band in find_bands(text)] == bands


def test_bands_with_an_age_in_common_are_found() -> None:
    bands = find_bands("ages under 16, 16-26, 26 and above")
    overlap = find_overlap(bands)
    assert overlap
    assert [band.words for band in overlap] == ["16-26", "26 and above"]
    assert find_overlap(find_bands("ages 11 and under, 12 to 15")) is None


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("codes 22A (causing it) and 22B (a child under 16).", [("22A",), ("22B",)]),
        ("an offence under 086/02 or 086/10", [("86/2",), ("86/10",)]),
        ("Of the 22B offences alone", [("22B",)]),
        ("offence codes: 86/2, 08815, 8L", [("86/2",), ("88/15",), ("8L",)]),
        ("codes 21, 22B", [("21",), ("22B",)]),
        ("class 19C to 19E", [("19C", "19D", "19E")]),
        ("kidnapping (code 36).", [("36",)]),
        ("section 15A of the Act; sections 10, 17 and 50", []),
        ("FOI 2207/19, ref 2210/22, £450, 18 hours", []),
        ("for fy 17/18", []),
        ("31 Mint Street, ZX4 8TT, at 5 pm on the 18th", []),
    ],
)
def test_codes_are_told_from_other_numbers(text: str, codes: list[object]) -> None:
    assert [phrase.codes for phrase in find_codes(text)] == codes


def test_an_item_of_a_list_is_one_row_with_its_words() -> None:
    rows = find_offence_rows("", ["21 (a child under 13);", "88/1 and 88/2 (meeting); and"])
    assert [(row.codes, row.label) for row in rows] == [
        (("21",), "a child under 13"),
        (("88/1", "88/2"), "meeting"),
    ]


def test_a_code_that_no_table_has_is_not_lost() -> None:
    assert find_unknown_codes("under code 999Z and 22B") == ["999Z"]


@pytest.mark.parametrize(
    ("text", "words", "codes"),
    [
        ("how many grooming offences", "grooming", ("88A",)),
        ("How many knife crimes were recorded", "knife crimes", ("10D",)),
        ("how many burglaries did you record", "burglaries", ("28", "29", "30", "31")),
    ],
)
def test_an_offence_in_words_has_the_codes_of_the_table(
    text: str, words: str, codes: tuple[str, ...]
) -> None:
    [offence] = find_named_offences(text)
    assert (offence.words, offence.codes) == (words, codes)
    assert not offence.is_certain


def test_the_title_of_a_code_is_certain() -> None:
    [offence] = find_named_offences("offences of sexual communication with a child")
    assert (offence.codes, offence.is_certain) == (("71/17",), True)


def test_a_word_of_the_table_that_is_not_counted_is_not_an_offence() -> None:
    assert find_named_offences("We work to end stalking and rape, and ask as follows.") == []


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("offence code 45: ages in bands: 0 to 17, 18 to 64, 65 and above", ["45"]),
        ("codes 45 and 46 by age of victim: 0-9, 10-17 and 18-64", ["45", "46"]),
        ("codes 45 (victim aged under 16), 46 and 49", ["45", "46", "49"]),
    ],
)
def test_ages_behind_a_code_are_no_codes(text: str, codes: list[str]) -> None:
    """Bands of ages were read as ranges of classes."""
    assert [code for phrase in find_codes(text) for code in phrase.codes] == codes
