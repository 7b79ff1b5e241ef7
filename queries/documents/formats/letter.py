"""The letter as text and as HTML."""

from __future__ import annotations

from queries.documents.content.checked_template import render_checked_template
from queries.documents.content.context import DocumentContext
from queries.documents.content.templates import EscapeMode


def render_letter_text(context: DocumentContext) -> str:
    """The letter as text of at most 78 columns.

    Raises ConfigurationError for a template that is wrong, or that prints a number which the answer
    does not have; so do all renderers.
    """
    return trim_newlines(render_checked_template("letter.txt.j2", EscapeMode.TEXT, context))


def render_letter_html(context: DocumentContext) -> str:
    """The letter as one HTML file that prints on A4."""
    return trim_newlines(render_checked_template("letter.html.j2", EscapeMode.MARKUP, context))


def trim_newlines(text: str) -> str:
    """The text without blank lines at either end, and with one line end."""
    return text.strip("\n") + "\n"
