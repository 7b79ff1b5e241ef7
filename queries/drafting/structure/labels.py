"""Reads the numbers that parts of a letter have: "3.", "(a)", "Q2", "iv)", "Question 1:"."""

from __future__ import annotations

import re
from typing import Final, Literal

from msgspec import Struct

#: How a number is written; "named" has the word question or a Q before it.
LabelStyle = Literal["named", "decimal", "digit", "letter", "roman", "capital"]

_ROMANS: Final = [
    "i",
    "ii",
    "iii",
    "iv",
    "v",
    "vi",
    "vii",
    "viii",
    "ix",
    "x",
    "xi",
    "xii",
    "xiii",
    "xiv",
    "xv",
    "xvi",
    "xvii",
    "xviii",
    "xix",
    "xx",
]

_CORE: Final = r"\d{1,2}(?:\.\d{1,2})?|[a-z]|[ivx]{2,5}|[A-Z]|[IVX]{2,5}"

_COUNT_WORDS: Final = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"

_PREFIX: Final = re.compile(
    rf"(?:(?P<name>questions?|part|item|point|q)\.?\s*(?P<named>\d{{1,2}}[a-z]?|{_COUNT_WORDS}|[a-z](?![a-z])|[ivx]{{2,5}}\b)\s*(?:[.):-]+|(?=\s+(?-i:[A-Z(\"']))|$)"
    rf"|\((?P<inner>{_CORE})\)[.:]?|(?P<bare>{_CORE})(?:[.)]+|\)[.:])|(?P<decimal>\d{{1,2}}\.\d{{1,2}}))(?:\s+|$)",
    re.IGNORECASE,
)

_WHOLE: Final = re.compile(
    rf"\W*(?:(?P<name>questions?|part|item|point|q)\.?\s*)?(?P<core>{_CORE}|\d{{1,2}}[a-z])\W*",
    re.IGNORECASE,
)

#: A name with initials, which are no label.
_INITIAL: Final = re.compile(r"(?:[A-Z]\. ?)+[A-Z][\w'-]+(?: [A-Z][\w'-]+)?")

_INLINE: Final = re.compile(r"(?:^|(?<=[\s;:,.]))\(?(?P<core>[a-z]|[ivx]{1,4}|\d{1,2})\)\s+")


class Label(Struct, frozen=True):
    """The number of a part: how it is written, its place in its series from 1, and its text in
    letters and digits alone ("4", "a", "iv", "1.2"). A roman number may be a letter too: ``letter``
    is its place then, or 0.
    """

    style: LabelStyle
    value: int
    text: str
    letter: int = 0


def read_label(text: str) -> Label | None:
    """The label that a text is as a whole ("(a)", "3."); None if it is none."""
    match = _WHOLE.fullmatch(text)
    return _make_label(match["core"], is_named=bool(match["name"])) if match else None


def split_label(text: str) -> tuple[Label | None, str]:
    """The label at the start of a text, and the rest; None and the text if it has none."""
    match = _PREFIX.match(text)
    if not match:
        return None, text
    if _INITIAL.fullmatch(text):
        return None, text
    core = match["named"] or match["inner"] or match["bare"] or match["decimal"]
    if core.casefold() in _COUNT_WORDS.split("|") and not match["named"]:
        return None, text
    label = _make_label(core, is_named=bool(match["named"]))
    return (label, text[match.end() :].strip()) if label else (None, text)


def split_inline(text: str) -> tuple[str, list[tuple[Label, str]]]:
    """A text with parts in it, "(a) ...; (b) ...", as what is before them and the parts; the whole
    text and none if there are not two in order from the first."""
    pieces: list[tuple[Label, int, int]] = []
    for match in _INLINE.finditer(text):
        label = _make_label(match["core"], is_named=False)
        if not label:
            continue
        if not pieces:
            if label.value == 1 or label.letter == 1:
                pieces.append((label, match.start(), match.end()))
            continue
        if follows(pieces[-1][0], label) and len(text[pieces[-1][2] : match.start()].split()) > 1:
            pieces.append((label, match.start(), match.end()))
    if len(pieces) < 2:
        return text, []
    ends = [start for _, start, _ in pieces[1:]] + [len(text)]
    parts = [
        (label, _trim_end(text[stop:end]))
        for (label, _, stop), end in zip(pieces, ends, strict=True)
    ]
    return text[: pieces[0][1]].strip(), parts


def follows(label: Label, following: Label) -> bool:
    """Whether a label is the next of the series of another one."""
    if label.style == following.style and following.value == label.value + 1:
        return True
    first = label.letter or (label.value if label.style == "letter" else 0)
    second = following.letter or (following.value if following.style == "letter" else 0)
    return bool(first and second == first + 1)


def starts_series(label: Label) -> bool:
    """Whether a label is the first of a series."""
    return label.value == 1 or label.letter == 1


def _make_label(core: str, *, is_named: bool) -> Label | None:
    if is_named:
        return _make_named(core.casefold())
    if core.isdecimal():
        return Label("digit", int(core), str(int(core)))
    if "." in core:
        whole_number, _, part = core.partition(".")
        return Label("decimal", int(whole_number) if part == "0" else int(part), core)
    folded = core.casefold()
    if folded in _ROMANS:
        letter = ord(folded) - ord("a") + 1 if len(folded) == 1 else 0
        return Label("roman", _ROMANS.index(folded) + 1, folded, letter)
    if len(core) == 1 and core.isascii() and core.isalpha():
        style: LabelStyle = "letter" if core.islower() else "capital"
        return Label(style, ord(folded) - ord("a") + 1, folded)
    return None


def _make_named(core: str) -> Label:
    """The label of "Question 2", "Part A", "Question two"."""
    if digits := re.match(r"\d+", core):
        return Label("named", int(digits[0]), core)
    words = _COUNT_WORDS.split("|")
    if core in words:
        return Label("named", words.index(core) + 1, str(words.index(core) + 1))
    is_roman = (core in _ROMANS and len(core) > 1) or core == "i"
    value = _ROMANS.index(core) + 1 if is_roman else ord(core[0]) - ord("a") + 1
    return Label("named", value, core)


def _trim_end(text: str) -> str:
    return re.sub(r"[\s;,]*(?:\b(?:and|or)\b)?[\s;,]*$", "", text.strip())
