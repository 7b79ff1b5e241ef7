"""The letter as a PDF that a screen reader can read (PDF/UA-1), set by Typst.

Typst brings its fonts. A force may add its own in ``fonts/`` of its folder of templates; the
system's are used only where both lack a letter of the text.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any, Final

from indexer.config.model import ForceSettings
from indexer.errors import ConfigurationError
from queries.answer.types import Answer
from queries.documents.content.context import build_template_context
from queries.documents.content.number_check import extract_typst_text, require_same_numbers
from queries.documents.content.templates import (
    EscapeMode,
    find_template,
    list_template_folders,
    render_template,
)
from queries.documents.formats.optional_imports import require_extra

_TEMPLATE_NAME: Final = "letter.typ.j2"

_MISSING_FONT: Final = "could not be displayed"

_ERROR_LINE: Final = re.compile(r"\.typ:(\d+):")


def render_letter_typst(
    answer: Answer, force: ForceSettings, day: date, custom_templates: Path | None = None
) -> str:
    """The letter as Typst's source. Raises ConfigurationError for a template that is wrong."""
    source = render_template(
        _TEMPLATE_NAME,
        EscapeMode.TYPST,
        custom_templates,
        build_template_context(answer, force, day, custom_templates),
    )
    require_same_numbers(
        extract_typst_text(source),
        answer,
        force,
        str(find_template(_TEMPLATE_NAME, custom_templates)),
    )
    return source


def render_letter_pdf(
    answer: Answer, force: ForceSettings, day: date, custom_templates: Path | None = None
) -> bytes:
    """The letter as PDF. Raises ConfigurationError for a template that is wrong, and where no font
    has a letter of the text."""
    source = render_letter_typst(answer, force, day, custom_templates)
    return _compile_typst(
        source,
        find_template(_TEMPLATE_NAME, custom_templates),
        custom_templates,
        int(answer.provenance.run_at.timestamp()),
    )


def _compile_typst(source: str, path: Path, custom_templates: Path | None, timestamp: int) -> bytes:
    with require_extra("A PDF"):
        import typst
    fonts = [
        folder / "fonts"
        for folder in list_template_folders(custom_templates)
        if (folder / "fonts").is_dir()
    ]
    for ignore_system in (True, False):
        try:
            pdf_bytes = typst.compile(  # type: ignore[call-overload]
                source.encode(),
                root=str(path.parent),  # of images; text, whatever the input is
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
        "the letter holds characters that no font here has, so there is no PDF of it. Put a font "
        "that has them in the folder fonts of your templates (foidex templates init)."
    )


def _format_typst_error(error: Any, path: Path) -> str:
    """What Typst says is wrong, and where in the filled-in template."""
    line = _ERROR_LINE.search(error.diagnostic or "")
    location = f" (line {line[1]} once filled in)" if line else ""
    hints = "".join(f" {hint.capitalize()}." for hint in error.hints)
    return f"{path}{location}: {error.message}.{hints} Correct the template."
