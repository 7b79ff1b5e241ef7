"""An independent reading of the rules: plain Python over plain text, and no index.

It shares no code with foidex but the list of a term's forms where a test says so: cleaning, words,
boundaries and counting are written again here, naively, from the rule's text.
"""

from __future__ import annotations

import itertools
import re
import sys
import unicodedata
from collections.abc import Iterable
from datetime import date
from typing import Any

_SOFT = r"\s\-\u2010-\u2015\u2212"


def _ranges(kind: str) -> str:
    """The characters of a category's first letter, as the ranges of a character class."""
    of = [unicodedata.category(chr(n))[0] == kind for n in range(sys.maxunicode + 1)]
    starts = [n for n, is_one in enumerate(of) if is_one and not of[n - 1]]
    ends = [n for n, is_one in enumerate(of) if is_one and not of[n + 1]]
    return "".join(f"{chr(a)}-{chr(b)}" for a, b in zip(starts, ends, strict=True))


_MARK = _ranges("M")

_INVISIBLE = dict.fromkeys(
    [0x00, 0xAD, 0x34F, 0x61C, *range(0x180B, 0x1810), *range(0x200B, 0x2010), *range(0x202A, 0x202F),
     *range(0x2060, 0x2070), *range(0xFE00, 0xFE10), 0xFEFF,
     0xE0001, *range(0xE0020, 0xE0080), *range(0xE0100, 0xE01F0)]
)  # fmt: skip


def cleaned(text: str) -> str:
    """Text as the rule compares it: everything folded at once."""
    # An accent typed as a character of its own stands for an apostrophe.
    text = "".join(map(_spell_accent, text))
    plain = unicodedata.normalize("NFKC", text.translate(_INVISIBLE))
    for mark in "\u2018\u2019\u201b\u02bc\u02bb`":
        plain = plain.replace(mark, "'")
    return unicodedata.normalize("NFKC", _drop_stray_marks(plain).casefold())


def _spell_accent(character: str) -> str:
    """An apostrophe for an accent by itself; a vowel sign of Arabic by itself is that sign."""
    plain = unicodedata.normalize("NFKD", character)
    if len(plain) < 2 or plain[0] != " " or not unicodedata.combining(plain[1]):
        return character
    return plain[1:] if "ARABIC" in unicodedata.name(character) else "'"


def _drop_stray_marks(text: str) -> str:
    """Text without the marks that no letter or digit comes before: no word can hold them."""
    kept: list[str] = []
    in_word = False
    for character in text:
        kind = unicodedata.category(character)
        if kind[0] == "M" and not in_word:
            continue
        in_word = kind[0] in "LM" or kind == "Nd"
        kept.append(character)
    return "".join(kept)


def mentions(text: str, forms: list[str]) -> bool:
    """Whether any form stands in the text as whole words, apart by spaces and dashes only."""
    return holds(prepared(text), forms)


def prepared(text: str) -> str:
    """Cleaned text, with a sign for all else that no word goes on through."""
    plain = cleaned(text)
    # A blank line is a boundary like a full stop.
    plain = re.sub(r"\n[^\S\n]*\n|\r\r|\f|\u2029", " \x01 ", plain)
    # Numbers in circles are signs.
    return "".join("\x01" if unicodedata.category(c) in ("No", "Nl") else c for c in plain)


def holds(plain: str, forms: list[str]) -> bool:
    """Whether any form stands in prepared text."""
    letter = r"[^\W\d_]"
    word = rf"[^\W_]|[{_MARK}]"
    # An apostrophe between two letters is part of the word, unless it is that of a possessive.
    before = rf"(?<!{word})(?!(?<={letter}'){letter})"
    after = rf"(?!{word})(?!(?<={letter})'(?!s(?!{word})){letter})"
    each = [cleaned(form).split(" ") for form in forms]
    near = [list(map(re.escape, parts)) for parts in each if all(part in plain for part in parts)]
    written = "|".join(rf"[{_SOFT}]+".join(parts) for parts in near)
    return bool(near) and re.search(f"{before}(?:{written}){after}", plain) is not None


def variants(term: str) -> list[str]:
    """The forms of a term, from the rule's text, gap by gap: a form may lack any of the gaps
    between the parts of the term; it may have one gap more, if the words on both sides of it have
    two letters or more; and the term in one word may have two gaps, if all three words have three
    letters or more."""
    written = re.split(rf"[{_SOFT}]+", cleaned(term).strip())
    closed = "".join(written)
    places = range(1, len(closed))
    own = list(itertools.accumulate(map(len, written[:-1])))
    found = set()
    for count in range(len(own) + 1):
        for kept in itertools.combinations(own, count):
            found.add(_cut(closed, kept))
            for more in places:
                gaps = sorted({*kept, more})
                ends = [0, *gaps, len(closed)]
                at = ends.index(more)
                if min(more - ends[at - 1], ends[at + 1] - more) >= 2:
                    found.add(_cut(closed, gaps))
    for first, second in itertools.combinations(places, 2):
        if min(first, second - first, len(closed) - second) >= 3:
            found.add(_cut(closed, (first, second)))
    return sorted(form for form in found if " '" not in form and "' " not in form)


def _cut(closed: str, gaps: Iterable[int]) -> str:
    """A word with spaces at some places."""
    ends = [0, *gaps, len(closed)]
    return " ".join(closed[one:other] for one, other in itertools.pairwise(ends))


def joinings(parts: list[str]) -> list[str]:
    """Parts with each gap between them kept or closed."""
    found = [parts[0]]
    for part in parts[1:]:
        found = [one + gap + part for one in found for gap in ("", " ")]
    return found


def spellings(wordings: list[str]) -> list[str]:
    """The forms of a term of a term book: of each of its wordings in each joining."""
    found: set[str] = set()
    for wording in wordings:
        for joined in joinings(re.split(rf"[{_SOFT}]+", cleaned(wording))):
            found |= set(variants(joined))
    return sorted(found)


def in_scope(record: dict[str, Any], start: date, end: date) -> bool:
    """Whether a record is of the period, both days included."""
    return start <= date.fromisoformat(record["recorded_on"]) <= end


def text_of(record: dict[str, Any]) -> str:
    """A record's narrative as one text; entries are apart as by a blank line."""
    narrative = record["narrative"]
    return narrative if isinstance(narrative, str) else "\n\n".join(narrative)
