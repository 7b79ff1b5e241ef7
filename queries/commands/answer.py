"""The commands that take a request file: lint, answer, estimate, and the templates."""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.session import get_session
from queries.commands.options import OverrideReasonOption, load_request

if TYPE_CHECKING:
    from queries.answer.types import Answer
    from queries.disclosure.policy import Policy
    from queries.documents.content.context import DocumentSettings
    from queries.request.reader import Request


class AnswerFormat(StrEnum):
    """What ``answer`` prints."""

    TEXT = "text"
    LETTER = "letter"
    HTML = "html"
    JSON = "json"


def run_answer_command(
    request: Annotated[Path | None, typer.Argument(help="A request file.", readable=False)] = None,
    form: Annotated[
        AnswerFormat | None, typer.Option("--format", help="What to print; text if left out.")
    ] = None,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Write every document into this folder instead.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--all", metavar="FOLDER", help="Answer every request file of a folder."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files foidex did not write, too.")
    ] = False,
    keep_basis: Annotated[
        bool, typer.Option("--basis/--no-basis", help="Keep what a later replay needs.")
    ] = True,
    near_misses: Annotated[
        bool,
        typer.Option(
            "--near-misses",
            help="Tell wording near the terms that is not counted, too; takes longer.",
        ),
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Withhold small numbers, and record it in the ledger."),
    ] = False,
    override: OverrideReasonOption = None,
) -> None:
    """Answer a request: print a report, the letter or JSON, or write every document.

    Without --publish the numbers are as they are, and the report names the small ones.

    Example: foidex answer request.yaml --out answer

    Example: foidex answer request.yaml --publish --out published
    """
    from queries.answering.service import AnswerOptions, logged_answer
    from queries.disclosure.publisher import build_publisher
    from queries.documents.content.context import DocumentSettings
    from queries.jobs.batch import prepare_publication, run_batch, write_answer_documents

    usage_errors = {
        "name one request file, or a folder of them with --all.": (request is None)
        == (folder is None),
        "--all and --force need --out.": out_folder is None and (folder or force),
        "--out writes every format. Leave out --format.": out_folder is not None
        and form is not None,
        "--override goes with --publish.": override and not publish,
    }
    for message in filter(usage_errors.get, usage_errors):
        raise typer.BadParameter(message)
    settings = get_session().settings
    today = date.today()  # noqa: DTZ011
    document_settings = DocumentSettings(
        settings.force, today, settings.own_templates, settings.disclosure.flag
    )
    publisher = build_publisher(settings, override or "") if publish else None
    if publisher and not publisher.ledger:
        print("No ledger is set in foidex.toml: not recorded.", file=sys.stderr)
    answer_options = AnswerOptions(keep_basis, near_misses)
    if folder and out_folder:
        run_batch(
            get_session(),
            folder,
            out_folder,
            document_settings,
            force=force,
            options=answer_options,
            publisher=publisher,
        )
        return
    assert request is not None
    request_path = request
    policies: list[Policy] = []

    def read() -> Request:
        parsed_request = load_request(request_path)
        policies.extend([publisher.policy(parsed_request.disclosure)] if publisher else [])
        return parsed_request

    with (
        logged_answer(get_session(), read, answer_options) as exact_answer,
        prepare_publication(
            exact_answer, publisher, policies[0] if publisher else None
        ) as prepared,
    ):
        if out_folder:
            write_answer_documents(prepared, out_folder, document_settings, force=force)
            return
        text = _format_answer(prepared.answer, form or AnswerFormat.TEXT, document_settings)
        prepared.record()
        print(text, end="")


def _format_answer(answer: Answer, form: AnswerFormat, document_settings: DocumentSettings) -> str:
    """An answer in a format; of one that is not for publication, say that numbers are small."""
    from queries.answer.types import format_json
    from queries.documents.content.context import build_document_context
    from queries.documents.document_set import format_small_number_warning
    from queries.documents.formats.letter import render_letter_html, render_letter_text
    from queries.documents.formats.report import render_report_text

    warning = format_small_number_warning(answer, document_settings)
    if warning and form is not AnswerFormat.TEXT:
        print(warning, file=sys.stderr)
    if form is AnswerFormat.JSON:
        return format_json(answer) + "\n"
    context = build_document_context(answer, document_settings)
    match form:
        case AnswerFormat.LETTER:
            return render_letter_text(context)
        case AnswerFormat.HTML:
            return render_letter_html(context)
        case AnswerFormat.TEXT:
            return render_report_text(context)
