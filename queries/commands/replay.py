"""The command ``replay``: answers the request of an old answer again, and explains changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.commands.shared import parse_path
from indexer.session import get_session
from indexer.terminal import escape_controls
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
    from queries.answer.types import format_json
    from queries.replay.logged_replay import replay_logged_answer
    from queries.replay.text import format_replay

    with replay_logged_answer(get_session(), answer) as result:
        if form is ReportFormat.TEXT:
            print(escape_controls(format_replay(result)), end="")  # anybody can have written it
        else:
            print(format_json(result))
        if result.error:
            raise result.error
