"""Letters and the report, as text and as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from indexer.settings import Force
from queries.answer import Answer
from queries.render import templates, view
from queries.render.templates import Form


def letter_text(answer: Answer, force: Force, day: date, own: Path | None = None) -> str:
    """The letter, as text of at most 78 columns.

    ``own`` is the force's folder of templates, here and below. Raises ConfigurationError for a
    template that is wrong.
    """
    return _tidy(
        templates.render("letter.txt.j2", Form.TEXT, own, view.names(answer, force, day, own))
    )


def letter_html(answer: Answer, force: Force, day: date, own: Path | None = None) -> str:
    """The letter, as one HTML file that prints on A4."""
    return _tidy(
        templates.render("letter.html.j2", Form.MARKUP, own, view.names(answer, force, day, own))
    )


def report_text(
    answer: Answer,
    force: Force,
    day: date,
    own: Path | None = None,
    small: Sequence[str] = (),
) -> str:
    """The answer for the person who must stand by it: rows, forms found and provenance.

    ``small`` are the places of small numbers, to be thought of before anything is published.
    """
    names = view.names(answer, force, day, own, small)
    return _tidy(templates.render("report.txt.j2", Form.TEXT, own, names))


def _tidy(text: str) -> str:
    return text.strip("\n") + "\n"
