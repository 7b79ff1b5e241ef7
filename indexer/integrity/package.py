"""Whether the parts of a zipped spreadsheet (XLSX, XLSB, ODS) are as they were written."""

from __future__ import annotations

import zipfile
from typing import IO, BinaryIO, Final, NamedTuple

from indexer.integrity.damage import DamageError, LeftOutError, UncomputedError
from indexer.integrity.ods_cells import CONTENT_PART, read_ods_cells
from indexer.integrity.special_cells import SpecialCells
from indexer.integrity.xls_records import SheetCells
from indexer.integrity.xlsb_records import WORKBOOK_PART, read_xlsb_cells
from indexer.integrity.xlsx_order import check_row_order, is_worksheet

#: The part of an ODS that says so, what it says, and the part that an XLSX or XLSB has instead.
_TYPE_PART: Final = "mimetype"

_ODS_TYPE: Final = b"application/vnd.oasis.opendocument.spreadsheet"

_CONTENT_TYPES_PART: Final = "[Content_Types].xml"

#: The first tag of a sheet is in so many bytes.
_BEGINNING_BYTES: Final = 4096

_BLOCK_BYTES: Final = 1 << 18

#: So much is unpacked at once: in the 4 KB of the library, it takes a quarter longer.
_PACKED_BYTES: Final = 1 << 16


class SheetFacts(NamedTuple):
    """What a spreadsheet says of its sheets.

    ``cells`` are those of each sheet by its records; None where a format has no records.
    ``special`` are the cells that a reader gives as empty, by the number of their sheet.
    """

    cells: list[SheetCells] | None
    special: dict[int, SpecialCells]


def check_package(file: BinaryIO) -> SheetFacts:
    """Compare every part with its checksum, and check the order of rows in sheets of an XLSX.

    Raises DamageError, UncomputedError for a formula without its value that is in no certain sheet,
    and LeftOutError for an ODS of which not all is read. A reader stops where the rows end, and so
    never learns that a part fails its checksum.
    """
    try:
        with zipfile.ZipFile(file) as package:
            is_ods = _is_ods(package)
            special_cells = _check_parts(package, left_out=CONTENT_PART if is_ods else "")
            if is_ods:
                return SheetFacts(None, read_ods_cells(package))
            if _is_xlsb(package):
                return number_errors(read_xlsb_cells(package))
            return SheetFacts(None, _number_sheets(package, special_cells))
    except (DamageError, LeftOutError, UncomputedError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a reader of damaged files raises what it meets
        raise DamageError(type(error).__name__) from None


def number_errors(sheets: list[SheetCells]) -> SheetFacts:
    """The sheets of an XLS or XLSB, with their errors."""
    return SheetFacts(
        sheets, {number: sheet.errors for number, sheet in enumerate(sheets) if sheet.errors}
    )


def _number_sheets(
    package: zipfile.ZipFile, special_cells: dict[str, SpecialCells]
) -> dict[int, SpecialCells]:
    """The cells by the number of the sheet that their part is."""
    if not special_cells:
        return {}
    from indexer.integrity.xlsx_sheets import list_sheet_parts  # it imports a reader of XML

    parts = list_sheet_parts(package)
    numbers = {name: number for number, name in enumerate(parts)}
    if not special_cells.keys() <= numbers.keys() or len(numbers) != len(parts):
        raise UncomputedError
    return {numbers[name]: cells for name, cells in special_cells.items()}


def _is_ods(package: zipfile.ZipFile) -> bool:
    """Whether a package is an ODS, by the type that it says it has. Another program may have left a
    part in an XLSX that is called as the content of an ODS. Raises DamageError for one of both."""
    names = package.namelist()
    is_office = _CONTENT_TYPES_PART in names or any(name.startswith("xl/") for name in names)
    is_typed = False
    if _TYPE_PART in names:
        with package.open(_TYPE_PART) as part:
            is_typed = part.read(len(_ODS_TYPE)) == _ODS_TYPE
    if is_typed and is_office:
        raise DamageError("it is an ODS and an XLSX")
    return is_typed or (CONTENT_PART in names and not is_office)


def _is_xlsb(package: zipfile.ZipFile) -> bool:
    names = package.namelist()
    if WORKBOOK_PART in names and "xl/workbook.xml" in names:
        raise DamageError("there are two workbooks")
    return WORKBOOK_PART in names


def _check_parts(package: zipfile.ZipFile, *, left_out: str) -> dict[str, SpecialCells]:
    """The cells of sheets that a reader gives as empty, by the name of their part. The content
    of an ODS, by far its largest part, is ``left_out`` for ``read_ods_cells``, which reads it to
    its end."""
    names = package.namelist()
    if len(set(names)) != len(names):
        raise DamageError("two parts have one name")
    special_cells = {}
    for name in names:
        if name == left_out:
            continue
        with package.open(name) as part:
            if isinstance(part, zipfile.ZipExtFile):
                part.MIN_READ_SIZE = _PACKED_BYTES
            if cells := _check_part(name, part):
                special_cells[name] = cells
    return special_cells


def _check_part(name: str, part: IO[bytes]) -> SpecialCells:
    """Read a part to its end, where its checksum is compared."""
    beginning = part.read(_BEGINNING_BYTES)
    special_cells: SpecialCells = {}
    if name.lower().endswith(".xml") and is_worksheet(beginning):
        special_cells = check_row_order(beginning, part)
    while part.read(_BLOCK_BYTES):
        pass
    return special_cells
