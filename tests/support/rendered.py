"""One document of an answer, as the tests of documents want it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from indexer.config.model import ForceSettings
from queries.answer.types import Answer
from queries.documents.content.context import (
    DocumentContext,
    DocumentSettings,
    build_document_context,
)
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_typst
from queries.documents.formats.report import render_report_html, render_report_text

#: What writes each document that is text.
TEXT_RENDERERS: list[Callable[..., str]] = [
    render_letter_text,
    render_letter_html,
    render_letter_typst,
    render_report_text,
    render_report_html,
]

_Document = TypeVar("_Document")


def rendered(
    renderer: Callable[[DocumentContext], _Document],
    answer: Answer,
    force: ForceSettings,
    day: date,
    templates: Path | None = None,
    flag: int = 0,
) -> _Document:
    """The document of an answer alone, with a context of its own."""
    return renderer(build_document_context(answer, DocumentSettings(force, day, templates, flag)))
