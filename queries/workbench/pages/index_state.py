"""The page of the index: which records it holds, of which days, and how old they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from starlette.responses import Response

from indexer.index.generations import read_live_generation
from queries.layout.coverage_text import format_coverage_days
from queries.workbench.visit import Visit

#: From this age on the page says that the nightly refresh may have failed.
OLD: Final = timedelta(hours=36)


def show_index(visit: Visit) -> Response:
    """The live generation. It is not started for this: without a server, the page says so."""
    if not visit.session.running():
        return visit.render("index.html", generation=None, coverage="", is_old=False)
    with visit.session.client() as client:
        generation = read_live_generation(client, visit.session.settings.index.alias)
    coverage = format_coverage_days(generation.coverage) if generation.coverage else ""
    is_old = datetime.now(UTC) - generation.built_at > OLD
    return visit.render("index.html", generation=generation, coverage=coverage, is_old=is_old)
