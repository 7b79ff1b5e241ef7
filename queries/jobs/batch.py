"""A folder of requests answered one after another, each into a folder of its own."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from indexer.errors import FoidexError, NumbersChangedError, RequestError
from indexer.session import Session
from queries.answer.types import Answer
from queries.answering.service import DEFAULT_OPTIONS, AnswerOptions, logged_answer
from queries.disclosure.ledger import PreparedRelease
from queries.disclosure.policy import Policy
from queries.disclosure.publisher import Publisher
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import (
    WriteResult,
    format_small_number_warning,
    slugify_reference,
    write_document_set,
)
from queries.request.reader import Request, read_configured_request

_REQUEST_PATTERNS = ("*.yaml", "*.yml")


class BatchResult(Struct, frozen=True):
    """A request file, and what became of it: what was written, or what went wrong."""

    path: Path
    reference: str
    written: WriteResult | None = None
    error: FoidexError | None = None


def run_batch(  # noqa: PLR0913 - what a run is given
    session: Session,
    folder: Path,
    output_folder: Path,
    document_settings: DocumentSettings,
    *,
    force: bool,
    options: AnswerOptions = DEFAULT_OPTIONS,
    publisher: Publisher | None = None,
) -> None:
    """Answer every request file of a folder, with a line each on standard output; with ``press``
    the answers are published.

    One that fails does not keep the others from their answers. Raises RequestError where there is
    no request; at the end a FoidexError with the highest exit code of those that failed, else
    ChangedError where a number changed.
    """
    paths = sorted(path for pattern in _REQUEST_PATTERNS for path in folder.glob(pattern))
    if not paths:
        raise RequestError(f"{folder}: holds no request (*.yaml). Name another folder.")
    requests_by_path = {path: _read_batch_request(path, session) for path in paths}
    name_counts = Counter(
        slugify_reference(request.reference).lower()
        for request in requests_by_path.values()
        if isinstance(request, Request)
    )
    results = []
    for path, request in requests_by_path.items():
        result = (
            _answer_batch_request(
                session,
                path,
                request,
                output_folder,
                document_settings,
                force=force,
                options=options,
                name_counts=name_counts,
                publisher=publisher,
            )
            if isinstance(request, Request)
            else BatchResult(path, path.name, error=request)
        )
        _print_batch_result(result)
        results.append(result)
    _raise_batch_failures(results)


def _read_batch_request(path: Path, session: Session) -> Request | FoidexError:
    try:
        return read_configured_request(path, session.settings)
    except FoidexError as error:
        return error


def _answer_batch_request(  # noqa: PLR0913 - one request of a run
    session: Session,
    path: Path,
    request: Request,
    output_folder: Path,
    document_settings: DocumentSettings,
    *,
    force: bool,
    options: AnswerOptions,
    name_counts: Counter[str],
    publisher: Publisher | None,
) -> BatchResult:
    name = slugify_reference(request.reference)
    try:
        if name_counts[name.lower()] > 1:
            raise RequestError(
                f"{path}: another request here has the same reference, or one that gives the same "
                f"folder, {name}. Change one."
            )
        policy = publisher.policy(request.disclosure) if publisher else None
        with (
            logged_answer(session, lambda: request, options) as answered,
            prepare_publication(answered, publisher, policy) as publication,
        ):
            written = write_document_set(
                publication.answer,
                output_folder / name,
                document_settings,
                force=force,
                record=publication.record,
            )
            _print_publication_warning(publication.answer, document_settings)
    except FoidexError as error:
        return BatchResult(path, request.reference, error=error)
    return BatchResult(path, request.reference, written)


@contextmanager
def prepare_publication(
    answer: Answer, publisher: Publisher | None, policy: Policy | None
) -> Iterator[PreparedRelease]:
    """The answer as it is given: with ``press`` as it may be published, to be recorded before
    anything is given away. What changed since it last was goes to standard error.

    Raises as ``Press.prepared``.
    """
    if publisher is None or policy is None:
        yield PreparedRelease(answer)
        return
    with publisher.prepare_release(answer, policy) as publication:
        for line in publication.changes:
            print(
                f"{answer.reference}: changed since it was last published: {line}.",
                file=sys.stderr,
            )
        yield publication


def write_answer_documents(
    publication: PreparedRelease,
    output_folder: Path,
    document_settings: DocumentSettings,
    *,
    force: bool,
) -> None:
    """Write the documents of one answer. Raises as ``outputs.write``, and ChangedError."""
    written = write_document_set(
        publication.answer, output_folder, document_settings, force=force, record=publication.record
    )
    _print_write_result(publication.answer.reference, written)
    _print_publication_warning(publication.answer, document_settings)
    if written.changes:
        raise NumbersChangedError(
            "a number changed since the last run. The documents have the new ones."
        )


def _print_publication_warning(answer: Answer, document_settings: DocumentSettings) -> None:
    if message := format_small_number_warning(answer, document_settings):
        print(f"{answer.reference}: {message}", file=sys.stderr)


def _print_batch_result(result: BatchResult) -> None:
    if result.error is not None:
        print(f"{result.reference}: failed")
        print(f"foidex: {result.error}", file=sys.stderr, flush=True)
    elif result.written is not None:
        _print_write_result(result.reference, result.written)


def _print_write_result(reference: str, written: WriteResult) -> None:
    """Say on standard output what was written and what changed."""
    changes = written.changes
    change_text = (
        "nothing to compare with"
        if changes is None
        else f"{len(changes)} {'number' if len(changes) == 1 else 'numbers'} changed"
    )
    print(f"{reference}: {len(written.files)} files written, {change_text}")
    for change in changes or ():
        print(f"  {change}")


def _raise_batch_failures(results: list[BatchResult]) -> None:
    if failures := [result.error for result in results if result.error is not None]:
        error = FoidexError(
            f"{len(failures)} of {len(results)} requests could not be answered, as told above."
        )
        error.exit_code = max(failure.exit_code for failure in failures)
        raise error
    if changed_results := [
        result for result in results if result.written and result.written.changes
    ]:
        raise NumbersChangedError(
            f"numbers of {len(changed_results)} of {len(results)} requests changed since the last run."
        )
