"""The two images: what foidex does from its container, and what is not inside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from docker import DockerClient
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from tests.container.conftest import Ran, bound, run_to_its_end
from tests.support.paths import ROOT

DATA = ROOT / "tests" / "data"

REQUEST = "/data/requests/reference.yaml"

CONFIG = """\
[source]
paths = ["/source/*.jsonl"]

[refresh]
report = "/var/lib/foidex/report.json"
"""


@pytest.fixture
def config(tmp_path: Path) -> dict[Path, str]:
    """A foidex.toml and an extract, as mounts that the container's user can read."""
    (tmp_path / "foidex.toml").write_text(CONFIG)
    source = tmp_path / "source"
    source.mkdir()
    (source / "crimes.jsonl").write_bytes((DATA / "reference.jsonl").read_bytes())
    for path in (tmp_path, *tmp_path.parents):
        if path.stat().st_uid == os.geteuid() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o555)
    return {tmp_path / "foidex.toml": "/etc/foidex/foidex.toml", source: "/source"}


def rows(answer: dict[str, object], question: str) -> dict[str, int]:
    (found,) = [one for one in answer["questions"] if one["id"] == question]  # type: ignore[attr-defined]
    return {row["label"]: row["counts"][0] for row in found["table"]["rows"]}


def test_the_letter_out_of_the_container_is_the_letter_of_the_checkout(
    server: DockerContainer, environment: dict[str, str], foidex: Callable[..., Ran]
) -> None:
    loaded = foidex("load", "/data/reference.jsonl", mounts={DATA: "/data"})
    assert loaded.code == 0, loaded.err
    letter = foidex("answer", REQUEST, "--format", "letter", mounts={DATA: "/data"})
    assert letter.code == 0, letter.err
    assert "Yours faithfully" in letter.out
    host = f"http://{server.get_container_host_ip()}:{server.get_exposed_port(9200)}"
    here = subprocess.run(
        [
            str(Path(sys.executable).with_name("foidex")),
            *("answer", str(DATA / "requests/reference.yaml"), "--format", "letter"),
        ],
        env={**os.environ, **environment, "FOIDEX_URL": host},
        capture_output=True,
        text=True,
        check=True,
    )
    assert letter.out == here.stdout


def test_a_refresh_from_the_container_gives_the_published_answer(
    foidex: Callable[..., Ran], config: dict[Path, str]
) -> None:
    """One offence, of 22B, by Instagram and Snapchat; the victim is 15."""
    settings = ("--config", "/etc/foidex/foidex.toml")
    refreshed = foidex(*settings, "refresh", mounts=config)
    assert refreshed.code == 0, refreshed.err
    status = foidex(*settings, "status", "--max-age", "26h", mounts=config)
    assert status.code == 0, status.err
    assert "24 held, 0 rejected" in status.out
    asked = foidex("answer", REQUEST, "--format", "json", mounts={DATA: "/data"})
    assert asked.code == 0, asked.err
    answer = json.loads(asked.out)
    offences = rows(answer, "Q1")
    assert {label for label, count in offences.items() if count} == {
        "Sexual activity involving a child under 16"
    }
    assert {label for label, count in rows(answer, "Q2").items() if count} == {
        "Instagram",
        "Snapchat",
    }
    assert rows(answer, "Q4")["Aged 12 to 15"] == 1


def test_a_refresh_that_fails_its_checks_says_so_with_the_same_exit_code_as_anywhere(
    foidex: Callable[..., Ran], config: dict[Path, str]
) -> None:
    next(iter(config)).write_text(
        CONFIG + '[[refresh.canaries]]\nterm = "live stream"\nleast = 1000\n'
    )
    refused = foidex("--config", "/etc/foidex/foidex.toml", "refresh", mounts=config)
    assert refused.code == 6
    assert "live stream" in refused.err
    assert foidex("status").code == 8


def test_it_runs_without_rights_and_writes_to_its_volume_alone(foidex: Callable[..., Ran]) -> None:
    script = (
        "id -u; touch /var/lib/foidex/made && echo state;"
        "for place in / /opt/foidex /etc /usr; do touch $place/made && echo $place; done; true"
    )
    inside = foidex("-c", script, entrypoint="sh")
    assert inside.out.split() == ["10001", "state"]
    # The root file system is not the user's either where it can be written.
    assert foidex("-c", script, entrypoint="sh", read_only=False).out.split() == ["10001", "state"]


def test_it_needs_no_other_place_to_write_than_its_volume(
    foidex: Callable[..., Ran], config: dict[Path, str]
) -> None:
    refreshed = foidex("--config", "/etc/foidex/foidex.toml", "refresh", mounts=config, tmpfs={})
    assert refreshed.code == 0, refreshed.err


def test_neither_tools_nor_leavings_of_the_build_are_inside(
    engine: DockerClient, image: str, core: str
) -> None:
    script = (
        "command -v cc gcc c++ make git javac;"
        "ls -d /source /build /root/.cache /tmp/* /opt/foidex/bin/pip* 2>/dev/null;"
        "find / -xdev -name '*.zip' -size +9M; true"
    )
    for name in (image, core):
        found = run_to_its_end(engine, name, "-c", script, entrypoint="sh", user="0")
        assert found.code == 0
        assert not found.out.split(), name


def test_its_bytecode_is_in_the_image_as_nothing_can_be_written_later(
    engine: DockerClient, image: str
) -> None:
    count = 'cd /opt/foidex/lib/python*/site-packages/queries; find . -name "*.{}" | wc -l'
    sources, compiled = (
        int(run_to_its_end(engine, image, "-c", count.format(kind), entrypoint="sh").out)
        for kind in ("py", "pyc")
    )
    assert sources == compiled > 10


def test_every_format_of_a_letter_is_made_inside(foidex: Callable[..., Ran]) -> None:
    """Word and PDF need libraries of their own, and fonts."""
    assert foidex("load", "/data/reference.jsonl", mounts={DATA: "/data"}).code == 0
    script = f"foidex answer {REQUEST} --out made && ls made"
    made = foidex("-c", script, entrypoint="sh", mounts={DATA: "/data"})
    assert made.code == 0, made.err
    for kind in ("docx", "html", "pdf", "txt"):
        assert f"FOI2018-03922.letter.{kind}" in made.out


def test_the_core_server_runs_without_rights_and_asks_for_the_password(
    server: DockerContainer, foidex: Callable[..., Ran], environment: dict[str, str]
) -> None:
    assert server.exec(["id", "-u"]).output.split() == [b"1000"]
    assert b"ELASTIC" not in server.exec(["bash", "-c", "tr '\\0' '\\n' </proc/1/environ"]).output
    environment["FOIDEX_PASSWORD"] = "wrong"
    refused = foidex("status")
    assert refused.code == 5
    assert "401" in refused.err
    assert "Traceback" not in refused.err


def test_the_core_server_does_not_start_without_a_password(engine: DockerClient, core: str) -> None:
    refused = run_to_its_end(engine, core)
    assert refused.code == 1
    assert "set ELASTIC_PASSWORD_FILE" in refused.err


def test_the_image_without_a_server_says_what_to_set(
    foidex: Callable[..., Ran], environment: dict[str, str]
) -> None:
    environment.pop("FOIDEX_URL")
    refused = foidex("up")
    assert refused.code == 9
    assert "FOIDEX_URL" in refused.err


def test_a_refresh_that_is_stopped_ends_at_once_and_leaves_the_live_generation(
    engine: DockerClient,
    image: str,
    network: Network,
    environment: dict[str, str],
    foidex: Callable[..., Ran],
    config: dict[Path, str],
) -> None:
    settings = ("--config", "/etc/foidex/foidex.toml")
    assert foidex(*settings, "refresh", mounts=config).code == 0
    before = foidex("status").out
    pipe = next(path for path, inside in config.items() if inside == "/source") / "slow.jsonl"
    os.mkfifo(pipe, 0o644)  # The extract that never ends: the refresh waits for its writer.
    settings_file = next(path for path, inside in config.items() if inside.endswith(".toml"))
    settings_file.write_text(CONFIG.replace("*.jsonl", "slow.jsonl"))  # no pattern finds a pipe
    container = engine.containers.run(
        image,
        [*settings, "refresh", "--allow", "shrink"],
        environment=environment,
        network=network.name,
        volumes=bound(config),
        read_only=True,
        detach=True,
    )
    try:
        time.sleep(5)
        started = time.monotonic()
        container.stop(timeout=30)
        assert container.wait()["StatusCode"] == 143
        assert time.monotonic() - started < 20
    finally:
        container.remove(force=True, v=True)
    pipe.unlink()
    assert foidex("status").out == before
