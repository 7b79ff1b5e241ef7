"""The letter as a PDF that a screen reader can read (PDF/UA-1), set by Typst.

Typst brings its fonts. A force may add its own in ``fonts/`` of its folder of templates; the
system's are used only where both lack a letter of the text.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any, Final

from indexer.errors import ConfigurationError
from indexer.settings import Force
from queries.answer import Answer
from queries.render import extras, readback, templates, view
from queries.render.templates import Form

_NAME: Final = "letter.typ.j2"
_NO_FONT: Final = "could not be displayed"
_PLACE: Final = re.compile(r"\.typ:(\d+):")


def letter_source(answer: Answer, force: Force, day: date, own: Path | None = None) -> str:
    """The letter as Typst's source. Raises ConfigurationError for a template that is wrong."""
    made = templates.render(_NAME, Form.TYPST, own, view.names(answer, force, day, own))
    readback.require(readback.typst(made), answer, force, str(templates.find(_NAME, own)))
    return made


def letter_pdf(answer: Answer, force: Force, day: date, own: Path | None = None) -> bytes:
    """The letter as PDF. Raises ConfigurationError for a template that is wrong, and where no font
    has a letter of the text."""
    source = letter_source(answer, force, day, own)
    return _set(source, templates.find(_NAME, own), own, int(answer.provenance.run_at.timestamp()))


def _set(source: str, path: Path, own: Path | None, timestamp: int) -> bytes:
    with extras.needed("A PDF"):
        import typst
    fonts = [folder / "fonts" for folder in templates.folders(own) if (folder / "fonts").is_dir()]
    for alone in (True, False):
        try:
            made = typst.compile(  # type: ignore[call-overload]
                source.encode(),
                root=str(path.parent),  # of images; text, whatever the input is
                font_paths=list(fonts),
                ignore_system_fonts=alone,
                format="pdf",
                pdf_standards=["ua-1"],
                timestamp=timestamp,
            )
        except typst.TypstError as error:
            if _NO_FONT not in error.message:
                raise ConfigurationError(_told(error, path)) from None
        else:
            assert isinstance(made, bytes)
            return made
    raise ConfigurationError(
        "the letter holds characters that no font here has, so there is no PDF of it. Put a font "
        "that has them in the folder fonts of your templates (foidex templates init)."
    )


def _told(error: Any, path: Path) -> str:
    """What Typst says is wrong, and where in the filled-in template."""
    line = _PLACE.search(error.diagnostic or "")
    where = f" (line {line[1]} once filled in)" if line else ""
    hints = "".join(f" {hint.capitalize()}." for hint in error.hints)
    return f"{path}{where}: {error.message}.{hints} Correct the template."
