"""The documentation is tested: its commands, requests, settings, examples, links and file names are right."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from indexer.config.loader import load_settings
from indexer.config.model import ConfigFile, ListSettings
from indexer.errors import list_exit_codes
from indexer.progress import Progress
from indexer.records.parse import parse_record_line
from queries import api
from queries.cli import app
from queries.jobs.nightly_refresh import plan_refresh
from queries.request.reader import parse_request
from tests.support.answers import sample_answer
from tests.support.command_reference import render_reference
from tests.support.paths import ROOT

COMMAND: Any = typer.main.get_command(app)
DOCS = ROOT / "docs"
#: Every page that a user or a contributor reads, by its path.
PAGES: dict[str, str] = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        ROOT / "mappings" / "README.md",
        ROOT / "templates" / "README.md",
        *sorted(DOCS.rglob("*.md")),
    )
}
REFERENCE = PAGES["docs/command-line.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A command whose name is a placeholder, such as "foidex COMMAND --help".
PLACEHOLDER = re.compile(r"[A-Z]+")


def blocks(page: str, language: str) -> list[str]:
    """The code blocks of one language on a page; those without one are typed into a shell."""
    return [text for name, text in FENCE.findall(PAGES[page]) if name == language]


def every_block(language: str) -> list[str]:
    return [text for page in PAGES for text in blocks(page, language)]


def prose(page: str) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", PAGES[page])


def command_lines() -> list[str]:
    """Every command of every page, in a block or in a sentence, once."""
    typed = [line for block in every_block("") for line in block.splitlines()]
    inline = [text for page in PAGES for text in re.findall(r"`(foidex\s[^`]+)`", prose(page))]
    lines = (" ".join(line.split()) for line in (*typed, *inline))
    return [*dict.fromkeys(line for line in lines if line.startswith("foidex "))]


def leaves(command: Any = COMMAND, name: str = "foidex") -> Iterator[tuple[str, Any]]:
    """Every command and group of commands that help shows, by what is typed."""
    for word, below in command.commands.items():
        if below.hidden:
            continue
        yield f"{name} {word}", below
        if hasattr(below, "commands"):
            yield from leaves(below, f"{name} {word}")


COMMANDS = dict(leaves())


def options(command: Any) -> set[str]:
    """The options a command accepts."""
    written = (
        option
        for parameter in command.params
        if parameter.param_type_name == "option"
        for option in (*parameter.opts, *parameter.secondary_opts)
    )
    return {option for option in written if option.startswith("--")}


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, and the words behind its name."""
    command, rest = COMMAND, words
    while rest and hasattr(command, "commands"):
        if rest[0] == "--config":
            rest = rest[2:]
        elif rest[0].startswith("-"):
            rest = rest[1:]
        else:
            command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def reference_section(name: str) -> str:
    """What the reference of the command line says of one command."""
    match = re.search(rf"^### {name}\n(.*?)(?=^##|\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    assert match, name
    return match[1]


# -- commands ------------------------------------------------------------------------------------


def test_every_command_has_its_place_in_the_reference_and_no_other() -> None:
    assert set(COMMANDS) == set(re.findall("^### (foidex .+)$", REFERENCE, re.MULTILINE))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_reference_has_every_option_of_a_command_and_no_other(name: str) -> None:
    rows = re.findall(r"^\| (`.+?`) \|", reference_section(name), re.MULTILINE)
    written = {text for row in rows for text in re.findall(r"`(--[a-z-]+)`", row)}
    assert written == options(COMMANDS[name]) - {"--help"}


def test_the_reference_has_the_options_of_every_command() -> None:
    head = REFERENCE.partition("## Exit codes")[0]
    assert options(COMMAND) <= set(re.findall(r"`(--[a-z-]+)", head))


@pytest.mark.parametrize("line", command_lines())
def test_every_command_of_the_documentation_exists_with_its_options(line: str) -> None:
    words = line.split()[1:]
    if PLACEHOLDER.fullmatch(words[0]):
        return
    command, rest = find_command(words)
    known = options(command) | options(COMMAND) | {"--help"}
    assert {word for word in rest if word.startswith("--")} <= known


def test_every_command_says_what_it_does_with_an_example_or_needs_none() -> None:
    for name, command in COMMANDS.items():
        assert command.help, name
        if any(parameter.param_type_name == "argument" for parameter in command.params):
            assert "Example:" in command.help, name


def test_the_reference_is_what_the_program_says() -> None:
    """Rewrite it with: make docs."""
    assert render_reference(REFERENCE) == REFERENCE


def test_the_exit_codes_of_the_reference_are_the_codes() -> None:
    cells = re.findall(r"^\| ([\d, ]+) \|", REFERENCE, re.MULTILINE)
    documented = {int(code) for cell in cells for code in cell.split(", ")}
    assert documented == {code for code, _ in list_exit_codes()}


# -- examples ------------------------------------------------------------------------------------


ALLOWED = ListSettings(narratives=True)


def test_the_requests_of_the_documentation_are_right() -> None:
    ids = {
        page: [
            [question.id for question in parse_request(text, lists=ALLOWED).questions]
            for text in requests
        ]
        for page in PAGES
        if (requests := blocks(page, "yaml"))
    }
    assert ids == {
        "README.md": [["Q1", "Q2", "Q3"]],
        "docs/letters.md": [["1", "2a"], ["1"]],
        "docs/request-file.md": [
            ["Q1", "Q2", "Q3", "Q4"],
            ["Q1", "Q2", "Q3", "Q4", "Q5"],
            ["Q1"],
            ["Q1", "Q2"],
            ["Q1.1", "Q1.2", "Q1.3"],
            ["Q1", "Q2"],
            ["L1"],
            ["Q1", "Q2", "Q3"],
        ],
        "docs/your-extract.md": [["Q1", "Q2", "Q3", "Q4"]],
    }


def test_the_configurations_of_the_documentation_are_right(tmp_path: Path) -> None:
    """One of each kind of source, which nobody has both of, and what a letter says."""
    path = tmp_path / "foidex.toml"
    configurations = []
    for block in every_block("toml"):
        path.write_text(block, encoding="utf-8")
        configurations.append(load_settings({}, path))
    assert [bool(settings.source.paths) for settings in configurations].count(True) == 1
    assert [bool(settings.source.queries.crimes) for settings in configurations].count(True) == 1
    assert "Example Constabulary" in [settings.force.name for settings in configurations]
    for settings in configurations:
        if settings.source.database:
            assert plan_refresh(settings, Progress(quiet=True)).database


def test_every_section_of_the_configuration_has_an_example() -> None:
    sections = set(re.findall(r"^\[+([a-z]+)", "\n".join(every_block("toml")), re.MULTILINE))
    assert sections == set(ConfigFile.__struct_encode_fields__)


def test_the_records_of_the_documentation_are_right() -> None:
    references = [
        parse_record_line(" ".join(text.split()).encode()).crime_ref for text in every_block("json")
    ]
    assert references == ["41/0012345/17"]


@pytest.mark.parametrize("library", ["none", "pandas", "polars"])
def test_the_examples_in_python_run(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "answer", lambda _: sample_answer(1234))
    first, *others = every_block("python")
    names: dict[str, Any] = {}
    exec(first, names)
    assert 1234 in [row["count"] for row in names["rows"]]
    assert [[name for name in ("pandas", "polars") if name in text] for text in others] == [
        ["pandas"],
        ["polars"],
    ]
    if library != "none":
        pytest.importorskip(library, reason=f"{library} is not installed")
        (example,) = [text for text in others if library in text]
        exec(example, names)
        assert "1234" in str(names["table"])


# -- pages ---------------------------------------------------------------------------------------


def links(page: str) -> Iterator[tuple[Path, str]]:
    """The files of this project that a page links to, each with the heading or ""."""
    folder = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not re.match(r"[a-z]+:", target):
            name, _, heading = target.partition("#")
            yield (folder / name).resolve() if name else ROOT / page, heading


def anchors(path: Path) -> set[str]:
    """The headings of a page as links name them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text("utf-8")), re.MULTILINE)
    plain = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_page_and_a_heading_that_are_there(page: str) -> None:
    for path, heading in links(page):
        assert path.exists(), path
        assert not heading or heading in anchors(path), f"{path}#{heading}"


def test_every_page_is_reached_from_the_readme_in_two_steps() -> None:
    reached = {ROOT / "README.md"}
    for _ in range(2):
        pages = [str(path.relative_to(ROOT)) for path in reached if path.suffix == ".md"]
        reached |= {path for page in pages for path, _ in links(page)}
    assert {ROOT / page for page in PAGES} <= reached


def test_the_readme_is_one_page() -> None:
    assert len(PAGES["README.md"].split()) < 1_000


def test_every_file_that_is_named_is_there() -> None:
    """But for those that CONTRIBUTING names by a folder yet to be filled."""
    own = r"(?:indexer|queries|tests|docker|mappings|templates|docs|\.ci)/[\w./-]*"
    made = {"docker/extract/", "docker/secrets/", "docker/backups/", "docker/.env"}
    named = {
        name
        for page in PAGES
        if page not in ("CHANGELOG.md", "CONTRIBUTING.md")
        for name in re.findall(rf"`({own})`", PAGES[page])
    }
    assert not {name for name in named - made if not (ROOT / name).exists()}


def test_every_decision_has_its_number_its_three_parts_and_its_line() -> None:
    index = PAGES["docs/decisions/README.md"]
    decisions = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert len({path.name[:4] for path in decisions}) == len(decisions), "a number is used twice"
    for path in decisions:
        text = path.read_text("utf-8")
        title = re.match(rf"# {int(path.name[:4])}\. (.+)\n", text)
        assert title, path.name
        assert f"[{title[1]}]({path.name})" in index
        headings = re.findall("^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences"], path.name


def test_the_project_speaks_of_itself_alone() -> None:
    """No path of one machine, no host of a registry."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    found = [
        name
        for name in names
        if re.search(
            r"/(?:work|tmp/lab)/|repo1?\.maven|pypi\.org|registry\.npmjs",
            (ROOT / name).read_text("utf-8", "ignore"),
        )
        and name != "tests/unit/test_docs.py"
    ]
    assert names
    assert not found


def test_every_promise_has_a_test_that_is_there() -> None:
    text = PAGES["docs/promises.md"]
    kept = re.findall(r"^\|.* `([^`]+\.py::[^`]+)` \|$", text, re.MULTILINE)
    parts = re.findall(r"^\| \*\*(.+)\*\* \| \|$", text, re.MULTILINE)
    assert len(parts) == 9
    assert len(kept) == text.count("::test_") > 50
    for test in kept:
        path, _, name = test.partition("::")
        source = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", source, re.MULTILINE), test
