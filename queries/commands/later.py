"""The commands that look back: replay, and the audit log."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.session import session
from queries.commands.options import ReportFormat

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from indexer.audit import Log

app = typer.Typer()


audit_app = typer.Typer(no_args_is_help=True)
app.add_typer(audit_app, name="audit", help="Check or read the log of every query.")


@app.command()
def replay(
    answer: Annotated[Path, typer.Argument(help="An answer, as --format json printed it.")],
    form: Annotated[ReportFormat, typer.Option("--format", help="What to print.")] = (
        ReportFormat.TEXT
    ),
) -> None:
    """Ask an answer's request again: the same numbers, or which records moved them, and why.

    Exits with 14 where a number moved. The references it prints are as confidential as records.

    Example: foidex replay answer.json
    """
    from queries import logged, replay_text
    from queries import replay as replays
    from queries.answer import to_json

    settings = session().settings
    with session().run("replay") as run:
        given = replays.read(answer)
        request = replays.request_of(given, answer)
        run.about(**logged.asked(request))
        with session().client() as client:
            found = replays.replay(
                client,
                settings.index.alias,
                given,
                request,
                settings.audit_folder,
                settings.audit.basis_records,
            )
        text = replay_text.text(found) if form is ReportFormat.TEXT else to_json(found) + "\n"
        run.write(**logged.replayed(found, given))
        print(text, end="")
        if found.error:
            raise found.error


@audit_app.command(name="verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="A head noted earlier: nothing was cut off.")
    ] = None,
) -> None:
    """Check that no line of the audit log was changed, removed, added or moved.

    Example: foidex audit verify
    """
    found = _audit_log().check((head or "").strip().lower())
    print(f"The chain of {found.lines:,} lines is whole. Head: {found.head}")
    if head:
        print(f"The head that was noted is that of line {found.noted:,}.")
    if found.torn:
        places = ", ".join(f"{place:,}" for place in found.torn)
        print(f"A crash cut short line {places}; the result of that run was never given.")


@audit_app.command(name="head")
def audit_head() -> None:
    """Print how many lines the audit log has and the hash of the last, to be noted elsewhere."""
    found = _audit_log().check()
    print(f"{found.lines} {found.head}")


@audit_app.command(name="show")
def audit_show(
    last: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.")] = None,
    forgotten: Annotated[
        str | None, typer.Option(metavar="REF", help="Only what forgot the record of a reference.")
    ] = None,
) -> None:
    """Print the audit log, one JSON line a run, oldest first.

    Example: foidex audit show --last 20
    """
    import msgspec

    log = _audit_log()
    lines = log.last(last) if forgotten is None else deque(log.forgotten(forgotten), last)
    for said in lines:
        print(msgspec.json.encode(said).decode())
    if isinstance(lines, deque) and not lines:
        print(
            "No line is of that reference; one that was made with another key cannot be told.",
            file=sys.stderr,
        )


def _audit_log() -> Log:
    from indexer import audit

    return audit.Log(session().settings.audit_folder / audit.NAME)
