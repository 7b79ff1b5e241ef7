"""What a command imports: a help text nothing that is slow, a count nothing that only letters need."""

from __future__ import annotations

import subprocess
import sys

import pytest

from queries.command_table import COMMANDS, build_command

SLOW = ("elasticsearch", "filelock", "highspy", "jinja2", "msgspec", "numpy", "rich")
#: What typer needs for the options of a command.
OPTIONS = ("pydantic",)
SLOW_FOR_COUNTS = (
    "docxtpl", "filelock", "ftfy", "highspy", "jinja2", "num2words", "numpy", "python_calamine",
    "sqlalchemy", "tomlkit",
)  # fmt: skip

PROGRAM = (
    "import sys\n"
    "from queries.cli import run\n"
    "code = run(sys.argv[1:])\n"
    "print(code, *sys.modules, file=sys.stderr)\n"
)


def list_imports(*words: str) -> set[str]:
    """The modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True
    )
    assert done.stdout
    code, *modules = done.stderr.splitlines()[-1].split()
    assert code == "0"
    return set(modules)


def test_a_help_text_imports_typer_and_no_other_library() -> None:
    program = "import sys, typer; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    packages = {name.partition(".")[0] for name in list_imports("--help") - {*done.stdout.split()}}
    assert packages <= {"__future__", "indexer", "queries", "typer"}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (("--help",), (*SLOW, *OPTIONS)),
        (("--version",), (*SLOW, *OPTIONS)),
        (("count", "--help"), SLOW),
        (("answer", "--help"), SLOW),
        (("count", "Snapchat", "--explain"), SLOW_FOR_COUNTS),
    ],
    ids=" ".join,
)
def test_a_command_imports_nothing_slow_that_it_does_not_need(
    words: tuple[str, ...], names: tuple[str, ...]
) -> None:
    assert list_imports(*words) & set(names) == set()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--help",), set()),
        (("--version",), set()),
        (("count", "--help"), {"queries.commands.explore.count"}),
        (("count", "Snapchat", "--explain"), {"queries.commands.explore.count"}),
    ],
    ids=" ".join,
)
def test_only_the_command_that_runs_is_imported(words: tuple[str, ...], expected: set[str]) -> None:
    places = {entry.place.partition(":")[0] for entry in COMMANDS.values()}
    assert list_imports(*words) & places == expected


def test_a_review_without_its_libraries_says_what_to_install_whatever_the_command() -> None:
    program = (
        "import sys\n"
        "sys.modules['alembic'] = None\n"
        "from queries.cli import run\n"
        "commands = sys.argv[1].split(',')\n"
        "print(*[run(['review', *command.split()]) for command in commands])"
    )
    commands = ("next R", "settle R", "status R", "import R", "end-second-readings R --reason r")
    done = subprocess.run(
        [sys.executable, "-c", program, ",".join(commands)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["10"] * len(commands)
    assert done.stderr.splitlines() == [
        "foidex: reviews need SQLAlchemy and Alembic. Run: pip install 'foidex[review]'"
    ] * len(commands)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_text_says_of_a_command_what_its_own_help_says_first(name: str) -> None:
    command = build_command(name)
    assert command.name == name
    assert command.hidden == COMMANDS[name].hidden
    assert command.rich_help_panel == COMMANDS[name].panel
    assert command.get_short_help_str(limit=200) == COMMANDS[name].summary
