"""Finds the running server of a home: by its process file, or by its command line."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import Final

import msgspec
import psutil
from msgspec import Struct

from indexer.errors import EmbeddedError
from indexer.files import read_file, write_file
from indexer.progress import Progress
from indexer.server.embedded.home import ServerHome, explain_disk_errors

#: How long a process may take to end before it is killed.
STOP_SECONDS: Final = 30

_MAIN_CLASS: Final = "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch"


class ServerProcess(Struct, frozen=True):
    """The process of a running server. ``created`` (seconds since 1970) tells it from a later
    process with the same id."""

    pid: int
    created: float
    port: int

    def find_running(self) -> psutil.Process | None:
        """The process, if it is still running."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1
        except (psutil.Error, ValueError, OverflowError):
            return None
        if not same or not is_process_alive(process):
            return None
        with suppress(psutil.Error):
            if not process.cmdline() and wait_for_exit(process):
                return None  # killed: it has given up its memory and is about to end
        return process


def find_server(home: ServerHome, progress: Progress) -> ServerProcess | None:
    """The running server, or None. Raises EmbeddedError for a file that cannot be read.

    A process file that is missing or wrong proves nothing: a start may have been interrupted before
    it was written, or the clock set since. Then the server is found by its command line.
    """
    recorded = read_process_file(home, progress)
    if recorded and recorded.find_running():
        return recorded
    process = find_server_process(home)
    port = home.read_port()
    return ServerProcess(process.pid, process.create_time(), port) if process and port else None


def find_server_process(home: ServerHome) -> psutil.Process | None:
    """The process whose command line is that of this home's server."""
    user = home.find_owner_id() if home.is_root else os.geteuid()
    home_option = f"-Djava.io.tmpdir={home.tmp}"
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            is_server = (
                words[-1:] == [_MAIN_CLASS]
                and home_option in words
                and process.uids().real == user
                and is_process_alive(process)
            )
            # The process remembers its time of creation, so it can be asked for later.
            if is_server and process.create_time():
                return process
        except psutil.Error:
            continue
    return None


def find_started_process(home: ServerHome) -> psutil.Process | None:
    """The process whose number a server wrote down when it was started; None if there is none.

    The file is in a folder of the server's account, which could name a process of anybody there.
    """
    ids = home.find_account_ids()
    user = ids[0] if ids else os.geteuid()
    try:
        process = psutil.Process(int(read_file(home.pid_file)))
        return process if process.uids().real == user else None
    except (OSError, ValueError, psutil.Error):
        return None


def read_process_file(home: ServerHome, progress: Progress) -> ServerProcess | None:
    """What the process file says; None where there is none, or not a valid one."""
    try:
        return msgspec.json.decode(read_file(home.process_file), type=ServerProcess)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        progress.say(f"{home.process_file} is not a process file and is ignored.")
        return None
    except OSError as error:
        raise EmbeddedError(
            f"{home.process_file}: cannot be read ({error.strerror}). Use the user who started the "
            "server, or another folder with FOIDEX_HOME."
        ) from None


def write_process_file(home: ServerHome, process: ServerProcess, progress: Progress) -> None:
    """Write the process file, unless it says the same already. Raises EmbeddedError."""
    if process != read_process_file(home, progress):
        with explain_disk_errors(home.folder):
            write_file(home.process_file, msgspec.json.encode(process), private=True)


def is_process_alive(process: psutil.Process) -> bool:
    """Whether it runs. One that has ended, but whose parent has not collected it, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def wait_for_exit(process: psutil.Process) -> bool:
    """Wait for a process to end; False where it takes longer than STOP_SECONDS."""
    deadline = time.monotonic() + STOP_SECONDS
    while is_process_alive(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
