"""The schedules that ship: their commands exist, and the units are right where that can be asked."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT

DOCKER = ROOT / "docker"
UNITS = sorted((DOCKER / "systemd").glob("foidex-refresh.*"))


def test_every_schedule_runs_the_refresh() -> None:
    for path in (DOCKER / "systemd" / "foidex-refresh.service", DOCKER / "cron" / "foidex"):
        assert re.search(
            r"bin/foidex --config \S+ (--quiet )?refresh$", path.read_text(), re.MULTILINE
        )
    job = yaml.safe_load((DOCKER / "kubernetes" / "refresh-cronjob.yaml").read_text())
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["args"][-1] == "refresh"
    assert job["spec"]["concurrencyPolicy"] == "Forbid"


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
