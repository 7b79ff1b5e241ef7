"""The wording check: how a request's terms are written in the records, and what they miss.

It asks the server, and decides nothing: what is near a term is ``nearmiss``'s business, how it is
told ``findings``'. Near misses are found in a bounded sample of records, and then counted exactly.
All is asked of one sealed generation, so all is of one moment.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import MatchAll, Query
from msgspec import Struct

from indexer import generations
from queries import context, execute, findings, terms
from queries.answer import Answer, Form, NearMisses, NotCounted
from queries.findings import Check, Looked, NearMiss, Suggestion, TermCheck
from queries.nearmiss import Kind, Target
from queries.questions.base import bucketed, counts
from queries.request import Request
from queries.scope import (
    MENTIONS,
    Mention,
    Scope,
    all_of,
    any_of,
    counted_query,
    none_of,
    offence_query,
)
from queries.termbook import Book
from queries.terms import Term

SAMPLE: Final = 1_000  # records read at once for the near misses of a term
ROUNDS: Final = 5
COUNTED: Final = 50  # near misses of a term that are counted; the most frequent of them are told
CONTEXTS: Final = 3
WIDTH: Final = 60
TOLD: Final = 20


class _Asked(Struct):
    """A term of the request: where it is asked for, and among which records it counts.

    ``already`` are the records that count without its near misses: those of the whole scope for a
    mention, those of its row for the term of a question.
    """

    mention: Mention
    places: tuple[str, ...]
    within: Query
    already: Query
    wordings: tuple[str, ...]

    def spelled(self, *spellings: Term) -> Query:
        """The records that would mention it, were it spelled so. Company is kept."""
        term, *aliases = spellings
        return msgspec.structs.replace(self.mention, term=term, aliases=tuple(aliases)).query()


class _Sealed:
    """One generation, as it is asked for numbers and for records, through the alias."""

    def __init__(self, client: Elasticsearch, alias: str) -> None:
        self.generation = generations.readable(client, alias)
        self._client = client
        self._alias = alias

    def numbers(self, within: Query, queries: Sequence[Query]) -> list[int]:
        """How many of some records are of each query. Raises InexactError."""
        if not queries:
            return []
        asked = aggs.Filter(counted_query(), aggs={"each": bucketed(queries)})
        body = self._ask(within, size=0, aggregations={"counted": asked.to_dict()})
        return counts(body["aggregations"]["counted"]["each"])

    def read(self, queries: Sequence[Query], most: int) -> tuple[list[dict[str, Any]], int]:
        """The first records that are of all the queries, and how many are."""
        body = self._ask(
            all_of([counted_query(), *queries]),
            size=most,
            sort=[{"crime_ref": "asc"}],
            source_includes=["crime_ref", *context.FIELDS],
        )
        return [hit["_source"] for hit in body["hits"]["hits"]], body["hits"]["total"]["value"]

    def _ask(
        self, query: Query, aggregations: dict[str, Any] | None = None, **asked: Any
    ) -> dict[str, Any]:
        body = execute.exact(
            self._client.search(
                index=self._alias,
                query=query.to_dict(),
                aggregations={**(aggregations or {}), **execute.WHOLE},
                track_total_hits=True,
                allow_partial_search_results=False,
                **asked,
            ).body
        )
        if execute.whole(body, self.generation) is None:
            raise execute.moved(self._alias)
        return body


def check(
    client: Elasticsearch, alias: str, request: Request, book: Book, *, contexts: bool
) -> Check:
    """Check the wording of a request against the live generation.

    Raises NoIndexError, and InexactError where a number may be inexact.
    """
    sealed = _Sealed(client, alias)
    scope = request.scope
    base = msgspec.structs.replace(scope, mentions=())
    codes = [code for row in scope.offences for code in row.codes]
    records, in_scope, *of_code = sealed.numbers(
        base.query(), [MatchAll(), scope.query(), *(offence_query([code]) for code in codes)]
    )
    asked = _asked(request, base)
    checks = tuple(_checked(sealed, one, asked, book, contexts=contexts) for one in asked)
    return Check(
        generation=sealed.generation.name,
        built_at=sealed.generation.built_at,
        records=records,
        in_scope=in_scope,
        offences_without_records=tuple(
            code for code, number in zip(codes, of_code, strict=True) if not number
        ),
        terms=checks,
        annex=findings.annex(checks),
    )


def near_misses(
    client: Elasticsearch, alias: str, request: Request, answer: Answer, least: int
) -> NearMisses:
    """The near misses of an answer that ``least`` records or more hold, of its own generation.

    Raises GenerationError where another is live by now, and as ``check``.
    """
    sealed = _Sealed(client, alias)
    if sealed.generation.name != answer.provenance.generation:
        raise execute.moved(alias)
    asked = _asked(request, msgspec.structs.replace(request.scope, mentions=()))
    told: list[NotCounted] = []
    complete = True
    for one in asked:
        near, looked = _near(sealed, one, asked)
        label = one.mention.term.written
        told += [
            NotCounted(label, one.places, miss.wording, miss.records, miss.added)
            for miss in _counted(sealed, one, near.terms())
            if miss.records >= least
        ]
        complete &= looked.whole and len(near.ways) <= COUNTED
    return NearMisses(least, complete, tuple(told))


def _asked(request: Request, base: Scope) -> list[_Asked]:
    """Every term of a request once for its mentions, and once for all questions together."""
    scope = request.scope
    found = [
        _Asked(one, (MENTIONS,), base.query(), scope.query(), request.wordings(one))
        for one in scope.mentions
    ]
    places: dict[tuple[object, ...], list[str]] = defaultdict(list)
    mentions: dict[tuple[object, ...], Mention] = {}
    for question in request.questions:
        for one in question.mentions(scope):
            places[one.key].append(question.id)
            mentions.setdefault(one.key, one)
    return found + [
        _Asked(one, tuple(places[key]), scope.query(), one.query(), (one.term.written,))
        for key, one in mentions.items()
    ]


def _checked(
    sealed: _Sealed, one: _Asked, asked: list[_Asked], book: Book, *, contexts: bool
) -> TermCheck:
    found = [(term, form) for term in one.mention.spellings for form in term.forms]
    records, *of_form = sealed.numbers(
        one.within,
        [
            one.mention.query(),
            *(one.spelled(Term(term.written, (form,), term.compound)) for term, form in found),
        ],
    )
    forms = Counter({" ".join(form): n for (_, form), n in zip(found, of_form, strict=True)})
    entry = book.term(one.mention.term.written)
    everyday = entry is not None and entry.everyday
    near, looked = _near(sealed, one, asked)
    misses = _counted(sealed, one, near.terms())
    known = {form for miss in misses for form in terms.parse(miss.wording).forms}
    company = entry.company if entry and everyday and not one.mention.company else ()
    return TermCheck(
        term=one.mention.label,
        places=one.places,
        records=records,
        in_index=None if records else sealed.numbers(Scope().query(), [one.mention.query()])[0],
        near_misses=tuple(misses[:TOLD]),
        more_near_misses=len(misses[TOLD:]) + len(near.ways) - len(near.terms()),
        looked=looked,
        unmeant=_unmeant(one, forms),
        everyday=everyday,
        contexts=tuple(_contexts(sealed, one)) if everyday and contexts and records else (),
        suggestions=(
            *_with(sealed, one, company if records else ()),
            *_aliases(sealed, one, book, known | _forms(asked)),
        ),
    )


class _Misses:
    """The near misses of a term in the records that were read."""

    def __init__(self) -> None:
        self.ways: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
        self.kinds: dict[str, Kind] = {}

    def add(self, form: tuple[str, ...], kind: Kind) -> None:
        """Note a near miss; those that differ by spaces alone are one."""
        key = (" " if kind is Kind.UNPUNCTUATED else "").join(form)
        self.ways[key][form] += 1
        self.kinds[key] = kind

    def terms(self) -> list[tuple[Term, Kind]]:
        """The most frequent of them, each as a term that could be asked for."""
        most_first = sorted(self.ways, key=lambda key: (-self.ways[key].total(), key))
        return [
            (_as_term(self.ways[key], self.kinds[key]), self.kinds[key])
            for key in most_first[:COUNTED]
        ]


def _near(sealed: _Sealed, one: _Asked, asked: list[_Asked]) -> tuple[_Misses, Looked]:
    """The near misses of a term, and how far they were looked for."""
    spelled = [term for other in asked for term in other.mention.spellings]
    misses = _Misses()
    looked = [(0, 0, 0, 0)]
    for spelling in one.mention.spellings:
        target = Target(spelling, spelled)
        for form in target.without_punctuation():
            misses.add(form, Kind.UNPUNCTUATED)
        if (query := target.query()) is None:
            continue
        beside = any_of([terms.query(term) for term in spelled if target.beside(term)])
        without = _look_without(sealed, [one.within, query, none_of([beside])], target, misses)
        records, of = sealed.read([one.within, query, beside], SAMPLE)
        _note(records, target, misses)
        looked.append((*without, len(records), of))
    return misses, Looked(*map(sum, zip(*looked, strict=True)))


def _look_without(
    sealed: _Sealed, queries: list[Query], target: Target, misses: _Misses
) -> tuple[int, int]:
    """Look in samples of the records that do not mention a term, each without the near misses known
    by then, until none is left. Returns how many were looked at, of how many."""
    left, whole = 0, None
    for _ in range(ROUNDS):
        known = [terms.query(term) for term, _ in misses.terms()]
        records, left = sealed.read([*queries, *([none_of(known)] if known else [])], SAMPLE)
        whole = left if whole is None else whole
        before = len(misses.ways)
        _note(records, target, misses)
        left -= len(records)
        if not left or len(misses.ways) == before:
            break
    assert whole is not None
    return whole - left, whole


def _note(records: list[dict[str, Any]], target: Target, misses: _Misses) -> None:
    for source in records:
        for miss in target.near(context.held(source)):
            misses.add(miss.form, miss.kind)


def _as_term(ways: Counter[tuple[str, ...]], kind: Kind) -> Term:
    """A near miss as a term that could be asked for, in its most frequent wording."""
    commonest = min(ways, key=lambda form: (-ways[form], len(form), form))
    written = " ".join(commonest)
    if kind in (Kind.OPENED, Kind.UNPUNCTUATED):
        # Its other forms are the term's own, or not what it is written like.
        return Term(written, tuple(sorted(ways)))
    return terms.parse(written)


def _counted(sealed: _Sealed, one: _Asked, near: list[tuple[Term, Kind]]) -> list[NearMiss]:
    """Near misses with their records and those they would add, most first."""
    held = [one.spelled(term) for term, _ in near]
    added = [all_of([query, none_of([one.already])]) for query in held]
    numbers = sealed.numbers(one.within, [*held, *added])
    misses = [
        NearMiss(term.written, kind.value, records, more)
        for (term, kind), records, more in zip(
            near, numbers[: len(near)], numbers[len(near) :], strict=True
        )
        if records
    ]
    return sorted(misses, key=lambda miss: (-miss.records, miss.wording))


def _unmeant(one: _Asked, forms: Counter[str]) -> tuple[Form, ...]:
    """Forms found that are neither closed nor as anybody wrote the term."""
    written = {*one.wordings, *(alias.written for alias in one.mention.aliases)}
    meant = {" ".join(terms.parts(wording)) for wording in written}
    return tuple(
        Form(form, records)
        for form, records in forms.most_common()
        if records and " " in form and form not in meant
    )


def _contexts(sealed: _Sealed, one: _Asked) -> Iterator[findings.Context]:
    """A mention in each of the first records in scope."""
    records, _ = sealed.read([one.within, one.mention.query()], CONTEXTS)
    for source in records:
        narrative = context.held(source)
        found = [
            match for term in one.mention.spellings for match in context.matches(narrative, term)
        ]
        for match in sorted(found)[:1]:
            around = context.window("".join(narrative.segments), match, WIDTH)
            yield findings.Context(source["crime_ref"], *around)


def _with(sealed: _Sealed, one: _Asked, company: tuple[str, ...]) -> list[Suggestion]:
    """What company would leave of a term."""
    queries = [all_of([one.mention.query(), terms.query(terms.parse(word))]) for word in company]
    numbers = sealed.numbers(one.within, queries)
    return [Suggestion("with", *each) for each in zip(company, numbers, strict=True)]


def _forms(asked: list[_Asked]) -> set[tuple[str, ...]]:
    """Every form that the request asks for, anywhere."""
    return {form for one in asked for term in one.mention.spellings for form in term.forms}


def _aliases(
    sealed: _Sealed, one: _Asked, book: Book, known: set[tuple[str, ...]]
) -> list[Suggestion]:
    """Other names of a term, not known as forms yet, that it would have more records with."""
    written = one.mention.term.written
    names = [name for name in book.names(written) if terms.parts(name) not in known]
    if not names:
        return []
    queries = [one.spelled(*one.mention.spellings, terms.parse(name)) for name in names]
    before, *numbers = sealed.numbers(one.within, [one.mention.query(), *queries])
    return [
        Suggestion("alias", name, records)
        for name, records in zip(names, numbers, strict=True)
        if records > before
    ]
