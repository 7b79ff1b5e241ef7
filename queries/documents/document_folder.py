"""A folder of documents: what is in it, and how a new set takes the place of the last one.

Only names that foidex itself gives are opened, replaced or removed, and none through a link. New
files are prepared in ``.foidex-new``; the set is ready once its manifest has its name there.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import msgspec
from filelock import Timeout

from indexer.errors import OutputError, UnreadableError
from indexer.files import (
    DOCUMENT_PERMISSIONS,
    Folder,
    Permissions,
    UnsafePathError,
    open_folder,
    open_folder_of,
)
from queries.documents.manifest import MANIFEST_NAME, TABLES_FOLDER, Manifest, read_manifest

PENDING_FOLDER: Final = ".foidex-new"

_LOCK_FILE_NAME: Final = ".foidex.lock"


class DocumentFolder:
    """An open folder of documents; ``permissions`` are those of new files."""

    def __init__(self, folder: Folder, permissions: Permissions) -> None:
        self._folder = folder
        self._permissions = permissions

    @contextmanager
    def hold_lock(self) -> Iterator[None]:
        """Keep other runs from writing here. Raises Timeout if one is writing."""
        with self._folder.hold_lock(_LOCK_FILE_NAME, 0):
            try:
                yield
            finally:
                # Removed while it is held: another run that has opened it meanwhile notices that
                # the file has lost its name, and does not take it (filelock sees to that). A lock
                # that cannot be removed does no harm.
                self._remove_quietly(_LOCK_FILE_NAME)

    def _remove_quietly(self, name: str) -> None:
        try:
            self._folder.remove_file(name)
        except OSError:
            return

    def read_manifest(self) -> Manifest | None:
        """The manifest of the last set, or None. Raises OutputError for one that is damaged."""
        return read_manifest(self._folder)

    def read_answer(self, manifest: Manifest | None) -> dict[str, Any] | None:
        """The answer of the last set, if it is still as it was written."""
        files = manifest.files if manifest else {}
        name = next((path for path in files if path.endswith(".answer.json")), None)
        if name is None or not stat.S_ISREG(self._folder.find_mode(name) or 0):
            return None
        content = self._folder.read_file(name)
        if hashlib.sha256(content).hexdigest() != files[name]:
            return None
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # a manifest that somebody else wrote

    def require_room(self, paths: Iterable[str]) -> None:
        """Raise OutputError where a file or folder of the set cannot be put in its place."""
        for name in (TABLES_FOLDER, PENDING_FOLDER):
            mode = self._folder.find_mode(name)
            if mode is not None and not stat.S_ISDIR(mode):
                raise self._build_obstacle_error(name, "is not a folder")
            self._refuse_foreign(name)
        self._refuse_foreign(MANIFEST_NAME)
        for path in (*paths, MANIFEST_NAME):
            if stat.S_ISDIR(self._find_document_mode(path) or 0):
                raise self._build_obstacle_error(path, "is a folder")

    def _refuse_foreign(self, name: str) -> None:
        """Raise OutputError for what another user could have put here to have files replaced."""
        try:
            self._folder.refuse_foreign(name)
        except FileNotFoundError:
            return
        except UnsafePathError as error:
            raise self._build_obstacle_error(name, str(error.strerror)) from None

    def _build_obstacle_error(self, name: str, reason: str) -> OutputError:
        return OutputError(
            f"{self._folder.path / name}: {reason}. Move it away, or choose another folder with "
            "--out."
        )

    def list_changed_documents(self, paths: Iterable[str], digests: Mapping[str, str]) -> list[str]:
        """The paths that exist and are not as a manifest says that foidex wrote them."""
        return [path for path in paths if self._is_changed(path, digests.get(path))]

    def _is_changed(self, path: str, digest: str | None) -> bool:
        mode = self._find_document_mode(path)
        if mode is None:
            return False
        if digest is None or not stat.S_ISREG(mode):
            return True
        with self._open_parent(self._folder, path) as (parent, name):
            return hashlib.sha256(parent.read_file(name)).hexdigest() != digest

    def _find_document_mode(self, path: str) -> int | None:
        try:
            with self._open_parent(self._folder, path) as (parent, name):
                return parent.find_mode(name)
        except FileNotFoundError:
            return None

    def write_pending_set(
        self,
        contents: Mapping[str, bytes],
        manifest: Manifest,
        record: Callable[[], object] | None,
    ) -> None:
        """Write everything into the pending folder; on failure nothing is left.

        Renaming takes no room, so the manifest gets its name after ``record``.
        """
        try:
            with self._folder.open_subfolder(PENDING_FOLDER, self._permissions) as pending:
                self._folder.refuse_foreign(PENDING_FOLDER, pending.find_owner())
                for path, content in contents.items():
                    with self._open_parent(pending, path, self._permissions) as (parent, name):
                        parent.write_new_file(name, content, self._permissions)
                text = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
                part_name = f"{MANIFEST_NAME}.part"
                pending.write_new_file(part_name, text, self._permissions)
                if record:
                    record()
                pending.move_file(part_name, pending, MANIFEST_NAME)
        except BaseException:
            self._folder.remove_tree(PENDING_FOLDER)
            raise

    def finish_pending_set(self) -> None:
        """Put in its place what a run that was killed had made ready.

        Raises UnreadableError where somebody has changed a document since: it would be lost.
        """
        if self._folder.find_mode(PENDING_FOLDER) is None:
            return
        with self._folder.open_subfolder(PENDING_FOLDER) as pending:
            self._folder.refuse_foreign(PENDING_FOLDER, pending.find_owner())
            new = read_manifest(pending)
        if new is not None:
            self._refuse_changed_documents(new.files)
        self.install_pending_set()

    def _refuse_changed_documents(self, new_digests: Mapping[str, str]) -> None:
        old = self.read_manifest()
        old_digests = old.files if old else {}
        paths = self.list_changed_documents({**new_digests, **old_digests}, old_digests)
        # Some of the new ones may be in their places already.
        if changed_paths := self.list_changed_documents(paths, new_digests):
            raise UnreadableError(
                f"{self._folder.path}: {', '.join(changed_paths[:5])} would be replaced by what an "
                f"earlier run made ready in {PENDING_FOLDER}, but foidex did not write it or "
                "somebody has changed it since. Move it away, and try again."
            )

    def install_pending_set(self) -> None:
        """Put the prepared files in their places, even if a killed run prepared them.

        A signal, such as Ctrl-C, ends the run when all are there: else the folder would have
        documents of two answers.
        """
        try:
            self._move_pending_set()
        except BaseException as error:
            if not isinstance(error, Exception):
                self._move_pending_set()
            raise

    def _move_pending_set(self) -> None:
        if self._folder.find_mode(PENDING_FOLDER) is None:
            return
        with self._folder.open_subfolder(PENDING_FOLDER) as pending:
            self._folder.refuse_foreign(PENDING_FOLDER, pending.find_owner())
            new = read_manifest(pending)
            if new is not None:  # else it was never complete
                self._install(pending, new, read_manifest(self._folder))
        self._folder.remove_tree(PENDING_FOLDER)

    def _install(self, pending: Folder, new: Manifest, old: Manifest | None) -> None:
        for path in new.files:
            self._install_document(pending, path)
        for path in old.files if old else ():
            if path not in new.files:
                self._remove_document(path)
        pending.move_file(MANIFEST_NAME, self._folder, MANIFEST_NAME)

    def _install_document(self, pending: Folder, path: str) -> None:
        try:
            with self._open_parent(pending, path) as (source, name):
                mode = source.find_mode(name)
                if mode is None:
                    return  # it is in its place already
                if not stat.S_ISREG(mode):
                    raise UnsafePathError(source.path / name, "is not an ordinary file")
                with self._open_parent(self._folder, path, self._permissions) as (target, _):
                    source.move_file(name, target, name)
        except FileNotFoundError:
            return

    def _remove_document(self, path: str) -> None:
        try:
            with self._open_parent(self._folder, path) as (parent, name):
                parent.remove_file(name)
        except FileNotFoundError:
            return

    @contextmanager
    def _open_parent(
        self, folder: Folder, path: str, create: Permissions | None = None
    ) -> Iterator[tuple[Folder, str]]:
        """The folder that a document is in, and its name there."""
        subfolder, _, name = path.rpartition("/")
        if not subfolder:
            yield folder, name
            return
        with folder.open_subfolder(subfolder, create) as parent:
            yield parent, name


@contextmanager
def open_document_folder(path: Path, permissions: Permissions) -> Iterator[DocumentFolder]:
    """Open a folder for documents, made if it is missing. Raises OSError.

    What was made is removed again if nothing was written, as where a release was refused.
    """
    missing_folders = _list_missing_folders(path)
    try:
        with open_folder(path, create=permissions, parents=permissions) as folder:
            yield DocumentFolder(folder, permissions)
    except BaseException:
        with suppress(OSError):  # another run has begun to write there
            for missing_folder in missing_folders:
                with open_folder_of(missing_folder) as (parent, name):
                    parent.remove_empty_folder(name)
        raise


def _list_missing_folders(path: Path) -> list[Path]:
    """A folder that is not there, and those missing on the way to it, the innermost first."""
    try:
        return list(takewhile(lambda folder: not folder.exists(), (path, *path.parents)))
    except OSError:  # such as a name that is too long
        return []


def finish_document_set(path: Path) -> None:
    """Put in its place what a run that was killed had made ready in a folder, if there is any.

    Nothing is done while a run writes there. Raises OSError, and UnreadableError for a damaged set,
    or if a document was changed meanwhile.
    """
    with open_folder(path) as folder:
        if folder.find_mode(PENDING_FOLDER) is None:
            return
        documents = DocumentFolder(folder, DOCUMENT_PERMISSIONS)
        with suppress(Timeout), documents.hold_lock():
            documents.finish_pending_set()
