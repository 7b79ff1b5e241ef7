"""Reads the records behind a number from one generation, with each mention in its context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Meta, Struct

from indexer.index.generations import open_live_generation
from indexer.index.paging import open_point_in_time, search_sealed_pages
from indexer.records.narrative import SegmentedNarrative
from queries.evidence.locate import RecordQuery
from queries.evidence.masking import mask_identifiers
from queries.matching.highlight import (
    NarrativeSnippet,
    TermMatch,
    find_spelling_matches,
    make_character_snippet,
    make_sentence_snippet,
)
from queries.search.exactness import (
    GENERATION_AGG,
    alias_moved_error,
    require_complete,
    require_exact,
)
from queries.tables.scope import Mention

_RECORDS_PER_PAGE: Final = 500

#: How many records can be left out first: a server counts to 10,000 for a page.
MAX_START: Final = 10_000 - _RECORDS_PER_PAGE

_FIELDS: Final = ("crime_ref", "recorded_on", "offence_code")

_TEXT_FIELDS: Final = ("narrative", "possessives", "compounds")


class SnippetOptions(Struct, frozen=True):
    """How much of the text to show around a mention.

    ``sentences`` is the number of sentences on either side of the one with the mention; without it,
    ``width`` characters are shown on either side. Of each term the first ``max_mentions`` in a
    record are shown; ``mask`` hides what may identify a person.
    """

    width: Annotated[int, Meta(ge=0)] = 60
    sentences: int | None = None
    max_mentions: int = 3
    mask: bool = False


class MentionSnippet(Struct, frozen=True):
    """One mention as it is written in the record, and the text on either side of it."""

    term: str
    before: str
    match: str
    after: str


class Hit(Struct, frozen=True, rename={"mention_count": "found", "snippets": "shown"}):
    """One counted record: how many mentions it has, and the first of them as snippets."""

    crime_ref: str
    recorded_on: str
    offence_code: str
    mention_count: int = 0
    snippets: tuple[MentionSnippet, ...] = ()


def iter_hits(  # noqa: PLR0913 - which records, and how they are shown
    client: Elasticsearch,
    alias: str,
    selection: RecordQuery,
    options: SnippetOptions | None = None,
    *,
    generation_name: str | None = None,
    start: int = 0,
) -> Iterator[Hit]:
    """Every record behind a number, ordered by reference; with ``options``, with its snippets.

    The first ``start`` are left out, at most MAX_START.
    Raises NoIndexError, InexactError, and GenerationError where the live generation is not
    ``generation_name`` or changes meanwhile.
    """
    generation = open_live_generation(client, alias)
    if generation_name not in (None, generation.name):
        raise alias_moved_error(alias)
    with open_point_in_time(client, alias):
        pass  # This needs the privilege to read whole records, which a publisher's role lacks.
    pages = search_sealed_pages(
        client,
        alias,
        query=selection.query.to_dict(),
        size=_RECORDS_PER_PAGE,
        source=list(_TEXT_FIELDS) if options and selection.mentions else False,
        docvalue_fields=[{"field": name} for name in _FIELDS],
        track_total_hits=True,
        aggs=GENERATION_AGG,
        from_=start,
    )
    for body in pages:
        if require_complete(require_exact(body), generation) is None:
            raise alias_moved_error(alias)
        for hit in body["hits"]["hits"]:
            record = Hit(*(hit["fields"][name][0] for name in _FIELDS))
            if options and selection.mentions:
                record = _add_snippets(record, hit["_source"], selection.mentions, options)
            yield record


def _add_snippets(
    hit: Hit, source: dict[str, Any], mentions: tuple[Mention, ...], options: SnippetOptions
) -> Hit:
    narrative = SegmentedNarrative(*(source.get(name, []) for name in _TEXT_FIELDS))
    mention_count, snippets = find_snippets(narrative, mentions, options)
    return msgspec.structs.replace(hit, mention_count=mention_count, snippets=snippets)


def find_snippets(
    narrative: SegmentedNarrative, mentions: Sequence[Mention], options: SnippetOptions
) -> tuple[int, tuple[MentionSnippet, ...]]:
    """How many mentions of the terms a narrative has, and those that the options say to show."""
    text = "".join(narrative.segments)
    snippets: list[MentionSnippet] = []
    mention_count = 0
    for mention in mentions:
        matches = find_spelling_matches(narrative, mention.spellings)
        mention_count += len(matches)
        snippets += make_snippets(text, mention.term.written, matches, options)
    return mention_count, tuple(snippets)


def drop_repeated(snippets: Sequence[MentionSnippet]) -> tuple[MentionSnippet, ...]:
    """The snippets for a reader, each place once even if it mentions several terms."""
    places: dict[tuple[str, str, str], MentionSnippet] = {}
    for snippet in snippets:
        places.setdefault((snippet.before, snippet.match, snippet.after), snippet)
    return tuple(places.values())


def make_snippets(
    text: str, term: str, matches: Sequence[TermMatch], options: SnippetOptions
) -> list[MentionSnippet]:
    """The first matches of a term in a text, as many as the options say to show."""
    snippets = []
    for match in matches[: options.max_mentions]:
        snippet = (
            make_character_snippet(text, match, options.width)
            if options.sentences is None
            else make_sentence_snippet(text, match, options.sentences)
        )
        if options.mask:
            snippet = _mask_snippet(snippet)
        snippets.append(MentionSnippet(term, *snippet))
    return snippets


def _mask_snippet(snippet: NarrativeSnippet) -> NarrativeSnippet:
    return NarrativeSnippet(
        mask_identifiers(snippet.before), snippet.match, mask_identifiers(snippet.after)
    )
