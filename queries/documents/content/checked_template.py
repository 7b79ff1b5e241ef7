"""A template filled in, and its numbers checked against the answer, before anybody gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from queries.documents.content.context import DocumentContext
from queries.documents.content.letter.contents import require_contents
from queries.documents.content.number_check import (
    ExtractedText,
    extract_markup_text,
    extract_plain_text,
    extract_typst_text,
    require_same_numbers,
)
from queries.documents.content.templates import EscapeMode, find_template, render_template

_EXTRACTORS: Final[Mapping[EscapeMode, Callable[[str], ExtractedText]]] = {
    EscapeMode.TEXT: extract_plain_text,
    EscapeMode.MARKUP: extract_markup_text,
    EscapeMode.TYPST: extract_typst_text,
}


def render_checked_template(
    name: str,
    mode: EscapeMode,
    context: DocumentContext,
    extra_names: Mapping[str, Any] | None = None,
) -> str:
    """Fill in a template. ``extra_names`` are names of this document alone.

    Raises ConfigurationError for a template that is wrong, or that prints a number which the answer
    does not have, or for a letter that leaves out why it refuses something.
    """
    templates = context.settings.templates
    text = render_template(name, mode, templates, context.names | dict(extra_names or {}))
    content, document = _EXTRACTORS[mode](text), str(find_template(name, templates))
    require_same_numbers(content, context.expected, document)
    if name.startswith("letter."):
        require_contents(content, context.names, document)
    return text
