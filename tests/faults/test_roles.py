"""Each role of docker/elasticsearch/roles.yml does its work, and nothing else, on a real server."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from elasticsearch import Elasticsearch

from indexer.doctor.privileges import COMMAND_PRIVILEGES, CommandPrivileges
from indexer.errors import BackupError, InexactError, ReplayMismatchError, ServerError
from indexer.index.backups import register_repository
from indexer.index.generations import find_live_name, list_verified
from indexer.records.sample import generate_records
from indexer.server.address import ServerAddress
from indexer.server.connection import connect_server
from indexer.server.embedded.home import BACKUPS_FOLDER
from indexer.server.embedded.process import (
    fetch_embedded_server,
    start_embedded_server,
    stop_embedded_server,
)
from indexer.server.server_errors import translate_client_errors
from tests.support.force import FORCE_TOML
from tests.support.paths import ROOT
from tests.support.server import SILENT, end_home, new_home, settings_for

FOIDEX = str(Path(sys.executable).with_name("foidex"))

ROLES = ROOT / "docker" / "elasticsearch" / "roles.yml"

PASSWORD = "a-password-of-the-tests"

ALIAS = "crimes"

#: What roles.yml warns of: a role that reads a part, of each record or of all.
PARTIAL = {
    "hides_a_field": {"field_security": {"grant": ["*"], "except": ["narrative"]}},
    "hides_records": {"query": '{"term": {"offence_code": "22B"}}'},
}


def hashed(password: str) -> str:
    """A password as the file realm keeps it."""
    salt = os.urandom(16)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 10_000, 32)
    return "{PBKDF2}10000$" + "$".join(base64.b64encode(one).decode() for one in (salt, key))


class Guarded:
    """A server of the test's own that has our roles, and a user of each."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = settings_for(home)
        fetch_embedded_server(self.settings, SILENT)  # from then on the home is the server's
        config = home / "config"
        config.mkdir(exist_ok=True)
        known = yaml.safe_load(ROLES.read_text("utf-8"))
        reader = known["foidex_analyst"]
        partial: dict[str, Any] = {
            name: {**reader, "indices": [reader["indices"][0] | less]}
            for name, less in PARTIAL.items()
        }
        # The server reads a role a time, each from a line that is not indented; JSON is YAML.
        more = [f"{name}: {msgspec.json.encode(role).decode()}\n" for name, role in partial.items()]
        (config / "roles.yml").write_text(ROLES.read_text("utf-8") + "".join(more))
        roles = (*known, *partial)
        (config / "users").write_text("".join(f"{name}:{hashed(PASSWORD)}\n" for name in roles))
        (config / "users_roles").write_text("".join(f"{name}:{name}\n" for name in roles))
        self.admin = start_embedded_server(self.settings, SILENT)
        with connect_server(self.admin) as admin:
            register_repository(admin, home / BACKUPS_FOLDER)
        records = b"".join(msgspec.json.encode(one) + b"\n" for one in generate_records(400))
        (home / "source.jsonl").write_bytes(records)
        (home / "foidex.toml").write_text(
            FORCE_TOML + '[source]\npaths = ["source.jsonl"]\n[backup]\nrepository = "foidex"\n'
        )

    def address(self, role: str) -> ServerAddress:
        return msgspec.structs.replace(self.admin, user=role, password=PASSWORD)

    def run(self, role: str, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")
        } | {
            "FOIDEX_URL": self.admin.url,
            "FOIDEX_USER": role,
            "FOIDEX_PASSWORD": PASSWORD,
            "FOIDEX_HOME": str(self.home / "own"),
        }
        return subprocess.run(
            [FOIDEX, "--config", str(self.home / "foidex.toml"), *command],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    home = new_home()
    try:
        server = Guarded(home)
        for _ in range(2):
            loaded = server.run("foidex_indexer", "load", str(home / "source.jsonl"))
            assert loaded.returncode == 0, loaded.stderr
        yield server
    finally:
        stop_embedded_server(settings_for(home), SILENT)
        end_home(home)


REQUEST = str(ROOT / "tests" / "data" / "requests" / "reference.yaml")

WORK = [
    ("foidex_indexer", "refresh"),
    ("foidex_indexer", "refresh --incremental"),
    ("foidex_indexer", "rollback"),
    ("foidex_indexer", "generations"),
    ("foidex_indexer", "prune --keep 2"),
    ("foidex_indexer", "status --max-age 26h"),
    ("foidex_indexer", f"forget {next(generate_records(1))['crime_ref']}"),
    ("foidex_analyst", f"answer {REQUEST}"),
    ("foidex_analyst", "count livestream --by month"),
    ("foidex_analyst", "find livestream --offence 22B"),
    ("foidex_analyst", "status --max-age 26h"),
    ("foidex_auditor", f"answer {REQUEST}"),
    ("foidex_auditor", "status --max-age 26h"),
    ("foidex_publisher", f"answer {REQUEST}"),
    ("foidex_publisher", f"answer {REQUEST} --publish"),
    ("foidex_publisher", "count livestream --by month"),
    ("foidex_publisher", "status"),
    ("foidex_keeper", "backup --to one --all"),
    ("foidex_keeper", "backups"),
    ("foidex_keeper", "backups --delete one"),
]


@pytest.mark.parametrize(("role", "command"), WORK)
def test_every_command_works_as_the_role_it_needs(
    guarded: Guarded, role: str, command: str
) -> None:
    done = guarded.run(role, *command.split())
    assert done.returncode == 0, done.stderr


def test_the_keeper_brings_a_generation_back(guarded: Guarded) -> None:
    for role, command, code in (
        ("foidex_keeper", "backup --to kept", 0),
        ("foidex_keeper", "restore kept", BackupError.exit_code),  # it is there
        ("foidex_indexer", "refresh", 0),
        ("foidex_indexer", "prune --keep 1", 0),
        ("foidex_keeper", "restore kept", 0),
    ):
        done = guarded.run(role, *command.split())
        assert done.returncode == code, done.stderr


@pytest.mark.parametrize("rights", COMMAND_PRIVILEGES, ids=lambda one: one.role)
def test_the_doctor_says_of_each_role_that_it_may_do_its_work(
    guarded: Guarded, rights: CommandPrivileges
) -> None:
    done = guarded.run(rights.role, "doctor")
    assert done.returncode == 0, done.stdout
    assert f"this user may {rights.may}." in done.stdout
    keeper = rights.role == "foidex_keeper"
    assert ('repository "foidex" can be read' in done.stdout) is keeper
    assert bool(re.search(r"backups +this user may not look at it", done.stdout)) is not keeper


def test_the_doctor_asks_for_just_the_rights_of_the_roles() -> None:
    known = yaml.safe_load(ROLES.read_text("utf-8"))
    asked: dict[str, tuple[set[str], dict[str, set[str]]]] = {}
    for rights in COMMAND_PRIVILEGES:
        cluster, indices = asked.setdefault(rights.role, (set(), {}))
        cluster.update(rights.cluster)
        for name, wanted in rights.indices.items():
            indices.setdefault(name.format(ALIAS), set()).update(wanted)
    for name, wanted_rights in asked.items():
        role = known[name]
        given = {one: set(each["privileges"]) for each in role["indices"] for one in each["names"]}
        assert (set(role["cluster"]), given) == wanted_rights


def test_an_older_generation_is_asked_again_by_the_auditor_and_not_by_the_analyst(
    guarded: Guarded, tmp_path: Path
) -> None:
    """The analyst's replay asks what is live, and says that it could not ask the other."""
    given, everything = tmp_path / "answer.json", tmp_path / "request.yaml"
    everything.write_text(
        "reference: R\ntitle: T\nperiod: {from: 2000-01-01, to: 2040-12-31}\n"
        "questions: [{id: Q1, kind: offences}]\n"
    )
    asked = guarded.run("foidex_analyst", "answer", str(everything), "--format", "json")
    assert asked.returncode == 0, asked.stderr
    given.write_text(asked.stdout)
    same = "Asked again of the generation that answered: the same numbers."
    first = guarded.run("foidex_analyst", "replay", str(given))
    assert first.returncode == 0, first.stderr
    assert same in first.stdout  # it is live, so the alias shows it
    assert guarded.run("foidex_indexer", "refresh").returncode == 0
    analyst = guarded.run("foidex_analyst", "replay", str(given))
    assert analyst.returncode == 0, analyst.stderr
    assert "which this user may not ask; its evidence file is there and intact." in analyst.stdout
    assert "replay as a user with the role foidex_auditor" in analyst.stdout
    assert same not in analyst.stdout
    auditor = guarded.run("foidex_auditor", "replay", str(given))
    assert auditor.returncode == 0, auditor.stderr
    assert same in auditor.stdout
    # Where numbers moved, each is told which records moved it.
    lines = (guarded.home / "source.jsonl").read_bytes().splitlines(keepends=True)
    (guarded.home / "source.jsonl").write_bytes(b"".join(lines[:390]))
    smaller = guarded.run("foidex_indexer", "refresh", "--allow", "shrink", "--allow", "months")
    assert smaller.returncode == 0, smaller.stderr
    for role in ("foidex_analyst", "foidex_auditor"):
        moved = guarded.run(role, "replay", str(given))
        assert moved.returncode == ReplayMismatchError.exit_code, moved.stderr
        assert "Moved by 10 records" in moved.stdout
    (guarded.home / "source.jsonl").write_bytes(b"".join(lines))
    assert guarded.run("foidex_indexer", "refresh").returncode == 0


def test_every_role_of_the_file_is_tested() -> None:
    assert {role for role, _ in WORK} == set(yaml.safe_load(ROLES.read_text("utf-8")))


@pytest.mark.parametrize(
    ("role", "command", "right"),
    [
        ("foidex_indexer", "count livestream", "indices:data/read/search on crimes"),
        ("foidex_analyst", "load {home}/source.jsonl", "indices:admin/create on crimes.lock"),
        ("foidex_analyst", "rollback", "indices:admin/create on crimes.lock"),
        ("foidex_analyst", "generations", "indices:monitor/stats on crimes-*"),
        ("foidex_auditor", "refresh", "indices:admin/create on crimes.lock"),
        ("foidex_publisher", "find livestream", "indices:data/read/open_point_in_time on crimes"),
        ("foidex_publisher", "refresh", "indices:admin/create on crimes.lock"),
        ("foidex_indexer", "backup", "cluster:admin/snapshot/get"),
        ("foidex_keeper", "refresh", "indices:admin/create on crimes-"),
        ("foidex_keeper", "count livestream", "indices:data/read/search on crimes"),
    ],
)
def test_a_command_of_another_role_is_refused_in_one_message_that_names_the_right(
    guarded: Guarded, role: str, command: str, right: str
) -> None:
    done = guarded.run(role, *command.format(home=guarded.home).split())
    assert done.returncode == ServerError.exit_code
    (message,) = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert f"it lacks the right {right}" in message
    assert "privilege" in message
    assert role not in message
    assert not done.stdout


Act = Callable[[Elasticsearch, str], object]


def _lists(client: Elasticsearch, name: str) -> object:
    return client.search(index=name, size=1)


FORBIDDEN: list[tuple[str, str, Act]] = [
    ("foidex_indexer", "another index read", lambda on, _: _lists(on, "other")),
    ("foidex_indexer", "another index written", lambda on, _: on.index(index="other", document={})),
    ("foidex_indexer", "another made", lambda on, _: on.indices.create(index="another")),
    ("foidex_indexer", "another deleted", lambda on, _: on.indices.delete(index="other")),
    ("foidex_indexer", "settings", lambda on, _: on.cluster.put_settings(persistent={"x": None})),
    ("foidex_indexer", "users", lambda on, _: on.security.get_user()),
    ("foidex_indexer", "restore", lambda on, _: on.snapshot.restore(repository="r", snapshot="s")),
    ("foidex_analyst", "an older generation", _lists),
    ("foidex_analyst", "a record by its index", lambda on, name: on.get(index=name, id="x")),
    ("foidex_auditor", "a write", lambda on, _: on.index(index=ALIAS, document={})),
    ("foidex_auditor", "a deletion", lambda on, name: on.indices.delete(index=name)),
    ("foidex_auditor", "another index", lambda on, _: _lists(on, "other")),
    ("foidex_auditor", "the alias moved", lambda on, name: on.indices.put_alias(index=name, name=ALIAS)),
    ("foidex_analyst", "a write", lambda on, _: on.index(index=ALIAS, document={})),
    ("foidex_analyst", "a deletion", lambda on, name: on.indices.delete(index=name)),
    ("foidex_analyst", "the alias moved", lambda on, name: on.indices.put_alias(index=name, name=ALIAS)),
    ("foidex_keeper", "a record", lambda on, name: on.get(index=name, id="x")),
    ("foidex_keeper", "a repository", lambda on, _: on.snapshot.delete_repository(name="foidex")),
    ("foidex_analyst", "the lock", lambda on, _: on.get(index=f"{ALIAS}.lock", id="refresh")),
    ("foidex_publisher", "one record", lambda on, _: on.get(index=ALIAS, id="x")),
    ("foidex_publisher", "many records", lambda on, _: on.mget(index=ALIAS, ids=["x"])),
    ("foidex_publisher", "a scroll", lambda on, _: on.scroll(scroll_id=on.search(index=ALIAS, size=0 + 1, scroll="1m")["_scroll_id"])),
    ("foidex_publisher", "a generation", _lists),
    ("foidex_publisher", "term vectors", lambda on, _: on.termvectors(index=ALIAS, id="x")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "what", "act"), FORBIDDEN, ids=[f"{r}-{w}" for r, w, _ in FORBIDDEN]
)
def test_what_a_role_does_not_need_the_server_refuses_it(
    guarded: Guarded, role: str, what: str, act: Act
) -> None:
    with connect_server(guarded.admin) as admin:
        live = find_live_name(admin, ALIAS)
        kept = [one.name for one in list_verified(admin, ALIAS) if one.name != live]
        assert kept, what
        admin.index(index="other", document={"a": 1})
    address = guarded.address(role)
    with (
        connect_server(address) as client,
        pytest.raises(ServerError, match=r"\(403\): it lacks the right"),
        translate_client_errors(address),
    ):
        act(client, kept[0])


def test_a_wrong_password_is_one_message_too(guarded: Guarded) -> None:
    wrong = msgspec.structs.replace(guarded.address("foidex_analyst"), password="wrong-password")
    with pytest.raises(ServerError, match="refused the user name or password") as refused:
        connect_server(wrong)
    assert "wrong-password" not in str(refused.value)


def test_a_role_that_sees_a_part_is_told_no_number(guarded: Guarded) -> None:
    """Without a licence for it the server refuses such roles; with one it would count the part."""
    for role in PARTIAL:
        assert guarded.run(role, "count", "livestream").returncode == ServerError.exit_code
    with connect_server(guarded.admin) as admin:
        admin.license.post_start_trial(acknowledge=True)
    until = time.monotonic() + 30
    said = {}
    for role in PARTIAL:
        done = guarded.run(role, "count", "livestream")
        while done.returncode == ServerError.exit_code and time.monotonic() < until:
            time.sleep(0.5)
            done = guarded.run(role, "count", "livestream")
        found = guarded.run(role, "find", "livestream")
        assert (done.returncode, found.returncode) == (InexactError.exit_code,) * 2, done.stderr
        assert not done.stdout
        assert not found.stdout
        said[role] = done.stderr
    assert 'shows this user no field "narrative"' in said["hides_a_field"]
    assert re.search(r"shows this user \d+ of the \d+ records", said["hides_records"])
