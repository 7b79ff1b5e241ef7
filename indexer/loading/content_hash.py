"""The content hash: a number for what a record's document says, wherever it was read."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from indexer.records.document import encode_document
from indexer.records.model import CrimeDocument

_DIGEST_BYTES: Final = 16

#: The hash of an index is the sum of its records' hashes, modulo this.
CONTENT_HASH_RANGE: Final = 1 << (8 * _DIGEST_BYTES)

_LOCATION_FIELD: Final = "place"

# Inside a JSON string its quotes would be escaped.
_ENCODED_LOCATION: Final = f',"{_LOCATION_FIELD}":'.encode()


def hash_content(document: CrimeDocument | dict[str, Any]) -> int:
    """The hash of a document, or of its JSON object as the index returns it, without ``place``."""
    if isinstance(document, CrimeDocument):
        content = encode_document(msgspec.structs.replace(document, location=msgspec.UNSET))
    else:
        content = encode_document(
            {name: value for name, value in document.items() if name != _LOCATION_FIELD}
        )
    # Generations of earlier versions were hashed without the closing brace; theirs stay comparable.
    return int.from_bytes(_digest(content[:-1]), "big")


def hash_encoded_content(source: bytes) -> bytes:
    """The same hash as bytes, of a record's document as it is sent: ``place`` is its last field."""
    return _digest(source[: source.rindex(_ENCODED_LOCATION)])


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()


def strip_resolved_codes(document: dict[str, Any]) -> dict[str, Any]:
    """A document's JSON object as its source gave it: without the codes that links were given."""
    links = document.get("linked", [])
    if not any(link.get("resolved") for link in links):
        return document
    bare_links = [
        {"crime_ref": link["crime_ref"]} if link.get("resolved") else link for link in links
    ]
    return {**document, "linked": bare_links}
