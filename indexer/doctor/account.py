"""Checks whether the embedded server that root started has its account for itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psutil

from indexer.config.model import Settings
from indexer.doctor.finding import Finding, Findings
from indexer.progress import Progress
from indexer.server.embedded.account import is_shared_account, list_accounts_with_id
from indexer.server.embedded.home import SERVER_VERSION
from indexer.server.embedded.lookup import find_server
from indexer.server.embedded.process import open_server_home

_CHECK: Final = "server account"

_REMEDY: Final = (
    "Name an account that only the server uses with FOIDEX_SERVER_USER, or none for foidex's own; "
    "then run foidex down and foidex up."
)


def check_server_account(settings: Settings) -> Findings:
    """Whether anything else runs as the account of a running server, or shares its user id.

    Nothing is found where root did not start it: then it is the user's own process.
    """
    home = open_server_home(settings)
    server = find_server(home, Progress(quiet=True)) if home.is_root else None
    if server is None:
        return
    user_id = psutil.Process(server.pid).uids().real
    names = list_accounts_with_id(user_id)
    if any(is_shared_account(name, user_id) for name in names or [""]):
        yield Finding(
            _CHECK,
            "problem",
            "the server runs as an account that other services use; they can read its password "
            "and the records.",
            _REMEDY,
        )
        return
    if len(names) > 1:
        yield Finding(
            _CHECK, "problem", f"{len(names)} accounts have the server's user id.", _REMEDY
        )
    others = list(_iter_other_processes(user_id, server.pid))
    if others:
        yield Finding(
            _CHECK,
            "problem",
            f"other processes run as the server's account and can read its password and the "
            f"records: {', '.join(map(str, others[:10]))}.",
            f"End them, or: {_REMEDY[0].lower()}{_REMEDY[1:]}",
        )
    elif len(names) <= 1:
        yield Finding(_CHECK, "ok", "nothing else runs as the server's account.")


def _iter_other_processes(user_id: int, server_id: int) -> Iterator[int]:
    """The ids of an account's processes that belong to no embedded server of this machine's root.

    One that has ended, but that nobody has collected, reads nothing.
    """
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            own = process.pid == server_id or any(
                f"/server/{SERVER_VERSION}/" in one for one in words
            )
            ended = process.status() == psutil.STATUS_ZOMBIE
            if process.uids().real == user_id and not own and not ended:
                yield process.pid
        except psutil.Error:  # it ended meanwhile
            continue
