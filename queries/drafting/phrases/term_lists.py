"""Reads lists of terms: quoted or not, with commas, "and" and "or"; and the item of a list."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from queries.drafting.draft import DraftTerm

_QUOTED: Final = r"\"(?P<double>[^\"\n]{1,100})\"|(?<!\w)'(?P<single>[^'\n]{1,100}?)'(?!\w)"

#: What one word in a term may be: letters, digits, and the marks that names have inside ("Live.ly", "M&S").
_WORD: Final = r"[#@]?[^\W_](?:[\w*.&+!'/-]*[\w*+!])?\*?"

_CHUNK: Final = re.compile(rf"\s*(?:{_QUOTED}|(?P<plain>{_WORD}(?: {_WORD}){{0,5}}))")

#: "Tinder/Bumble/Hinge": names, and no name with a stroke in it.
_SLASHED_NAMES: Final = re.compile(r"[A-Z]\w{3,}(?:/[A-Z]\w{3,})+")

_SEPARATOR: Final = re.compile(
    r"\s*(?:,?\s*and\s*/\s*or\b|,?\s*&|,?\s*\b(?:and|or)\b|,\s*(?:(?:or|and)\b)?|;|/|\|)\s*(?:the (?:words?|terms?|phrases?)\s+)?(?:else\s+)?(?:an?\s+)?",
    re.IGNORECASE,
)

#: Words that end a term which stands in prose.
_STOP_WORDS_TEXT: Final = """
once twice play played plays part day days period and/or
a about age aged ages all also am an and any anywhere appear appeared appears are as at be
been being between both broken but by can case cases come comes could crime crimes did do does
during each either else etc every except exclude excludes excluding feature featured features figure first for
force free from give given had has have how however i if in incident incidents including into
involved involving is it its keywords last leave leaving like make many me mentioned mentions more most much
near need neither no nor not number occur occurred occurs of offence offences omit omitting on one only or
other out over per phrase please plus police record recorded records report reported reports
same search separate separately should so some split such than that the their them then there
these they this those though to together too total two under until up use used uses using via
victim victims was we were what when where whether which while who whose will with within
without word words would you your
"""

_STOP_WORDS: Final = frozenset(_STOP_WORDS_TEXT.split())

_GENERIC_TERMS_TEXT: Final = """
above anything app apps below both each either everything following it keyword keywords list
more name names neither none nothing other others platform platforms site sites something term
terms them they website websites
"""

_GENERIC_TERMS: Final = frozenset(_GENERIC_TERMS_TEXT.split())

_OPEN_END: Final = re.compile(
    r"\betc\b\.?|\band so on\b|\bor similar\b|\band the like\b|\bor the like\b|\band similar\b|\bfor example\b"
    r"|\be\.g\.|\bsuch as\b|\b(?:or|and) (?:any )?(?:other )?(?:variants?|variations?|derivatives?|related (?:words?|terms?))\b",
    re.IGNORECASE,
)

#: What the terms are, before the first of them: "the dating apps Hinge, Bumble".
_KIND_BEFORE: Final = re.compile(
    r"(?:[a-z][\w-]* ){0,3}(?:apps?|sites?|websites?|platforms?|services?|networks?|brands?|words?|terms?) (?=[A-Z])"
)

#: "The victim was injured": a condition, and no term.
_CLAUSE: Final = re.compile(
    r"^(?:the|a|an|any|there|no)\b.*\b(?:is|are|was|were|has|have|had)\b|^by\b|^(?:where|whether|how|number of)\b",
    re.IGNORECASE,
)

_LAST_ITEM: Final = re.compile(r"[\s;,.]*(?:\b(?:and|or)\b)?[\s;,.:]*$", re.IGNORECASE)

_ALIAS: Final = re.compile(
    r"\s*\((?:(?:(?:also|sometimes|often|commonly|usually|formerly|previously|now|or)\s+)*(?:known|recorded|spel(?:t|led)|written|called|referred to|shortened|entered|described|logged)(?: (?:as|to))?(?= )|also known as|a\.?k\.?a\.?|formerly(?: known as)?|previously(?: known as)?|now(?: known as)?|or|also|"
    r"including|sometimes|abbreviated(?: to)?)?\s*(?P<name>[^()]{1,80}?)\)\s*$",
    re.IGNORECASE,
)

_MAX_PLAIN_WORDS: Final = 4

_MAX_ITEM_WORDS: Final = 6


class TermChunk(Struct, frozen=True):
    """A term in a text, as written; ``is_quoted`` if quotation marks make sure where it ends."""

    begin: int
    stop: int
    words: str
    is_quoted: bool


def read_term_list(text: str, position: int) -> list[TermChunk]:
    """The terms of the list that begins at a position of a text; none if no list does."""
    return list(_iterate_chunks(text, position))


def _iterate_chunks(text: str, position: int) -> Iterator[TermChunk]:
    while match := _CHUNK.match(text, position):
        if quoted := match["double"] or match["single"]:
            words, stop = quoted.strip(" ,.;:?!"), match.end()
        else:
            kind = _KIND_BEFORE.match(match["plain"])
            cut = kind.end() if kind else 0
            words = _cut_plain(match["plain"][cut:])
            stop = match.start("plain") + cut + len(words)
        if not words:
            return
        if quoted or not _SLASHED_NAMES.fullmatch(words):
            yield TermChunk(match.start(), stop, words, is_quoted=bool(quoted))
        else:
            begin = stop - len(words)
            for name in re.finditer(r"[^/]+", words):
                yield TermChunk(begin + name.start(), begin + name.end(), name[0], is_quoted=False)
        separator = _SEPARATOR.match(text, stop)
        if not separator:
            return
        position = separator.end()


def _cut_plain(words: str) -> str:
    """What of some words of prose is a term: up to the first word that only prose has."""
    term_words: list[str] = []
    for word in words.split(" "):
        if word.casefold().strip(".!'") in _STOP_WORDS or len(term_words) == _MAX_PLAIN_WORDS:
            break
        term_words.append(word)
    text = " ".join(term_words).rstrip(".!'")
    return "" if is_generic(text) else text


def is_generic(words: str) -> bool:
    """Whether words are about terms, and no term."""
    parts = words.casefold().split()
    return not parts or all(part in _GENERIC_TERMS or part in _STOP_WORDS for part in parts)


def find_quoted(text: str) -> list[TermChunk]:
    """Everything in quotation marks."""
    return [
        TermChunk(match.start(), match.end(), words, is_quoted=True)
        for match in re.finditer(_QUOTED, text)
        if (words := (match["double"] or match["single"]).strip(" ,.;:?!"))
    ]


def read_term_item(item: str) -> DraftTerm | None:
    """The term that an item of a list is; None for an item that is a sentence or about others."""
    text = _LAST_ITEM.sub("", item).strip()
    quoted = find_quoted(text)
    if quoted and quoted[0].begin == 0 and len(quoted) == 1 and quoted[0].stop >= len(text) - 1:
        return DraftTerm(quoted[0].words)
    aliases: tuple[str, ...] = ()
    if alias := _ALIAS.search(text):
        names = re.split(r",\s*(?:or|and)?\s*|\s+(?:or|and)\s+|\s*[/|]\s*", alias["name"])
        aliases = tuple(words for name in names if (words := name.strip(" \"'")))
        text = text[: alias.start()].strip()
    text = text.strip("\"'")
    if not text or len(text.split()) > _MAX_ITEM_WORDS or text.endswith("?") or is_generic(text):
        return None
    if _CLAUSE.search(text):
        return None
    return DraftTerm(text, aliases)


def find_open_end(text: str) -> str:
    """The words that leave a list open ("etc."), or nothing."""
    match = _OPEN_END.search(text)
    return match[0] if match else ""
