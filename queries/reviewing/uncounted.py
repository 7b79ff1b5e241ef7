"""The records that a number does not count only because of its words: what the words may miss.

A number of records that mention a word has records beside it that fit in all but the words: of the
same period, offences and fields. Some have wording near the words ("near misses"), the others have
neither. A random sample of each bounds what the words miss. There may be millions of them, so
references are read one page at a time, and only the first of the order are kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Final

import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.dsl.query import Query
from msgspec import Struct

from indexer.errors import RequestError, ReviewError
from indexer.index.generations import Generation
from indexer.records.narrative import SegmentedNarrative
from queries.evidence.locate import find_question, locate_records
from queries.evidence.population import (
    iter_narratives,
    iter_references,
    open_readable_generation,
    read_text_hashes,
)
from queries.matching.highlight import TermMatch, find_spelling_matches
from queries.matching.near_miss import NearMissMatcher
from queries.matching.term import Term, build_term_query
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.review.draw import choose_second_readings, draw_first
from queries.review.types import DrawnRecord, ReviewedRecords, Stratum
from queries.search.exactness import alias_moved_error
from queries.tables.period_columns import find_period_column
from queries.tables.scope import Mention, all_of, any_of, build_counted_query, none_of

#: The most records of the order that are kept, and so the most that can ever be read.
MAX_KEPT: Final = 10_000


class UncountedRecords(Struct, frozen=True, dict=True):
    """What a number does not count: ``frame`` are the records that fit it whatever their words,
    ``counted`` those that it counts, ``mentions`` its words, and ``requested`` all terms of the
    request, none of which is a near miss."""

    frame: Query
    counted: Query
    mentions: tuple[Mention, ...]
    requested: tuple[Term, ...]

    @property
    def query(self) -> Query:
        """The records that fit in all but the words."""
        return all_of([self.frame, none_of([self.counted])])

    @cached_property
    def _matchers(self) -> tuple[NearMissMatcher, ...]:
        spellings = dict.fromkeys(term for mention in self.mentions for term in mention.spellings)
        return tuple(NearMissMatcher(term, self.requested) for term in spellings)

    def list_near_queries(self) -> list[Query]:
        """The records that have near wording for certain: the words themselves, where something
        else that is required with them is missing, or the words without their punctuation."""
        spellings = dict.fromkeys(term for mention in self.mentions for term in mention.spellings)
        unpunctuated = {
            form for matcher in self._matchers for form in matcher.without_punctuation()
        }
        terms = [*spellings, *(Term(" ".join(form), (form,)) for form in sorted(unpunctuated))]
        return [build_term_query(term) for term in terms]

    def list_possible_queries(self) -> list[Query]:
        """The records that may have near wording, for each spelling; only their texts say it."""
        queries = (
            query
            for matcher in self._matchers
            for query in (matcher.query(), matcher.broken_query())
        )
        return [query for query in queries if query is not None]

    def iter_near_wordings(self, narrative: SegmentedNarrative) -> Iterator[TermMatch]:
        """Each wording of a text that is near the words."""
        for matcher in self._matchers:
            for find in (matcher.find_near_misses, matcher.find_broken_wordings):
                for miss in find(narrative):
                    yield TermMatch(miss.start, miss.end, miss.form)


def locate_uncounted(
    request: Request, question_id: str, row: str, column: str = ""
) -> UncountedRecords:
    """What a number does not count because of its words.

    Raises RequestError where there is no such number, where no word decides what it counts, or
    where it counts people, or records without the words.
    """
    counted = locate_records(request, question_id, row, column).query
    scope = msgspec.structs.replace(request.scope, mentions=())
    question_table = prepare_question(find_question(request, question_id), request.scope)
    bare = prepare_question(find_question(request, question_id), scope)
    filters: list[Query] = [scope.query(), build_counted_query()]
    if bare.narrowing:
        filters += msgspec.structs.replace(bare.narrowing, mentions=()).filters()
    periods = bare.scope.periods if bare.has_period_columns else ()
    name, period_index = column, None
    if periods:
        name, period_index = find_period_column(column, bare.list_columns(), periods)
    if period_index is not None:
        filters.append(periods[period_index].query())
    mentions = [*question_table.scope.mentions]
    for axis, bucket in bare.table_query.find_buckets(row, name or None):
        if axis.level != "record":
            raise _make_unfit_error(question_id, row, "counts people, not records")
        if not axis.mentions:
            filters.append(bucket.query)
            continue
        row_mentions = [mention for mention in axis.mentions if mention.condition in bucket.means]
        if not row_mentions:
            raise _make_unfit_error(question_id, row, "is not of one of the words")
        mentions += row_mentions
    if bare.table_query.counts_people or not mentions:
        reason = "counts people, not records" if mentions else "does not depend on any word"
        raise _make_unfit_error(question_id, row, reason)
    everywhere = [
        *request.scope.mentions,
        *(
            mention
            for question in request.questions
            for mention in prepare_question(question, request.scope).mentions
        ),
    ]
    return UncountedRecords(
        all_of(filters),
        counted,
        tuple(dict.fromkeys(mentions)),
        tuple(dict.fromkeys(term for mention in everywhere for term in mention.spellings)),
    )


def _make_unfit_error(question_id: str, row: str, reason: str) -> RequestError:
    return RequestError(
        f"{question_id}:{row} {reason}, so there is nothing that its words could miss. Name a "
        "number of records that mention a word."
    )


class UncountedDraw(Struct, frozen=True, kw_only=True):
    """Which records are drawn, how many are read (None: all), which share of them twice, and the
    seed."""

    records: ReviewedRecords
    sample: int | None
    second_share: Fraction
    seed: str


def draw_uncounted(
    client: Elasticsearch, alias: str, uncounted: UncountedRecords, draw: UncountedDraw
) -> tuple[str, Stratum, list[DrawnRecord]]:
    """The generation, the stratum, and the first records of the order, MAX_KEPT at most.

    Raises ReviewError where there is no record, or the sample does not suit their number, and as
    ``list_population``.
    """
    generation = open_readable_generation(client, alias)
    near_references = set(_iter_near(client, alias, generation, uncounted))
    if draw.records is ReviewedRecords.NEAR_MISSES:
        references: Iterator[str] = iter(near_references)
    else:
        all_references = iter_references(client, alias, generation, uncounted.query)
        references = (reference for reference in all_references if reference not in near_references)
    order, population = draw_first(references, draw.seed, MAX_KEPT)
    sample = _check_sample(draw, population)
    named, hashes = read_text_hashes(client, alias, order)
    if named != generation.name or hashes.keys() != {*order}:
        raise alias_moved_error(alias)
    twice = choose_second_readings(order, draw.seed, draw.second_share)
    drawn = [
        DrawnRecord(reference, "", position, hashes[reference], reference in twice)
        for position, reference in enumerate(order, start=1)
    ]
    return generation.name, Stratum("", population, sample), drawn


def _iter_near(
    client: Elasticsearch, alias: str, generation: Generation, uncounted: UncountedRecords
) -> Iterator[str]:
    """The references of the records with near wording, some of them twice."""
    certain = all_of([uncounted.query, any_of(uncounted.list_near_queries())])
    yield from iter_references(client, alias, generation, certain)
    for query in uncounted.list_possible_queries():
        possible = all_of([uncounted.query, query])
        for reference, narrative in iter_narratives(client, alias, generation, possible):
            if next(uncounted.iter_near_wordings(narrative), None) is not None:
                yield reference


def _check_sample(draw: UncountedDraw, population: int) -> int:
    if not population:
        raise ReviewError(
            f"there are no records of this kind ({draw.records.value}) beside this number, so "
            "there is nothing to review."
        )
    size = population if draw.sample is None else draw.sample
    if size > population:
        raise ReviewError(
            f"a sample of {size:,} is more than the {population:,} records of this kind. Leave "
            "--sample out to read them all."
        )
    if size > MAX_KEPT:
        raise ReviewError(
            f"there are {population:,} records of this kind, and a sample has {MAX_KEPT:,} at "
            "most. Say how many are to be read with --sample."
        )
    return size


def find_near_wordings(
    uncounted: UncountedRecords, narrative: SegmentedNarrative
) -> Sequence[TermMatch]:
    """The wordings of a text that are near the words, in order of position, each once: the words
    themselves, too, where something else that is required with them is missing."""
    spellings = dict.fromkeys(term for mention in uncounted.mentions for term in mention.spellings)
    words = find_spelling_matches(narrative, spellings)
    return sorted({*words, *uncounted.iter_near_wordings(narrative)})
