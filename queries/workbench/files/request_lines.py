"""A request as the list of requests shows it."""

from __future__ import annotations

from datetime import date

from msgspec import Struct


class RequestLine(Struct, frozen=True):
    """A request in the list. ``problem`` says why its file cannot be read, if it cannot."""

    name: str
    reference: str
    title: str = ""
    received: date | None = None
    due: date | None = None
    state: str = ""
    problem: str = ""

    def days_left(self, today: date) -> int | None:
        """Days until it is due, negative afterwards. None if it has no deadline or is published."""
        return None if self.due is None or self.state == "published" else (self.due - today).days
