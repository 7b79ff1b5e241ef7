"""A service manager or a script may start a program with streams that are closed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

#: Runs a command, then opens a file and says which number it got.
PROGRAM = """
import os, sys
from queries.cli import run
code = run(sys.argv[1:])
number = os.open("letter.txt", os.O_RDONLY)
print(code, sys.stdin.isatty(), number > 2, file=sys.stdout)
"""

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the shell closes the streams")


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_no_file_takes_the_number_of_a_stream_that_is_closed(tmp_path: Path, closed: str) -> None:
    """It would be the standard input of a process that is started, or be written to as messages."""
    (tmp_path / "letter.txt").write_text("How many thefts of 2018 mention a scooter?\n")
    command = ["sh", "-c", f'"$0" -c "$1" draft letter.txt --out r.yaml {closed}']
    completed = subprocess.run(
        [*command, sys.executable, PROGRAM],
        cwd=tmp_path,
        env={**os.environ, "FOIDEX_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.stdout == "r.yaml\n0 False True\n", completed.stderr
