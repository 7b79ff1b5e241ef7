"""The list of files, with their SHA-256, that foidex wrote in a folder."""

from __future__ import annotations

import re
from typing import Final

import msgspec
from msgspec import Struct

from indexer.errors import UnreadableError
from indexer.files import Folder, UnsafePathError

MANIFEST_NAME: Final = "manifest.json"

MANIFEST_FORMAT: Final = "foidex-manifest/1"

TABLES_FOLDER: Final = "tables"

_MAX_MANIFEST_BYTES: Final = 10_000_000

# Every path that foidex gives to a document. A manifest that lists another one is not ours.
_DOCUMENT_PATH: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*"
    r"\.(answer\.json|report\.(txt|html)|letter\.(txt|html|docx|pdf)|xlsx)"
    rf"|{TABLES_FOLDER}/[A-Za-z0-9][A-Za-z0-9._-]*\.csv"
)


class Manifest(Struct, frozen=True):
    """What foidex wrote in a folder: the SHA-256 of each file by its path there, and whether the
    answer is the published one."""

    reference: str
    generation: str
    query_hash: str
    run_at: str
    version: str
    files: dict[str, str]
    for_publication: bool = False
    format: str = MANIFEST_FORMAT


def read_manifest(folder: Folder) -> Manifest | None:
    """The manifest of a folder, or None. Raises UnreadableError for one that is not of foidex."""
    try:
        text = folder.read_file(MANIFEST_NAME, _MAX_MANIFEST_BYTES, refuses_foreign=True)
        manifest = msgspec.json.decode(text, type=Manifest)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, UnsafePathError):
        manifest = None
    if manifest is None or not all(map(_DOCUMENT_PATH.fullmatch, manifest.files)):
        raise UnreadableError(
            f"{folder.path / MANIFEST_NAME}: is not a manifest of foidex. Move it away, or name "
            "another folder with --out."
        )
    return manifest
