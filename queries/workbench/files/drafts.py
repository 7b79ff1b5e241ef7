"""Drafts that someone is confirming: kept in memory, by random names, until they are saved."""

from __future__ import annotations

import secrets
import threading
from typing import Final

from msgspec import Struct

from queries.drafting.draft_file import DraftedLetter

_MAX_DRAFTS: Final = 100


class OpenDraft(Struct, frozen=True):
    """The draft of a letter, whose file had the hash ``digest``, and what of it was not read.

    Only ``person``, who sent the letter, sees it: a draft names the requester.
    """

    drafted: DraftedLetter
    digest: str
    person: str
    unread: tuple[str, ...] = ()


class Drafts:
    """The drafts that are open. The oldest is forgotten where there are too many."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._drafts: dict[str, OpenDraft] = {}

    def add(self, draft: OpenDraft) -> str:
        """Keep a draft, and return its name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            while len(self._drafts) >= _MAX_DRAFTS:
                del self._drafts[next(iter(self._drafts))]
            self._drafts[name] = draft
        return name

    def find(self, name: str, person: str) -> OpenDraft | None:
        """A person's draft by its name, None if it is not open any more."""
        with self._lock:
            draft = self._drafts.get(name)
        return draft if draft is not None and draft.person == person else None

    def remove(self, name: str) -> None:
        """Forget a draft."""
        with self._lock:
            self._drafts.pop(name, None)
