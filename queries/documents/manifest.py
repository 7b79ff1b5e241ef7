"""The list of files, with their SHA-256, that foidex wrote in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from indexer.errors import OutputError

MANIFEST_NAME: Final = "manifest.json"

MANIFEST_FORMAT: Final = "foidex-manifest/1"


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


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder, or None. Raises OutputError for one that is damaged."""
    path = folder / MANIFEST_NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        manifest = None
    if manifest is None or not all(map(_is_path_inside, manifest.files)):
        raise OutputError(
            f"{path}: is not a manifest of foidex. Move it away, or name another folder with --out."
        )
    return manifest


def _is_path_inside(path: str) -> bool:
    """Whether a manifest's path stays in its folder."""
    return not Path(path).is_absolute() and ".." not in Path(path).parts
