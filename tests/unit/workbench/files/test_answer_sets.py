"""The documents of an answer in the workbench: a manifest that someone else wrote is one message."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from indexer.errors import OutputError, RequestError, UnreadableError
from indexer.files import open_folder
from queries.documents.manifest import Manifest
from queries.workbench.files.answer_sets import (
    find_answer_folder,
    find_answer_set,
    read_document,
    read_set_answer,
)
from queries.workbench.files.counted_answers import (
    KEPT_ANSWERS,
    list_counted_answers,
    make_keeper,
)
from queries.workbench.files.request_files import RequestFolder
from tests.support.answers import sample_answer


@pytest.mark.parametrize("files", ["{}", '{"a.letter.txt": "00"}'])
def test_a_manifest_without_an_answer_is_one_message(tmp_path: Path, files: str) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "answer")
    folder.mkdir(parents=True)
    head = '"reference": "A", "generation": "g", "query_hash": "q", "run_at": "2024-02-03T04:05:06Z", "version": "1"'
    (folder / "manifest.json").write_text(f'{{{head}, "files": {files}}}')
    with pytest.raises(OutputError, match="its manifest lists no answer"):
        find_answer_set(requests, "a.yaml", "answer")


@pytest.mark.parametrize("run_at", ["not a day", "0001-01-01T00:00:00+14:00", ""])
def test_a_manifest_without_a_moment_is_one_message(tmp_path: Path, run_at: str) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "answer")
    folder.mkdir(parents=True)
    manifest = Manifest("A", "g", "q", run_at, "1", {"a.answer.json": "00"})
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    for read in (
        lambda: find_answer_set(requests, "a.yaml", "answer"),
        lambda: list_counted_answers(requests, "a.yaml"),
    ):
        with pytest.raises(OutputError, match="does not say when the answer was counted"):
            read()


def test_what_else_is_among_the_counted_answers_is_left_alone(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "answer").parent / "counted"
    folder.mkdir(parents=True)
    for name in ("99999999T999999999999Z.answer.json", "20260230T000000000000Z.answer.json", "x"):
        (folder / name).write_text("{}")
    assert list_counted_answers(requests, "a.yaml") == []


def test_what_else_is_among_the_counted_answers_is_never_removed_as_an_old_one(
    tmp_path: Path,
) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "answer").parent / "counted"
    folder.mkdir(parents=True)
    others = {f"00000000T0000000000{number:02}Z.answer.json" for number in range(KEPT_ANSWERS + 2)}
    for name in others | {"0.answer.json"}:
        (folder / name).write_text("{}")
    make_keeper(requests, "a.yaml", "answer")(sample_answer(1234))
    assert others | {"0.answer.json"} < {path.name for path in folder.iterdir()}
    (answer,) = list_counted_answers(requests, "a.yaml")
    assert answer.run_at == sample_answer(1234).provenance.run_at


def test_of_one_second_the_published_answer_is_the_newer_one(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    answer = sample_answer(1234)
    for kind in ("published", "answer"):
        make_keeper(requests, "a.yaml", kind)(answer)
    kinds = [counted.kind for counted in list_counted_answers(requests, "a.yaml")]
    assert kinds == ["published", "answer"]


def test_what_a_clock_dated_ahead_does_not_take_the_place_of_a_new_answer(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "answer").parent / "counted"
    folder.mkdir(parents=True)
    for number in range(KEPT_ANSWERS + 2):
        (folder / f"29990101T0000000000{number:02}Z.answer.json").write_text("{}")
    answer = sample_answer(1234)
    make_keeper(requests, "a.yaml", "answer")(answer)
    answers = list_counted_answers(requests, "a.yaml")
    assert len(answers) == KEPT_ANSWERS
    assert answers[-1].run_at == answer.provenance.run_at


# -- a run that was killed ---------------------------------------------------------------------


def write_set(folder: Path, run: str, names: tuple[str, ...] = ("A.letter.txt",)) -> None:
    """A set as a run leaves it; what its documents say is the name of the run."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(run.encode()).hexdigest()
    files = dict.fromkeys(("A.answer.json", *names), digest)
    for name in files:
        (folder / name).write_text(run)
    manifest = Manifest("A", run, "q", "2024-02-03T04:05:06Z", "1", files)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def test_what_a_killed_run_had_made_ready_is_put_in_its_place(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "published")
    write_set(folder, "old", ("A.letter.txt", "A.report.txt"))
    write_set(folder / ".foidex-new", "new", ("A.letter.txt", "A.letter.html"))
    (folder / ".foidex-new" / "A.letter.txt").rename(folder / "A.letter.txt")  # and no further
    answer_set = find_answer_set(requests, "a.yaml", "published")
    assert answer_set is not None
    assert answer_set.manifest.generation == "new"
    assert {read_document(answer_set, name) for name in answer_set.manifest.files} == {b"new"}
    assert sorted(path.name for path in folder.iterdir()) == [
        "A.answer.json", "A.letter.html", "A.letter.txt", "manifest.json",
    ]  # fmt: skip


def test_what_was_ready_replaces_no_document_that_someone_changed_since(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "published")
    write_set(folder, "old")
    write_set(folder / ".foidex-new", "new")
    (folder / "A.letter.txt").write_text("by hand")
    with pytest.raises(UnreadableError, match="Move it away, and try again"):
        find_answer_set(requests, "a.yaml", "published")
    assert (folder / "A.letter.txt").read_text() == "by hand"


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


def test_documents_that_wait_for_their_place_are_said_to_be_ready(tmp_path: Path) -> None:
    requests = RequestFolder(tmp_path)
    folder = find_answer_folder(requests, "a.yaml", "published")
    folder.mkdir(parents=True)
    (folder / ".foidex-new").write_text("in its way")
    with pytest.raises(UnreadableError, match="are ready, and cannot be put in their place"):
        find_answer_set(requests, "a.yaml", "published")
