"""Nothing that somebody plants in a folder of documents makes foidex touch a file elsewhere."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import date
from pathlib import Path

import msgspec
import pytest

from indexer.errors import OutputError, UnfinishedOutputError
from indexer.files import Folder, Permissions
from queries.answer.types import Answer
from queries.documents import document_set
from queries.documents.content.context import DocumentSettings
from queries.documents.document_folder import finish_document_set
from queries.documents.document_set import WriteOptions, WriteResult, write_document_set
from queries.documents.manifest import Manifest
from tests.support.answers import FORCE, sample_answer
from tests.support.planted import plant_deep_folder, plant_link

SETTINGS = DocumentSettings(FORCE, date(2018, 8, 15))

PATHS = ("a.answer.json", "a.letter.txt", "tables/a.csv")


@pytest.fixture(autouse=True)
def _quick_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents that are made quickly: these tests are about files."""

    def render(answer: Answer, settings: DocumentSettings) -> dict[str, bytes]:
        del settings
        body = msgspec.json.encode(answer)
        return dict.fromkeys(PATHS, body)

    monkeypatch.setattr(document_set, "render_documents", render)


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A folder that foidex must never change."""
    folder = tmp_path / "victim"
    folder.mkdir()
    (folder / "precious").write_bytes(b"precious")
    (folder / "a.csv").write_bytes(b"precious, too")
    return folder


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    folder = tmp_path / "shared"
    folder.mkdir()
    return folder


def write(folder: Path, *, force: bool = False) -> WriteResult:
    return write_document_set(sample_answer(3), folder, SETTINGS, WriteOptions(force=force))


def write_manifest(folder: Path, contents: dict[str, bytes]) -> None:
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    manifest = Manifest("FOI/1", "g", "q", "2018-08-15", "0.1.0", digests)
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))


def read_tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def require_untouched(victim: Path) -> None:
    assert read_tree(victim) == {"precious": b"precious", "a.csv": b"precious, too"}


@pytest.mark.parametrize("force", [False, True])
def test_a_manifest_removes_nothing_through_a_link(
    shared: Path, victim: Path, *, force: bool
) -> None:
    """The folder as it was planted, with the true hash of the file elsewhere."""
    (shared / "link").symlink_to("../victim")
    write_manifest(shared, {"link/precious": b"precious"})
    with pytest.raises(OutputError, match=r"manifest\.json: is not a manifest of foidex"):
        write(shared, force=force)
    require_untouched(victim)


@pytest.mark.parametrize("force", [False, True])
def test_a_prepared_set_installs_nothing_through_a_link(
    shared: Path, victim: Path, *, force: bool
) -> None:
    pending = shared / ".foidex-new"
    (pending / "link").mkdir(parents=True)
    (pending / "link" / "evil").write_bytes(b"evil")
    (shared / "link").symlink_to("../victim")
    write_manifest(pending, {"link/evil": b"evil"})
    with pytest.raises(OutputError, match="is not a manifest of foidex"):
        write(shared, force=force)
    require_untouched(victim)


@pytest.mark.parametrize("force", [False, True])
def test_a_prepared_set_installs_no_table_through_a_link(
    shared: Path, victim: Path, *, force: bool
) -> None:
    """With nothing but names that foidex gives."""
    pending = shared / ".foidex-new"
    (pending / "tables").mkdir(parents=True)
    (pending / "tables" / "a.csv").write_bytes(b"evil")
    (shared / "tables").symlink_to("../victim")
    write_manifest(pending, {"tables/a.csv": b"evil"})
    with pytest.raises(OutputError, match="tables: is not a folder"):
        write(shared, force=force)
    require_untouched(victim)


def test_a_prepared_set_takes_no_file_through_a_link(shared: Path, victim: Path) -> None:
    """Its folder of tables is elsewhere: moving from there would take the file away."""
    pending = shared / ".foidex-new"
    pending.mkdir()
    (pending / "tables").symlink_to("../../victim")
    write_manifest(pending, {"tables/a.csv": b"precious, too"})
    with pytest.raises(OutputError, match=r"tables: cannot be written \(tables is a link\)"):
        write(shared)
    require_untouched(victim)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("name", ["tables", ".foidex-new", "manifest.json", "a.letter.txt"])
def test_a_link_in_the_folder_is_never_followed(
    shared: Path, victim: Path, name: str, *, force: bool
) -> None:
    target = victim if name in ("tables", ".foidex-new") else victim / "precious"
    (shared / name).symlink_to(target)
    if force and name == "a.letter.txt":  # the link is replaced, not what it leads to
        write(shared, force=True)
        assert not (shared / name).is_symlink()
    else:
        with pytest.raises(OutputError, match=name):
            write(shared, force=force)
        assert (shared / name).is_symlink()
    require_untouched(victim)


def test_a_link_as_the_lock_is_not_followed(shared: Path, victim: Path) -> None:
    (shared / ".foidex.lock").symlink_to(victim / "new")
    with pytest.raises(OutputError, match="cannot be written"):
        write(shared)
    require_untouched(victim)


@pytest.mark.parametrize("name", ["a.letter.txt", "manifest.json"])
def test_a_second_name_of_a_file_elsewhere_is_replaced_and_not_written(
    shared: Path, victim: Path, name: str
) -> None:
    if name == "manifest.json":
        write(shared)
        os.link(shared / name, victim / "second")
        write(shared)
        (victim / "second").unlink()
    else:
        os.link(victim / "precious", shared / name)
        with pytest.raises(OutputError, match="--force"):
            write(shared)
        write(shared, force=True)
    require_untouched(victim)


def plant_pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    ("name", "plant"),
    [
        *(
            (name, plant_pipe)
            for name in ("tables", ".foidex-new", "manifest.json", "a.letter.txt")
        ),
        ("manifest.json", Path.mkdir),
        ("a.letter.txt", Path.mkdir),
    ],
)
def test_a_pipe_or_a_folder_in_place_of_a_file_is_one_message(
    shared: Path, name: str, plant: Callable[[Path], None]
) -> None:
    """And no wait for a writer that never comes."""
    plant(shared / name)
    with pytest.raises(OutputError, match=name):
        write(shared)
    assert not read_tree(shared)


def test_folders_without_end_in_place_of_a_prepared_set_are_one_message(shared: Path) -> None:
    with plant_deep_folder(shared / ".foidex-new"):
        refused = ""  # from Python 3.13 on, they are removed however deep they are
        try:
            write(shared)
        except OutputError as error:
            refused = str(error)
    assert not refused or ".foidex-new" in refused


def test_a_folder_in_place_of_a_document_is_not_replaced_by_force(shared: Path) -> None:
    """Else the new files would wait in .foidex-new for ever."""
    (shared / "a.letter.txt").mkdir()
    with pytest.raises(OutputError, match=r"a\.letter\.txt: is a folder\. Move it away"):
        write(shared, force=True)
    assert not read_tree(shared)


@pytest.mark.parametrize(
    "path",
    ["../x.xlsx", "/x.xlsx", "tables/../x.csv", "link/x.xlsx", "tables/link/x.csv", ".foidex.lock",
     "notes.txt", "manifest.json", "tables", "tables/", "", ".x.xlsx", "tables/.csv", "x.xlsx\n",
     "tables\\x.csv", "C:x.xlsx"],
)  # fmt: skip
def test_a_manifest_has_only_names_that_foidex_gives(shared: Path, path: str) -> None:
    write_manifest(shared, {path: b""})
    with pytest.raises(OutputError, match="is not a manifest of foidex"):
        write(shared)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"files": 1}', " " * 10_000_001])
def test_a_manifest_made_to_harm_is_one_message(shared: Path, text: str) -> None:
    (shared / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(OutputError, match=r"manifest\.json"):
        write(shared)


@pytest.mark.parametrize("content", [b"[1]", b"{", b"[" * 100_000, b'{"request": 1}'])
def test_an_answer_that_a_planted_manifest_vouches_for_is_not_compared(
    shared: Path, content: bytes
) -> None:
    (shared / "a.answer.json").write_bytes(content)
    write_manifest(shared, {"a.answer.json": content})
    assert write(shared).changes is None


def test_a_folder_that_is_swapped_for_a_link_while_writing_changes_nothing_elsewhere(
    shared: Path, victim: Path, tmp_path: Path
) -> None:
    """All of it goes to the folder that was opened, wherever that is now."""
    write(shared)

    def swap() -> None:
        shared.rename(tmp_path / "away")
        shared.symlink_to(victim)

    write_document_set(sample_answer(4), shared, SETTINGS, record=swap)
    require_untouched(victim)
    written = json.loads((tmp_path / "away" / "a.answer.json").read_bytes())
    assert written["scope"]["records"] == 4


@pytest.mark.parametrize("inside", ["tables", ".foidex-new/tables", ".foidex-new"])
def test_a_subfolder_that_is_swapped_for_a_link_while_writing_is_not_followed(
    shared: Path, victim: Path, tmp_path: Path, inside: str
) -> None:
    write(shared)

    def swap() -> None:
        (shared / inside).rename(tmp_path / "away")
        (shared / inside).symlink_to(victim)

    with pytest.raises(OutputError, match="is a link"):
        write_document_set(sample_answer(4), shared, SETTINGS, record=swap)
    require_untouched(victim)


def test_a_release_that_cannot_be_put_in_its_place_is_said_to_be_recorded(shared: Path) -> None:
    """Whoever read that nothing was done published it again."""
    write_document_set(sample_answer(3), shared, SETTINGS)
    tables, aside = shared / "tables", shared.with_name("aside")

    def obstruct() -> None:
        tables.rename(aside)
        tables.write_text("")

    with pytest.raises(UnfinishedOutputError) as caught:
        write_document_set(sample_answer(4), shared, SETTINGS, record=obstruct)
    assert "The release is recorded, and the new files are ready in .foidex-new" in str(
        caught.value
    )
    # The next run says that this one is not finished, and that nothing of its own was written.
    with pytest.raises(OutputError) as refused:
        write_document_set(sample_answer(5), shared, SETTINGS)
    assert not isinstance(refused.value, UnfinishedOutputError)
    assert "is not a folder" in str(refused.value)
    tables.unlink()
    aside.rename(tables)
    assert write_document_set(sample_answer(5), shared, SETTINGS).changes


def test_an_earlier_set_that_stays_in_the_way_is_not_taken_for_the_new_one(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "letter.txt")

    write_document_set(sample_answer(3), shared, SETTINGS)
    monkeypatch.setattr(Folder, "move_file", fail)
    pending = shared / ".foidex-new"
    pending.mkdir()
    (shared / "manifest.json").rename(pending / "manifest.json")
    with pytest.raises(OutputError) as caught:
        write_document_set(sample_answer(4), shared, SETTINGS)
    assert not isinstance(caught.value, UnfinishedOutputError)
    assert "What an earlier run made ready in .foidex-new" in str(caught.value)
    assert "Nothing was replaced" in str(caught.value)


def test_a_folder_that_is_swapped_before_its_lock_is_taken_is_refused(
    shared: Path, victim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock in another folder protects nothing, and no file is made there for it."""
    hold_lock = Folder.hold_lock

    def swap(folder: Folder, name: str, seconds: float) -> AbstractContextManager[None]:
        shared.rename(tmp_path / "away")
        shared.symlink_to(victim)
        return hold_lock(folder, name, seconds)

    monkeypatch.setattr(Folder, "hold_lock", swap)
    with pytest.raises(OutputError):
        write(shared)
    assert not {*read_tree(tmp_path / "away")} - {".foidex.lock"}
    require_untouched(victim)


def test_the_folder_that_the_user_names_may_be_a_link_of_theirs(
    tmp_path: Path, victim: Path
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "mine").symlink_to("real")
    write(tmp_path / "mine")
    write(tmp_path / "mine" / "below" / "it")
    assert set(PATHS) < set(read_tree(tmp_path / "real"))
    assert (tmp_path / "real" / "below" / "it" / "a.letter.txt").is_file()
    require_untouched(victim)


@pytest.mark.parametrize("below", ["", "below"])
def test_a_link_of_another_user_to_the_folder_is_refused(
    tmp_path: Path, victim: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    plant_link(tmp_path / "theirs", victim, monkeypatch)
    with pytest.raises(OutputError, match="theirs is a link that belongs to another user"):
        write(tmp_path / "theirs" / below)
    require_untouched(victim)


@pytest.mark.parametrize(
    ("permissions", "umask", "file_mode", "folder_mode"),
    [
        (None, 0o022, 0o640, 0o750),
        (None, 0o077, 0o600, 0o700),
        (Permissions(0o664, exact=True), 0o077, 0o664, 0o775),
        (Permissions(0o600, exact=True), 0o000, 0o600, 0o700),
    ],
)
def test_documents_have_the_mode_that_is_set(
    tmp_path: Path, permissions: Permissions | None, umask: int, file_mode: int, folder_mode: int
) -> None:
    before = os.umask(umask)
    folder = tmp_path / "out"
    try:
        if permissions is None:
            write(folder)
        else:
            write_document_set(
                sample_answer(3), folder, SETTINGS, WriteOptions(permissions=permissions)
            )
    finally:
        os.umask(before)
    modes = {
        path.relative_to(folder).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }
    assert modes == {
        **dict.fromkeys((*PATHS, "manifest.json"), file_mode),
        "tables": folder_mode,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == folder_mode


OTHER_USER = 65533


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can plant what belongs to another user")
@pytest.mark.parametrize("mode", [0o1777, 0o3770])
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("planted", [".foidex-new", "manifest.json", "tables"])
def test_nothing_that_another_user_planted_replaces_files_that_are_not_theirs(
    shared: Path, mode: int, planted: str, *, force: bool
) -> None:
    """In such a folder users may add names, and not touch those of others."""
    own = {"a.letter.txt": b"by hand", "b.letter.docx": b"by hand, too"}
    for name, content in own.items():
        (shared / name).write_bytes(content)
    if planted == "manifest.json":
        write_manifest(shared, own)
    else:
        (shared / planted).mkdir()
        (shared / planted / "a.letter.txt").write_bytes(b"evil")
        write_manifest(shared / planted, {"a.letter.txt": b"evil"})
    os.chown(shared / planted, OTHER_USER, -1)
    shared.chmod(mode)
    before = read_tree(shared)
    with pytest.raises(OutputError, match=rf"{planted}: {planted} belongs to another user"):
        write(shared, force=force)
    with suppress(OSError):
        finish_document_set(shared)
    assert read_tree(shared) == before
    shared.chmod(0o2770)  # whoever may write here may replace everything
    if force:
        write(shared, force=True)
        assert (shared / "a.letter.txt").read_bytes() not in (b"by hand", b"evil")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can plant what belongs to another user")
def test_what_the_owner_of_a_folder_or_this_user_prepared_is_used(shared: Path) -> None:
    shared.chmod(0o1777)
    write(shared)
    os.chown(shared, OTHER_USER, -1)
    for name in ("manifest.json", "tables"):
        os.chown(shared / name, OTHER_USER, -1)
    assert write(shared).replaced
