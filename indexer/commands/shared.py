"""What the commands print with: JSON, and tables of aligned columns."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import typer

from indexer.errors import OutputError
from indexer.terminal import escape_line

_GAP: Final = "  "

_MIN_TEXT_WIDTH: Final = 24

_INDENT: Final = 4


class ListFormat(StrEnum):
    """What a command that lists something prints."""

    TABLE = "table"
    JSON = "json"


def parse_path(text: str | Path) -> Path:
    """The path on a command line, for typer. An empty text, which would mean the working folder, is
    a wrong command line: often a variable of a script that is not set."""
    if not str(text) or (isinstance(text, str) and not text.strip()):
        raise typer.BadParameter("is empty. Name a file or a folder.")
    return Path(text)


def require_new_file(path: Path | None, *, force: bool) -> None:
    """Raise OutputError if there is a file already, unless it may be replaced or is a device."""
    if not path or force or path.is_relative_to("/dev"):
        return
    if os.path.lexists(path):
        raise OutputError(f"{path}: is there already. Choose another name, or replace it: --force.")


def print_path(path: Path) -> None:
    """Print a path on a line of its own, as a terminal may show it."""
    print(escape_line(str(path)))


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def print_table(rows: Sequence[Sequence[str]], alignments: str) -> None:
    """Print rows as aligned columns; on a terminal the last column is wrapped to its width.

    ``alignments`` has one character for each column, "<" or ">".
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    plain_rows = [[escape_line(cell) for cell in row] for row in rows]
    for line in format_table(plain_rows, alignments, width):
        print(line)


def format_table(
    rows: Sequence[Sequence[str]], alignments: str, width: int | None = None
) -> list[str]:
    """The lines of ``print_table``. Without a width no cell is wrapped.

    Where the width leaves too little for the last column, it goes on lines of its own.
    """
    *widths, _ = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lead_width = sum(widths) + len(_GAP) * len(widths)
    lines: list[str] = []
    for *cells, text in rows:
        aligned = map(format, cells, map("{}{}".format, alignments, widths))
        lead = "".join(f"{cell}{_GAP}" for cell in aligned)
        if width is None:
            lines.append(f"{lead}{text}".rstrip())
        elif width - lead_width >= _MIN_TEXT_WIDTH:
            indent = " " * lead_width
            wrapped = _wrap_text(text, width - lead_width)
            lines.append(f"{lead}{wrapped[0]}".rstrip())
            lines += [f"{indent}{line}" for line in wrapped[1:]]
        else:
            lines.append(lead.rstrip())
            wrapped = _wrap_text(text, max(width - _INDENT, _MIN_TEXT_WIDTH))
            lines += [f"{'':{_INDENT}}{line}" for line in wrapped if line]
    return lines


def _wrap_text(text: str, width: int) -> list[str]:
    """Lines of at most a width; a long word such as a path is not broken."""
    lines = textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return lines or [""]
