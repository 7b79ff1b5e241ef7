"""The schedules that ship: their commands exist, and the units are right where that can be asked."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.paths import ROOT

DOCKER = ROOT / "docker"

UNITS = sorted((DOCKER / "systemd").glob("foidex-*.*"))


def test_every_schedule_runs_the_refresh() -> None:
    for path in (DOCKER / "systemd" / "foidex-refresh.service", DOCKER / "cron" / "foidex"):
        assert re.search(
            r"bin/foidex --config \S+ (--quiet )?refresh$", path.read_text(), re.MULTILINE
        )
    assert (
        "EnvironmentFile=/etc/foidex/environment"
        in (DOCKER / "systemd" / "foidex-refresh.service").read_text()
    )
    job = yaml.safe_load((DOCKER / "kubernetes" / "refresh-cronjob.yaml").read_text())
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["args"][-1] == "refresh"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"


def test_the_line_of_cron_hands_the_environment_on(tmp_path: Path) -> None:
    """Else foidex would not be told of the server, and refresh an embedded one."""
    (tmp_path / "environment").write_text("FOIDEX_URL=https://search.example.org:9200\n")
    foidex = tmp_path / "foidex"
    foidex.write_text('#!/bin/sh\necho "$FOIDEX_URL"\n')
    foidex.chmod(0o755)
    schedule = (DOCKER / "cron" / "foidex").read_text().splitlines()[-1]
    command = schedule.split(maxsplit=6)[6].replace("/opt/foidex/bin/foidex", str(foidex))
    command = command.replace("/etc/foidex/environment", str(tmp_path / "environment"))
    done = subprocess.run(
        ["/bin/sh", "-c", command], env={}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "https://search.example.org:9200\n"


def test_the_units_are_right(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not on this machine")
    for unit in UNITS:
        # The program is not installed where this test runs.
        text = unit.read_text().replace("/opt/foidex/bin/foidex", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False
    )
    mine = [line for line in done.stderr.splitlines() if "foidex" in line]
    assert not mine


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("compose.yaml", {"elasticsearch", "foidex", "ask", "keep"}),
        ("compose.cluster.yaml", {"foidex", "ask", "keep"}),
        ("compose.workbench.yaml", {"workbench", "proxy"}),
    ],
)
def test_every_container_has_a_log_of_limited_size(name: str, expected: set[str]) -> None:
    services = yaml.safe_load((DOCKER / name).read_text())["services"]
    assert expected <= services.keys()
    for service in services.values():
        assert service["logging"] == {
            "driver": "json-file",
            "options": {"max-size": "10m", "max-file": "5"},
        }


def test_the_line_of_cron_appends_to_no_file() -> None:
    """The rules of cron's own mail, or of the system log, limit what is kept."""
    assert ">" not in (DOCKER / "cron" / "foidex").read_text().splitlines()[-1]


def test_only_the_proxy_of_the_workbench_is_reached_from_outside_and_secrets_are_files() -> None:
    compose = yaml.safe_load((DOCKER / "compose.workbench.yaml").read_text())
    workbench, proxy = compose["services"]["workbench"], compose["services"]["proxy"]
    assert "ports" not in workbench
    assert len(proxy["ports"]) == 1
    assert "default" not in proxy["networks"]  # the proxy does not reach the server of records
    for service in (workbench, proxy):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert set(service["secrets"]) <= compose["secrets"].keys()
    prepare = (DOCKER / "prepare").read_text()
    settings = tomllib.loads((DOCKER / "foidex.toml").read_text())["workbench"]
    assert settings["proxy"]["secret_file"] == "/run/secrets/proxy_secret"
    assert settings["folder"].startswith("/var/lib/foidex/")
    for name in ("proxy_secret_header", "people"):
        assert f"secrets/{name}" in prepare
        assert f"/run/secrets/{name}" in (DOCKER / "workbench" / "nginx.conf").read_text()


def test_the_documented_command_fits_the_configuration_of_nginx_to_a_machine() -> None:
    """No path of a container is left, nor one that anybody could have put there before nginx."""
    text = (ROOT / "docs" / "operating.md").read_text()
    section = text.partition("**The workbench without containers**")[2]
    command = section.partition("\nsed ")[2].partition("\n```")[0]
    script, target = f"sed {command}".rsplit(" > ", 1)
    assert target == "/etc/nginx/nginx.conf"
    fitted = subprocess.run(
        ["sh", "-c", script], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    lines = [line for line in fitted.splitlines() if not line.startswith("#")]
    assert lines[0] == "user www-data;"
    for path in ("/run/secrets", "/tmp", "/dev/", "stderr", "workbench:8347"):
        assert not [line for line in lines if path in line]
    files = set(re.findall(r"/etc/foidex-proxy/(\w+)", "\n".join(lines)))
    assert files == {"proxy_certificate", "proxy_key", "people", "proxy_secret_header"}
    for name in files:
        assert name in section.partition("nginx refuses")[0].replace(script, "")


def test_a_person_is_added_to_the_file_and_for_the_account_that_are_named(tmp_path: Path) -> None:
    people = tmp_path / "people"
    for name, password in (("anna@example.org", "one"), ("ben", "two"), ("anna@example.org", "3")):
        subprocess.run(
            [DOCKER / "workbench" / "add-person", name],
            env={**os.environ, "PEOPLE": str(people), "PROXY": str(os.getuid())},
            input=f"{password}\n",
            text=True,
            check=True,
        )
    names = [line.partition(":$6$")[0] for line in people.read_text().splitlines()]
    assert names == ["ben", "anna@example.org"]
    assert people.stat().st_mode & 0o777 == 0o400
    assert [path.name for path in tmp_path.iterdir()] == ["people"]
