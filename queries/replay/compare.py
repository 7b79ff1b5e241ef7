"""An answer asked again: the same numbers, or exactly which records moved them, and why.

Asks the generation that answered, where it is kept, and the live one. What the records were is told
by the answer's basis, else by the generation that answered. Says in ``doubts`` where the answer is
not as it was made.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer.errors import ReplayMismatchError, RequestError
from indexer.index.generations import find_generation
from queries.answer.cells import (
    CellChange,
    CellKey,
    collect_numbers,
    compare_numbers,
    hash_json,
    label_numbers,
)
from queries.answer.types import ANSWER_FORMAT, Answer
from queries.answering.build import compute_answer
from queries.evidence.basis import Basis, read_basis, require_sums
from queries.evidence.facts import RecordFacts, TracedRecord
from queries.evidence.membership import build_membership, build_mention_membership, sum_counts
from queries.evidence.trace import trace_references, trace_scope
from queries.replay.movement import (
    ChangeReason,
    RecordChange,
    RecordsAfter,
    RecordsBefore,
    find_record_changes,
    find_unexplained_changes,
)
from queries.request.reader import Request, request_from_answer


class LabelledNumber(Struct, frozen=True, rename={"key": "place"}):
    """A number by its place, and what an answer calls it."""

    key: CellKey
    label: str


class LabelledRecordChange(
    Struct,
    frozen=True,
    rename={"numbers_left": "left", "numbers_entered": "entered", "numbers_changed": "changed"},
):
    """A record that counts otherwise: why, the numbers it left and entered, and those that it
    counts another number of times in, or that may have moved with it."""

    crime_ref: str
    reasons: tuple[ChangeReason, ...]
    numbers_left: tuple[LabelledNumber, ...]
    numbers_entered: tuple[LabelledNumber, ...]
    numbers_changed: tuple[LabelledNumber, ...]


class Replay(
    Struct,
    frozen=True,
    rename={
        "generation_kept": "kept",
        "generation_visible": "known",
        "integrity_warnings": "doubts",
        "source_changes": "then",
        "live_changes": "moved",
        "record_changes": "movers",
        "movers_unavailable_reason": "nameless",
        "unexplained_changes": "unexplained",
        "erased": "forgotten",
    },
):
    """What a replay found.

    ``kept`` says whether the generation that answered is, which is not ``known`` to a user who may
    ask the live one alone; ``forgotten`` is how many of its records were forgotten since. ``then``
    are the numbers that it gives otherwise today, ``moved`` those that the live one does.
    ``movers`` are the records that moved them; None where they cannot be named, and ``nameless``
    says why. ``unexplained`` are numbers that moved by another amount than the records do.
    """

    reference: str
    generation: str
    built_at: datetime
    version: str
    generation_kept: bool
    generation_visible: bool
    basis: Literal["kept", "not kept", "missing", "wrong"]
    integrity_warnings: tuple[str, ...]
    notes: tuple[str, ...]
    source_changes: tuple[CellChange, ...]
    live: str
    live_built_at: datetime
    live_changes: tuple[CellChange, ...]
    record_changes: tuple[LabelledRecordChange, ...] | None
    movers_unavailable_reason: str
    unexplained_changes: tuple[CellChange, ...]
    erased: int = 0

    @property
    def error(self) -> ReplayMismatchError | None:
        """What the command fails with; None where nothing moved and nothing is in doubt."""
        clauses = []
        if self.live_changes:
            by = (
                ""
                if self.record_changes is None
                else f", by {format_quantity(len(self.record_changes), 'record')}"
            )
            clauses.append(f"{format_quantity(len(self.live_changes), 'number')} moved{by}")
        if self.source_changes:
            clauses.append(f"{len(self.source_changes):,} differ on the generation that answered")
        if self.integrity_warnings:
            clauses.append("the answer is not as it was made")
        return ReplayMismatchError(f"{self.reference}: {'; '.join(clauses)}.") if clauses else None


def format_quantity(number: int, noun: str) -> str:
    """A number with its noun: "1 record", "1,234 records"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


class _SourceEvidence(NamedTuple):
    """What is left of the answer's time: its basis, and ``there``, what the generation that
    answered says today; and whether that is ``known``."""

    basis: Basis | None
    source_answer: Answer | None
    generation_visible: bool


class _SourceState(NamedTuple):
    """The generation that answered: whether it is kept, whether that is ``known`` to this user, how
    many records were forgotten since, and what in it does not fit the answer."""

    generation_kept: bool
    generation_visible: bool = True
    erased: int = 0
    integrity_warnings: tuple[str, ...] = ()


def read_unpublished_answer(path: Path) -> Answer:
    """Read an answer from its JSON file. Raises RequestError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise RequestError(
            f"{path}: cannot be read ({error.strerror}). Name an answer's JSON file."
        ) from None
    try:
        raw: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError(
            f"{path}: is not JSON. Name what foidex answer --format json printed."
        ) from None
    file_format = raw.get("format") if isinstance(raw, dict) else None
    if file_format != ANSWER_FORMAT:
        description = (
            f'is of the format "{str(file_format)[:40]}"' if file_format else "is no answer"
        )
        raise RequestError(
            f"{path}: {description}; this foidex replays {ANSWER_FORMAT}. Name what foidex answer --format json "
            "printed, and replay it with the version that made it."
        )
    try:
        answer = msgspec.convert(raw, Answer)
    except msgspec.ValidationError as error:
        raise RequestError(
            f"{path}: is not an answer as foidex makes one ({error}). Use the file as it was made."
        ) from None
    if answer.disclosure is not None:
        raise RequestError(
            f"{path}: is a published answer, in which numbers may be withheld. Replay the one that "
            "was answered without --publish."
        )
    return answer


def extract_request(answer: Answer, path: Path) -> Request:
    """The request that an answer holds. Raises RequestError, also where the two do not fit."""
    try:
        request = request_from_answer(answer.request)
        request.require_readable_scope()
        collect_numbers(answer)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from None
    except (ValueError, IndexError):
        raise RequestError(
            f"{path}: has a table whose rows and columns do not fit. Use the file as it was made."
        ) from None
    if [question.id for question in request.questions] != [
        question.id for question in answer.questions
    ]:
        raise RequestError(
            f"{path}: answers other questions than its request asks. Use the file as it was made."
        )
    return request


def replay_answer(  # noqa: PLR0913 - what to ask, and where what was kept is
    client: Elasticsearch,
    alias: str,
    answer: Answer,
    request: Request,
    folder: Path,
    max_records: int,
) -> Replay:
    """Ask again, and compare. ``folder`` is the audit folder, ``most`` the most records in scope.

    Raises as ``execute.answer``.
    """
    provenance = answer.provenance
    integrity_warnings = _check_query_hash(answer)
    source = _inspect_source(client, alias, answer)
    generation_kept = source.generation_kept
    integrity_warnings += source.integrity_warnings
    basis, state, basis_warnings = _verify_basis(answer, folder)
    integrity_warnings += basis_warnings
    source_changes: list[CellChange] = []
    live = compute_answer(client, alias, request)
    source_answer = _answer_at_source(client, answer, live, request) if generation_kept else None
    if source_answer:
        source_changes = compare_numbers(answer, source_answer)
    live_changes = compare_numbers(answer, live)
    notes, provenance_warnings = _compare_provenance(answer, live)
    notes += _list_source_notes(source)
    integrity_warnings += provenance_warnings
    record_changes: list[RecordChange] | None = []
    unavailable_reason = ""
    unexplained_changes: list[CellChange] = []
    if live_changes:
        record_changes, unexplained_changes, unavailable_reason = _explain_changes(
            client,
            alias,
            answer,
            live,
            request,
            live_changes,
            _SourceEvidence(basis, source_answer, source.generation_visible),
            max_records,
        )
    return Replay(
        reference=answer.reference,
        generation=provenance.generation,
        built_at=provenance.built_at,
        version=provenance.version,
        generation_kept=generation_kept,
        generation_visible=source.generation_visible,
        basis=state,
        integrity_warnings=tuple(integrity_warnings),
        notes=tuple(notes),
        source_changes=tuple(source_changes),
        live=live.provenance.generation,
        live_built_at=live.provenance.built_at,
        live_changes=tuple(live_changes),
        record_changes=None
        if record_changes is None
        else _label_record_changes(record_changes, answer, live),
        movers_unavailable_reason=unavailable_reason,
        unexplained_changes=tuple(unexplained_changes),
        erased=source.erased,
    )


def _check_query_hash(answer: Answer) -> list[str]:
    """What in the answer's own file does not fit together."""
    provenance = answer.provenance
    if hash_json(provenance.query) != provenance.query_hash:
        return [
            "The query in the answer is not the one whose hash it holds: the file was changed "
            "after it was made."
        ]
    return []


def _inspect_source(client: Elasticsearch, alias: str, answer: Answer) -> _SourceState:
    """The generation that answered, so far as this user may see it."""
    provenance = answer.provenance
    try:
        generation = find_generation(client, alias, provenance.generation)
    except elasticsearch.AuthorizationException:
        return _SourceState(generation_kept=False, generation_visible=False)
    if generation is None:
        return _SourceState(generation_kept=False)
    if (generation.built_at, generation.mapping_hash) == (
        provenance.built_at,
        provenance.mapping_hash,
    ):
        # It is sealed, so it holds fewer records than it did only where some were forgotten.
        return _SourceState(generation_kept=True, erased=provenance.records - generation.records)
    warning = (
        f"{generation.name} is here, but was built at another time or with another mapping than the "
        "answer says: the answer is of another index, or was changed after it was made."
    )
    return _SourceState(generation_kept=False, integrity_warnings=(warning,))


def _list_source_notes(source: _SourceState) -> list[str]:
    """What a person must know of the generation that answered, to read the rest."""
    notes = []
    if not source.generation_visible:
        notes.append(
            "This user may ask the live generation alone. To ask the one that answered, replay as "
            "a user with the role foidex_auditor (docs/operating.md describes the roles)."
        )
    return notes


def _verify_basis(
    answer: Answer, folder: Path
) -> tuple[Basis | None, Literal["kept", "not kept", "missing", "wrong"], list[str]]:
    """The answer's basis, what became of it, and what is wrong with it or the answer's numbers."""
    digest = answer.provenance.basis
    if digest is None:
        return None, "not kept", []
    try:
        basis = read_basis(folder, digest)
    except RequestError as error:
        return None, "wrong", [f"The basis cannot be used: {error}"]
    if basis is None:
        return None, "missing", []
    head, provenance = basis.head, answer.provenance
    if (head.generation, head.query_hash) != (provenance.generation, provenance.query_hash):
        return None, "wrong", ["The basis that the answer names is that of another answer."]
    totals = sum_counts(record.counts for record in basis.records.values())
    answer_numbers = collect_numbers(answer)
    labels = label_numbers(answer)
    mismatches = [
        cell_key
        for cell_key in head.cell_keys
        if answer_numbers.get(cell_key) != totals.get(cell_key, 0)
    ]
    return (
        basis,
        "kept",
        [
            f"{labels.get(cell_key, 'A number that is not there')}: the answer says "
            f"{answer_numbers.get(cell_key)}, its basis {totals.get(cell_key, 0)}. The answer was changed after it "
            "was made."
            for cell_key in mismatches
        ],
    )


def _compare_provenance(answer: Answer, live: Answer) -> tuple[list[str], list[str]]:
    """What differs between then and now besides the numbers: notes, and doubts."""
    original, current = answer.provenance, live.provenance
    notes = []
    integrity_warnings = []
    if original.version != current.version:
        notes.append(f"foidex {original.version} answered; this is foidex {current.version}.")
    if original.mapping_hash != current.mapping_hash:
        notes.append("The live generation was built with another mapping, or other categories.")
    if original.query_hash != current.query_hash:
        if original.version != current.version:
            notes.append(
                "The request is another query now: the matching rule or the table changed."
            )
        else:
            integrity_warnings.append(
                "The request in the answer gives another query than the one that was sent, by the "
                "same version of foidex: the request was changed, or foidex was."
            )
    return notes, integrity_warnings


def _explain_changes(  # noqa: PLR0913 - both sides, and what is left of one
    client: Elasticsearch,
    alias: str,
    answer: Answer,
    live: Answer,
    request: Request,
    changes: list[CellChange],
    evidence: _SourceEvidence,
    max_records: int,
) -> tuple[list[RecordChange] | None, list[CellChange], str]:
    """The records that moved the numbers; or None, and why they cannot be named."""
    provenance = answer.provenance
    if evidence.basis is None and evidence.source_answer is None:
        return (
            None,
            [],
            (
                f"{provenance.generation}, which answered, "
                f"{'was pruned' if evidence.generation_visible else 'is not shown to this user'}, and "
                + (
                    "no basis was kept"
                    if provenance.basis is None
                    else "the basis is not in the audit folder, or not as it was"
                )
                + ": what the records were then is not known."
            ),
        )
    if (
        max(answer.scope.of_any_status, live.scope.of_any_status) > max_records
        and evidence.basis is None
    ):
        return (
            None,
            [],
            (
                f"more than {max_records:,} records are in scope, and no basis was kept. Raise "
                "basis_records in [audit] of foidex.toml and replay again."
            ),
        )
    scope = request.scope
    mentions = build_mention_membership(scope)
    live_records = _trace_answer(client, live, request, alias)
    # What is live is asked through the alias, which is all that some users may ask.
    access_alias = alias if provenance.generation == live.provenance.generation else None
    if evidence.basis:
        source_records = evidence.basis.records
    else:
        assert evidence.source_answer
        source_records = _trace_answer(client, evidence.source_answer, request, access_alias)
    gone_references = [reference for reference in source_records if reference not in live_records]
    new_references = [reference for reference in live_records if reference not in source_records]
    outside: dict[str, Any] = {}
    if evidence.source_answer:
        outside.update(
            trace_references(client, provenance.generation, new_references, mentions, access_alias)
        )
    elif evidence.basis and evidence.basis.near_records is not None:
        outside.update(evidence.basis.near_records)
    before = RecordsBefore(
        source_records,
        outside,
        complete=evidence.source_answer is not None,
        near_complete=bool(evidence.basis and evidence.basis.near_records is not None),
    )
    gone_facts: dict[str, RecordFacts] = trace_references(
        client, live.provenance.generation, gone_references, mentions, alias
    )
    if evidence.source_answer and (
        untraced := [reference for reference in gone_references if reference not in gone_facts]
    ):
        # A full refresh knows no tombstone; the generation that answered tells what was forgotten.
        source_facts = trace_references(
            client, provenance.generation, untraced, mentions, access_alias
        )
        gone_facts |= {name: facts for name, facts in source_facts.items() if facts.erased}
    after = RecordsAfter(live_records, gone_facts)
    record_changes = find_record_changes(before, after, changes, scope, provenance.built_at.date())
    return record_changes, find_unexplained_changes(before, after, changes), ""


def _answer_at_source(
    client: Elasticsearch, answer: Answer, live: Answer, request: Request
) -> Answer:
    """The answer that the generation gives today, whose rows and forms are to be traced.

    Of the live one it is at hand, and was asked through the alias.
    """
    name = answer.provenance.generation
    return live if name == live.provenance.generation else compute_answer(client, name, request)


def _trace_answer(
    client: Elasticsearch, answer: Answer, request: Request, access_alias: str | None
) -> dict[str, TracedRecord]:
    cell_membership = build_membership(request, answer)
    name = answer.provenance.generation
    records = list(trace_scope(client, name, request.scope, cell_membership, access_alias))
    require_sums(cell_membership, records, answer)
    return {record.facts.crime_ref: record for record in records}


def _label_record_changes(
    record_changes: list[RecordChange], answer: Answer, live: Answer
) -> tuple[LabelledRecordChange, ...]:
    label_by_key = label_numbers(live) | label_numbers(answer)

    def named(cell_keys: tuple[CellKey, ...]) -> tuple[LabelledNumber, ...]:
        return tuple(LabelledNumber(cell_key, label_by_key[cell_key]) for cell_key in cell_keys)

    return tuple(
        LabelledRecordChange(
            change.crime_ref,
            change.reasons,
            named(change.numbers_left),
            named(change.numbers_entered),
            named(change.numbers_changed),
        )
        for change in record_changes
    )
