"""What is shown of a record around its mentions."""

from __future__ import annotations

from queries.evidence.hits import MentionSnippet, drop_repeated


def test_a_place_that_two_terms_mention_is_shown_once() -> None:
    place = ("A ", "live stream", " was named.")
    snippets = [
        MentionSnippet("live stream", *place),
        MentionSnippet("live stream", "Then ", "live stream", " again."),
        MentionSnippet("live streaming", *place),
    ]
    assert drop_repeated(snippets) == tuple(snippets[:2])
