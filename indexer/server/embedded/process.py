"""Starts and stops the embedded server, and finds its address."""

from __future__ import annotations

import errno
import socket
import time
from pathlib import Path
from typing import Final

import psutil
from elasticsearch import ApiError, Elasticsearch, TransportError, UnsupportedProductError

from indexer.config.model import Settings
from indexer.errors import EmbeddedError
from indexer.progress import Progress
from indexer.server.address import ServerAddress
from indexer.server.embedded.account import make_account
from indexer.server.embedded.config import require_reachable, write_server_config
from indexer.server.embedded.home import (
    ServerHome,
    can_run_here,
    explain_disk_errors,
)
from indexer.server.embedded.install import install_distribution
from indexer.server.embedded.leftovers import (
    NO_PERF_DATA,
    clear_temporary_folder,
    remove_attach_sockets,
)
from indexer.server.embedded.lookup import (
    ServerProcess,
    find_server,
    find_server_process,
    find_started_process,
    is_process_alive,
    read_process_file,
    wait_for_exit,
    write_process_file,
)
from indexer.server.embedded.scripts import read_log_tail, run_script
from indexer.server.embedded.waiting import (
    StartTimer,
    build_death_advice,
    build_slow_advice,
)

_SUPERUSER: Final = "elastic"

# The server's memory holds records' text: a server that dies must not leave a dump of it.
_NO_DUMPS_OPTIONS: Final = "-XX:-HeapDumpOnOutOfMemoryError -XX:-CreateCoredumpOnCrash"


def start_embedded_server(settings: Settings, progress: Progress) -> ServerAddress:
    """Start the server unless it runs, and return its address. Raises EmbeddedError.

    Two calls at the same moment start one server.
    """
    _require_supported_system()
    home = open_server_home(settings)
    home.require_usable_name()
    with home.lock():
        process = find_server(home, progress)
        if process and not _await_answer(home, process):
            process = None
        if process is None:
            # What would fail later is refused before anything is fetched.
            if home.is_root:
                make_account(home.account)
            require_reachable(home, home.folder)
            _require_free_port(settings.embedded.port)
            install_distribution(home, settings.downloads, progress)
            process = _start_server(home, settings, progress)
        write_process_file(home, process, progress)
        return _build_address(home, process, settings)


def fetch_embedded_server(settings: Settings, progress: Progress) -> Path:
    """Fetch and unpack the server without starting it; returns its folder. Raises EmbeddedError."""
    _require_supported_system()
    home = open_server_home(settings)
    home.require_usable_name()
    with home.lock():
        install_distribution(home, settings.downloads, progress)
    return home.distribution


def stop_embedded_server(settings: Settings, progress: Progress) -> bool:
    """Stop the server; False where none is running. Raises EmbeddedError."""
    if not can_run_here():
        return False
    home = open_server_home(settings)
    with explain_disk_errors(home.folder):
        if not home.folder.exists():
            return False
    with home.lock():
        recorded = read_process_file(home, progress)
        process = (recorded.find_running() if recorded else None) or find_server_process(home)
        if process:
            _end_process(process)
        clear_temporary_folder(home)
        with explain_disk_errors(home.folder):
            home.process_file.unlink(missing_ok=True)
        return process is not None


def find_embedded_address(settings: Settings) -> ServerAddress | None:
    """The address of the running server, or None. Raises EmbeddedError."""
    if not can_run_here():
        return None
    home = open_server_home(settings)
    home.require_usable_name()
    with explain_disk_errors(home.folder):
        if not home.folder.exists():
            return None
    home.require_own()
    process = find_server(home, Progress(quiet=True))
    return _build_address(home, process, settings) if process else None


def _require_supported_system() -> None:
    if not can_run_here():
        raise EmbeddedError(
            "the embedded server runs on Linux and macOS only. Set FOIDEX_URL to the address of "
            "an Elasticsearch 9."
        )


def open_server_home(settings: Settings) -> ServerHome:
    """The home folder that the settings name."""
    return ServerHome(settings.home, settings.embedded)


def _build_address(home: ServerHome, process: ServerProcess, settings: Settings) -> ServerAddress:
    return ServerAddress(
        url=f"http://127.0.0.1:{process.port}",
        user=_SUPERUSER,
        password=home.read_password(),
        timeout=settings.server.timeout,
        is_embedded=True,
    )


def _require_free_port(port: int) -> None:
    """Raise EmbeddedError where the configured port cannot be used; 0 is any free one."""
    if port == 0:
        return
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            in_use = error.errno == errno.EADDRINUSE
            raise EmbeddedError(
                f"port {port} of this machine is {'taken' if in_use else 'not ours to use'}. "
                "Free it, or set FOIDEX_PORT (embedded.port) to 0 to take the first free one."
            ) from None


def _start_server(home: ServerHome, settings: Settings, progress: Progress) -> ServerProcess:
    with explain_disk_errors(home.folder):
        process = find_server_process(home) or _launch_server(home, settings, progress)
    try:
        port = _await_server(home, process)
        return ServerProcess(process.pid, process.create_time(), port)
    except psutil.Error:
        raise _make_startup_error(home) from None
    except EmbeddedError:
        _end_process(process)
        raise


def _launch_server(home: ServerHome, settings: Settings, progress: Progress) -> psutil.Process:
    if before := read_process_file(home, progress):
        remove_attach_sockets([before.pid])
    clear_temporary_folder(home)
    write_server_config(home, settings.embedded.port)
    progress.say("Starting the server.")
    for stale_file in (home.pid_file, home.ports_file, home.process_file):
        stale_file.unlink(missing_ok=True)
    heap = settings.embedded.heap
    java_options = f"-Xms{heap} -Xmx{heap} {_NO_DUMPS_OPTIONS} {NO_PERF_DATA}"
    code, output = run_script(
        home, "elasticsearch", "-d", "-p", str(home.pid_file), java_options=java_options
    )
    if code != 0:
        raise _make_startup_error(home, output)
    process = find_started_process(home)
    if process is None:
        raise _make_startup_error(home)
    return process


def _await_server(home: ServerHome, process: psutil.Process) -> int:
    """Wait until the server answers; returns its port."""
    timer = StartTimer(home)
    while True:
        if not is_process_alive(process):
            raise _make_startup_error(home)
        port = home.read_port()
        if port and is_server_ready(home, port):
            return port
        if reason := timer.explain_giving_up(process.pid):
            raise EmbeddedError(
                f"{home.folder}: the embedded server {reason}, so it was stopped. "
                f"{build_slow_advice(home)}\n{read_log_tail(home)}"
            )
        time.sleep(0.1)


def _await_answer(home: ServerHome, process: ServerProcess) -> bool:
    """Whether a server that was found answers; False once its process has ended.

    One that was killed a moment ago still has a process: alive means that it answers. Raises
    EmbeddedError for one that runs and does not.
    """
    timer = StartTimer(home)
    while not _is_server_answering(home, process.port):
        if not process.find_running():
            return False
        if reason := timer.explain_giving_up(process.pid):
            raise EmbeddedError(
                f"{home.folder}: the embedded server runs but does not answer: it {reason}. "
                f"{build_slow_advice(home)} Or stop it: foidex down."
            )
        time.sleep(0.1)
    return True


def _make_probe_client(home: ServerHome, port: int) -> Elasticsearch:
    """A client that asks the server once, and does not wait long for it."""
    return Elasticsearch(
        f"http://127.0.0.1:{port}",
        basic_auth=(_SUPERUSER, home.read_password()),
        request_timeout=15,
        max_retries=0,
    )


def _is_server_answering(home: ServerHome, port: int) -> bool:
    """Whether anything that is asked of the server is answered, if only with an error."""
    with _make_probe_client(home, port) as client:
        try:
            client.info()
        except TransportError:
            return False
        except (ApiError, UnsupportedProductError):
            return True
        return True


def is_server_ready(home: ServerHome, port: int) -> bool:
    """Whether the server answers. Raises EmbeddedError where it refuses the password."""
    with _make_probe_client(home, port) as client:
        try:
            client.cluster.health(wait_for_status="yellow", timeout="10s")
        except TransportError:
            return False
        except ApiError as error:
            if error.status_code == 401:
                raise EmbeddedError(
                    f"{home.password_file}: the server refuses this password. Restore the file, "
                    "or delete it and try again: a new one is made."
                ) from None
            # 408 is an answer: commands report a shard that does not recover.
            return error.status_code == 408
        return True


def _make_startup_error(home: ServerHome, output: str = "") -> EmbeddedError:
    return EmbeddedError(
        f"{home.folder}: the embedded server died while starting. {build_death_advice(home)}\n"
        f"{read_log_tail(home, output)}"
    )


def _end_process(process: psutil.Process) -> None:
    try:
        process.terminate()
        if not wait_for_exit(process):
            process.kill()
            wait_for_exit(process)
            remove_attach_sockets([process.pid])
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied:
        raise EmbeddedError(
            f"process {process.pid} is not ours to stop. Use the user who started it."
        ) from None
    if is_process_alive(process):
        raise EmbeddedError(
            f"process {process.pid} does not end, even when killed. Look at the machine's disk."
        )
