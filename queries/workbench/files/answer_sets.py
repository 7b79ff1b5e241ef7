"""The documents of a request's answer: your own, with every number, and the published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from indexer.errors import OutputError
from indexer.files import FileStamp, UnsafePathError, open_folder
from queries.documents.manifest import MANIFEST_NAME, Manifest, read_manifest
from queries.workbench.files.request_files import MissingError, RequestFolder

AnswerKind = Literal["answer", "published"]

ANSWER_KINDS: Final[tuple[AnswerKind, ...]] = ("answer", "published")

_ANSWERS: Final = "answers"

_ANSWER_ENDING: Final = ".answer.json"

_MAX_DOCUMENT_BYTES: Final = 200_000_000


class AnswerSet(Struct, frozen=True):
    """The documents in ``folder``, as their manifest lists them."""

    kind: AnswerKind
    folder: Path
    manifest: Manifest

    @property
    def answer_path(self) -> Path:
        """The answer itself, as JSON."""
        name = next(name for name in self.manifest.files if name.endswith(_ANSWER_ENDING))
        return self.folder / name


def find_answer_folder(requests: RequestFolder, file_name: str, kind: str) -> Path:
    """Where the documents of a request file go."""
    if kind not in ANSWER_KINDS:
        raise MissingError("There are no such documents.")
    requests.file_path(file_name)
    return requests.path / _ANSWERS / file_name / kind


def find_answer_set(requests: RequestFolder, file_name: str, kind: AnswerKind) -> AnswerSet | None:
    """The documents of a request file, None if there are none. Raises OutputError."""
    path = find_answer_folder(requests, file_name, kind)
    try:
        with open_folder(path) as folder:
            manifest = read_manifest(folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise OutputError(f"{path}: cannot be read ({error.strerror}).") from None
    if manifest and not any(name.endswith(_ANSWER_ENDING) for name in manifest.files):
        raise OutputError(f"{path}: its manifest lists no answer. Count the request again.")
    return AnswerSet(kind, path, manifest) if manifest else None


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


def read_document(answer_set: AnswerSet, name: str) -> bytes:
    """A document that the manifest lists. Raises MissingError for any other name."""
    if name not in answer_set.manifest.files:
        raise MissingError("There is no such document.")
    folder_name, _, file_name = name.rpartition("/")
    try:
        with open_folder(answer_set.folder / folder_name) as folder:
            return folder.read_file(file_name, _MAX_DOCUMENT_BYTES)
    except (OSError, UnsafePathError) as error:
        raise OutputError(f"{name}: cannot be read ({error.strerror}).") from None
