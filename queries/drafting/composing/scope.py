"""What holds for the whole request: periods, terms and offences, and where they were found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from indexer.records.offences import load_offence_table
from queries.drafting.composing.reading import ContextReading, PartReading
from queries.drafting.draft import DraftOffence, DraftPeriod, DraftTerm
from queries.drafting.phrases.breakdowns import LINKED, OTHER_OFFENCE
from queries.drafting.phrases.named_offences import NamedOffence
from queries.drafting.phrases.periods import PeriodPhrase, find_open_start
from queries.drafting.phrases.terms import TermPhrase
from queries.drafting.structure.clarifications import Clarification
from queries.drafting.structure.parts import PART_NUMBER, list_written_numbers

_REFERS_BACK: Final = re.compile(
    r"\b(?:those|these|such|the same|the above|of them|same (?:records|crimes|figure)|each (?:one|case)|they|them|the (?:results?|crimes|offences|records)|question (?:1|one)|"
    r"that (?:figure|number)|in (?:1|question)|of these)\b",
    re.IGNORECASE,
)

#: What speaks of the records of another part, and not of its words, ages or days.
_OF_OTHER_PART: Final = re.compile(
    r"\b(?:these|those|such(?! as\b)|them|they|the same|the above)\b(?!\s*:)(?!\s+(?:\w+\s+)?(?:words?|terms?|apps?|key ?words?|"
    r"phrases?|names?|platforms?|sites?|websites?|services?|networks?|ages?|bands?|groups?|years?|months?|days?|periods?|codes?)\b)"
    r"|\b(?:in|of|from|for) (?:either|both|each)\b(?=\s*(?:[.?;,]|$|of (?:these|those|them|the above)\b|\())",
    re.IGNORECASE,
)

#: "How many crimes", "the number of recorded offences".
COUNTS_RECORDS: Final = re.compile(
    r"\b(?:how many|numbers? of)(?: of)? (?:the |these |those |such )?(?:\w+ )?(?:offences?|crimes?|incidents?|records|cases|reports)\b",
    re.IGNORECASE,
)

#: The numbers of other parts: "of Q2", "questions 1 and 2", "from (c)", "as 4 above".
_PART_NUMBERS: Final = re.compile(
    rf"\b(?:Q|questions?|parts?|points?|items?)\s*\.?\s*(?P<named>{PART_NUMBER}"
    rf"(?:\s*(?:,|and|or|to|&|-)\s*(?:Q|question |part )?{PART_NUMBER})*)"
    rf"|\b(?:of|in|from|as|to|at|under|for|and|or|&)\s+(?P<bracketed>\([a-z0-9]{{1,3}}\))"
    rf"|\b(?:these|those|them|crimes|offences|victims|suspects|figures?|reports) (?:in|of|from) (?P<those>{PART_NUMBER})"
    rf"|\b(?:break|split|repeat)\s+(?P<broken>{PART_NUMBER})(?=\s+(?:down|up|by|for)\b)"
    rf"|\b(?:answers?|figures?|totals?|numbers?|results?)\s+(?:to|in|of|for|from)\s+(?P<answered>\(?\d{{1,2}}(?:\s?\([a-z]{{1,4}}\)|[a-z]{{1,4}}\b)?|[a-z])(?=\s+(?:above|by|per|for|split|broken)\b|\s*[.,;?)]|\s*$)"
    r"|\b(?:of|from|as|in)\s+(?P<letter>[a-z])(?:\.(?=\s)|\))"
    r"|(?<!\bsuch )\bas\s+(?P<same>\d{1,2}[a-z]{0,4}|[a-z][ivx]{1,4}(?=[,.;]))(?!\w)"
    rf"|\b(?:at|in)\s+(?P<plain>\d{{1,2}}[a-z]?)(?=\s+above\b|\s*[.,;?)]|\s*$)",
    re.IGNORECASE,
)

_BACKGROUND: Final = re.compile(
    r"\b(?:background|understand|campaign|dissertation|interest|concerned|believe|members|read|reported that|answer to)\b",
    re.IGNORECASE,
)


class RequestScope(Struct, frozen=True):
    """The scope of the request. ``term_home`` and ``row_home`` are the number of the part that its
    terms and its offences come from, or None if they stand outside the parts. Offences are
    ``apart`` if several parts have each their own; ``offence_home`` is the part that gave all
    of them, if a later one may be about every offence.
    """

    periods: tuple[PeriodPhrase, ...] = ()
    mentions: tuple[DraftTerm, ...] = ()
    offences: tuple[DraftOffence, ...] = ()
    named: tuple[tuple[NamedOffence, str], ...] = ()
    term_phrases: tuple[tuple[TermPhrase, str], ...] = ()
    term_home: str | None = None
    row_home: str | None = None
    is_term_home_sure: bool = True
    are_offences_apart: bool = False
    offence_home: str | None = None

    @property
    def draft_periods(self) -> tuple[DraftPeriod, ...]:
        """The periods as a draft has them."""
        return tuple(
            DraftPeriod(phrase.first, phrase.last, phrase.label) for phrase in self.periods
        )


def find_scope(context: Sequence[ContextReading], parts: Sequence[PartReading]) -> RequestScope:
    """The scope that the context and the parts give."""
    counted = [reading for reading in parts if not reading.is_gap and not reading.is_taken_back]
    mentions, term_home, is_sure, phrases = _find_mentions(context, counted)
    are_apart = _have_parts_own_offences(counted)
    first_part = () if are_apart else counted[:1]
    offences, row_home = _find_offences(context, first_part)
    named = _find_named(context, first_part, has_codes=bool(offences))
    is_of_context = any(reading.rows or reading.named for reading in context)
    has_others = (offences or named) and any(map(_stands_alone, counted[1:]))
    scope = RequestScope(
        periods=_find_periods(context, counted),
        mentions=mentions,
        offences=offences,
        named=named,
        term_phrases=phrases,
        term_home=term_home,
        row_home=row_home,
        is_term_home_sure=is_sure,
        are_offences_apart=are_apart,
        offence_home=counted[0].part.number if has_others and not is_of_context else None,
    )
    return replace(scope, named=tuple(_spell_out_groups(scope)))


def _spell_out_groups(scope: RequestScope) -> Iterator[tuple[NamedOffence, str]]:
    """The offences in words, with the codes of an offence group in its place if the other offences
    are of other groups: the letter means them all, and no record can be of both."""
    table = load_offence_table()
    codes = {code for row in list_all_rows(scope) for code in row.codes}
    groups = {table.group(code) for code in codes}
    for offence, text in scope.named:
        if offence.kind == "group" and groups and groups.isdisjoint({offence.group, None}):
            members = tuple(
                code
                for code, group in table.groups.items()
                if group == offence.group
                and not any(
                    table.groups.get(wider) == group for wider in table.path(code) if wider != code
                )
            )
            yield replace(offence, codes=members, kind="classes"), text
        else:
            yield offence, text


def _stands_alone(reading: PartReading) -> bool:
    """Whether a part counts records by itself: it names crimes or terms, and no other part."""
    if refers_to_other_part(reading) or list_part_numbers(reading) or _list_own_offences(reading):
        return False
    return bool(reading.terms.terms or COUNTS_RECORDS.search(reading.part.text))


def refers_to_other_part(reading: PartReading) -> bool:
    """Whether a part speaks of records that another part is about: "how many of these"."""
    return bool(_OF_OTHER_PART.search(reading.part.text))


def list_part_numbers(reading: PartReading) -> list[str]:
    """The numbers of other parts that a part speaks of, as it writes them: "of Q2", "from (c)"."""
    numbers = (
        number
        for match in _PART_NUMBERS.finditer(reading.part.text)
        for number in list_written_numbers(next(filter(None, match.groups())))
    )
    return [number for number in dict.fromkeys(numbers) if number != reading.part.number.casefold()]


def _have_parts_own_offences(parts: Sequence[PartReading]) -> bool:
    """Whether a later part is about offences that the first does not cover. Those of the first are
    then not the request's: within them, no record of the later part would count."""
    if not parts or not (own_offences := _list_own_offences(parts[0])):
        return False
    return any(
        not _is_covered(code, own_offences)
        for reading in parts[1:]
        if not refers_to_other_part(reading) and not list_part_numbers(reading)
        for code in _list_own_offences(reading)
    )


def _list_own_offences(reading: PartReading) -> set[str]:
    """The codes and offence groups that a part counts, in codes or in words."""
    text = reading.part.text
    if LINKED.search(text) or OTHER_OFFENCE.search(text) or "offence_group" in reading.breakdowns:
        return set()
    own_offences = {code for row in reading.rows for code in row.codes}
    for offence in reading.named:
        own_offences |= {offence.group} if offence.group else set(offence.codes)
    return own_offences


def _is_covered(code: str, own_offences: set[str]) -> bool:
    table = load_offence_table()
    return bool(own_offences & {*table.path(code), table.groups.get(code, code)})


def _find_periods(
    context: Sequence[ContextReading], parts: Sequence[PartReading]
) -> tuple[PeriodPhrase, ...]:
    """The periods of the context, or else of the first part that has some. A context may give them
    in several sentences."""
    distinct: dict[tuple[object, object], PeriodPhrase] = {}
    for reading in context:
        for phrase in reading.periods:
            distinct.setdefault((phrase.first, phrase.last), phrase)
    if distinct:
        return tuple(distinct.values())
    for part_reading in parts:
        if part_reading.periods or find_open_start(part_reading.part.text):
            return part_reading.periods  # none if the day on which they end is not known
    return ()


def _find_mentions(
    context: Sequence[ContextReading], parts: Sequence[PartReading]
) -> tuple[tuple[DraftTerm, ...], str | None, bool, tuple[tuple[TermPhrase, str], ...]]:
    """The terms of the context; without any, those of the first part, if others refer back to it or
    nothing else limits the request."""
    phrases = [(reading.terms, reading.text) for reading in context if reading.terms.terms]
    terms = _join_terms([phrase for phrase, _ in phrases])
    if terms:
        return terms, None, True, tuple(phrases)
    if not parts or not parts[0].terms.terms:
        return (), None, True, ()
    first, others = parts[0], parts[1:]
    refers = [bool(_REFERS_BACK.search(later_part.part.whole_text)) for later_part in others]
    has_offences = any(reading.rows for reading in context) or any(
        reading.named for reading in context
    )
    phrase = ((first.terms, first.part.whole_text),)
    if has_offences and not any(refers):
        return (), None, True, ()
    has_others = any(
        later_part.terms.terms and not refers_back and not later_part.terms.refers
        for later_part, refers_back in zip(others, refers, strict=True)
    )
    has_own_count = any(
        COUNTS_RECORDS.search(later_part.part.text) or _list_own_offences(later_part)
        for later_part, refers_back in zip(others, refers, strict=True)
        if not refers_back
    )
    is_sure = not has_offences and (all(refers) or not (has_others or has_own_count))
    return first.terms.terms, first.part.number, is_sure, phrase


def _join_terms(phrases: Sequence[TermPhrase]) -> tuple[DraftTerm, ...]:
    """The terms of several passages, each once; the fullest of one term."""
    distinct: dict[str, DraftTerm] = {}
    for phrase in phrases:
        for term in phrase.terms:
            key = term.term.casefold()
            if key not in distinct or term.required:
                distinct[key] = term
    return tuple(distinct.values())


def _find_offences(
    context: Sequence[ContextReading], parts: Sequence[PartReading]
) -> tuple[tuple[DraftOffence, ...], str | None]:
    """The rows of the context and of what leads to parts, or else of the part that speaks for all."""
    rows = {row.codes: row for reading in reversed(context) for row in reading.rows}
    ordered = [
        row for reading in context for row in reading.rows if rows.get(row.codes) is not None
    ]
    distinct = {row.codes: row for row in ordered}
    if distinct:
        return tuple(distinct.values()), None
    for reading in parts:
        if reading.rows and not LINKED.search(reading.part.text):
            return reading.rows, reading.part.number
    return (), None


def _find_named(
    context: Sequence[ContextReading], parts: Sequence[PartReading], *, has_codes: bool
) -> tuple[tuple[NamedOffence, str], ...]:
    """The offences in words, each with the sentence that it stands in. Where the letter names
    codes for all parts, words in the context only describe them."""
    entries: dict[str, tuple[NamedOffence, str]] = {}
    if not has_codes:
        for passage in context:
            limits = passage.periods or passage.terms.terms
            if limits or not _BACKGROUND.search(passage.text):
                for offence in passage.named:
                    entries.setdefault(offence.words.casefold(), (offence, passage.text))
    for reading in parts:
        if "offence_group" not in reading.breakdowns:
            for offence in reading.named:
                entries.setdefault(offence.words.casefold(), (offence, reading.part.whole_text))
    return tuple(entries.values())


def list_all_rows(scope: RequestScope) -> list[DraftOffence]:
    """The rows of codes, and behind them those of offences in words that are drafted; what an
    earlier row has is not repeated."""
    rows = list(scope.offences)
    for offence, _ in scope.named:
        codes = {code for row in rows for code in row.codes}
        if is_drafted(offence) and not set(offence.codes) <= codes:
            rows.append(DraftOffence(offence.codes, offence.words))
    return rows


def is_drafted(offence: NamedOffence) -> bool:
    """Whether the codes of an offence in words stand in the draft until they are confirmed."""
    return bool(offence.codes) and offence.kind not in ("flag", "none", "fraud", "outcome")


def apply_clarification(scope: RequestScope, change: Clarification) -> RequestScope:
    """The scope with other periods, days and terms."""
    periods = change.periods or scope.periods
    if periods and (change.first_day or change.last_day):
        first = change.first_day or min(phrase.first for phrase in periods)
        last = change.last_day or max(phrase.last for phrase in periods)
        kept_periods = [
            phrase for phrase in periods if phrase.first <= last and phrase.last >= first
        ]
        periods = tuple(
            replace(
                phrase,
                first=max(phrase.first, first),
                last=last
                if phrase is kept_periods[-1] and len(kept_periods) == 1
                else min(phrase.last, last),
                label="",
                doubt="",
            )
            for phrase in kept_periods
        )
    dropped = {words.casefold() for words in change.dropped_terms}
    mentions = tuple(
        term for term in change.terms or scope.mentions if term.term.casefold() not in dropped
    )
    known_keys = {term.term.casefold() for term in mentions}
    extra = tuple(term for term in change.extra_terms if term.term.casefold() not in known_keys)
    home = None if change.terms else scope.term_home
    return replace(scope, periods=periods, mentions=(*mentions, *extra), term_home=home)


def find_victim(context: Sequence[ContextReading]) -> dict[str, Any]:
    """What a victim must be in the whole request; empty if the context says nothing of it."""
    victim: dict[str, Any] = {}
    for reading in context:
        victim |= reading.victim
    return victim
