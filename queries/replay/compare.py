"""An answer asked again: the same numbers, or exactly which records changed them, and why.

Asks the generation that answered, if it is kept, and the live one. What the records were is known
from the answer's basis, or else from the generation that answered. Integrity warnings say what in
the answer is not as it was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import elasticsearch
from elasticsearch import Elasticsearch
from msgspec import UNSET, Struct

from indexer.errors import ReplayMismatchError, RequestError
from indexer.index.generations import find_alias, find_generation
from queries.answer.answer_file import read_answer_file
from queries.answer.cells import (
    CellChange,
    CellKey,
    collect_numbers,
    compare_numbers,
    hash_json,
    label_numbers,
)
from queries.answer.types import Answer
from queries.answering.build import count_answer
from queries.answering.coverage import apply_coverage
from queries.evidence.basis import Basis, read_basis, require_sums
from queries.evidence.facts import NearScopeRecord, RecordFacts, TracedRecord
from queries.evidence.membership import build_membership, build_mention_membership, sum_counts
from queries.evidence.trace import trace_references, trace_scope
from queries.layout.coverage_text import format_coverage_days
from queries.replay.movement import (
    ChangeContext,
    ChangeReason,
    RecordChange,
    RecordsAfter,
    RecordsBefore,
    find_record_changes,
    find_unexplained_changes,
)
from queries.replay.reviews import explain_reviews, explain_texts, find_altered_reviews
from queries.request.reader import Request, request_from_answer


class LabelledNumber(Struct, frozen=True, omit_defaults=True, rename={"key": "place"}):
    """A number by its key, and what an answer calls it; ``derived`` as ``Cell.is_derived``."""

    key: CellKey
    label: str
    derived: bool = False


LabelledNumbers: TypeAlias = tuple[LabelledNumber, ...]


class LabelledRecordChange(
    Struct,
    frozen=True,
    rename={"numbers_left": "left", "numbers_entered": "entered", "numbers_changed": "changed"},
):
    """A record that counts differently: why, the numbers it left and entered, and those that it
    counts a different number of times in, or that may have changed because of it."""

    crime_ref: str
    reasons: tuple[ChangeReason, ...]
    numbers_left: LabelledNumbers
    numbers_entered: LabelledNumbers
    numbers_changed: LabelledNumbers


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
    """The result of a replay.

    ``generation_kept`` is whether the generation that answered still exists; a user who may ask
    only the live one cannot know, and then ``generation_visible`` is false. ``erased`` is how many
    of its records were erased since. ``source_changes`` are numbers that it gives differently
    today, ``live_changes`` those that the live one does. ``record_changes`` are the records that
    changed them; None if they cannot be named, and ``movers_unavailable_reason`` says why.
    ``unexplained_changes`` are numbers whose change is not the sum of the changes of the records.
    ``matching_rule_changed`` is whether another version of the matching rule answered.
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
    matching_rule_changed: bool = False

    @property
    def error(self) -> ReplayMismatchError | None:
        """What the command fails with; None if nothing changed and there is no warning."""
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


class _SourceState(NamedTuple):
    """The generation that answered: whether it is kept, whether this user may ask it, how many of
    its records were erased since, and what in it does not fit the answer."""

    generation_kept: bool
    generation_visible: bool = True
    erased: int = 0
    integrity_warnings: tuple[str, ...] = ()


def read_unpublished_answer(path: Path) -> Answer:
    """Read an answer that was not published from its JSON file. Raises RequestError."""
    answer = read_answer_file(path)
    if answer.disclosure is not None:
        raise RequestError(
            f"{path}: is a published answer, in which numbers may be withheld. Replay the answer "
            "that was made without --publish."
        )
    return answer


def extract_request(answer: Answer, path: Path) -> Request:
    """The request that an answer contains. Raises RequestError, even if only the two do not fit."""
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


class ReplayContext(NamedTuple):
    """What a replay runs with: the server and its alias, the audit folder, and the largest number
    of records in scope for which records are traced without a basis."""

    client: Elasticsearch
    alias: str
    folder: Path
    max_records: int


def replay_answer(context: ReplayContext, answer: Answer, request: Request) -> Replay:
    """Answer the request again, and compare. Raises as ``compute_answer``."""
    provenance = answer.provenance
    source = _inspect_source(context, answer)
    basis, basis_state, basis_warnings = _verify_basis(answer, context.folder)
    live = _answer_live(context, answer, request)
    source_answer = (
        _answer_at_source(context, answer, live, request) if source.generation_kept else None
    )
    live_changes = compare_numbers(answer, live)
    notes, provenance_warnings = _compare_provenance(answer, live)
    explanation = _Explanation([])
    if live_changes:
        evidence = _Evidence(answer, live, request, basis, source_answer, source.generation_visible)
        explanation = _explain_changes(context, evidence, live_changes)
    return Replay(
        reference=answer.reference,
        generation=provenance.generation,
        built_at=provenance.built_at,
        version=provenance.version,
        generation_kept=source.generation_kept,
        generation_visible=source.generation_visible,
        basis=basis_state,
        integrity_warnings=(
            *_check_query_hash(answer),
            *find_altered_reviews(answer),
            *source.integrity_warnings,
            *basis_warnings,
            *provenance_warnings,
        ),
        notes=(
            *notes,
            *_list_source_notes(source),
            *explain_reviews(answer, live),
            *explain_texts(answer),
        ),
        source_changes=tuple(compare_numbers(answer, source_answer)) if source_answer else (),
        live=live.provenance.generation,
        live_built_at=live.provenance.built_at,
        live_changes=tuple(live_changes),
        record_changes=None
        if explanation.record_changes is None
        else _label_record_changes(explanation.record_changes, answer, live),
        movers_unavailable_reason=explanation.unavailable_reason,
        unexplained_changes=tuple(explanation.unexplained_changes),
        erased=source.erased,
        matching_rule_changed=is_other_rule(answer, live),
    )


def _check_query_hash(answer: Answer) -> list[str]:
    """What does not fit together within the answer itself."""
    provenance = answer.provenance
    if hash_json(provenance.query) != provenance.query_hash:
        return [
            "The query in the answer is not the one whose hash it holds: the file was changed "
            "after it was made."
        ]
    return []


def _inspect_source(context: ReplayContext, answer: Answer) -> _SourceState:
    """The generation that answered, as far as this user may see it."""
    provenance = answer.provenance
    try:
        generation = find_generation(context.client, context.alias, provenance.generation)
    except elasticsearch.AuthorizationException:
        return _SourceState(generation_kept=False, generation_visible=False)
    if generation is None:
        return _SourceState(generation_kept=False)
    if (generation.built_at, generation.mapping_hash) == (
        provenance.built_at,
        provenance.mapping_hash,
    ):
        # It is sealed, so it has fewer records than it had only if some were erased.
        return _SourceState(generation_kept=True, erased=provenance.records - generation.records)
    warning = (
        f"{generation.name} is here, but was built at another time or with another mapping than "
        "the answer says: the answer is of another index, or was changed after it was made."
    )
    return _SourceState(generation_kept=False, integrity_warnings=(warning,))


def _list_source_notes(source: _SourceState) -> list[str]:
    """What a reader of the replay must know about the generation that answered."""
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
    """The answer's basis, its state, and what is wrong with it or with the answer's numbers."""
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
            f"{answer_numbers.get(cell_key)}, its basis {totals.get(cell_key, 0)}. The answer was "
            "changed after it was made."
            for cell_key in mismatches
        ],
    )


def is_other_rule(answer: Answer, live: Answer) -> bool:
    """Whether another version of the matching rule counts now."""
    return answer.provenance.matching_rule != live.provenance.matching_rule


def _compare_provenance(answer: Answer, live: Answer) -> tuple[list[str], list[str]]:
    """What differs between then and now besides the numbers: notes, and integrity warnings."""
    original, current = answer.provenance, live.provenance
    notes = []
    integrity_warnings = []
    aliases = find_alias(original.generation), find_alias(current.generation)
    if aliases[0] != aliases[1]:
        notes.append(
            f"The answer is of the index {aliases[0]}, and this is the index {aliases[1]}, which "
            "may hold other records. If that is not meant, name the right foidex.toml."
        )
    if (
        answer.coverage
        and live.coverage
        and format_coverage_days(answer.coverage) != format_coverage_days(live.coverage)
    ):
        notes.append(
            f"The records covered {format_coverage_days(answer.coverage)} then, and cover "
            f"{format_coverage_days(live.coverage)} now; other days are not covered."
        )
    if original.version != current.version:
        notes.append(f"foidex {original.version} answered; this is foidex {current.version}.")
    if original.mapping_hash != current.mapping_hash:
        notes.append("The live generation was built with another mapping, or other categories.")
    rule_changed = is_other_rule(answer, live)
    if rule_changed:
        notes.append(
            f"The matching rule changed: version {original.matching_rule} of it answered, and "
            f"version {current.matching_rule} counts now (docs/matching.md says what each counts)."
        )
    table_changed = original.offence_table != current.offence_table
    if table_changed and original.offence_table is not UNSET:
        notes.append(
            "The table of offence codes changed, so a code may count other codes below it now "
            "(docs/offence-codes.md)."
        )
    if original.query_hash != current.query_hash:
        if rule_changed:
            notes.append("So the request is another query now.")
        elif original.version != current.version or table_changed:
            notes.append(
                "The request is another query now: the matching rule or the table changed."
            )
        else:
            integrity_warnings.append(
                "The request in the answer gives another query than the one that was sent, by the "
                "same version of foidex: the request was changed, or foidex was."
            )
    return notes, integrity_warnings


class _Evidence(NamedTuple):
    """Both sides of a replay, and what is left of the first: its basis, and ``source_answer``, what
    the generation that answered gives today. ``generation_visible`` is whether the user may ask
    that one."""

    answer: Answer
    live: Answer
    request: Request
    basis: Basis | None
    source_answer: Answer | None
    generation_visible: bool

    @property
    def source_generation(self) -> str:
        """The generation that answered."""
        return self.answer.provenance.generation

    @property
    def live_generation(self) -> str:
        """The live generation."""
        return self.live.provenance.generation


class _Explanation(NamedTuple):
    """The records that changed the numbers, and the changes that they do not account for; None if
    the records cannot be named, and why."""

    record_changes: list[RecordChange] | None
    unexplained_changes: Sequence[CellChange] = ()
    unavailable_reason: str = ""


def _explain_changes(
    context: ReplayContext, evidence: _Evidence, changes: list[CellChange]
) -> _Explanation:
    """Which records changed the numbers."""
    if reason := _find_missing_evidence(evidence, context.max_records):
        return _Explanation(None, unavailable_reason=reason)
    tracer = _Tracer(context, evidence)
    live_records = tracer.trace_answer(evidence.live, context.alias)
    source_records = tracer.trace_source()
    before = tracer.find_records_before(source_records, live_records)
    after = tracer.find_records_after(source_records, live_records)
    record_changes = find_record_changes(
        before,
        after,
        changes,
        ChangeContext(
            evidence.request.scope,
            evidence.answer.provenance.built_at.date(),
            is_other_rule(evidence.answer, evidence.live),
        ),
    )
    return _Explanation(record_changes, find_unexplained_changes(before, after, changes))


def _find_missing_evidence(evidence: _Evidence, max_records: int) -> str:
    """Why the records cannot be named; nothing if they can."""
    if evidence.basis is not None:
        return ""
    if evidence.source_answer is None:
        generation = "was pruned" if evidence.generation_visible else "is not shown to this user"
        basis = (
            "no basis was kept"
            if evidence.answer.provenance.basis is None
            else "the basis is not in the audit folder, or not as it was"
        )
        return (
            f"{evidence.source_generation}, which answered, {generation}, and {basis}: what the "
            "records were then is not known."
        )
    largest_scope = max(evidence.answer.scope.of_any_status, evidence.live.scope.of_any_status)
    if largest_scope > max_records:
        return (
            f"more than {max_records:,} records are in scope, and no basis was kept. Raise "
            "basis_records in [audit] of foidex.toml and replay again."
        )
    return ""


_Records = dict[str, TracedRecord]


class _Tracer:
    """Looks up what the records are, and what they were."""

    def __init__(self, context: ReplayContext, evidence: _Evidence) -> None:
        self.context = context
        self.evidence = evidence
        self.mentions = build_mention_membership(evidence.request.scope)
        # The live generation is asked through the alias: some users may read nothing else.
        is_live = evidence.source_generation == evidence.live_generation
        self.source_alias = context.alias if is_live else None

    def trace_answer(self, answer: Answer, access_alias: str | None) -> _Records:
        """The records in scope of an answer, by reference, in its generation."""
        membership = build_membership(self.evidence.request, answer)
        traced = trace_scope(
            self.context.client,
            answer.provenance.generation,
            self.evidence.request.scope,
            membership,
            access_alias,
        )
        records = list(traced)
        require_sums(membership, records, answer)
        return {record.facts.crime_ref: record for record in records}

    def trace_source(self) -> _Records:
        """The records that were in scope when the answer was made."""
        if self.evidence.basis:
            return self.evidence.basis.records
        assert self.evidence.source_answer
        return self.trace_answer(self.evidence.source_answer, self.source_alias)

    def find_records_before(
        self, source_records: _Records, live_records: _Records
    ) -> RecordsBefore:
        """What is known about the records at the time, those in scope only now among them."""
        near_records = self.evidence.basis.near_records if self.evidence.basis else None
        outside: dict[str, RecordFacts | NearScopeRecord] = {}
        if self.evidence.source_answer:
            entered = [reference for reference in live_records if reference not in source_records]
            outside.update(self._look_up(self.evidence.source_generation, entered))
        elif near_records is not None:
            outside.update(near_records)
        return RecordsBefore(
            source_records,
            outside,
            complete=self.evidence.source_answer is not None,
            near_complete=near_records is not None,
        )

    def find_records_after(self, source_records: _Records, live_records: _Records) -> RecordsAfter:
        """What is known about the records today, those no longer in scope among them."""
        left = [reference for reference in source_records if reference not in live_records]
        facts = self._look_up(self.evidence.live_generation, left)
        unknown = [reference for reference in left if reference not in facts]
        if self.evidence.source_answer and unknown:
            # A full refresh keeps no tombstones; the generation that answered knows what was
            # erased.
            source_facts = self._look_up(self.evidence.source_generation, unknown)
            facts |= {name: entry for name, entry in source_facts.items() if entry.erased}
        return RecordsAfter(live_records, facts)

    def _look_up(self, generation: str, references: list[str]) -> dict[str, RecordFacts]:
        is_live = generation == self.evidence.live_generation
        return trace_references(
            self.context.client,
            generation,
            references,
            self.mentions,
            self.context.alias if is_live else None,
        )


def _answer_at_source(
    context: ReplayContext, answer: Answer, live: Answer, request: Request
) -> Answer:
    """The answer that the generation gives today, whose rows and forms are to be traced.

    That of the live one is known already, and was asked through the alias.
    """
    name = answer.provenance.generation
    if name == live.provenance.generation:
        return live
    counted, _ = count_answer(context.client, name, request)
    return apply_coverage(counted, answer.coverage)


def _answer_live(context: ReplayContext, answer: Answer, request: Request) -> Answer:
    """The answer of the live generation. An answer of an earlier version, which knew no coverage,
    is compared with all numbers; one of the live generation itself with the days it says."""
    counted, coverage = count_answer(context.client, context.alias, request)
    if answer.coverage is None or answer.provenance.generation == counted.provenance.generation:
        coverage = answer.coverage
    return apply_coverage(counted, coverage)


def _label_record_changes(
    record_changes: list[RecordChange], answer: Answer, live: Answer
) -> tuple[LabelledRecordChange, ...]:
    label_by_key = label_numbers(live) | label_numbers(answer)

    def label(cell_keys: tuple[CellKey, ...], *, derived: bool = False) -> LabelledNumbers:
        return tuple(
            LabelledNumber(cell_key, label_by_key[cell_key], derived) for cell_key in cell_keys
        )

    return tuple(
        LabelledRecordChange(
            change.crime_ref,
            change.reasons,
            label(change.numbers_left),
            label(change.numbers_entered),
            (*label(change.numbers_changed), *label(change.numbers_derived, derived=True)),
        )
        for change in record_changes
    )
