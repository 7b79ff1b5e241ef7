"""A basis that was made to harm is one message, whatever its hash says."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from indexer.errors import RequestError
from queries.evidence.basis import BasisHeader, basis_path, read_basis, write_basis

HEAD = b'{"generation":"g","query_hash":"q","places":[],"records":1,"near":null}\n'

FACTS = b'{"crime_ref":"1","status":"open","offence_code":"8L","recorded_on":"2017-04-01"}'


def plant(folder: Path, packed: bytes) -> str:
    """Put a basis where its hash says that it belongs."""
    digest = hashlib.sha256(packed).hexdigest()
    path = basis_path(folder, digest)
    path.parent.mkdir()
    path.write_bytes(packed)
    return digest


@pytest.mark.parametrize(
    "packed",
    [
        b"text",
        gzip.compress(b"text"),
        gzip.compress(HEAD)[:-10],
        gzip.compress(HEAD)[:10] + b"\xff" * 20,
        gzip.compress(b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"),
        gzip.compress(HEAD + b'{"facts":' + FACTS + b',"in":{"0":1}}\n'),
    ],
    ids=["no gzip", "no JSON", "cut short", "damaged", "nested too deeply", "no such number"],
)
def test_what_is_no_basis_is_one_message(tmp_path: Path, packed: bytes) -> None:
    with pytest.raises(RequestError, match="is not a basis"):
        read_basis(tmp_path, plant(tmp_path, packed))


def test_a_basis_is_read_as_it_was_written(tmp_path: Path) -> None:
    header = BasisHeader("g", "q", (), 0, None)
    found = read_basis(tmp_path, write_basis(tmp_path, header, [], ()))
    assert found is not None
    assert (found.head, found.records, found.near_records) == (header, {}, None)
