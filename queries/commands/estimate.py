"""The command ``estimate``: the cost of reading the records of a request, and what fits."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.session import get_session
from queries.commands.options import (
    ANSWER_PANEL,
    ReportFormat,
    ReportFormatOption,
    RequestArgument,
    load_request,
)

estimate_app = typer.Typer()

MinutesOption = Annotated[
    float, typer.Option(min=0.01, max=1_000, help="Minutes it takes to read one record.")
]

CentralOption = Annotated[
    bool, typer.Option("--central", help="Use the limit for central government, 24 hours.")
]

SecondReadingOption = Annotated[
    int,
    typer.Option(
        "--second", min=0, max=100, help="Percent of a sample that a second person reads too."
    ),
]


@estimate_app.command("estimate", rich_help_panel=ANSWER_PANEL)
def run_estimate_command(
    request: RequestArgument,
    minutes: MinutesOption = 3,
    central: CentralOption = False,
    second: SecondReadingOption = 20,
    form: ReportFormatOption = ReportFormat.TEXT,
) -> None:
    """Compare the time to read the records with the limit of 18 hours, and show what would fit.

    Example: foidex estimate request.yaml --minutes 3
    """
    from fractions import Fraction

    from queries.answer.types import format_json
    from queries.answering.audit_fields import request_fields
    from queries.answering.estimate import (
        CENTRAL_HOURS,
        estimate_cost,
        format_estimate,
    )
    from queries.request.reading_cost import ReadingCost
    from queries.search.run import LiveSearch
    from queries.spec.act import load_acts

    act = load_acts()[get_session().settings.force.act]
    limit = CENTRAL_HOURS if central else act.limit_hours
    with get_session().run("estimate") as run:
        parsed_request = load_request(request)
        run.add_fields(**request_fields(parsed_request))
        cost = ReadingCost(Fraction(str(minutes)), limit)
        with get_session().client() as client:
            engine = LiveSearch(client, get_session().settings.index.alias)
            result = estimate_cost(engine, parsed_request, cost, Fraction(second, 100))
        run.write(generation=result.generation, records=result.total.records)
        is_text = form is ReportFormat.TEXT
        print(format_estimate(result) if is_text else f"{format_json(result)}\n", end="")
