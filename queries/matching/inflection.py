"""Other spellings of one word: its inflections, its accents, and words typed onto it. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from unicodedata import combining, normalize

MIN_STEM_LENGTH: Final = 3

MIN_GLUED_LENGTH: Final = 5

#: The longest regular expression that the server takes.
MAX_PATTERN_LENGTH: Final = 1_000

#: Words that stand before a name in a sentence, and that a lost space joins to it.
_LEADING_WORDS: Final = (
    *("a", "an", "and", "as", "at", "by", "called", "for", "from", "her", "his", "in", "into"),
    *("is", "my", "named", "of", "on", "or", "over", "said", "the", "their", "through", "to"),
    *("used", "using", "via", "was", "with"),
)

_CONSONANT: Final = "[bcdfghjklmnpqrstvwxz]"

_DOUBLING: Final = re.compile(rf"{_CONSONANT}[aeiou]({_CONSONANT})$")

_DOUBLED: Final = re.compile(rf"({_CONSONANT})\1$")

_ENDINGS: Final = ("ies", "ied", "ves", "ing", "ed", "ers", "er", "es", "s", "d", "y")

# Letters that have no decomposition, but that are typed as these.
_PLAIN_LETTERS: Final = str.maketrans({
    "\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u00f0": "d", "\u0131": "i", "\u00e6": "ae",
    "\u0153": "oe", "\u00fe": "th", "\u0127": "h",
})  # fmt: skip


@lru_cache(10_000)
def strip_accents(text: str) -> str:
    """Folded text with plain letters for those with accents: "cafe" for "caf\u00e9"."""
    if text.isascii():
        return text
    decomposed = normalize("NFD", text.translate(_PLAIN_LETTERS))
    return normalize("NFC", "".join(sign for sign in decomposed if not combining(sign)))


def build_accent_pattern(word: str) -> str:
    """A regular expression of the server's for a word with any accents, or none.

    For a very long word, only with the accents of western European languages.
    """
    plain = strip_accents(word)
    pattern = _build_pattern(plain, _list_accented_letters(), "[\u0300-\u036f]*")
    if len(pattern) <= MAX_PATTERN_LENGTH:
        return pattern
    western = {
        letter: "".join(sign for sign in accented if sign <= "\xff")
        for letter, accented in _list_accented_letters().items()
    }
    pattern = _build_pattern(plain, western, "")
    return pattern if len(pattern) <= MAX_PATTERN_LENGTH else plain


def _build_pattern(plain: str, accented: dict[str, str], marks: str) -> str:
    return "".join(
        f"[{letter}{accented[letter]}]{marks}" if letter in accented else letter for letter in plain
    )


@lru_cache(1)
def _list_accented_letters() -> dict[str, str]:
    """The Latin letters with accents, by the plain letter."""
    letters: dict[str, str] = {}
    for letter in map(chr, (*range(0xE0, 0x250), *range(0x1E00, 0x1F00))):
        plain = strip_accents(letter)
        if letter.islower() and len(plain) == 1 and plain.isascii() and plain.isalpha():
            letters[plain] = letters.get(plain, "") + letter
    return letters


def list_inflections(word: str) -> set[str]:
    """What may be the same word with another ending: "parties" for "party", "met" for none.

    A word of three letters has only its plural, because "thing" is not a form of "the"; a shorter
    one has none. Not every result is a word, because nothing here knows English.
    """
    if not word.isalpha() or not word.isascii() or len(word) < MIN_STEM_LENGTH:
        return set()
    if len(word) == MIN_STEM_LENGTH:
        return _list_plurals(word)
    stems = {word, *_list_stems(word)}
    return {*stems, *(form for stem in stems for form in _add_endings(stem))} - {word}


def _list_plurals(word: str) -> set[str]:
    if re.search("[^aeiou]y$", word):
        return {word[:-1] + "ies"}
    return {word + ("es" if re.search("(?:s|x|z|ch|sh)$", word) else "s")}


def _list_stems(word: str) -> set[str]:
    """What a word may be without its ending."""
    stems = set()
    for ending in _ENDINGS:
        rest = word.removesuffix(ending)
        if rest == word or len(rest) < MIN_STEM_LENGTH or (ending == "s" and rest[-1] in "su"):
            continue
        if ending in ("ies", "ied"):
            stems.add(rest + "y")
        elif ending == "ves":
            stems |= {rest + "f", rest + "fe"}
        elif ending in ("s", "d"):
            if ending == "s" or rest.endswith("e"):
                stems.add(rest)
        elif ending != "y":
            stems.add(rest)
            if len(rest) > MIN_STEM_LENGTH or ending in ("ing", "ed"):
                stems.add(rest + "e")
            if _DOUBLED.search(rest):
                stems.add(rest[:-1])
    return {stem for stem in stems if len(stem) >= MIN_STEM_LENGTH}


def _add_endings(stem: str) -> set[str]:
    """A stem with the endings of English nouns and verbs."""
    forms = _list_plurals(stem)
    if stem.endswith("fe"):
        forms.add(stem[:-2] + "ves")
    elif stem.endswith("f"):
        forms.add(stem[:-1] + "ves")
    if stem.endswith("e"):
        forms |= {stem + "d", stem + "r", stem + "rs", stem[:-1] + "ing"}
    elif re.search("[^aeiou]y$", stem):
        forms |= {stem[:-1] + "ied", stem + "ing"}
    else:
        forms |= {stem + ending for ending in ("ed", "ing", "er", "ers")}
        if doubling := _DOUBLING.search(stem):
            forms |= {stem + doubling[1] + ending for ending in ("ed", "ing", "er", "ers")}
    return forms


def list_glued_words(word: str) -> dict[str, int]:
    """A word with another typed onto its start ("ontiktok"), and where the word starts in it."""
    return {leading + word: len(leading) for leading in _LEADING_WORDS}
