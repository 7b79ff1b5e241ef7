"""The report: tables, charts and the method, to read in the office or for a disclosure log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup
from msgspec import Struct

from queries.documents.content.checked_template import render_checked_template
from queries.documents.content.context import DocumentContext, QuestionView
from queries.documents.content.review_text import ReviewView
from queries.documents.content.templates import EscapeMode
from queries.documents.formats.charts import (
    count_drawn_columns,
    draw_bars,
    draw_ranges,
    select_drawn_columns,
    select_drawn_rows,
)
from queries.documents.formats.letter import trim_newlines


class ChartFigure(Struct, frozen=True):
    """A chart as SVG (empty if there is nothing to draw), and how much of its table it shows.

    ``ranges`` are charts of what was reviewed of the question.
    """

    chart: str
    rows: int
    columns: int
    total_only: bool = False
    ranges: tuple[str, ...] = ()


def render_report_text(context: DocumentContext) -> str:
    """The report as text: rows, the spellings that were found, and where the numbers come from."""
    return trim_newlines(render_checked_template("report.txt.j2", EscapeMode.TEXT, context))


def render_report_html(context: DocumentContext) -> str:
    """The report as one HTML file, which needs neither a script nor the network."""
    figures = {
        question.answer.id: _draw_figure(question, context.names["reviews"])
        for question in context.names["questions"]
        if question.counted
    }
    return render_checked_template(
        "report.html.j2", EscapeMode.MARKUP, context, {"figures": figures}
    )


def _draw_figure(question: QuestionView, reviews: Sequence[ReviewView]) -> ChartFigure:
    table = question.answer.table
    chart = draw_bars(table, f"Chart of {question.title}", question.answer.id)
    return ChartFigure(
        chart=Markup(chart),  # noqa: S704 - the library escapes text
        rows=len(select_drawn_rows(table)),
        columns=count_drawn_columns(table),
        total_only=len(table.columns) > 1 and select_drawn_columns(table) == range(1),
        ranges=tuple(_draw_ranges(question.answer.id, reviews)),
    )


def _draw_ranges(question: str, reviews: Sequence[ReviewView]) -> Iterator[str]:
    """The charts of the reviews of a question, without those that have nothing to draw."""
    for number, review in enumerate(reviews):
        if review.result.number.partition(":")[0] == question:
            title = f"Chart of how many are relevant: {review.title}"
            chart = draw_ranges(review.result, title, f"{question}-review-{number}")
            if chart:
                yield Markup(chart)  # noqa: S704 - the library escapes text
