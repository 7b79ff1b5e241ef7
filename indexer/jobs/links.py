"""Resolves linked records: a link that is only a reference gets the offence code of that record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from elasticsearch import Elasticsearch

from indexer.errors import SourceError
from indexer.index.generations import Generation
from indexer.index.paging import search_pages
from indexer.loading.bulk_request import post_documents
from indexer.loading.content_hash import CONTENT_HASH_RANGE, hash_content
from indexer.loading.preparation import BulkDocument
from indexer.loading.tally import Tally
from indexer.records.document import encode_document
from indexer.records.offences import OffenceTable

PAGE_RECORDS: Final = 500

_MAX_CHANGED_REFERENCES: Final = 50_000


def resolve_links(
    client: Elasticsearch, generation: Generation, tally: Tally, table: OffenceTable
) -> Generation:
    """Give each link that is a bare reference the code of the record it names.

    Links whose record is not in this generation stay without a code and are counted. In a changed
    generation, links to a changed record are looked up again. Returns the generation with its
    unresolved links and content hash. Raises SourceError or ServerError where a record cannot be
    stored.
    """
    content = tally.content
    unresolved = 0
    if tally.bare_links or tally.changed:
        client.indices.refresh(index=generation.name)
        for page in _iter_link_pages(client, generation.name, tally.changed or []):
            content += _resolve_link_page(client, generation.name, table, page)
        client.indices.refresh(index=generation.name)
        unresolved = _count_bare_links(client, generation.name)
    return msgspec.structs.replace(
        generation,
        unresolved_links=unresolved,
        content_hash=f"{content % CONTENT_HASH_RANGE:032x}",
    )


def _query_bare_links() -> dict[str, Any]:
    return {"bool": {"must_not": {"exists": {"field": "linked.offence_code"}}}}


def _count_bare_links(client: Elasticsearch, name: str) -> int:
    aggregation = {"nested": {"path": "linked"}, "aggs": {"bare": {"filter": _query_bare_links()}}}
    response = client.search(
        index=name, size=0, aggs={"links": aggregation}, allow_partial_search_results=False
    )
    return int(response["aggregations"]["links"]["bare"]["doc_count"])


def _iter_link_pages(
    client: Elasticsearch, name: str, changed_references: list[str]
) -> Iterator[list[dict[str, Any]]]:
    """The records with a bare link, or one that was resolved by a record that changed."""
    resolved: list[dict[str, Any]] = [{"term": {"linked.resolved": True}}]
    if len(changed_references) <= _MAX_CHANGED_REFERENCES:
        resolved.append({"terms": {"linked.crime_ref": changed_references}})
    link_query = {"bool": {"should": [_query_bare_links(), {"bool": {"filter": resolved}}]}}
    query = {"nested": {"path": "linked", "query": link_query}}
    for body in search_pages(client, name, query=query, size=PAGE_RECORDS):
        if body["hits"]["hits"]:
            yield body["hits"]["hits"]


def _resolve_link_page(
    client: Elasticsearch, name: str, table: OffenceTable, page: list[dict[str, Any]]
) -> int:
    """Resolve the links of a page of records; returns the change of the content hash."""
    links = [link for hit in page for link in hit["_source"]["linked"] if _is_bare_link(link)]
    references = sorted({link["crime_ref"] for link in links})
    targets = client.mget(index=name, ids=references, source_includes=["offence_code"])["docs"]
    codes = {
        target["_id"]: target["_source"]["offence_code"]
        for target in targets
        if target.get("found") and "offence_code" in target["_source"]
    }
    changed_documents: list[BulkDocument] = []
    hash_change = 0
    for hit in page:
        before = hit["_source"]
        links = [_resolve_link(link, codes, table) for link in before["linked"]]
        if links != before["linked"]:
            after = {**before, "linked": links}
            hash_change += hash_content(after) - hash_content(before)
            changed_documents.append(BulkDocument(hit["_id"], encode_document(after)))
    if post_documents(client, name, "index", changed_documents):
        raise SourceError(
            "the server refused records whose links were given their codes. Nothing was promoted; "
            "run the command again."
        )
    return hash_change


def _is_bare_link(link: dict[str, Any]) -> bool:
    return "offence_code" not in link or link.get("resolved", False)


def _resolve_link(
    link: dict[str, Any], codes: dict[str, str], table: OffenceTable
) -> dict[str, Any]:
    if not _is_bare_link(link):
        return link
    bare_link = {"crime_ref": link["crime_ref"]}
    code = codes.get(link["crime_ref"])
    if code is None:
        return bare_link
    return {
        **bare_link,
        "offence_code": code,
        "offence_path": list(table.path(code)),
        "resolved": True,
    }
