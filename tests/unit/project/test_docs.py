"""The documentation is tested: its commands exist, its request is right, its codes are the code's."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from indexer.config.loader import load_settings
from indexer.errors import FoidexError
from indexer.progress import Progress
from queries.cli import app
from queries.jobs.nightly_refresh import plan_refresh
from queries.request.reader import parse_request
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")

COMMAND: Any = typer.main.get_command(app)


def blocks(language: str) -> list[str]:
    """The code blocks of one language; every second part between fences is a block."""
    parts = re.split(r"^```", README, flags=re.MULTILINE)[1::2]
    return [text for name, _, text in (part.partition("\n") for part in parts) if name == language]


def commands() -> list[list[str]]:
    lines = [line for block in blocks("") for line in block.splitlines()]
    inline = re.findall(r"`(foidex [^`]+)`", README)
    return [line.split() for line in (*lines, *inline) if line.startswith("foidex ")]


def subcommands() -> dict[str, Any]:
    return {name: command for name, command in COMMAND.commands.items() if not command.hidden}


def test_every_command_has_its_place_in_the_readme() -> None:
    named = {words[1] for words in commands()} | set(re.findall(r"foidex ([a-z]+)", README))
    missing = set(subcommands()) - named
    assert not missing


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_of_the_readme_exists_with_its_options(words: list[str]) -> None:
    if words[1].startswith("-"):
        return
    command = subcommands()[words[1]]
    if hasattr(command, "commands"):
        command = command.commands[words[2]]
    known = {
        option
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    known.add("--help")
    assert {word for word in words[2:] if word.startswith("--")} <= known


def test_the_requests_of_the_readme_are_right() -> None:
    found = [[one.id for one in parse_request(text).questions] for text in blocks("yaml")]
    assert found == [["Q1", "Q2", "Q3", "Q4"], ["Q1", "Q2", "Q3", "Q4", "Q5"]]


def test_the_configurations_of_the_readme_are_right(tmp_path: Path) -> None:
    """One of each kind of source, which nobody has both of, and what a letter says."""
    path = tmp_path / "foidex.toml"
    found = []
    for block in blocks("toml"):
        path.write_text(block, encoding="utf-8")
        found.append(load_settings({}, path))
    assert [bool(one.source.paths) for one in found].count(True) == 1
    assert [bool(one.source.queries.crimes) for one in found].count(True) == 1
    assert "Example Constabulary" in [one.force.name for one in found]
    for one in found:
        if one.source.database:
            assert plan_refresh(one, Progress(quiet=True)).database


def test_the_exit_codes_of_the_readme_are_the_codes() -> None:
    cells = re.findall(r"^\| ([\d, ]+) \|", README, re.MULTILINE)
    told = {int(code) for cell in cells for code in cell.split(", ")}
    kinds = {kind.exit_code for kind in FoidexError.__subclasses__()}
    assert told == kinds | {0, 1, 2, 130, 143}
    assert len(kinds) == len(FoidexError.__subclasses__())


def test_every_command_says_what_it_does_with_an_example_or_needs_none() -> None:
    grouped = {
        f"{name} {below}": command
        for name, group in subcommands().items()
        for below, command in getattr(group, "commands", {}).items()
    }
    for name, command in {**subcommands(), **grouped}.items():
        assert command.help, name
        if any(parameter.param_type_name == "argument" for parameter in command.params):
            assert "Example:" in command.help, name


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of one machine, no host of a registry."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    found = [
        name
        for name in listed.stdout.split()
        if re.search(
            r"/(?:work|tmp/lab)/|repo1?\.maven|pypi\.org|registry\.npmjs",
            (ROOT / name).read_text("utf-8", "ignore"),
        )
        and name != "tests/unit/project/test_docs.py"
    ]
    assert not found


def test_every_promise_has_a_test_that_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    kept = re.findall(r"^\|.* `([^`]+\.py::[^`]+)` \|$", text, re.MULTILINE)
    parts = re.findall(r"^\| \*\*(.+)\*\* \| \|$", text, re.MULTILINE)
    assert len(parts) == 7
    assert len(kept) == text.count("::test_") > 50
    for test in kept:
        path, _, name = test.partition("::")
        source = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), test
