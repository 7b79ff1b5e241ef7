"""TODO: say what queries.commands.audit is for."""

from __future__ import annotations

import sys
from collections import deque
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.session import get_session

if TYPE_CHECKING:
    from indexer.audit.log import AuditLog


audit_app = typer.Typer(no_args_is_help=True)


@audit_app.command(name="verify")
def verify_audit_log(
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="A head noted earlier: nothing was cut off.")
    ] = None,
) -> None:
    """Check that no line of the audit log was changed, removed, added or moved.

    Example: foidex audit verify
    """
    chain_check = _open_audit_log().check((head or "").strip().lower())
    print(f"The chain of {chain_check.line_count:,} lines is whole. Head: {chain_check.head}")
    if head:
        print(f"The head that was noted is that of line {chain_check.noted_line:,}.")
    if chain_check.torn_lines:
        torn_lines = ", ".join(f"{line_number:,}" for line_number in chain_check.torn_lines)
        print(f"A crash cut short line {torn_lines}; the result of that run was never given.")


@audit_app.command(name="head")
def print_audit_head() -> None:
    """Print how many lines the audit log has and the hash of the last, to be noted elsewhere."""
    chain_check = _open_audit_log().check()
    print(f"{chain_check.line_count} {chain_check.head}")


@audit_app.command(name="show")
def print_audit_log(
    last: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.")] = None,
    forgotten: Annotated[
        str | None, typer.Option(metavar="REF", help="Only what forgot the record of a reference.")
    ] = None,
) -> None:
    """Print the audit log, one JSON line a run, oldest first.

    Example: foidex audit show --last 20
    """
    import msgspec

    log = _open_audit_log()
    lines = log.read_lines(last) if forgotten is None else deque(log.find_erasures(forgotten), last)
    for entry in lines:
        print(msgspec.json.encode(entry).decode())
    if isinstance(lines, deque) and not lines:
        print(
            "No line is of that reference; one that was made with another key cannot be told.",
            file=sys.stderr,
        )


def _open_audit_log() -> AuditLog:
    from indexer.audit.log import AUDIT_LOG_NAME, AuditLog

    return AuditLog(get_session().settings.audit_folder / AUDIT_LOG_NAME)
