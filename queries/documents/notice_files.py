"""The files of a letter that answers nothing yet, or again: text, HTML, Word and PDF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from indexer.errors import OutputError
from indexer.files import Permissions, is_there, open_folder
from queries.documents.content.context import DocumentContext, DocumentSettings
from queries.documents.content.letter.notices import NoticeKind, build_notice_context
from queries.documents.document_set import slugify_reference
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf
from queries.documents.template_process import run_with_limits
from queries.request.reader import Request


def write_notice_files(
    context: DocumentContext, kind: str, folder: Path, permissions: Permissions, *, force: bool
) -> list[Path]:
    """Write a letter in every format, and list the files.

    Raises OutputError, without ``force`` also if a file would be replaced, and ConfigurationError
    for a template that is wrong.
    """
    reference = context.names["answer"].reference
    rendered = run_with_limits(context.settings.templates, _render_each_format, context)
    contents = {
        name_notice_file(reference, kind, ending): content for ending, content in rendered.items()
    }
    try:
        existing_names = [name for name in contents if is_there(folder / name)]
        if existing_names and not force:
            raise OutputError(
                f"{folder}: already has {', '.join(existing_names)}. Choose another folder, or "
                "replace them with --force."
            )
        with open_folder(folder, create=permissions) as opened:
            for name, content in contents.items():
                opened.write_file(name, content, permissions)
    except OSError as error:
        raise OutputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}). Choose another "
            "folder."
        ) from None
    return [folder / name for name in contents]


def prepare_notice(
    request: Request, kind: NoticeKind, settings: DocumentSettings
) -> DocumentContext:
    """What the documents of a letter are made from, its words filled in with limits.

    Raises RequestError and ConfigurationError.
    """
    return run_with_limits(settings.templates, build_notice_context, request, kind, settings)


def render_notice(
    request: Request, kind: NoticeKind, settings: DocumentSettings, ending: str
) -> bytes:
    """A letter in the format of one of NOTICE_ENDINGS, its words filled in with limits.

    Raises RequestError and ConfigurationError.
    """
    return run_with_limits(settings.templates, _render_in_place, request, kind, settings, ending)


def name_notice_file(reference: str, kind: str, ending: str) -> str:
    """The name of the file of a letter."""
    return f"{slugify_reference(reference)}.{kind}.{ending}"


def render_notice_text(context: DocumentContext) -> str:
    """A letter as text. Raises ConfigurationError."""
    return run_with_limits(context.settings.templates, render_letter_text, context)


def _render_each_format(context: DocumentContext) -> dict[str, bytes]:
    """A letter in every format, by the ending of its file."""
    return {ending: render(context) for ending, render in _RENDERERS.items()}


def _render_in_place(
    request: Request, kind: NoticeKind, settings: DocumentSettings, ending: str
) -> bytes:
    return _RENDERERS[ending](build_notice_context(request, kind, settings))


_RENDERERS: Final[dict[str, Callable[[DocumentContext], bytes]]] = {
    "txt": lambda context: render_letter_text(context).encode(),
    "html": lambda context: render_letter_html(context).encode(),
    "docx": render_letter_docx,
    "pdf": render_letter_pdf,
}

#: The endings of the files of a letter.
NOTICE_ENDINGS: Final = tuple(_RENDERERS)
