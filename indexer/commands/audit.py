"""The commands ``audit verify``, ``audit head`` and ``audit show``: check or read the audit log."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.session import get_session

if TYPE_CHECKING:
    from indexer.audit.log import AuditLog


audit_app = typer.Typer(help="Check or read the log of every query.", no_args_is_help=True)


@audit_app.command(name="verify")
def verify_audit_log(
    head: Annotated[
        str | None,
        typer.Option(
            metavar="HASH", help="A head noted earlier, to check that nothing was cut off."
        ),
    ] = None,
) -> None:
    """Check that no line of the audit log was changed, removed, added or moved.

    Example: foidex audit verify
    """
    chain_check = _open_audit_log().check((head or "").strip().lower())
    print(f"The chain of {chain_check.line_count:,} lines is intact. Head: {chain_check.head}")
    if head:
        print(f"The head noted earlier is that of line {chain_check.noted_line:,}.")
    if chain_check.torn_lines:
        torn_lines = ", ".join(f"{line_number:,}" for line_number in chain_check.torn_lines)
        print(f"A crash cut off line {torn_lines}; the result of that run was never given.")


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
        int | None, typer.Option(min=1, help="Only this many of the newest lines.")
    ] = None,
    forgotten: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="Only the lines about the erased record of this reference."
        ),
    ] = None,
) -> None:
    """Print the audit log, one JSON line for each run, oldest first.

    Example: foidex audit show --last 20
    """
    import msgspec

    log = _open_audit_log()
    lines = log.read_lines(last) if forgotten is None else deque(log.find_erasures(forgotten), last)
    for entry in lines:
        print(msgspec.json.encode(entry).decode())
    if isinstance(lines, deque) and not lines:
        print(
            "No line is about this reference. Lines made with another key cannot be recognised.",
            file=sys.stderr,
        )


def _open_audit_log() -> AuditLog:
    from indexer.audit.log import AUDIT_LOG_NAME, AuditLog

    return AuditLog(get_session().settings.audit_folder / AUDIT_LOG_NAME)
