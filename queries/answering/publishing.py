"""Publishing in a session: which ledger the releases are recorded in, and what is noted of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import msgspec

from indexer.audit import AUDIT_LOG_NAME
from indexer.audit.log import AuditLog
from indexer.config.model import Settings
from indexer.doctor.finding import FORBIDDEN_MESSAGE, FORBIDDEN_REMEDY, Finding, Findings
from indexer.errors import BrokenChainError
from indexer.index.release_ledger import ServerLedger
from indexer.server.server_errors import ForbiddenError
from indexer.session import Session
from queries.disclosure.differencing import LedgerEntry
from queries.disclosure.ledger import (
    FileLedger,
    LedgerHead,
    LedgerUse,
    find_ledger_loss,
    read_releases,
)
from queries.disclosure.publisher import Publisher, require_safe_settings

#: What the doctor calls the check.
LEDGER_CHECK: Final = "ledger"


def build_publisher(session: Session, reason: str = "") -> Publisher:
    """The publisher of a force, by its settings. ``reason`` is why a rule is set aside, if any.

    Raises DisclosureError if the settings are less strict than the default without a reason, or
    lack what every letter prints.
    """
    settings = session.settings
    require_safe_settings(settings)
    return Publisher(
        settings.disclosure,
        _choose_ledger(session, settings),
        settings.force,
        reason,
        settings.file,
    )


def _choose_ledger(session: Session, settings: Settings) -> LedgerUse | None:
    ledger, alias = settings.disclosure.ledger, settings.index.alias
    if ledger is False:
        return None
    return LedgerUse(
        FileLedger(settings.folder / ledger)
        if isinstance(ledger, str)
        else ServerLedger(session.client, alias),
        alias=alias,
        noted=_read_noted_head(settings),
        files=tuple(settings.folder / name for name in settings.disclosure.ledger_files),
    )


def list_releases(session: Session) -> list[LedgerEntry] | None:
    """The releases that the next one is checked against, oldest first.

    None if they are on a server that does not run: it is not started for this. Raises
    DisclosureError and OutputError for a ledger that cannot be read.
    """
    use = _choose_ledger(session, session.settings)
    if use is None:
        return []
    if isinstance(use.store, ServerLedger) and not session.running():
        return None
    return read_releases(use)


def check_ledger(session: Session, *, server_answers: bool) -> Findings:
    """Whether the ledger holds every release that the audit log here notes, so that the next one is
    not refused. Nothing is found before the first release, or without the server of the ledger."""
    settings = session.settings
    use = _choose_ledger(session, settings)
    if use is None or use.noted is None:
        return
    if isinstance(use.store, ServerLedger) and not server_answers:
        return
    try:
        loss = find_ledger_loss(use)
    except ForbiddenError:
        yield Finding(LEDGER_CHECK, "warning", FORBIDDEN_MESSAGE, FORBIDDEN_REMEDY)
        return
    if loss:
        yield Finding(LEDGER_CHECK, "problem", loss)
    else:
        yield Finding(
            LEDGER_CHECK,
            "ok",
            f"{use.store.name} holds the {use.noted.releases:,} releases that the audit log notes.",
        )


def _read_noted_head(settings: Settings) -> LedgerHead | None:
    """The head of the ledger after the last release of the index, by the audit log here."""
    noted: LedgerHead | None = None
    try:
        for line in AuditLog(settings.audit_folder / AUDIT_LOG_NAME).read_lines():
            # The first line of a log keeps what was noted in the archives before it.
            for fields in (*_list_carried_heads(line), line.get("ledger")):
                with suppress(msgspec.ValidationError):  # not a line of foidex: the check says so
                    head = msgspec.convert(fields, LedgerHead)
                    noted = head if head.alias == settings.index.alias else noted
    except BrokenChainError:
        return None
    return noted


def _list_carried_heads(line: dict[str, Any]) -> list[Any]:
    continues = line.get("continues")
    ledgers = continues.get("ledgers") if isinstance(continues, dict) else None
    return ledgers if isinstance(ledgers, list) else []


def note_fields(head: LedgerHead) -> dict[str, Any]:
    """The field of the audit log for a ledger in which a release was recorded."""
    return {"ledger": msgspec.to_builtins(head)}
