"""The documents of an answer in the workbench: a manifest that someone else wrote is one message."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from indexer.errors import OutputError, RequestError
from indexer.files import open_folder
from queries.documents.manifest import Manifest
from queries.workbench.files.answer_sets import (
    find_answer_folder,
    find_answer_set,
    read_document,
    read_set_answer,
)
from queries.workbench.files.request_files import RequestFolder


@pytest.mark.parametrize("files", ["{}", '{"a.letter.txt": "00"}'])
def test_a_manifest_without_an_answer_is_one_message(tmp_path: Path, files: str) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "answer")
    folder.mkdir(parents=True)
    head = '"reference": "A", "generation": "g", "query_hash": "q", "run_at": "r", "version": "1"'
    (folder / "manifest.json").write_text(f'{{{head}, "files": {files}}}')
    with pytest.raises(OutputError, match="its manifest lists no answer"):
        find_answer_set(requests, "a.yaml", "answer")


# -- a run that was killed ---------------------------------------------------------------------


def write_set(folder: Path, run: str, names: tuple[str, ...] = ("A.letter.txt",)) -> None:
    """A set as a run leaves it; what its documents say is the name of the run."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(run.encode()).hexdigest()
    files = dict.fromkeys(("A.answer.json", *names), digest)
    for name in files:
        (folder / name).write_text(run)
    manifest = Manifest("A", "g", "q", run, "1", files)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def test_what_a_killed_run_had_made_ready_is_put_in_its_place(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "published")
    write_set(folder, "old", ("A.letter.txt", "A.report.txt"))
    write_set(folder / ".foidex-new", "new", ("A.letter.txt", "A.letter.html"))
    (folder / ".foidex-new" / "A.letter.txt").rename(folder / "A.letter.txt")  # and no further
    answer_set = find_answer_set(requests, "a.yaml", "published")
    assert answer_set is not None
    assert answer_set.manifest.run_at == "new"
    assert {read_document(answer_set, name) for name in answer_set.manifest.files} == {b"new"}
    assert sorted(path.name for path in folder.iterdir()) == [
        "A.answer.json", "A.letter.html", "A.letter.txt", "manifest.json",
    ]  # fmt: skip


def test_what_was_not_ready_is_not_shown(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "published")
    write_set(folder / ".foidex-new", "new")
    (folder / ".foidex-new" / "manifest.json").rename(folder / ".foidex-new" / "manifest.json.part")
    assert find_answer_set(requests, "a.yaml", "published") is None


def test_a_set_that_is_being_written_is_not_shown_half(tmp_path: Path) -> None:
    """Another process is at it: it holds the lock, and one document has its place already."""
    requests = RequestFolder(tmp_path)
    path = find_answer_folder(requests, "a.yaml", "answer")
    write_set(path, "old")
    write_set(path / ".foidex-new", "new")
    with open_folder(path) as folder, folder.hold_lock(".foidex.lock", 0):
        answer_set = find_answer_set(requests, "a.yaml", "answer")
        assert answer_set is not None
        assert read_document(answer_set, "A.letter.txt") == b"old"
        for name in ("A.letter.txt", "A.answer.json"):
            (path / ".foidex-new" / name).rename(path / name)
        with pytest.raises(RequestError, match="are being written"):
            read_document(answer_set, "A.letter.txt")
        with pytest.raises(RequestError, match="are being written"):
            read_set_answer(answer_set)


def test_a_document_that_someone_changed_is_not_sent_as_ours(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "published")
    write_set(folder, "old")
    answer_set = find_answer_set(requests, "a.yaml", "published")
    assert answer_set is not None
    (folder / "A.letter.txt").write_text("by hand")
    with pytest.raises(RequestError, match="was changed since foidex wrote it"):
        read_document(answer_set, "A.letter.txt")
