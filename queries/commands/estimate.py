"""TODO: say what queries.commands.estimate is for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.session import get_session
from queries.commands.options import ReportFormat, load_request


def run_estimate_command(
    request: Annotated[Path, typer.Argument(help="A request file.", readable=False)],
    minutes: Annotated[
        float, typer.Option(min=0.01, max=1_000, help="Minutes it takes to read one record.")
    ] = 3,
    central: Annotated[
        bool, typer.Option("--central", help="The limit of central government, 24 hours.")
    ] = False,
    form: Annotated[ReportFormat, typer.Option("--format", help="What to print.")] = (
        ReportFormat.TEXT
    ),
) -> None:
    """Say how long reading the records would take against the limit of 18 hours, and what fits.

    Example: foidex estimate request.yaml --minutes 3
    """
    from fractions import Fraction

    from queries.answer.types import format_json
    from queries.answering.audit_fields import request_fields
    from queries.answering.estimate import (
        CENTRAL_HOURS,
        LIMIT_HOURS,
        ReadingCost,
        estimate_cost,
        format_estimate,
    )

    limit = CENTRAL_HOURS if central else LIMIT_HOURS
    with get_session().run("estimate") as run:
        parsed_request = load_request(request)
        run.add_fields(**request_fields(parsed_request))
        cost = ReadingCost(Fraction(str(minutes)), limit)
        with get_session().client() as client:
            result = estimate_cost(client, get_session().settings.index.alias, parsed_request, cost)
        run.write(generation=result.generation, records=result.total.records)
        is_text = form is ReportFormat.TEXT
        print(format_estimate(result) if is_text else f"{format_json(result)}\n", end="")
