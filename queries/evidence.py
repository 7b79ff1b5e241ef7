"""The records behind a number, read page by page from one point in time, however many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from elasticsearch import Elasticsearch

from indexer import generations, paging
from queries import execute
from queries.scope import Scope, counted_query

_PAGE: Final = 1_000
_FIELDS: Final = ("crime_ref", "recorded_on", "offence_code")


class Hit(NamedTuple):
    """One record that counts."""

    crime_ref: str
    recorded_on: str
    offence_code: str

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields as columns."""
        return tuple(self)


def find(client: Elasticsearch, alias: str, scope: Scope) -> Iterator[Hit]:
    """Every record counted in a scope, by reference. Raises as ``execute.answer``."""
    generations.live(client, alias)
    query = {"bool": {"filter": [scope.query().to_dict(), counted_query().to_dict()]}}
    pages = paging.pages(
        client,
        alias,
        query=query,
        size=_PAGE,
        source=False,
        docvalue_fields=[{"field": name} for name in _FIELDS],
        track_total_hits=True,
    )
    for body in pages:
        for hit in execute.exact(body)["hits"]["hits"]:
            yield Hit(*(hit["fields"][name][0] for name in _FIELDS))
