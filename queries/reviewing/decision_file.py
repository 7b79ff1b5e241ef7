"""The decisions of a review as a CSV file: written for anyone who checks it, and read again.

It has a row for each record of the population, in the order that was drawn, so that the draw can be
repeated. It has references, and no text. Until all second readings are done, what was decided on
records that are read twice is left out, so that any reader can be given the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from msgspec import Struct

from indexer.errors import ReviewError
from queries.layout.csv_text import escape_formula
from queries.review.types import Decision, DrawnRecord, Reading, Review, Verdict
from queries.reviewing.turns import RecordState, ReviewState, format_time

#: How the columns of each reading begin.
_PREFIXES: Final = {
    Reading.FIRST: "first",
    Reading.SECOND: "second",
    Reading.SETTLING: "settled",
}

_READING_FIELDS: Final = ("verdict", "reviewer", "decided_at", "seconds", "content_hash")

_RECORD_COLUMNS: Final = (
    "review", "request", "number", "column", "generation", "seed", "stratum", "stratum_records",
    "stratum_sample", "position", "reference", "content_hash", "in_sample", "second_reading",
)  # fmt: skip

COLUMNS: Final = (
    *_RECORD_COLUMNS,
    *(f"{prefix}_{field}" for prefix in _PREFIXES.values() for field in _READING_FIELDS),
)

#: What stands for a verdict that the second reader may not see yet.
HIDDEN: Final = "until all second readings are done"

_MAX_PROBLEMS: Final = 20

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")

_CONTENT_HASH: Final = re.compile(r"[0-9a-f]{32}")

_MAX_SECONDS: Final = 86_400

_MAX_DIGITS: Final = 20


def format_decisions(state: ReviewState, population: Sequence[DrawnRecord]) -> str:
    """The whole file. Only decisions that hold are in it, not those that were replaced."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    strata = {stratum.name: stratum for stratum in state.review.strata}
    for record in population:
        stratum = strata[record.stratum]
        review = state.review
        writer.writerow(
            escape_formula(str(value))
            for value in (
                review.name,
                review.request_reference,
                review.number,
                review.column,
                review.generation,
                review.seed,
                stratum.name,
                stratum.population,
                stratum.sample,
                record.position,
                record.reference,
                record.content_hash,
                "yes" if record.position <= stratum.sample else "no",
                "yes" if record.second_reading else "no",
                *_list_reading_cells(state, record),
            )
        )
    return stream.getvalue()


def _list_reading_cells(state: ReviewState, record: DrawnRecord) -> Iterator[str]:
    is_hidden = (
        record.second_reading
        and not state.is_unblinded
        and (
            (record.reference, Reading.SETTLING) not in state.decisions
            or state.lacks_second(record.reference)
        )
    )
    for reading in _PREFIXES:
        decision = state.decisions.get((record.reference, reading))
        if decision is None:
            yield from [""] * len(_READING_FIELDS)
        elif is_hidden:
            yield from [HIDDEN, *[""] * (len(_READING_FIELDS) - 1)]
        else:
            yield decision.verdict.value
            yield decision.reviewer
            yield decision.decided_at
            yield "" if decision.seconds is None else str(decision.seconds)
            yield decision.content_hash


class FileRow(Struct, frozen=True):
    """A row of a file of decisions: its line in the file, and its cells by their columns."""

    line: int
    cells: Mapping[str, str]


def parse_rows(text: str, name: str) -> list[FileRow]:
    """The rows of a file; ``name`` is what messages call it. Raises ReviewError."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        header = next(reader, [])
        missing = [
            column for column in ("reference", "first_verdict", "first_reviewer")
            if column not in header
        ]  # fmt: skip
        if missing:
            raise ReviewError(
                f"{name}:1: has no column {', '.join(missing)}. Start from the file that foidex "
                "review export writes."
            )
        if len({*header}) < len(header):
            raise ReviewError(f"{name}:1: has two columns of the same name. Remove one.")
        rows = []
        for cells in reader:
            if len(cells) not in (0, len(header)):
                raise ReviewError(
                    f"{name}:{reader.line_num}: has {len(cells)} cells, and the first line has "
                    f"{len(header)}. Correct the line."
                )
            if cells:
                stripped = (_unescape_formula(cell.strip()) for cell in cells)
                rows.append(FileRow(reader.line_num, dict(zip(header, stripped, strict=True))))
    except csv.Error:
        raise ReviewError(
            f"{name}:{reader.line_num}: is not CSV. Save it as CSV with commas, in UTF-8."
        ) from None
    return rows


def _unescape_formula(text: str) -> str:
    """The text that ``escape_formula`` was given."""
    plain = text.removeprefix("'")
    return plain if escape_formula(plain) == text else text


def choose_new_decisions(
    rows: Iterable[FileRow], state: ReviewState, name: str, now: datetime
) -> list[Decision]:
    """The decisions of a file that the store does not have yet, all of them checked.

    Raises ReviewError with a line for each thing that is wrong; then none may be stored.
    """
    problems: list[str] = []
    decisions: list[Decision] = []
    records = {record.reference: record for record in state.records}
    known = dict(state.decisions)
    seen: set[str] = set()
    # Whatever a message says of these could be what one reader decided, before the other reads.
    hidden = _list_hidden(state)
    for row in rows:
        place = f"{name}:{row.line}"
        try:
            _check_row(row, state.review, records, seen)
            for decision in _read_row(row, records, now):
                earlier = state.decisions.get((decision.reference, decision.reading))
                is_hidden = decision.reference in hidden
                if earlier and _is_same(decision, earlier, row, must_be_stated=is_hidden):
                    continue
                _check_decision(decision, records, known, state, is_hidden=is_hidden)
                known[decision.reference, decision.reading] = decision
                decisions.append(decision)
        except ValueError as error:
            problems.append(f"{place}: {error}")
    if problems:
        shown = problems[:_MAX_PROBLEMS]
        if len(problems) > len(shown):
            shown.append(f"and {len(problems) - len(shown):,} lines more.")
        raise ReviewError(
            "\n".join(["nothing was imported, because these lines are wrong:", *shown])
        )
    return decisions


def _list_hidden(state: ReviewState) -> set[str]:
    """The records of which the store has a decision that nobody may learn yet."""
    if state.is_unblinded:
        return set()
    twice = {record.reference for record in state.records if record.second_reading}
    return {reference for reference, _ in state.decisions if reference in twice}


def _is_same(decision: Decision, earlier: Decision, row: FileRow, *, must_be_stated: bool) -> bool:
    """Whether the store has a decision of a file already, as far as the file says what it was.

    With ``must_be_stated``, only if all of it is said: else one could try what another reader
    decided.
    """
    prefix = _PREFIXES[decision.reading]
    optional = ("decided_at", "seconds", "content_hash")
    stated_fields = [name for name in optional if row.cells.get(f"{prefix}_{name}")]
    if must_be_stated and len(stated_fields) < len(optional):
        return False
    return all(
        getattr(decision, name) == getattr(earlier, name)
        for name in ("verdict", "reviewer", *stated_fields)
    )


def _check_row(
    row: FileRow, review: Review, records: Mapping[str, DrawnRecord], seen: set[str]
) -> None:
    """Raise ValueError for a row of another review or another text, or a record that appears
    twice."""
    own_cells = {
        "review": review.name,
        "request": review.request_reference,
        "number": review.number,
        "column": review.column,
        "seed": review.seed,
    }
    for column, own_cell in own_cells.items():
        if row.cells.get(column) not in (None, "", own_cell.strip()):
            raise ValueError(f"its {column} is not that of the review. Import it into its own.")
    reference = row.cells["reference"]
    if reference in seen:
        raise ValueError("its reference was in an earlier line. Keep one of the two.")
    seen.add(reference)
    has_decision = any(
        row.cells.get(f"{prefix}_verdict") not in (None, "", HIDDEN)
        for prefix in _PREFIXES.values()
    )
    if has_decision and reference not in records:
        raise ValueError("its reference is not in the sample. Remove the decision.")
    if has_decision and row.cells.get("content_hash") not in (
        None, "", records[reference].content_hash
    ):  # fmt: skip
        raise ValueError(
            "its content_hash is not that of the record in the review, so the text that was read "
            "is another one. Remove the decision, and have the record read again."
        )


def _read_row(
    row: FileRow, records: Mapping[str, DrawnRecord], now: datetime
) -> Iterator[Decision]:
    """The decisions of a row. Raises ValueError for a cell that cannot be read."""
    for reading, prefix in _PREFIXES.items():
        cells = {field: row.cells.get(f"{prefix}_{field}") or "" for field in _READING_FIELDS}
        if cells["verdict"] in ("", HIDDEN):
            if any(value for field, value in cells.items() if field != "verdict"):
                raise ValueError(f"has {prefix} columns, but no {prefix}_verdict. Add it.")
            continue
        reference = row.cells["reference"]
        yield Decision(
            reference,
            reading,
            _parse_verdict(cells["verdict"], prefix),
            _parse_reviewer(cells["reviewer"], prefix),
            _parse_time(cells["decided_at"], prefix, now),
            _parse_hash(cells["content_hash"] or records[reference].content_hash, prefix),
            _parse_seconds(cells["seconds"], prefix),
        )


def _parse_verdict(text: str, prefix: str) -> Verdict:
    try:
        return Verdict(text.casefold())
    except ValueError:
        choices = ", ".join(verdict.value for verdict in Verdict)
        raise ValueError(f"{prefix}_verdict is none of {choices}. Correct it.") from None


def _parse_reviewer(text: str, prefix: str) -> str:
    if not text or len(text) > 200 or not text.isprintable():
        raise ValueError(f"{prefix}_reviewer says not who decided. Add the user name.")
    return text


def _parse_time(text: str, prefix: str, now: datetime) -> str:
    if not text:
        return format_time(now)
    if not _is_past_time(text, now):
        raise ValueError(
            f"{prefix}_decided_at is not a time in the past (expected YYYY-MM-DDTHH:MM:SSZ). "
            "Correct it, or leave it empty."
        )
    return text


def _is_past_time(text: str, now: datetime) -> bool:
    try:
        return bool(_TIME.fullmatch(text)) and datetime.fromisoformat(text) <= now
    except ValueError:  # such as the 31st of February
        return False


def _parse_hash(text: str, prefix: str) -> str:
    if not _CONTENT_HASH.fullmatch(text):
        raise ValueError(
            f"{prefix}_content_hash is not the hash of a text. Leave it as it was, or empty."
        )
    return text


def _parse_seconds(text: str, prefix: str) -> int | None:
    if not text:
        return None
    # int() refuses thousands of digits with a message of Python's own.
    is_number = text.isascii() and text.isdecimal() and len(text) < _MAX_DIGITS
    if not is_number or int(text) > _MAX_SECONDS:
        raise ValueError(
            f"{prefix}_seconds is not a whole number up to {_MAX_SECONDS:,}. Correct it."
        )
    return int(text)


def _check_decision(
    decision: Decision,
    records: Mapping[str, DrawnRecord],
    known: Mapping[tuple[str, Reading], Decision],
    state: ReviewState,
    *,
    is_hidden: bool,
) -> None:
    """Raise ValueError for a decision that nobody could have made in this review."""
    key = (decision.reference, decision.reading)
    first, second = (
        known.get((decision.reference, reading)) for reading in (Reading.FIRST, Reading.SECOND)
    )
    if key in state.decisions:
        raise ValueError(
            f"the store has a {_PREFIXES[decision.reading]} decision on this record already. "
            "Decisions are not replaced by a file. Remove it."
        )
    if decision.reading is Reading.SECOND:
        if not records[decision.reference].second_reading:
            raise ValueError("this record is not one that is read twice. Remove the decision.")
        if state.ending is not None:
            raise ValueError("second readings of this review were ended. Remove the decision.")
        if first is None:
            raise ValueError("has a second decision, but no first. Add the first.")
        if first.reviewer == decision.reviewer:
            raise ValueError("the second reader is the first. Another person must read it.")
    if decision.reading is Reading.SETTLING:
        if is_hidden:
            raise ValueError(
                "has a settled decision, and nothing is settled before all second readings are "
                "done. Remove it."
            )
        record = records[decision.reference]
        if not RecordState(record, record.content_hash, first, second).needs_settling:
            raise ValueError("nothing is to be settled on this record. Remove the decision.")
