"""What is wrong in a request, before the line it stands on is known."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """``path`` is where, from the part that found it (".bands[1]"); ``message`` says what, and the
    fix."""

    path: str
    message: str
