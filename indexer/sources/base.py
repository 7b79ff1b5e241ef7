"""The raw record, which every source yields."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class RawRecord(Struct, frozen=True, gc=False):
    """A record that is not checked yet.

    ``location`` is "file:line"; ``raw`` is the JSON line, or a mapping of Python values; ``size``
    is the number of bytes read for it. ``error`` says why the source itself rejects it, and the
    fix.
    """

    location: str
    raw: bytes | dict[str, Any]
    size: int
    error: str | None = None
