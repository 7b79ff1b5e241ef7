"""Removes what a server and the scripts that start it leave in temporary folders."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from indexer.files import open_folder
from indexer.server.embedded.home import CONFIG_NAME, ServerHome, is_server_config

# Java puts the socket by which a process is attached to here, whatever its temporary folder is.
_SOCKET_FOLDER: Final = Path("/tmp")  # noqa: S108 - fixed in Java

#: Of a Java whose temporary folder is elsewhere: nothing in hsperfdata_USER.
NO_PERF_DATA: Final = "-XX:-UsePerfData"


def clear_temporary_folder(home: ServerHome) -> None:
    """Empty the temporary folder of a server that does not run.

    One that foidex did not make is left alone: so is what a link leads to, such as the temporary
    folder of the whole system.
    """
    with suppress(OSError):
        if not is_server_config(home.config / CONFIG_NAME):
            return
        with open_folder(home.folder) as folder, folder.open_subfolder(home.tmp.name) as tmp:
            for name in tmp.list_names():
                if stat.S_ISDIR(tmp.find_mode(name) or 0):
                    tmp.remove_tree(name)
                else:
                    tmp.remove_file(name)


def remove_attach_sockets(process_ids: Iterable[int]) -> None:
    """Remove the sockets of Java processes that were killed; those that ended removed their own."""
    for process_id in process_ids:
        path = _SOCKET_FOLDER / f".java_pid{process_id}"
        with suppress(OSError):
            if not _is_alive(process_id) and stat.S_ISSOCK(path.lstat().st_mode):
                path.unlink()


def _is_alive(process_id: int) -> bool:
    """Whether a process runs; one that nobody has collected does not."""
    try:
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def build_java_environment(home: ServerHome) -> dict[str, str]:
    """The variable that keeps the scripts' own Java out of the system's temporary folder."""
    quote = "'" if '"' in str(home.tmp) else '"'
    return {"JDK_JAVA_OPTIONS": f"{NO_PERF_DATA} {quote}-Djava.io.tmpdir={home.tmp}{quote}"}
