"""Read records from files as they come, by the profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from indexer.config.profile import SourceProfile, is_ignored, list_used_columns
from indexer.errors import SourceError
from indexer.integrity.special_cells import UncomputedCell
from indexer.records.categories import Categories
from indexer.sources.base import MAX_RECORD_BYTES, RawRecord, SourceRows
from indexer.sources.profile.columns import check_header, check_types, list_absent_columns
from indexer.sources.profile.grouping import GroupedRow, group_rows
from indexer.sources.profile.mapper import RowMapper
from indexer.sources.profile.row_rules import (
    RowNature,
    ShortCells,
    SkipCheck,
    make_skip_check,
    make_uncomputed_error,
)
from indexer.sources.profile.values import is_empty
from indexer.sources.tables.enclosed_rows import EnclosedRows
from indexer.sources.tables.open_file import LayoutRules, open_tables
from indexer.sources.tables.table import (
    SourceTable,
    TableRow,
    check_width,
    is_blank_row,
    name_columns,
)

_SAMPLE_ROWS: Final = 500

CONTINUED: Final = "continues the row before it"

CONTINUES_SKIPPED: Final = "continues a row that is skipped"

_JOINERS: Final = {"space": " ", "line": "\n"}


def read_profiled_file(
    path: Path, profile: SourceProfile, categories: Categories, counts: Counter[Path]
) -> Iterator[RawRecord]:
    """Every record of a file, and every row that is skipped with its rule.

    ``counts`` takes the number of rows that are not blank. Raises SourceError for a file that
    cannot be read, or that is not laid out as the profile says.
    """
    layout = LayoutRules(
        profile.encoding, profile.delimiter_character, profile.sheets, profile.ignore_sheets
    )
    filled = blank = 0
    try:
        for table in open_tables(path, layout):
            before = filled
            for raw in _read_table(path, table, profile, categories):
                filled += 1
                if raw.blank and not raw.skipped_by:
                    blank += 1
                yield raw
            if filled == before and not table.is_sheet:  # another sheet may have the records
                raise SourceError(
                    f"{path.parent / table.name}: has no row below the names of its columns. Check "
                    "the export."
                )
        counts[path] += filled - blank
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({error.strerror or 'damaged'}). Check the file."
        ) from None
    except EOFError:
        raise SourceError(f"{path}: the gzip data is cut short. Copy the file again.") from None
    if not filled:
        raise SourceError(f"{path}: has no row below the names of its columns. Check the export.")


def _read_table(
    path: Path, table: SourceTable, profile: SourceProfile, categories: Categories
) -> Iterator[RawRecord]:
    if table.keyed:
        header, rows = _align_objects(path, table, profile)
    else:
        rows = table.rows()
        titles = list(islice(rows, profile.header_row))
        if not titles:  # an empty sheet
            return
        if len(titles) < profile.header_row:
            raise SourceError(
                f"{path}, {table.name}: ends before row {profile.header_row}, which "
                "[source.profile] header_row names. Check the export."
            )
        header = name_columns(titles[-1].cells)
        check_width(titles[-1].location, len(header))
        if any(type(cell) is UncomputedCell for cell in titles[-1].cells):
            raise make_uncomputed_error(titles[-1].location, "the row of names")
        check_header(titles[-1].location, header, profile)
        references = profile.rules["crime_ref"].names
        if table.delimiter and references:
            reference = header.index(references[0])
            enclosed_rows = EnclosedRows(reference, header, table.delimiter)
            rows = enclosed_rows.check_rows(f"{path}, {table.name}", rows)
    nature = RowNature(is_ordered=not table.keyed, has_unknown=table.is_sheet)
    raws = read_profiled_rows(str(path), ProfiledRows(header, rows, nature), profile, categories)
    if not table.keyed and (absent := list_absent_columns(header, profile)):
        raws = _note_absent_columns(raws, absent)
    yield from raws


def _empty_word(cell: Any, words: frozenset[str]) -> Any:
    """A cell, or an empty one for a word that stands for no value."""
    if type(cell) is list:
        return [None if type(item) is str and item.strip() in words else item for item in cell]
    return "" if type(cell) is str and cell.strip() in words else cell


def _note_absent_columns(raws: Iterator[RawRecord], absent: list[str]) -> Iterator[RawRecord]:
    """The same records; the first has a note of the columns that the table lacks."""
    listing = ", ".join(f'"{name[:60]}"' for name in absent[:10])
    note = f"a table lacks {listing}, which nothing reads"
    for raw in islice(raws, 1):
        yield replace(raw, notes=(*raw.notes, note))
    yield from raws


class ProfiledRows(NamedTuple):
    """Rows with the names of their columns, and what they are."""

    header: list[str]
    rows: Iterator[TableRow]
    nature: RowNature = RowNature()


def read_profiled_rows(
    location: str, table: ProfiledRows, profile: SourceProfile, categories: Categories
) -> Iterator[RawRecord]:
    """The records of rows; one that is wider or narrower than the header is rejected.

    Raises SourceError if the first rows are of another type than the profile expects, or a row
    may be none of the table.
    """
    header, rows, nature = table
    width = len(header)
    if profile.no_value:
        words = frozenset(profile.no_value)
        rows = (
            replace(row, cells=[_empty_word(cell, words) for cell in row.cells]) for row in rows
        )
    first = [_fit_row(row, width) for row in islice(rows, _SAMPLE_ROWS)]
    skips = make_skip_check(profile, header, nature)
    kept = [row for row in first if not (_may_be_skipped(row) and skips(row.cells, row.location))]
    sample = [row.cells for row in kept if not row.error]
    check_types(location, header, sample, profile)
    skips = make_skip_check(profile, header, nature)  # it begins again
    mapper = RowMapper(profile, header, categories)
    names = tuple(header)
    rows = chain(first, rows)
    if profile.continuation is None and profile.one_row_per == "record":
        yield from _map_rows(rows, mapper, names, skips)
        return
    skipped: list[RawRecord] = []
    fitting = (_fit_row(row, width) for row in rows)
    kept_rows = _keep_rows(fitting, skips, skipped, profile, header)
    yield from group_rows(kept_rows, mapper, names, profile.one_row_per)
    yield from skipped


def _map_rows(
    rows: Iterable[TableRow],
    mapper: RowMapper,
    header: tuple[str, ...],
    skips: SkipCheck,
) -> Iterator[RawRecord]:
    """A record for each row. Every file goes through here row by row, so it is written to be fast:
    fields by their position, and nothing that is the same for all rows."""
    width = len(header)
    map_row, is_blank = mapper.map_row, False
    for read_row in rows:
        row = read_row if len(read_row.cells) == width else _fit_row(read_row, width)
        location, cells, size, error, source = (
            row.location,
            row.cells,
            row.size,
            row.error,
            row.source,
        )
        if (error is None or row.is_short) and (skip := skips(cells, location)):
            yield _skip_row(row, skip)
            continue
        mapped = map_row(cells)
        kind = row.error_kind if error else mapped.error_kind
        yield RawRecord(
            location,
            mapped.values,
            size,
            error or mapped.error,
            kind,
            is_blank,
            "",
            mapped.notes,
            source or SourceRows(header, (cells,)),
        )


def _skip_row(row: TableRow, rule: str) -> RawRecord:
    return RawRecord(
        row.location, {}, row.size, blank=True, skipped_by="" if rule == "blank" else rule
    )


def _keep_rows(
    rows: Iterator[TableRow],
    skips: SkipCheck,
    skipped: list[RawRecord],
    profile: SourceProfile,
    header: list[str],
) -> Iterator[GroupedRow]:
    """The rows that are records or parts of them, with those that continue them. What continues
    a skipped row is skipped with it."""
    reference = header.index(profile.rules["crime_ref"].names[0])
    rule = profile.continuation
    column = header.index(rule.column) if rule else -1
    pending: GroupedRow | None = None
    is_below_skipped = False
    for number, row in enumerate(rows):
        continues = rule is not None and _continues(row.cells, column)
        if _may_be_skipped(row) and (skip := skips(row.cells, row.location)):
            skipped.append(_skip_row(row, skip))
            # Blank rows, names repeated on a page and parts of a text are between rows of a record.
            is_part = continues or skip == "blank" or name_columns(row.cells) == header
            is_below_skipped = is_below_skipped or not is_part
        elif continues and is_below_skipped:
            skipped.append(_skip_row(row, CONTINUES_SKIPPED))
        elif rule and continues and pending:
            pending = _join_row(pending, row, column, rule.join)
            skipped.append(RawRecord(row.location, {}, row.size, blank=True, skipped_by=CONTINUED))
        else:
            if pending:
                yield pending
            owner = row.cells[reference]
            key = "" if is_empty(owner) else str(owner).strip()
            if profile.one_row_per == "record" and key:
                key = f"{number} {key}"  # each row is a record of its own
            pending = GroupedRow(row.location, key, row.cells, row.error)
            is_below_skipped = False
    if pending:
        yield pending


def _join_row(pending: GroupedRow, row: TableRow, column: int, join: str) -> GroupedRow:
    """A row with the text of one that continues it. What is wrong with the second, such as text in
    cells beyond the header, is wrong with the whole."""
    text, addition = pending.cells[column], row.cells[column]
    joiner = _JOINERS.get(join)
    if joiner is None:
        entries = text if isinstance(text, list) else [text]
        pending.cells[column] = [*entries, addition]
    else:
        pending.cells[column] = f"{text}{joiner}{addition}"
    if len(str(pending.cells[column])) > MAX_RECORD_BYTES:
        raise SourceError(
            f"{row.location}: the rows that continue a record are over "
            f"{MAX_RECORD_BYTES // 1024 // 1024} MB. Check continuation in [source.profile]."
        )
    if row.error and not row.is_short and not pending.error:
        pending = pending._replace(error=f"its row {row.location} {row.error}")
    return pending


def _continues(cells: list[Any], column: int) -> bool:
    return not is_empty(cells[column]) and all(
        index == column or is_empty(cell) for index, cell in enumerate(cells)
    )


def _fit_row(row: TableRow, width: int) -> TableRow:
    """A row with as many cells as the header; empty ones at its end are added or removed."""
    cells = row.cells
    if len(cells) == width:
        return row
    if is_blank_row(cells[width:] if len(cells) > width else cells):
        return replace(row, cells=(cells + [""] * width)[:width])
    error = (
        f"has {len(cells)} columns where the header has {width}. Quote the fields that hold the "
        "delimiter or line breaks."
    )
    is_short = len(cells) < width
    fitting = (cells + [""] * width)[:width]
    return replace(
        row,
        cells=ShortCells(fitting) if is_short else fitting,
        error=error,
        is_short=is_short,
        error_kind="has more or fewer columns than the header",
    )


def _may_be_skipped(row: TableRow) -> bool:
    """Whether a rule can skip a row: one with fewer cells, such as one of totals, is like one with
    empty cells to it."""
    return row.error is None or row.is_short


# -- objects of JSON -------------------------------------------------------------------------------


def _align_objects(
    path: Path, table: SourceTable, profile: SourceProfile
) -> tuple[list[str], Iterator[TableRow]]:
    """The columns of the profile, and the rows of objects in their order; an object with another
    field is invalid. Raises SourceError if the first objects have other fields than expected."""
    rows = table.rows()
    first = list(islice(rows, _SAMPLE_ROWS))
    fields = {name: None for row in first for name in row.cells[0]}
    header = list(profile.columns) or list_used_columns(profile)
    sparse = [name for name in header if name not in fields and _is_sparse(name, profile)]
    present = [*fields, *sparse]
    check_header(str(path), present, profile)
    known = set(header)

    def align(row: TableRow) -> TableRow:
        values = row.cells[0]
        unknown = [name for name in values if name not in known and not is_ignored(name, profile)]
        error, kind = row.error, row.error_kind
        if unknown and error is None:
            kind = "has a field that the profile lacks"
            error = (
                f"has {len(unknown):,} fields that [source.profile.columns] lacks. Add them there, "
                "or to ignore."
            )
        cells = [values.get(name) for name in header]
        return replace(row, cells=cells, error=error, error_kind=kind)

    return header, map(align, chain(first, rows))


def _is_sparse(name: str, profile: SourceProfile) -> bool:
    """Whether a field may be missing in all of the first objects."""
    required = {
        profile.rules[field].names[0]
        for field in ("crime_ref", "recorded_on", "offence_code", "narrative")
        if profile.rules[field].names
    }
    return name not in required
