"""The command ``why``: why one record counts in a request, or does not."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.session import get_session
from queries.commands.options import (
    EXPLORE_PANEL,
    ColumnOption,
    MaskOption,
    ReportFormat,
    ReportFormatOption,
    RequestArgument,
    RowOption,
    load_request,
)

why_app = typer.Typer()

ReferenceArgument = Annotated[
    str, typer.Argument(help="The reference of the record, as the index has it.")
]


@why_app.command("why", rich_help_panel=EXPLORE_PANEL)
def run_why_command(
    request: RequestArgument,
    reference: ReferenceArgument,
    row: RowOption = None,
    column: ColumnOption = "",
    mask: MaskOption = False,
    form: ReportFormatOption = ReportFormat.TEXT,
) -> None:
    """Say why one record counts in a request, or which condition it does not meet.

    Example: foidex why request.yaml 41/0000001/17

    Example: foidex why request.yaml 41/0000001/17 --row Q2:Snapchat --mask
    """
    from indexer.errors import RequestError
    from queries.answer.types import format_json
    from queries.answering.audit_fields import request_fields
    from queries.why.explain import ExplanationOptions, explain_record
    from queries.why.text import format_explanation

    if column and not row:
        raise RequestError("--column needs --row. Name the question and the row: --row Q2:total.")
    with get_session().run("why") as run:
        parsed_request = load_request(request)
        run.add_fields(**request_fields(parsed_request))
        run.add_opened_reference(reference, row=row, column=column)
        with get_session().client() as client:
            alias = get_session().settings.index.alias
            options = ExplanationOptions(row, column, mask)
            explanation = explain_record(client, alias, parsed_request, reference, options)
        run.write(generation=explanation.generation, records=1)
        is_text = form is ReportFormat.TEXT
        print(
            format_explanation(explanation) if is_text else f"{format_json(explanation)}\n", end=""
        )
