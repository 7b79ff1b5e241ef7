"""Repairs the kinds of damage that a force names, in texts that have it. Pure.

What was lost is not guessed: replacement characters stay, as do control characters that stand for
nothing. Damage may hide damage (an entity for each byte of a dash), so a text is repaired until
nothing changes, or three times.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from indexer.records.damage.detect import (
    C1_CONTROLS,
    ENTITY,
    INVISIBLE_IN_WORD,
    RTF_START,
    SPREADSHEET_ESCAPE,
    TAG,
    XML_TAG,
    decode_mojibake,
    find_damage,
    sub_mojibake,
)
from indexer.records.damage.escapes import decode_escapes, may_have_escapes
from indexer.records.damage.kinds import DamageKind, RepairKind, sort_kinds
from indexer.records.damage.windows_characters import WINDOWS_CHARACTERS

_MAX_PASSES: Final = 3

#: Invisible characters that may stand where words were parted, or look like a space; the others
#: only ever join.
_PARTING: Final = re.compile("[\u200b\u3164\ufeff\uffa0]")

#: A brace of Rich Text Format, or a character that is written after a backslash.
_RTF_BRACE: Final = re.compile(r"\\.|[{}]", re.DOTALL)

#: With what a part begins that stands beside the text; striprtf leaves it out.
_RTF_NOTE: Final = re.compile(
    r"\{(?:\\\*)?\s{0,9}\\(?:footnote|annotation|header[lrf]?|footer[lrf]?|shptxt)(?![A-Za-z])"
)

#: What tags become: nothing inside a line of text, a line break, or a gap in a row of cells. All
#: others start a paragraph of their own.
_TAG_TEXTS: Final = {
    **dict.fromkeys(("a", "abbr", "b", "big", "code", "em", "font", "i", "img", "label", "s"), ""),
    **dict.fromkeys(("small", "span", "strike", "strong", "style", "sub", "sup", "tt", "u"), ""),
    **dict.fromkeys(("td", "th"), "\t"),
    "br": "\n",
}


class RepairedText(NamedTuple):
    """A text after the repair, the kinds that were repaired in it and those that it still has."""

    text: str
    repaired: frozenset[DamageKind]
    remaining: frozenset[DamageKind]


class RepairedEntries(NamedTuple):
    """The entries of a narrative after the repair, the kinds that were repaired in any of them and
    those that any of them still has."""

    entries: list[str]
    repaired: tuple[str, ...]
    remaining: tuple[str, ...]


def repair_entries(entries: list[str], kinds: frozenset[RepairKind]) -> RepairedEntries:
    """Find the damage in each entry of a narrative, and repair the kinds named."""
    results = [repair_text(entry, kinds) for entry in entries]
    return RepairedEntries(
        [result.text for result in results],
        sort_kinds(kind for result in results for kind in result.repaired),
        sort_kinds(kind for result in results for kind in result.remaining),
    )


def repair_text(text: str, kinds: frozenset[RepairKind]) -> RepairedText:
    """Find the damage in a text, and repair the kinds named."""
    found = _find_repairable(text, kinds)
    repaired: set[DamageKind] = set()
    for _ in range(_MAX_PASSES):
        before = text
        for kind, repair in _REPAIRS.items():
            if kind in kinds and kind in found:
                fixed = repair(text)
                if fixed != text:
                    repaired.add(kind)
                    text, found = fixed, _find_repairable(fixed, kinds)
        if text == before:
            break
    remaining = find_damage(text) if "escape" in found else found
    return RepairedText(text, frozenset(repaired), frozenset(remaining))


def _find_repairable(text: str, kinds: frozenset[RepairKind]) -> set[DamageKind]:
    """The damage in a text; also escapes that are not certain, if the force says that its source
    writes some."""
    found = find_damage(text)
    if "escape" in kinds and RTF_START not in text and may_have_escapes(text):
        found.add("escape")
    return found


def _decode_spreadsheet_escapes(text: str) -> str:
    return SPREADSHEET_ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


def _remove_html(text: str) -> str:
    text = TAG.sub(_replace_tag, text)
    if names := {match[1] or match[2] for match in XML_TAG.finditer(text)}:
        elements = "|".join(map(re.escape, sorted(names)))
        text = re.sub(rf"</?(?:{elements})(?:\s+[\w.:-]+\s*=[^<>]*|\s*/?)>", "\n\n", text)
    return ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _replace_tag(match: re.Match[str]) -> str:
    return _TAG_TEXTS.get((match[1] or "").lower(), "\n\n")


def _remove_rtf(text: str) -> str:
    """The text of Rich Text Format; unchanged if it does not begin so, or is not readable.

    What stands after a document of that format, such as another one, is text, too.
    """
    if not text.lstrip().startswith(RTF_START):
        return text
    from striprtf.striprtf import rtf_to_text

    texts: list[str] = []
    for document, plain in _split_rtf(text):
        try:
            source = _move_notes(document)
            converted = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]
        except (ArithmeticError, LookupError, ValueError):  # no such code page or character
            return text
        texts += filter(str.strip, (str(converted), plain))
    return "\n".join(texts)


def _split_rtf(text: str) -> Iterator[tuple[str, str]]:
    """Each document of Rich Text Format in a text that begins with one, and what follows it."""
    start = 0
    while start >= 0:
        end = _find_group_end(text, start)
        following = text.find(RTF_START, end)
        yield text[start:end], text[end:] if following < 0 else text[end:following]
        start = following


def _move_notes(document: str) -> str:
    """A document whose footnotes, comments, headers and text boxes stand at its end, as text."""
    if not _RTF_NOTE.search(document):
        return document
    notes: list[str] = []
    pieces: list[str] = []
    around_notes: list[tuple[int, list[str]]] = []  # the depth of each open note, what is around it
    depth = position = 0
    for brace in _RTF_BRACE.finditer(document):
        if brace.start() < position:
            continue
        pieces.append(document[position : brace.start()])
        position = brace.end()
        depth += brace[0] == "{"
        if brace[0] == "{" and (opening := _RTF_NOTE.match(document, brace.start())):
            position = opening.end()
            around_notes.append((depth, pieces))
            pieces = [r"{\par "]
            continue
        pieces.append(brace[0])
        if brace[0] == "}":
            if around_notes and around_notes[-1][0] == depth:
                notes.append("".join(pieces))
                pieces = around_notes.pop()[1]
            depth -= 1
    pieces.append(document[position:])
    while around_notes:  # the text ends in a note
        note_depth, pieces_around = around_notes.pop()
        notes.append("".join(pieces) + "}" * (depth - note_depth + 1))
        depth, pieces = note_depth - 1, pieces_around
    body, end, rest = "".join(pieces).rpartition("}") if not depth else ("".join(pieces), "", "")
    return "".join((body, *notes, end, rest))


def _find_group_end(text: str, start: int) -> int:
    """Where a group of Rich Text Format ends; the end of the text if it is not closed."""
    depth = 0
    for match in _RTF_BRACE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if not depth:
            return match.end()
    return len(text)


def _decode_mojibake_sequences(text: str) -> str:
    return sub_mojibake(decode_mojibake, text)


def _decode_controls(text: str) -> str:
    return C1_CONTROLS.sub(lambda match: WINDOWS_CHARACTERS.get(ord(match[0]), match[0]), text)


def _part_words(text: str) -> str:
    return INVISIBLE_IN_WORD.sub(lambda match: " " if _PARTING.search(match[0]) else "", text)


# In this order: what one repair uncovers is for those after it.
_REPAIRS: Final[dict[RepairKind, Callable[[str], str]]] = {
    "rtf": _remove_rtf,
    "spreadsheet": _decode_spreadsheet_escapes,
    "escape": decode_escapes,
    "html": _remove_html,
    "mojibake": _decode_mojibake_sequences,
    "control": _decode_controls,
    "invisible": _part_words,
}
