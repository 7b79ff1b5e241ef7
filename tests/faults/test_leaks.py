"""Canaries in texts, names and passwords: after every kind of failure, nothing written holds one.

Searched are what commands say, the working folder, the folder for temporary files, and the home with
the server's own logs; not what is there to hold text: sources, the index, rejects and results.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from indexer.records.sample import SAMPLE_WORDINGS
from indexer.server.connection import connect_server
from indexer.server.embedded.process import start_embedded_server, stop_embedded_server
from tests.support.command_line import run_command
from tests.support.server import PRIVATE, SILENT, end_home, new_home, settings_for

FOIDEX = str(Path(sys.executable).with_name("foidex"))

TEXT = "zqxwvkjhyp"

NAME = "Qwxzvbryth"

SECRET = "Pk7vXzQ0-canary-password"

CANARIES = (TEXT, NAME, SECRET)

GOOD: list[dict[str, Any]] = [
    {
        "crime_ref": f"R{number}",
        "recorded_on": "2019-06-01",
        "offence_code": "22B",
        "narrative": f"{NAME} told of a livestream. {TEXT}",
        "victims": [{"victim_ref": NAME, "age": 12}],
        "updated_at": "2020-01-01T00:00:00Z",
    }
    for number in range(50)
]


def broken(**change: Any) -> bytes:
    return msgspec.json.encode({**GOOD[0], "crime_ref": "B", **change})


BROKEN = [
    broken(recorded_on=TEXT),
    broken(recorded_on=f"2019-06-01 {NAME}"),
    broken(narrative={TEXT: NAME}),
    broken(narrative=[TEXT, 7]),
    # A field's name is shown, so that it can be corrected, where it looks like one.
    broken(**{f"{TEXT}, {NAME}": NAME}),
    broken(district=NAME),
    broken(victims=[{f"{NAME}.": 1}]),
    broken(victims=[{"victim_ref": NAME, "age": TEXT}]),
    broken(linked=[{"crime_ref": {TEXT: NAME}}]),
    broken(offence_code=f"{TEXT} {NAME}" * 9),
    broken(crime_ref=TEXT * 40),
    broken(status=TEXT),
    broken(outcome=NAME),
    broken(updated_at=f"{TEXT}T00:00:00"),
    broken()[:-9],
    TEXT.encode(),
    f'"{TEXT}"'.encode(),
    f'["{NAME}", "{TEXT}"]'.encode(),
    b'{"crime_ref": "' + NAME.encode() + b'\xff"}',
    f'{{"narrative": "{TEXT}", "narrative": "{NAME}"}}'.encode(),
    msgspec.json.encode(GOOD[0]),  # a second time
]


class Site:
    """A home, a working folder, and a folder for temporary files, all of which are searched."""

    def __init__(self) -> None:
        self.root = new_home()
        self.home = self.root / "home"
        self.work = self.root / "work"
        self.temporary = self.root / "tmp"
        self.sources = self.root / "sources"
        for folder in (self.home, self.work, self.temporary, self.sources):
            folder.mkdir(mode=0o755)
        self.temporary.chmod(0o1777)
        self.said: list[str] = []

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
        own = {"FOIDEX_HOME": str(self.home), "FOIDEX_HEAP": "512m", "TMPDIR": str(self.temporary)}
        return {**kept, **own, **more}

    def run(self, *command: str, code: int, **more: str) -> str:
        """Run a command that ends with a code. What it says is searched, but for the results of
        ``find``, which show text."""
        done = subprocess.run(
            [FOIDEX, *command], env=self.environment(**more), cwd=self.work,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        self.said += [done.stderr] if command[0] == "find" else [done.stderr, done.stdout]
        return done.stderr

    def run_within(self, *command: str, code: int) -> None:
        """The same within this process, where many runs take seconds and not minutes."""
        done = run_command(
            *command, environment=self.environment(), folder=self.work, expected_code=code
        )
        assert "Traceback" not in done.err
        self.said += [done.err, done.out]

    def source(self, name: str, lines: list[bytes]) -> str:
        path = self.sources / name
        path.write_bytes(b"\n".join(lines) + b"\n")
        return str(path)

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Everything that is written, by its name; also what is in packed files."""
        for number, text in enumerate(self.said):
            yield f"what run {number} said", text.encode()
        for folder in (self.home, self.work, self.temporary):
            for path in folder.rglob("*"):
                top = path.relative_to(folder).parts[0]
                if path.is_file() and not (folder == self.home and top in PRIVATE):
                    content = path.read_bytes()
                    yield str(path), gzip.decompress(content) if path.suffix == ".gz" else content

    def leaks(self, *canaries: str) -> list[tuple[str, str]]:
        return [
            (name, canary)
            for name, content in self.written()
            for canary in canaries
            if canary.lower().encode() in content.lower()
        ]


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    one = Site()
    try:
        one.run("load", one.source("good.jsonl", list(map(msgspec.json.encode, GOOD))), code=0)
        yield one
    finally:
        stop_embedded_server(settings_for(one.home), SILENT)
        end_home(one.root)


def test_records_that_are_refused_are_not_quoted(site: Site) -> None:
    for number, line in enumerate(BROKEN):
        first = [msgspec.json.encode(GOOD[0])]
        site.run_within("load", site.source(f"broken-{number}.jsonl", [*first, line]), code=4)
    site.run("load", site.source("all.jsonl", BROKEN), code=4)
    site.run("load", "--reject-invalid", site.source("some.jsonl", BROKEN), code=0)
    assert site.leaks(*CANARIES) == []


def test_tables_that_are_refused_are_not_quoted(site: Site) -> None:
    head = b"crime_ref,recorded_on,offence_code,narrative"
    folder = site.sources / "tables"
    for rows in (
        [head, f"R1,{TEXT},22B,{NAME}".encode()],
        [head, f'R1,2019-06-01,22B,"{TEXT} {NAME}'.encode()],
        [head, f"R1,2019-06-01,22B,{TEXT},{NAME}".encode()],
        [f"{TEXT},{NAME}".encode(), b"1,2"],
        [head, f"R1,2019-06-01,22B,{TEXT}".encode() + b"\xff"],
    ):
        folder.mkdir(exist_ok=True)
        (folder / "crimes.csv").write_bytes(b"\n".join(rows) + b"\n")
        site.run_within("load", str(folder), code=4)
    (folder / "crimes.csv").write_bytes(head + f"\nR1,2019-06-01,22B,{TEXT}\n".encode())
    (folder / "victims.csv").write_text(f"crime_ref,victim_ref,age\nX,{NAME},{TEXT}\n")
    site.run("load", str(folder), code=4)
    assert site.leaks(*CANARIES) == []


def test_reports_metrics_and_logs_of_a_refresh_quote_nothing(site: Site) -> None:
    (site.work / "foidex.toml").write_text(
        f'[source]\npaths = ["{site.sources}/night.jsonl"]\n'
        '[refresh]\nreport = "report.json"\nmetrics = "foidex.prom"\n'
    )
    site.source("night.jsonl", BROKEN)
    site.run("refresh", code=4)
    site.run("refresh", "--check", code=4)
    assert (site.home / "report.json").exists()
    site.run("refresh", "--incremental", "--allow", "rejects", "--allow", "shrink", code=0)
    site.source("night.jsonl", list(map(msgspec.json.encode, GOOD)))
    site.run("refresh", code=0)
    (site.work / "foidex.toml").unlink()
    assert json.loads((site.home / "report.json").read_bytes())["outcome"] == "promoted"
    assert site.leaks(*CANARIES) == []


@pytest.mark.timeout(600)
def test_the_commands_of_production_quote_nothing(site: Site) -> None:
    """Nor what they are given, where it is no name of anything."""
    for command, code in (
        ("doctor", 0),
        ("backup --to one --all", 0),
        ("backup --to one", 19),
        ("restore one", 19),
        ("backups", 0),
        ("generations --format json", 0),
        ("forget R7", 0),
        ("forget R7 --format json", 0),
        ("forget nowhere", 3),
        ("forget R7 --undo", 0),
        ("prune --keep 1 --max-age-days 1", 0),
        ("rollback", 6),
        ("count livestream --by sex", 0),
        ("audit show", 0),
        ("audit show --forgotten R7", 0),
        ("audit verify", 0),
        ("status", 0),
        ("backups --delete one", 0),
    ):
        site.run(*command.split(), code=code)
    assert site.leaks(*CANARIES) == []
    log = (site.home / "audit" / "audit.jsonl").read_bytes()
    said = [msgspec.json.decode(line) for line in log.splitlines()]
    forgotten = [one["asked"] for one in said if one["command"].startswith("forget")]
    key = (site.home / "audit" / "audit.key").read_bytes()
    mark = hmac.digest(key, b"R7", "sha256").hex()
    marks = [asked["crime_ref_hmac_sha256"] for asked in forgotten]
    assert marks.count(mark) == 6  # before and after
    assert hashlib.sha256(b"R7").hexdigest().encode() not in log
    undone = [one for one in said if one["command"] == "forget --undo"]
    assert [(one.get("begins"), one.get("records")) for one in undone] == [(True, None), (None, 1)]
    assert b"R7" not in log


def test_a_password_is_in_nothing_that_is_said(site: Site) -> None:
    server = start_embedded_server(settings_for(site.home), SILENT)
    wrong = {"FOIDEX_USER": "elastic", "FOIDEX_PASSWORD": SECRET}
    site.run("count", "livestream", code=5, FOIDEX_URL=server.url, **wrong)
    site.run("status", code=5, FOIDEX_URL="http://127.0.0.1:1", **wrong)
    host = server.url.removeprefix("http://")
    site.run("status", code=5, FOIDEX_URL=f"http://elastic:{SECRET}@127.0.0.1:1")
    site.run("count", "x", code=5, FOIDEX_URL=f"http://elastic:{SECRET}@{host}")
    site.run("status", code=10, FOIDEX_URL=f"ftp://elastic:{SECRET}@{host}")
    (site.root / "wrong.toml").write_text(f'[server]\npassword = "{SECRET}"\ntimeout = "x"\n')
    site.run("--config", str(site.root / "wrong.toml"), "status", code=10)
    (site.root / "worse.toml").write_text(f'[server]\npassword = "{SECRET}\n')
    site.run("--config", str(site.root / "worse.toml"), "status", code=10)
    real = (site.home / "password").read_text().strip()
    assert site.leaks(*CANARIES, real) == []


@pytest.mark.long
@pytest.mark.timeout(600)
def test_a_server_that_dies_leaves_no_text_outside_its_data(site: Site) -> None:
    server = start_embedded_server(settings_for(site.home), SILENT)
    with connect_server(server) as client:
        (node,) = client.nodes.info(metric="jvm").body["nodes"].values()
        arguments = node["jvm"]["input_arguments"]
        switches = [one for one in arguments if "HeapDumpOnOutOfMemoryError" in one]
        assert switches[-1] == "-XX:-HeapDumpOnOutOfMemoryError"  # the last one holds
        assert "-XX:-CreateCoredumpOnCrash" in arguments
    psutil.Process(json.loads((site.home / "server.json").read_bytes())["pid"]).kill()
    site.run("find", "livestream", code=0)  # it is started again
    site.run("answer", "no-such.yaml", code=3)
    site.run("find", "livestream", "--offence", "no such code", code=3)
    assert any((site.home / "logs").iterdir())
    assert site.leaks(*CANARIES) == []
    names = [path.name for path in site.home.rglob("*")]
    assert not [name for name in names if name.endswith((".hprof", ".mdmp")) or "core." in name]


def test_the_search_finds_what_is_there(site: Site) -> None:
    """A search that can find nothing proves nothing."""
    rejects = b"".join(path.read_bytes() for path in (site.home / "rejects").iterdir())
    assert TEXT.encode() in rejects
    for place in (site.home / "logs" / "planted.log", site.temporary / "a", site.work / "b.gz"):
        content = f"... {NAME.upper()} ...".encode()
        place.write_bytes(gzip.compress(content) if place.suffix == ".gz" else content)
        assert site.leaks(*CANARIES) == [(str(place), NAME)]
        place.unlink()


def test_every_home_of_the_run_is_searched_when_it_ends() -> None:
    for place, told in (("logs", True), ("tmp", True), (".", True), ("data", False)):
        home = new_home()
        folder = home / place
        folder.mkdir(exist_ok=True)
        (folder / "a.log").write_text(f"... {SAMPLE_WORDINGS[0]} ...")
        with pytest.raises(AssertionError) if told else nullcontext():
            end_home(home)
        assert not home.exists()
