"""The encoding of the system decides how characters show on a terminal, and nothing else."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.command_line import PROGRAM

LETTER = "How many thefts of 2018 mention a scooter worth £450 in 日本?\n"

PRINTED = "scooter worth £450 in 日本?"


def make_draft(folder: Path, encoding: str) -> tuple[list[str], dict[str, str]]:
    """The command that prints a draft, and its environment."""
    letter = folder / "letter.txt"
    letter.write_text(LETTER, encoding="utf-8")
    environment = {
        **os.environ, "FOIDEX_HOME": str(folder / "home"), "PYTHONIOENCODING": encoding,
    }  # fmt: skip
    return [PROGRAM, "draft", str(letter)], environment


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-16"])
def test_what_goes_to_a_pipe_is_utf_8(tmp_path: Path, encoding: str) -> None:
    command, environment = make_draft(tmp_path, encoding)
    completed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert completed.returncode == 0, completed.stderr
    assert PRINTED in completed.stdout.decode("utf-8")
    assert completed.stderr.decode("utf-8").endswith("to confirm.\n")


@pytest.mark.skipif(os.name != "posix", reason="opens a terminal of its own")
@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("ascii", "scooter worth ?450 in ???"),
        ("cp1252", "scooter worth £450 in ???"),
        ("utf-8", PRINTED),
    ],
)
def test_a_terminal_has_a_question_mark_for_what_it_lacks(
    tmp_path: Path, encoding: str, printed: str
) -> None:
    command, environment = make_draft(tmp_path, encoding)
    reader, terminal = os.openpty()
    with subprocess.Popen(
        command, env=environment, stdout=terminal, stderr=subprocess.PIPE
    ) as process:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # how Linux says that the other side is closed
            while block := os.read(reader, 4096):
                shown += block
        assert process.stderr
        messages = process.stderr.read()
    os.close(reader)
    assert process.returncode == 0, messages
    assert printed in shown.decode(encoding)
