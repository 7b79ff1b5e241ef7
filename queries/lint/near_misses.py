"""Near misses in the index: found in samples of records, and then counted.

``queries.matching.near_miss`` decides what is near a term. What a phrase can find is counted by the
server, exactly. What the matching rule cuts apart ("U.S.A.", a page break) no phrase can find: its
records are those that were read, and the sample's coverage says if there may be more.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from elasticsearch.dsl.query import Query, Range, Terms
from msgspec import Struct

from queries.lint.findings import NearMiss, SampleCoverage
from queries.matching.highlight import narrative_from_source
from queries.matching.near_miss import BROKEN_KINDS, NearMissForm, NearMissKind, NearMissMatcher
from queries.matching.term import Term, build_term_query, parse_term
from queries.search.sealed import SealedGeneration
from queries.tables.scope import Mention, all_of, any_of, none_of

#: The most near misses of a term that are counted.
MAX_COUNTED: Final = 50

# What a phrase finds in the near miss itself, but not in the other forms of a term.
_AS_WRITTEN_KINDS: Final = frozenset(
    {NearMissKind.SPLIT, NearMissKind.UNPUNCTUATED, NearMissKind.GLUED}
)


class SampleLimits(Struct, frozen=True):
    """How far near misses are searched for: the records read in each round, and the most rounds for
    one spelling of a term."""

    records: int = 1_000
    rounds: int = 5


DEFAULT_LIMITS: Final = SampleLimits()


class TermUsage(Struct):
    """A term of the request: where it is used, and among which records it counts.

    ``already_counted`` matches the records that count without its near misses: those of the whole
    scope for a mention, those of its row for the term of a question. With ``required``, the term is
    that one of the terms that its mention requires (``with:``), not the mention's own.
    """

    mention: Mention
    places: tuple[str, ...]
    record_filter: Query
    already_counted: Query
    wordings: tuple[str, ...]
    required: int | None = None

    @property
    def spellings(self) -> tuple[Term, ...]:
        """The term and its aliases; a required term has none."""
        if self.required is None:
            return self.mention.spellings
        return (self.mention.cooccurrences[self.required].term,)

    @property
    def label(self) -> str:
        """What the term is called, with what else is required of its records."""
        if self.required is None:
            return self.mention.label
        return f"{self.spellings[0].written}, required with {self.mention.term.written}"

    @property
    def companion_queries(self) -> list[Query]:
        """The records that have what is required besides the term, wherever it stands."""
        required_terms = [entry.term for entry in self.mention.cooccurrences]
        if self.required is None:
            return [build_term_query(term) for term in required_terms]
        del required_terms[self.required]
        own_spellings = [build_term_query(term) for term in self.mention.spellings]
        return [any_of(own_spellings), *map(build_term_query, required_terms)]

    def spelling_query(self, *spellings: Term) -> Query:
        """The records that would match with these spellings instead, required terms included."""
        if self.required is None:
            term, *aliases = spellings
            return msgspec.structs.replace(self.mention, term=term, aliases=tuple(aliases)).query()
        return any_of([self._replace_required(spelling).query() for spelling in spellings])

    def _replace_required(self, spelling: Term) -> Mention:
        entries = [*self.mention.cooccurrences]
        entries[self.required or 0] = msgspec.structs.replace(
            entries[self.required or 0], term=spelling
        )
        return msgspec.structs.replace(self.mention, cooccurrences=tuple(entries))

    def list_required_usages(self) -> Iterator[TermUsage]:
        """The terms that its mention requires, among the records that have the rest of it."""
        for position, entry in enumerate(self.mention.cooccurrences):
            usage = msgspec.structs.replace(self, wordings=(entry.term.written,), required=position)
            usage.record_filter = all_of([self.record_filter, *usage.companion_queries])
            yield usage


class NearMissCandidate(NamedTuple):
    """A near miss that was found, as a term that a request could use.

    For one that no phrase finds, ``references`` are the records that contain it.
    """

    term: Term
    kind: NearMissKind
    references: tuple[str, ...] = ()

    def query(self) -> Query:
        """The records that contain it."""
        if self.references:
            return Terms(crime_ref=list(self.references))
        return build_term_query(self.term)

    def usage_query(self, usage: TermUsage) -> Query:
        """The records that would match with it in place of the term. One that no phrase finds has
        no place in the text, so a required term may be anywhere in the record."""
        if not self.references:
            return usage.spelling_query(self.term)
        return all_of([self.query(), *usage.companion_queries])


class NearMissCollector:
    """The near misses of a term in the records read so far."""

    def __init__(self) -> None:
        self._forms_by_key: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self._references: dict[str, set[str]] = defaultdict(set)
        self._kinds: dict[str, NearMissKind] = {}

    def __len__(self) -> int:
        return len(self._forms_by_key)

    def add(self, miss: NearMissForm, reference: str | None = None) -> None:
        """Add a near miss in a record. Forms that differ only in spaces count as one."""
        key = (" " if miss.kind is NearMissKind.UNPUNCTUATED else "").join(miss.form)
        form = miss.form
        if miss.kind in BROKEN_KINDS:
            # Its letters are those of the term, or of a split of it.
            key, form = f"{miss.kind}: {key}", (miss.written,)
            if reference is not None:
                self._references[key].add(reference)
        self._forms_by_key[key][form] += 1
        self._kinds[key] = miss.kind

    def list_candidates(self) -> list[NearMissCandidate]:
        """The most frequent of them."""
        most_first = sorted(
            self._forms_by_key, key=lambda key: (-self._forms_by_key[key].total(), key)
        )
        return [
            NearMissCandidate(
                _make_near_miss_term(self._forms_by_key[key], self._kinds[key]),
                self._kinds[key],
                tuple(sorted(self._references[key])) if key in self._references else (),
            )
            for key in most_first[:MAX_COUNTED]
        ]


def _make_near_miss_term(forms: Counter[tuple[str, ...]], kind: NearMissKind) -> Term:
    """A near miss as a term that a request could use, in its most frequent wording."""
    commonest = min(forms, key=lambda form: (-forms[form], len(form), form))
    written = " ".join(commonest)
    if kind in BROKEN_KINDS or kind in _AS_WRITTEN_KINDS:
        # Its other forms belong to the term itself, or are not written like the near miss.
        return Term(written, tuple(sorted(forms)))
    return parse_term(written)


def search_near_misses(
    sealed: SealedGeneration, usage: TermUsage, usages: list[TermUsage], limits: SampleLimits
) -> tuple[NearMissCollector, SampleCoverage]:
    """The near misses of a term, and how many records were searched for them.

    Raises InexactError where a number may be inexact.
    """
    spellings = list(_list_requested_terms(usage, usages))
    misses = NearMissCollector()
    samples = [(0, 0, 0, 0, 0, 0)]
    for spelling in usage.spellings:
        target = NearMissMatcher(spelling, spellings)
        for form in target.without_punctuation():
            misses.add(NearMissForm(form, NearMissKind.UNPUNCTUATED))
        if (query := target.query()) is None:
            continue
        similar_query = any_of(
            [build_term_query(term) for term in spellings if target.is_close_to(term)]
        )
        sampled = _sample_without_term(
            sealed, [usage.record_filter, query, none_of([similar_query])], target, misses, limits
        )
        records, total = sealed.read([usage.record_filter, query, similar_query], limits.records)
        _collect_from_records(records, target, misses)
        broken = (0, 0)
        if (broken_query := target.broken_query()) is not None:
            queries = [usage.record_filter, broken_query]
            broken = _read_broken_wordings(sealed, queries, target, misses, limits)
        samples.append((*sampled, len(records), total, *broken))
    return misses, SampleCoverage(*map(sum, zip(*samples, strict=True)))


def _list_requested_terms(usage: TermUsage, usages: list[TermUsage]) -> Iterator[Term]:
    """What is no near miss of a term, as the request asks for it in such a place."""
    for other_usage in usages:
        is_own_mention = other_usage.mention is usage.mention
        if (other_usage.required is None) == (usage.required is None) or is_own_mention:
            yield from other_usage.spellings


def _sample_without_term(
    sealed: SealedGeneration,
    queries: list[Query],
    target: NearMissMatcher,
    misses: NearMissCollector,
    limits: SampleLimits,
) -> tuple[int, int]:
    """Search samples of the records that do not mention a term, leaving out in each round the
    records with a near miss already known, until nothing new is found.

    Returns how many records were read, and how many there are.
    """
    unread, total = 0, None
    for _ in range(limits.rounds):
        known_queries = [candidate.query() for candidate in misses.list_candidates()]
        records, unread = sealed.read(
            [*queries, *([none_of(known_queries)] if known_queries else [])], limits.records
        )
        total = unread if total is None else total
        count_before = len(misses)
        _collect_from_records(records, target, misses)
        unread -= len(records)
        if not unread or len(misses) == count_before:
            break
    assert total is not None
    return total - unread, total


def _read_broken_wordings(
    sealed: SealedGeneration,
    queries: Sequence[Query],
    target: NearMissMatcher,
    misses: NearMissCollector,
    limits: SampleLimits,
) -> tuple[int, int]:
    """Read the records that may contain what the rule cuts apart, in the order of their references.

    Returns how many records were read, and how many there are; some may mention the term.
    """
    read_count, total = 0, None
    after: list[Query] = []
    for _ in range(limits.rounds):
        records, unread = sealed.read([*queries, *after], limits.records)
        total = unread if total is None else total
        read_count += len(records)
        for source in records:
            for miss in target.find_broken_wordings(narrative_from_source(source)):
                misses.add(miss, source["crime_ref"])
        if len(records) == unread:
            break
        after = [Range(crime_ref={"gt": records[-1]["crime_ref"]})]
    assert total is not None
    return read_count, total


def _collect_from_records(
    records: list[dict[str, Any]], target: NearMissMatcher, misses: NearMissCollector
) -> None:
    for source in records:
        for miss in target.find_near_misses(narrative_from_source(source)):
            misses.add(miss)


def count_near_misses(
    sealed: SealedGeneration, usage: TermUsage, candidates: list[NearMissCandidate]
) -> list[NearMiss]:
    """Near misses with the records that contain them and those they would add, most first."""
    queries = [candidate.usage_query(usage) for candidate in candidates]
    added = [all_of([query, none_of([usage.already_counted])]) for query in queries]
    numbers = sealed.numbers(usage.record_filter, [*queries, *added])
    misses = [
        NearMiss(candidate.term.written, candidate.kind.value, records, added_records)
        for candidate, records, added_records in zip(
            candidates, numbers[: len(candidates)], numbers[len(candidates) :], strict=True
        )
        if records
    ]
    return sorted(misses, key=lambda miss: (-miss.records, miss.wording))
