"""One record as a source yields it."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class RawRecord(Struct, frozen=True, gc=False):
    """``place`` is "file:line"; ``raw`` the JSON line, or a mapping; ``size`` the bytes it took.

    ``error`` says why the source already knows that it is no record, with the remedy.
    """

    location: str
    raw: bytes | dict[str, Any]
    size: int
    error: str | None = None
