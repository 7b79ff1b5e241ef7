"""Read the sheets of XLSX, XLS, XLSB and ODS, through a process of their own with limited memory.

Formulas count as the values that the file holds for them; hidden sheets, rows and columns are read
like others.
"""

from __future__ import annotations

import subprocess
import sys
import weakref
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final, NamedTuple

import msgspec

from indexer.errors import SourceError
from indexer.files import open_ordinary_input
from indexer.sources.tables.spreadsheet_worker import (
    INCOMPLETE,
    LEFT_OUT,
    NEW_ERROR,
    PROTECTED,
    UNCOMPUTED,
)
from indexer.sources.tables.table import TableRow, check_width, decode_rows
from indexer.sources.tables.zipped import explain_unreadable
from indexer.terminal import show_name

SPREADSHEET_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

#: What a spreadsheet may need: its sheets are read whole.
MAX_MEGABYTES: Final = 2048

MAX_UNPACKED_BYTES: Final = 4 * 1024**3

#: Where the open files of a process are, as paths.
_OPEN_FILES: Final = Path("/dev/fd")

#: Why the process ended, by its exit code, and what to do.
_END_TEXTS: Final = {
    PROTECTED: "has a password. Save it without one.",
    INCOMPLETE: "is damaged, or was written by a program that does not keep to the format: what "
    "can be read of it is not what it says it holds. Export it again; or open it, look at its last "
    "rows, and save it as CSV UTF-8.",
    UNCOMPUTED: "has cells with a formula and without its value, as programs other than a "
    "spreadsheet write them, so what they show is not known. Open it in Excel or LibreOffice, save "
    "it, and give that file.",
    LEFT_OUT: "has cells that cannot be read whole, and which ones is not certain: an ODS with "
    "tracked changes or drawings in such cells, or texts that a program wrote as CDATA sections. "
    "Open it in LibreOffice, save it as XLSX, and give that file.",
    NEW_ERROR: "has cells with errors that are new in Excel, such as #SPILL! or #CALC!, and its "
    "reader knows none of them. Correct or clear those cells in Excel and save the file, or save "
    "it as CSV UTF-8, in which they are text.",
}

_WORKER: Final = str(Path(__file__).with_name("spreadsheet_worker.py"))


class Sheet(NamedTuple):
    """A sheet's name, whether it is hidden, its number among the sheets, from 0, and how many of
    its cells have a formula and no value of it."""

    name: str
    hidden: bool
    number: int
    uncomputed: int


class Workbook:
    """The sheets of one spreadsheet. The process that lists them reads each of them once; another
    one reads a sheet again."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError."""
        self._path = path
        self._idle: _Worker | None = _Worker(path)
        self.sheets = self._idle.sheets
        self._unread = {sheet.number for sheet in self.sheets}
        names = [sheet.name for sheet in self.sheets]
        # Only the first could be read, and rows must have places of their own.
        if len(set(map(show_name, names))) != len(names):
            raise SourceError(f"{path}: has two sheets of one name. Rename one of them.")

    def read_rows(self, sheet: Sheet) -> Iterator[TableRow]:
        """Every row of a sheet from the first, located as "crimes.xlsx, sheet 2018: row 5".

        Raises SourceError.
        """
        worker, self._idle = self._idle or _Worker(self._path), None
        if sheet not in worker.sheets:
            raise SourceError(f"{self._path}: was changed while it was read. Try again.")
        name = show_name(sheet.name)
        place = f"{self._path.name}, sheet {name}: row"
        numbers = count(1)
        for rows in worker.read_blocks(sheet):
            for cells, number in zip(rows, numbers, strict=False):
                if number == 1:
                    check_width(f"{self._path}, sheet {name}", len(cells))
                yield TableRow(f"{place} {number}", cells)
        self._unread.discard(sheet.number)
        if self._unread and self._idle is None:
            self._idle = worker


class _Worker:
    """A process that has opened a spreadsheet. It ends when nothing refers to it any more."""

    def __init__(self, path: Path) -> None:
        """Raises SourceError."""
        self._path = path
        with _open_package(path) as file, _name_open_file(path, file) as (name, handles):
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-P", _WORKER, name, str(MAX_MEGABYTES)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=handles,
            )
            self._end = weakref.finalize(self, _end_process, self._process)
            self.sheets = [Sheet(*sheet) for sheet in msgspec.msgpack.decode(self._read_frame())]

    def read_blocks(self, sheet: Sheet) -> Iterator[list[list[Any]]]:
        """The rows of a sheet, some hundred at a time. Raises SourceError."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(b"%d\n" % sheet.number)
            self._process.stdin.flush()
        while rows := decode_rows(self._read_frame()):
            yield rows

    def _read_frame(self) -> bytes:
        """One frame. Raises SourceError where the process ended before it."""
        assert self._process.stdout
        head = self._process.stdout.read(4)
        data = self._process.stdout.read(int.from_bytes(head, "big"))
        if len(head) < 4 or len(data) < int.from_bytes(head, "big"):
            raise _explain_end(self._path, self._process.wait())
        return data


def _end_process(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdin
    assert process.stdout
    process.stdout.close()
    with suppress(BrokenPipeError):
        process.stdin.close()


@contextmanager
def _name_open_file(path: Path, file: IO[bytes]) -> Generator[tuple[str, tuple[int, ...]]]:
    """A path that leads a process to an open file, with the ending that names the format, and the
    handle that the process needs for it.

    What was put in the place of the file since it was checked is not read. Where the system has no
    such path (Windows), it is that of the file.
    """
    if not _OPEN_FILES.exists():
        yield str(path), ()
        return
    with TemporaryDirectory(prefix="foidex-") as folder:
        link = Path(folder, "file").with_suffix(path.suffix.lower())
        link.symlink_to(_OPEN_FILES / str(file.fileno()))
        yield str(link), (file.fileno(),)


@contextmanager
def _open_package(path: Path) -> Generator[IO[bytes]]:
    """Open a file. Raises SourceError for one that cannot be, or would unpack to too much."""
    try:
        file = open_ordinary_input(path)
    except OSError as error:
        raise explain_unreadable(path, error) from None
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


def _explain_end(path: Path, code: int) -> SourceError:
    if text := _END_TEXTS.get(code):
        return SourceError(f"{path}: {text}")
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
