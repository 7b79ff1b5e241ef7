"""What of the offence codes of a request is not comparable over its period. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec import Struct

from indexer.records.offences import OffenceTable, load_offence_table
from indexer.records.offences.facts import CodeChange, load_code_changes
from queries.questions.prepared import prepare_question
from queries.request.reader import Request
from queries.tables.scope import Scope


class ChangeNote(Struct, frozen=True):
    """A change that the period of a request crosses. ``codes`` are those of the request that it
    concerns, and ``add`` those to count with them to make the series whole; if ``comparable`` is
    false, no codes do. ``place`` is empty, or the question that asks."""

    day: date
    certainty: str
    codes: tuple[str, ...]
    add: tuple[str, ...]
    comparable: bool
    words: str
    place: str = ""


def find_crossed_changes(request: Request) -> tuple[ChangeNote, ...]:
    """The changes that the period of a request, or of one of its questions, crosses."""
    table = load_offence_table()
    if table.scheme == "own":
        return ()
    notes = list(_find_notes(request.scope, "", table))
    known = {(note.day, note.words) for note in notes}
    for question in request.questions:
        narrowing = prepare_question(question, request.scope).narrowing
        if narrowing and (narrowing.periods or narrowing.offences):
            scope = request.scope.narrow(narrowing)
            for note in _find_notes(scope, question.id, table):
                if (note.day, note.words) not in known:
                    known.add((note.day, note.words))
                    notes.append(note)
    return tuple(sorted(notes, key=lambda note: note.day))


def _find_notes(scope: Scope, place: str, table: OffenceTable) -> Iterator[ChangeNote]:
    rows = [row.codes for row in scope.offences]
    period = scope.period
    start, end = period.start or date.min, period.end or date.max
    for change in load_code_changes():
        if start < change.day <= end and (note := _describe_change(change, rows, place, table)):
            yield note


def _describe_change(
    change: CodeChange, rows: Sequence[tuple[str, ...]], place: str, table: OffenceTable
) -> ChangeNote | None:
    """The note, or None if the change does not concern the codes or they are whole."""
    asked = list(
        dict.fromkeys(
            code
            for row in rows
            for code in row
            if any(_covers([code], changed, table) for changed in change.codes)
        )
    )
    if not asked:
        return None
    every_code = [code for row in rows for code in row]
    missing = tuple(code for code in change.joined if not _covers(every_code, code, table))
    concerned = [
        row for row in rows if any(_covers(row, changed, table) for changed in change.codes)
    ]
    is_whole = change.joined and all(
        _covers(row, code, table) for row in concerned for code in change.joined
    )
    if is_whole:
        return None
    return ChangeNote(
        change.day,
        change.status,
        tuple(asked),
        missing,
        comparable=bool(change.joined),
        words=_write_note(change, asked, missing),
        place=place,
    )


def _covers(codes: Sequence[str], code: str, table: OffenceTable) -> bool:
    return not set(codes).isdisjoint(table.path(code))


def _write_note(change: CodeChange, asked: Sequence[str], missing: Sequence[str]) -> str:
    certainty = "" if change.status == "seen" else f" ({change.status})"
    day = f"{change.day.day} {change.day:%B %Y}{certainty}"
    if missing:
        remedy = f"To compare, count {', '.join(missing)} with {', '.join(asked)} in one row."
    elif change.joined:
        remedy = f"To compare, add up the rows of {', '.join(asked)}; alone they are not alike."
    else:
        remedy = f"Numbers of {', '.join(asked)} before and after are not comparable. Say so."
    return f"{day}: {change.effect}. {remedy}"
