"""What an operator's script meets where no server runs and no foidex.toml is there."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer

from indexer.audit.chain import build_chain_line, hash_line
from indexer.commands.shared import parse_path
from queries.cli import set_global_options
from queries.command_table import COMMANDS, add_command
from tests.support.command_line import Outcome, run_command
from tests.support.force import FORCE_TOML


@pytest.fixture
def operate(tmp_path: Path) -> Callable[..., Outcome]:
    """Runs the program in an empty folder, with a home of its own and no server."""
    folder = tmp_path / "work"
    folder.mkdir()
    environment = {"FOIDEX_HOME": str(tmp_path / "home"), "HOME": str(tmp_path), "PATH": ""}

    def run(*arguments: str, code: int = 0) -> Outcome:
        return run_command(*arguments, environment=environment, folder=folder, expected_code=code)

    return run


def test_status_without_a_running_server_exits_with_5(operate: Callable[..., Outcome]) -> None:
    outcome = operate("status", code=5)
    assert outcome.out == ""
    assert (
        outcome.err
        == "foidex: no embedded server is running. Start it with foidex up, or set FOIDEX_URL.\n"
    )


@pytest.mark.parametrize("options", [("--check",), ("--incremental", "--check")])
def test_a_refresh_without_foidex_toml_says_that_there_is_none(
    operate: Callable[..., Outcome], tmp_path: Path, options: tuple[str, ...]
) -> None:
    outcome = operate("refresh", *options, code=10)
    assert f"there is no foidex.toml in {tmp_path / 'work'}, so there is no source." in outcome.err
    assert "foidex --config FILE refresh" in outcome.err


def test_the_doctor_says_that_there_is_no_foidex_toml(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = operate("doctor")
    assert f"there is no foidex.toml in {tmp_path / 'work'}; the environment is" in outcome.out


def test_the_doctor_points_at_the_line_that_says_what_to_do(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    (tmp_path / "work" / "foidex.toml").write_text("[indx]\n")
    outcome = operate("doctor", code=17)
    assert 'has an unknown key "indx". Did you mean "index"?' in outcome.out
    assert len(outcome.out.splitlines()) == 1  # the remedy is in this line, and in no other
    assert 'Each line that says "problem", or the line below it, says what to do.' in outcome.err


@pytest.mark.parametrize("change", ["{0:.12}", "{0:.63}", "{0}0", "4 {0}", "", "g{0:.63}"], ids=str)
def test_a_head_that_is_not_a_whole_hash_is_a_wrong_command_line(
    operate: Callable[..., Outcome], tmp_path: Path, change: str
) -> None:
    line = build_chain_line({"command": "count"}, b"")
    folder = tmp_path / "home" / "audit"
    folder.mkdir(parents=True)
    (folder / "audit.jsonl").write_bytes(line)
    head = hash_line(line)
    outcome = operate("audit", "verify", "--head", change.format(head), code=2)
    assert "is not a hash of 64 characters" in " ".join(outcome.err.split())
    assert "is that of line 1" in operate("audit", "verify", "--head", f" {head.upper()}").out
    operate("audit", "verify", "--head", f"{head[1:]}0", code=18)


@pytest.mark.parametrize(
    "command",
    [
        ("answer", "request.yaml", "--out", ""),
        ("answer", "--all", ""),
        ("answer", ""),
        ("lint", " "),
        ("why", "", "41/1/17"),
        ("replay", ""),
        ("estimate", ""),
        ("find", "Hinge", "--request", ""),
        ("load", ""),
        ("load", "crimes.jsonl", "--rejects="),
        ("sample", "3", "--out", ""),
        ("demo", "--out", ""),
        ("templates", "init", ""),
        ("audit", "show", "--log", ""),
        ("--config", "", "status"),
    ],
    ids=" ".join,
)
def test_an_empty_path_is_a_wrong_command_line(
    operate: Callable[..., Outcome], tmp_path: Path, command: tuple[str, ...]
) -> None:
    """It would mean the working folder; it comes from a variable of a script that is not set."""
    outcome = operate(*command, code=2)
    assert "is empty. Name a file or a folder." in " ".join(outcome.err.split())
    assert [*(tmp_path / "work").iterdir()] == []


@pytest.mark.parametrize(
    ("command", "code"),
    [(("load", "./%s"), 4), (("inspect", "%s"), 4), (("draft", "%s"), 20), (("lint", "%s"), 3)],
)
def test_a_name_with_a_line_break_forges_no_line(
    operate: Callable[..., Outcome], command: tuple[str, ...], code: int
) -> None:
    parts = (part.replace("%s", "a\nfoidex: done.xyz") for part in command)
    outcome = operate(*parts, code=code)
    assert r"a\nfoidex: done.xyz: " in outcome.err
    assert not any(line.startswith("foidex: done") for line in outcome.err.splitlines())


def test_a_delivered_name_with_a_line_break_forges_no_line(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    folder = tmp_path / "work"
    (folder / "a\nfoidex: done.jsonl").write_text("{}\n")
    (folder / "foidex.toml").write_text('[source]\npaths = ["*.jsonl"]\n')
    outcome = operate("refresh", "--check", code=4)
    assert outcome.err.count("\n") == 1
    assert r"a\nfoidex: done.jsonl: has a line break in its name. Rename it." in outcome.err


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("demo", "--out", "."), "foidex.toml"),
        (("demo", "--out", "."), "sample.jsonl"),
        (("sample", "3", "--out", "crimes.jsonl"), "crimes.jsonl"),
        (("review", "export", "--out", "review.csv"), "review.csv"),
    ],
)
def test_no_file_that_is_there_is_replaced_without_a_word(
    operate: Callable[..., Outcome], tmp_path: Path, command: tuple[str, ...], name: str
) -> None:
    path = tmp_path / "work" / name
    path.write_text("# ours\n")
    outcome = operate(*command, code=11)
    assert f"{name}: is" in outcome.err
    assert {each.name: each.read_text() for each in path.parent.iterdir()} == {name: "# ours\n"}


def test_a_sample_replaces_a_file_if_it_is_told_to(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    path = tmp_path / "work" / "crimes.jsonl"
    path.write_text("# ours\n")
    operate("sample", "3", "--out", "crimes.jsonl", "--force")
    assert path.read_text().count("\n") == 3


def list_commands(program: typer.Typer) -> Iterator[Callable[..., object]]:
    for command in program.registered_commands:
        assert command.callback
        yield command.callback
    for group in program.registered_groups:
        assert group.typer_instance
        yield from list_commands(group.typer_instance)


def test_every_command_refuses_an_empty_path() -> None:
    """So that a new option is not forgotten."""
    found = 0
    program = typer.Typer()
    for name in COMMANDS:
        add_command(program, name)
    for command in (set_global_options, *list_commands(program)):
        for name, hint in get_type_hints(command, include_extras=True).items():
            if "Path" in str(get_args(hint)[:1]):
                found += 1
                (option,) = get_args(hint)[1:]
                assert option.parser is parse_path, f"{command.__name__}: {name}"
    assert found > 15


def test_an_empty_folder_name_in_foidex_toml_is_refused(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    for section in ("audit", "templates"):
        (tmp_path / "work" / "foidex.toml").write_text(f'[{section}]\nfolder = ""\n')
        outcome = operate("audit", "head", code=10)
        assert f'"{section}.folder"' in outcome.err


def write_source(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "work" / "crimes.jsonl.gz").write_bytes(content)
    (tmp_path / "work" / "foidex.toml").write_text('[source]\npaths = ["crimes.jsonl.gz"]\n')


def test_a_check_of_a_whole_extract_without_records_fails(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    write_source(tmp_path, gzip.compress(b"") * 100)
    outcome = operate("refresh", "--check", code=4)
    assert "crimes.jsonl.gz: there are no records. Check the path." in outcome.err
    assert operate("refresh", "--check", "--incremental").out.startswith("0 records read")


def test_gzip_data_that_holds_nothing_is_refused_in_bounded_time(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    write_source(tmp_path, gzip.compress(b"") * 500_000)
    outcome = operate("refresh", "--check", code=4)
    assert "over 1 MB of its gzip data hold nothing" in outcome.err
    record = (
        b'{"crime_ref":"1","recorded_on":"2018-01-01","offence_code":"22B","narrative":"Text"}\n'
    )
    write_source(tmp_path, gzip.compress(record) + gzip.compress(b"") * 100_000)
    assert "over 1 MB" in operate("refresh", "--check", code=4).err
    records = [record.replace(b'"1"', b'"%d"' % number) for number in range(100)]
    write_source(
        tmp_path, b"".join(gzip.compress(line) + gzip.compress(b"") * 1_000 for line in records)
    )
    assert operate("refresh", "--check").out.startswith("100 records read: 100 valid")


def test_a_check_says_what_to_do_about_bad_records_and_promotes_nothing(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    write_source(tmp_path, gzip.compress(b'{"crime_ref":"1"}\n'))
    outcome = operate("refresh", "--check", code=4)
    assert "to set them aside: foidex refresh --reject-invalid" in outcome.err
    operate("refresh", "--check", "--reject-invalid")
    (tmp_path / "work" / "crimes.jsonl.gz.count").write_text("2\n")
    outcome = operate("refresh", "--check", "--reject-invalid", code=4)
    assert "run the command again with --allow expected" in outcome.err
    assert "promoted" not in outcome.err
    operate("refresh", "--check", "--reject-invalid", "--allow", "expected")


@pytest.mark.parametrize(
    ("arguments", "keep", "code"),
    [(("refresh",), "kep = 3", 10), (("refresh", "--nosuch"), "keep = 3", 2)],
)
def test_a_refresh_that_cannot_read_its_settings_leaves_the_report_and_the_metrics(
    operate: Callable[..., Outcome],
    tmp_path: Path,
    arguments: tuple[str, ...],
    keep: str,
    code: int,
) -> None:
    """Which files they are is in the settings, so the time of the last success must say it."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("report.json", "foidex.prom"):
        (home / name).write_text("of the run before")
    (tmp_path / "work" / "foidex.toml").write_text(
        f'[source]\npaths = ["*.jsonl"]\n[refresh]\n{keep}\n'
        'report = "report.json"\nmetrics = "foidex.prom"\n'
    )
    operate(*arguments, code=code)
    for name in ("report.json", "foidex.prom"):
        assert (home / name).read_text() == "of the run before"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('database = "mysql+pymysql://host/crimes"', 'the driver of "mysql+pymysql" is not installed'),
        ('database = "sybase://host/crimes"', "is not a database that foidex can read"),
        ('database = "postgresql:/host"', "is not a SQLAlchemy URL"),
        ('paths = ["crimes.exe"]', "crimes.exe"),
        ('paths = ["crimes.csv", "crimes.csv"]', "is given twice"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_be_read_is_noticed_before_a_server_is_started(
    operate: Callable[..., Outcome], tmp_path: Path, source: str, reason: str
) -> None:
    queries = '[source.queries]\ncrimes = "SELECT 1"\n' if "database" in source else ""
    (tmp_path / "work" / "foidex.toml").write_text(f"[source]\n{source}\n{queries}")
    for name in ("crimes.csv", "crimes.exe"):
        (tmp_path / "work" / name).touch()
    outcome = operate("refresh", code=4 if "paths" in source else 10)
    assert reason in outcome.err
    assert outcome.err.count("foidex: ") == 1
    assert not (tmp_path / "home" / "server.lock").exists()


def test_a_file_that_is_not_there_is_noticed_before_a_server_is_started(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    outcome = operate("load", "crimes.jsonl", code=4)
    assert "crimes.jsonl" in outcome.err
    assert not (tmp_path / "home" / "server.lock").exists()


REQUEST = """\
reference: R/1
title: T
questions:
  - {id: Q1, kind: offences}
letter:
  received: 2024-01-02
"""

LETTER = "Dear Sir,\n\nHow many thefts were there in 2018?\n\nYours,\nA Person\n"


def test_a_name_on_the_command_line_changes_no_terminal(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    """One path is one line, even if a script made its name of something that others wrote."""
    name = "a\x1b[2J\u202e\nb"
    shown = r"a\x1b[2J\u202e\nb"
    for file, text in ((f"{name}.yaml", REQUEST), (f"{name}.txt", LETTER)):
        (tmp_path / "work" / file).write_text(text)
    (tmp_path / "work" / "foidex.toml").write_text(FORCE_TOML)
    for command, expected in (
        (("lint", "--offline", f"{name}.yaml"), f"{shown}.yaml: R/1 is valid."),
        (("letter", "acknowledgement", f"{name}.yaml", "--out", name), f"{shown}/R-1."),
        (("draft", f"{name}.txt", "--out", f"{name}.2.yaml"), f"{shown}.2.yaml\n"),
        (("templates", "init", name), f"{shown}/letter.txt.j2\n"),
    ):
        out = operate(*command).out
        assert expected in out
        assert out.replace("\n", "").isprintable()
    assert tomllib.loads(out[out.index("[templates]") :])["templates"]["folder"] == name


@pytest.mark.parametrize("name", ["n" * 300, "n" * 5000, "d/" * 3000])
def test_a_name_that_is_too_long_is_a_message(
    operate: Callable[..., Outcome], tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "work"
    (folder / "letter.txt").write_text(LETTER)
    for command, code in (
        (("lint", "--offline", name), 3),
        (("letter", "acknowledgement", name), 3),
        (("estimate", name), 3),
        (("draft", f"{name}.txt"), 20),
        (("draft", "letter.txt", "--out", f"{name}.yaml"), 11),
        (("--config", name, "lint", "none"), 10),
    ):
        assert operate(*command, code=code).message.startswith("foidex: ")
    for text, command, code in (
        (f'[source]\npaths = ["{name}*"]', ("refresh", "--check"), 4),
        (f'[review]\nstore = "{name}"', ("review", "status"), 22),
        (f'[source]\ndatabase = "sqlite:///{name}"\nqueries = {{crimes = "x"}}', ("refresh", "--check"), 4),
    ):  # fmt: skip
        (folder / "foidex.toml").write_text(text)
        assert operate(*command, code=code).err.startswith("foidex: ")


def test_an_audit_log_changes_no_terminal(operate: Callable[..., Outcome], tmp_path: Path) -> None:
    operate("letter", "acknowledgement", "none.yaml", code=3)
    path = tmp_path / "home" / "audit" / "audit.jsonl"
    path.parent.mkdir(parents=True)
    continues = {"file": "\x1b[2J\u202e", "number": 1, "lines": 2, "head": "\x9b2J"}
    path.write_bytes(build_chain_line({"at": "\u202e", "continues": continues}, b""))
    verified = operate("audit", "verify").out
    assert r"\x1b[2J\u202e is missing (2 lines, head \x9b2J)" in verified
    (line,) = operate("audit", "show").out.splitlines()
    assert (verified.replace("\n", "") + line).isprintable()
    assert json.loads(line)["continues"] == continues
    with path.open("ab") as file:
        file.write(b"torn\n" * 1_000)
    assert "line 2, 3, " in (told := operate("audit", "verify").out)
    assert "21 and 980 more;" in told


@pytest.mark.parametrize(
    "name", ["a" * 300, "/" + "a/" * 3_000, "a\n\x1b[31m\u202eb", "~no-such-user"]
)
@pytest.mark.parametrize("command", ["doctor", "status", "down"])
def test_an_odd_name_of_a_home_is_a_message(tmp_path: Path, name: str, command: str) -> None:
    path = name if name[0] in "/~" else f"{tmp_path}/{name}"
    environment = {"FOIDEX_HOME": path, "HOME": str(tmp_path), "PATH": ""}
    outcome = run_command(command, environment=environment, folder=tmp_path)
    assert (outcome.out + outcome.err).replace("\n", "").isprintable()
    if name.startswith("~"):
        assert outcome.code == (17 if command == "doctor" else 10)
        assert "FOIDEX_HOME (~no-such-user): there is no such user" in outcome.out + outcome.err
