"""The request files of a folder: listed, saved whole, with the versions before, for several people.

Whoever saves names the version that they began with. If someone else saved meanwhile, nothing is
written, so that no change is lost in silence.
"""

from __future__ import annotations

import errno
import hashlib
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import filelock
from msgspec import Struct

from indexer.errors import OutputError, RequestError, UnreadableError
from indexer.files import DOCUMENT_PERMISSIONS, FileStamp, Folder, UnsafePathError, open_folder

#: How many earlier versions of a request are kept.
KEPT_VERSIONS: Final = 20

MAX_REQUEST_BYTES: Final = 1_000_000

_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,90}\.ya?ml")

_VERSION_NUMBER: Final = re.compile(r"[0-9]{6,}")

#: Request files, and their versions.
_WRITTEN_NAME: Final = re.compile(r".+\.ya?ml(\.[0-9]{6,})?", re.DOTALL)

_REQUEST_ENDINGS: Final = (".yaml", ".yml")

_VERSIONS: Final = "versions"

_LOCK: Final = ".workbench.lock"

_LOCK_SECONDS: Final = 10


class RequestFile(Struct, frozen=True):
    """A request file: its name, its text, and the version, which is the text's SHA-256."""

    name: str
    text: str
    version: str

    @property
    def label(self) -> str:
        """What pages call it: its name without the ending."""
        return self.name.rpartition(".")[0]


class MissingError(RequestError):
    """There is no such request, answer or document."""


class EditConflictError(RequestError):
    """Someone else saved the request since it was opened. ``current`` is what they saved."""

    def __init__(self, current: RequestFile) -> None:
        super().__init__(
            f"{current.name}: someone else saved this request since you opened it. Nothing of "
            "yours was saved."
        )
        self.current = current


class RequestFolder:
    """The folder of request files at ``path``. It is made when the first one is saved.

    If it had requests and is missing or empty later, it is not taken for a new one: its disk may
    not be mounted any more, and what is written in its place would be hidden by it. Everything
    raises UnreadableError then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._had_requests = False

    def list_names(self) -> list[str]:
        """The names of the request files, in order. Raises UnreadableError."""
        return [*self.list_stamps()]

    def list_stamps(self) -> dict[str, FileStamp | None]:
        """The names of the request files, in order, and their stamps. Raises UnreadableError."""
        stamps: dict[str, FileStamp | None] = {}
        try:
            with self._open() as folder:
                names = [name for name in folder.list_names() if _FILE_NAME.fullmatch(name)]
                stamps = {name: folder.find_stamp(name) for name in names}
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._explain(error) from None
        if not stamps:
            self.require_there()
        self._had_requests = self._had_requests or bool(stamps)
        return stamps

    def require_there(self) -> None:
        """Raise UnreadableError if the folder had requests, and is missing or empty now."""
        if not self._had_requests:
            return
        try:
            with self._open() as folder:
                if folder.list_names():
                    return
        except FileNotFoundError:
            pass
        except OSError as error:
            raise self._explain(error) from None
        raise UnreadableError(
            f"{self.path}: the requests that were there are gone: the folder is missing or empty. "
            "Mount its disk again, or bring the folder back. If it is to be empty, start the "
            "workbench again."
        )

    def list_unusable_names(self) -> list[str]:
        """The names of files that look like requests and are not listed. Raises UnreadableError."""
        try:
            with self._open() as folder:
                return [
                    name
                    for name in folder.list_names()
                    if name.lower().endswith(_REQUEST_ENDINGS)
                    and not name.startswith(".")
                    and not _FILE_NAME.fullmatch(name)
                ]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._explain(error) from None

    def file_path(self, name: str) -> Path:
        """The path of a request file. Raises RequestError for a name that is not one."""
        if not _FILE_NAME.fullmatch(name):
            raise MissingError(f'"{name[:60]}" is not the name of a request file.')
        return self.path / name

    def read(self, name: str) -> RequestFile:
        """A request file. Raises RequestError if there is none of the name, or it is not text."""
        self.file_path(name)
        try:
            with self._open() as folder:
                return _read_file(folder, name)
        except FileNotFoundError:
            self.require_there()
            raise MissingError(f"{name}: there is no such request.") from None
        except OSError as error:
            raise self._explain(error) from None

    def require_new(self, name: str) -> None:
        """Raise RequestError if a name is taken, before anything is written or logged."""
        if name in self.list_names():
            raise _make_taken_error(name)

    def require_version(self, name: str, version: str) -> None:
        """Raise EditConflictError if a request is at another version, and as ``read``."""
        current = self.read(name)
        if current.version != version:
            raise EditConflictError(current)

    def create(self, name: str, text: str) -> RequestFile:
        """Save a new request. Raises RequestError if the name is taken."""
        self.file_path(name)
        _require_size(text)
        with self._lock() as folder:
            if folder.find_mode(name) is not None:
                raise _make_taken_error(name)
            folder.write_file(name, text.encode("utf-8", "replace"), DOCUMENT_PERMISSIONS)
        return _make_file(name, text)

    def save(self, name: str, text: str, version: str) -> RequestFile:
        """Save a request that was opened at ``version``; the one before is kept beside it.

        Raises EditConflictError if it is no longer at that version, and RequestError.
        """
        self.file_path(name)
        _require_size(text)
        with self._lock() as folder:
            try:
                current = _read_file(folder, name)
            except FileNotFoundError:
                raise MissingError(f"{name}: there is no such request.") from None
            if current.text == text:  # such as the same form, sent twice
                return current
            if current.version != version:
                raise EditConflictError(current)
            _keep_version(folder, current)
            folder.write_file(name, text.encode("utf-8", "replace"), DOCUMENT_PERMISSIONS)
        return _make_file(name, text)

    def list_versions(self, name: str) -> list[str]:
        """The names of earlier versions of a request, newest first."""
        self.file_path(name)
        try:
            with self._open() as folder, folder.open_subfolder(_VERSIONS) as versions:
                return _list_versions(versions, name)[::-1]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise self._explain(error) from None

    def read_version(self, name: str, number: str) -> RequestFile:
        """An earlier version of a request, by its number. Raises MissingError and RequestError."""
        version = f"{name}.{number}"
        if version not in self.list_versions(name):
            raise MissingError(f"{name}: there is no such version, or it is not kept any more.")
        try:
            with self._open() as folder, folder.open_subfolder(_VERSIONS) as versions:
                return _read_file(versions, version)
        except FileNotFoundError:
            raise MissingError(f"{name}: this version is not kept any more.") from None
        except OSError as error:
            raise self._explain(error) from None

    def _open(self) -> Folder:
        return open_folder(self.path)

    @contextmanager
    def _lock(self) -> Iterator[Folder]:
        self.require_there()
        try:
            with (
                open_folder(self.path, create=DOCUMENT_PERMISSIONS) as folder,
                folder.hold_lock(_LOCK, _LOCK_SECONDS),
            ):
                folder.remove_parts(_WRITTEN_NAME)
                yield folder
        except filelock.Timeout:
            raise OutputError(
                f"{self.path}: another request is being saved. Try again in a moment."
            ) from None
        except OSError as error:
            raise OutputError(f"{self._describe(error)} Nothing was saved.") from None

    def _explain(self, error: OSError) -> UnreadableError:
        return UnreadableError(self._describe(error))

    def _describe(self, error: OSError) -> str:
        reason = error.strerror or "it is not an ordinary folder"
        return f"{error.filename or self.path}: cannot be used ({reason})."


def hash_text(text: str) -> str:
    """The version of a request with this text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _make_taken_error(name: str) -> RequestError:
    return RequestError(f"{name}: there is a request of this name. Choose another reference.")


def _require_size(text: str) -> None:
    if len(text.encode("utf-8", "replace")) > MAX_REQUEST_BYTES:
        raise RequestError(
            f"A request has at most {MAX_REQUEST_BYTES:,} bytes. Nothing was saved. Shorten it."
        )


def _read_file(folder: Folder, name: str) -> RequestFile:
    try:
        text = folder.read_file(name, MAX_REQUEST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError(f"{name}: is not UTF-8 text. Save it as UTF-8.") from None
    except UnsafePathError as error:
        raise RequestError(f"{name}: cannot be read ({error.strerror}). Move it away.") from None
    except OSError as error:
        if error.errno != errno.EFBIG:
            raise
        raise RequestError(
            f"{name}: has more than {MAX_REQUEST_BYTES:,} bytes, the most that a request has. "
            "Shorten it, or move it away."
        ) from None
    return _make_file(name, text)


def _make_file(name: str, text: str) -> RequestFile:
    return RequestFile(name, text, hash_text(text))


def _keep_version(folder: Folder, current: RequestFile) -> None:
    with folder.open_subfolder(_VERSIONS, create=DOCUMENT_PERMISSIONS) as versions:
        versions.remove_parts(_WRITTEN_NAME)
        names = _list_versions(versions, current.name)
        if names and _has_text(versions, names[-1], current.text):
            return  # kept by a run that was killed before it saved
        newest = _find_number(names[-1]) if names else 0
        versions.write_file(
            f"{current.name}.{newest + 1:06}", current.text.encode(), DOCUMENT_PERMISSIONS
        )
        for old in names[: max(0, len(names) + 1 - KEPT_VERSIONS)]:
            versions.remove_file(old)


def _has_text(versions: Folder, version: str, text: str) -> bool:
    try:
        return versions.read_file(version, MAX_REQUEST_BYTES) == text.encode()
    except OSError:  # a colleague put it there
        return False


def _list_versions(versions: Folder, name: str) -> list[str]:
    """The earlier versions, oldest first; what else someone may have put there is left alone."""
    names = (
        version
        for version in versions.list_names()
        if version.rpartition(".")[0] == name
        and _VERSION_NUMBER.fullmatch(version.rpartition(".")[2])
        and stat.S_ISREG(versions.find_mode(version) or 0)
    )
    return sorted(names, key=_find_number)


def _find_number(version: str) -> int:
    return int(version.rpartition(".")[2])
