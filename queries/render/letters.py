"""Letters and the report, as text and as HTML."""

from __future__ import annotations

from datetime import date

from indexer.settings import Force
from queries.answer import Answer
from queries.render import templates, view


def letter_text(answer: Answer, force: Force, day: date) -> str:
    """The letter, as text of at most 78 columns."""
    return _render("letter.txt.j2", answer, force, day)


def letter_html(answer: Answer, force: Force, day: date) -> str:
    """The letter, as one HTML file that prints on A4."""
    return _render("letter.html.j2", answer, force, day)


def report_text(answer: Answer, force: Force, day: date) -> str:
    """The answer for the person who must stand by it: rows, forms found and provenance."""
    return _render("report.txt.j2", answer, force, day)


def _render(name: str, answer: Answer, force: Force, day: date) -> str:
    environment = templates.environment()
    with templates.explained(name):
        names = view.names(environment, answer, force, day)
        text = environment.get_template(name).render(names)
    return text.strip("\n") + "\n"
