"""Everything but the embedded server runs where there is no POSIX: no user ids, no handles of
folders, no fcntl. CI has no Windows, so a process hides them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PROMISED = (
    "modules", "foidex sample", "foidex refresh --check", "foidex templates init",
    "foidex audit verify", "foidex doctor", "documents", "ledger", "basis", "audit log", "rejects",
    "report and metrics", "links refused", "without a server: foidex up",
    "without a server: foidex status",
)  # fmt: skip


def run_without_posix(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")
    }
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), "FOIDEX_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.timeout(300)
def test_all_but_the_embedded_server_runs_without_posix(tmp_path: Path) -> None:
    outcome = run_without_posix(tmp_path, "-m", "tests.support.platform_run")
    assert outcome.returncode == 0, outcome.stderr[-3000:]
    assert "Traceback" not in outcome.stderr
    for part in PROMISED:
        assert f"{part}" in outcome.stdout, part
    assert outcome.stderr.count("the embedded server runs on Linux and macOS only") >= 2


@pytest.mark.parametrize(
    "code",
    [
        "import os; os.geteuid()",
        "from os import fchmod",
        "import fcntl",
        "from pwd import getpwnam",
        "import signal; signal.SIGKILL",
        "import os; os.stat('/', dir_fd=0)",
        "import os; os.open('.', os.O_RDONLY)",
    ],
)
def test_what_is_hidden_is_missing(tmp_path: Path, code: str) -> None:
    """So that the test above would see it used."""
    hide = "from tests.support.without_posix import hide_posix; hide_posix()"
    for importer, is_hidden in (("indexer.files", True), ("elsewhere", False)):
        module = f"exec({code!r}, {{'__name__': {importer!r}}})"
        outcome = run_without_posix(tmp_path, "-c", f"{hide}; {module}")
        assert (outcome.returncode != 0) == is_hidden, outcome.stderr
