"""The files of a refresh: what is told where a pattern finds none."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from indexer.config.loader import load_settings
from indexer.errors import SourceError
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.refresh import check_plan
from indexer.progress import Progress
from queries.jobs.nightly_refresh import plan_refresh

_RECORD = (
    b'{"crime_ref": "%s", "recorded_on": "2020-01-01", "offence_code": "22B", "narrative": ""}\n'
)


def refused(tmp_path: Path, pattern: str) -> str:
    path = tmp_path / "foidex.toml"
    path.write_text(f'[source]\npaths = ["{pattern}"]\n', encoding="utf-8")
    with pytest.raises(SourceError) as told:
        plan_refresh(load_settings({}, path), Progress(quiet=True))
    return str(told.value)


def test_a_folder_that_cannot_be_listed_is_told_and_not_the_pattern(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    extract = tmp_path / "extract"
    gone = f"{extract}: cannot be read (No such file or directory). Check the path and its permissions."
    assert refused(tmp_path, "extract/*.jsonl") == gone
    assert refused(tmp_path, f"{extract}/*/*.jsonl") == gone
    extract.mkdir()
    assert refused(tmp_path, "extract/*.jsonl").startswith(
        f"{extract}/*.jsonl: no file matches this"
    )

    def denied(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", denied)
    assert f"{extract}: cannot be read (Permission denied)" in refused(tmp_path, "extract/*.jsonl")


@pytest.mark.parametrize("pattern", ["extract/*/*.jsonl", "extract/**/*.jsonl", "*/*/crimes.jsonl"])
def test_a_folder_of_a_pattern_that_is_closed_does_not_lose_its_records(pattern: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for year in ("2019", "2020", "lost+found"):
            (folder / "extract" / year).mkdir(parents=True)
            (folder / "extract" / year / "crimes.jsonl").touch()
        folder.chmod(0o777)
        for closed in ("2020", "lost+found"):  # the system's own, on every disk
            (folder / "extract" / closed).chmod(0o700)
        os.seteuid(65534)
        try:
            if not os.access(folder, os.W_OK, effective_ids=True):
                pytest.skip("the temporary folder is closed to other users")
            told = refused(folder, pattern)
        finally:
            os.seteuid(0)
    place = "extract/2020/crimes.jsonl" if pattern.startswith("*") else "extract/2020"
    assert f"{folder / place}: cannot be read (Permission denied)" in told


@pytest.mark.parametrize("pattern", ["extract/*/*.jsonl", "extract/*/crimes.jsonl"])
def test_a_folder_of_a_pattern_on_a_disk_that_is_not_there_is_told(
    tmp_path: Path, pattern: str
) -> None:
    (tmp_path / "extract" / "2019").mkdir(parents=True)
    (tmp_path / "extract" / "2019" / "crimes.jsonl").touch()
    (tmp_path / "extract" / "2020").symlink_to("disk/that/is/not/there")
    assert "extract/2020: cannot be read (No such file" in refused(tmp_path, pattern)


def test_a_name_in_a_pattern_that_is_too_long_is_told(tmp_path: Path) -> None:
    assert "cannot be read (File name too long)" in refused(tmp_path, "x" * 300 + "/*.jsonl")


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="Python 3.13 takes it as *")
@pytest.mark.parametrize("pattern", ["**crimes.jsonl", "extract**/crimes.jsonl"])
def test_what_is_no_pattern_is_told(tmp_path: Path, pattern: str) -> None:
    assert f"{tmp_path / pattern}: is not a pattern" in refused(tmp_path, pattern)


@pytest.mark.parametrize("key", ["paths", "tombstones"])
def test_a_missing_file_is_said_with_the_setting_that_names_it(tmp_path: Path, key: str) -> None:
    (tmp_path / "crimes.jsonl").touch()
    (tmp_path / "link").symlink_to("gone")
    for name in ("gone", "link"):
        names = {"paths": ("crimes.jsonl",), key: (name,)}
        (tmp_path / "foidex.toml").write_text(
            "[source]\n" + "".join(f'{one} = ["{files[0]}"]\n' for one, files in names.items())
        )
        settings = load_settings({}, tmp_path / "foidex.toml")
        message = f'{tmp_path / name}: there is no such file. Check "{key}" of [source]'
        with pytest.raises(SourceError, match=re.escape(message)):
            plan_refresh(settings, Progress(quiet=True))


@pytest.mark.parametrize("key", ["paths", "tombstones"])
def test_a_file_that_appears_while_the_others_are_read_is_not_passed_over(
    tmp_path: Path, key: str
) -> None:
    """An extract of several files that is written while it is read has fewer than it should."""
    (tmp_path / "a.jsonl").write_bytes(_RECORD % b"A")
    (tmp_path / "a.txt").write_bytes(b"X")
    config = tmp_path / "foidex.toml"
    config.write_text('[source]\npaths = ["*.jsonl*"]\ntombstones = ["*.txt"]\n', encoding="utf-8")
    plan = plan_refresh(load_settings({}, config), Progress(quiet=True))
    (tmp_path / "a.jsonl.count").write_bytes(b"1")  # says what a file holds, and is no extract
    assert check_plan(plan).read == 2
    late_file = tmp_path / {"paths": "b.jsonl", "tombstones": "b.txt"}[key]
    late_file.write_bytes(_RECORD % b"B")
    message = f"{late_file}: appeared while the records were read, and is not among them"
    with pytest.raises(SourceError, match=re.escape(message)):
        check_plan(plan)
    assert check_plan(plan, overrides=frozenset({CheckOverride.CHANGED})).read == 2


def find_files(folder: Path, *patterns: str) -> list[str]:
    """The files that a refresh of these patterns reads, below the folder."""
    config = folder / "foidex.toml"
    config.write_text(f"[source]\npaths = {json.dumps(patterns)}\n", encoding="utf-8")
    plan = plan_refresh(load_settings({}, config), Progress(quiet=True))
    return [path.relative_to(folder).as_posix() for path in plan.paths]


def write_files(folder: Path, *names: str) -> None:
    for path in (folder / name for name in names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_RECORD % path.name.encode())


def test_a_name_with_brackets_that_is_there_is_that_file_and_no_pattern(tmp_path: Path) -> None:
    """As a browser names the second download; the pattern would be crimes1.jsonl."""
    write_files(tmp_path, "crimes[1].jsonl", "crimes1.jsonl", "in[2]/a.jsonl", "in2/b.jsonl")
    assert find_files(tmp_path, "crimes[1].jsonl") == ["crimes[1].jsonl"]
    assert find_files(tmp_path, str(tmp_path / "crimes[1].jsonl")) == ["crimes[1].jsonl"]
    assert find_files(tmp_path, "in[2]/*.jsonl") == ["in[2]/a.jsonl"]
    assert find_files(tmp_path, "crimes[[]1].jsonl") == ["crimes[1].jsonl"]
    (tmp_path / "crimes[1].jsonl").unlink()
    assert find_files(tmp_path, "crimes[1].jsonl") == ["crimes1.jsonl"]


def test_a_file_with_the_name_of_a_pattern_with_a_star_hides_no_other(tmp_path: Path) -> None:
    write_files(tmp_path, "*.jsonl", "a.jsonl")
    assert find_files(tmp_path, "*.jsonl") == ["*.jsonl", "a.jsonl"]


def test_a_pattern_with_brackets_that_matches_nothing_says_how_they_are_written(
    tmp_path: Path,
) -> None:
    write_files(tmp_path, "crimes[1]-june.jsonl")
    assert "[ is written [[]" in refused(tmp_path, "crimes[1]-*.jsonl")
    assert "[ is written [[]" not in refused(tmp_path, "other-*.jsonl")


def test_a_hidden_file_is_not_meant_by_a_pattern_without_a_dot(tmp_path: Path) -> None:
    """Editors, copying programs and macOS leave such files beside those they are about."""
    write_files(tmp_path, "in/a.jsonl", "in/.a.jsonl", "in/._a.jsonl", ".old/in/a.jsonl")
    for pattern in ("in/*.jsonl", "in/*", "**/*.jsonl", "*/a.jsonl"):
        assert find_files(tmp_path, pattern) == ["in/a.jsonl"]
    assert find_files(tmp_path, "in/.*.jsonl") == ["in/._a.jsonl", "in/.a.jsonl"]
    assert find_files(tmp_path, ".old/*/*.jsonl") == [".old/in/a.jsonl"]
    assert find_files(tmp_path, ".ol*/in/a.jsonl") == [".old/in/a.jsonl"]


def test_a_file_that_differs_from_a_pattern_in_capitals_is_not_passed_over(tmp_path: Path) -> None:
    """As a program of Windows names the extract of one month."""
    write_files(tmp_path, "in/may.jsonl", "in/JUNE.JSONL", "in/.July.JSONL", "in/notes.txt")
    if (tmp_path / "in" / "june.jsonl").exists():
        pytest.skip("capitals make no difference on this file system")
    for pattern in ("in/*.jsonl", "*/*.jsonl", "**/*.jsonl", "in/[a-z]*.jsonl", "in/[!a]*.jsonl"):
        if pattern == "in/[a-z]*.jsonl":  # other capitals are left out by what is in the brackets
            assert find_files(tmp_path, pattern) == ["in/may.jsonl"]
        else:
            assert "in/JUNE.JSONL: is not read, as its name differs from the pattern" in (
                refused(tmp_path, pattern)
            )


def test_a_file_that_is_named_otherwise_may_differ_from_a_pattern_in_capitals(
    tmp_path: Path,
) -> None:
    write_files(tmp_path, "may.jsonl", "March.jsonl")
    for other in ("M*.jsonl", "March.jsonl"):
        assert find_files(tmp_path, "m*.jsonl", other) == ["may.jsonl", "March.jsonl"]


def test_a_file_of_tombstones_may_differ_from_a_pattern_of_paths_in_capitals(
    tmp_path: Path,
) -> None:
    write_files(tmp_path, "a.txt.jsonl", "GONE.JSONL")
    config = tmp_path / "foidex.toml"
    config.write_text('[source]\npaths = ["*.jsonl"]\ntombstones = ["GONE.JSONL"]\n')
    plan = plan_refresh(load_settings({}, config), Progress(quiet=True))
    assert [path.name for path in plan.tombstones] == ["GONE.JSONL"]
