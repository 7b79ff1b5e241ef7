"""A finding of the doctor: what one check found, how serious it is, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Literal

from msgspec import Struct

from indexer.errors import FoidexError

FindingLevel = Literal["ok", "warning", "problem"]

FORBIDDEN_MESSAGE: Final = "this user may not look at it (403)."

FORBIDDEN_REMEDY: Final = "Run foidex doctor as a user who may, such as the server's administrator."


class Finding(Struct, frozen=True):
    """What one check found. ``remedy`` is empty where nothing needs doing."""

    check: str
    level: FindingLevel
    message: str
    remedy: str = ""


Findings = Iterator[Finding]


def run_check(check: str, probe: Callable[[], Findings]) -> list[Finding]:
    """The findings of a check; an expected error in it is a problem, after what it found before."""
    findings: list[Finding] = []
    try:
        findings.extend(probe())
    except FoidexError as error:
        findings.append(Finding(check, "problem", str(error)))
    return findings
