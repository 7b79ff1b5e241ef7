"""Finds the terms that a text wants searched for, and what holds for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from queries.drafting.draft import DraftTerm
from queries.drafting.phrases.bands import find_bands
from queries.drafting.phrases.breakdowns import SEPARATELY
from queries.drafting.phrases.codes import find_codes
from queries.drafting.phrases.date_tokens import find_date_tokens
from queries.drafting.phrases.named_offences import find_named_offences
from queries.drafting.phrases.plain_text import NUMBER_PATTERN, look_around, read_number
from queries.drafting.phrases.term_lists import (
    TermChunk,
    find_open_end,
    find_quoted,
    is_generic,
    read_term_item,
    read_term_list,
)
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, find_term_problems

_NOUNS: Final = (
    r"(?:key ?words?|words?|terms?|phrases?|names?|search terms?|hashtags?|expressions?)"
)

_FILLER: Final = (
    r"(?:\s*(?:any|one|either|each|all|at least|or more|of|the|these|those|following|two|three|four|five|"
    rf"terms?|only|a|an|{_NOUNS}|[:-])(?=[\s:\"'-]))*[\s:-]*"
)

_VERBS: Final = (
    r"(?:mention(?:s|ed|ing)?|contain(?:s|ed|ing)?|referenc(?:e|es|ed|ing)|refer(?:s|red|ring)?\s+to|"
    r"references?\s+to|includ(?:e|es|ed|ing)|say(?:s|ing)?|stat(?:e|es|ing)|nam(?:e|es|ing)|featur(?:e|es|ing)|described as|"
    r"search(?:ed|ing)?\b[^.?;]{0,60}?\bfor)"
)

#: What is done to the names of people before a text is given out.
_HIDDEN: Final = r"(?:redact|remov|withheld|anonymi[sz]|hidden|delet|blank|pseudonymi[sz]|mask|cut out|taken out)"

#: Words behind which what stands in small letters is a term for certain: "names" is no such word.
_TERM_WORDS: Final = r"(?:key ?words?|words?|terms?|phrases?|search terms?|hashtags?|expressions?)"

#: "The words X and Y", "contain the term X": a list follows, whatever it looks like.
_NOUN_TRIGGER: Final = re.compile(
    rf"\b(?P<noun>{_NOUNS})\b(?!\s+(?:are |being |were )?{_HIDDEN})(?:\s+(?:like|such as|being|are|is|as))?\s*[:-]?\s*",
    re.IGNORECASE,
)

#: "Mention X": a list follows if it is quoted, or looks like names.
_VERB_TRIGGER: Final = re.compile(
    rf"\b(?:also\s+)?{_VERBS}\b(?!\s+{_HIDDEN})(?:\s+(?:also|both|neither))?{_FILLER}",
    re.IGNORECASE,
)

#: "Involve X, Y or Z": a list follows if it is one of names; that they are terms is not certain.
_INVOLVE_TRIGGER: Final = re.compile(r"\binvolv(?:e|es|ed|ing)\s+(?:the\s+)?(?=[A-Z\"'])")

#: Where a list may begin that "in the free text" or "is mentioned" follows.
_BACK_START: Final = re.compile(
    r"\b(?:with|where|which|that|mention of|a|an|any|of)\s+(?=[\w\"'])", re.IGNORECASE
)

#: "X in the free text", "X is mentioned": a list comes before.
_BACK_TRIGGER: Final = re.compile(
    r"\s+(?:(?:is|are|was|were)\s+(?:mentioned|named|"
    r"referred to|recorded in the (?:text|record)|in the (?:text|record|report|log))|"
    r"(?:appears?|appeared|comes? up|occurs?|features?)\b|in (?:the |their )?(?:free[- ]text|narrative|record|crime report|report|log|MO|notes?)\b|"
    r"plays? a part)",
    re.IGNORECASE,
)

_ANY_TRIGGER: Final = re.compile(
    rf"\b{_NOUNS}\b|\b{_VERBS}\b|\bfree[- ]text\b|\b(?:appears?|comes? up|mentioned|named|keyword|described as)\b"
    r"|\bnarratives?\b|\bmodus operandi\b|\bin (?:the|their) (?:text|records?|reports?|logs?|notes?|MO|summar(?:y|ies)|descriptions?)\b"
    r"|\b(?:had|has|have|using|via|through|involv\w+|about)\s+(?:the\s+|an?\s+)?\"",
    re.IGNORECASE,
)

_SAME: Final = re.compile(
    r"\b(?:same thing|the same|as one|treated as|interchangeabl[ey]|count(?:ed)? (?:as|together))\b",
    re.IGNORECASE,
)

_EXCLUSION: Final = re.compile(
    r"(?:\bbut not\b|\bnot\b(?= including| the (?:word|term)s?|\s*[\"'])|\bexcluding\b|\bexcept(?: for)?\b|\bother than\b|\bwithout\b"
    rf"(?= the {_NOUNS})|\bnot (?:count|includ)\w*|\bleav(?:e|ing) out\b|\bignor(?:e|ing)\b)\s*(?:the )?(?:{_NOUNS}\s+)?",
    re.IGNORECASE,
)

#: Where anything in quotation marks is left out: "exclude any crime that was "no-crimed"".
_EXCLUDING_CLAUSE: Final = re.compile(
    r"\b(?:exclud(?:e|es|ed|ing)|leav(?:e|ing) out|omit(?:s|ted|ting)?|disregard(?:ing)?|ignor(?:e|ing)|not counting|with the exception of|apart from|other than|without (?:mention\w*|contain\w*|referring to|the (?:words?|terms?))|(?:do|does|did) not (?:count|include|mention|contain|refer to))\b"
    r"(?:\"[^\"\n]{0,100}\"|(?!\b(?:how many|and (?:please|also)|but (?:please|count|include|do))\b)[^.;?\n\"]){0,200}",
    re.IGNORECASE,
)

_DISTANCE: Final = re.compile(
    rf"\bwithin\s+(?P<count>{NUMBER_PATTERN})\s+words?\s+of\s+(?:the\s+)?(?:{_NOUNS}\s+)?[\"']?(?!each other|one another)(?P<other>[\w-]+(?: [\w-]+)?)[\"']?",
    re.IGNORECASE,
)

#: A distance that no term follows, and that cannot be drafted.
_OPEN_DISTANCE: Final = re.compile(
    rf"\bwithin\s+{NUMBER_PATTERN}\s+words?\b(?:\s+of\s+(?:each other|one another)|(?!\s+of\b))"
    rf"|\b{NUMBER_PATTERN}\s+words?\s+(?:apart|away|from|between|before|after)\b",
    re.IGNORECASE,
)

_NEAR_TERM: Final = re.compile(
    r"(?:\"(?P<quoted>[^\"\n]{1,60})\"|\b(?!(?:is|are|appears?|comes?|found|used|that)\b)(?P<plain>[^\W\d_][\w-]*))"
    rf"\s+(?:(?:is|are|appears?|comes?|found|used)\s+){{0,2}}within\s+{NUMBER_PATTERN}\s+words?\s+of\b",
    re.IGNORECASE,
)

#: Verbs behind which a word in small letters may be a term too.
_STRONG_VERB: Final = re.compile(
    r"(?:also\s+)?(?:mention|contain|refer|search|described)", re.IGNORECASE
)

_ONLY_WITH: Final = (
    re.compile(
        r"\bonly\s+(?:count|include|counting|want)\s+[\"']?(?P<term>[\w.-]+(?: [\w.-]+)?)[\"']?\s+(?:if|where|when)\s+(?:the\s+)?"
        rf"(?:record\s+)?(?:also\s+)?(?:has\s+|mentions\s+|contains\s+)?(?:the\s+)?(?:{_NOUNS}\s+)?[\"']?(?P<other>[\w.-]+)[\"']?",
        re.IGNORECASE,
    ),
    re.compile(
        rf"[\"']?(?P<term>[\w.-]+)[\"']?\s*\(?\s*(?:but\s+)?only\s+(?:if|with|where|when|together with|alongside)\s+(?:the\s+)?"
        rf"(?:record\s+)?(?:also\s+)?(?:has\s+|mentions\s+|contains\s+)?(?:the\s+)?(?:{_NOUNS}\s+)?[\"']?(?P<other>[\w.-]+)[\"']?",
        re.IGNORECASE,
    ),
)

_CLAUSE_END: Final = re.compile(r"\s*(?:[.?!;,):]|$)")

#: What stands before the word for what a list holds.
_LISTED_KIND: Final = re.compile(
    r"\b(?:following|these|those|listed)\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)

#: "A" or "B" and "C": which of them belong together is not certain.
_MIXED: Final = re.compile(
    r"\"[^\"\n]{1,60}\"(?:\s*,\s*\"[^\"\n]{1,60}\"){0,20}\s*,?\s+(?P<link>and|or)\s+\"[^\"\n]{1,60}\"\s+(?!(?P=link))(?:and|or)\s+\"",
    re.IGNORECASE,
)

#: The last two of some terms, which "and" joins: whether all must stand in one record, or each is
#: to be counted, is not certain.
_AND_JOINED: Final = re.compile(
    r"\s(?:both\s+)?(?:the \w+ )?(?P<one>\"[^\"\n]{1,60}\"|(?-i:[A-Z])[\w-]*)\s+(?:and|&|as well as|together with|along with|plus)\s+(?:also\s+|either\s+)?(?:the \w+ )?(?P<two>\"[^\"\n]{1,60}\"|(?-i:[A-Z])[\w-]*)(?!\s*(?:,|and\b|or\b|&))",
    re.IGNORECASE,
)

#: "But "kitchen" does not", "and "kitchen" is not mentioned".
_NOT_BEHIND: Final = re.compile(
    r"(?:does|do|did|is|are|was|were|has|have)(?:\s+not|n't)\b", re.IGNORECASE
)

_REFERENCE: Final = re.compile(
    rf"\b(?:any|each|either|both|all|more than one|two or more|one or more|several|one|those|these|that|the same)\b(?: of)?(?: the| those| these)?(?: (?:two|three|four|five|six|same|above|\d+))?"
    rf"\s+(?:{_NOUNS}|apps?|platforms?|sites?|websites?|services?|networks?)\b|\bthe (?:two|three|four|five|same) {_NOUNS}\b",
    re.IGNORECASE,
)


class TermPhrase(Struct, frozen=True):
    """The terms of a text, in order. ``unsure`` are the ones that stand in prose without quotation
    marks or a word such as "term"; ``excluded`` are words that a record must not have; ``wild``
    are terms with a wildcard, as written. ``open_end`` are words such as "etc.". ``are_same`` if
    the text calls them one thing; ``refers`` if it speaks of terms that stand elsewhere, and
    ``is_mixed`` if "and" and "or" stand between terms of one list; they ``are_and_joined`` if "and"
    stands before the last.
    """

    terms: tuple[DraftTerm, ...] = ()
    unsure: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    wild: tuple[str, ...] = ()
    unread_items: tuple[str, ...] = ()
    open_end: str = ""
    are_same: bool = False
    refers: bool = False
    has_neither: bool = False
    is_mixed: bool = False
    are_and_joined: bool = False


def find_terms(text: str, items: Sequence[str] = ()) -> TermPhrase:
    """The terms of a text and of the list below it."""
    excluded = _find_excluded(text)
    involved = {chunk for chunk in _find_involved(text) if not chunk.is_quoted}
    chunks = [chunk for chunk in _find_chunks(text) if not _is_inside(chunk, excluded)]
    listed = [(item, read_term_item(item)) for item in items]
    terms = [
        *(DraftTerm(chunk.words) for chunk in chunks),
        *(term for _, term in listed if term),
    ]
    terms = _apply_conditions(text, _add_near_terms(text, terms))
    wild = tuple(term.term for term in terms if "*" in term.term)
    plain = [replace(term, term=term.term.replace("*", "").strip(" -")) for term in terms]
    distinct_terms = _drop_repeats(term for term in plain if _is_term(term))
    unread = [item for item, term in listed if term is None]
    unread += [term.term for term in plain if not _is_term(term)]
    unread += [match[0] for match in _OPEN_DISTANCE.finditer(text)]
    unread += [match[0] for match in [*_DISTANCE.finditer(text)][1:]]
    return TermPhrase(
        terms=tuple(distinct_terms),
        unsure=tuple(
            chunk.words for chunk in chunks if chunk in involved or _is_unsure(text, chunk)
        ),
        excluded=tuple(chunk.words for chunk in excluded),
        wild=wild,
        unread_items=tuple(dict.fromkeys(unread)),
        open_end=find_open_end(text) if terms else "",
        are_same=bool(_SAME.search(text)) and len(distinct_terms) > 1,
        is_mixed=bool(_MIXED.search(text)),
        are_and_joined=len(distinct_terms) > 1 and bool(_AND_JOINED.search(text)),
        refers=bool(_REFERENCE.search(text)),
        has_neither=bool(
            re.search(r"\bneither\b|\bnone of (?:them|these|those|the)\b", text, re.IGNORECASE)
        ),
    )


def cover_terms(text: str) -> str:
    """The text without the terms that ``find_terms`` takes from it."""
    for chunk in sorted(_find_chunks(text), key=lambda chunk: -chunk.begin):
        text = f"{text[: chunk.begin]} {text[chunk.stop :]}"
    return text


def speaks_of_terms(text: str) -> bool:
    """Whether a text has a word that terms follow."""
    return bool(_ANY_TRIGGER.search(text))


def _find_chunks(text: str) -> list[TermChunk]:
    """Every term of a text, in order, each stretch of the text once."""
    chunks: list[TermChunk] = []
    is_of_terms = _ANY_TRIGGER.search(text) or _SAME.search(text) or SEPARATELY.search(text)
    if is_of_terms:
        chunks += [chunk for chunk in find_quoted(text) if _is_quoted_term(text, chunk)]
    chunks += [*_find_behind_words(text), *_find_involved(text), *_find_in_front(text)]
    distinct: list[TermChunk] = []
    for chunk in sorted(chunks, key=lambda chunk: (not chunk.is_quoted, chunk.begin)):
        if all(
            chunk.stop <= companion.begin or companion.stop <= chunk.begin for companion in distinct
        ):
            distinct.append(chunk)
    return sorted(
        (chunk for chunk in distinct if not _is_other_thing(text, chunk)),
        key=lambda chunk: chunk.begin,
    )


def _find_behind_words(text: str) -> list[TermChunk]:
    """The lists behind words such as "term" and "mention"."""
    chunks: list[TermChunk] = []
    for trigger in _NOUN_TRIGGER.finditer(text):
        new_chunks = read_term_list(text, trigger.end())
        is_several = trigger["noun"].casefold().endswith("s") and not trigger[0].rstrip().endswith(
            ":"
        )
        if len(new_chunks) > 1 or not is_several or _look_like_names(new_chunks):
            chunks += new_chunks
    for trigger in _VERB_TRIGGER.finditer(text):
        new_chunks = read_term_list(text, trigger.end())
        if (new_chunks and (_look_like_names(new_chunks) or len(new_chunks) > 1)) or (
            new_chunks and _ends_soon(text, new_chunks[-1].stop)
        ):
            chunks += new_chunks
    return chunks


def _find_involved(text: str) -> list[TermChunk]:
    """The names that offences are said to involve."""
    chunks: list[TermChunk] = []
    for trigger in _INVOLVE_TRIGGER.finditer(text):
        new_chunks = read_term_list(text, trigger.end())
        if len(new_chunks) > 1 and _look_like_names(new_chunks):
            chunks += new_chunks
    return chunks


def _find_in_front(text: str) -> list[TermChunk]:
    """The lists that "in the free text" and the like stand behind."""
    chunks: list[TermChunk] = []
    for start in _BACK_START.finditer(text):
        new_chunks = read_term_list(text, start.end())
        if new_chunks and _BACK_TRIGGER.match(text, new_chunks[-1].stop):
            chunks += new_chunks
    return chunks


def _look_like_names(chunks: Iterable[TermChunk]) -> bool:
    return all(
        chunk.is_quoted or chunk.words[0].isupper() or chunk.words[0].isdigit() for chunk in chunks
    )


def _ends_soon(text: str, position: int) -> bool:
    """Whether a sentence or a clause ends where a term does."""
    return bool(_CLAUSE_END.match(text, position))


def _is_unsure(text: str, chunk: TermChunk) -> bool:
    """Whether only a verb before it makes it a term, and nothing in its looks does."""
    if chunk.is_quoted or chunk.words[0].isupper():
        return False
    before, _ = look_around(text, chunk.begin, chunk.stop)
    return not re.search(rf"\b{_TERM_WORDS}\b[^.?]*$|[:-]\s*[^.?]*$", before, re.IGNORECASE)


def _is_quoted_term(text: str, chunk: TermChunk) -> bool:
    """Whether something in quotation marks is a term: no code, band, definition or title."""
    before, after = look_around(text, chunk.begin, chunk.stop)
    if re.search(r"\bthe (?:word|term|phrase)s?\s*$", before, re.IGNORECASE):
        return True
    if re.search(
        r"\b(?:outcomes?|disposals?|status)(?: types?)?(?: (?:was|were|is|are|of|being))?\s*:?\s*$",
        before,
    ):
        return False
    is_of_offences = re.match(r"\s+(?:offences?|crimes?)\b", after)
    if is_of_offences and find_named_offences(f"{chunk.words.casefold()} offences"):
        return False
    is_definition = re.match(r"the [A-Z]", chunk.words) or re.match(
        r"\s*(?:means?|shall mean|refers to)\b", after
    )
    return not is_definition


def _is_other_thing(text: str, chunk: TermChunk) -> bool:
    """Whether a chunk is an age band, an offence code, a bare number or talk about terms."""
    words = chunk.words
    if is_generic(words) or words.isdecimal():
        return True
    is_date = any(token.stop - token.begin == len(words) for token in find_date_tokens(words))
    if is_date and not chunk.is_quoted:
        return True  # "up to and including 31 March 2019"
    before, after = look_around(text, chunk.begin, chunk.stop)
    if not chunk.is_quoted and _LISTED_KIND.search(before) and re.match(r"\s*:", after):
        return True  # "any of the following breeds:"
    bands = find_bands(f"aged {words}")
    if bands and re.search(r"\bage|\bband", text, re.IGNORECASE) and len(words.split()) <= 4:
        return True
    codes = find_codes(f"code {words}")
    return bool(codes) and codes[0].words == words and bool(re.search(r"\d", words))


def _find_excluded(text: str) -> list[TermChunk]:
    chunks: list[TermChunk] = []
    for match in _EXCLUSION.finditer(text):
        chunks += [chunk for chunk in read_term_list(text, match.end()) if speaks_of_terms(text)]
    quoted = find_quoted(text)
    for match in _EXCLUDING_CLAUSE.finditer(text):
        chunks += [
            chunk
            for chunk in quoted
            if match.start() < chunk.begin < match.end() and not _is_inside(chunk, chunks)
        ]
    chunks += [
        chunk
        for chunk in quoted
        if _NOT_BEHIND.match(text[chunk.stop :].lstrip()) and not _is_inside(chunk, chunks)
    ]
    return chunks


def _is_inside(chunk: TermChunk, others: Iterable[TermChunk]) -> bool:
    return any(
        chunk.begin < companion.stop and companion.begin < chunk.stop for companion in others
    )


def _add_near_terms(text: str, terms: Sequence[DraftTerm]) -> list[DraftTerm]:
    """The terms, with the one that stands before "within five words of" where no other rule has it."""
    names = {term.term.casefold() for term in terms}
    match = _NEAR_TERM.search(text)
    words = (match["quoted"] or match["plain"]) if match else ""
    return [*terms, DraftTerm(words)] if words and words.casefold() not in names else list(terms)


def _apply_conditions(text: str, terms: list[DraftTerm]) -> list[DraftTerm]:
    """The terms with what must stand beside them, which is then no term of its own."""
    company: dict[str, tuple[str, int | None]] = {}
    for pattern in _ONLY_WITH:
        for match in pattern.finditer(text):
            company.setdefault(match["term"].casefold(), (match["other"], None))
    if distance_match := _DISTANCE.search(text):
        distance = (distance_match["other"], read_number(distance_match["count"]))
        for term in terms:
            if term.term.casefold() != distance_match["other"].casefold():
                company.setdefault(term.term.casefold(), distance)
    required = {companion.casefold() for companion, _ in company.values()}
    conditioned = []
    for term in terms:
        key = term.term.casefold()
        if key in company and company[key][0].casefold() != key:
            conditioned.append(replace(term, required=(company[key],)))
        elif key not in required:
            conditioned.append(term)
    return conditioned


def _drop_repeats(terms: Iterable[DraftTerm]) -> list[DraftTerm]:
    """Each term once, as it is first written; a later one may say what it must stand beside."""
    distinct: dict[str, DraftTerm] = {}
    for term in terms:
        key = term.term.casefold()
        if key not in distinct or (term.required and not distinct[key].required):
            distinct[key] = term
    return list(distinct.values())


def _is_term(term: DraftTerm) -> bool:
    """Whether a request file takes a term: the matching rule has to be able to find it."""
    required = tuple(CooccurrenceSpec(companion, distance) for companion, distance in term.required)
    spec = TermSpec(term.term, aliases=term.aliases, cooccurrences=required)
    return not any(find_term_problems((spec,), "", repeats=True))
