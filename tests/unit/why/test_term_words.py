"""What a narrative says of a term, without a server."""

from __future__ import annotations

import pytest

from indexer.records.narrative import segment_narrative
from queries.matching.term import parse_term
from queries.tables.scope import Mention
from queries.why.term_words import NarrativeWords, explain_absence, explain_presence

MENTION = Mention(parse_term("live stream"))


def read(text: str, *, mask: bool = False) -> NarrativeWords:
    return NarrativeWords(segment_narrative(text), mask=mask)


def test_each_form_is_counted_once_a_place() -> None:
    forms = read("Live-stream, livestream \u2013 and LIVE  STREAM \U0001f3a5.").find_mentions(
        MENTION
    )
    assert forms == {"live stream": 2, "livestream": 1}
    assert explain_presence(forms) == 'Mentioned, as "live stream" (twice) and "livestream" (once).'


@pytest.mark.parametrize("joint", [". ", ", ", " / ", "\n\n", "\u201d \u201c", " \u2022 "])
def test_what_no_mention_can_cross_is_a_bar(joint: str) -> None:
    (passage,) = read(f"the live{joint}stream was").show_close_words(MENTION, [])
    assert passage.cut == "the live | stream was"
    assert passage.note == "its words, with punctuation or a blank line between them"


def test_a_mention_that_counts_is_not_shown_as_close() -> None:
    assert not read("a live-stream").show_close_words(MENTION, [MENTION.term])


def test_words_far_apart_are_shown_each_at_its_first_place() -> None:
    words = read("A stream near the house. Nothing is live. Another stream.")
    reason, passages = explain_absence(words, MENTION)
    assert reason.endswith('but apart: "live" (once) and "stream" (twice).')
    assert [passage.cut for passage in passages] == [
        "a stream near the",
        "nothing is live | another stream",
    ]


def test_a_term_of_one_word_has_no_words_to_look_for() -> None:
    mention = Mention(parse_term("Steam"))
    assert explain_absence(read("st eam of water"), mention)[1] == ()
    assert not read("").count_parts(mention)


def test_the_words_beside_are_masked_too() -> None:
    (passage,) = read("Rang Alexandra live. Stream", mask=True).show_close_words(MENTION, [])
    assert "Alexandra" not in passage.before
