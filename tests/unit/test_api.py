"""The Python interface: tidy rows by hand. The examples of the documentation run in test_docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import OutputError, RequestError
from queries.answer.types import format_json
from queries.api import read_answer, to_rows, write
from tests.support.answers import HIDDEN, sample_answer, tabled, wide


def test_rows_are_tidy_and_in_order() -> None:
    rows = [row for row in to_rows(sample_answer(1234)) if row["question"] == "Q2"]
    assert [(row["row"], row["kind"], row["count"]) for row in rows] == [
        ("Snapchat", "asked", 1234),
        ("Skype", "asked", 1),
        ("Omegle", "asked", 0),
        ("None of these", "none", 0),
        ("All", "total", 1234),
    ]
    assert {row["column"] for row in rows} == {"Offences"}


def test_every_count_of_a_wide_table_is_a_row() -> None:
    rows = to_rows(tabled(sample_answer(1), wide(23, 5)))
    assert len(rows) == 24 * 5
    one = next(row for row in rows if (row["row"], row["column"]) == ("Term 3", "2004/05"))
    assert one["count"] is HIDDEN or one["count"] == 304
    assert sum(row["count"] is None for row in rows) > 0


def test_an_answer_that_was_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(format_json(sample_answer(7)), encoding="utf-8")
    assert format_json(read_answer(path)) == format_json(sample_answer(7))
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(RequestError, match="is not an answer of foidex"):
        read_answer(path)
    with pytest.raises(RequestError, match="cannot be read"):
        read_answer(tmp_path / "none.json")


def test_the_documents_of_an_answer_are_written(tmp_path: Path) -> None:
    config = tmp_path / "foidex.toml"
    config.write_text('[force]\nname = "Example Police"\n', encoding="utf-8")
    files = write(sample_answer(1), tmp_path / "out", config)
    assert "manifest.json" in files
    assert "Example Police" in (tmp_path / "out" / "FOI-1.letter.txt").read_text("utf-8")


def test_documents_are_not_written_into_a_folder_without_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="the name of the folder is empty"):
        write(sample_answer(7), "")
    assert [*tmp_path.iterdir()] == []
