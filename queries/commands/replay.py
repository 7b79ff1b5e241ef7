"""The command ``replay``: answers the request of an old answer again, and explains changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.commands.shared import parse_path
from indexer.session import get_session
from queries.commands.options import ANSWER_PANEL, ReportFormat, ReportFormatOption

replay_app = typer.Typer()

AnswerArgument = Annotated[
    Path,
    typer.Argument(
        parser=parse_path,
        help="An answer, as foidex answer --format json prints it.",
    ),
]


@replay_app.command("replay", rich_help_panel=ANSWER_PANEL)
def run_replay_command(
    answer: AnswerArgument, form: ReportFormatOption = ReportFormat.TEXT
) -> None:
    """Answer the request of an old answer again, and explain every number that changed.

    Exits with 14 if a number changed. The references it prints are as confidential as the records.

    Example: foidex replay answer.json
    """
    from msgspec.structs import replace

    from queries.answer.types import format_json
    from queries.answering.audit_fields import request_fields
    from queries.replay.audit_fields import replay_fields
    from queries.replay.compare import (
        ReplayContext,
        extract_request,
        read_unpublished_answer,
        replay_answer,
    )
    from queries.replay.stored_reviews import explain_stored_reviews
    from queries.replay.text import format_replay

    settings = get_session().settings
    with get_session().run("replay") as run:
        earlier_answer = read_unpublished_answer(answer)
        request = extract_request(earlier_answer, answer)
        run.add_fields(**request_fields(request))
        with get_session().client() as client:
            context = ReplayContext(
                client,
                settings.index.alias,
                settings.audit_folder,
                settings.audit.basis_records,
            )
            result = replay_answer(context, earlier_answer, request)
            review_notes = explain_stored_reviews(get_session(), client, earlier_answer)
        result = replace(result, notes=(*result.notes, *review_notes))
        text = format_replay(result) if form is ReportFormat.TEXT else format_json(result) + "\n"
        run.write(**replay_fields(result, earlier_answer))
        print(text, end="")
        if result.error:
            raise result.error
