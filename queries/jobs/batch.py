"""Answers requests for the command line: one, or those of a folder, each with its documents.

Nothing here prints: each result is returned, with what the command has to say about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from indexer.audit.log import AuditRun
from indexer.errors import FoidexError, NumbersChangedError, RequestError
from indexer.files import is_folder
from indexer.session import Session
from indexer.terminal import describe_forging_name, escape_line
from queries.answer.types import Answer
from queries.answering.publishing import note_fields
from queries.answering.service import DEFAULT_OPTIONS, AnswerOptions, answer_logged_request
from queries.answering.suggestions import find_release_cautions, suggest_more
from queries.disclosure.ledger import LedgerHead, PreparedRelease
from queries.disclosure.publisher import Publisher
from queries.documents.content.context import DocumentSettings
from queries.documents.content.review_text import warn_of_unread
from queries.documents.document_set import (
    DEFAULT_WRITING,
    WriteOptions,
    WriteResult,
    format_small_number_warning,
    slugify_reference,
    write_document_set,
)
from queries.documents.empty_counts import warn_of_empty
from queries.request.reader import Request, read_configured_request

_REQUEST_ENDINGS = (".yaml", ".yml")


class AnswerJob(Struct, frozen=True):
    """How requests are answered and written. With a publisher, the answers are published;
    ``writing`` says what their documents may replace.
    ``keep``, if set, is given each answer as it was counted, before anything is withheld in it.
    ``require_previewed``, if set, is given each answer as it would be released, when its documents
    are ready and the ledger is checked; if it raises, nothing is recorded and nothing is given."""

    session: Session
    documents: DocumentSettings
    options: AnswerOptions = DEFAULT_OPTIONS
    publisher: Publisher | None = None
    writing: WriteOptions = DEFAULT_WRITING
    keep: Callable[[Answer], None] | None = None
    require_previewed: Callable[[Answer], None] | None = None

    @contextmanager
    def prepare_answer(self, read: Callable[[], Request]) -> Iterator[PreparedRelease]:
        """The answer to the request that ``read`` returns, as it may be given away.

        It is logged first. If what follows fails, a second line of the audit log says so. Raises as
        ``compute_answer``, ``read`` and ``Publisher.prepare_release``, and OutputError where the
        log cannot be written.
        """
        with self.session.run("answer") as run:
            request = read()
            policy = self.publisher.policy(request.disclosure) if self.publisher else None
            answer = answer_logged_request(self.session, run, request, self.options)
            notes = (*warn_of_unread(answer), *warn_of_empty(answer))
            if self.publisher is None or policy is None:
                if self.keep is not None:
                    self.keep(answer)
                yield PreparedRelease(answer, summary=notes)
                return
            with self.publisher.prepare_release(answer, policy) as release:
                cautions = find_release_cautions(self.session, request, release)
                advice = cautions or suggest_more(self.session, request, release)
                yield release._replace(
                    record=partial(self._record_release, run, release, answer),
                    summary=(*notes, *release.summary, *advice),
                    cautions=(*notes, *cautions),
                )

    def _record_release(
        self, run: AuditRun, release: PreparedRelease, counted_answer: Answer
    ) -> LedgerHead | None:
        """Record a release, and note the ledger's head in the audit log."""
        if self.require_previewed is not None:
            self.require_previewed(release.answer)
        if self.keep is not None:
            self.keep(counted_answer)
        head = release.record()
        if head is not None:
            run.write(**note_fields(head))
            if head.created:
                self.session.progress.say(
                    f"There was no ledger of {head.alias} yet: {head.ledger} was created."
                )
        return head


class BatchResult(Struct):
    """What became of a request file: the documents written, or the error.

    ``release_changes`` are the numbers that changed since the answer was last published, and
    ``summary`` says how much each table withholds.
    ``warning`` says that the answer is not for publication, if it is not.
    """

    path: Path
    reference: str
    written: WriteResult | None = None
    error: FoidexError | None = None
    release_changes: tuple[str, ...] = ()
    summary: tuple[str, ...] = ()
    warning: str = ""


class BatchFailedError(FoidexError):
    """Some requests of a folder could not be answered; the exit code is the highest of theirs."""

    def __init__(self, message: str, failures: Sequence[FoidexError]) -> None:
        super().__init__(message)
        self.exit_code = max(failure.exit_code for failure in failures)


def run_batch(job: AnswerJob, folder: Path, output_folder: Path) -> Iterator[BatchResult]:
    """Answer every request file of a folder, each into a folder of its own, one result at a time.

    If one fails, the others are still answered. Raises RequestError where the folder has no request
    file.
    """
    if not is_folder(folder):
        raise RequestError(f"{folder}: there is no such folder. Name a folder of request files.")
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in _REQUEST_ENDINGS)
    except OSError as denial:
        raise RequestError(
            f"{folder}: cannot be read ({denial.strerror}). Check its permissions."
        ) from None
    if not paths:
        raise RequestError(f"{folder}: contains no request file (*.yaml). Choose another folder.")
    requests_by_path = {path: _read_batch_request(path, job.session) for path in paths}
    name_counts = Counter(
        slugify_reference(request.reference).lower()
        for request in requests_by_path.values()
        if isinstance(request, Request)
    )
    for path, request in requests_by_path.items():
        if not isinstance(request, Request):
            yield BatchResult(path, escape_line(path.name), error=request)
            continue
        name = slugify_reference(request.reference)
        if name_counts[name.lower()] > 1:
            error = RequestError(
                f"{path}: another request in this folder has the same reference, or one that gives "
                f"the same folder name, {name}. Change one."
            )
            yield BatchResult(path, request.reference, error=error)
            continue
        yield _answer_batch_request(job, path, request, output_folder / name)


def _read_batch_request(path: Path, session: Session) -> Request | FoidexError:
    if path.is_fifo():  # whoever may write into the folder could let every run wait for ever
        return RequestError(f"{path}: is a named pipe, not a request file. Remove it.")
    if refusal := describe_forging_name(path):
        return RequestError(refusal)
    try:
        return read_configured_request(path, session.settings)
    except FoidexError as error:
        return error


def _answer_batch_request(
    job: AnswerJob, path: Path, request: Request, output_folder: Path
) -> BatchResult:
    result = BatchResult(path, request.reference)
    try:
        with job.prepare_answer(lambda: request) as release:
            result.release_changes = release.changes
            result.summary = release.summary
            result.written = write_documents(job, release, output_folder)
            result.warning = format_small_number_warning(release.answer, job.documents)
    except FoidexError as error:
        result.error = error
    return result


def write_documents(job: AnswerJob, release: PreparedRelease, output_folder: Path) -> WriteResult:
    """Write the documents of one answer. Raises as ``write_document_set``."""
    return write_document_set(
        release.answer,
        output_folder,
        job.documents,
        job.writing,
        record=release.record if job.publisher else None,
    )


def raise_batch_failures(results: Sequence[BatchResult]) -> None:
    """Raise BatchFailedError where a request failed, or else NumbersChangedError where a number
    changed since the last run."""
    if failures := [result.error for result in results if result.error is not None]:
        raise BatchFailedError(
            f"{len(failures)} of {len(results)} requests could not be answered; see the messages "
            "above.",
            failures,
        )
    if changed := [result for result in results if result.written and result.written.changes]:
        raise NumbersChangedError(
            f"numbers of {len(changed)} of {len(results)} requests changed since the last run."
        )
