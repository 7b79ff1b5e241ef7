"""Expunging: deleted documents are merged out of an index's files, so that their text is gone."""

from __future__ import annotations

import time
from typing import Final, NamedTuple

from elasticsearch import Elasticsearch

_MERGE_TIMEOUT_SECONDS: Final = 6 * 3600

_EXPUNGE_SECONDS: Final = 90

_PAUSE_SECONDS: Final = 0.5

#: Any deleted document is worth a merge, and no history is worth keeping.
_EXPUNGE_SETTINGS: Final = {
    "merge.policy.expunge_deletes_allowed": 0,
    "soft_deletes.retention_lease.period": "0s",
}


class DeletedDocuments(NamedTuple):
    """The deleted documents that the files of any shard copy still hold, counting nested documents,
    and the number of shard copies that could not be asked."""

    documents: int
    missing_copies: int


NO_DELETED_DOCUMENTS: Final = DeletedDocuments(0, 0)


def expunge_deleted(client: Elasticsearch, name: str) -> DeletedDocuments:
    """Rewrite the segments that hold deleted documents until none is left, or time runs out.

    A deleted document stays while another copy of the shard might still ask for its history. An
    index without any is not touched. Returns what is left after that.
    """
    deleted = _count_deleted(client, name)
    if not deleted.documents:
        return deleted
    indices = client.options(request_timeout=_MERGE_TIMEOUT_SECONDS).indices
    indices.put_settings(index=name, settings=_EXPUNGE_SETTINGS)
    deadline = time.monotonic() + _EXPUNGE_SECONDS
    while deleted.documents and time.monotonic() < deadline:
        indices.flush(index=name, force=True, wait_if_ongoing=True)
        indices.forcemerge(index=name, only_expunge_deletes=True)
        indices.flush(index=name, force=True, wait_if_ongoing=True)
        indices.refresh(index=name)
        time.sleep(_PAUSE_SECONDS)
        deleted = _count_deleted(client, name)
    indices.put_settings(index=name, settings=dict.fromkeys(_EXPUNGE_SETTINGS))
    return deleted


def _count_deleted(client: Elasticsearch, name: str) -> DeletedDocuments:
    stats = client.indices.stats(index=name, metric=["docs"]).body
    shards = stats["_shards"]
    documents = int(stats["indices"][name]["total"]["docs"]["deleted"])
    return DeletedDocuments(documents, int(shards["total"] - shards["successful"]))
