"""The files of a letter that answers nothing yet, or again: text, HTML, Word and PDF."""

from __future__ import annotations

from pathlib import Path

from indexer.errors import OutputError
from indexer.files import Permissions, open_folder
from queries.documents.content.context import DocumentContext
from queries.documents.document_set import slugify_reference
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_pdf


def write_notice_files(
    context: DocumentContext, kind: str, folder: Path, permissions: Permissions, *, force: bool
) -> list[Path]:
    """Write a letter in every format, and list the files.

    Raises OutputError, without ``force`` also if a file would be replaced, and ConfigurationError
    for a template that is wrong.
    """
    stem = f"{slugify_reference(context.names['answer'].reference)}.{kind}"
    contents = {
        f"{stem}.txt": render_letter_text(context).encode(),
        f"{stem}.html": render_letter_html(context).encode(),
        f"{stem}.docx": render_letter_docx(context),
        f"{stem}.pdf": render_letter_pdf(context),
    }
    try:
        existing_names = [name for name in contents if (folder / name).exists()]
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
