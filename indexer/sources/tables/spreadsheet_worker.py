"""The process that reads one spreadsheet, with limited memory, and writes its cells to a pipe.

It is a process of its own because the reader holds a whole sheet in memory: a hostile file ends
this process and not the refresh. Run as ``python spreadsheet_worker.py FILE MEGABYTES``. It writes
the list of sheets, and then the rows of each sheet whose number it reads, one a line, until its
input ends. What it writes are frames: a length of four bytes, then MessagePack. No formula or macro
is evaluated. Before it lists the sheets, it checks the file for damage the reader does not see, and
for formulas without their values and errors, which are marked in the rows.
Of foidex it imports little, so it starts quickly.
"""

from __future__ import annotations

import gc
import math
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

if TYPE_CHECKING:
    from indexer.integrity.package import SheetFacts
    from indexer.integrity.special_cells import SpecialCells

_BATCH_ROWS: Final = 200

_CPU_SECONDS: Final = 3600

#: Exit code for a file that is not a whole spreadsheet, and for one that has a password.
DAMAGED: Final = 3

PROTECTED: Final = 4

#: Exit code for a file from which not all can be read that it says it holds.
INCOMPLETE: Final = 5

#: Exit code for a file in which some cell, of no certain place, has a formula and no value of it.
UNCOMPUTED: Final = 6

#: Exit code for an ODS with a cell of which the reader leaves something out.
LEFT_OUT: Final = 7

#: Exit code for a file that cannot be read and has a cell with an error that the reader lacks.
NEW_ERROR: Final = 8

#: Excel keeps 15 digits of a number, and puts zeros in place of the others.
WHOLE_LIMIT: Final = 1e15

#: The kinds of cells that MessagePack has no type for.
DATE_CODE: Final = 1

DATETIME_CODE: Final = 2

_OTHER_CODE: Final = 3

#: An UncomputedCell.
UNCOMPUTED_CODE: Final = 4

#: A MergedCell.
MERGED_CODE: Final = 5


def _encode_other(value: Any) -> Any:
    if isinstance(value, time | timedelta):
        return msgspec.msgpack.Ext(_OTHER_CODE, str(value).encode())
    from indexer.integrity.special_cells import MergedCell

    is_merged = isinstance(value, MergedCell)  # there is no third kind of cell
    return msgspec.msgpack.Ext(MERGED_CODE if is_merged else UNCOMPUTED_CODE, b"")


def _wrap_dates(cell: Any) -> Any:
    if isinstance(cell, datetime):
        return msgspec.msgpack.Ext(DATETIME_CODE, cell.isoformat().encode())
    if isinstance(cell, date):
        return msgspec.msgpack.Ext(DATE_CODE, cell.isoformat().encode())
    return cell


_ENCODER: Final = msgspec.msgpack.Encoder(enc_hook=_encode_other)


def encode_rows(rows: Iterable[Sequence[Any]]) -> bytes:
    """Rows of cells as bytes; dates and times stay what they are."""
    return _ENCODER.encode(
        [[_wrap_dates(cell) if isinstance(cell, date) else cell for cell in row] for row in rows]
    )


def keep_finite(number: float) -> float | str:
    """A number as it is; one that is none, or is infinite, as its text, which no field accepts."""
    return number if math.isfinite(number) else str(number)


def run_worker(path: str, megabytes: int, requests: Iterable[bytes], output: BinaryIO) -> int:
    """Write the list of sheets, and then the rows of each one asked for; returns the exit code."""
    import python_calamine

    from indexer.integrity.damage import DamageError, LeftOutError, UncomputedError
    from indexer.integrity.special_cells import (
        OTHER_ERROR,
        count_uncomputed,
        list_merged_cells,
        mark_rows,
    )
    from indexer.integrity.xls_records import compare_rows
    from indexer.process_limits import limit_process

    limit_process(megabytes, _CPU_SECONDS)
    special_cells: dict[int, SpecialCells] = {}
    try:
        workbook = python_calamine.load_workbook(path)
        cells, special_cells = _check_file(path)
        listing = [
            (
                entry.name,
                entry.visible != python_calamine.SheetVisibleEnum.Visible,
                number,
                count_uncomputed(special_cells.get(number, {})),
            )
            for number, entry in enumerate(workbook.sheets_metadata)
            if entry.typ == python_calamine.SheetTypeEnum.WorkSheet
        ]
        _write_frame(output, msgspec.msgpack.encode(listing))
        for request in requests:
            number = int(request)
            sheet = workbook.get_sheet_by_name(workbook.sheets_metadata[number].name)
            rows = iter(sheet.iter_rows())
            if cells is not None:
                rows = compare_rows(cells[number], rows)
            marks = list_merged_cells(sheet.merged_cell_ranges or ())
            marks |= special_cells.get(number, {})
            if marks:
                rows = mark_rows(marks, rows, (sheet.start or (0, 0))[1])
            while batch := list(islice(rows, _BATCH_ROWS)):
                _write_frame(output, _ENCODER.encode(_pack_rows(batch)))
            _write_frame(output, _ENCODER.encode([]))
    except (DamageError, LeftOutError, UncomputedError) as error:
        return {DamageError: INCOMPLETE, LeftOutError: LEFT_OUT}.get(type(error), UNCOMPUTED)
    except python_calamine.PasswordError:
        return PROTECTED
    except (MemoryError, BrokenPipeError):
        raise
    except BaseException:  # noqa: BLE001 - a panic of the reader is no Exception
        is_new_error = any(OTHER_ERROR in cells.values() for cells in special_cells.values())
        return NEW_ERROR if is_new_error else DAMAGED
    return 0


def _check_file(path: str) -> SheetFacts:
    """Check a file. Raises DamageError, LeftOutError or UncomputedError."""
    from indexer.integrity.package import check_package, number_errors
    from indexer.integrity.xls_container import is_xls, read_workbook_stream
    from indexer.integrity.xls_records import read_sheet_cells

    with Path(path).open("rb") as file:
        if is_xls(file):
            return number_errors(read_sheet_cells(read_workbook_stream(file)))
        return check_package(file)


def _pack_rows(rows: list[list[Any]]) -> list[list[Any]]:
    """The same rows, which are as long as each other, with their cells as they are written."""
    for column, cells in enumerate(zip(*rows, strict=True)):
        if set(map(type, cells)) != {str}:
            for row, cell in zip(rows, cells, strict=True):
                row[column] = _pack_cell(cell)
    return rows


def _pack_cell(cell: Any) -> Any:
    """A cell as it is written. A whole number is an int, since most formats hold every number as a
    float; one that is too large stays one."""
    if type(cell) is float:
        return int(cell) if cell.is_integer() and abs(cell) < WHOLE_LIMIT else keep_finite(cell)
    return _wrap_dates(cell) if isinstance(cell, date) else cell


def _write_frame(output: BinaryIO, data: bytes) -> None:
    output.write(len(data).to_bytes(4, "big"))
    output.write(data)
    output.flush()


if __name__ == "__main__":
    gc.disable()  # nothing here refers to itself
    _, file, memory = sys.argv
    try:
        code = run_worker(file, int(memory), sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:  # whoever reads has seen enough
        code = 0
    os._exit(code)  # what could not be written is not flushed again
