"""A replay as text for a person: what changed, and each record that changed it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from msgspec import Struct

from indexer.records.model import PEOPLE_LISTS
from queries.answer.cells import CellChange, CellKey
from queries.layout.text_table import align_rows
from queries.replay.compare import LabelledNumber, LabelledRecordChange, Replay, format_quantity

_LABEL_WIDTH: Final = 60

_BASIS_STATES: Final = {
    "kept": "its evidence file is there and intact",
    "not kept": "no evidence file was written for it",
    "missing": "its evidence file is not in the audit folder",
    "wrong": "its evidence file cannot be used",
}


class ChangedNumbers(Struct, frozen=True):
    """Numbers that differ: of each its label, what it was and what it is."""

    rows: tuple[tuple[str, str, str], ...]


class ChangedRecord(Struct, frozen=True):
    """A record that changed numbers: why, and a line for the numbers of each kind of change."""

    reference: str
    reasons: str
    lines: tuple[str, ...]


ReplayPart: TypeAlias = str | ChangedNumbers | ChangedRecord


def format_replay(replay: Replay) -> str:
    """The whole replay, in lines."""
    lines = (line for part in list_replay_parts(replay) for line in _format_part(part))
    return "\n".join(lines) + "\n"


def list_replay_parts(replay: Replay) -> Iterator[ReplayPart]:
    """What a replay says, in order: sentences, numbers and records. A blank one is a break."""
    yield from _describe_replay(replay)
    yield ""
    yield from _describe_source_changes(replay)
    built_at = f"{replay.live_built_at:%Y-%m-%d %H:%M} UTC"
    if not replay.live_changes:
        yield f"Asked of the live generation, {replay.live}, built {built_at}: the same numbers."
        return
    yield (
        f"Asked of the live generation, {replay.live}, built {built_at}: "
        f"{_format_number_count(replay.live_changes)} moved."
    )
    yield _make_changed_numbers(replay.live_changes)
    yield ""
    if replay.record_changes is None:
        yield f"The records that moved them cannot be named: {replay.movers_unavailable_reason}"
        return
    if replay.record_changes:
        yield f"Moved by {format_quantity(len(replay.record_changes), 'record')}:"
    else:
        yield "No record explains the change."
    yield from map(_make_changed_record, replay.record_changes)
    if replay.unexplained_changes:
        yield ""
        reason = (
            ", because without an evidence file nobody knows what a forgotten record counted in"
            if replay.erased and replay.basis != "kept"
            else ""
        )
        yield f"These numbers changed by more or less than the named records explain{reason}:"
        yield _make_changed_numbers(replay.unexplained_changes)


def _describe_replay(replay: Replay) -> Iterator[str]:
    """What was replayed, and what to know about it."""
    generation = "is kept" if replay.generation_kept else "is not kept"
    if not replay.generation_visible:
        generation = "this user may not ask"
    yield (
        f"{replay.reference}, answered by foidex {replay.version} from {replay.generation}\n"
        f"  built {replay.built_at:%Y-%m-%d %H:%M} UTC, which {generation}; "
        f"{_BASIS_STATES[replay.basis]}."
    )
    for warning in replay.integrity_warnings:
        yield f"Warning: {warning}"
    if replay.erased:
        were, count = ("was", "counts") if replay.erased == 1 else ("were", "count")
        yield (
            f"Note: {replay.erased:,} of its records {were} forgotten since it answered "
            f"(foidex forget), and no longer {count} in it."
        )
    for note in replay.notes:
        yield f"Note: {note}"


def _describe_source_changes(replay: Replay) -> Iterator[ReplayPart]:
    """What the generation that answered says today, if it is kept."""
    if replay.generation_kept and not replay.source_changes:
        yield "Asked again of the generation that answered: the same numbers."
    elif replay.generation_kept:
        reason = (
            "Records were forgotten in it, as noted above."
            if replay.erased
            else "Its records are the same: the matching rule changed, as noted above."
            if replay.matching_rule_changed
            else "Its records are the same, so the answer was changed, or foidex counts "
            f"differently than version {replay.version} did."
        )
        yield (
            "Asked again of the generation that answered: "
            f"{_format_number_count(replay.source_changes)} differ. {reason}"
        )
        yield _make_changed_numbers(replay.source_changes)


def _format_number_count(changes: tuple[CellChange, ...]) -> str:
    return format_quantity(len(changes), "number")


def _make_changed_numbers(changes: tuple[CellChange, ...]) -> ChangedNumbers:
    return ChangedNumbers(
        tuple(
            (
                change.label,
                _format_changed_value(change.before),
                _format_changed_value(change.after),
            )
            for change in changes
        )
    )


def _format_part(part: ReplayPart) -> Iterator[str]:
    if isinstance(part, ChangedNumbers):
        yield from _format_change_table(part)
    elif isinstance(part, ChangedRecord):
        yield f"  {part.reference}  {part.reasons}"
        yield from (f"    {line}" for line in part.lines)
    else:
        yield part


def _format_change_table(changes: ChangedNumbers) -> Iterator[str]:
    rows = [("", "was", "is"), *changes.rows]
    labels, old_values, new_values = zip(*rows, strict=True)
    formats = (
        f"<{min(_LABEL_WIDTH, max(map(len, labels)))}",
        f">{max(3, *map(len, old_values))}",
        f">{max(3, *map(len, new_values))}",
    )
    for line in align_rows(rows, formats):
        yield f"  {line}"


def _format_changed_value(value: int | str | None) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else value


def _make_changed_record(record: LabelledRecordChange) -> ChangedRecord:
    derived = tuple(number for number in record.numbers_changed if number.derived)
    counted_numbers = tuple(number for number in record.numbers_changed if not number.derived)
    # Numbers that may have changed with a record are listed only if no others are.
    otherwise = counted_numbers or (
        () if record.numbers_left or record.numbers_entered else derived
    )
    lines = (
        f"{words}: {'; '.join(labels)}"
        for words, numbers in (
            ("left", record.numbers_left),
            ("entered", record.numbers_entered),
            ("counts otherwise in", otherwise),
        )
        if (labels := select_row_labels(numbers))
    )
    reasons = "; ".join(reason.text for reason in record.reasons)
    return ChangedRecord(record.crime_ref, reasons, tuple(lines))


def select_row_labels(numbers: tuple[LabelledNumber, ...]) -> list[str]:
    """The labels of rows, and of cells whose row is not among them; those of the whole scope, a
    total or a term only if there are no rows."""
    rows = {(number.key.question, number.key.row) for number in numbers if _is_row_cell(number.key)}
    shown_numbers = [
        number
        for number in numbers
        if _is_row_cell(number.key)
        or number.key.part == "status"
        or (number.key.part == "row" and (number.key.question, number.key.row) not in rows)
    ]
    return [number.label for number in shown_numbers or numbers]


def _is_row_cell(cell_key: CellKey) -> bool:
    """Whether a number is that of a whole row, not of one of its columns."""
    return cell_key.part == "row" and cell_key.column in ("offences", *PEOPLE_LISTS)
