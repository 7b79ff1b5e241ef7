"""The compose files that ship: right as written, and brought up with the images of this suite.

What a small machine cannot give is fitted first; ``fitted`` says what.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from docker import DockerClient

from tests.support.force import FORCE_TOML
from tests.support.paths import ROOT

FILES = ("compose.yaml", "compose.cluster.yaml")

SHIPPED = (
    *FILES,
    "foidex.toml",
    "prepare",
    "elasticsearch/roles.yml",
    "elasticsearch/settings.json",
)

JOBS = ("foidex", "ask", "keep")

NODES = ("es01", "es02", "es03")

Compose = Callable[..., subprocess.CompletedProcess[str]]


def compose_command() -> list[str]:
    """The plugin, else the program of that name."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) and not subprocess.call(
            [*command, "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ):
            return command
    pytest.skip("neither docker compose nor docker-compose is on this machine")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped files with an extract beside them, and the secrets that ``prepare`` makes."""
    if os.geteuid() != 0:
        pytest.skip("docker/prepare gives files to the containers' users, which takes root")
    made = tmp_path / "docker"
    (made / "elasticsearch").mkdir(parents=True)
    for name in SHIPPED:
        shutil.copy(ROOT / "docker" / name, made / name)
    subprocess.run([made / "prepare"], check=True, capture_output=True)
    extract = made / "extract"
    extract.mkdir()
    data = ROOT / "tests" / "data"
    shutil.copy(data / "reference.jsonl", extract)
    shutil.copy(data / "requests" / "reference.yaml", extract)
    for path in (extract, *extract.iterdir(), made / "foidex.toml"):
        path.chmod(0o755)
    return made


def fitted(services: dict[str, Any]) -> None:
    """Fit the services to a small machine of which nothing else is asked.

    Its limits may be too low for a node that others reach (open files, memory maps), so that the
    server would refuse to start. A single node only warns; three speak on the host's own loopback,
    where the server does not insist either.
    """
    nodes = {name: service for name, service in services.items() if name not in JOBS}
    for service in nodes.values():
        service.pop("ulimits")
        service["restart"] = "no"
        service["environment"]["node.store.allow_mmap"] = "false"
    if len(nodes) == 1:
        return
    ports = {name: (free_port(), free_port()) for name in nodes}
    seeds = ",".join(f"localhost:{transport}" for _, transport in ports.values())
    for name, service in nodes.items():
        http, transport = ports[name]
        service["network_mode"] = "host"
        service["environment"] |= {
            "network.host": "127.0.0.1",
            "http.port": str(http),
            "transport.port": str(transport),
            "discovery.seed_hosts": seeds,
        }
        check = service["healthcheck"] = {**service["healthcheck"]}
        check["test"] = [word.replace(":9200", f":{http}") for word in check["test"]]
    for job in JOBS:
        services[job]["network_mode"] = "host"
        services[job]["environment"]["FOIDEX_URL"] = ",".join(
            f"https://localhost:{http}" for http, _ in ports.values()
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def compose(
    request: pytest.FixtureRequest, folder: Path, engine: DockerClient, core: str, image: str
) -> Iterator[Compose]:
    """Run one of the shipped files with the suite's images; everything it made is removed."""
    assert engine
    file = request.param
    whole = yaml.safe_load((folder / file).read_text())
    fitted(whole["services"])
    (folder / file).write_text(yaml.safe_dump(whole))
    project = f"foidex-test-{secrets.token_hex(4)}"
    command = [*compose_command(), "-p", project, "-f", file]
    environment = {
        **os.environ,
        "ELASTICSEARCH_IMAGE": core,
        "ELASTICSEARCH_MEMORY": "1g",
        "FOIDEX_IMAGE": image,
    }

    def run(*arguments: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*command, *arguments],
            cwd=folder,
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}\n{logs()}"
        return done

    def logs() -> str:
        return subprocess.run(
            [*command, "logs", "--tail", "40"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    try:
        yield run
    finally:
        run("down", "--volumes", "--remove-orphans", "--timeout", "20")


def curl(compose: Compose, node: str, path: str) -> Any:
    """Ask a node from inside its container, as the health check of the file does."""
    ask = (
        'echo "user = elastic:$(cat $ELASTIC_PASSWORD_FILE)" | curl --silent --fail --config - '
        f'--cacert config/certs/ca.crt "https://localhost:$(printenv http.port || echo 9200){path}"'
    )
    return json.loads(compose("exec", "-T", node, "bash", "-c", ask).stdout)


def tables(done: subprocess.CompletedProcess[str]) -> list[Any]:
    return [question["table"] for question in json.loads(done.stdout)["questions"]]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_right_as_it_ships(name: str) -> None:
    done = subprocess.run(
        [*compose_command(), "-f", str(ROOT / "docker" / name), "config"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    for service in services.values():
        security = service["environment"].get("xpack.security.enabled", "true")
        assert security == "true"
        assert not any("PASSWORD" in key and "FILE" not in key for key in service["environment"])


def test_prepare_gives_each_secret_to_the_user_who_reads_it_and_makes_none_twice(
    folder: Path,
) -> None:
    def told() -> dict[str, tuple[int, str]]:
        return {
            str(path.relative_to(folder / "secrets")): (
                path.stat().st_uid,
                oct(path.stat().st_mode)[-3:],
            )
            for path in (folder / "secrets").rglob("*")
            if path.is_file() and not path.name.endswith(".srl")
        }

    assert told() == {
        "analyst_password": (10001, "400"),
        "auditor_password": (10001, "400"),
        "ca.key": (0, "600"),
        "certs/ca.crt": (0, "444"),
        "certs/node.crt": (0, "444"),
        "certs/node.key": (1000, "400"),
        "certs/proxy.crt": (0, "444"),
        "certs/proxy.key": (101, "400"),
        "elastic_password": (1000, "400"),
        "keeper_password": (10001, "400"),
        "people": (101, "400"),
        "proxy_secret": (10001, "400"),
        "proxy_secret_header": (101, "400"),
        "publisher_password": (10001, "400"),
        "refresh_password": (10001, "400"),
        "users": (1000, "400"),
        "users_roles": (1000, "400"),
        "workbench_password": (10001, "400"),
    }
    backups = (folder / "backups").stat()
    assert (backups.st_uid, oct(backups.st_mode)[-3:]) == (1000, "700")
    before = {path: path.read_bytes() for path in (folder / "secrets").rglob("*") if path.is_file()}
    subprocess.run([folder / "prepare"], check=True, capture_output=True)
    assert {path: path.read_bytes() for path in before} == before


def test_prepare_gives_a_user_whose_password_was_deleted_another(folder: Path) -> None:
    users, roles = (folder / "secrets" / name for name in ("users", "users_roles"))
    before = [path.stat().st_ino for path in (users, roles)]
    granted = sorted(roles.read_text().splitlines())
    lines = {*users.read_text().splitlines()}
    (folder / "secrets" / "refresh_password").unlink()
    subprocess.run([folder / "prepare"], check=True, capture_output=True)
    assert [path.stat().st_ino for path in (users, roles)] == before  # which are mounted
    assert {line.split(":")[0] for line in lines ^ {*users.read_text().splitlines()}} == {"refresh"}
    assert len(users.read_text().splitlines()) == len(lines)
    assert sorted(roles.read_text().splitlines()) == granted
    assert (folder / "secrets" / "refresh_password").stat().st_uid == 10001


def test_prepare_renews_the_certificates_with_the_authority_that_is_trusted(folder: Path) -> None:
    """A new authority would part the nodes from each other, and foidex from them."""
    certificates = folder / "secrets" / "certs"
    authority = certificates / "ca.crt"
    before = [path.read_bytes() for path in (authority, folder / "secrets" / "ca.key")]
    for name in ("node", "proxy"):
        certificate = certificates / f"{name}.crt"
        old = certificate.read_bytes()
        certificate.unlink()
        subprocess.run([folder / "prepare"], check=True, capture_output=True)
        assert certificate.read_bytes() != old
        subprocess.run(["openssl", "verify", "-CAfile", authority, certificate], check=True)
    assert [path.read_bytes() for path in (authority, folder / "secrets" / "ca.key")] == before
    assert (certificates / "node.key").stat().st_uid == 1000


def test_prepare_adds_the_users_that_an_older_one_did_not_make(folder: Path) -> None:
    secrets_of = folder / "secrets"
    older = {}
    for name in ("users", "users_roles"):
        lines = (secrets_of / name).read_text().splitlines(keepends=True)
        older[name] = "".join(line for line in lines if "keeper" not in line)
        (secrets_of / name).write_text(older[name])
    (secrets_of / "keeper_password").unlink()
    subprocess.run([folder / "prepare"], check=True, capture_output=True)
    for name, before in older.items():
        (added,) = (secrets_of / name).read_text().removeprefix(before).splitlines()
        assert "keeper" in added
    assert (secrets_of / "keeper_password").stat().st_uid == 10001


@pytest.mark.parametrize("compose", ["compose.yaml"], indirect=True)
def test_one_node_comes_up_and_the_job_refreshes_and_writes_the_letter(
    compose: Compose, folder: Path
) -> None:
    toml = folder / "foidex.toml"
    toml.write_text(toml.read_text() + FORCE_TOML)
    compose("up", "--detach", "elasticsearch")
    compose("run", "--rm", "-T", "foidex")
    status = compose("run", "--rm", "-T", "foidex", "status", "--max-age", "26h")
    assert "https://elasticsearch:9200" in status.stdout
    assert "24 held, 0 rejected" in status.stdout
    ask = ("run", "--rm", "-T", "ask", "answer", "/source/reference.yaml")
    assert "Yours faithfully" in compose(*ask, "--format", "letter").stdout
    report = compose(
        "run", "--rm", "-T", "--entrypoint", "cat", "foidex", "/var/lib/foidex/refresh-report.json"
    )
    assert json.loads(report.stdout)
    for service, command in (
        ("foidex", "count x"),
        ("foidex", "backup"),
        ("ask", "refresh"),
        ("ask", "generations"),
        ("keep", "count x"),
    ):
        refused = compose("run", "--rm", "-T", service, *command.split(), code=5)
        assert "it lacks the right" in refused.stderr
    listed = compose("run", "--rm", "-T", "foidex", "doctor")
    assert "problem" not in listed.stdout
    publisher = {"ASK_AS": "publisher", "SUDO_USER": "alice"}
    compose(*ask, "--publish", **publisher)
    refused = compose("run", "--rm", "-T", "ask", "find", "livestream", code=5, **publisher)
    assert "it lacks the right" in refused.stderr
    logged = compose("run", "--rm", "-T", "ask", "audit", "show", "--last", "1")
    assert json.loads(logged.stdout)["sudo_user"] == "alice"


@pytest.mark.parametrize("compose", ["compose.yaml"], indirect=True)
def test_a_backup_comes_back_on_a_server_that_lost_its_data(compose: Compose) -> None:
    ask = ("run", "--rm", "-T", "ask", "answer", "/source/reference.yaml", "--format", "json")
    compose("up", "--detach", "elasticsearch")
    compose("run", "--rm", "-T", "foidex")
    before = tables(compose(*ask))
    compose("run", "--rm", "-T", "keep")
    compose("down", "--volumes", "--timeout", "20")
    compose("up", "--detach", "elasticsearch")
    compose(*ask, code=8)
    compose("run", "--rm", "-T", "keep", "restore")
    assert tables(compose(*ask)) == before


@pytest.mark.parametrize("compose", ["compose.cluster.yaml"], indirect=True)
def test_three_nodes_speak_tls_and_count_the_same_when_one_is_gone(
    compose: Compose, folder: Path
) -> None:
    toml = folder / "foidex.toml"
    toml.write_text(toml.read_text().replace("replicas = 0", "replicas = 1"))
    compose("up", "--detach", *NODES)
    compose("run", "--rm", "-T", "foidex")
    health = curl(compose, "es02", "/_cluster/health?wait_for_status=green&timeout=60s")
    assert (health["status"], health["number_of_nodes"]) == ("green", 3)
    ssl = curl(compose, "es02", "/_nodes/settings?filter_path=nodes.*.settings.xpack.security")
    assert len(ssl["nodes"]) == 3
    for node in ssl["nodes"].values():
        security = node["settings"]["xpack"]["security"]
        assert security["transport"]["ssl"]["enabled"] == "true"
        assert security["http"]["ssl"]["enabled"] == "true"
    plain = 'curl --silent "http://localhost:$(printenv http.port || echo 9200)/_cluster/health"'
    compose("exec", "-T", "es01", "bash", "-c", plain, code=52)  # closed without an answer
    ask = ("--no-deps", "-T", "ask", "answer", "/source/reference.yaml", "--format", "json")
    before = tables(compose("run", "--rm", *ask))
    compose("run", "--rm", "-T", "keep")  # every node writes into the folder they share
    master = curl(compose, "es02", "/_cat/master?format=json")[0]["node"]
    compose("kill", master)
    left = next(node for node in NODES if node != master)
    curl(compose, left, "/_cluster/health?wait_for_nodes=2&wait_for_status=yellow&timeout=60s")
    assert tables(compose("run", "--rm", *ask)) == before
