"""The command line as tests use it: in this process, or as a process of its own.

A process is for what only a process has: signals, pipes, a closed or full standard output. All
else runs in this process, through the same entry that the program has.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from queries.cli import run

#: The program as users start it.
PROGRAM = str(Path(sys.executable).with_name("foidex"))

#: A word in every narrative of the tests of bad input; no output may hold it.
CANARY = "ZQXCANARY"

#: A password that no output may hold.
PASSWORD = "ZQXPASSWORD"

PROGRESS_LINES = ("Loading records ...", "Merging and checking.")


class Outcome(NamedTuple):
    """What one run of the program did."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """Standard error without the lines that report progress."""
        return "\n".join(line for line in self.err.splitlines() if line not in PROGRESS_LINES)


def run_command(
    *arguments: object,
    environment: Mapping[str, str],
    folder: Path | None = None,
    expected_code: int | None = None,
) -> Outcome:
    """Run a command line in this process, in an environment and a folder of its own.

    With ``expected_code``, fails where the exit code is another.
    """
    out = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="", write_through=True)
    err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="", write_through=True)
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in os.environ.keys() - environment.keys():
            if name != "PYTEST_CURRENT_TEST":  # pytest removes it itself
                patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        if folder:
            patch.chdir(folder)
        code = run([*map(str, arguments)])
    outcome = Outcome(code, _read(out), _read(err))
    return _checked(outcome, expected_code)


def run_program(
    *arguments: object,
    environment: Mapping[str, str],
    folder: Path | None = None,
    expected_code: int | None = None,
) -> Outcome:
    """Run the program as a process, as users do."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    return _checked(Outcome(done.returncode, done.stdout, done.stderr), expected_code)


def _read(stream: io.TextIOWrapper) -> str:
    content = stream.buffer
    assert isinstance(content, io.BytesIO)
    return content.getvalue().decode("utf-8").replace("\r\n", "\n")


def _checked(outcome: Outcome, expected_code: int | None) -> Outcome:
    if expected_code is not None:
        assert outcome.code == expected_code, outcome.err or outcome.out
    return outcome


class CommandLine:
    """The program in a folder and an environment of its own; holds the rules of every outcome."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment

    def __call__(self, *arguments: object, **variables: str) -> Outcome:
        """Run the program within this process."""
        environment = {**self.environment, **variables}
        return self._without_secrets(
            run_command(*arguments, environment=environment, folder=self.folder)
        )

    def program(self, *arguments: object, **variables: str) -> Outcome:
        """Run the program as users do."""
        environment = {**self.environment, **variables}
        return self._without_secrets(
            run_program(*arguments, environment=environment, folder=self.folder)
        )

    def _without_secrets(self, outcome: Outcome) -> Outcome:
        for text in (outcome.out, outcome.err):
            assert "Traceback" not in text, text
            assert CANARY not in text
            assert PASSWORD not in text
            if password := self.environment["FOIDEX_PASSWORD"]:
                assert password not in text
        return outcome

    def write(self, name: str, content: bytes) -> Path:
        """Write a file in the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    @property
    def rejects(self) -> Path:
        """The one file of rejected records."""
        (path,) = Path(self.environment["FOIDEX_HOME"], "rejects").glob("*.jsonl")
        return path


def require_refusal(outcome: Outcome, kind: type[Exception], *parts: str) -> None:
    """Require the exit code of the kind, no result, and one message that holds the parts."""
    assert outcome.code == vars(kind)["exit_code"], outcome.err
    assert outcome.out == ""
    assert [line[:8] for line in outcome.message.splitlines()].count("foidex: ") == 1
    assert outcome.message.startswith("foidex: ")
    assert outcome.message.endswith((".", "?"))
    for part in parts:
        assert part in outcome.message


def nodes_reply(*versions: str) -> bytes:
    return msgspec.json.encode({"nodes": {str(n): {"version": v} for n, v in enumerate(versions)}})
