"""Read the sheets of XLSX, XLS, XLSB and ODS, through a process of their own with limited memory.

Formulas count as the values that the file holds for them; hidden sheets, rows and columns are read
like others.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple

import msgspec

from indexer.errors import SourceError
from indexer.files import open_ordinary_input
from indexer.sources.tables.spreadsheet_worker import PROTECTED
from indexer.sources.tables.table import TableRow, check_width, decode_rows
from indexer.terminal import show_name

SPREADSHEET_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

#: What a spreadsheet may need: its sheets are read whole.
MAX_MEGABYTES: Final = 2048

MAX_UNPACKED_BYTES: Final = 4 * 1024**3

_WORKER: Final = str(Path(__file__).with_name("spreadsheet_worker.py"))


class Sheet(NamedTuple):
    """A sheet's name, and whether it is hidden."""

    name: str
    hidden: bool


def list_sheets(path: Path) -> list[Sheet]:
    """The sheets of a spreadsheet. Raises SourceError."""
    with _start_worker(path, ()) as output:
        return _read_listing(path, output)


def read_sheet_rows(path: Path, sheet: str) -> Iterator[TableRow]:
    """Every row of a sheet from the first, located as "crimes.xlsx, sheet 2018: row 5".

    Raises SourceError.
    """
    with _start_worker(path, (sheet,)) as output:
        _read_listing(path, output)
        number = 0
        while rows := decode_rows(_read_frame(path, output)):
            for cells in rows:
                number += 1
                if number == 1:
                    check_width(f"{path}, sheet {show_name(sheet)}", len(cells))
                yield TableRow(f"{path.name}, sheet {show_name(sheet)}: row {number}", cells)


@contextmanager
def _start_worker(path: Path, sheets: Sequence[str]) -> Generator[IO[bytes]]:
    _check_package(path)
    command = [sys.executable, "-P", _WORKER, str(path), str(MAX_MEGABYTES), *sheets]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        try:
            yield process.stdout
        except EOFError:
            raise _explain_end(path, process.wait()) from None
        finally:
            process.stdout.close()
            if process.poll() is None:
                process.kill()


def _check_package(path: Path) -> None:
    """Raise SourceError for a file that cannot be opened, or would unpack to too much."""
    try:
        with open_ordinary_input(path) as file:
            if not zipfile.is_zipfile(file):
                return
            with zipfile.ZipFile(file) as package:
                size = sum(info.file_size for info in package.infolist())
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({error.strerror}). Check its permissions."
        ) from None
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise _make_damage_error(path) from None
    if size > MAX_UNPACKED_BYTES:
        raise SourceError(
            f"{path}: unpacks to {size // 1024**2:,} MB, and {MAX_UNPACKED_BYTES // 1024**2:,} MB "
            "are read at most. Export it in parts, or as CSV."
        )


def _read_listing(path: Path, output: IO[bytes]) -> list[Sheet]:
    return [Sheet(*sheet) for sheet in msgspec.msgpack.decode(_read_frame(path, output))]


def _read_frame(path: Path, output: IO[bytes]) -> bytes:
    """One frame. Raises EOFError where the process ended before it."""
    head = output.read(4)
    if len(head) < 4:
        raise EOFError(path.name)
    data = output.read(int.from_bytes(head, "big"))
    if len(data) < int.from_bytes(head, "big"):
        raise EOFError(path.name)
    return data


def _explain_end(path: Path, code: int) -> SourceError:
    if code == PROTECTED:
        return SourceError(f"{path}: has a password. Save it without one.")
    if code < 0 or code == 1:  # killed by its limits, or out of memory
        return SourceError(
            f"{path}: needs more than {MAX_MEGABYTES:,} MB of memory to read, because a cell far "
            "to the right or far down makes its sheet that large. Export the records alone, or as "
            "CSV."
        )
    return _make_damage_error(path)


def _make_damage_error(path: Path) -> SourceError:
    return SourceError(
        f"{path}: is not a whole spreadsheet: it is damaged, cut short or of another kind. Export "
        "it again, or save it as CSV UTF-8."
    )
