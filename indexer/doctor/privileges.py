"""Checks what this user may do, by the privileges that each kind of command needs."""

from __future__ import annotations

from typing import Any, Final

import elasticsearch
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.doctor.finding import Finding, Findings

_NODES_PRIVILEGE: Final = "cluster:monitor/nodes/info"

_LOCK_PRIVILEGES: Final = ("create_index", "write", "read")


class CommandPrivileges(Struct, frozen=True):
    """The privileges that a kind of command needs: on the cluster, and by index name ({} stands for
    the alias). ``role`` is the one of docker/elasticsearch/roles.yml that has these; it has no
    others than those of the commands it is for."""

    may: str
    role: str
    cluster: tuple[str, ...]
    indices: dict[str, tuple[str, ...]]


COMMAND_PRIVILEGES: Final = (
    CommandPrivileges(
        "count and answer",
        "foidex_publisher",
        (_NODES_PRIVILEGE,),
        {"{}": ("indices:data/read/search", "view_index_metadata")},
    ),
    CommandPrivileges(
        "publish",
        "foidex_publisher",
        (_NODES_PRIVILEGE,),
        {
            "{}.ledger": (
                "create_index",
                "create_doc",
                "indices:data/read/get",
                "indices:data/read/search",
            ),
        },
    ),
    CommandPrivileges(
        "find records",
        "foidex_analyst",
        (_NODES_PRIVILEGE,),
        {"{}": ("read", "view_index_metadata")},
    ),
    CommandPrivileges(
        "refresh",
        "foidex_indexer",
        (_NODES_PRIVILEGE, "cluster:monitor/health"),
        {
            "{}-*": (
                "create_index",
                "delete_index",
                "write",
                "read",
                "view_index_metadata",
                "monitor",
                "maintenance",
                "indices:admin/aliases",
                "indices:admin/mapping/put",
                "indices:admin/resize",
                "indices:admin/settings/update",
            ),
            "{}": ("view_index_metadata", "indices:admin/aliases"),
            "{}.lock": _LOCK_PRIVILEGES,
        },
    ),
    CommandPrivileges(
        "back up",
        "foidex_keeper",
        (
            _NODES_PRIVILEGE,
            "create_snapshot",
            "cluster:admin/snapshot/delete",
            "cluster:admin/snapshot/restore",
        ),
        {
            "{}-*": (
                "delete_index",
                "view_index_metadata",
                "indices:admin/aliases",
                "indices:admin/settings/update",
                "indices:data/read/search",
            ),
            "{}": ("view_index_metadata", "indices:admin/aliases"),
            "{}.lock": _LOCK_PRIVILEGES,
        },
    ),
)


def check_privileges(client: Elasticsearch, alias: str) -> Findings:
    """One finding for each kind of command. It is a problem only for a user who may do none."""
    lacks: dict[str, list[str]] = {}
    for rights in COMMAND_PRIVILEGES:
        index_privileges = [
            {"names": [name.format(alias)], "privileges": list(privileges)}
            for name, privileges in rights.indices.items()
        ]
        try:
            answer = client.security.has_privileges(
                cluster=list(rights.cluster), index=index_privileges
            ).body
        except elasticsearch.ApiError as error:
            if error.status_code not in (400, 405):
                raise
            yield Finding(
                "rights",
                "warning",
                "the server's security is off: whoever reaches it may read and change all records.",
                "Switch it on (xpack.security.enabled).",
            )
            return
        lacks[rights.may] = list_missing_privileges(answer)
    lacks_everything = all(lacks.values())
    for rights in COMMAND_PRIVILEGES:
        if not (missing := lacks[rights.may]):
            yield Finding("rights", "ok", f"this user may {rights.may}.")
            continue
        yield Finding(
            "rights",
            "problem" if lacks_everything else "warning",
            f"this user may not {rights.may}: it lacks {'; '.join(missing)}.",
            f"If it is to, give it the role {rights.role} of docker/elasticsearch/roles.yml.",
        )


def list_missing_privileges(answer: dict[str, Any]) -> list[str]:
    """The privileges that the server's answer denies, by what they are on."""
    lacks = {"the cluster": answer["cluster"], **answer["index"]}
    descriptions = []
    for target, privileges in lacks.items():
        if names := sorted(name for name, granted in privileges.items() if not granted):
            descriptions.append(f"{', '.join(names)} on {target}")
    return descriptions
