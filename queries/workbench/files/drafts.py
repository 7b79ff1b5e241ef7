"""Drafts that someone is confirming: kept in memory, by random names, until they are saved."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
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
    sent: datetime
    unread: tuple[str, ...] = ()


class Drafts:
    """The drafts that are open, each for so many seconds. Safe for threads.

    Where there are too many, the oldest of whoever has the most is forgotten.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._drafts: dict[str, tuple[OpenDraft, float]] = {}

    def add(self, draft: OpenDraft) -> str:
        """Keep a draft, and return its name."""
        name = secrets.token_urlsafe(16)
        with self._lock:
            self._forget_old()
            while len(self._drafts) >= _MAX_DRAFTS:
                owners = Counter(kept.person for kept, _ in self._drafts.values())
                ((owner, _),) = owners.most_common(1)
                del self._drafts[
                    next(key for key, (kept, _) in self._drafts.items() if kept.person == owner)
                ]
            self._drafts[name] = (draft, self._clock())
        return name

    def find(self, name: str, person: str) -> OpenDraft | None:
        """A person's draft by its name, None if it is not open any more."""
        return self.list_for(person).get(name)

    def list_for(self, person: str) -> dict[str, OpenDraft]:
        """A person's drafts by their names, the oldest first."""
        with self._lock:
            self._forget_old()
            return {
                name: draft for name, (draft, _) in self._drafts.items() if draft.person == person
            }

    def remove(self, name: str) -> None:
        """Forget a draft."""
        with self._lock:
            self._drafts.pop(name, None)

    def _forget_old(self) -> None:
        oldest = self._clock() - self._seconds
        for name in [name for name, (_, added) in self._drafts.items() if added < oldest]:
            del self._drafts[name]
