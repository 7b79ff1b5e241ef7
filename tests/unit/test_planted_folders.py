"""Nothing is written into a folder that another user put where everybody may write, such as /tmp.

Its owner could give it a group, or a list of rights, that new files in it get, and read them; or
put other files in their place.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import ConfigurationError, FoidexError
from indexer.files import PRIVATE, open_file, open_folder, replace_file
from indexer.session import Session
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import write_document_set
from queries.drafting.draft_file import write_draft
from queries.jobs.demo import run_demo
from tests.support.answers import FORCE, sample_answer
from tests.support.planted import give_away, make_open_folder
from tests.support.writers import NOW, WRITERS

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give folders away"
)


def write_documents(path: Path) -> None:
    write_document_set(sample_answer(1234), path.parent, DocumentSettings(FORCE, NOW.date()))


def demonstrate(path: Path) -> None:
    next(run_demo(Session(), path.parent))


FOLDER_WRITERS: dict[str, Callable[[Path], object]] = {
    **WRITERS,
    "documents": write_documents,
    "draft": lambda path: write_draft(path, "reference: 1", PRIVATE),
    "demonstration": demonstrate,
}


@pytest.mark.parametrize("writer", FOLDER_WRITERS)
@pytest.mark.parametrize("depth", ["in it", "below it"])
def test_nothing_is_written_into_a_folder_that_anybody_can_have_made(
    tmp_path: Path, writer: str, depth: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = make_open_folder(tmp_path / "open") / "planted"
    folder = planted if depth == "in it" else planted / "deep"
    folder.mkdir(parents=True)
    give_away(planted, monkeypatch)
    planted.chmod(0o2777)
    with pytest.raises(FoidexError, match="planted belongs to another user, and everybody can"):
        FOLDER_WRITERS[writer](folder / "file")
    assert not [path for path in planted.rglob("*") if path != folder]


@pytest.mark.parametrize("writer", sorted(FOLDER_WRITERS.keys() - {"demonstration"}))
def test_a_folder_of_another_user_is_used_where_not_everybody_may_make_one(
    tmp_path: Path, writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colleagues who share a folder trust each other; so is a folder of whoever owns the open one,
    and root writes in the home of a service."""
    for mode, gives_parent in ((0o755, False), (0o1777, True)):
        parent = make_open_folder(tmp_path / f"parent-{mode:o}")
        folder = parent / "colleague"
        folder.mkdir()
        give_away(folder, monkeypatch)
        parent.chmod(mode)
        if gives_parent:
            give_away(parent, monkeypatch)
        FOLDER_WRITERS[writer](folder / "file")
        assert [*folder.iterdir()]


def test_what_is_in_a_planted_folder_is_read_and_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = make_open_folder(tmp_path / "open") / "planted"
    planted.mkdir()
    (planted / "file").write_bytes(b"text")
    give_away(planted, monkeypatch)
    with open_folder(planted) as folder:
        assert folder.read_file("file") == b"text"
    os.close(open_file(planted / "file", os.O_RDONLY))
    with pytest.raises(OSError, match="everybody can write to its folder"):
        open_file(planted / "file", os.O_WRONLY)
    with pytest.raises(OSError, match="everybody can write to its folder"):
        replace_file(planted / "file", b"other")
    assert (planted / "file").read_bytes() == b"text"


def test_nothing_is_written_into_a_planted_folder_of_an_open_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As earlier versions beside requests, or tables beside documents."""
    parent = make_open_folder(tmp_path / "open")
    (parent / "versions").mkdir()
    give_away(parent / "versions", monkeypatch)
    with open_folder(parent) as folder:
        with pytest.raises(OSError, match="versions belongs to another user, and everybody can"):
            folder.open_subfolder("versions", create=PRIVATE)
        with folder.open_subfolder("versions") as versions:
            assert versions.list_names() == []
        with folder.open_subfolder("tables", create=PRIVATE) as tables:
            tables.write_file("file", b"")


def test_no_demonstration_that_anybody_can_have_put_there_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its foidex.toml could sign other people in, to records of whoever serves it."""
    from queries.commands.operate.serve import find_demonstration

    monkeypatch.chdir(make_open_folder(tmp_path / "open"))
    Path("foidex-demo").mkdir()
    Path("foidex-demo", "foidex.toml").write_text("")
    for path in (Path("foidex-demo"), Path("foidex-demo", "foidex.toml")):
        give_away(path, monkeypatch)
    session = Session()
    with pytest.raises(ConfigurationError, match=r"foidex-demo/foidex.toml: is not used"):
        find_demonstration(session)
    assert session.config is None
