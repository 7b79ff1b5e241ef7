"""The command ``letter``: the letters around an answer, from the same request file."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from indexer.commands.shared import parse_path, print_path
from indexer.session import get_session
from queries.commands.options import (
    ANSWER_PANEL,
    RequestArgument,
    configure_documents,
    load_request,
    parse_day_option,
)

letter_app = typer.Typer()


class LetterKind(StrEnum):
    """The letters that answer nothing yet, or again."""

    ACKNOWLEDGEMENT = "acknowledgement"
    CLARIFICATION = "clarification"
    EXTENSION = "extension"
    REVIEW = "review"


KindArgument = Annotated[LetterKind, typer.Argument(help="The kind of letter.")]

DayOption = Annotated[
    date | None,
    typer.Option(
        "--date", parser=parse_day_option, metavar="DATE", help="The date of the letter; today."
    ),
]

LetterFolderOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        parser=parse_path,
        help="Write the letter into this folder as text, HTML, Word and PDF.",
    ),
]

ReplaceLetterOption = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]


@letter_app.command("letter", rich_help_panel=ANSWER_PANEL)
def run_letter_command(
    kind: KindArgument,
    request: RequestArgument,
    day: DayOption = None,
    out_folder: LetterFolderOption = None,
    force: ReplaceLetterOption = False,
) -> None:
    """Write a letter before or after the answer: its dates are worked out, its words are yours.

    Example: foidex letter acknowledgement request.yaml --out letters
    """
    from queries.documents.notice_files import (
        prepare_notice,
        render_notice_text,
        write_notice_files,
    )

    if force and not out_folder:
        raise typer.BadParameter("--force needs --out.")
    parsed_request = load_request(request)
    context = prepare_notice(parsed_request, kind.value, configure_documents(day))
    if out_folder is None:
        print(render_notice_text(context), end="")
        return
    permissions = get_session().settings.output.permissions
    for path in write_notice_files(context, kind.value, out_folder, permissions, force=force):
        print_path(path)
