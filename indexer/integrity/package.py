"""Whether the parts of a zipped spreadsheet (XLSX, XLSB, ODS) are as they were written."""

from __future__ import annotations

import zipfile
from typing import IO, BinaryIO, Final

from indexer.integrity.damage import DamageError, UncomputedError
from indexer.integrity.xls_records import SheetCells
from indexer.integrity.xlsb_records import WORKBOOK_PART, read_xlsb_cells
from indexer.integrity.xlsx_order import check_row_order, is_worksheet

#: The first tag of a sheet is in so many bytes.
_BEGINNING_BYTES: Final = 4096

_BLOCK_BYTES: Final = 1 << 18


def check_package(file: BinaryIO) -> list[SheetCells] | None:
    """Compare every part with its checksum, and check the order of rows in sheets of an XLSX.

    Returns the cells that the sheets of an XLSB hold by its records, and None for any other.
    Raises DamageError, and UncomputedError for a formula in an XLSX without its value. A reader
    stops where the rows end, and so never learns that a part fails its checksum.
    """
    try:
        with zipfile.ZipFile(file) as package:
            _check_parts(package)
            return read_xlsb_cells(package) if _is_xlsb(package) else None
    except (DamageError, UncomputedError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a reader of damaged files raises what it meets
        raise DamageError(type(error).__name__) from None


def _is_xlsb(package: zipfile.ZipFile) -> bool:
    names = package.namelist()
    if WORKBOOK_PART in names and "xl/workbook.xml" in names:
        raise DamageError("there are two workbooks")
    return WORKBOOK_PART in names


def _check_parts(package: zipfile.ZipFile) -> None:
    names = package.namelist()
    if len(set(names)) != len(names):
        raise DamageError("two parts have one name")
    for name in names:
        with package.open(name) as part:
            _check_part(name, part)


def _check_part(name: str, part: IO[bytes]) -> None:
    """Read a part to its end, where its checksum is compared."""
    beginning = part.read(_BEGINNING_BYTES)
    if name.lower().endswith(".xml") and is_worksheet(beginning):
        check_row_order(beginning, part)
    while part.read(_BLOCK_BYTES):
        pass
