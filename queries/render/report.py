"""The report: one HTML file of charts, tables and method, to read and for a disclosure log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from markupsafe import Markup
from msgspec import Struct

from indexer.settings import Force
from queries.answer import Answer
from queries.render import charts, readback, templates, view
from queries.render.templates import Form


class Figure(Struct, frozen=True):
    """A chart, empty where there is nothing to draw, and how much of its table it shows."""

    chart: str
    rows: int
    columns: int


def report_html(
    answer: Answer,
    force: Force,
    day: date,
    own: Path | None = None,
    small: Sequence[str] = (),
) -> str:
    """The report, which needs neither a script nor the network. Raises ConfigurationError.

    ``small`` as in ``letters.report_text``.
    """
    names = view.names(answer, force, day, own, small)
    figures = {
        question.answer.id: Figure(
            chart=Markup(  # noqa: S704 - the library escapes text
                charts.bars(question.answer.table, f"Chart of {question.title}", question.answer.id)
            ),
            rows=len(charts.drawn(question.answer.table)),
            columns=charts.columns_drawn(question.answer.table),
        )
        for question in names["questions"]
    }
    name = "report.html.j2"
    made = templates.render(name, Form.MARKUP, own, names | {"figures": figures})
    readback.require(readback.markup(made), answer, force, str(templates.find(name, own)))
    return made
