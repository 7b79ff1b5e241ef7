"""TODO: say what indexer.doctor.finding is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

from indexer.errors import FoidexError

FindingLevel = Literal["ok", "warning", "problem"]


class Finding(Struct, frozen=True):
    """What one look found. ``remedy`` is empty where nothing is to be done."""

    check: str
    level: FindingLevel
    message: str
    remedy: str = ""


Findings = Iterator[Finding]


def run_check(check: str, probe: Callable[[], Findings]) -> list[Finding]:
    """What a look found; one that fails is a problem."""
    findings: list[Finding] = []
    try:
        findings.extend(probe())
    except FoidexError as error:
        findings.append(Finding(check, "problem", str(error)))
    return findings


def format_gigabytes(number: float) -> str:
    return f"{number / 1_000_000_000:,.1f} GB"
