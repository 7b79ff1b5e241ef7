"""The wording check: how a request's terms are written in the records, and what they miss.

It asks the server, and decides nothing: what is near a term is ``nearmiss``'s business, how it is
told ``findings``'. Near misses are found in a bounded sample of records, and then counted exactly.
All is asked of one sealed generation, so all is of one moment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl.query import MatchAll, Query
from msgspec import Struct

from queries.answer.types import Answer, NearMissCount, NearMisses, SpellingCount
from queries.lint.findings import (
    NearMiss,
    SampleContext,
    SampleCoverage,
    TermCheck,
    WordingCheck,
    WordingSuggestion,
    collect_annex,
)
from queries.matching.highlight import (
    find_term_matches,
    make_character_snippet,
    narrative_from_source,
)
from queries.matching.near_miss import NearMissKind, NearMissMatcher
from queries.matching.term import Term, build_term_query, parse_term, parse_term_parts
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.search.exactness import alias_moved_error
from queries.search.sealed import SealedGeneration
from queries.spec.term_book import TermBook
from queries.tables.scope import (
    MENTIONS_FILTER,
    Mention,
    Scope,
    all_of,
    any_of,
    build_offence_query,
    none_of,
)

SAMPLE_SIZE: Final = 1_000  # records read at once for the near misses of a term

MAX_ROUNDS: Final = 5

MAX_COUNTED: Final = (
    50  # near misses of a term that are counted; the most frequent of them are told
)

MAX_CONTEXTS: Final = 3

CONTEXT_WIDTH: Final = 60

MAX_LISTED: Final = 20


class _TermUsage(Struct):
    """A term of the request: where it is asked for, and among which records it counts.

    ``already`` are the records that count without its near misses: those of the whole scope for a
    mention, those of its row for the term of a question.
    """

    mention: Mention
    places: tuple[str, ...]
    record_filter: Query
    already_counted: Query
    wordings: tuple[str, ...]

    def spelling_query(self, *spellings: Term) -> Query:
        """The records that would mention it, were it spelled so. Company is kept."""
        term, *aliases = spellings
        return msgspec.structs.replace(self.mention, term=term, aliases=tuple(aliases)).query()


def check_wording(
    client: Elasticsearch, alias: str, request: Request, book: TermBook, *, contexts: bool
) -> WordingCheck:
    """Check the wording of a request against the live generation.

    Raises NoIndexError, and InexactError where a number may be inexact.
    """
    sealed = SealedGeneration(client, alias)
    scope = request.scope
    base = msgspec.structs.replace(scope, mentions=())
    codes = [code for row in scope.offences for code in row.codes]
    records, in_scope, *code_counts = sealed.numbers(
        base.query(), [MatchAll(), scope.query(), *(build_offence_query([code]) for code in codes)]
    )
    usages = _list_term_usages(request, base)
    checks = tuple(_check_term(sealed, usage, usages, book, contexts=contexts) for usage in usages)
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
    )


def collect_near_misses(
    client: Elasticsearch, alias: str, request: Request, answer: Answer, threshold: int
) -> NearMisses:
    """The near misses of an answer that ``least`` records or more hold, of its own generation.

    Raises GenerationError where another is live by now, and as ``check``.
    """
    sealed = SealedGeneration(client, alias)
    if sealed.generation.name != answer.provenance.generation:
        raise alias_moved_error(alias)
    usages = _list_term_usages(request, msgspec.structs.replace(request.scope, mentions=()))
    entries: list[NearMissCount] = []
    complete = True
    for usage in usages:
        collector, coverage = _search_near_misses(sealed, usage, usages)
        label = usage.mention.term.written
        entries += [
            NearMissCount(label, usage.places, miss.wording, miss.records, miss.added)
            for miss in _count_near_misses(sealed, usage, collector.terms())
            if miss.records >= threshold
        ]
        complete &= coverage.is_complete and len(collector.forms_by_key) <= MAX_COUNTED
    return NearMisses(threshold, complete, tuple(entries))


def _list_term_usages(request: Request, base: Scope) -> list[_TermUsage]:
    """Every term of a request once for its mentions, and once for all questions together."""
    scope = request.scope
    usages = [
        _TermUsage(
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
        _TermUsage(
            mention,
            tuple(question_ids[key]),
            scope.query(),
            mention.query(),
            (mention.term.written,),
        )
        for key, mention in mentions.items()
    ]


def _check_term(
    sealed: SealedGeneration,
    usage: _TermUsage,
    usages: list[_TermUsage],
    book: TermBook,
    *,
    contexts: bool,
) -> TermCheck:
    spelled_forms = [(term, form) for term in usage.mention.spellings for form in term.forms]
    records, *form_counts = sealed.numbers(
        usage.record_filter,
        [
            usage.mention.query(),
            *(
                usage.spelling_query(Term(term.written, (form,), term.compound))
                for term, form in spelled_forms
            ),
        ],
    )
    forms = Counter(
        {" ".join(form): n for (_, form), n in zip(spelled_forms, form_counts, strict=True)}
    )
    entry = book.find_term(usage.mention.term.written)
    everyday = entry is not None and entry.everyday
    collector, coverage = _search_near_misses(sealed, usage, usages)
    misses = _count_near_misses(sealed, usage, collector.terms())
    known_forms = {form for miss in misses for form in parse_term(miss.wording).forms}
    cooccurrences = (
        entry.cooccurrences if entry and everyday and not usage.mention.cooccurrences else ()
    )
    return TermCheck(
        term=usage.mention.label,
        places=usage.places,
        records=records,
        in_index=None if records else sealed.numbers(Scope().query(), [usage.mention.query()])[0],
        near_misses=tuple(misses[:MAX_LISTED]),
        more_near_misses=len(misses[MAX_LISTED:])
        + len(collector.forms_by_key)
        - len(collector.terms()),
        coverage=coverage,
        unintended=_find_unintended_spellings(usage, forms),
        everyday=everyday,
        contexts=tuple(_sample_contexts(sealed, usage))
        if everyday and contexts and records
        else (),
        suggestions=(
            *_suggest_cooccurrences(sealed, usage, cooccurrences if records else ()),
            *_suggest_aliases(sealed, usage, book, known_forms | _collect_forms(usages)),
        ),
    )


class _NearMissCollector:
    """The near misses of a term in the records that were read."""

    def __init__(self) -> None:
        self.forms_by_key: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self.kinds: dict[str, NearMissKind] = {}

    def add(self, form: tuple[str, ...], kind: NearMissKind) -> None:
        """Note a near miss; those that differ by spaces alone are one."""
        key = (" " if kind is NearMissKind.UNPUNCTUATED else "").join(form)
        self.forms_by_key[key][form] += 1
        self.kinds[key] = kind

    def terms(self) -> list[tuple[Term, NearMissKind]]:
        """The most frequent of them, each as a term that could be asked for."""
        most_first = sorted(
            self.forms_by_key, key=lambda key: (-self.forms_by_key[key].total(), key)
        )
        return [
            (_make_near_miss_term(self.forms_by_key[key], self.kinds[key]), self.kinds[key])
            for key in most_first[:MAX_COUNTED]
        ]


def _search_near_misses(
    sealed: SealedGeneration, usage: _TermUsage, usages: list[_TermUsage]
) -> tuple[_NearMissCollector, SampleCoverage]:
    """The near misses of a term, and how far they were looked for."""
    spellings = [term for other_usage in usages for term in other_usage.mention.spellings]
    misses = _NearMissCollector()
    samples = [(0, 0, 0, 0)]
    for spelling in usage.mention.spellings:
        target = NearMissMatcher(spelling, spellings)
        for form in target.without_punctuation():
            misses.add(form, NearMissKind.UNPUNCTUATED)
        if (query := target.query()) is None:
            continue
        similar_query = any_of(
            [build_term_query(term) for term in spellings if target.is_close_to(term)]
        )
        sampled = _sample_without_term(
            sealed, [usage.record_filter, query, none_of([similar_query])], target, misses
        )
        records, total = sealed.read([usage.record_filter, query, similar_query], SAMPLE_SIZE)
        _collect_from_records(records, target, misses)
        samples.append((*sampled, len(records), total))
    return misses, SampleCoverage(*map(sum, zip(*samples, strict=True)))


def _sample_without_term(
    sealed: SealedGeneration,
    queries: list[Query],
    target: NearMissMatcher,
    misses: _NearMissCollector,
) -> tuple[int, int]:
    """Look in samples of the records that do not mention a term, each without the near misses known
    by then, until none is left. Returns how many were looked at, of how many."""
    unread, total = 0, None
    for _ in range(MAX_ROUNDS):
        known_queries = [build_term_query(term) for term, _ in misses.terms()]
        records, unread = sealed.read(
            [*queries, *([none_of(known_queries)] if known_queries else [])], SAMPLE_SIZE
        )
        total = unread if total is None else total
        count_before = len(misses.forms_by_key)
        _collect_from_records(records, target, misses)
        unread -= len(records)
        if not unread or len(misses.forms_by_key) == count_before:
            break
    assert total is not None
    return total - unread, total


def _collect_from_records(
    records: list[dict[str, Any]], target: NearMissMatcher, misses: _NearMissCollector
) -> None:
    for source in records:
        for miss in target.find_near_misses(narrative_from_source(source)):
            misses.add(miss.form, miss.kind)


def _make_near_miss_term(forms: Counter[tuple[str, ...]], kind: NearMissKind) -> Term:
    """A near miss as a term that could be asked for, in its most frequent wording."""
    commonest = min(forms, key=lambda form: (-forms[form], len(form), form))
    written = " ".join(commonest)
    if kind in (NearMissKind.SPLIT, NearMissKind.UNPUNCTUATED):
        # Its other forms are the term's own, or not what it is written like.
        return Term(written, tuple(sorted(forms)))
    return parse_term(written)


def _count_near_misses(
    sealed: SealedGeneration, usage: _TermUsage, candidates: list[tuple[Term, NearMissKind]]
) -> list[NearMiss]:
    """Near misses with their records and those they would add, most first."""
    queries = [usage.spelling_query(term) for term, _ in candidates]
    added = [all_of([query, none_of([usage.already_counted])]) for query in queries]
    numbers = sealed.numbers(usage.record_filter, [*queries, *added])
    misses = [
        NearMiss(term.written, kind.value, records, added_records)
        for (term, kind), records, added_records in zip(
            candidates, numbers[: len(candidates)], numbers[len(candidates) :], strict=True
        )
        if records
    ]
    return sorted(misses, key=lambda miss: (-miss.records, miss.wording))


def _find_unintended_spellings(usage: _TermUsage, forms: Counter[str]) -> tuple[SpellingCount, ...]:
    """Forms found that are neither closed nor as anybody wrote the term."""
    written = {*usage.wordings, *(alias.written for alias in usage.mention.aliases)}
    intended = {" ".join(parse_term_parts(wording)) for wording in written}
    return tuple(
        SpellingCount(form, records)
        for form, records in forms.most_common()
        if records and " " in form and form not in intended
    )


def _sample_contexts(sealed: SealedGeneration, usage: _TermUsage) -> Iterator[SampleContext]:
    """A mention in each of the first records in scope."""
    records, _ = sealed.read([usage.record_filter, usage.mention.query()], MAX_CONTEXTS)
    for source in records:
        narrative = narrative_from_source(source)
        matches = [
            match
            for term in usage.mention.spellings
            for match in find_term_matches(narrative, term)
        ]
        for match in sorted(matches)[:1]:
            snippet = make_character_snippet("".join(narrative.segments), match, CONTEXT_WIDTH)
            yield SampleContext(source["crime_ref"], *snippet)


def _suggest_cooccurrences(
    sealed: SealedGeneration, usage: _TermUsage, cooccurrences: tuple[str, ...]
) -> list[WordingSuggestion]:
    """What company would leave of a term."""
    queries = [
        all_of([usage.mention.query(), build_term_query(parse_term(word))])
        for word in cooccurrences
    ]
    numbers = sealed.numbers(usage.record_filter, queries)
    return [WordingSuggestion("with", *pair) for pair in zip(cooccurrences, numbers, strict=True)]


def _collect_forms(usages: list[_TermUsage]) -> set[tuple[str, ...]]:
    """Every form that the request asks for, anywhere."""
    return {form for usage in usages for term in usage.mention.spellings for form in term.forms}


def _suggest_aliases(
    sealed: SealedGeneration, usage: _TermUsage, book: TermBook, known_forms: set[tuple[str, ...]]
) -> list[WordingSuggestion]:
    """Other names of a term, not known as forms yet, that it would have more records with."""
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
