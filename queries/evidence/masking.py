"""Hides what may identify people in text that is read only for relevance. Pure.

It hides words with a digit (numbers, dates, postcodes, number plates, references), web and mail
addresses, handles, and capitalised words, except common words that start a sentence. It hides more
than necessary, but a name in lower case stays: masked text is not anonymous.
"""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "\u2588\u2588\u2588"

_ADDRESS: Final = r"(?:https?://|www\.)\S+|\S+@\S+|@\w+"

_WORD: Final = r"\w+(?:['\u2019]\w+)*"

_CANDIDATE: Final = re.compile(f"({_ADDRESS})|({_WORD})")

# Common words, which are capitalised only where they start a sentence.
_STOP_WORDS: Final = frozenset(
    """
    a after all also an and any are as at be been before but by can could did do for from
    had has have he her his how i if in into is it its may more no not of off on one or our
    out over she should so some that the their them then there these they this those to
    under until was we were what when where which while who will with would you your
    """.split()  # noqa: SIM905 - 78 words read best as a text
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
