"""Letters and the report, as text and as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from indexer.settings import Force
from queries.answer import Answer
from queries.render import readback, templates, view
from queries.render.templates import Form


def letter_text(answer: Answer, force: Force, day: date, own: Path | None = None) -> str:
    """The letter, as text of at most 78 columns.

    ``own`` is the force's folder of templates, here and below. Raises ConfigurationError for a
    template that is wrong, or prints another number than the answer has.
    """
    return _text("letter.txt.j2", view.names(answer, force, day, own), answer, force, own)


def letter_html(answer: Answer, force: Force, day: date, own: Path | None = None) -> str:
    """The letter, as one HTML file that prints on A4."""
    name = "letter.html.j2"
    names = view.names(answer, force, day, own)
    made = _tidy(templates.render(name, Form.MARKUP, own, names))
    readback.require(readback.markup(made), answer, force, str(templates.find(name, own)))
    return made


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
    return _text("report.txt.j2", names, answer, force, own)


def _text(
    name: str, names: Mapping[str, Any], answer: Answer, force: Force, own: Path | None
) -> str:
    made = _tidy(templates.render(name, Form.TEXT, own, names))
    readback.require(readback.text(made), answer, force, str(templates.find(name, own)))
    return made


def _tidy(text: str) -> str:
    return text.strip("\n") + "\n"
