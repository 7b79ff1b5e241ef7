"""The letter as a PDF that a screen reader can read (PDF/UA-1), set by Typst.

Typst sets it in a process of its own, with limits, and brings its fonts. A force may add its own in
``fonts/`` of its folder of templates; the system's are used only where both lack a letter of the
text.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec

from indexer.errors import ConfigurationError
from indexer.files import refuse_foreign_links
from queries.documents.content.checked_template import render_checked_template
from queries.documents.content.context import DocumentContext
from queries.documents.content.templates import (
    EscapeMode,
    find_template,
    list_template_folders,
)
from queries.documents.formats import typst_worker
from queries.documents.formats.optional_imports import require_extra
from queries.documents.formats.typst_worker import TypstResult, TypstTask

_TEMPLATE_NAME: Final = "letter.typ.j2"

#: What a PDF may take. A letter of many tables takes a few seconds and a tenth of the memory.
MAX_MEGABYTES: Final = 4096

MAX_SECONDS: Final = 120

_MAX_WAIT_SECONDS: Final = 900

_MISSING_FONT: Final = "could not be displayed"

#: How Typst begins to say that a package is not there.
_MISSING_PACKAGES: Final = ("failed to download package", "package not found")

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
        import typst  # noqa: F401 - it is used in a process of its own
    fonts = [
        folder / "fonts"
        for folder in list_template_folders(custom_templates)
        if (folder / "fonts").is_dir()
    ]
    _refuse_foreign_links(custom_templates)
    for ignore_system in (True, False):
        task = TypstTask(
            source.encode(),
            str(path.parent),
            tuple(map(str, fonts)),
            ignore_system,
            timestamp,
        )
        result = _run_worker(task, path)
        if not result.error:
            return result.pdf
        if _MISSING_FONT not in result.error:
            raise ConfigurationError(_format_typst_error(result, path))
    raise ConfigurationError(
        "the letter holds characters that no installed font has, so its PDF cannot be made. Put a "
        "font that has them into the folder fonts of your templates (foidex templates init)."
    )


def _run_worker(task: TypstTask, path: Path) -> TypstResult:
    """What a process of its own makes of a task. Raises ConfigurationError if it does not end."""
    limits = [str(MAX_MEGABYTES), str(MAX_SECONDS)]
    command = [sys.executable, "-P", typst_worker.__file__, *limits]
    try:
        output = subprocess.run(  # noqa: S603 - our own program
            command,
            input=msgspec.msgpack.encode(task),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_MAX_WAIT_SECONDS,
            check=True,
        ).stdout
        return msgspec.msgpack.decode(output, type=TypstResult)
    except (subprocess.SubprocessError, msgspec.DecodeError):
        raise ConfigurationError(
            f"{path}: its PDF takes more than {MAX_SECONDS} seconds or {MAX_MEGABYTES:,} MB, so "
            "a loop or a function in it may never end. Correct the template."
        ) from None


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


def _format_typst_error(result: TypstResult, path: Path) -> str:
    """What Typst says is wrong, and where in the filled-in template."""
    line = _ERROR_LINE.search(result.diagnostic)
    location = f" (line {line[1]} once filled in)" if line else ""
    if result.error.startswith(_MISSING_PACKAGES):
        return (
            f"{path}{location}: imports a package of Typst that is not in the folder packages "
            "beside it, and none is downloaded. Put it there, as packages/NAMESPACE/NAME/VERSION, "
            "or remove the import."
        )
    hints = "".join(f" {hint.capitalize()}." for hint in result.hints)
    return f"{path}{location}: {result.error}.{hints} Correct the template."
