"""The wheel works alone: in an empty environment, from another folder, with its data inside."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.support.paths import ROOT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``foidex`` of an environment that holds the wheel and what it needs, no more."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)],
        check=True,
        capture_output=True,
    )
    return python.with_name("foidex")


def run(foidex: Path, *arguments: str, folder: Path, environment: dict[str, str]) -> str:
    command = [str(foidex), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_loads_counts_and_writes_letters(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    def foidex(*arguments: str) -> str:
        return run(installed, *arguments, folder=tmp_path, environment=environment)

    foidex("sample", "100", "--out", "sample.jsonl")
    assert "100 indexed" in foidex("load", "sample.jsonl")
    request = ROOT / "tests" / "data" / "requests" / "five-years.yaml"
    assert "is valid" in foidex("lint", str(request))
    assert "Yours faithfully" in foidex("answer", str(request), "--format", "letter")
    assert foidex("answer", str(request), "--format", "html").startswith("<!DOCTYPE html>")
    assert "live stream" in foidex("count", "livestream")
    assert "letter.docx" in foidex("templates", "init", "mine")


def test_documents_without_their_libraries_name_what_to_install(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    run(installed, "sample", "10", "--out", "s.jsonl", folder=tmp_path, environment=environment)
    run(installed, "load", "s.jsonl", folder=tmp_path, environment=environment)
    request = ROOT / "tests" / "data" / "requests" / "five-years.yaml"
    done = subprocess.run(
        [installed, "answer", str(request), "--out", "out"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 10
    assert "pip install 'foidex[reports]'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_wheel_carries_the_demonstration_and_the_schema(installed: Path) -> None:
    data = next((installed.parent.parent / "lib").glob("python*/site-packages"))
    for name in (
        "indexer/_data/demo/reference.jsonl",
        "indexer/_data/demo/requests/reference.yaml",
        "indexer/_data/demo/requests/five-years.yaml",
        "indexer/_data/mappings/crimes.json",
        "indexer/_data/templates/letter.docx",
        "indexer/_data/templates/letter.html.j2",
        "indexer/_data/templates/letter.typ.j2",
        "indexer/_data/templates/questions/keywords.j2",
        "queries/answer.schema.json",
    ):
        assert (data / name).is_file(), name
    assert not (data / "templates").exists()
    assert not (data / "tests").exists()
