"""The command ``draft``: makes a request file from the letter of a requester."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from indexer.commands.shared import parse_path, print_path, require_new_file
from indexer.errors import LetterError
from indexer.session import get_session
from indexer.terminal import escape_controls
from queries.commands.options import ANSWER_PANEL

draft_app = typer.Typer()

LetterArgument = Annotated[
    Path,
    typer.Argument(
        metavar="LETTER",
        parser=parse_path,
        help="A letter: .txt, .eml, .msg, .docx or .pdf.",
        readable=False,
    ),
]

RequestFileOption = Annotated[
    Path | None,
    typer.Option("--out", parser=parse_path, help="Write the request file here; printed if not."),
]

AskOption = Annotated[
    bool, typer.Option("--ask", help="Ask what is not certain, one question each.")
]

ReplaceDraftOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]


@draft_app.command("draft", rich_help_panel=ANSWER_PANEL)
def run_draft_command(
    letter: LetterArgument,
    out_file: RequestFileOption = None,
    ask: AskOption = False,
    force: ReplaceDraftOption = False,
) -> None:
    """Draft a request file from a letter, and mark what is not certain.

    Each part of the letter becomes a question, a part that is not covered, or an entry under
    confirm:. Needs no server. With --ask: a number chooses, Enter takes what was drafted, s leaves
    the question open.

    Example: foidex draft letter.eml --out request.yaml

    Example: foidex draft letter.docx --out request.yaml --ask
    """
    from queries.drafting.ask_confirmations import ask_confirmations
    from queries.drafting.draft_file import draft_letter, write_draft
    from queries.drafting.readers import read_letter
    from queries.drafting.request_text import write_request_text

    if force and not out_file:
        raise typer.BadParameter("--force needs --out.")
    require_new_file(out_file, force=force)
    _refuse_letter(out_file, letter)
    settings = get_session().settings
    with get_session().run("draft") as run:
        letter_text = read_letter(letter)
        drafted = draft_letter(letter_text)
        mapping = drafted.mapping
        if ask:
            mapping = ask_confirmations(drafted.draft, mapping, _ask_line, _say)
        text = write_request_text(mapping, letter_text.sha256)
        run.write(reference=mapping["reference"], arguments={"letter": letter_text.sha256})
    if out_file is None:
        print(text, end="", flush=True)
    else:
        write_draft(out_file, text, settings.output.permissions)
        print_path(out_file)
    for line in summarise_draft(mapping, letter_text.unread_attachments):
        _say(line)
    _check_draft(text, out_file)


def _refuse_letter(out_file: Path | None, letter: Path) -> None:
    """Raise OutputError where the draft would replace the letter: it is what was asked."""
    from indexer.errors import OutputError

    with suppress(OSError):
        if out_file and out_file.samefile(letter):
            raise OutputError(f"{out_file}: is the letter itself. Choose another name with --out.")


def summarise_draft(mapping: dict[str, Any], unread: Sequence[str]) -> Iterator[str]:
    """What became of the letter, in numbers: nothing of its text."""
    questions = mapping.get("questions", [])
    counted = sum("kind" in question for question in questions)
    uncovered = len(questions) - counted
    confirm = len(mapping.get("confirm", []))
    yield f"{counted} counted, {uncovered} not covered, {confirm} to confirm."
    if unread:
        kinds = ", ".join(unread)
        yield f"Attachments that were not read: {len(unread)} ({kinds}). Look at them yourself."


def _check_draft(text: str, out_file: Path | None) -> None:
    """Raise LetterError for a draft that is not a valid request yet.

    What is wrong may quote the letter, so lint says it and not the error.
    """
    from queries.drafting.draft_file import is_valid_request

    if not is_valid_request(text, get_session().settings):
        name, file = (f"{out_file}", f"{out_file}") if out_file else ("the draft", "FILE")
        raise LetterError(
            f"{name}: is written, but not a valid request yet, because the letter leaves out what "
            f"a request needs. Run foidex lint {file} and add what it names."
        )


def _ask_line(prompt: str) -> str:
    """Show a prompt on standard error and read a line. Raises EOFError."""
    print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline() if sys.stdin else ""
    if not line:
        print(file=sys.stderr)
        raise EOFError
    return line


def _say(text: str) -> None:
    print(escape_controls(text), file=sys.stderr, flush=True)
