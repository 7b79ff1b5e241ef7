"""Finds damage in a text as its source gave it, before it is cleaned. Pure.

- *control*: control characters other than white space. U+0080 to U+009F are what Windows-1252 read
  as Latin-1 leaves of dashes and curly quotes.
- *mojibake*: UTF-8 that was decoded as a single-byte encoding ("\u00e2\u20ac\u201c" for a dash).
- *html*: tags of HTML and XML, and character references ("<br>", "</Para>", "&nbsp;").
- *rtf*: the codes of Rich Text Format, in which some systems keep what officers typed.
- *spreadsheet*: escapes of control characters in spreadsheets ("_x000D_").
- *escape*: escapes of JSON, SQL or mail that no program decoded; see ``escapes``.
- *replacement*: U+FFFD, which stands for a character that was lost, or an error of a spreadsheet
  in place of the whole text ("#NAME?", "########").
- *invisible*: an invisible character between two letters or digits of an alphabet that has no use
  for it there. Cleaning removes it, and so joins what may be two words. Soft hyphens are not
  damage, nor are the joiners of emoji and of scripts that need them.

Clean text costs a search for a few characters. Only where one occurs is a closer look taken, so
"<3", "a < b", "AT&T" and accented letters are not damage.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html.entities import name2codepoint
from typing import Any, Final

from indexer.records.damage.escapes import has_backslash_escapes, has_mail_escapes
from indexer.records.damage.kinds import DamageKind
from indexer.records.damage.windows_characters import WINDOWS_CHARACTERS
from indexer.records.model import SPREADSHEET_ERROR

C1_CONTROLS: Final = re.compile("[\x80-\x9f]")

_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x9f]")

# All that cleaning removes, but soft hyphens; and fillers, which look like a space or like nothing
# and count as letters.
_INVISIBLE_SIGNS: Final = (
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
)

# Tag characters, variation selectors and others beyond the basic plane. In a class with them the
# engine walks a list for every character, so they are looked for only where any such character is.
_RARE_SIGNS: Final = "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e01ef"

_ODD_CHARACTERS: Final = f"\x00-\x08\x0e-\x1b\x7f-\x9f\ufffd{_INVISIBLE_SIGNS}"

# Letters of the scripts that have no use for an invisible character inside a word.
_ALPHABETS: Final = "0-9A-Za-z\u00b5\u00c0-\u024f\u0370-\u052f\u1e00-\u1fff"

INVISIBLE_IN_WORD: Final = re.compile(
    f"(?<=[{_ALPHABETS}])[{_INVISIBLE_SIGNS}{_RARE_SIGNS}]+(?=[{_ALPHABETS}])"
)

_BYTES: Final = {
    **{chr(byte): byte for byte in range(0x80, 0x100)},
    **{character: byte for byte, character in WINDOWS_CHARACTERS.items()},
}

_CONTINUATION: Final = "\x80-\xbf" + "".join(WINDOWS_CHARACTERS.values())

#: The first two bytes of dashes and curly quotes; the byte that said which one may be lost.
_DASH_OR_QUOTE: Final = "\u00e2\u20ac"

#: A no-break space, of which a program made a plain one when it was two characters already. No word
#: ends so.
_SPACE_LEFT: Final = "\u00c2 "

#: The same read as Mac Roman, Windows-1251 and Windows-1257.
_OTHER_STARTS: Final = ("\u201a\u00c4", "\u0432\u0402", "\u0101\u20ac")

MOJIBAKE: Final = re.compile(
    # Of two bytes: letters of alphabets in use, so not those that "\u00c9" or "\u00dc" would start.
    f"(?:[\u00c2-\u00c8\u00cc-\u00db][{_CONTINUATION}]"
    f"|[\u00e0-\u00ef][{_CONTINUATION}]{{2}}"
    f"|[\u00f0-\u00f4][{_CONTINUATION}]{{3}})+"
    f"|(?:{'|'.join(_OTHER_STARTS)})."
    f"|{_DASH_OR_QUOTE}"
    f"|{_SPACE_LEFT}"
)

# What mojibake starts with, which accented letters alone do not match. It starts with one class, so
# the engine skips ahead.
_FIRST: Final = "\u00c2-\u00f4" + "".join(start[0] for start in _OTHER_STARTS)
_SECOND: Final = "|".join(
    (
        f"(?<=[\u00c2-\u00f4])[{_CONTINUATION}]",
        f"(?<={_SPACE_LEFT[0]}){_SPACE_LEFT[1]}",
        *(f"(?<={start[0]}){start[1]}" for start in _OTHER_STARTS),
    )
)
_MOJIBAKE_START: Final = re.compile(f"[{_FIRST}](?:{_SECOND})")

# One search instead of many, in nearly all texts: for that, and for odd characters.
_SUSPECT: Final = re.compile(f"[{_ODD_CHARACTERS}{_FIRST}](?:(?<=[{_ODD_CHARACTERS}])|{_SECOND})")

_ELEMENTS: Final = (
    "a|abbr|address|article|aside|b|big|blockquote|body|br|center|code|col|colgroup|dd|div|dl|dt|em"
    "|font|footer|form|h[1-6]|head|header|hr|html|i|img|input|label|li|link|meta|nav|ol|option|p|pre"
    "|s|script|section|select|small|span|strike|strong|style|sub|sup|table|tbody|td|textarea|tfoot"
    "|th|thead|title|tr|tt|u|ul|o:p|st1:[a-z]+"
)

TAG: Final = re.compile(rf"</?({_ELEMENTS})(?:\s+[\w:-]+\s*=[^<>]*|\s*/?)>", re.IGNORECASE)

#: An end of an element, or an empty one, of any name; people write no such thing.
XML_TAG: Final = re.compile(r"</([A-Za-z][\w.:-]{0,99})\s{0,9}>|<([A-Za-z][\w.:-]{0,99})\s{0,9}/>")

ENTITY: Final = re.compile(
    rf"&(?:#\d{{1,7}};|#[xX][0-9a-fA-F]{{1,6}};|nbsp;?|(?:apos|{'|'.join(name2codepoint)});)"
)

#: With what a text in Rich Text Format begins.
RTF_START: Final = "{\\rtf"

_ERROR_ALONE: Final = re.compile(rf"\s*(?:{SPREADSHEET_ERROR})\s*")

_MAX_ERROR_LENGTH: Final = 300  # a cell that is filled with "#" has at most as many as it is wide

#: An escaped control character, underscore or byte order mark.
SPREADSHEET_ESCAPE: Final = re.compile(
    r"_x(00(?:[0189][0-9A-Fa-f]|5[Ff]|7[Ff]|[Aa]0)|[Ff]{3}[EeFf]|[Ff][Ee][Ff]{2})_"
)


def find_damage(text: str) -> set[DamageKind]:
    """The kinds of damage in a text; none for nearly all texts."""
    kinds = _find_markup(text)
    # An ASCII text of one line without controls is printable, which is quick to see.
    if text.isascii() and text.isprintable():
        return kinds
    if not _SUSPECT.search(text) and not _has_rare_characters(text):
        return kinds
    if _MOJIBAKE_START.search(text) and any(map(is_mojibake, MOJIBAKE.finditer(text))):
        kinds.add("mojibake")
    if _has_control(text):
        kinds.add("control")
    if "\ufffd" in text:
        kinds.add("replacement")
    if INVISIBLE_IN_WORD.search(text):
        kinds.add("invisible")
    return kinds


def _find_markup(text: str) -> set[DamageKind]:
    """The kinds of damage that are written in characters of ASCII."""
    kinds: set[DamageKind] = set()
    if ("&" in text and ENTITY.search(text)) or ("<" in text and _has_tag(text)):
        kinds.add("html")
    if RTF_START in text:
        kinds.add("rtf")
    elif has_backslash_escapes(text):
        kinds.add("escape")
    if has_mail_escapes(text):
        kinds.add("escape")
    if "_" in text and SPREADSHEET_ESCAPE.search(text):
        kinds.add("spreadsheet")
    if len(text) <= _MAX_ERROR_LENGTH and _ERROR_ALONE.fullmatch(text):
        kinds.add("replacement")
    return kinds


def _has_tag(text: str) -> bool:
    return TAG.search(text) is not None or XML_TAG.search(text) is not None


def _has_rare_characters(text: str) -> bool:
    """Whether a text has characters beyond the basic plane, which UTF-16 writes as two."""
    return not text.isascii() and len(text.encode("utf-16-le", "surrogatepass")) > 2 * len(text)


def _has_control(text: str) -> bool:
    """Whether a text has control characters that are not part of mojibake."""
    return (
        _CONTROLS.search(text) is not None
        and _CONTROLS.search(sub_mojibake(lambda _: "", text)) is not None
    )


def is_mojibake(match: re.Match[str]) -> bool:
    """Whether a match of ``MOJIBAKE`` is damage, and not letters that happen to stand so."""
    sequence = match[0]
    if sequence.startswith(_DASH_OR_QUOTE) or sequence == _SPACE_LEFT:
        return True
    # In "CAF\u00c9\u2019S" a letter and a quotation mark are two bytes of UTF-8 too. With a control
    # character for the mark, it is the mark alone that is damaged.
    start, end = match.span()
    window = match.string[max(start - 1, 0) : end + 1].translate(WINDOWS_CHARACTERS)
    return load_ftfy().badness.is_bad(window) and decode_mojibake(sequence) != sequence


def decode_mojibake(sequence: str) -> str:
    """What a match of ``MOJIBAKE`` was before it was decoded wrongly; unchanged if that is lost."""
    if sequence == _SPACE_LEFT:
        return "\u00a0"
    try:
        return bytes(map(_BYTES.__getitem__, sequence)).decode()
    except (KeyError, UnicodeDecodeError):
        return str(load_ftfy().fix_encoding(sequence))


@cache
def load_ftfy() -> Any:
    """The library that knows mojibake; it takes 40 ms, so it is loaded when first needed."""
    import ftfy.badness

    return ftfy


def sub_mojibake(replace: Callable[[str], str], text: str) -> str:
    """The text with each sequence of mojibake replaced."""
    return MOJIBAKE.sub(lambda match: replace(match[0]) if is_mojibake(match) else match[0], text)
