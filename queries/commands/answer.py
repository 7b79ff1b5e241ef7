"""The command ``answer``: answers a request file, or every request file of a folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from indexer.commands.shared import parse_path
from indexer.session import get_session
from indexer.terminal import escape_controls
from queries.commands.options import (
    ANSWER_PANEL,
    OverrideReasonOption,
    configure_documents,
    load_request,
)

if TYPE_CHECKING:
    from queries.answer.types import Answer
    from queries.disclosure.ledger import PreparedRelease
    from queries.disclosure.publisher import Publisher
    from queries.documents.content.context import DocumentSettings
    from queries.documents.document_set import WriteResult
    from queries.jobs.batch import AnswerJob, BatchResult

answer_app = typer.Typer()

_KEEP_OWN_ANSWER: Final = (
    "Keep your own answer too: run the same command without --publish, with --out and another "
    "folder. foidex replay explains that one later, and cannot use a published one."
)


class AnswerFormat(StrEnum):
    """What ``answer`` prints."""

    TEXT = "text"
    LETTER = "letter"
    HTML = "html"
    JSON = "json"


OptionalRequestArgument = Annotated[
    Path | None,
    typer.Argument(parser=parse_path, help="A request file.", readable=False),
]

AnswerFormatOption = Annotated[
    AnswerFormat | None, typer.Option("--format", help="What to print; text by default.")
]

OutFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        parser=parse_path,
        help="Write every document into this folder instead of printing.",
    ),
]

RequestFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--all",
        parser=parse_path,
        metavar="FOLDER",
        help="Answer every request file in this folder.",
    ),
]

ForceOption = Annotated[
    bool,
    typer.Option("--force", help="Replace another request's set, or files foidex did not write."),
]

BasisOption = Annotated[
    bool,
    typer.Option("--basis/--no-basis", help="Keep the evidence file that a later replay needs."),
]

NearMissesOption = Annotated[
    bool,
    typer.Option(
        "--near-misses",
        help="List wording near the terms that is not counted. Takes longer.",
    ),
]

ReviewNamesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--review",
        metavar="NAME",
        help="Add what this review found (foidex review start). Repeatable.",
    ),
]

PublishOption = Annotated[
    bool,
    typer.Option("--publish", help="Withhold small numbers and record the release in the ledger."),
]


AsItIsOption = Annotated[
    bool,
    typer.Option(
        "--as-it-is",
        help="Publish without asking, even if another request would give more.",
    ),
]


@answer_app.command("answer", rich_help_panel=ANSWER_PANEL)
def run_answer_command(
    request: OptionalRequestArgument = None,
    form: AnswerFormatOption = None,
    out_folder: OutFolderOption = None,
    folder: RequestFolderOption = None,
    force: ForceOption = False,
    keep_basis: BasisOption = True,
    near_misses: NearMissesOption = False,
    reviews: ReviewNamesOption = None,
    publish: PublishOption = False,
    override: OverrideReasonOption = None,
    as_it_is: AsItIsOption = False,
) -> None:
    """Answer a request: print a report, the letter or JSON, or write every document.

    Without --publish every number is shown, and the report lists the small ones. At a terminal,
    --publish asks first if another request would give much more, or if a review is missing.

    Example: foidex answer request.yaml --out answer

    Example: foidex answer request.yaml --publish --out published

    Example: foidex answer request.yaml --review FOI2018-03922-Q1 --out answer
    """
    from queries.answering.service import AnswerOptions
    from queries.documents.document_set import WriteOptions
    from queries.jobs.batch import AnswerJob

    usage_errors = {
        "name one request file, or a folder of them with --all.": (request is None)
        == (folder is None),
        "--all and --force need --out.": out_folder is None and (folder or force),
        "--out writes every format. Leave out --format.": out_folder and form,
        "--override needs --publish.": override and not publish,
        "--as-it-is needs --publish.": as_it_is and not publish,
        "--review is for one request. Leave out --all.": reviews and folder,
    }
    for message in filter(usage_errors.get, usage_errors):
        raise typer.BadParameter(message)
    job = AnswerJob(
        get_session(),
        configure_documents(),
        AnswerOptions(keep_basis, near_misses, tuple(reviews or ())),
        _make_publisher(override or "") if publish else None,
        WriteOptions(force=force, permissions=get_session().settings.output.permissions),
    )
    if folder and out_folder:
        _answer_folder(job, folder, out_folder)
    elif request and out_folder:
        _write_documents(job, request, out_folder, as_it_is=as_it_is)
    elif request:
        _print_answer(job, request, form or AnswerFormat.TEXT, as_it_is=as_it_is)
    if publish:
        print(_KEEP_OWN_ANSWER, file=sys.stderr)


def _make_publisher(override_reason: str) -> Publisher:
    from queries.answering.publishing import build_publisher

    return build_publisher(get_session(), override_reason)


def _answer_folder(job: AnswerJob, folder: Path, out_folder: Path) -> None:
    """Write the documents of every request, and print a line for each as it is done."""
    from queries.jobs.batch import raise_batch_failures, run_batch

    results = []
    for result in run_batch(job, folder, out_folder):
        _print_batch_result(result)
        results.append(result)
    raise_batch_failures(results)


def _confirm_release(release: PreparedRelease, *, as_it_is: bool) -> None:
    """Ask the officer before a release that should be decided. Only a person is asked.

    Raises DisclosureError if the answer is not yes.
    """
    from indexer.errors import DisclosureError

    is_person = sys.stdin.isatty() and sys.stderr.isatty()
    if not release.cautions or as_it_is or not is_person:
        return
    if not typer.confirm("Publish it as it is?", default=False, err=True):
        raise DisclosureError(
            "nothing is published. Change the request, or publish it as it is: --as-it-is."
        )


def _write_documents(job: AnswerJob, request: Path, out_folder: Path, *, as_it_is: bool) -> None:
    from indexer.errors import NumbersChangedError
    from queries.jobs.batch import write_documents

    with job.prepare_answer(partial(load_request, request)) as release:
        _print_release_notes(release.answer.reference, release.summary, release.changes)
        _confirm_release(release, as_it_is=as_it_is)
        written = write_documents(job, release, out_folder)
        _print_write_result(release.answer.reference, written)
        _print_small_number_warning(release.answer, job.documents)
        if written.changes:
            raise NumbersChangedError(
                "a number changed since the last run. The documents have the new numbers."
            )


def _print_answer(job: AnswerJob, request: Path, form: AnswerFormat, *, as_it_is: bool) -> None:
    from queries.documents.document_set import format_small_number_warning

    with job.prepare_answer(partial(load_request, request)) as release:
        _print_release_notes(release.answer.reference, release.summary, release.changes)
        _confirm_release(release, as_it_is=as_it_is)
        warning = format_small_number_warning(release.answer, job.documents)
        if warning and form is not AnswerFormat.TEXT:
            print(warning, file=sys.stderr)
        text = _format_answer(release.answer, form, job.documents)
        release.record()
        print(text, end="")


def _format_answer(answer: Answer, form: AnswerFormat, documents: DocumentSettings) -> str:
    from queries.answer.types import format_json
    from queries.documents.document_set import render_answer_text

    if form is AnswerFormat.JSON:
        return format_json(answer) + "\n"
    return render_answer_text(answer, documents, form.value)


def _print_batch_result(result: BatchResult) -> None:
    _print_release_notes(result.reference, result.summary, result.release_changes)
    if result.warning:
        print(f"{result.reference}: {result.warning}", file=sys.stderr)
    if result.error is not None:
        print(f"{result.reference}: failed")
        print(escape_controls(f"foidex: {result.error}"), file=sys.stderr, flush=True)
    elif result.written is not None:
        _print_write_result(result.reference, result.written)


def _print_release_notes(
    reference: str, summary: tuple[str, ...], changes: tuple[str, ...]
) -> None:
    """Tell the officer how much is withheld, and what changed since the last release."""
    for line in summary:
        print(f"{reference}: {line}.", file=sys.stderr)
    for change in changes:
        print(f"{reference}: changed since it was last published: {change}.", file=sys.stderr)


def _print_small_number_warning(answer: Answer, documents: DocumentSettings) -> None:
    from queries.documents.document_set import format_small_number_warning

    if warning := format_small_number_warning(answer, documents):
        print(f"{answer.reference}: {warning}", file=sys.stderr)


def _print_write_result(reference: str, written: WriteResult) -> None:
    for line in _format_write_result(reference, written):
        print(line)


def _format_write_result(reference: str, written: WriteResult) -> Iterator[str]:
    changes = written.changes
    change_text = (
        "no number compared, because the set replaced answered another request"
        if changes is None and written.replaced
        else "the first answer here, so there are no earlier numbers to compare them with"
        if changes is None
        else f"{len(changes)} {'number' if len(changes) == 1 else 'numbers'} changed"
    )
    yield f"{reference}: {len(written.files)} files written, {change_text}"
    yield from (f"  {change}" for change in changes or ())
