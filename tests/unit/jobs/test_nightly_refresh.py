"""The files of a refresh: what is told where a pattern finds none."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from indexer.config.loader import load_settings
from indexer.errors import SourceError
from indexer.progress import Progress
from queries.jobs.nightly_refresh import plan_refresh


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
