"""The set of documents of an answer in a folder: written whole or not at all, and compared.

A folder's ``manifest.json`` lists the files that foidex wrote there, each with its SHA-256. New
files are first written completely into ``.foidex-new`` in that folder, the manifest last; only then
are they moved to their places. If a run is killed in between, the next run finishes the move. A
release is recorded between the two steps, when every file is on the disk and none is in its place.
One run at a time: a lock, ``.foidex.lock``, is in the folder meanwhile and is removed at the end.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from indexer.errors import OutputError
from indexer.files import write_new_file
from queries.answer.types import Answer, format_json
from queries.documents.comparison import NumberChange, compare_answers
from queries.documents.content.context import (
    DocumentSettings,
    build_document_context,
    list_small_numbers,
)
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf
from queries.documents.formats.report import render_report_html, render_report_text
from queries.documents.formats.workbook import render_workbook
from queries.documents.manifest import MANIFEST_NAME, Manifest, read_manifest
from queries.layout.csv_text import format_table_csv

_PENDING_FOLDER: Final = ".foidex-new"

_LOCK_FILE_NAME: Final = ".foidex.lock"

_MAX_SLUG_LENGTH: Final = 80

# Names that Windows reserves for devices.
_DEVICE_NAMES: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class WriteResult(Struct, frozen=True):
    """What was written, and the numbers that changed; None if there is nothing to compare."""

    files: tuple[str, ...]
    changes: tuple[NumberChange, ...] | None


def slugify_reference(reference: str) -> str:
    """A reference as a name that is safe on every file system: "FOI2018/03922" to
    "FOI2018-03922". It holds letters, digits, dots, underscores and hyphens."""
    plain = unicodedata.normalize("NFKD", reference).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._]+", "-", plain)[:_MAX_SLUG_LENGTH].strip("-._")
    if not name:  # no character of it is allowed
        return "request-" + hashlib.sha256(reference.encode()).hexdigest()[:8]
    return f"request-{name}" if _DEVICE_NAMES.fullmatch(name) else name


def format_small_number_warning(answer: Answer, settings: DocumentSettings) -> str:
    """The warning for whoever passes an answer on; empty if no number is small."""
    number = len(list_small_numbers(answer, settings))
    subject = "one number is" if number == 1 else f"{number:,} numbers are"
    return f"Not for publication: {subject} small." if number else ""


def render_documents(answer: Answer, settings: DocumentSettings) -> dict[str, bytes]:
    """Every document, by its path.

    Raises ConfigurationError, and OutputError if there is no room for temporary files.
    """
    try:
        return _render_every_document(answer, settings)
    except OSError as error:
        raise OutputError(
            f"the documents cannot be made ({error.strerror}): a temporary file cannot be written. "
            "Make room there, or name another folder in TMPDIR. Nothing was written."
        ) from None


def _render_every_document(answer: Answer, settings: DocumentSettings) -> dict[str, bytes]:
    context = build_document_context(answer, settings)
    name = slugify_reference(answer.reference)
    contents: dict[str, str | bytes] = {
        f"{name}.answer.json": format_json(answer) + "\n",
        f"{name}.report.txt": render_report_text(context),
        f"{name}.report.html": render_report_html(context),
        f"{name}.letter.txt": render_letter_text(context),
        f"{name}.letter.html": render_letter_html(context),
        f"{name}.letter.docx": render_letter_docx(context),
        f"{name}.letter.pdf": render_letter_pdf(context),
        f"{name}.xlsx": render_workbook(context),
        **{
            f"tables/{name}.{slugify_reference(question.id)}.csv": format_table_csv(question.table)
            for question in answer.questions
        },
    }
    return {
        path: content.encode() if isinstance(content, str) else content
        for path, content in contents.items()
    }


def write_document_set(
    answer: Answer,
    folder: Path,
    settings: DocumentSettings,
    *,
    force: bool = False,
    record: Callable[[], None] | None = None,
) -> WriteResult:
    """Write the set of an answer, and say which numbers changed since the last.

    ``record`` is called when every file is on the disk and none is in its place yet; if it fails,
    no file is given. Without ``force`` a file that foidex did not write, or that was changed since,
    is never replaced, nor is a set for publication replaced by one that is not, or the reverse.
    Raises OutputError, and ConfigurationError for a template that is wrong.
    """
    contents = render_documents(answer, settings)
    provenance = answer.provenance
    manifest = Manifest(
        reference=answer.reference,
        generation=provenance.generation,
        query_hash=provenance.query_hash,
        run_at=provenance.run_at.isoformat(),
        version=provenance.version,
        files={path: hashlib.sha256(content).hexdigest() for path, content in contents.items()},
        for_publication=answer.disclosure is not None,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _lock_document_folder(folder):
            install_pending_set(folder)
            old = read_manifest(folder)
            if not force:
                _reject_publication_mismatch(folder, manifest, old)
                _reject_unknown_files(folder, contents, old)
            previous = _read_previous_answer(folder, old)
            _write_pending_set(folder / _PENDING_FOLDER, contents, manifest, record)
            install_pending_set(folder)
    except Timeout:
        raise OutputError(f"{folder}: another run is writing here. Wait for it.") from None
    except NotImplementedError:  # a file system without locks
        raise OutputError(
            f"{folder}: files cannot be locked there. Choose another folder."
        ) from None
    except OSError as error:
        ready = (folder / _PENDING_FOLDER / MANIFEST_NAME).is_file()
        raise OutputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). "
            + (
                f"The new files are ready in {_PENDING_FOLDER}; the next run puts "
                f"them in their places."
                if ready
                else "Nothing was replaced. Make room, or choose another folder with --out."
            )
        ) from None
    return WriteResult(
        (*contents, MANIFEST_NAME), None if previous is None else compare_answers(previous, answer)
    )


@contextmanager
def _lock_document_folder(folder: Path) -> Iterator[None]:
    """Keep other runs from writing in a folder. Raises Timeout if one is writing."""
    path = folder / _LOCK_FILE_NAME
    with FileLock(path, timeout=0):
        try:
            yield
        finally:
            # Removed while it is held: another run that has opened it meanwhile notices that the
            # file has lost its name, and does not take it (filelock sees to that). A lock that
            # cannot be removed does no harm.
            with suppress(OSError):
                path.unlink()


def _reject_publication_mismatch(folder: Path, new: Manifest, old: Manifest | None) -> None:
    """Raise OutputError if a set for publication would replace one that is not, or the reverse."""
    if old and old.for_publication != new.for_publication:
        old_use, new_use = (
            "may be published" if manifest.for_publication else "is not for publication"
            for manifest in (old, new)
        )
        raise OutputError(
            f"{folder}: contains a set that {old_use}, and the new one {new_use}. Choose another "
            "folder, so that nobody confuses the two, or replace it with --force."
        )


def _reject_unknown_files(
    folder: Path, contents: Mapping[str, bytes], old: Manifest | None
) -> None:
    """Raise OutputError if a file would be lost that foidex did not write as it is now."""
    old_digests = old.files if old else {}
    lost = [
        path
        for path in (*contents, *(path for path in old_digests if path not in contents))
        if (folder / path).is_symlink()
        or ((folder / path).exists() and _hash_document(folder / path) != old_digests.get(path))
    ]
    if (folder / "tables").is_symlink():
        lost.append("tables")
    if lost:
        raise OutputError(
            f"{folder}: {', '.join(lost[:5])}{' and more' if len(lost) > 5 else ''} would be "
            "replaced, but foidex did not write it or somebody has changed it since. Move it away, "
            "choose another folder with --out, or replace it with --force."
        )


def _hash_document(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _write_pending_set(
    pending: Path,
    contents: Mapping[str, bytes],
    manifest: Manifest,
    record: Callable[[], None] | None,
) -> None:
    """Write everything into the pending folder; on failure nothing is left.

    The set is ready once the manifest has its name. Renaming takes no room, so it comes after
    ``record``.
    """
    try:
        pending.mkdir()
        for path, content in contents.items():
            (pending / path).parent.mkdir(parents=True, exist_ok=True)
            write_new_file(pending / path, content)
        manifest_file = pending / f"{MANIFEST_NAME}.part"
        write_new_file(
            manifest_file, msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
        )
        if record:
            record()
        manifest_file.replace(pending / MANIFEST_NAME)
    except BaseException:
        shutil.rmtree(pending, ignore_errors=True)
        raise


def install_pending_set(folder: Path) -> None:
    """Put the prepared files in their places, even if a killed run prepared them."""
    pending = folder / _PENDING_FOLDER
    if not (pending / MANIFEST_NAME).is_file():
        shutil.rmtree(pending, ignore_errors=True)  # never complete
        return
    new, old = read_manifest(pending), read_manifest(folder)
    assert new is not None
    for path in new.files:
        if (pending / path).is_file():  # else it is in its place already
            target = folder / path
            target.parent.mkdir(exist_ok=True)
            (pending / path).replace(target)
    for path in old.files if old else ():
        if path not in new.files:
            (folder / path).unlink(missing_ok=True)
    (pending / MANIFEST_NAME).replace(folder / MANIFEST_NAME)
    shutil.rmtree(pending)


def _read_previous_answer(folder: Path, old: Manifest | None) -> dict[str, Any] | None:
    """The answer of the last run, if it is still as it was written."""
    name = (
        next((path for path in old.files if path.endswith(".answer.json")), None) if old else None
    )
    if old is None or name is None or _hash_document(folder / name) != old.files[name]:
        return None
    answer: dict[str, Any] = msgspec.json.decode((folder / name).read_bytes())
    return answer
