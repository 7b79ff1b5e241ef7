"""The report: one HTML file of charts, tables and method, to read and for a disclosure log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from markupsafe import Markup
from msgspec import Struct

from indexer.config.model import ForceSettings
from queries.answer.types import Answer
from queries.documents.content.context import build_template_context
from queries.documents.content.number_check import extract_markup_text, require_same_numbers
from queries.documents.content.templates import EscapeMode, find_template, render_template
from queries.documents.formats.charts import count_drawn_columns, draw_bars, select_drawn_rows
from queries.documents.formats.letter import render_plain_text


def render_report_text(
    answer: Answer,
    force: ForceSettings,
    day: date,
    template_folder: Path | None = None,
    small: Sequence[str] = (),
) -> str:
    """The answer for the person who must stand by it: rows, forms found and provenance.

    ``small`` are the places of small numbers, to be thought of before anything is published.
    """
    context = build_template_context(answer, force, day, template_folder, small)
    return render_plain_text("report.txt.j2", context, answer, force, template_folder)


class ChartFigure(Struct, frozen=True):
    """A chart, empty where there is nothing to draw, and how much of its table it shows."""

    chart: str
    rows: int
    columns: int


def render_report_html(
    answer: Answer,
    force: ForceSettings,
    day: date,
    custom_templates: Path | None = None,
    small: Sequence[str] = (),
) -> str:
    """The report, which needs neither a script nor the network. Raises ConfigurationError.

    ``small`` as in ``letters.report_text``.
    """
    context = build_template_context(answer, force, day, custom_templates, small)
    figures = {
        question.answer.id: ChartFigure(
            chart=Markup(  # noqa: S704 - the library escapes text
                draw_bars(question.answer.table, f"Chart of {question.title}", question.answer.id)
            ),
            rows=len(select_drawn_rows(question.answer.table)),
            columns=count_drawn_columns(question.answer.table),
        )
        for question in context["questions"]
    }
    name = "report.html.j2"
    html = render_template(
        name, EscapeMode.MARKUP, custom_templates, context | {"figures": figures}
    )
    require_same_numbers(
        extract_markup_text(html), answer, force, str(find_template(name, custom_templates))
    )
    return html
