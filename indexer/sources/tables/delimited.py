"""Read delimited text of any dialect: its delimiter is declared, named by sep=, or proved."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from indexer.errors import SourceError
from indexer.sources.base import MAX_RECORD_BYTES, RecordStream, RecordTooLongError
from indexer.sources.tables.encoding import OpenBytes, TextEncoding
from indexer.sources.tables.table import TableRow, check_width
from indexer.terminal import round_share

DELIMITERS: Final = (",", ";", "\t", "|")

DELIMITER_WORDS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}

_SAMPLE_CHARACTERS: Final = 256 * 1024

_SAMPLE_ROWS: Final = 500

_SEP_LINE: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


class Dialect(Struct, frozen=True):
    """How a text is delimited; ``evidence`` says how that is known. ``delimiter`` is None if two
    fit equally well."""

    delimiter: str | None
    evidence: str
    sep_line: bool = False


def detect_dialect(path: str, open_bytes: OpenBytes, encoding: TextEncoding) -> Dialect:
    """The delimiter: that of the sep= line, or else the one that cuts most rows into the same
    number of columns. Raises SourceError for an empty text."""
    with io.TextIOWrapper(open_bytes(), encoding=encoding.codec, newline="") as text:
        sample = _read_sample(path, text)
    first = sample.split("\n", 1)[0].rstrip("\r")
    if match := _SEP_LINE.fullmatch(first):
        return Dialect(match[1], f"the first line says sep={match[1]}", sep_line=True)
    scores: list[tuple[float, int, str, int]] = []
    for delimiter in DELIMITERS:
        widths = Counter(_measure_widths(sample, delimiter))
        wide = {width: count for width, count in widths.items() if width > 1}
        if wide:
            width, count = max(wide.items(), key=lambda item: (item[1], item[0]))
            rows = sum(widths.values())
            scores.append((count / rows, width, delimiter, round_share(count, rows)))
    if not scores:
        return Dialect(",", "no row has two columns, whatever separates them")
    scores.sort(reverse=True)
    share, width, delimiter, percent = scores[0]
    if len(scores) > 1 and scores[1][:2] == (share, width):
        return Dialect(None, "two delimiters cut the rows equally well")
    return Dialect(delimiter, f"it cuts {percent}% of the first rows into {width} columns")


def _read_sample(path: str, text: io.TextIOWrapper) -> str:
    try:
        sample = text.read(_SAMPLE_CHARACTERS)
    except UnicodeError:
        raise _make_encoding_error(path) from None
    if not sample.strip():
        raise SourceError(f"{path}: is empty. Check the export.")
    return sample


def _measure_widths(sample: str, delimiter: str) -> Iterator[int]:
    """The number of columns of each row of a sample that is not blank, as far as it can be read."""
    csv.field_size_limit(MAX_RECORD_BYTES)
    rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        for number, row in enumerate(rows):
            if number == _SAMPLE_ROWS:
                return
            if any(row):
                yield len(row)
    except csv.Error:
        return


def _make_encoding_error(path: str) -> SourceError:
    return SourceError(f"{path}: is not whole text of its encoding. Export it again.")


def read_delimited_rows(
    path: str, name: str, open_bytes: OpenBytes, encoding: TextEncoding, dialect: Dialect
) -> Iterator[TableRow]:
    """Every row, located by the line on which it begins; a sep= line is a row of its own.

    Raises SourceError for a text that is cut short inside quotes, or is not CSV.
    """
    csv.field_size_limit(MAX_RECORD_BYTES)
    line = 1
    try:
        stream = RecordStream(open_bytes())
        with io.TextIOWrapper(stream, encoding=encoding.codec, newline="") as text:
            if dialect.sep_line:
                first = text.readline(MAX_RECORD_BYTES)
                yield TableRow(f"{name}:1", [first.strip()], len(first))
                line = 2
            offset = line
            rows = csv.reader(text, delimiter=dialect.delimiter or ",", strict=True)
            for row in rows:
                size = stream.end_record()
                if len(row) > len(DELIMITERS) * 100:
                    check_width(f"{path}:{line}", len(row))
                yield TableRow(f"{name}:{line}", row, size)
                line = rows.line_num + offset
    except (csv.Error, RecordTooLongError) as error:
        if "unexpected end" in str(error):
            raise SourceError(
                f"{path}:{line}: the file ends inside a quoted cell of the row that begins on this "
                "line, so it is cut short. Ask for the whole file."
            ) from None
        raise SourceError(
            f"{path}:{line}: is not CSV: text follows a closing quote, or the row is over "
            f"{MAX_RECORD_BYTES // 1024 // 1024} MB. Correct the row."
        ) from None
    except UnicodeError:
        raise _make_encoding_error(path) from None
