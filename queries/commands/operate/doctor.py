"""The command ``doctor``, which looks at the ledger of releases, too."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.commands.doctor import DoctorFormat, report_findings
from indexer.session import get_session


def run_doctor(
    form: Annotated[
        DoctorFormat, typer.Option("--format", help="What to print.")
    ] = DoctorFormat.TEXT,
) -> None:
    """Find problems that stop foidex from working here, or soon will. Changes and starts nothing.

    Example: foidex doctor --format json
    """
    from indexer.doctor.examine import examine_setup
    from queries.answering.publishing import LEDGER_CHECK, check_ledger

    report_findings(examine_setup(get_session(), {LEDGER_CHECK: check_ledger}), form)
