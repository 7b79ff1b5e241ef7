"""Saves request files for someone who is signed in: each change is in the audit log first."""

from __future__ import annotations

from msgspec import Struct

from queries.workbench.audit_lines import REQUEST_CHANGE, RequestChange, log_request_change
from queries.workbench.files.request_files import RequestFile, hash_text
from queries.workbench.visit import Visit


class DraftedFrom(Struct, frozen=True):
    """The letter that a request was drafted from, by its hash, and how much is to be confirmed."""

    letter: str
    left_open: int


def create_file(
    visit: Visit, name: str, text: str, reference: str, drafted: DraftedFrom | None = None
) -> RequestFile:
    """Save a new request. Raises as ``RequestFolder.create``, and OutputError without a log."""
    visit.workbench.requests.require_new(name)
    change = RequestChange(
        command="request draft" if drafted else "request create",
        file=name,
        after=hash_text(text),
        reference=reference,
        letter=drafted.letter if drafted else "",
        left_open=drafted.left_open if drafted else None,
    )
    with log_request_change(visit.session, change):
        return visit.workbench.requests.create(name, text)


def save_file(visit: Visit, name: str, text: str, version: str, reference: str = "") -> RequestFile:
    """Save a request that was opened at ``version``. Saving what is there already is no change.

    Raises as ``RequestFolder.save``, and OutputError without a log.
    """
    requests = visit.workbench.requests
    if requests.read(name).text == text:
        return requests.save(name, text, version)
    requests.require_version(name, version)
    change = RequestChange(
        command=REQUEST_CHANGE,
        file=name,
        before=version,
        after=hash_text(text),
        reference=reference,
    )
    with log_request_change(visit.session, change):
        return requests.save(name, text, version)
