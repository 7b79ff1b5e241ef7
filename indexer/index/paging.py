"""Reads every document of a query, page by page, however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from elasticsearch import ApiError, Elasticsearch, TransportError

KEEP_ALIVE: Final = "5m"


@contextmanager
def open_point_in_time(client: Elasticsearch, index: str) -> Iterator[str]:
    """A point in time of an index or alias, closed at the end."""
    pit = client.open_point_in_time(index=index, keep_alive=KEEP_ALIVE)["id"]
    try:
        yield pit
    finally:
        # It ends with the server, and otherwise after KEEP_ALIVE.
        with suppress(ApiError, TransportError):
            client.close_point_in_time(id=pit)


def search_pages(
    client: Elasticsearch, index: str, **search_options: Any
) -> Iterator[dict[str, Any]]:
    """The response bodies of a search's pages, sorted by reference; the last has no hits.

    ``search_options`` are those of ``client.search``, with ``size`` as the documents of a page. The
    caller checks that each body is exact.
    """
    with open_point_in_time(client, index) as pit:
        yield from _request_pages(
            client, pit={"id": pit, "keep_alive": KEEP_ALIVE}, **search_options
        )


def search_sealed_pages(
    client: Elasticsearch, alias: str, **search_options: Any
) -> Iterator[dict[str, Any]]:
    """Like ``search_pages``, for a sealed generation through its alias.

    It needs no point in time, which takes a right to the index itself. The caller checks which
    generation answered. Of ``search_options``, ``from_`` is how many documents are left out first;
    with the ``size`` it is at most 10,000.
    """
    yield from _request_pages(client, index=alias, **search_options)


def _request_pages(
    client: Elasticsearch, from_: int = 0, **search_options: Any
) -> Iterator[dict[str, Any]]:
    after: list[Any] | None = None
    while True:
        body: dict[str, Any] = client.search(
            sort=[{"crime_ref": "asc"}],
            search_after=after,
            from_=0 if after else from_,
            allow_partial_search_results=False,
            **search_options,
        ).body
        yield body
        hits = body["hits"]["hits"]
        if not hits:
            return
        after = hits[-1]["sort"]
