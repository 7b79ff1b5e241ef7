"""Where a term stands in a narrative, and the words around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records.narrative import SegmentedNarrative, clean_text, segment_narrative
from queries.matching.highlight import (
    NarrativeSnippet,
    TermMatch,
    find_term_matches,
    make_character_snippet,
    make_sentence_snippet,
)
from queries.matching.term import parse_term
from queries.spec.term_book import load_default_term_book

BOOK = load_default_term_book()


def found(text: str, term: str) -> list[str]:
    """What is written at each match."""
    narrative = segment_narrative(clean_text(text))
    whole = "".join(narrative.segments)
    parsed = parse_term(term, openings=BOOK.extra_spellings(term))
    return [whole[match.start : match.end] for match in find_term_matches(narrative, parsed)]


@pytest.mark.parametrize(
    ("text", "term", "written"),
    [
        ("a Live \u2013 Stream, LIVESTREAM; live\nstream", "livestream", ["Live \u2013 Stream", "LIVESTREAM", "live\nstream"]),
        ("they live. Stream nearby live/stream live\n\nstream", "live stream", []),
        ("livestreamed, live streams, alive stream", "live stream", []),
        ("Facebook's page, www.facebook.com/x", "Facebook", ["Facebook", "facebook"]),
        ("on What\u2019s-App's page", "WhatsApp", ["What's-App"]),
        ("Paul's. app", "Paul's app", []),
        ("Paul's app's", "Paul's app", ["Paul's app"]),
        ("on Live.ly, alive.ly, www.live.ly/x, Live.ly's", "Live.ly", ["Live.ly", "live.ly", "Live.ly"]),
        ("live. ly", "Live.ly", []),
        ("M&S's and m&s", "M&S", ["M&S", "m&s"]),
        ("Stra\u00dfe", "strasse", ["Strasse"]),
        ("stream stream stream", "stream stream", ["stream stream", "stream stream"]),
    ],
)  # fmt: skip
def test_matches_are_what_is_written(text: str, term: str, written: list[str]) -> None:
    assert found(text, term) == written


@pytest.mark.parametrize("term", ["pickup truck", "pick-up truck", "pick up truck"])
def test_every_wording_of_a_term_is_highlighted(term: str) -> None:
    text = "A pickup truck, a Pick-Up truck, a pick up\ntruck and a p ick-up truck."
    assert found(text, term) == ["pickup truck", "Pick-Up truck", "pick up\ntruck"]


def test_a_match_never_crosses_entries() -> None:
    first, second = segment_narrative(clean_text("a live")), segment_narrative(clean_text("stream"))
    both = SegmentedNarrative(first.segments + second.segments, [], [])
    assert find_term_matches(both, parse_term("live stream")) == []
    first, second = (
        segment_narrative(clean_text("that is what's")),
        segment_narrative(clean_text(" app")),
    )
    both = SegmentedNarrative(first.segments + second.segments, first.possessives, [])
    assert find_term_matches(both, parse_term("what's app")) == []


def test_a_window_cuts_between_words() -> None:
    text = "The caller said it was on a live stream at the time of the call."
    match = TermMatch(text.index("live"), text.index(" at the"), ("live", "stream"))
    assert make_character_snippet(text, match, 11) == NarrativeSnippet(
        "was on a ", "live stream", " at the"
    )
    assert make_character_snippet(text, match, 0) == NarrativeSnippet("", "live stream", "")
    assert "".join(make_character_snippet(text, match, 1000)) == text


def test_a_window_holds_nothing_a_terminal_would_obey() -> None:
    text = "a\x1b[31m\n live\nstream \x07b"
    match = TermMatch(text.index("live"), text.index(" \x07"), ("live", "stream"))
    assert make_character_snippet(text, match, 50) == NarrativeSnippet(
        "a [31m ", "live stream", " b"
    )


@given(st.text("ab \n.", max_size=60), st.integers(0, 60), st.integers(0, 10), st.integers(0, 30))
def test_a_window_is_whole_words_of_the_text(text: str, start: int, size: int, width: int) -> None:
    start = min(start, len(text))
    match = TermMatch(start, min(start + size, len(text)), ())
    around = make_character_snippet(text, match, width)
    flat = " ".join(text.split())
    assert " ".join("".join(around).split()) in flat
    assert len(around.before) <= width
    assert len(around.after) <= width
    assert not text[: match.start].split() or not around.before.split() or (
        around.before.split()[0] in text[: match.start].split()
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, ("He saw a ", "live stream", " there. ")),
        (1, ("It was late. He saw a ", "live stream", " there. Then he left! ")),
        (9, ("It was late. He saw a ", "live stream", " there. Then he left! No more")),
    ],
)
def test_sentences_around_a_mention(number: int, shown: tuple[str, str, str]) -> None:
    text = "It was late. He saw a live stream there. Then he left! No more"
    start = text.index("live")
    match = TermMatch(start, start + len("live stream"), ("live", "stream"))
    before, found, after = shown
    assert make_sentence_snippet(text, match, number) == (before, found, after.rstrip())
