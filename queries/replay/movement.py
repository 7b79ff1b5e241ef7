"""Which records changed the numbers of an answer, and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from indexer.records.model import DELETED
from queries.answer.cells import CellChange, CellKey, CellValue
from queries.evidence.facts import NearScopeRecord, RecordFacts, TracedRecord
from queries.evidence.membership import CellCounts
from queries.tables.scope import MENTIONS_FILTER, OFFENCES_FILTER, PERIOD_FILTER, Scope

ReasonKind = Literal[
    "added", "deleted", "forgotten", "status", "code", "date", "wording", "victims", "suspects",
    "links", "outcome", "category", "unknown", "rule",
]  # fmt: skip

# What changed in a record that now passes the filter of a field.
_FIELD_REASONS: Final[dict[str, ReasonKind]] = {"sex": "victims", "outcome": "outcome"}

# How the words of a filter begin in bases written before version 0.2, which hold no field's name.
_OLD_FILTER_PREFIXES: Final[dict[str, ReasonKind]] = {
    "the sex of a victim is ": "victims",
    "the outcome is ": "outcome",
    "Sex of a victim: ": "victims",
    "Outcome: ": "outcome",
}


class ChangeReason(Struct, frozen=True):
    """Why a record counts differently: a kind for programs, and a text for people."""

    kind: ReasonKind
    text: str


class RecordChange(Struct, frozen=True):
    """A record that counts differently: why, and the numbers it left, entered, or counts a
    different number of times in. ``numbers_derived`` are numbers that are not sums over records,
    and may have changed because of it."""

    crime_ref: str
    reasons: tuple[ChangeReason, ...]
    numbers_left: tuple[CellKey, ...] = ()
    numbers_entered: tuple[CellKey, ...] = ()
    numbers_changed: tuple[CellKey, ...] = ()
    numbers_derived: tuple[CellKey, ...] = ()


class RecordsBefore(Struct, frozen=True):
    """What is known about the records when the answer was made.

    ``traced`` were in scope. ``outside`` were not: what they were, or which filter they failed.
    ``complete`` is true if a record in neither was not held, ``near_complete`` if ``outside`` has
    all that failed exactly one filter.
    """

    traced: Mapping[str, TracedRecord]
    outside: Mapping[str, RecordFacts | NearScopeRecord]
    complete: bool
    near_complete: bool


class RecordsAfter(Struct, frozen=True):
    """What is known about the records today; ``outside`` were in scope and no longer are."""

    traced: Mapping[str, TracedRecord]
    outside: Mapping[str, RecordFacts]


class ChangeContext(Struct, frozen=True):
    """What the request is about, the day on which the generation that answered was built, and
    whether another version of the matching rule answered."""

    scope: Scope
    built_on: date
    matching_rule_changed: bool = False


def find_record_changes(
    records_before: RecordsBefore,
    records_after: RecordsAfter,
    changes: Sequence[CellChange],
    context: ChangeContext,
) -> list[RecordChange]:
    """Every record that counts differently, by reference."""
    derived = [change.key for change in changes if change.derived]
    record_changes = []
    for reference in sorted({*records_before.traced, *records_after.traced}):
        before, after = records_before.traced.get(reference), records_after.traced.get(reference)
        old_counts = before.counts if before else {}
        new_counts = after.counts if after else {}
        differing_cells = [
            cell_key
            for cell_key in {**old_counts, **new_counts}
            if old_counts.get(cell_key) != new_counts.get(cell_key)
        ]
        possible_cells = [
            cell_key
            for cell_key in derived
            if _counts_with_derived(cell_key, old_counts, new_counts)
            and _may_change_derived(cell_key, differing_cells, before, after)
        ]
        if not differing_cells and not possible_cells:
            continue
        reasons = _explain_record_change(reference, records_before, records_after, context)
        cells_left = tuple(cell_key for cell_key in differing_cells if cell_key not in new_counts)
        cells_entered = tuple(
            cell_key for cell_key in differing_cells if cell_key not in old_counts
        )
        cells_changed = tuple(
            cell_key
            for cell_key in differing_cells
            if cell_key in old_counts and cell_key in new_counts
        )
        record_changes.append(
            RecordChange(
                reference,
                tuple(reasons),
                cells_left,
                cells_entered,
                cells_changed,
                tuple(possible_cells),
            )
        )
    return record_changes


def find_unexplained_changes(
    records_before: RecordsBefore, records_after: RecordsAfter, changes: Iterable[CellChange]
) -> list[CellChange]:
    """The numbers whose change is not the sum of the changes of the records."""
    added: CellCounts = {}
    for sign, records in ((-1, records_before.traced), (1, records_after.traced)):
        for record in records.values():
            for cell_key, number in record.counts.items():
                added[cell_key] = added.get(cell_key, 0) + sign * number
    return [
        change
        for change in changes
        if not change.derived
        and _number_or_zero(change.after) - _number_or_zero(change.before)
        != added.get(change.key, 0)
    ]


def _number_or_zero(value: CellValue) -> int:
    return value if isinstance(value, int) else 0


def _counts_with_derived(
    derived_key: CellKey, old_counts: CellCounts, new_counts: CellCounts
) -> bool:
    """Whether the record counts, then or now, where a derived number comes from: the row of a count
    of people, or the question of a fact."""
    return any(_supports_derived(cell_key, derived_key) for cell_key in (*old_counts, *new_counts))


def _may_change_derived(
    derived_key: CellKey,
    differing_cells: list[CellKey],
    before: TracedRecord | None,
    after: TracedRecord | None,
) -> bool:
    """Whether a record may have changed a derived number."""
    people = bool(
        before
        and after
        and (before.facts.victims, before.facts.suspects)
        != (after.facts.victims, after.facts.suspects)
    )
    return people or any(_supports_derived(cell_key, derived_key) for cell_key in differing_cells)


def _supports_derived(cell_key: CellKey, derived_key: CellKey) -> bool:
    if cell_key.question != derived_key.question:
        return False
    return derived_key.part == "fact" or (cell_key.part, cell_key.row) == (
        derived_key.part,
        derived_key.row,
    )


def _explain_record_change(
    reference: str,
    records_before: RecordsBefore,
    records_after: RecordsAfter,
    context: ChangeContext,
) -> list[ChangeReason]:
    after = (
        records_after.traced[reference].facts
        if reference in records_after.traced
        else records_after.outside.get(reference)
    )
    before = (
        records_before.traced[reference].facts
        if reference in records_before.traced
        else records_before.outside.get(reference)
    )
    if after is None:
        return [ChangeReason("deleted", "deleted or forgotten: no longer held")]
    if after.status == DELETED:
        day = f"{after.deleted_at:%Y-%m-%d %H:%M} UTC" if after.deleted_at else "a day not known"
        if after.erased:
            return [ChangeReason("forgotten", f"forgotten on {day}, with foidex forget")]
        return [ChangeReason("deleted", f"deleted, as of {day}")]
    if before is None:
        return [_explain_new_record(after, records_before, context.built_on)]
    if isinstance(before, RecordFacts) and before.status == DELETED:
        removal = "forgotten" if before.erased else "deleted"
        return [ChangeReason("added", f"added again: it was {removal}")]
    reasons = [*_compare_plain_fields(before, after, context.scope)]
    if isinstance(before, NearScopeRecord):
        reasons += _explain_met_condition(before, after, context, reasons)
    else:
        reasons += _compare_hashed_fields(before, after, context.scope)
    if not reasons:
        cause = (
            "the matching rule changed"
            if context.matching_rule_changed
            else "foidex counts it differently than it did then"
        )
        reasons.append(ChangeReason("rule", f"nothing in it differs: {cause}"))
    return reasons


def _explain_new_record(
    after: RecordFacts, records_before: RecordsBefore, built_on: date
) -> ChangeReason:
    if records_before.complete or date.fromisoformat(after.recorded_on) > built_on:
        return ChangeReason("added", "added: it was not held then")
    if records_before.near_complete:
        return ChangeReason(
            "added",
            "added since; or it was held then, and more than one thing kept it out of scope",
        )
    return ChangeReason(
        "unknown", "came into scope since: added or changed, and nothing kept says which"
    )


def _compare_plain_fields(
    before: RecordFacts | NearScopeRecord, after: RecordFacts, scope: Scope
) -> Iterable[ChangeReason]:
    """The reasons in the fields that are kept as they were."""
    if before.status != after.status:
        yield ChangeReason("status", f"status {before.status} -> {after.status}")
    if before.offence_code != after.offence_code:
        yield ChangeReason("code", f"offence code {before.offence_code} -> {after.offence_code}")
    if before.recorded_on != after.recorded_on:
        was_inside, is_inside = (
            _is_in_periods(facts.recorded_on, scope) for facts in (before, after)
        )
        period_note = {
            (True, False): ", out of the period",
            (False, True): ", into the period",
        }.get((was_inside, is_inside), "")
        yield ChangeReason(
            "date", f"recorded on {before.recorded_on} -> {after.recorded_on}{period_note}"
        )


def _is_in_periods(day: str, scope: Scope) -> bool:
    recorded_on = date.fromisoformat(day)
    return not scope.periods or any(
        (period.start or date.min) <= recorded_on <= (period.end or date.max)
        for period in scope.periods
    )


def _compare_hashed_fields(
    before: RecordFacts, after: RecordFacts, scope: Scope
) -> Iterable[ChangeReason]:
    """The reasons in the fields of which a hash is kept, and in the terms mentioned."""
    if before.narrative != after.narrative:
        terms = _describe_term_changes(before.mentioned_terms, after.mentioned_terms, scope)
        yield ChangeReason("wording", f"wording changed{terms}")
    if before.victims != after.victims:
        yield ChangeReason("victims", "victims changed")
    if before.suspects != after.suspects:
        yield ChangeReason("suspects", "suspects changed")
    if before.linked != after.linked:
        yield ChangeReason("links", "links changed")
    if before.outcome != after.outcome:
        yield ChangeReason(
            "outcome",
            f"outcome {_format_outcome(before.outcome)} -> {_format_outcome(after.outcome)}",
        )
    if before.categories != after.categories:
        yield ChangeReason("category", "a category changed")


def _format_outcome(outcome: int | None) -> str:
    return "none" if outcome is None else str(outcome)


def _describe_term_changes(old_terms: Sequence[int], new_terms: Sequence[int], scope: Scope) -> str:
    lost_labels = [scope.mentions[index].label for index in old_terms if index not in new_terms]
    gained_labels = [scope.mentions[index].label for index in new_terms if index not in old_terms]
    clauses = [
        f"{verb} {' or '.join(chr(34) + label + chr(34) for label in terms)}"
        for verb, terms in (("no longer mentions", lost_labels), ("now mentions", gained_labels))
        if terms
    ]
    return f": it {' and '.join(clauses)}" if clauses else ""


def _explain_met_condition(
    before: NearScopeRecord, after: RecordFacts, context: ChangeContext, reasons: list[ChangeReason]
) -> Iterable[ChangeReason]:
    """The filter that the record failed then and passes now, unless another reason says so."""
    if before.unmet_part == MENTIONS_FILTER:
        terms = _describe_term_changes((), after.mentioned_terms, context.scope)
        if context.matching_rule_changed:
            cause = "its wording or the matching rule changed, and nothing kept says which"
            yield ChangeReason("unknown", f"{cause}{terms}")
        else:
            yield ChangeReason("wording", f"wording changed{terms}")
    elif before.unmet_part not in (PERIOD_FILTER, OFFENCES_FILTER) and not any(
        reason.kind == "code" for reason in reasons
    ):
        yield ChangeReason(
            choose_filter_reason(before),
            f'changed in what the request asks for ("{before.unmet_part}")',
        )


def choose_filter_reason(before: NearScopeRecord) -> ReasonKind:
    """The kind of change that lets a record pass the filter of a field."""
    if before.unmet_field:
        return _FIELD_REASONS.get(before.unmet_field, "category")
    kinds = (
        kind
        for prefix, kind in _OLD_FILTER_PREFIXES.items()
        if before.unmet_part.startswith(prefix)
    )
    return next(kinds, "category")
