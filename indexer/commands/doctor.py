"""What the command ``doctor`` prints."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from indexer.commands.shared import print_json, print_table
from indexer.errors import ProblemsFoundError

if TYPE_CHECKING:
    from indexer.doctor.finding import Finding


class DoctorFormat(StrEnum):
    """What ``doctor`` prints."""

    TEXT = "text"
    JSON = "json"


def report_findings(findings: list[Finding], form: DoctorFormat) -> None:
    """Print findings. Raises ProblemsFoundError if one is a problem."""
    from indexer.doctor.examine import has_no_problems

    if form is DoctorFormat.JSON:
        print_json(findings)
    else:
        print_table(tabulate_findings(findings), "<<<")
    if not has_no_problems(findings):
        raise ProblemsFoundError(
            'there are problems. Each line that says "problem", or the line below it, says what to '
            "do."
        )


def tabulate_findings(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """The rows of a table of findings, each remedy in a row of its own below its finding."""
    rows: list[tuple[str, str, str]] = []
    for finding in findings:
        rows.append((finding.level, finding.check, finding.message))
        if finding.remedy:
            rows.append(("", "", finding.remedy))
    return rows
