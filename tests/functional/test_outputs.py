"""The command line writes documents of real answers, and its exit codes are those it documents."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Outcome, run_command
from tests.support.paths import ROOT

DATA = ROOT / "tests" / "data"

Run = Callable[..., Outcome]


def records() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / "reference.jsonl").read_text("utf-8").splitlines()]


@pytest.fixture
def foidex(environment: dict[str, str], tmp_path: Path) -> Run:
    def run(*arguments: str) -> Outcome:
        return run_command(*arguments, environment=environment, folder=tmp_path)

    (tmp_path / "requests").mkdir()
    for name in ("reference.yaml", "five-years.yaml"):
        shutil.copy(DATA / "requests" / name, tmp_path / "requests")
    return run


def test_the_documents_of_the_reference_request_are_written(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    load(records())
    done = foidex("answer", "requests/reference.yaml", "--out", "out")
    assert done.code == 0
    assert done.err == (
        "FOI2018/03922: 1 of 24 records has no text, so no term is found in it. The wording check "
        "(lint) says how many the request is about.\n"
        "FOI2018/03922: Not for publication: 20 numbers are small.\n"
    )
    assert done.out == (
        "FOI2018/03922: 13 files written, the first answer here, so there are no earlier numbers to "
        "compare them with\n"
    )
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert all((tmp_path / "out" / name).stat().st_size for name in manifest["files"])
    assert "Instagram,1,0,1" in (tmp_path / "out/tables/FOI2018-03922.Q2.csv").read_text("utf-8")


def test_the_documents_of_another_request_are_not_replaced_unasked(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    load(records())
    assert foidex("answer", "requests/reference.yaml", "--out", "out").code == 0
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    done = foidex("answer", "requests/five-years.yaml", "--out", "out")
    assert done.code == 11
    assert 'the request "FOI2018/03922", and the new ones are of "SAMPLE/0001"' in done.err
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    assert foidex("answer", "requests/five-years.yaml", "--out", "out", "--force").code == 0


def test_a_number_that_changed_overnight_is_told_and_written(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    load(records())
    assert foidex("answer", "--all", "requests", "--out", "out").code == 0
    assert foidex("answer", "--all", "requests", "--out", "out").code == 0
    (hit,) = [one for one in records() if one["crime_ref"] == "41/0000001/17"]
    load([*records(), hit | {"crime_ref": "41/0000999/17"}])
    done = foidex("answer", "--all", "requests", "--out", "out")
    assert done.code == 16
    assert "  Q1, Sexual activity involving a child under 16, Offences: 1 before, 2 now" in done.out
    assert "numbers of" in done.err
    assert "We counted two offences." in (tmp_path / "out/FOI2018-03922/FOI2018-03922.letter.txt").read_text("utf-8")  # fmt: skip


def test_a_request_that_fails_does_not_keep_the_others_from_their_answers(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    load(records())
    (tmp_path / "requests" / "bad.yaml").write_text("reference: [", encoding="utf-8")
    foreign = tmp_path / "out" / "SAMPLE-0001" / "SAMPLE-0001.letter.pdf"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("mine", encoding="utf-8")
    done = foidex("answer", "--all", "requests", "--out", "out")
    assert done.code == 11  # the highest of 3 and 11
    assert "bad.yaml:1:" in done.err
    assert "SAMPLE-0001.letter.pdf" in done.err
    assert "FOI2018/03922: 13 files written" in done.out
    assert foreign.read_text("utf-8") == "mine"


def test_two_requests_of_one_name_are_both_refused(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    load(records())
    twin = "reference: foi2018-03922\ntitle: Twin\nquestions: [{id: Q1, kind: offences}]\n"
    (tmp_path / "requests" / "twin.yaml").write_text(twin, encoding="utf-8")
    done = foidex("answer", "--all", "requests", "--out", "out")
    assert done.code == 3
    assert done.err.count("gives the same folder") == 2
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["SAMPLE-0001"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("answer",),
        ("answer", "requests/reference.yaml", "--all", "requests", "--out", "out"),
        ("answer", "--all", "requests"),
        ("answer", "requests/reference.yaml", "--force"),
        ("answer", "requests/reference.yaml", "--out", "out", "--format", "json"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_go_together_are_refused(
    arguments: tuple[str, ...], foidex: Run
) -> None:
    assert foidex(*arguments).code == 2


def test_the_name_of_a_request_says_nothing_to_the_terminal(foidex: Run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a\x1b[31m\nFOI_1.yaml").write_text("x: 1\n")
    (tmp_path / "mine" / "b\x1b]0;x\x07.yaml").write_text("x: 1\n")
    done = foidex("answer", "--all", "mine", "--out", "out")
    assert done.code == 3
    assert "\x1b" not in done.out + done.err
    assert r"a\x1b[31m\nFOI_1.yaml: failed" in done.out.splitlines()
    assert r"b\x1b]0;x\x07.yaml: failed" in done.out.splitlines()


def test_a_folder_without_requests_is_told(foidex: Run) -> None:
    done = foidex("answer", "--all", "nowhere", "--out", "out")
    assert done.code == 3
    assert "nowhere: there is no such folder" in done.err


def test_the_letterhead_of_the_force_is_used(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    load(records())
    done = foidex("templates", "init", "mine")
    assert done.code == 0
    assert foidex("templates", "init", "mine").code == 11
    (tmp_path / "mine" / "letter.txt.j2").write_text("To {{ force.name }}\n", encoding="utf-8")
    (tmp_path / "foidex.toml").write_text(
        '[force]\nname = "Us"\n[templates]\nfolder = "mine"\n', encoding="utf-8"
    )
    printed = foidex("answer", "requests/reference.yaml", "--format", "letter")
    assert printed.out == "To Us\n"
    (tmp_path / "mine" / "letter.txt.j2").write_text("{{ nonsense }}", encoding="utf-8")
    wrong = foidex("answer", "requests/reference.yaml", "--out", "out")
    assert wrong.code == 10
    assert "letter.txt.j2:1:" in wrong.err
    assert not (tmp_path / "out").exists()
