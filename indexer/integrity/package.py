"""Whether the parts of a zipped spreadsheet (XLSX, XLSB, ODS) are as they were written."""

from __future__ import annotations

import zipfile
from typing import BinaryIO

from indexer.integrity.damage import DamageError
from indexer.integrity.xlsx_order import check_row_order


def check_package(file: BinaryIO) -> None:
    """Compare every part with its checksum, and check the order of rows in sheets of an XLSX.

    Raises DamageError. A reader stops where the rows end, and so never learns that a part fails its
    checksum.
    """
    try:
        with zipfile.ZipFile(file) as package:
            _check_parts(package)
            check_row_order(package)
    except (DamageError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a reader of damaged files raises what it meets
        raise DamageError(type(error).__name__) from None


def _check_parts(package: zipfile.ZipFile) -> None:
    names = [info.filename for info in package.infolist()]
    if len(set(names)) != len(names):
        raise DamageError("two parts have one name")
    if package.testzip() is not None:
        raise DamageError("a part fails its checksum")
