"""What ``foidex doctor`` finds, as tests read it."""

from __future__ import annotations

import msgspec

from indexer.doctor.finding import Finding
from tests.support.command_line import CommandLine

#: The exit code of a setup with a problem.
UNSOUND = 17


def list_findings(
    program: CommandLine, code: int = 0, environment: dict[str, str] | None = None
) -> dict[str, list[Finding]]:
    """What the doctor finds, by check."""
    outcome = program("doctor", "--format", "json", **(environment or {}))
    assert outcome.code == code, outcome
    found: dict[str, list[Finding]] = {}
    for one in msgspec.json.decode(outcome.out, type=list[Finding]):
        found.setdefault(one.check, []).append(one)
    return found


def sole_finding(found: dict[str, list[Finding]], check: str) -> tuple[str, str]:
    (one,) = found[check]
    return one.level, f"{one.message} {one.remedy}"
