"""The set of documents: whole or not at all, nobody's work replaced, and what changed is told."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import multiprocessing
import os
import re
import time
from datetime import date
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import DisclosureError, OutputError
from indexer.files import DOCUMENT_PERMISSIONS
from queries.answer.types import Answer, QuestionAnswer, Row
from queries.documents import document_set
from queries.documents.content.context import DocumentSettings
from queries.documents.document_folder import open_document_folder
from queries.documents.document_set import WriteOptions, slugify_reference, write_document_set
from tests.support.answers import FORCE, HIDDEN, count_table, hostile, sample_answer

DESK = DocumentSettings(FORCE, date(2018, 8, 15))

WHOLE = {
    "FOI-1.answer.json",
    "FOI-1.letter.docx",
    "FOI-1.letter.html",
    "FOI-1.letter.pdf",
    "FOI-1.letter.txt",
    "FOI-1.report.html",
    "FOI-1.report.txt",
    "FOI-1.xlsx",
    "manifest.json",
    "tables/FOI-1.Q1.csv",
    "tables/FOI-1.Q2.csv",
    "tables/FOI-1.Q3.csv",
    "tables/FOI-1.Q4.csv",
}


def small(count: Any, reference: str = "FOI/1", **parts: Any) -> Answer:
    """One question of one row."""
    shown = count_table("Keyword", [Row("0", "Snapchat", (count,))], 9)
    question = QuestionAnswer("Q1", "new", "", shown)
    return msgspec.structs.replace(
        sample_answer(9), reference=reference, questions=(question,), **parts
    )


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents that are quickly made, where a test is about files."""

    def documents(answer: Answer, desk: DocumentSettings) -> dict[str, bytes]:
        del desk
        body = msgspec.json.encode(answer)
        return {"a.answer.json": body, "a.letter.txt": body[:50], "tables/a.csv": body[:9]}

    monkeypatch.setattr(document_set, "render_documents", documents)


def held(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_set_is_whole_and_the_manifest_has_each_hash(tmp_path: Path) -> None:
    written = write_document_set(sample_answer(1234), tmp_path / "out", DESK)
    found = held(tmp_path / "out")
    assert set(found) == set(written.files) == WHOLE
    manifest = json.loads(found.pop("manifest.json"))
    assert manifest["files"] == {
        name: hashlib.sha256(body).hexdigest() for name, body in found.items()
    }
    assert manifest["reference"] == "FOI/1"
    assert written.changes is None
    assert json.loads(found["FOI-1.answer.json"])["scope"]["records"] == 1234


def test_a_second_run_writes_the_same_bytes_and_nothing_changed(tmp_path: Path) -> None:
    write_document_set(sample_answer(1234), tmp_path, DESK)
    before = held(tmp_path)
    assert write_document_set(sample_answer(1234), tmp_path, DESK).changes == ()
    assert held(tmp_path) == before


@pytest.mark.usefixtures("plain")
def test_a_number_that_changed_is_told_with_where_it_stands(tmp_path: Path) -> None:
    write_document_set(small(3), tmp_path, DESK)
    changes = write_document_set(small(1234), tmp_path, DESK).changes
    assert list(map(str, changes or ())) == ["Q1, Snapchat, Offences: 3 before, 1,234 now"]
    changes = write_document_set(small(HIDDEN), tmp_path, DESK).changes
    assert list(map(str, changes or ())) == ["Q1, Snapchat, Offences: 1,234 before, not given now"]


@pytest.mark.usefixtures("plain")
def test_a_row_that_comes_or_goes_is_a_change(tmp_path: Path) -> None:
    shown = count_table("Keyword", [Row("0", "Snapchat", (3,)), Row("1", "Skype", (0,))], 9)
    more = msgspec.structs.replace(small(3), questions=(QuestionAnswer("Q1", "new", "", shown),))
    write_document_set(small(3), tmp_path, DESK)
    assert list(map(str, write_document_set(more, tmp_path, DESK).changes or ())) == [
        "Q1, Skype, Offences: none before, 0 now"
    ]
    assert list(map(str, write_document_set(small(3), tmp_path, DESK).changes or ())) == [
        "Q1, Skype, Offences: 0 before, none now"
    ]


@pytest.mark.usefixtures("plain")
def test_another_question_is_not_compared_but_another_title_is(tmp_path: Path) -> None:
    request = sample_answer(9).request
    write_document_set(small(3), tmp_path, DESK)
    assert write_document_set(small(3, title="Other"), tmp_path, DESK).changes == ()
    other = small(4, request={**request, "mentions": ["skype"]})
    assert write_document_set(other, tmp_path, DESK).changes is None


@pytest.mark.usefixtures("plain")
def test_files_of_others_stay_and_what_the_set_no_longer_has_goes(tmp_path: Path) -> None:
    write_document_set(small(3), tmp_path, DESK)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    (tmp_path / "a.letter.pdf").write_bytes(b"x")
    manifest["files"]["a.letter.pdf"] = hashlib.sha256(b"x").hexdigest()
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    write_document_set(small(3), tmp_path, DESK)
    assert set(held(tmp_path)) == {
        "a.answer.json",
        "a.letter.txt",
        "tables/a.csv",
        "manifest.json",
        "notes.txt",
    }


@pytest.mark.usefixtures("plain")
def test_the_set_of_another_request_is_kept_unless_forced(tmp_path: Path) -> None:
    """Both are named, and even references that give the same file names are two requests."""
    recorded: list[int] = []
    write_document_set(small(3), tmp_path, DESK)
    before = held(tmp_path)
    for reference in ("FOI/2", "FOI-1"):
        other = small(3, reference)
        with pytest.raises(OutputError, match=rf'"FOI/1".*"{reference}".*--force'):
            write_document_set(other, tmp_path, DESK, record=lambda: recorded.append(1))
        assert held(tmp_path) == before
    assert recorded == []
    assert write_document_set(other, tmp_path, DESK, WriteOptions(force=True)).replaced
    assert json.loads((tmp_path / "manifest.json").read_text("utf-8"))["reference"] == "FOI-1"


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("is_there", [False, True])
def test_a_refused_release_leaves_no_folder_that_was_not_there(
    is_there: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    folder = tmp_path / "releases" / "published"
    if is_there:
        folder.mkdir(parents=True)

    def refuse() -> None:
        raise DisclosureError("it would reveal a number.")

    with pytest.raises(DisclosureError):
        write_document_set(small(3), folder, DESK, record=refuse)
    assert [*tmp_path.rglob("*")] == ([folder.parent, folder] if is_there else [])


@pytest.mark.usefixtures("plain")
def test_a_folder_in_which_another_run_writes_is_not_removed(tmp_path: Path) -> None:
    folder = tmp_path / "published"

    def refuse() -> None:
        (folder / "theirs").write_text("x", encoding="utf-8")
        raise DisclosureError("it would reveal a number.")

    with pytest.raises(DisclosureError):
        write_document_set(small(3), folder, DESK, record=refuse)
    assert [path.name for path in folder.iterdir()] == ["theirs"]


@pytest.mark.usefixtures("plain")
def test_a_renamed_request_replaces_no_work_of_others(tmp_path: Path) -> None:
    write_document_set(small(3), tmp_path, DESK)
    options = WriteOptions(may_rename=True)
    assert write_document_set(small(3, "FOI/2"), tmp_path, DESK, options).replaced
    (tmp_path / "a.letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"a\.letter\.txt.*--force"):
        write_document_set(small(3, "FOI/3"), tmp_path, DESK, options)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("edited", [True, False])
def test_no_work_of_others_is_replaced_unless_forced(edited: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A letter changed by hand, or a file that was there before."""
    if edited:
        write_document_set(small(3), tmp_path, DESK)
    (tmp_path / "a.letter.txt").write_text("mine", encoding="utf-8")
    before = held(tmp_path)
    with pytest.raises(OutputError, match=r"a\.letter\.txt.*--force"):
        write_document_set(small(4), tmp_path, DESK)
    assert held(tmp_path) == before
    write_document_set(small(4), tmp_path, DESK, WriteOptions(force=True))
    assert (tmp_path / "a.letter.txt").read_text("utf-8") != "mine"


def test_a_workbook_needs_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full ended in a traceback there, and a kill left every number on it."""
    monkeypatch.setattr("openpyxl.worksheet._writer.create_temporary_file", None)
    assert any(
        name.endswith(".xlsx") for name in write_document_set(small(3), tmp_path, DESK).files
    )


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("at", range(4))
def test_a_full_disk_leaves_everything_as_it_was(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_document_set(small(3), tmp_path, DESK)
    before = held(tmp_path)
    calls = iter(range(99))

    def full(_: int) -> None:
        if next(calls) == at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"No space left on device.*Nothing was replaced"):
        write_document_set(small(4), tmp_path, DESK)
    assert held(tmp_path) == before


class KilledError(BaseException):
    """The process is gone."""


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("at", range(5))
def test_a_run_that_was_killed_is_finished_or_undone_by_the_next(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at each renaming: afterwards the set is the old or the new one, whole."""
    write_document_set(small(3), tmp_path, DESK)
    old = held(tmp_path)
    write_document_set(small(4), tmp_path / "other", DESK)
    new = held(tmp_path / "other")
    calls, replace = iter(range(99)), os.replace

    def killed(source: str, target: str, **handles: int | None) -> None:
        if next(calls) >= at:
            raise KilledError
        replace(source, target, **handles)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        patched.setattr("shutil.rmtree", lambda *_, **__: None)  # the dead clean nothing up
        with pytest.raises(KilledError):
            write_document_set(small(4), tmp_path, DESK)
    with open_document_folder(tmp_path, DOCUMENT_PERMISSIONS) as folder:
        folder.install_pending_set()
    found = {name: body for name, body in held(tmp_path).items() if not name.startswith("other")}
    assert found == (old if at == 0 else new)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("at", [1, 4])
def test_what_a_killed_run_made_ready_replaces_nothing_that_was_changed_since(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The letter may be the old one, or the new one in its place already."""
    write_document_set(small(3), tmp_path, DESK)
    calls, replace = iter(range(99)), os.replace

    def killed(source: str, target: str, **handles: int | None) -> None:
        if next(calls) >= at:
            raise KilledError
        replace(source, target, **handles)

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", killed)
        patched.setattr("shutil.rmtree", lambda *_, **__: None)  # the dead clean nothing up
        with pytest.raises(KilledError):
            write_document_set(small(4), tmp_path, DESK)
    (letter,) = tmp_path.glob("*.letter.txt")
    letter.write_text("by hand")
    with pytest.raises(OutputError, match=r"letter\.txt would be replaced .* changed it since"):
        write_document_set(small(5), tmp_path, DESK)
    assert letter.read_text() == "by hand"
    write_document_set(small(5), tmp_path, DESK, WriteOptions(force=True))
    assert "by hand" not in letter.read_text()
    assert not (tmp_path / ".foidex-new").exists()


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("at", range(1, 4))
def test_a_signal_leaves_no_documents_of_two_answers(
    at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_document_set(small(3), tmp_path, DESK)
    write_document_set(small(4), tmp_path / "other", DESK)
    calls, replace = iter(range(99)), os.replace

    def stopped(source: str, target: str, **handles: int | None) -> None:
        replace(source, target, **handles)
        if next(calls) == at:
            raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", stopped)
        with pytest.raises(KilledError):
            write_document_set(small(4), tmp_path, DESK)
    documents = {name: body for name, body in held(tmp_path).items() if "other" not in name}
    assert documents == held(tmp_path / "other")


@pytest.mark.usefixtures("plain")
def test_two_runs_do_not_write_in_one_folder_at_once(tmp_path: Path) -> None:
    with FileLock(tmp_path / ".foidex.lock"):
        with pytest.raises(OutputError, match="another run"):
            write_document_set(small(3), tmp_path, DESK)
        assert (tmp_path / ".foidex.lock").exists()  # it is the other's


@pytest.mark.usefixtures("plain")
def test_no_lock_stays_behind(tmp_path: Path) -> None:
    """Of a run that wrote, of one that was refused, or of one that was killed before."""
    (tmp_path / ".foidex.lock").touch()
    write_document_set(small(3), tmp_path, DESK)
    assert not (tmp_path / ".foidex.lock").exists()
    (tmp_path / "a.letter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="--force"):
        write_document_set(small(4), tmp_path, DESK)
    assert not (tmp_path / ".foidex.lock").exists()


@pytest.mark.usefixtures("plain")
def test_the_lock_is_removed_while_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Afterwards it might be another's."""
    unlink = os.unlink

    def seen(path: Any, **handles: Any) -> None:
        if str(path).endswith(".foidex.lock"):
            lock = tmp_path / ".foidex.lock"
            with lock.open("ab") as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            removed.append(path)
        unlink(path, **handles)

    removed: list[object] = []
    monkeypatch.setattr(os, "unlink", seen)
    write_document_set(small(3), tmp_path, DESK)
    assert removed


def test_a_lock_that_was_removed_before_it_was_taken_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What we rely on: another run removes the lock when ours has just opened it."""
    path, flock = tmp_path / "lock", fcntl.flock
    path.touch()
    first = iter([True])

    def late(file: int, how: int) -> None:
        if next(first, False):
            path.unlink()
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with FileLock(path, timeout=5):
        assert path.exists()
        with path.open("ab") as file, pytest.raises(BlockingIOError):
            flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TIMES = 25


def _write_often(folder: Path, mine: int, together: Barrier, told: SimpleQueue[str]) -> None:
    """Write again and again; what became of each time, also where two were in the folder."""
    inside = folder.with_name("inside")

    def record() -> None:
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))
        time.sleep(0.001)
        inside.unlink()

    together.wait()
    for number in range(_TIMES):
        try:
            write_document_set(small(100 * mine + number), folder, DESK, record=record)
            told.put("written")
        except OutputError as error:
            told.put("waited" if "another run is writing here" in str(error) else str(error))


@pytest.mark.usefixtures("plain")
def test_runs_that_begin_and_end_at_once_are_never_in_the_folder_together(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    together, told = context.Barrier(4), context.SimpleQueue()
    folder = tmp_path / "out"
    runs = [
        context.Process(target=_write_often, args=(folder, mine, together, told))
        for mine in range(4)
    ]
    for run in runs:
        run.start()
    outcomes = [told.get() for _ in range(_TIMES * len(runs))]
    for run in runs:
        run.join()
    assert set(outcomes) == {"written", "waited"}
    found = held(folder)
    manifest = json.loads(found.pop("manifest.json"))
    assert manifest["files"] == {
        name: hashlib.sha256(body).hexdigest() for name, body in found.items()
    }


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("text", ["{", "[]", '{"files": {"../x": "y"}}', "\xff"])
def test_a_manifest_that_is_none_of_ours_is_refused(text: str, tmp_path: Path) -> None:
    if "../x" in text:
        text = json.dumps({**json.loads(text), "reference": "", "generation": "", "query_hash": "", "run_at": "", "version": ""})  # fmt: skip
    (tmp_path / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(OutputError, match="not a manifest of foidex"):
        write_document_set(small(3), tmp_path, DESK)


def test_every_name_that_foidex_gives_is_accepted_in_a_manifest(tmp_path: Path) -> None:
    """So that the next run can read the manifest of this one."""
    for answer in (sample_answer(3), hostile(sample_answer(3))):
        write_document_set(answer, tmp_path / answer.reference[:3], DESK)
        assert write_document_set(answer, tmp_path / answer.reference[:3], DESK).changes == ()


@pytest.mark.usefixtures("plain")
def test_a_place_that_is_no_folder_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("long" * 100)):
        with pytest.raises(OutputError, match="cannot be written"):
            write_document_set(small(3), folder, DESK)


@pytest.mark.usefixtures("plain")
def test_a_link_is_never_written_through(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "tables").symlink_to(target)
    with pytest.raises(OutputError, match="tables"):
        write_document_set(small(3), tmp_path / "out", DESK)
    assert not list(target.iterdir())


def test_a_hostile_reference_stays_in_its_folder(tmp_path: Path) -> None:
    write_document_set(hostile(sample_answer(1)), tmp_path / "out", DESK)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
    assert "FOI-1-b.letter.pdf" in held(tmp_path / "out")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("FOI2018/03922", "FOI2018-03922"),
        ("../../etc/passwd", "etc-passwd"),
        ("..", ""),
        ("con", "request-con"),
        ("Aux.txt", "request-Aux.txt"),
        ("Ymchwiliad é 7", "Ymchwiliad-e-7"),
    ],
)
def test_a_reference_as_a_name(reference: str, name: str) -> None:
    found = slugify_reference(reference)
    assert re.fullmatch(r"request-[0-9a-f]{8}", found) if reference == ".." else found == name


@given(st.text(min_size=1, max_size=120))
def test_any_reference_gives_a_safe_name(reference: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,90}", slugify_reference(reference))
    assert slugify_reference(reference)[-1] not in ".-_"
