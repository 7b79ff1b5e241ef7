"""Read the sheets of XLSX, XLS, XLSB and ODS, through a process of their own with limited memory.

Formulas count as the values that the file holds for them; hidden sheets, rows and columns are read
like others.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
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

#: A process's own input, as a path.
_INPUT: Final = Path("/dev/fd/0")

_WORKER: Final = str(Path(__file__).with_name("spreadsheet_worker.py"))


class Sheet(NamedTuple):
    """A sheet's name, whether it is hidden, and its number among the sheets, from 0."""

    name: str
    hidden: bool
    number: int


def list_sheets(path: Path) -> list[Sheet]:
    """The sheets of a spreadsheet. Raises SourceError."""
    with _start_worker(path) as output:
        sheets = _read_listing(path, output)
    names = [sheet.name for sheet in sheets]
    if len(set(names)) != len(names):  # only the first could be read
        raise SourceError(f"{path}: has two sheets of one name. Rename one of them.")
    return sheets


def read_sheet_rows(path: Path, sheet: Sheet) -> Iterator[TableRow]:
    """Every row of a sheet from the first, located as "crimes.xlsx, sheet 2018: row 5".

    Raises SourceError.
    """
    name = show_name(sheet.name)
    with _start_worker(path, sheet) as output:
        if sheet not in _read_listing(path, output):
            raise SourceError(f"{path}: was changed while it was read. Try again.")
        number = 0
        while rows := decode_rows(_read_frame(path, output)):
            for cells in rows:
                number += 1
                if number == 1:
                    check_width(f"{path}, sheet {name}", len(cells))
                yield TableRow(f"{path.name}, sheet {name}: row {number}", cells)


@contextmanager
def _start_worker(path: Path, sheet: Sheet | None = None) -> Generator[IO[bytes]]:
    """Start the process that reads the file, or one sheet of it too; yields its output."""
    with _open_package(path) as file, _name_open_file(path) as name:
        command = [sys.executable, "-P", _WORKER, name, str(MAX_MEGABYTES)]
        command += [str(sheet.number)] if sheet else []
        with _run_worker(path, command, file) as output:
            yield output


@contextmanager
def _name_open_file(path: Path) -> Generator[str]:
    """A path that leads the process to its input, with the ending that names the format.

    What was put in the place of the file since it was checked is not read. Where the system has no
    such path (Windows), it is that of the file.
    """
    if not _INPUT.exists():
        yield str(path)
        return
    with TemporaryDirectory(prefix="foidex-") as folder:
        link = Path(folder, "file").with_suffix(path.suffix.lower())
        link.symlink_to(_INPUT)
        yield str(link)


@contextmanager
def _run_worker(path: Path, command: list[str], file: IO[bytes]) -> Generator[IO[bytes]]:
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
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


@contextmanager
def _open_package(path: Path) -> Generator[IO[bytes]]:
    """Open a file. Raises SourceError for one that cannot be, or would unpack to too much."""
    try:
        file = open_ordinary_input(path)
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read ({error.strerror}). Check its permissions."
        ) from None
    with file:
        _check_package(path, file)
        file.seek(0)
        yield file


def _check_package(path: Path, file: IO[bytes]) -> None:
    try:
        if not zipfile.is_zipfile(file):
            return
        with zipfile.ZipFile(file) as package:
            size = sum(info.file_size for info in package.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
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
