"""The commands of ``foidex audit``: check, read and archive the audit log."""

from __future__ import annotations

import json
import re
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from indexer.commands.shared import parse_path
from indexer.session import get_session
from indexer.terminal import escape_line, show_name

if TYPE_CHECKING:
    from indexer.audit.archive import HistoryCheck, LogHistory
    from indexer.audit.log import AuditLog


audit_app = typer.Typer(help="Check, read or archive the log of every query.", no_args_is_help=True)

#: A crash cuts off one line; more than a few were never lines of a log.
_MAX_TORN_LINES: Final = 20

LogOption = Annotated[
    Path | None,
    typer.Option(
        "--log",
        parser=parse_path,
        metavar="FILE",
        help="Another log, such as an archive in a copy.",
    ),
]


@audit_app.command(name="verify")
def verify_audit_log(
    head: Annotated[
        str | None,
        typer.Option(
            metavar="HASH", help="A head noted earlier, to check that nothing was cut off."
        ),
    ] = None,
    log: LogOption = None,
) -> None:
    """Check that no line of the audit log was changed, removed, added or moved.

    The archives beside the log are checked too.

    Example: foidex audit verify
    """
    from indexer.audit.archive import check_history

    check = check_history(_open_audit_log(log), _parse_head(head) if head is not None else "")
    _print_chains(check)
    if check.noted_file:
        is_archive = check.noted_file is not check.history.files[-1]
        archive = f" of {check.noted_file.path.name}" if is_archive else ""
        print(f"The head noted earlier is that of line {check.noted_line:,}{archive}.")
    if missing := _describe_missing(check.history):
        print(missing)
    for name in check.history.unfinished:
        print(
            f"{name} is a copy of the log that an interrupted run left. The next "
            '"foidex audit archive" replaces it.'
        )


def _parse_head(text: str) -> str:
    """A noted head. One that is shortened or mistyped is a wrong command line, not a finding."""
    head = text.strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", head):
        raise typer.BadParameter(
            "is not a hash of 64 characters (0-9 and a-f). Copy the whole hash that foidex audit "
            "head printed, without the number before it.",
            param_hint="--head",
        )
    return head


def _print_chains(check: HistoryCheck) -> None:
    """One line for the log, one for each archive, and what a crash left in them."""
    for file, chain in reversed([*zip(check.history.files, check.chains, strict=True)]):
        is_archive = file is not check.history.files[-1]
        name = f"{file.path.name}: " if is_archive else ""
        lines = f"{chain.line_count:,} line{'' if chain.line_count == 1 else 's'}"
        print(f"{name}The chain of {lines} is intact. Head: {chain.head}")
        if chain.torn_lines:
            torn_lines = ", ".join(f"{number:,}" for number in chain.torn_lines[:_MAX_TORN_LINES])
            if len(chain.torn_lines) > _MAX_TORN_LINES:
                torn_lines += f" and {len(chain.torn_lines) - _MAX_TORN_LINES:,} more"
            print(
                f"{name}A crash cut off line {torn_lines}; the result of that run was never given."
            )


def _describe_missing(history: LogHistory) -> str:
    if not (missing := history.missing):
        return ""
    file, head = show_name(missing.file), show_name(missing.head)
    return (
        f"{file} is missing ({missing.lines:,} lines, head {head}): it was moved "
        'or deleted. If there is a copy, check it with "foidex audit verify --log COPY --head '
        f'{head}".'
    )


@audit_app.command(name="archive")
def archive_audit_log() -> None:
    """Move the lines of the audit log to an archive beside it, and continue with a new log.

    Example: foidex audit archive
    """
    from indexer.audit.archive import archive_log, check_history

    log = _open_audit_log(None)
    check = check_history(log)
    if check.chains[-1].line_count == (1 if check.history.files[-1].continues else 0):
        print("The log has no line that is not about an archive, so nothing was archived.")
        return
    with get_session().run("audit archive") as run:
        archive = run.write_with(lambda entry: archive_log(log, entry))
    print(f"{archive.lines:,} lines are now in {escape_line(str(log.path.parent))}/{archive.file}")
    print(f"Head: {archive.head}. Note it, and copy the archive to where your backups are.")


@audit_app.command(name="head")
def print_audit_head() -> None:
    """Print the number of lines in the audit log and the hash of the last one.

    Note both elsewhere, for a later foidex audit verify --head HASH.
    """
    chain_check = _open_audit_log().check()
    print(f"{chain_check.line_count} {chain_check.head}")


@audit_app.command(name="show")
def print_audit_log(
    last: Annotated[
        int | None,
        typer.Option(min=1, max=1_000_000_000, help="Only this many of the newest lines."),
    ] = None,
    forgotten: Annotated[
        str | None,
        typer.Option(
            metavar="REF",
            help="Only the lines about the erased record of this reference, in archives too.",
        ),
    ] = None,
    log: LogOption = None,
) -> None:
    """Print the audit log, one JSON line for each run, oldest first.

    Example: foidex audit show --last 20
    """
    import msgspec

    audit_log = _open_audit_log(log)
    lines = (
        audit_log.read_lines(last)
        if forgotten is None
        else deque(_find_erasures(audit_log, forgotten), last)
    )
    for entry in lines:
        text = msgspec.json.encode(entry).decode()
        # What could change a terminal is written as JSON writes control characters.
        print(text if text.isprintable() else json.dumps(entry, separators=(",", ":")))
    if isinstance(lines, deque) and not lines:
        print(
            "No line is about this reference. Lines made with another key cannot be recognised.",
            file=sys.stderr,
        )


def _find_erasures(log: AuditLog, reference: str) -> Iterator[dict[str, Any]]:
    """The lines about an erased record, in the log and its archives."""
    from indexer.audit.archive import read_history, read_history_lines

    history = read_history(log)
    if missing := _describe_missing(history):
        print(missing, file=sys.stderr)
    yield from log.find_erasures(reference, read_history_lines(history))


def _open_audit_log(path: Path | None = None) -> AuditLog:
    from indexer.audit import AUDIT_LOG_NAME
    from indexer.audit.log import AuditLog

    return AuditLog(path or get_session().settings.audit_folder / AUDIT_LOG_NAME)
