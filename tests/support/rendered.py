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
