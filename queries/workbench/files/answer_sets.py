"""The documents of a request's answer: your own, with every number, and the published ones."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from indexer.errors import RequestError, UnreadableError
from indexer.files import FileStamp, UnsafePathError, open_folder
from queries.answer.answer_file import decode_answer
from queries.answer.types import Answer
from queries.documents.document_folder import PENDING_FOLDER, finish_document_set
from queries.documents.manifest import MANIFEST_NAME, Manifest, read_manifest
from queries.workbench.files.request_files import MissingError, RequestFolder

AnswerKind = Literal["answer", "published"]

ANSWER_KINDS: Final[tuple[AnswerKind, ...]] = ("answer", "published")

_ANSWERS: Final = "answers"

_ANSWER_ENDING: Final = ".answer.json"

_MEND_FOLDER: Final = (
    "Let the account that runs foidex read and write this folder and all that is in it, and see "
    "that its disk has room."
)

_MAX_DOCUMENT_BYTES: Final = 200_000_000


class AnswerSet(Struct, frozen=True):
    """The documents in ``folder``, as their manifest lists them."""

    kind: AnswerKind
    folder: Path
    manifest: Manifest
    run_at: datetime

    @property
    def answer_name(self) -> str:
        """The name of the answer itself, as JSON."""
        return next(name for name in self.manifest.files if name.endswith(_ANSWER_ENDING))


def find_answer_folder(requests: RequestFolder, file_name: str, kind: str) -> Path:
    """Where the documents of a request file go."""
    if kind not in ANSWER_KINDS:
        raise MissingError("There are no such documents.")
    requests.file_path(file_name)
    return requests.path / _ANSWERS / file_name / kind


def find_answer_set(requests: RequestFolder, file_name: str, kind: AnswerKind) -> AnswerSet | None:
    """The documents of a request file, None if there are none. Raises UnreadableError.

    What a run that was killed had made ready is put in its place first.
    """
    path = find_answer_folder(requests, file_name, kind)
    try:
        finish_document_set(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(
            f"{error.filename or path}: the newest documents are ready, and cannot be put in their "
            f"place ({error.strerror}). {_MEND_FOLDER}"
        ) from None
    try:
        with open_folder(path) as folder:
            manifest = read_manifest(folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(
            f"{error.filename or path}: cannot be used ({error.strerror}). {_MEND_FOLDER}"
        ) from None
    if manifest and not any(name.endswith(_ANSWER_ENDING) for name in manifest.files):
        raise UnreadableError(f"{path}: its manifest lists no answer. Count the request again.")
    return AnswerSet(kind, path, manifest, _parse_moment(path, manifest)) if manifest else None


def _parse_moment(path: Path, manifest: Manifest) -> datetime:
    try:
        return datetime.fromisoformat(manifest.run_at).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UnreadableError(
            f"{path}: its manifest does not say when the answer was counted. Count the request "
            "again."
        ) from None


def list_set_stamps(requests: RequestFolder, file_name: str) -> tuple[FileStamp | None, ...]:
    """The stamps of the manifests of each kind: others once a set is written again."""
    return tuple(
        _find_manifest_stamp(find_answer_folder(requests, file_name, kind)) for kind in ANSWER_KINDS
    )


def _find_manifest_stamp(path: Path) -> FileStamp | None:
    try:
        with open_folder(path) as folder:
            return folder.find_stamp(MANIFEST_NAME)
    except OSError:
        return None


def read_set_answer(answer_set: AnswerSet) -> Answer:
    """The answer of a set, as it was written. Raises UnreadableError and RequestError."""
    return decode_answer(read_document(answer_set, answer_set.answer_name), answer_set.answer_name)


def read_document(answer_set: AnswerSet, name: str) -> bytes:
    """A document that the manifest lists, as it was written.

    Raises MissingError for any other name, and RequestError for one that is not as it was written:
    of two sets, one half of each is never given as one.
    """
    if name not in answer_set.manifest.files:
        raise MissingError("There is no such document.")
    folder_name, _, file_name = name.rpartition("/")
    try:
        with open_folder(answer_set.folder / folder_name) as folder:
            content = folder.read_file(file_name, _MAX_DOCUMENT_BYTES)
    except (OSError, UnsafePathError) as error:
        if _is_being_written(answer_set):
            raise _make_half_written_error() from None
        raise UnreadableError(f"{name}: cannot be read ({error.strerror}).") from None
    if hashlib.sha256(content).hexdigest() == answer_set.manifest.files[name]:
        return content
    if _is_being_written(answer_set):
        raise _make_half_written_error()
    raise RequestError(
        f"{name}: was changed since foidex wrote it, so it is not given as its own. Take it from "
        "its folder, or move it away and write the documents again."
    )


def _is_being_written(answer_set: AnswerSet) -> bool:
    """Whether another set takes the place of this one, or took it since this one was looked up."""
    try:
        with open_folder(answer_set.folder) as folder:
            if folder.find_mode(PENDING_FOLDER) is not None:
                return True
            return read_manifest(folder) != answer_set.manifest
    except OSError:
        return True


def _make_half_written_error() -> RequestError:
    return RequestError("The documents are being written at this moment. Try again in a minute.")
