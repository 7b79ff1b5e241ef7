"""The records behind a number, read page by page from one point in time, however many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from elasticsearch import Elasticsearch

from indexer import generations
from queries import execute
from queries.scope import Scope, counted_query

_PAGE: Final = 1_000
_KEEP: Final = "5m"
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
    pit = client.open_point_in_time(index=alias, keep_alive=_KEEP)["id"]
    after: list[Any] | None = None
    try:
        while True:
            body = execute.exact(
                client.search(
                    pit={"id": pit, "keep_alive": _KEEP},
                    query=query,
                    size=_PAGE,
                    source=False,
                    docvalue_fields=[{"field": name} for name in _FIELDS],
                    sort=[{"crime_ref": "asc"}],
                    search_after=after,
                    track_total_hits=True,
                    allow_partial_search_results=False,
                ).body
            )
            hits = body["hits"]["hits"]
            if not hits:
                return
            for hit in hits:
                yield Hit(*(hit["fields"][name][0] for name in _FIELDS))
            after = hits[-1]["sort"]
    finally:
        client.close_point_in_time(id=pit)
