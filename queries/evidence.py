"""The records behind a number, page by page from one point in time, and each term in context."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import msgspec
from elasticsearch import Elasticsearch
from msgspec import Meta, Struct

from indexer import generations, paging
from indexer.narrative import Cut
from queries import context, execute, masking
from queries.context import Context
from queries.locate import Located
from queries.scope import Mention

_PAGE: Final = 500
_FIELDS: Final = ("crime_ref", "recorded_on", "offence_code")
_TEXT: Final = ("narrative", "possessives", "compounds")


class Look(Struct, frozen=True):
    """How much of the text to show: ``sentences`` on either side of the one a mention is in, else
    ``width`` characters; of each term the first ``most`` mentions; ``mask`` hides identifiers."""

    width: Annotated[int, Meta(ge=0)] = 60
    sentences: int | None = None
    most: int = 3
    mask: bool = False


class Shown(Struct, frozen=True):
    """One mention as it is written, and the text on either side of it."""

    term: str
    before: str
    match: str
    after: str


class Hit(Struct, frozen=True):
    """One record that counts: how many mentions were ``found``, and the first of them."""

    crime_ref: str
    recorded_on: str
    offence_code: str
    found: int = 0
    shown: tuple[Shown, ...] = ()


def find(
    client: Elasticsearch,
    alias: str,
    located: Located,
    look: Look | None = None,
    *,
    of: str | None = None,
) -> Iterator[Hit]:
    """Every record behind a number, by reference; with ``look``, its mentions in context.

    Raises as ``execute.answer``, and GenerationError where the generation is not ``of`` that name.
    """
    generation = generations.readable(client, alias)
    if of not in (None, generation.name):
        raise execute.moved(alias)
    with paging.point_in_time(client, alias):
        pass  # It takes the right to read whole records, which a publisher's role lacks.
    pages = paging.sealed_pages(
        client,
        alias,
        query=located.query.to_dict(),
        size=_PAGE,
        source=list(_TEXT) if look and located.mentions else False,
        docvalue_fields=[{"field": name} for name in _FIELDS],
        track_total_hits=True,
        aggs=execute.WHOLE,
    )
    for body in pages:
        if execute.whole(execute.exact(body), generation) is None:
            raise execute.moved(alias)
        for hit in body["hits"]["hits"]:
            found = Hit(*(hit["fields"][name][0] for name in _FIELDS))
            if look and located.mentions:
                found = _seen(found, hit["_source"], located.mentions, look)
            yield found


def _seen(hit: Hit, source: dict[str, Any], mentions: tuple[Mention, ...], look: Look) -> Hit:
    narrative = Cut(*(source.get(name, []) for name in _TEXT))
    text = "".join(narrative.segments)
    shown: list[Shown] = []
    found = 0
    for mention in mentions:
        places = sorted(
            {match for term in mention.spellings for match in context.matches(narrative, term)}
        )
        found += len(places)
        for match in places[: look.most]:
            around = (
                context.window(text, match, look.width)
                if look.sentences is None
                else context.sentences(text, match, look.sentences)
            )
            if look.mask:
                around = _masked(around)
            shown.append(Shown(mention.term.written, *around))
    return msgspec.structs.replace(hit, found=found, shown=tuple(shown))


def _masked(around: Context) -> Context:
    return Context(masking.masked(around.before), around.match, masking.masked(around.after))
