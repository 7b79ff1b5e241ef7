"""Letters and the report, as text and as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from indexer.config.model import ForceSettings
from queries.answer.types import Answer
from queries.documents.content.context import build_template_context
from queries.documents.content.number_check import (
    extract_markup_text,
    extract_plain_text,
    require_same_numbers,
)
from queries.documents.content.templates import EscapeMode, find_template, render_template


def render_letter_text(
    answer: Answer, force: ForceSettings, day: date, template_folder: Path | None = None
) -> str:
    """The letter, as text of at most 78 columns.

    ``own`` is the force's folder of templates, here and below. Raises ConfigurationError for a
    template that is wrong, or prints another number than the answer has.
    """
    return render_plain_text(
        "letter.txt.j2",
        build_template_context(answer, force, day, template_folder),
        answer,
        force,
        template_folder,
    )


def render_letter_html(
    answer: Answer, force: ForceSettings, day: date, template_folder: Path | None = None
) -> str:
    """The letter, as one HTML file that prints on A4."""
    name = "letter.html.j2"
    context = build_template_context(answer, force, day, template_folder)
    html = _trim_newlines(render_template(name, EscapeMode.MARKUP, template_folder, context))
    require_same_numbers(
        extract_markup_text(html), answer, force, str(find_template(name, template_folder))
    )
    return html


def render_plain_text(
    name: str,
    context: Mapping[str, Any],
    answer: Answer,
    force: ForceSettings,
    template_folder: Path | None,
) -> str:
    content = _trim_newlines(render_template(name, EscapeMode.TEXT, template_folder, context))
    require_same_numbers(
        extract_plain_text(content), answer, force, str(find_template(name, template_folder))
    )
    return content


def _trim_newlines(text: str) -> str:
    return text.strip("\n") + "\n"
