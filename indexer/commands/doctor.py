"""TODO: say what indexer.commands.doctor is for."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from indexer.commands.shared import print_json
from indexer.errors import ProblemsFoundError
from indexer.session import get_session


class DoctorFormat(StrEnum):
    """What ``doctor`` prints."""

    TEXT = "text"
    JSON = "json"


def run_doctor(
    form: Annotated[
        DoctorFormat, typer.Option("--format", help="What to print.")
    ] = DoctorFormat.TEXT,
) -> None:
    """Look for what keeps foidex from working here, or soon will. Changes and starts nothing.

    Example: foidex doctor --format json
    """
    from indexer.doctor.examine import examine_setup, format_findings, has_no_problems

    findings = examine_setup(get_session())
    if form is DoctorFormat.JSON:
        print_json(findings)
    else:
        print(format_findings(findings), end="")
    if not has_no_problems(findings):
        raise ProblemsFoundError("there are problems; each is told with its remedy.")
