"""The stream of records in an XLS: the part of its OLE container that holds the workbook."""

from __future__ import annotations

from typing import BinaryIO, Final

from indexer.integrity.damage import DamageError

_MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

#: What Excel 97 and later call the stream, and what Excel 5 and 95 did.
_STREAM_NAMES: Final = ("Workbook", "Book")


def is_xls(file: BinaryIO) -> bool:
    """Whether a file begins like an OLE container; leaves it at its start."""
    file.seek(0)
    start = file.read(len(_MAGIC))
    file.seek(0)
    return start == _MAGIC


def read_workbook_stream(file: BinaryIO) -> bytes:
    """The whole workbook stream of an XLS. Raises DamageError."""
    import olefile  # it takes as long as all the rest

    try:
        with olefile.OleFileIO(file, raise_defects=olefile.DEFECT_INCORRECT) as container:
            for name in _STREAM_NAMES:
                if container.exists(name):
                    return bytes(container.openstream(name).read())
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a reader of damaged files raises what it meets
        raise DamageError(type(error).__name__) from None
    raise DamageError("no workbook")
