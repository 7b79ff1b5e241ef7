"""A replay as text for a person: what moved, and each record that moved it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from queries.movement import is_derived
from queries.numbers import Moved, Place
from queries.replay import Number, Record, Replay, counted

_LABEL: int = 60
_BASIS = {
    "kept": "its basis is kept and whole",
    "not kept": "no basis of it was kept",
    "missing": "its basis is not in the audit folder",
    "wrong": "its basis cannot be used",
}


def text(found: Replay) -> str:
    """The whole replay, in lines."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Replay) -> Iterator[str]:
    yield from _about(found)
    yield ""
    yield from _then(found)
    when = f"{found.live_built_at:%Y-%m-%d %H:%M} UTC"
    if not found.moved:
        yield f"Asked of the live generation, {found.live}, built {when}: the same numbers."
        return
    yield (
        f"Asked of the live generation, {found.live}, built {when}: {_numbers(found.moved)} moved."
    )
    yield from _table(found.moved)
    yield ""
    if found.movers is None:
        yield f"The records that moved them cannot be named: {found.nameless}"
        return
    yield f"Moved by {counted(len(found.movers), 'record')}:"
    for record in found.movers:
        yield from _record(record)
    if found.unexplained:
        yield ""
        why = (
            ", as what a forgotten record counted in is known of no answer without a basis"
            if found.forgotten and found.basis != "kept"
            else ""
        )
        yield f"These numbers moved by another amount than the records above account for{why}:"
        yield from _table(found.unexplained)


def _about(found: Replay) -> Iterator[str]:
    """What was replayed, and what to know of it."""
    generation = "is kept" if found.kept else "is not kept"
    if not found.known:
        generation = "this user may not ask"
    yield f"{found.reference}, answered by foidex {found.version} from {found.generation}"
    yield f"  built {found.built_at:%Y-%m-%d %H:%M} UTC, which {generation}; {_BASIS[found.basis]}."
    for doubt in found.doubts:
        yield f"Doubt: {doubt}"
    if found.forgotten:
        yield (
            f"Note: {found.forgotten:,} of its records {'was' if found.forgotten == 1 else 'were'} "
            "forgotten since it answered (foidex forget), and no longer count in it."
        )
    for note in found.notes:
        yield f"Note: {note}"


def _then(found: Replay) -> Iterator[str]:
    """What the generation that answered says today, if it is kept."""
    if found.kept and not found.then:
        yield "Asked again of the generation that answered: the same numbers."
    elif found.kept:
        why = (
            "Records were forgotten in it, as noted above."
            if found.forgotten
            else "Its records are the same, so the answer was changed, or foidex counts otherwise "
            f"than version {found.version} did."
        )
        yield f"Asked again of the generation that answered: {_numbers(found.then)} differ. {why}"
        yield from _table(found.then)


def _numbers(moved: tuple[Moved, ...]) -> str:
    return counted(len(moved), "number")


def _table(moved: tuple[Moved, ...]) -> Iterator[str]:
    cells = [(one.label, _said(one.was), _said(one.now)) for one in moved]
    width = min(_LABEL, max(len(label) for label, _, _ in cells))
    was = max(3, *(len(cell) for _, cell, _ in cells))
    now = max(3, *(len(cell) for _, _, cell in cells))
    yield f"  {'':<{width}}  {'was':>{was}}  {'is':>{now}}"
    for label, one, other in cells:
        short = label if len(label) <= width else f"{label[: width - 3]}..."
        yield f"  {short:<{width}}  {one:>{was}}  {other:>{now}}"


def _said(value: int | str | None) -> str:
    return "none" if value is None else f"{value:,}" if isinstance(value, int) else value


def _record(record: Record) -> Iterator[str]:
    yield f"  {record.crime_ref}  {'; '.join(one.text for one in record.reasons)}"
    derived = tuple(one for one in record.changed if is_derived(one.place))
    counted = tuple(one for one in record.changed if not is_derived(one.place))
    # What may have moved with a record is told where nothing else is.
    otherwise = counted or (() if record.left or record.entered else derived)
    for word, numbers in (
        ("left", record.left),
        ("entered", record.entered),
        ("counts otherwise in", otherwise),
    ):
        if told := _told(numbers):
            yield f"    {word}: {'; '.join(told)}"


def _told(numbers: tuple[Number, ...]) -> list[str]:
    """The rows, and a cell where its row is not among them; what is of the whole scope, or a
    total, or a term, only where no row is."""
    rows = {(one.place.question, one.place.row) for one in numbers if _is_row(one.place)}
    said = [
        one
        for one in numbers
        if _is_row(one.place)
        or one.place.part == "status"
        or (one.place.part == "row" and (one.place.question, one.place.row) not in rows)
    ]
    return [one.label for one in said or numbers]


def _is_row(place: Place) -> bool:
    """Whether a number is that of a whole row, and not of a column of it."""
    return place.part == "row" and place.column in ("offences", "victims")
