"""Request files of the workbench: saved whole, with earlier versions, and never over a change."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import FoidexError, OutputError, RequestError, UnreadableError
from queries.workbench.files.request_files import KEPT_VERSIONS, EditConflictError, RequestFolder


@pytest.fixture
def folder(tmp_path: Path) -> RequestFolder:
    return RequestFolder(tmp_path / "requests")


def test_a_folder_that_is_not_there_is_empty_and_made_by_the_first_request(
    folder: RequestFolder,
) -> None:
    assert folder.list_names() == []
    folder.create("a.yaml", "reference: A\n")
    assert folder.list_names() == ["a.yaml"]
    assert folder.read("a.yaml").text == "reference: A\n"
    assert folder.path.joinpath("a.yaml").stat().st_mode & 0o007 == 0


def test_a_name_that_is_taken_is_refused(folder: RequestFolder) -> None:
    folder.create("a.yaml", "mine")
    with pytest.raises(RequestError, match="there is a request of this name"):
        folder.create("a.yaml", "theirs")
    assert folder.read("a.yaml").text == "mine"


@pytest.mark.parametrize(
    "name", ["", "..", "../a.yaml", "a/b.yaml", ".hidden.yaml", "a.txt", "a.yaml\n", "é.yaml", "a\0.yaml"]
)  # fmt: skip
def test_no_other_file_is_reached_by_a_name(folder: RequestFolder, name: str) -> None:
    (folder.path.parent / "a.yaml").write_text("outside")
    folder.create("b.yaml", "inside")
    for use in (folder.read, folder.file_path, folder.list_versions):
        with pytest.raises(RequestError, match="is not the name of a request file"):
            use(name)
    with pytest.raises(RequestError):
        folder.save(name, "changed", "")
    assert (folder.path.parent / "a.yaml").read_text() == "outside"


def test_a_link_in_the_folder_is_not_followed(folder: RequestFolder) -> None:
    outside = folder.path.parent / "outside.yaml"
    outside.write_text("secret")
    folder.create("b.yaml", "inside")
    (folder.path / "a.yaml").symlink_to(outside)
    with pytest.raises(FoidexError) as error:
        folder.read("a.yaml")
    assert "secret" not in str(error.value)


def test_saving_keeps_the_version_before(folder: RequestFolder) -> None:
    first = folder.create("a.yaml", "one")
    second = folder.save("a.yaml", "two", first.version)
    folder.save("a.yaml", "three", second.version)
    assert folder.list_versions("a.yaml") == ["a.yaml.000002", "a.yaml.000001"]
    assert (folder.path / "versions" / "a.yaml.000001").read_text() == "one"


def test_the_same_text_makes_no_version(folder: RequestFolder) -> None:
    first = folder.create("a.yaml", "one")
    assert folder.save("a.yaml", "one", first.version) == first
    assert folder.list_versions("a.yaml") == []


def test_only_the_newest_versions_are_kept(folder: RequestFolder) -> None:
    current = folder.create("a.yaml", "0")
    for number in range(1, KEPT_VERSIONS + 6):
        current = folder.save("a.yaml", str(number), current.version)
    versions = folder.list_versions("a.yaml")
    assert len(versions) == KEPT_VERSIONS
    assert (folder.path / "versions" / versions[0]).read_text() == str(KEPT_VERSIONS + 4)
    assert (folder.path / "versions" / versions[-1]).read_text() == "5"


@pytest.mark.parametrize("number", ["²", "٠٠٠٠٠٩", "-00009", "1_0000", "", "999999", "9" * 40])
def test_what_a_colleague_puts_among_the_versions_stops_nobody(
    folder: RequestFolder, number: str
) -> None:
    current = folder.create("a.yaml", "0")
    planted = folder.path / "versions" / f"a.yaml.{number}"
    planted.parent.mkdir()
    planted.write_text("planted")
    (folder.path / "versions" / "a.yaml.000500").mkdir()
    (folder.path / "versions" / "a.yaml.000501").symlink_to(folder.path / "a.yaml")
    for text in ("1", "2", "3"):
        current = folder.save("a.yaml", text, current.version)
    kept = [
        (folder.path / "versions" / name).read_text() for name in folder.list_versions("a.yaml")
    ]
    assert kept[:3] == ["2", "1", "0"]
    assert kept[3:] in ([], ["planted"])


def test_a_change_of_someone_else_is_not_written_over(folder: RequestFolder) -> None:
    opened = folder.create("a.yaml", "one")
    folder.save("a.yaml", "theirs", opened.version)
    with pytest.raises(EditConflictError) as error:
        folder.save("a.yaml", "mine", opened.version)
    assert error.value.current.text == "theirs"
    assert folder.read("a.yaml").text == "theirs"


def test_of_many_who_save_at_once_one_saves(folder: RequestFolder) -> None:
    opened = folder.create("a.yaml", "one")
    saved: list[str] = []

    def save(text: str) -> None:
        try:
            folder.save("a.yaml", text, opened.version)
            saved.append(text)
        except EditConflictError:
            pass

    threads = [threading.Thread(target=save, args=(f"text {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(saved) == 1
    assert folder.read("a.yaml").text == saved[0]
    assert len(folder.list_versions("a.yaml")) == 1


def test_what_is_not_text_or_not_there_is_said(folder: RequestFolder) -> None:
    folder.create("a.yaml", "one")
    (folder.path / "b.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(RequestError, match="is not UTF-8 text"):
        folder.read("b.yaml")
    with pytest.raises(RequestError, match="there is no such request"):
        folder.read("c.yaml")
    with pytest.raises(RequestError, match="there is no such request"):
        folder.save("c.yaml", "x", "")


@pytest.mark.timeout(60)
def test_what_others_put_there_is_no_request(folder: RequestFolder) -> None:
    """A request that cannot be read: nothing was to be saved."""
    folder.create("a.yaml", "reference: A\n")
    os.mkfifo(folder.path / "pipe.yaml")
    (folder.path / "folder.yaml").mkdir()
    with (folder.path / "hole.yaml").open("wb") as file:
        file.truncate(10**12)
    for name, reason in (
        ("pipe", "is not an ordinary file"),
        ("folder", "is not an ordinary file"),
        ("hole", "has more than 1,000,000 bytes"),
    ):
        with pytest.raises(RequestError, match=reason):
            folder.read(f"{name}.yaml")


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "requests").write_text("")
    with pytest.raises(OutputError, match="cannot be used"):
        RequestFolder(tmp_path / "requests").create("a.yaml", "one")


# -- killed while it saves -----------------------------------------------------------------------


class KilledError(BaseException):
    """Stands for the end of the process: nothing after it runs but what Python must."""


@pytest.mark.parametrize("place", ["write", "fsync", "replace"])
def test_a_request_is_whole_or_not_there_wherever_the_writing_ends(
    folder: RequestFolder, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """The process ends at a step of the disk; nothing is tidied up, and half may be written."""
    text = "reference: A\n" * 5_000
    opened = folder.create("a.yaml", "before")

    def end(file: object, *_: object, **__: object) -> None:
        if place == "write" and isinstance(file, int):
            os.ftruncate(file, 3)
        raise KilledError

    def work_until_killed(work: Callable[[], object]) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(f"indexer.files.os.{place.replace('write', 'fsync')}", end)
            patch.setattr("indexer.files.os.unlink", end)
            with pytest.raises(KilledError):
                work()

    work_until_killed(lambda: folder.create("b.yaml", text))
    work_until_killed(lambda: folder.save("a.yaml", text, opened.version))
    assert folder.read("a.yaml").text == "before"
    assert "b.yaml" not in folder.list_names() or folder.read("b.yaml").text == text
    saved = folder.save("a.yaml", text, opened.version)
    folder.save("a.yaml", "after", saved.version)
    kept = [(folder.path / "versions" / one).read_text() for one in folder.list_versions("a.yaml")]
    assert kept == [text, "before"]
    left = [path.name for path in folder.path.rglob("*") if path.name.endswith(".part")]
    assert left == []


def test_files_that_are_not_listed_for_their_names_are_named(folder: RequestFolder) -> None:
    """Someone waits for the answer to each."""
    folder.create("a.yaml", "inside")
    assert folder.list_unusable_names() == []
    long = f"{'n' * 92}.yaml"
    for name in ("FOI 2026 42.yaml", "é.yml", long, "UPPER.YAML", "notes.txt", ".a.yaml.swp"):
        (folder.path / name).write_text("reference: A")
    assert folder.list_names() == ["a.yaml"]
    assert sorted(folder.list_unusable_names()) == [
        "FOI 2026 42.yaml", "UPPER.YAML", long, "é.yml",
    ]  # fmt: skip


def test_a_file_that_was_changed_and_dated_back_has_another_stamp(folder: RequestFolder) -> None:
    """As by a copy that keeps the time, or an editor that does."""
    folder.create("a.yaml", "period: 2018/19")
    path = folder.path / "a.yaml"
    before, times = folder.list_stamps(), path.stat()
    path.write_text("period: 2019/20")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert path.stat().st_mtime_ns == times.st_mtime_ns
    assert folder.list_stamps() != before


def test_a_folder_that_is_gone_or_empty_is_not_taken_for_a_new_one(folder: RequestFolder) -> None:
    """Its disk may not be mounted: what is written in its place is hidden once it is again."""
    file = folder.create("a.yaml", "inside")
    assert folder.list_names() == ["a.yaml"]
    aside = folder.path.rename(folder.path.with_name("aside"))
    for is_empty in (False, True):
        if is_empty:
            folder.path.mkdir()
        for use in (
            folder.list_names,
            folder.require_there,
            lambda: folder.read("a.yaml"),
            lambda: folder.create("b.yaml", "lost"),
            lambda: folder.save("a.yaml", "lost", file.version),
        ):
            with pytest.raises(UnreadableError, match="the requests that were there are gone"):
                use()
        assert folder.path.exists() == is_empty
    assert list(folder.path.iterdir()) == []
    folder.path.rmdir()
    aside.rename(folder.path)
    assert folder.read("a.yaml").text == "inside"
    # Whoever empties it on purpose starts the workbench again.
    (folder.path / "a.yaml").unlink()
    (folder.path / ".workbench.lock").unlink()
    assert RequestFolder(folder.path).list_names() == []


def test_a_folder_with_the_name_of_a_part_does_not_keep_requests_from_being_saved(
    folder: RequestFolder,
) -> None:
    folder.create("a.yaml", "inside")
    part = folder.path / ".a.yaml.0123456789abcdef.part"
    part.mkdir()
    folder.save("a.yaml", "changed", folder.read("a.yaml").version)
    assert folder.read("a.yaml").text == "changed"
    assert part.is_dir()
