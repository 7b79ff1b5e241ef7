"""The letter as a PDF that a screen reader can read (PDF/UA-1), set by Typst.

Typst brings its fonts. A force may add its own in ``fonts/`` of its folder of templates; the
system's are used only where both lack a letter of the text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from indexer.errors import ConfigurationError
from indexer.files import refuse_foreign_links
from queries.documents.content.checked_template import render_checked_template
from queries.documents.content.context import DocumentContext
from queries.documents.content.templates import (
    EscapeMode,
    find_template,
    list_template_folders,
)
from queries.documents.formats.optional_imports import require_extra

_TEMPLATE_NAME: Final = "letter.typ.j2"

_MISSING_FONT: Final = "could not be displayed"

_ERROR_LINE: Final = re.compile(r"\.typ:(\d+):")


def render_letter_typst(context: DocumentContext) -> str:
    """The letter as Typst source."""
    return render_checked_template(_TEMPLATE_NAME, EscapeMode.TYPST, context)


def render_letter_pdf(context: DocumentContext) -> bytes:
    """The letter as PDF. Also raises ConfigurationError if no font has a letter of the text."""
    templates = context.settings.templates
    return _compile_typst(
        render_letter_typst(context),
        find_template(_TEMPLATE_NAME, templates),
        templates,
        int(context.run_at.timestamp()),
    )


def _compile_typst(source: str, path: Path, custom_templates: Path | None, timestamp: int) -> bytes:
    with require_extra("A PDF"):
        import typst
    fonts = [
        folder / "fonts"
        for folder in list_template_folders(custom_templates)
        if (folder / "fonts").is_dir()
    ]
    _refuse_foreign_links(custom_templates)
    for ignore_system in (True, False):
        try:
            pdf_bytes = typst.compile(  # type: ignore[call-overload]
                source.encode(),
                root=str(path.parent),  # where images are; text, whatever the input is
                font_paths=list(fonts),
                ignore_system_fonts=ignore_system,
                format="pdf",
                pdf_standards=["ua-1"],
                timestamp=timestamp,
            )
        except typst.TypstError as error:
            if _MISSING_FONT not in error.message:
                raise ConfigurationError(_format_typst_error(error, path)) from None
        else:
            assert isinstance(pdf_bytes, bytes)
            return pdf_bytes
    raise ConfigurationError(
        "the letter holds characters that no installed font has, so its PDF cannot be made. Put a "
        "font that has them into the folder fonts of your templates (foidex templates init)."
    )


def _refuse_foreign_links(custom_templates: Path | None) -> None:
    """Typst reads images and fonts itself. Raises ConfigurationError."""
    try:
        if custom_templates is not None:
            refuse_foreign_links(custom_templates)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename}: cannot be used ({error.strerror}). Put a file of your own in its "
            "place."
        ) from None


def _format_typst_error(error: Any, path: Path) -> str:
    """What Typst says is wrong, and where in the filled-in template."""
    line = _ERROR_LINE.search(error.diagnostic or "")
    location = f" (line {line[1]} once filled in)" if line else ""
    hints = "".join(f" {hint.capitalize()}." for hint in error.hints)
    return f"{path}{location}: {error.message}.{hints} Correct the template."
