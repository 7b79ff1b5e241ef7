"""What a command imports: a help text nothing that is slow, a count nothing that only letters need."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = ("elasticsearch", "filelock", "highspy", "jinja2", "msgspec", "numpy", "rich")
SLOW_FOR_COUNTS = ("docxtpl", "filelock", "highspy", "jinja2", "num2words", "numpy", "sqlalchemy")

PROGRAM = (
    "import sys\n"
    "from queries.cli import run\n"
    "code = run(sys.argv[2:])\n"
    "found = [name for name in sys.argv[1].split(',') if name in sys.modules]\n"
    "print(code, *found, file=sys.stderr)\n"
)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--help",), (*SLOW, "pydantic")),  # typer needs it for the options of a command
        (("count", "--help"), SLOW),
        (("answer", "--help"), SLOW),
        (("count", "Snapchat", "--explain"), SLOW_FOR_COUNTS),
    ],
)
def test_a_command_imports_nothing_slow_that_it_does_not_need(
    words: tuple[str, ...], names: tuple[str, ...]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, ",".join(names), *words],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    assert done.stderr.splitlines()[-1].split() == ["0"]
