"""The basis of an answer: which records count in which of its numbers, kept in a file.

Gzip JSON lines, for their owner's eyes only: a head, each record in scope, and each record that
lacks one thing to be in scope. The file is named by its SHA-256, which stands in the answer, so the
answer itself holds no reference. Asked again of the same generation it is the same file.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec
from elasticsearch import AuthorizationException, Elasticsearch
from msgspec import Struct

from indexer.audit import write_private
from indexer.errors import InexactError, OutputError, RequestError
from queries import membership, trace
from queries.answer import Answer
from queries.facts import Facts, Near, Traced
from queries.membership import Counts
from queries.numbers import Place
from queries.request import Request

FORMAT: Final = "foidex-basis/1"
_FOLDER: Final = "basis"
_SUFFIX: Final = ".jsonl.gz"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Head(Struct, frozen=True):
    """The first line. ``places`` are the numbers that the lines after count in, by their order;
    ``near`` is None where there were too many records near the scope to keep."""

    generation: str
    query_hash: str
    places: tuple[Place, ...]
    records: int
    near: int | None
    format: str = FORMAT


class Line(Struct, frozen=True, rename={"counts": "in"}):
    """A record in scope, and what it counts in each place."""

    facts: Facts
    counts: dict[int, int]


class Basis(Struct, frozen=True):
    """A basis that was read, by reference; ``near`` is None where it was not kept."""

    head: Head
    records: dict[str, Traced]
    near: dict[str, Near] | None


def path(folder: Path, digest: str) -> Path:
    """Where the basis of a hash is, in the audit folder."""
    return folder / _FOLDER / f"{digest}{_SUFFIX}"


def keep(  # noqa: PLR0913 - what was asked, and where it is kept
    client: Elasticsearch,
    answer: Answer,
    request: Request,
    folder: Path,
    most: int,
    through: str | None = None,
) -> tuple[Answer, str]:
    """Write the basis of an answer; the answer with its hash, or without, and why, in words.

    ``through`` is the alias, for a user who may read no index by its name.

    Raises OutputError, and InexactError where the records do not add up to the numbers.
    """
    if (number := answer.scope.of_any_status) > most:
        return answer, (
            f"The basis of this answer is not kept: {number:,} records are in scope, and the most "
            f"is {most:,} (basis_records in [audit] of foidex.toml). A replay can name the records "
            "that moved only while the generation is kept."
        )
    generation = answer.provenance.generation
    asked = membership.of(request, answer)
    try:
        traced = list(trace.in_scope(client, generation, request.scope, asked, through))
    except AuthorizationException:
        return answer, (
            "The basis of this answer is not kept, because this user may not read records. A "
            "replay can name the records that moved only while the generation is kept."
        )
    require_sums(asked, traced, answer)
    near = trace.near(client, generation, request.scope, most - len(traced), through)
    head = Head(
        generation=generation,
        query_hash=answer.provenance.query_hash,
        places=asked.places,
        records=len(traced),
        near=None if near is None else len(near),
    )
    digest = write(folder, head, traced, near or ())
    provenance = msgspec.structs.replace(answer.provenance, basis=digest)
    return msgspec.structs.replace(answer, provenance=provenance), ""


def require_sums(asked: membership.Membership, traced: Sequence[Traced], answer: Answer) -> None:
    """Raise InexactError where the records do not add up to an answer's numbers."""
    added = membership.sums(one.counts for one in traced)
    if wrong := membership.differing(asked, added, answer):
        place = wrong[0]
        raise InexactError(
            f"the records, one by one, do not add up to the numbers of the search ({place.question}"
            f" {place.part} {place.row} {place.column}: {added.get(place, 0):,}), so none is "
            "given. This is a fault in foidex; please report it."
        )


def write(folder: Path, head: Head, traced: Sequence[Traced], near: Sequence[Near]) -> str:
    """Write a basis and return its hash. Raises OutputError."""
    number = {place: at for at, place in enumerate(head.places)}
    text = io.BytesIO()
    encode = msgspec.json.Encoder().encode
    with gzip.GzipFile(fileobj=text, mode="wb", mtime=0, filename="") as packed:
        packed.write(encode(head) + b"\n")
        for one in traced:
            counts = {number[place]: count for place, count in one.counts.items()}
            packed.write(encode(Line(one.facts, dict(sorted(counts.items())))) + b"\n")
        for other in near:
            packed.write(encode(other) + b"\n")
    digest = hashlib.sha256(text.getvalue()).hexdigest()
    file = path(folder, digest)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.parent.mkdir(mode=0o700, exist_ok=True)
        write_private(file, text.getvalue())
    except OSError as error:
        raise OutputError(
            f"{file.parent}: the basis of the answer cannot be written ({error.strerror}), so no "
            "answer is given. Name another folder in [audit] of foidex.toml, or leave the basis "
            "out with --no-basis."
        ) from None
    return digest


def read(folder: Path, digest: str) -> Basis | None:
    """Read a basis; None where it is not there. Raises RequestError where it was changed."""
    if not _DIGEST.fullmatch(digest):
        raise RequestError("the basis that the answer names is no SHA-256.")
    file = path(folder, digest)
    try:
        packed = file.read_bytes()
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
        head = msgspec.json.decode(first, type=Head)
        if head.format != FORMAT:
            raise RequestError(
                f"{file}: is of the format {head.format}; this foidex reads {FORMAT}."
            )
        kept = [msgspec.json.decode(line, type=Line) for line in lines[: head.records]]
        near = [msgspec.json.decode(line, type=Near) for line in lines[head.records :]]
    except (OSError, EOFError, ValueError) as error:
        raise RequestError(f"{file}: is no basis ({type(error).__name__}).") from None
    return Basis(
        head,
        {one.facts.crime_ref: Traced(one.facts, _counts(head, one)) for one in kept},
        None if head.near is None else {one.crime_ref: one for one in near},
    )


def _counts(head: Head, line: Line) -> Counts:
    return {head.places[at]: number for at, number in line.counts.items()}
