"""The wording check: how a request's terms are written in the records, and what they miss.

This module runs the searches. ``queries.matching.near_miss`` decides what is near a term, and
``findings`` holds and prints the results. Near misses are found in a bounded sample of records and
then counted exactly. All searches are of one sealed generation, so all numbers are of one moment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl.query import MatchAll

from queries.answer.types import Answer, NearMissCount, NearMisses, SpellingCount
from queries.lint.class_readings import CodeReading, find_class_readings
from queries.lint.coverage import describe_request_coverage
from queries.lint.findings import (
    SampleContext,
    TermCheck,
    WordingCheck,
    WordingSuggestion,
    collect_annex,
)
from queries.lint.near_misses import (
    DEFAULT_LIMITS,
    MAX_COUNTED,
    SampleLimits,
    TermUsage,
    count_near_misses,
    search_near_misses,
)
from queries.lint.scope_damage import count_scope_damage
from queries.lint.unused_values import find_absent_contents, find_unused_values
from queries.matching.highlight import (
    find_term_matches,
    make_character_snippet,
    narrative_from_source,
)
from queries.matching.near_miss import BROKEN_KINDS, NearMissKind
from queries.matching.term import Term, build_term_query, parse_term, parse_term_parts
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.search.exactness import alias_moved_error
from queries.search.sealed import SealedGeneration
from queries.spec.term_book import TermBook
from queries.spec.term_spec import make_term_spec
from queries.tables.scope import (
    MENTIONS_FILTER,
    Mention,
    Scope,
    all_of,
    build_offence_query,
)

# The most near misses of a term that are listed.
MAX_LISTED: Final = 20

_MAX_CONTEXTS: Final = 3

_CONTEXT_WIDTH: Final = 60


def check_wording(  # noqa: PLR0913 - two of them are options with defaults
    client: Elasticsearch,
    alias: str,
    request: Request,
    book: TermBook,
    *,
    contexts: bool = True,
    limits: SampleLimits = DEFAULT_LIMITS,
) -> WordingCheck:
    """Check the wording of a request against the live generation.

    With ``contexts``, everyday words are shown in some records. Raises NoIndexError,
    GenerationError where another generation goes live meanwhile, and InexactError where a number
    may be inexact.
    """
    sealed = SealedGeneration(client, alias)
    scope = request.scope
    base = msgspec.structs.replace(scope, mentions=())
    codes = [code for row in scope.offences for code in row.codes]
    records, in_scope, *code_counts = sealed.numbers(
        base.query(), [MatchAll(), scope.query(), *(build_offence_query([code]) for code in codes)]
    )
    readings = _count_readings(sealed, base, find_class_readings(codes))
    usages = _list_term_usages(request, base)
    damage = count_scope_damage(sealed, base)
    if damage and not usages:
        damage = msgspec.structs.replace(damage, without_text=0)
    questions = [prepare_question(question, scope) for question in request.questions]
    scopes = [prepared.scope for prepared in questions]
    unused_values = find_unused_values(sealed, [scope, *scopes])
    absent_contents = find_absent_contents(sealed, questions)
    checker = _TermChecker(sealed, usages, book, limits, contexts)
    checks = tuple(checker.check_term(usage) for usage in usages)
    return WordingCheck(
        generation=sealed.generation.name,
        built_at=sealed.generation.built_at,
        records=records,
        in_scope=in_scope,
        offences_without_records=tuple(
            code for code, number in zip(codes, code_counts, strict=True) if not number
        ),
        terms=checks,
        annex=collect_annex(checks),
        coverage=sealed.coverage,
        coverage_notes=describe_request_coverage(
            request, sealed.coverage, asks_about_terms=bool(usages)
        ),
        damage=damage,
        readings=readings,
        unused_values=unused_values,
        absent_contents=absent_contents,
    )


def _count_readings(
    sealed: SealedGeneration, base: Scope, readings: Sequence[CodeReading]
) -> tuple[CodeReading, ...]:
    """The readings that differ by any record of the period, with the number of records."""
    everywhere = msgspec.structs.replace(base, offences=())
    numbers = sealed.numbers(
        everywhere.query(), [build_offence_query(reading.subcodes) for reading in readings]
    )
    return tuple(
        msgspec.structs.replace(reading, records=number)
        for reading, number in zip(readings, numbers, strict=True)
        if number
    )


def collect_near_misses(
    client: Elasticsearch, alias: str, request: Request, answer: Answer, threshold: int
) -> NearMisses:
    """The near misses of an answer's terms that at least ``threshold`` records contain.

    They are counted in the answer's own generation. Raises GenerationError where another is live by
    now, and InexactError where a number may be inexact.
    """
    sealed = SealedGeneration(client, alias)
    if sealed.generation.name != answer.provenance.generation:
        raise alias_moved_error(alias)
    usages = _list_term_usages(request, msgspec.structs.replace(request.scope, mentions=()))
    entries: list[NearMissCount] = []
    complete = True
    for usage in usages:
        collector, coverage = search_near_misses(sealed, usage, usages, DEFAULT_LIMITS)
        label = usage.label if usage.required is not None else usage.mention.term.written
        entries += [
            NearMissCount(label, usage.places, miss.wording, miss.records, miss.added)
            for miss in count_near_misses(sealed, usage, collector.list_candidates())
            if miss.records >= threshold
        ]
        complete &= coverage.is_complete and len(collector) <= MAX_COUNTED
    return NearMisses(threshold, complete, tuple(entries))


def _list_term_usages(request: Request, base: Scope) -> list[TermUsage]:
    """Every term of a request: once as a mention, and once for all the questions that use it; and
    after each the terms that it requires."""
    return [
        part
        for usage in _list_mention_usages(request, base)
        for part in (usage, *usage.list_required_usages())
    ]


def _list_mention_usages(request: Request, base: Scope) -> list[TermUsage]:
    scope = request.scope
    usages = [
        TermUsage(
            mention, (MENTIONS_FILTER,), base.query(), scope.query(), request.wordings(mention)
        )
        for mention in scope.mentions
    ]
    question_ids: dict[tuple[object, ...], list[str]] = defaultdict(list)
    mentions: dict[tuple[object, ...], Mention] = {}
    for question in request.questions:
        for mention in prepare_question(question, scope).mentions:
            question_ids[mention.key].append(question.id)
            mentions.setdefault(mention.key, mention)
    return usages + [
        TermUsage(
            mention,
            tuple(question_ids[key]),
            scope.query(),
            mention.query(),
            (mention.term.written,),
        )
        for key, mention in mentions.items()
    ]


class _TermChecker(NamedTuple):
    """Checks the terms of one request against one generation."""

    sealed: SealedGeneration
    usages: list[TermUsage]
    book: TermBook
    limits: SampleLimits
    contexts: bool

    def check_term(self, usage: TermUsage) -> TermCheck:
        """Count a term, its spellings and its near misses, and suggest other wordings."""
        sealed = self.sealed
        records, forms = _count_spellings(sealed, usage)
        is_main = usage.required is None
        entry = self.book.find_term(usage.mention.term.written) if is_main else None
        everyday = entry is not None and entry.everyday
        collector, coverage = search_near_misses(sealed, usage, self.usages, self.limits)
        misses = count_near_misses(sealed, usage, collector.list_candidates())
        known_forms = {
            form
            for miss in misses
            if NearMissKind(miss.kind) not in BROKEN_KINDS
            for form in parse_term(miss.wording).forms
        }
        suggests_cooccurrences = everyday and records and not usage.mention.cooccurrences
        cooccurrences = entry.cooccurrences if entry and suggests_cooccurrences else ()
        shows_contexts = everyday and records and self.contexts
        return TermCheck(
            term=usage.label,
            places=usage.places,
            records=records,
            in_index=None if records else _count_in_index(sealed, usage),
            near_misses=tuple(misses[:MAX_LISTED]),
            more_near_misses=len(misses[MAX_LISTED:])
            + len(collector)
            - len(collector.list_candidates()),
            coverage=coverage,
            unintended=_find_unintended_spellings(usage, forms),
            everyday=everyday,
            contexts=tuple(_sample_contexts(sealed, usage)) if shows_contexts else (),
            suggestions=(
                *_suggest_cooccurrences(sealed, usage, cooccurrences),
                *(
                    _suggest_aliases(
                        sealed, usage, self.book, known_forms | _collect_forms(self.usages)
                    )
                    if is_main
                    else ()
                ),
            ),
            wording=make_term_spec(usage.mention, self.book.extra_spellings),
            required=None if is_main else usage.spellings[0].written,
        )


def _count_spellings(sealed: SealedGeneration, usage: TermUsage) -> tuple[int, Counter[str]]:
    """The records of a term, and those of each of its forms."""
    spelled_forms = [(term, form) for term in usage.spellings for form in term.forms]
    form_queries = [
        usage.spelling_query(Term(term.written, (form,), term.compound))
        for term, form in spelled_forms
    ]
    records, *form_counts = sealed.numbers(
        usage.record_filter, [usage.mention.query(), *form_queries]
    )
    forms = {
        " ".join(form): count for (_, form), count in zip(spelled_forms, form_counts, strict=True)
    }
    return records, Counter(forms)


def _count_in_index(sealed: SealedGeneration, usage: TermUsage) -> int:
    """The records of a term in the whole index."""
    (count,) = sealed.numbers(Scope().query(), [usage.mention.query()])
    return count


def _find_unintended_spellings(usage: TermUsage, forms: Counter[str]) -> tuple[SpellingCount, ...]:
    """Counted spellings that contain a space and were not written that way in the request."""
    written = {*usage.wordings, *(alias.written for alias in usage.spellings[1:])}
    intended = {" ".join(parse_term_parts(wording)) for wording in written}
    return tuple(
        SpellingCount(form, records)
        for form, records in forms.most_common()
        if records and " " in form and form not in intended
    )


def _sample_contexts(sealed: SealedGeneration, usage: TermUsage) -> Iterator[SampleContext]:
    """One mention in each of the first records that match."""
    records, _ = sealed.read([usage.record_filter, usage.mention.query()], _MAX_CONTEXTS)
    for source in records:
        narrative = narrative_from_source(source)
        matches = [
            match
            for term in usage.mention.spellings
            for match in find_term_matches(narrative, term)
        ]
        for match in sorted(matches)[:1]:
            snippet = make_character_snippet("".join(narrative.segments), match, _CONTEXT_WIDTH)
            yield SampleContext(source["crime_ref"], *snippet)


def _suggest_cooccurrences(
    sealed: SealedGeneration, usage: TermUsage, cooccurrences: tuple[str, ...]
) -> list[WordingSuggestion]:
    """How many records of a term would remain with each required term."""
    queries = [
        all_of([usage.mention.query(), build_term_query(parse_term(word))])
        for word in cooccurrences
    ]
    numbers = sealed.numbers(usage.record_filter, queries)
    return [WordingSuggestion("with", *pair) for pair in zip(cooccurrences, numbers, strict=True)]


def _collect_forms(usages: list[TermUsage]) -> set[tuple[str, ...]]:
    """Every form of every term in the request, but for those that others require."""
    return {form for usage in usages for term in usage.mention.spellings for form in term.forms}


def _suggest_aliases(
    sealed: SealedGeneration, usage: TermUsage, book: TermBook, known_forms: set[tuple[str, ...]]
) -> list[WordingSuggestion]:
    """Other names of a term, not among the known forms, that would add records."""
    written = usage.mention.term.written
    names = [
        name for name in book.other_names(written) if parse_term_parts(name) not in known_forms
    ]
    if not names:
        return []
    queries = [usage.spelling_query(*usage.mention.spellings, parse_term(name)) for name in names]
    current, *numbers = sealed.numbers(usage.record_filter, [usage.mention.query(), *queries])
    return [
        WordingSuggestion("alias", name, records)
        for name, records in zip(names, numbers, strict=True)
        if records > current
    ]
