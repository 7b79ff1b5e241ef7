"""The lines of the audit log that only the workbench leaves: who came, who was refused, who wrote.

What a request says is in none of them: its text before and after is named by its hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from msgspec import Struct

from indexer.audit import AUDIT_LOG_NAME
from indexer.audit.log import AuditLog
from indexer.config.model import WorkbenchRole
from indexer.errors import BrokenChainError, FoidexError, OutputError
from indexer.session import Session

_REFUSED: Final = FoidexError.exit_code

#: What the log calls the change of a request file.
REQUEST_CHANGE: Final = "request change"


class RequestChange(Struct, frozen=True, kw_only=True):
    """A request file that is written: the versions before and after, which are hashes of its text.

    ``before`` is empty for a new file. ``letter`` is the hash of the letter that it was drafted
    from, if any, and ``left_open`` how much of the draft is still to be confirmed.
    """

    command: str
    file: str
    after: str
    before: str = ""
    reference: str = ""
    letter: str = ""
    left_open: int | None = None


@contextmanager
def log_request_change(session: Session, change: RequestChange) -> Iterator[None]:
    """Write a line before a change is made, and one with what came of it.

    Raises OutputError if the first cannot be written: then nothing was changed. If the second is
    missing, the workbench was killed, or the log could not be written after the change.
    """
    arguments = {
        "file": change.file,
        "before": change.before,
        "after": change.after,
        "letter": change.letter,
        "left_open": change.left_open,
    }
    with session.run(change.command) as run:
        run.add_fields(
            reference=change.reference or None,
            arguments={name: value for name, value in arguments.items() if value not in ("", None)},
        )
        run.begin()
        yield
        with suppress(OutputError):  # it is changed, and the first line says that it was to be
            run.write()


class LoggedChange(Struct, frozen=True):
    """When a request file was written (ISO 8601), and who did it."""

    at: str
    person: str


def list_request_changes(session: Session, file_name: str) -> dict[str, list[LoggedChange]]:
    """The changes of a request file, the oldest first, by the version that each replaced.

    Those in archives of the log are left out, and there are none if the log is damaged.
    """
    changes: dict[str, list[LoggedChange]] = {}
    log = AuditLog(session.settings.audit_folder / AUDIT_LOG_NAME)
    with suppress(BrokenChainError):
        for line in log.read_lines():
            asked = line.get("asked")
            is_done = line.get("exit_code") == 0 and not line.get("begins")
            if (
                line.get("command") == REQUEST_CHANGE
                and is_done
                and isinstance(asked, dict)
                and asked.get("file") == file_name
            ):
                change = LoggedChange(str(line.get("at")), str(line.get("signed_in") or ""))
                changes.setdefault(str(asked.get("before")), []).append(change)
    return changes


def log_sign_in(session: Session) -> None:
    """Someone was signed in. Raises OutputError, and then they are not."""
    with session.run("sign-in") as run:
        run.write()


def log_refused_sign_in(session: Session, reason: str) -> None:
    """Nobody was signed in. ``reason`` is ours, and holds nothing that was sent."""
    with session.run("sign-in") as run:
        run.write(_REFUSED, arguments={"refused": reason})


def log_sign_out(session: Session) -> None:
    """Someone signed out."""
    with session.run("sign-out") as run:
        run.write()


def log_refused_role(session: Session, page: str, needed: WorkbenchRole) -> None:
    """Someone asked for a page (its pattern, not its address) that their role may not see."""
    with session.run("role refused") as run:
        run.write(_REFUSED, arguments={"page": page, "needs": needed})
