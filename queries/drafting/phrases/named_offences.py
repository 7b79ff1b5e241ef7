"""Finds offences that a text names in words, by the table of names and the titles of codes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from msgspec import Struct
from rapidfuzz import fuzz, process

from indexer.records.offences.active import load_offence_table
from indexer.records.offences.facts import CommonName, load_common_names

_MIN_SIMILARITY: Final = 90

_MIN_TITLE_LENGTH: Final = 12

_NOUN: Final = r"(?:offences?|crimes?|incidents?|cases?|reports?)"

#: Words before and after a name that make it an offence which is counted.
_CONTEXTS: Final = (
    re.compile(
        rf"\b{_NOUN}\s+(?:of|under|for|involving)\s+(?:the\s+offence\s+of\s+|engaging in\s+)?"
        r"(?P<name>[a-z][a-z' -]{2,70})",
        re.IGNORECASE,
    ),
    re.compile(rf"\b(?P<name>[a-z][a-z'-]*(?:\s+[a-z][a-z'-]*){{0,4}})\s+{_NOUN}\b", re.IGNORECASE),
    re.compile(
        r"\b(?:were|was|classed as|recorded as)\s+(?P<name>[a-z][a-z'-]*(?:\s+[a-z][a-z'-]*){0,3})",
        re.IGNORECASE,
    ),
    re.compile(
        r"\b(?:how many|number of|total|recorded|all)\s+(?P<name>[a-z][a-z'-]*(?:\s+[a-z][a-z'-]*){0,3})",
        re.IGNORECASE,
    ),
)


#: Words without a mark between them that would part two names, and without quotation marks.
_WORDS: Final = re.compile(r"(?<![\w\"'])[a-z][a-z' -]*(?![\w\"])", re.IGNORECASE)

#: What stands before terms: names behind it are words to search for.
_TERM_VERB: Final = re.compile(
    r"\b(?:mention|contain|refer|includ|search|describ|key ?word|free[- ]text)|\bthe (?:words?|terms?|phrases?)\b",
    re.IGNORECASE,
)


class NamedOffence(Struct, frozen=True):
    """An offence in words. ``is_certain`` if the words are the title of its one code.

    ``kind`` is what the table of names says of it ("class", "flag", "none" ...), or "group" for a
    whole offence group, named ``group``. ``others`` are narrower codes that may be meant instead.
    """

    words: str
    codes: tuple[str, ...]
    kind: str
    is_certain: bool = False
    group: str = ""
    others: tuple[str, ...] = ()


def find_named_offences(text: str) -> list[NamedOffence]:
    """The offences that a text asks about in words, in their order, each once."""
    offences: dict[str, NamedOffence] = {}
    spans: list[tuple[int, int]] = []
    matches = sorted(
        (match for context in _CONTEXTS for match in context.finditer(text)),
        key=lambda match: match.start("name"),
    )
    for match in matches:
        for begin, stop, offence in _match_names(match["name"], match.start("name")):
            if any(begin < other_stop and other_begin < stop for other_begin, other_stop in spans):
                continue
            spans.append((begin, stop))
            offences.setdefault(offence.words.casefold(), offence)
    for begin, stop, offence in _find_companions(text, spans):
        spans.append((begin, stop))
        offences.setdefault(offence.words.casefold(), offence)
    places = {text[begin:stop].casefold(): begin for begin, stop in reversed(spans)}
    return sorted(offences.values(), key=lambda offence: places[offence.words.casefold()])


def _find_companions(
    text: str, spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int, NamedOffence]]:
    """The names that stand beside those found, in the same sentence and in front of its terms."""
    taken = bytearray(len(text))
    for begin, stop in spans:
        taken[begin:stop] = b"\1" * (stop - begin)
    for begin, stop in _list_sentences(text):
        first = taken.find(1, begin, stop)
        if first < 0:
            continue
        trigger = _TERM_VERB.search(text, first, stop)
        for words in _WORDS.finditer(text, begin, trigger.start() if trigger else stop):
            yield from _match_free(words[0], words.start(), taken)


def _list_sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in re.finditer(r"[.?!]\s+|\n|$", text):
        yield start, match.start()
        start = match.end()


def _match_free(
    phrase: str, start: int, taken: bytearray
) -> Iterator[tuple[int, int, NamedOffence]]:
    """Every name in a phrase, the longest at each place, but where a character is taken."""
    words = list(re.finditer(r"[A-Za-z']+(?:-[A-Za-z']+)*", phrase))
    first = 0
    while first < len(words):
        for length in range(min(len(words) - first, 8), 0, -1):
            begin = start + words[first].start()
            stop = start + words[first + length - 1].end()
            if any(taken[begin:stop]):
                continue
            if offence := _look_up(phrase[begin - start : stop - start]):
                yield begin, stop, offence
                first += length - 1
                break
        first += 1


def _match_names(phrase: str, start: int) -> Iterator[tuple[int, int, NamedOffence]]:
    """The longest name at some place of a phrase, with where it stands in the text."""
    words = list(re.finditer(r"[A-Za-z']+(?:-[A-Za-z']+)*", phrase))
    for look_up in (_look_up, _look_up_similar):
        for length in range(min(len(words), 8), 0, -1):
            for first in range(len(words) - length + 1):
                begin, stop = words[first].start(), words[first + length - 1].end()
                if offence := look_up(phrase[begin:stop]):
                    yield start + begin, start + stop, offence
                    return


@cache
def _look_up(words: str) -> NamedOffence | None:
    """The offence that exactly these words name, in the singular or the plural."""
    for folded in _list_singulars(words):
        if group := _index_groups().get(folded):
            return NamedOffence(words, (), "group", group=group)
        if name := _index_names().get(folded):
            return _describe_name(words, folded, name)
        if codes := _GENERAL_NAMES.get(folded):
            return NamedOffence(words, _keep_known(codes), "mixed")
        titled = _index_titles().get(folded, ())
        if titled and len(folded) >= _MIN_TITLE_LENGTH:
            return NamedOffence(words, titled, "title")
    return None


@cache
def _look_up_similar(words: str) -> NamedOffence | None:
    """The offence that the words name but for typing errors, if they are long enough."""
    [folded, *_] = _list_singulars(words)
    if len(folded) < _MIN_TITLE_LENGTH:
        return None
    names = _index_names()
    closest = process.extractOne(
        folded, list(names), scorer=fuzz.ratio, score_cutoff=_MIN_SIMILARITY
    )
    return _describe_name(words, "", names[closest[0]]) if closest else None


def _describe_name(words: str, folded: str, name: CommonName) -> NamedOffence:
    """An offence by its name. Its own codes first: the classes of a class, else the narrow ones."""
    narrow, wide = _keep_known(name.subcodes), _keep_known(name.classes)
    codes = wide or narrow if name.kind in ("class", "flag") else narrow or wide
    is_title = len(codes) == 1 and name.certainty == "seen" and _is_in_title(folded, codes[0])
    others = tuple(code for code in narrow if code not in codes) if codes == wide else ()
    return NamedOffence(
        words, codes, name.kind, is_certain=is_title and name.kind == "subcode", others=others
    )


def _is_in_title(folded: str, code: str) -> bool:
    """Whether some words are those of the title of a code, so that no other can be meant."""
    title_words = load_offence_table().title(code).casefold().replace("-", " ").split()
    words = folded.split()
    return len(words) > 1 and all(word in title_words for word in words)


def _list_singulars(words: str) -> list[str]:
    """The words without capitals and hyphens, as they are and without a plural ending."""
    folded = " ".join(words.casefold().replace("-", " ").split())
    singulars = [folded]
    if folded.endswith("ies"):
        singulars.append(f"{folded[:-3]}y")
    if folded.endswith("s"):
        singulars.append(folded[:-1])
    return singulars


def _keep_known(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(load_offence_table().has_code, codes))


@cache
def _index_names() -> dict[str, CommonName]:
    if load_offence_table().scheme == "own":
        return {}
    return {
        " ".join(name.name.casefold().replace("-", " ").split()): name
        for name in load_common_names()
    }


@cache
def _index_titles() -> dict[str, tuple[str, ...]]:
    """The codes by title. Among codes of one title, categories are left out: a class has it."""
    codes: dict[str, list[str]] = {}
    for code, title in load_offence_table().titles.items():
        codes.setdefault(" ".join(title.casefold().replace("-", " ").split()), []).append(code)
    return {title: tuple(entries) for title, entries in codes.items()}


@cache
def _index_groups() -> dict[str, str]:
    groups = {group.casefold(): group for group in set(load_offence_table().groups.values())}
    short = {name: group for name, group in _SHORT_GROUPS.items() if group in groups.values()}
    return groups | short


#: What groups are called for short.
_SHORT_GROUPS: Final[dict[str, str]] = {
    "theft": "Theft offences",
    "drug offence": "Drug offences",
    "public order": "Public order offences",
    "violent crime": "Violence against the person",
    "violent offence": "Violence against the person",
    "weapons offence": "Possession of weapons offences",
    "sexual offence": "Sexual offences",
}

#: Names of whole families of classes that no class has by itself.
_GENERAL_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "burglary": ("28", "29", "30", "31"),
    "robbery": ("34A", "34B"),
    "sexual assault": ("17A", "17B", "20A", "20B"),
    "criminal damage": ("58A", "58B", "58C", "58D"),
    "theft from the person": ("39",),
    "homicide": ("1/4.1/4.10/4.2",),
    "murder": ("1",),
}
