"""What a narrative says of a term, without a server."""

from __future__ import annotations

import pytest

from indexer.records.narrative import clean_text, segment_narrative
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


@pytest.mark.parametrize(
    ("term", "text", "written", "kind", "cut"),
    [
        ("USA", "In the U.S.A. by car.", "U.S.A.", "with full stops", "in the u | s | a | by car"),
        ("USA", "In U. S. A by car.", "U. S. A", "with full stops", "in u | s | a by car"),
        ("USA visa", "His U.S.A. visa.", "U.S.A. visa", "with full stops", "his u | s | a | visa"),
        ("1000", "It was 1,000 then.", "1,000", "with its digits grouped", "it was 1 | 000 then"),
        ("3D", "On a 3 D print.", "3 D", "opened otherwise", "on a 3 d print"),
        ("cafe", "In a Caf\u00e9 there.", "Caf\u00e9", "with other accents, or none", "in a caf\u00e9 there"),
        ("live stream", "On live-\n\nstream there.", "live- stream", "broken by a page", "on live | stream there"),
        ("livestream", "On live-\fstream there.", "live- stream", "broken by a page", "on live | stream there"),
        ("TikTok", "Met on\u200bTikTok there.", "onTikTok", "joined to the word before it", "met ontiktok there"),
        ("live stream", "Two live streams there.", "live streams", "another ending", "two live streams there"),
        ("Musical.ly", "Seen musical ly there.", "musical ly", "without its punctuation", "seen musical ly there"),
    ],
)  # fmt: skip
def test_each_kind_of_near_miss_is_shown_once_where_it_is_with_its_cuts(
    term: str, text: str, written: str, kind: str, cut: str
) -> None:
    mention = Mention(parse_term(term))
    narrative = NarrativeWords(segment_narrative(clean_text(text)))
    (passage,) = narrative.show_close_words(mention, [mention.term])
    shown = (passage.note, passage.words, passage.cut)
    assert shown == (f"near miss: {kind}", written, cut)
    before, after = clean_text(text).replace("\n\n", " ").replace("\f", " ").split(written)
    assert (passage.before.strip(), passage.after.strip()) == (before.strip(), after.strip())


def test_a_near_miss_that_is_requested_is_not_shown_as_one() -> None:
    mention = Mention(parse_term("USA"))
    narrative = read("In the U.S.A. then.")
    assert narrative.show_close_words(mention, [mention.term])
    assert not narrative.show_close_words(mention, [mention.term, parse_term("U.S.A")])


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
