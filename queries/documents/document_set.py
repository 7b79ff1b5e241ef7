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
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import Timeout
from msgspec import Struct

from indexer.errors import OutputError, UnfinishedOutputError
from indexer.files import DOCUMENT_PERMISSIONS, Permissions
from queries.answer.types import Answer, format_json
from queries.documents.comparison import NumberChange, compare_answers
from queries.documents.content.context import (
    DocumentSettings,
    QuestionView,
    build_document_context,
    list_small_numbers,
)
from queries.documents.document_folder import PENDING_FOLDER, DocumentFolder, open_document_folder
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf
from queries.documents.formats.report import render_report_html, render_report_text
from queries.documents.formats.workbook import render_workbook
from queries.documents.manifest import MANIFEST_NAME, TABLES_FOLDER, Manifest
from queries.documents.template_process import run_with_limits
from queries.layout.csv_text import format_reviews_csv, format_table_csv, format_texts_csv

_MAX_SLUG_LENGTH: Final = 80

# Names that Windows reserves for devices.
_DEVICE_NAMES: Final = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


class _SetProgress(Struct):
    """How far the writing of a set came: whether it ``is_ready``, and a release then recorded."""

    is_release: bool
    is_ready: bool = False


class WriteResult(Struct, frozen=True):
    """What was written, and the numbers that changed; None if there is nothing to compare.

    ``replaced`` says that an earlier set was replaced.
    """

    files: tuple[str, ...]
    changes: tuple[NumberChange, ...] | None
    replaced: bool = False


class WriteOptions(Struct, frozen=True):
    """What a set may replace, and the ``permissions`` of new files.

    Without ``force`` a file that foidex did not write, or that was changed since, is never
    replaced, nor is a set for publication by one that is not, or the reverse, nor the set of
    another request, unless the one request of the folder ``may_rename`` itself.
    """

    force: bool = False
    may_rename: bool = False
    permissions: Permissions = DOCUMENT_PERMISSIONS


DEFAULT_WRITING: Final = WriteOptions()


def slugify_reference(reference: str) -> str:
    """A reference as a name that is safe on every file system: "FOI2018/03922" to
    "FOI2018-03922". It holds letters, digits, dots, underscores and hyphens."""
    plain = unicodedata.normalize("NFKD", reference).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._]+", "-", plain)[:_MAX_SLUG_LENGTH].strip("-._")
    if not name:  # no character of it is allowed
        return "request-" + hashlib.sha256(reference.encode()).hexdigest()[:8]
    return f"request-{name}" if _DEVICE_NAMES.fullmatch(name) else name


def make_question_slugs(ids: Iterable[str]) -> Iterator[str]:
    """A name for the file of each question, no two alike even where capitals are ignored."""
    taken: set[str] = set()
    for identifier in ids:
        slug = plain = slugify_reference(identifier)
        number = 1
        while slug.lower() in taken:
            number += 1
            slug = f"{plain}-{number}"
        taken.add(slug.lower())
        yield slug


def format_small_number_warning(answer: Answer, settings: DocumentSettings) -> str:
    """The warning for whoever passes an answer on; empty if no number is small."""
    number = len(list_small_numbers(answer, settings))
    subject = "one number is" if number == 1 else f"{number:,} numbers are"
    return f"Not for publication: {subject} small." if number else ""


def render_documents(answer: Answer, settings: DocumentSettings) -> dict[str, bytes]:
    """Every document, by its path; a force's own templates are filled in by a limited process.

    Raises ConfigurationError, and OutputError if there is no room for temporary files.
    """
    name = slugify_reference(answer.reference)
    return {
        f"{name}.answer.json": f"{format_json(answer)}\n".encode(),
        **run_with_limits(settings.templates, _render_in_place, answer, settings),
        **{path: text.encode() for path, text in _format_csv_files(answer, name)},
    }


def digest_documents(contents: Mapping[str, bytes]) -> dict[str, str]:
    """The SHA-256 of each document, by its path."""
    return {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}


def name_letter_text(answer: Answer) -> str:
    """The path of the letter as plain text."""
    return f"{slugify_reference(answer.reference)}.letter.txt"


def _format_csv_files(answer: Answer, name: str) -> Iterator[tuple[str, str]]:
    """The CSV files of each question, and of all reviews, by their paths."""
    ids = [question.id for question in answer.questions]
    names = [*ids, "reviews"]
    slugs = list(
        make_question_slugs([*names, *(f"{slug}.texts" for slug in make_question_slugs(ids))])
    )
    paths = [f"{TABLES_FOLDER}/{name}.{slug}.csv" for slug in slugs]
    if answer.reviews:
        yield paths[len(ids)], format_reviews_csv(answer.reviews)
    text_paths = paths[len(names) :]
    for question, path, text_path in zip(answer.questions, paths, text_paths, strict=False):
        yield path, format_table_csv(question.table)
        if question.approvals:
            yield text_path, format_texts_csv(question.table)


def render_answer_text(answer: Answer, settings: DocumentSettings, form: str) -> str:
    """The "letter", its "html", or the report as "text". Raises ConfigurationError."""
    return run_with_limits(settings.templates, _render_text_in_place, answer, settings, form)


def view_questions(answer: Answer, settings: DocumentSettings) -> list[QuestionView]:
    """What a page shows of each question, in the same way. Raises ConfigurationError."""
    return run_with_limits(settings.templates, _view_in_place, answer, settings)


def _render_text_in_place(answer: Answer, settings: DocumentSettings, form: str) -> str:
    renderers = {
        "html": render_letter_html,
        "letter": render_letter_text,
        "text": render_report_text,
    }
    return renderers[form](build_document_context(answer, settings))


def _view_in_place(answer: Answer, settings: DocumentSettings) -> list[QuestionView]:
    questions: list[QuestionView] = build_document_context(answer, settings).names["questions"]
    return questions


def _render_in_place(answer: Answer, settings: DocumentSettings) -> dict[str, bytes]:
    """The documents that people read."""
    try:
        return _render_every_format(answer, settings)
    except OSError as error:
        raise OutputError(
            f"the documents cannot be made ({error.strerror}): a temporary file cannot be written. "
            "Make room there, or name another folder in TMPDIR. Nothing was written."
        ) from None


def _render_every_format(answer: Answer, settings: DocumentSettings) -> dict[str, bytes]:
    context = build_document_context(answer, settings)
    name = slugify_reference(answer.reference)
    return {
        f"{name}.report.txt": render_report_text(context).encode(),
        f"{name}.report.html": render_report_html(context).encode(),
        f"{name}.letter.txt": render_letter_text(context).encode(),
        f"{name}.letter.html": render_letter_html(context).encode(),
        f"{name}.letter.docx": render_letter_docx(context),
        f"{name}.letter.pdf": render_letter_pdf(context),
        f"{name}.xlsx": render_workbook(context),
    }


def write_document_set(
    answer: Answer,
    folder: Path,
    settings: DocumentSettings,
    options: WriteOptions = DEFAULT_WRITING,
    record: Callable[[], object] | None = None,
) -> WriteResult:
    """Write the set of an answer, and say which numbers changed since the last.

    ``record`` is called when every file is on the disk and none is in its place yet; if it fails,
    no file is given. ``options`` say what is never replaced. No link in the folder is followed.
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
        files=digest_documents(contents),
        for_publication=answer.disclosure is not None,
    )
    progress = _SetProgress(is_release=record is not None)
    with (
        _explain_write_errors(folder, progress),
        open_document_folder(folder, options.permissions) as documents,
        documents.hold_lock(),
    ):
        documents.require_room(contents)
        if options.force:
            documents.install_pending_set()
        else:
            documents.finish_pending_set()
        old = documents.read_manifest()
        if not options.force:
            if not options.may_rename:
                _reject_other_request(folder, manifest, old)
            _reject_publication_mismatch(folder, manifest, old)
            _reject_unknown_files(documents, folder, contents, old)
        previous = documents.read_answer(old)
        documents.write_pending_set(contents, manifest, record)
        progress.is_ready = True
        documents.install_pending_set()
    changes = None if previous is None else compare_answers(previous, answer)
    return WriteResult((*contents, MANIFEST_NAME), changes, replaced=previous is not None)


def _reject_other_request(folder: Path, new: Manifest, old: Manifest | None) -> None:
    """Raise OutputError if the set of another request would be replaced."""
    if old and old.reference != new.reference:
        raise OutputError(
            f'{folder}: contains the documents of the request "{old.reference}", and the new ones '
            f'are of "{new.reference}". Choose another folder with --out, or replace them with '
            "--force."
        )


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
    documents: DocumentFolder, folder: Path, contents: Mapping[str, bytes], old: Manifest | None
) -> None:
    """Raise OutputError if a file would be lost that foidex did not write as it is now."""
    digests = old.files if old else {}
    lost = documents.list_changed_documents(dict.fromkeys((*contents, *digests)), digests)
    if lost:
        raise OutputError(
            f"{folder}: {', '.join(lost[:5])}{' and more' if len(lost) > 5 else ''} would be "
            "replaced, but foidex did not write it or somebody has changed it since. Move it away, "
            "choose another folder with --out, or replace it with --force."
        )


@contextmanager
def _explain_write_errors(folder: Path, progress: _SetProgress) -> Iterator[None]:
    """Raise what keeps a folder from being written as OutputError."""
    try:
        yield
    except Timeout:
        raise OutputError(f"{folder}: another run is writing here. Wait for it.") from None
    except NotImplementedError:  # a file system without locks
        raise OutputError(
            f"{folder}: files cannot be locked there. Choose another folder."
        ) from None
    except OSError as error:
        problem = f"{error.filename or folder}: cannot be written ({error.strerror})."
        if progress.is_ready:
            opening = "The release is recorded, and the" if progress.is_release else "The"
            raise UnfinishedOutputError(
                f"{problem} {opening} new files are ready in {PENDING_FOLDER}; the next run puts "
                "them in their places."
            ) from None
        earlier = (
            f" What an earlier run made ready in {PENDING_FOLDER} is not in its place yet."
            if _has_ready_set(folder)
            else ""
        )
        raise OutputError(
            f"{problem}{earlier} Nothing was replaced. Make room, or choose another folder with "
            "--out."
        ) from None


def _has_ready_set(folder: Path) -> bool:
    try:
        return (folder / PENDING_FOLDER / MANIFEST_NAME).is_file()
    except OSError:  # such as a name that is too long
        return False
