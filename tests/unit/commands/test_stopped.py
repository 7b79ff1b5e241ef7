"""A signal stops a command in the same way, whichever it is: what is under way is undone."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command_line import PROGRAM

#: Starts a program with the signals of a terminal as they are, even if the tests run with nohup.
AT_A_TERMINAL = [
    sys.executable,
    "-c",
    "import os, signal, sys\n"
    "for number in (signal.SIGHUP, signal.SIGINT):\n"
    "    signal.signal(number, signal.SIG_DFL)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])",
]

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no SIGHUP")


def await_growth(process: subprocess.Popen[bytes], path: Path, size: int) -> None:
    """Wait until a file is larger, or its writer has ended."""
    while not (path.exists() and path.stat().st_size > size) and process.poll() is None:
        time.sleep(0.01)


@contextmanager
def sampling(tmp_path: Path, prefix: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A command that works for long, once it does."""
    path = tmp_path / "sample.jsonl"
    command = [*prefix, PROGRAM, "sample", "100000000", "--out", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            await_growth(process, path, 0)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("signal_number", "code"),
    [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)],
)
def test_a_signal_is_one_word_and_an_exit_code(
    tmp_path: Path, signal_number: signal.Signals, code: int
) -> None:
    """A refresh by hand, whose terminal was closed, left its lock and no report."""
    with sampling(tmp_path, AT_A_TERMINAL) as process:
        process.send_signal(signal_number)
        assert process.communicate(timeout=60)[1] == b"foidex: stopped.\n"
        assert process.returncode == code


def test_what_was_started_with_nohup_goes_on_when_its_terminal_is_closed(tmp_path: Path) -> None:
    with sampling(tmp_path, ["nohup"]) as process:
        path = tmp_path / "sample.jsonl"
        process.send_signal(signal.SIGHUP)
        await_growth(process, path, path.stat().st_size + 1_000_000)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        assert process.returncode == 143
