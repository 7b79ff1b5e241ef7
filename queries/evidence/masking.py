"""Hide what identifies people in text that is read for relevance alone. Pure.

Hidden are words with a digit (numbers, dates, postcodes, plates, references), addresses on the web
and in mail, handles, and words with a capital letter, which names are; not the few that only start
a sentence. It hides more than it must. A name in small letters stays, so masked text is an aid for
the reader, not anonymous.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "\u2588\u2588\u2588"

_ADDRESS: Final = r"(?:https?://|www\.)\S+|\S+@\S+|@\w+"

_WORD: Final = r"\w+(?:['\u2019]\w+)*"

_CANDIDATE: Final = re.compile(f"({_ADDRESS})|({_WORD})")

# Words that a capital letter gives no meaning to.
_STOP_WORDS: Final = frozenset(
    [
        "a",
        "after",
        "all",
        "also",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "before",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "more",
        "no",
        "not",
        "of",
        "off",
        "on",
        "one",
        "or",
        "our",
        "out",
        "over",
        "she",
        "should",
        "so",
        "some",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "under",
        "until",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)

_DIGIT: Final = re.compile(r"\d")


def mask_identifiers(text: str) -> str:
    """The text with what may identify a person hidden."""
    return _CANDIDATE.sub(_mask_match, text)


def _mask_match(match: re.Match[str]) -> str:
    address, word = match.groups()
    if address or _DIGIT.search(word):
        return MASK
    if word[0].isupper() and word.lower() not in _STOP_WORDS:
        return MASK
    return str(word)
