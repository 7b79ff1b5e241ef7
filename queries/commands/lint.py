"""The command ``lint``: checks a request file, and its wording against the index."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.errors import NoIndexError
from indexer.session import get_session
from indexer.terminal import escape_line
from queries.commands.options import (
    ANSWER_PANEL,
    ReportFormat,
    ReportFormatOption,
    RequestArgument,
    load_request,
    load_term_book,
)

if TYPE_CHECKING:
    from queries.lint.findings import WordingCheck
    from queries.request.reader import Request


lint_app = typer.Typer()

OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Check only the file; do not contact a server.")
]

SampleContextOption = Annotated[
    bool,
    typer.Option("--context/--no-context", help="Show everyday words in the context of records."),
]


PreviewOption = Annotated[
    bool,
    typer.Option(
        "--publish",
        help="Answer it, and say what publishing would withhold and what would give more.",
    ),
]


@lint_app.command("lint", rich_help_panel=ANSWER_PANEL)
def run_lint_command(
    request: RequestArgument,
    offline: OfflineOption = False,
    context: SampleContextOption = True,
    form: ReportFormatOption = ReportFormat.TEXT,
    publish: PreviewOption = False,
) -> None:
    """Check a request file, and its wording against the index.

    It lists wording close to the terms that is not counted, and spellings that are counted but may
    not be intended. It starts no server, and changes no answer. It publishes nothing, even with
    --publish.

    Example: foidex lint request.yaml

    Example: foidex lint request.yaml --publish
    """
    from queries.answer.types import format_json
    from queries.lint.findings import (
        format_offence_changes,
        format_request_outline,
        format_wording_check,
        make_lint_report,
    )

    if offline and publish:
        raise typer.BadParameter("--publish needs a server. Leave out --offline.")
    parsed_request = load_request(request)
    if form is ReportFormat.TEXT:
        print(format_request_outline(parsed_request, escape_line(str(request))), end="", flush=True)
        if changes := format_offence_changes(parsed_request):
            print(f"\n{changes}", end="", flush=True)
    wording_check = None if offline else _run_wording_check(parsed_request, contexts=context)
    preview = _preview_release(parsed_request) if publish and wording_check else None
    if form is ReportFormat.JSON:
        report = make_lint_report(parsed_request, str(request), wording_check, preview)
        print(format_json(report))
        return
    if wording_check:
        print(f"\n{format_wording_check(wording_check)}", end="")
    if preview is not None:
        print("\nIf it were published now (for you, not for the letter):")
        print("\n".join(f"  {line}" for line in preview or ["no number would be withheld"]))


def _preview_release(request: Request) -> list[str]:
    """What publishing would withhold, table by table, and what would give more."""
    from queries.answering.publishing import build_publisher
    from queries.answering.suggestions import preview_release

    return preview_release(get_session(), request, build_publisher(get_session())).lines


def _run_wording_check(request: Request, *, contexts: bool) -> WordingCheck | None:
    """The wording check; without an index, say on standard error why there is none."""
    from queries.answering.audit_fields import request_fields
    from queries.lint.check import check_wording

    if not get_session().running():
        print(
            "foidex: no server is running, so only the file was checked, not its wording. "
            "Start it: foidex up",
            file=sys.stderr,
        )
        return None
    try:
        with get_session().run("lint") as run, get_session().client() as client:
            run.add_fields(**request_fields(request))
            alias = get_session().settings.index.alias
            with get_session().progress.signs_of_life("Checking the wording"):
                wording_check = check_wording(
                    client, alias, request, load_term_book(), contexts=contexts
                )
            run.write(generation=wording_check.generation, records=wording_check.records)
            return wording_check
    except NoIndexError as error:
        print(f"foidex: only the file was checked, not its wording: {error}", file=sys.stderr)
        return None
