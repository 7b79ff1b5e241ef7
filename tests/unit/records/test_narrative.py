"""Cleaning and cutting: the boundaries of the matching rule."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records.narrative import (
    MATCHING_RULE,
    clean_text,
    find_compounds,
    find_counting_rule,
    find_words,
    segment_narrative,
)

# Characters where mistakes live: dashes, apostrophes, invisible ones, marks, cased oddities.
AWKWARD = (
    "ab'’‘sS-‐–—−_.,/&@: \t\n\r\x0b\x0c\x00\x1c\x85\u2028\u2029\u00ad\u200b\ufeff\u0301"
    "ßİıſςΣﬁＡ\u3000９½ŉǰ\u180f\ufe0f\U000e0001\U000e0061\U000e007f\U000e0100"
)


def segments(text: str) -> list[str]:
    return segment_narrative(text).segments


INVISIBLE = "\x00\u00ad\u180f\u200b\u200d\u2060\ufe0f\ufeff\U000e0001\U000e0020\U000e007f\U000e01ef"


text = st.one_of(st.text(), st.text(alphabet=AWKWARD), st.text(st.characters(codec="ascii")))


@given(text)
def test_segments_join_to_the_cleaned_text(raw: str) -> None:
    cleaned = clean_text(raw)
    assert "".join(segments(cleaned)) == cleaned


@given(text)
def test_cleaning_twice_is_cleaning_once(raw: str) -> None:
    assert clean_text(clean_text(raw)) == clean_text(raw)


@given(text)
def test_clean_text_is_nfkc_and_holds_nothing_invisible(raw: str) -> None:
    cleaned = clean_text(raw)
    assert unicodedata.is_normalized("NFKC", cleaned)
    assert not set(cleaned) & set(INVISIBLE + "’")


# Letters and marks that compose, or that stand in an order: Latin, Korean, Tamil, Hindi, Arabic.
COMPOSED = "aeoiu\u0308\u0301\u0323\uac00\u1100\u1161\u11a8\u0b95\u0bc6\u0bbe\u0928\u093c\u0646\u064e\u0651\ufb01\u2460"


@given(st.text(st.sampled_from(COMPOSED) | st.characters(categories=["Ll", "Lo", "Mn", "Mc"])))
def test_normalizing_the_runs_that_need_it_is_normalizing_the_text(raw: str) -> None:
    """Of letters without an odd fold, nothing but normalization changes any."""
    letters = "".join(one for one in raw if one.casefold() == one and one not in "\u1fbe\u037a")
    letters = letters.translate(
        dict.fromkeys((0x34F, *range(0x180B, 0x1810), *range(0xFC5E, 0xFC64)))
    )
    letters = letters.translate(dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xFE70, 0xFE80))))
    letters = letters.translate(dict.fromkeys(range(0xE0100, 0xE01F0)))
    assert clean_text(f"x{letters}") == unicodedata.normalize("NFKC", f"x{letters}")


@given(st.lists(text, max_size=4))
def test_entries_are_apart_as_by_a_blank_line(raw: list[str]) -> None:
    """One pass over all of them cuts as a pass over each, and no phrase runs from one to the next."""
    entries = [clean_text(one) for one in raw]
    together, single = segment_narrative(*entries), [segment_narrative(one) for one in entries]
    assert [find_words(one) for one in together.segments if find_words(one)] == [
        find_words(one) for each in single for one in each.segments if find_words(one)
    ]
    assert together.compounds == list(dict.fromkeys(c for each in single for c in each.compounds))
    assert "".join(together.segments) == "\n\n".join(filter(None, entries))


@given(st.lists(st.text("aB9-. ,(\n").map(clean_text), max_size=4))
def test_what_needs_no_care_is_cut_as_with_care(entries: list[str]) -> None:
    """An apostrophe that ends a word ends a segment, and changes none before it."""
    plain, careful = (
        segment_narrative(*entries, "a").segments,
        segment_narrative(*entries, "a'").segments,
    )
    assert plain[:-1] == careful[: len(plain) - 1]


@given(text)
def test_no_segment_is_empty_and_possessives_hold_an_s(raw: str) -> None:
    found = segment_narrative(clean_text(raw))
    assert all(found.segments)
    assert all("'s" in segment.casefold() for segment in found.possessives)


@given(text)
def test_ascii_is_cut_alike_beside_another_script(raw: str) -> None:
    """A Greek letter at the end has the classes of a text looked up, and changes no cut."""
    plain = clean_text(raw.encode("ascii", "ignore").decode())
    assert "".join(segments(plain + " Ω")) == plain + " Ω"
    assert (
        segments(plain + ". Ω")[:-1] == segments(plain + ". ")[: len(segments(plain + ". Ω")) - 1]
    )
    assert find_compounds(plain + " Ω") == find_compounds(plain)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("They live. Stream nearby", ["They live. ", "Stream nearby"]),
        ("live/stream", ["live/", "stream"]),
        ("live \u2013 stream", ["live \u2013 stream"]),
        ("live\nstream", ["live\nstream"]),
        ("live\n\nstream", ["live\n\n", "stream"]),
        ("live\r\n \r\nstream", ["live\r\n \r\n", "stream"]),
        ('(the app) ..., ("live', ['(the app) ..., ("', "live"]),
        ("live. \n\n 'stream'", ["live. \n\n '", "stream'"]),
        ("Facebook's page", ["Facebook", "'s", " page"]),
        ("the Violator\u2019s Team", ["the Violator", "'s", " Team"]),
        ("don't stop", ["don't stop"]),
        ("'live' stream", ["'live' ", "stream"]),
        ("live_stream", ["live", "_", "stream"]),
        ("live\u02d7stream \U0001f170", ["live", "\u02d7", "stream ", "\U0001f170"]),
        ("live. __stream", ["live. ", "__", "stream"]),
        ("❶ live", ["❶ ", "live"]),
        ("א' live", ["א", "' ", "live"]),
        ("", []),
    ],
)
def test_text_is_cut_where_variants_must_not_cross(written: str, expected: list[str]) -> None:
    assert segments(clean_text(written)) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("on Live.ly, then", ["live.ly"]),
        ("live. ly", []),
        ("M&S and B&Q", ["m&s", "b&q"]),
        (
            "www.live.ly/x",
            ["www.live", "www.live.ly", "www.live.ly/x", "live.ly", "live.ly/x", "ly/x"],
        ),
        ("https://live.ly", ["live.ly"]),
        ("the 24/7 shop", ["24/7"]),
        ("a..b", []),
        ("it's", []),
        ("user_name", ["user_name"]),
        ("a.b❶c", ["a.b"]),
        ("m&s's, b.c'd.e", ["m&s's", "b.c'd", "b.c'd.e", "c'd.e"]),
    ],
)
def test_words_joined_by_one_hard_character_are_compounds(
    written: str, expected: list[str]
) -> None:
    assert find_compounds(clean_text(written)) == expected
    assert segment_narrative(clean_text(written)).compounds == expected


def test_a_compound_longer_than_any_term_is_left_out() -> None:
    assert find_compounds("a" * 200 + "." + "b" * 200) == []


def test_letters_with_an_odd_fold_are_folded_and_capitals_stay() -> None:
    assert clean_text("STRAßE ſoap ﬁle Live") == "STRAssE soap file Live"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("live \u0301stream", "live stream"),
        ("live \u0301 stream", "live  stream"),
        ("live-\u0301\u0308stream", "live-stream"),
        ("\u0301live stream", "live stream"),
        ("don'\u0301t, don\u2019\u0301t", "don't, don't"),
        ("live.\u0301 Stream", "live. Stream"),
        ("(\u0301live_\u20ddstream", "(live_stream"),
        ("\u2776\u0301live", "\u2776live"),
        ("live \u0345stream", "live stream"),
        ("live \u093estream", "live stream"),
        ("live \uff9estream", "live stream"),
        ("live \ufe7cstream \u0645\ufe7c", "live stream \u0645\u0651"),
        ("live\U000e0101stream e\U000e01ef\u0301", "livestream \u00e9"),
    ],
)
def test_a_mark_that_no_letter_or_digit_precedes_is_removed(written: str, expected: str) -> None:
    assert clean_text(written) == expected


@pytest.mark.parametrize(
    "written", ["J\u030c", "x\u0302y", "3\u20e3", "\u0928\u092e\u0938\u094d\u0924\u0947", "\u0645\u0651\u0652"]
)  # fmt: skip
def test_a_mark_after_a_letter_or_digit_stays_in_its_word(written: str) -> None:
    assert find_words(clean_text(written)) == [clean_text(written)]
    assert len(clean_text(written)) == len(unicodedata.normalize("NFKC", written.casefold()))


MARKS = [chr(n) for n in range(sys.maxunicode + 1) if unicodedata.category(chr(n))[0] == "M"]


@given(
    st.lists(st.sampled_from(["live", "stream", "s", "3", "\u00e9", "\u6771"]), min_size=2),
    st.sampled_from([" ", "-", "'", "\u2019", ".", "_", "\n", "\n\n", "\u2776", "\U0001f3a5"]),
    st.text(MARKS, min_size=1, max_size=3),
)
def test_a_mark_before_a_word_cuts_nothing(words: list[str], joint: str, marks: str) -> None:
    plain, marked = clean_text(joint.join(words)), clean_text((joint + marks).join(words))
    assert segment_narrative(marked) == segment_narrative(plain)


def test_no_mark_stands_alone_in_clean_text() -> None:
    """Of any character that may become one: none cuts a word, or starts one."""
    for character in map(chr, range(0x80, sys.maxunicode + 1)):
        cleaned = clean_text(f"x {character}y")
        marks = [n for n, one in enumerate(cleaned) if unicodedata.category(one)[0] == "M"]
        assert all(find_words(cleaned[:n])[-1:] == [cleaned[2:n]] for n in marks), ascii(character)


def test_an_apostrophe_between_letters_belongs_to_the_word() -> None:
    assert find_words(clean_text("don't O’Brien 90's rock'n'roll")) == [
        "don't", "O'Brien", "90", "s", "rock'n'roll",
    ]  # fmt: skip


@given(st.text(st.characters(max_codepoint=0x24F)) | st.text(AWKWARD))
def test_latin_text_is_cut_alike_beside_another_script(raw: str) -> None:
    """A letter of another script has the classes of a text looked up, and changes no cut."""
    cleaned, letter, other = clean_text(raw), "w", "\u03c9"
    quick, slow = segment_narrative(cleaned, letter), segment_narrative(cleaned, other)
    assert [text.replace(other, letter) for text in slow.segments] == quick.segments
    assert (slow.possessives, slow.compounds) == (quick.possessives, quick.compounds)
    words = find_words(f"{cleaned} {other}")
    assert [word.replace(other, letter) for word in words] == find_words(f"{cleaned} {letter}")


def test_an_invisible_character_belongs_to_the_word_that_it_stands_in() -> None:
    for character in INVISIBLE:
        assert clean_text(f"Ti{character}nder é") == "Tinder é"
        assert segments(clean_text(f"Tin{character}der, live{character} stream é")) == [
            "Tinder, ",
            "live stream é",
        ]
    # The flag of Scotland: a black flag, and its name in tag characters.
    assert clean_text("a \U0001f3f4\U000e0067\U000e0062\U000e007f b") == "a \U0001f3f4 b"


def test_the_rule_that_counts_is_the_newest_that_cuts_text_in_the_same_way() -> None:
    assert [find_counting_rule(rule) for rule in (1, 2, 3, 4)] == [2, 2, 3, MATCHING_RULE]
    assert find_counting_rule(MATCHING_RULE + 1) == MATCHING_RULE + 1
