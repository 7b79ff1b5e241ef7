"""A request as the list of requests shows it."""

from __future__ import annotations

from datetime import date

from msgspec import Struct


class RequestLine(Struct, frozen=True):
    """A request in the list. ``problem`` says why its file cannot be read, if it cannot, and
    ``has_texts`` whether a list of it gives texts."""

    name: str
    reference: str
    title: str = ""
    received: date | None = None
    due: date | None = None
    state: str = ""
    problem: str = ""
    has_texts: bool = False

    @property
    def waits_for_texts(self) -> bool:
        """Whether a list of it gives texts, which somebody decides on before it is counted."""
        return self.has_texts and self.state == "not answered"

    def days_left(self, today: date) -> int | None:
        """Days until it is due, negative afterwards. None if it has no deadline or is published."""
        return None if self.due is None or self.state == "published" else (self.due - today).days
