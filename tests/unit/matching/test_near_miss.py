"""Near misses: what is close to a term, and what is not one."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from indexer.records.narrative import clean_text, segment_narrative
from queries.matching.near_miss import NearMissKind, NearMissMatcher
from queries.matching.term import parse_term

LETTERS = st.text(string.ascii_lowercase, min_size=5, max_size=10)


def near(text: str, *asked: str, variants: bool = True) -> list[tuple[str, str]]:
    """The near misses of the first of the terms asked for."""
    parsed = [parse_term(term, variants=variants) for term in asked]
    target = NearMissMatcher(parsed[0], parsed)
    return [
        (" ".join(miss.form), miss.kind)
        for miss in target.find_near_misses(segment_narrative(clean_text(text)))
    ]


@pytest.mark.parametrize(
    ("text", "term", "wordings"),
    [
        ("livestreamed, Live Streams; live-streaming", "livestream", ["livestreamed", "live streams", "live streaming"]),
        ("live streams, live streamed and a livestream", "live streaming", ["live streams", "live streamed", "livestream"]),
        ("google hangout, google hang out", "Google hangouts", ["google hangout", "google hang out"]),
        ("xbox360, xboxes, x box", "Xbox", ["xbox360", "xboxes", "x box"]),
        ("a live stream, LIVESTREAM, live\nstream", "livestream", []),
        ("alive stream. Live. Streams", "livestream", []),
        ("livestream on, livestream ed", "livestream", []),
        ("livestreamability", "livestream", []),
        ("lines, lined", "MSN", []),
        ("kicks", "Kik", []),
    ],
)  # fmt: skip
def test_other_endings_and_openings_are_near_misses(
    text: str, term: str, wordings: list[str]
) -> None:
    assert [wording for wording, _ in near(text, term)] == wordings


@pytest.mark.parametrize(
    ("text", "wordings"),
    [
        ("live straem, livesteam, live steam", ["live straem", "livesteam", "live steam"]),
        ("like stream", ["like stream"]),
        ("olive stream, vive stream", []),
        ("live steams", []),
        ("the livestream a", []),
    ],
)
def test_one_letter_wrong_is_a_near_miss_where_the_first_is_right(
    text: str, wordings: list[str]
) -> None:
    assert near(text, "livestream") == [(wording, NearMissKind.TYPO) for wording in wordings]


@given(LETTERS, st.data())
def test_every_single_typing_error_is_found(word: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(1, len(word) - 1))
    letter = data.draw(st.sampled_from(string.ascii_lowercase))
    wrong = data.draw(
        st.sampled_from(
            [
                word[:place] + letter + word[place:],
                word[:place] + word[place + 1 :],
                word[:place] + letter + word[place + 1 :],
                word[:place] + word[place : place + 2][::-1] + word[place + 2 :],
            ]
        )
    )
    assume(wrong != word)
    assert [wording for wording, _ in near(f"It was {wrong}.", word)][-1:] == [wrong]


@given(LETTERS)
def test_a_term_is_no_near_miss_of_itself(word: str) -> None:
    for form in parse_term(word).forms:
        assert near(f"it {' '.join(form)} it", word) == []


@pytest.mark.parametrize("term", ["pickup truck", "pick-up truck", "pick up truck"])
def test_wordings_that_count_are_no_near_misses_and_one_letter_parts_are(term: str) -> None:
    text = "a pickup truck, pick-up truck, pick up truck, pick uptruck and p ickup truck"
    assert near(text, term) == [("p ickup truck", NearMissKind.SPLIT)]


def test_near_misses_of_the_words_of_a_long_term_are_searched_for() -> None:
    """A long term has more forms than phrases are searched for: those of its own words come first."""
    term = parse_term("she was sent a message on snapchat today")
    query = NearMissMatcher(term, [term]).query()
    assert query
    assert "she was sent a message on snapchat today" in str(query.to_dict())


def test_what_the_request_asks_for_elsewhere_is_no_near_miss() -> None:
    text = "livestreaming, live streams"
    assert near(text, "livestream", "live streaming") == [("live streams", NearMissKind.ENDING)]
    assert near("a live stream", "Steam") == [("stream", NearMissKind.TYPO)]
    assert near("a live stream", "Steam", "live stream") == []


def test_a_term_held_to_its_words_is_near_to_its_variants() -> None:
    found = near("wechat, we chat, we-chats", "WeChat", variants=False)
    assert found == [("we chat", NearMissKind.SPLIT), ("we chats", NearMissKind.ENDING)]


def test_a_term_with_punctuation_is_near_to_its_words() -> None:
    term = parse_term("Musical.ly")
    assert NearMissMatcher(term, [term]).without_punctuation() == (
        ("musical", "ly"),
        ("musically",),
    )
    assert NearMissMatcher(term, [term]).query() is None


@given(st.text("live stream'-. \n", max_size=60))
def test_a_near_miss_is_a_term_that_could_be_asked_for(text: str) -> None:
    for wording, _ in near(text, "livestream"):
        parse_term(wording)


def test_a_near_miss_of_the_longest_term_could_be_asked_for() -> None:
    longest = "l" * 100
    for wording, _ in near(f"{longest}ed {longest[:-1]} {' '.join(longest)}", longest):
        parse_term(wording)
