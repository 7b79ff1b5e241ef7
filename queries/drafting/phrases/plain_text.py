"""Text of a letter in plain characters, its sentences, and numbers written as words."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_PLAIN_CHARACTERS: Final = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u0060\u00b4", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff"),
    }
)

NUMBER_WORDS: Final = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]

#: A number in digits or in words, up to twenty.
NUMBER_PATTERN: Final = rf"(?:\d{{1,3}}|{'|'.join(NUMBER_WORDS)})"

_ABBREVIATION: Final = re.compile(
    r"(?:\b(?:e\.g|i\.e|no|nos|ref|s|ss|sec|mr|mrs|ms|dr|st|vs|approx|incl|inc|para|art|cf)|\betc)\.$",
    re.IGNORECASE,
)

_NEAR: Final = 80

#: Eleven digits from 0 or behind +44; ten only behind words that say so.
_PHONE: Final = re.compile(
    r"(?<![\w/.,-])(?:\+44[ ()-]{0,3}(?:0\)? ?)?\d(?:[ ()-]{0,2}\d){8,9}|\(?0\d(?:[ ()-]{0,2}\d){9})(?![ -]?\d|[\w/])"
    r"|(?<=\bon )\(?0\d(?:[ ()-]{0,2}\d){8}(?![ -]?\d|[\w/])"
)

_SENTENCE_END: Final = re.compile(r"(?<=[.?!])[\"')]?\s+")


def plain_text(text: str) -> str:
    """The text in NFKC with plain quotation marks and hyphens, white space made one space.

    Line breaks stay.
    """
    plain = unicodedata.normalize("NFKC", text.translate(_PLAIN_CHARACTERS))
    plain = plain.translate(_PLAIN_CHARACTERS)
    lines = (" ".join(line.split()) for line in plain.splitlines())
    return "\n".join(line for line in lines if line)


def hide_phone_numbers(text: str) -> str:
    """The text with "(phone number)" for each phone number: what people are called on is no part of
    a request."""
    return _PHONE.sub("(phone number)", text)


def split_sentences(text: str) -> list[str]:
    """The sentences of a text; a line break ends one, and an abbreviation does not."""
    sentences: list[str] = []
    for line in text.split("\n"):
        start = 0
        for match in _SENTENCE_END.finditer(line):
            before, after = line[start : match.start()], line[match.end() : match.end() + 1]
            is_etc = before.casefold().endswith("etc.") and not after.islower()
            if _ABBREVIATION.search(before) and not is_etc:
                continue
            sentences.append(line[start : match.end()].strip())
            start = match.end()
        if line[start:].strip():
            sentences.append(line[start:].strip())
    return sentences


def look_around(text: str, begin: int, stop: int) -> tuple[str, str]:
    """What stands just before and just behind a place of a text: enough for a rule to judge it, and
    no more, so that a long text takes no longer for each of its words."""
    return text[max(begin - _NEAR, 0) : begin], text[stop : stop + _NEAR]


def read_number(text: str) -> int:
    """The number that digits or a word of ``NUMBER_PATTERN`` stand for."""
    return int(text) if text.isdecimal() else NUMBER_WORDS.index(text.casefold())
