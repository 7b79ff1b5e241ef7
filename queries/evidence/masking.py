"""Hides what may identify people in text that is read only for relevance, or released. Pure.

It hides words with a digit (numbers, dates, postcodes, number plates, references), web and mail
addresses, handles, and capitalised words, except common words that start a sentence. It hides more
than necessary, but a name in lower case stays: masked text is not anonymous.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, TypeAlias

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


#: Part of a text: where it starts, and where it ends, in characters from 0.
Span: TypeAlias = tuple[int, int]


def mask_identifiers(text: str) -> str:
    """The text with what may identify a person hidden."""
    return hide_spans(text, find_identifiers(text))


def find_identifiers(text: str) -> list[Span]:
    """What may identify a person, in order."""
    return [match.span() for match in _CANDIDATE.finditer(text) if _is_identifier(match)]


def _is_identifier(match: re.Match[str]) -> bool:
    address, word = match.groups()
    if address or _DIGIT.search(word):
        return True
    return word[0].isupper() and word.lower() not in _STOP_WORDS


def find_words(text: str, words: str) -> list[Span]:
    """Each place where the words stand in a text, whatever their capitals and the spaces between
    them; none for no words."""
    pattern = r"\s+".join(map(re.escape, words.split()))
    if not pattern:
        return []
    matches = re.finditer(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
    return [match.span() for match in matches]


def hide_spans(text: str, spans: Iterable[Span]) -> str:
    """The text with each of these parts replaced by MASK; those that overlap by one."""
    pieces, position = [], 0
    start, end = 0, 0
    for span_start, span_end in sorted(spans):
        if span_start < end:
            end = max(end, span_end)
            continue
        if end > start:
            pieces += [text[position:start], MASK]
            position = end
        start, end = span_start, span_end
    if end > start:
        pieces += [text[position:start], MASK]
        position = end
    return "".join((*pieces, text[position:]))
