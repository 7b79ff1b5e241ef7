"""The basis of an answer: which records count in which of its numbers, kept in a file.

Gzipped JSON lines, readable by the owner only: a header, each record in scope, and each record that
fails exactly one filter of the scope. The file is named by its SHA-256, which the answer contains,
so the answer itself contains no reference. The same answer of a generation has the same file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from elasticsearch import AuthorizationException, Elasticsearch
from msgspec import Struct

from indexer.audit import BASIS_FOLDER_NAME
from indexer.errors import InexactError, OutputError, RequestError
from indexer.files import PRIVATE, open_folder, read_file
from queries.answer.cells import CellKey
from queries.answer.types import Answer
from queries.evidence.facts import NearScopeRecord, RecordFacts, TracedRecord
from queries.evidence.membership import (
    CellCounts,
    Membership,
    build_membership,
    find_differing_cells,
    sum_counts,
)
from queries.evidence.trace import list_near_records, trace_scope
from queries.request.reader import Request

BASIS_FORMAT: Final = "foidex-basis/1"

_SUFFIX: Final = ".jsonl.gz"

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class BasisHeader(Struct, frozen=True, rename={"cell_keys": "places", "near_records": "near"}):
    """The first line. ``cell_keys`` are the numbers that the later lines count in, by position;
    ``near_records`` is None if too many records were near the scope to keep."""

    generation: str
    query_hash: str
    cell_keys: tuple[CellKey, ...]
    records: int
    near_records: int | None
    format: str = BASIS_FORMAT


class BasisLine(Struct, frozen=True, rename={"counts": "in"}):
    """A record in scope, and what it counts in each number, by its position."""

    facts: RecordFacts
    counts: dict[int, int]


class Basis(Struct, frozen=True):
    """A basis that was read, by reference; ``near_records`` is None if they were not kept."""

    head: BasisHeader
    records: dict[str, TracedRecord]
    near_records: dict[str, NearScopeRecord] | None


def basis_path(folder: Path, digest: str) -> Path:
    """Where the basis with a hash is, in the audit folder."""
    return folder / BASIS_FOLDER_NAME / f"{digest}{_SUFFIX}"


def save_basis(  # noqa: PLR0913 - what was asked, and where it is kept
    client: Elasticsearch,
    answer: Answer,
    request: Request,
    folder: Path,
    max_records: int,
    access_alias: str | None = None,
) -> tuple[Answer, str]:
    """Write the basis of an answer; the answer with its hash, or without it and the reason.

    ``access_alias`` is the alias, for a user who may not read an index by its name.

    Raises OutputError, and InexactError if the records do not add up to the numbers.
    """
    if (number := answer.scope.of_any_status) > max_records:
        return answer, (
            f"The basis of this answer is not kept: {number:,} records are in scope, and the most "
            f"is {max_records:,} (basis_records in [audit] of foidex.toml). A replay can name the "
            "records that moved only while the generation is kept."
        )
    generation = answer.provenance.generation
    cell_membership = build_membership(request, answer)
    try:
        traced = list(trace_scope(client, generation, request.scope, cell_membership, access_alias))
    except AuthorizationException:
        return answer, (
            "The basis of this answer is not kept, because this user may not read records. A "
            "replay can name the records that moved only while the generation is kept."
        )
    require_sums(cell_membership, traced, answer)
    near_records = list_near_records(
        client, generation, request.scope, max_records - len(traced), access_alias
    )
    head = BasisHeader(
        generation=generation,
        query_hash=answer.provenance.query_hash,
        cell_keys=cell_membership.cell_keys,
        records=len(traced),
        near_records=None if near_records is None else len(near_records),
    )
    digest = write_basis(folder, head, traced, near_records or ())
    provenance = msgspec.structs.replace(answer.provenance, basis=digest)
    return msgspec.structs.replace(answer, provenance=provenance), ""


def require_sums(
    cell_membership: Membership, traced: Sequence[TracedRecord], answer: Answer
) -> None:
    """Raise InexactError if the records do not add up to an answer's numbers."""
    totals = sum_counts(record.counts for record in traced)
    if wrong := find_differing_cells(cell_membership, totals, answer):
        cell_key = wrong[0]
        raise InexactError(
            "the records, one by one, do not add up to the numbers of the search "
            f"({cell_key.question} {cell_key.part} {cell_key.row} {cell_key.column}: "
            f"{totals.get(cell_key, 0):,}), so none is given. This is a fault in foidex; please "
            "report it."
        )


def write_basis(
    folder: Path,
    head: BasisHeader,
    traced: Sequence[TracedRecord],
    near_records: Sequence[NearScopeRecord],
) -> str:
    """Write a basis and return its hash. Raises OutputError."""
    positions = {cell_key: position for position, cell_key in enumerate(head.cell_keys)}
    text = io.BytesIO()
    encode = msgspec.json.Encoder().encode
    with gzip.GzipFile(fileobj=text, mode="wb", mtime=0, filename="") as packed:
        packed.write(encode(head) + b"\n")
        for record in traced:
            counts = {positions[cell_key]: count for cell_key, count in record.counts.items()}
            packed.write(encode(BasisLine(record.facts, dict(sorted(counts.items())))) + b"\n")
        for near_record in near_records:
            packed.write(encode(near_record) + b"\n")
    digest = hashlib.sha256(text.getvalue()).hexdigest()
    file = basis_path(folder, digest)
    try:
        with open_folder(folder, create=PRIVATE):
            pass
        with open_folder(file.parent, create=PRIVATE) as basis_folder:
            basis_folder.make_private()
            basis_folder.write_file(file.name, text.getvalue(), PRIVATE)
    except OSError as error:
        raise OutputError(
            f"{file.parent}: the basis of the answer cannot be written ({error.strerror}), so no "
            "answer is given. Name another folder in [audit] of foidex.toml, or leave the basis "
            "out with --no-basis."
        ) from None
    return digest


def read_basis(folder: Path, digest: str) -> Basis | None:
    """Read a basis; None if it does not exist. Raises RequestError if it was changed."""
    if not _DIGEST.fullmatch(digest):
        raise RequestError("the basis that the answer names is not a SHA-256.")
    file = basis_path(folder, digest)
    try:
        packed = read_file(file)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RequestError(
            f"{file}: cannot be read ({error.strerror}). Run as its owner."
        ) from None
    if hashlib.sha256(packed).hexdigest() != digest:
        raise RequestError(f"{file}: was changed: its SHA-256 is not the one in its name.")
    try:
        first, *lines = gzip.decompress(packed).splitlines()
        head = msgspec.json.decode(first, type=BasisHeader)
        if head.format != BASIS_FORMAT:
            raise RequestError(
                f"{file}: has the format {head.format}; this foidex reads {BASIS_FORMAT}."
            )
        record_lines = [msgspec.json.decode(line, type=BasisLine) for line in lines[: head.records]]
        near_records = [
            msgspec.json.decode(line, type=NearScopeRecord) for line in lines[head.records :]
        ]
        traced = {
            line.facts.crime_ref: TracedRecord(line.facts, _decode_counts(head, line))
            for line in record_lines
        }
    except (OSError, EOFError, zlib.error, ValueError, IndexError, RecursionError) as error:
        raise RequestError(f"{file}: is not a basis ({type(error).__name__}).") from None
    return Basis(
        head,
        traced,
        None
        if head.near_records is None
        else {record.crime_ref: record for record in near_records},
    )


def _decode_counts(head: BasisHeader, line: BasisLine) -> CellCounts:
    return {head.cell_keys[position]: number for position, number in line.counts.items()}
