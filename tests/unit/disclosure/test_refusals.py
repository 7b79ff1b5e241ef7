"""What a refusal to publish says."""

from __future__ import annotations

from queries.disclosure.messages.refusals import explain_refusal


def test_a_refusal_says_each_sentence_once() -> None:
    """Two kinds of records may be different and yet be called the same."""
    words = [f"kind {number} could be worked out" for number in range(5)]
    refusal = explain_refusal([words[0], *words, words[0]])
    assert [refusal.count(sentence) for sentence in words] == [1] * 5
    assert "more." not in refusal
    assert "and 1 more." in explain_refusal([*words, words[0], "another"])
