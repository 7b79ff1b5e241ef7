"""The text of the documents that foidex writes."""

from __future__ import annotations

import io
import zipfile

import pypdf


def extract_text(name: str, held: bytes) -> str:
    """All that a file says, whichever way it is packed."""
    if name.endswith((".docx", ".xlsx")):
        with zipfile.ZipFile(io.BytesIO(held)) as package:
            parts = [package.read(one) for one in package.namelist()]
        return "\n".join(part.decode("utf-8", "replace") for part in parts)
    if name.endswith(".pdf"):
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(held)).pages)
    return held.decode()
