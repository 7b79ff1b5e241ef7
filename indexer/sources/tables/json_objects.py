"""Read the objects of a JSON array, of JSON Lines, or of JSON objects of several lines, one by one.

However large the file is, only one object is in memory. Nested values are named by their path:
"crime.recorded.date", and "persons[].age.value" for those of a list.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any, Final

from indexer.errors import SourceError
from indexer.sources.base import MAX_RECORD_BYTES
from indexer.sources.tables.encoding import OpenBytes
from indexer.sources.tables.spreadsheet_worker import keep_finite
from indexer.sources.tables.table import MAX_COLUMNS

_BLOCK_BYTES: Final = 1024 * 1024

_SPACE: Final = re.compile(r"[ \t\r\n]*")

_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")

_MAX_DEPTH: Final = 20

#: Longer whole numbers are kept as text: no field is one.
_MAX_DIGITS: Final = 18


class _Duplicates(ValueError):  # noqa: N818 - passed on as text
    """An object names a field twice."""


def _keep_distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        fields["(a field that stands twice)"] = True
    return fields


def _read_whole(text: str) -> int | str:
    return int(text) if len(text) <= _MAX_DIGITS else text


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_keep_distinct,
    parse_int=_read_whole,
    parse_float=lambda text: keep_finite(float(text)),
    parse_constant=str,
)


class _Window:
    """The part of a text that is in memory: it grows at its end and is cut at its start."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.text = ""
        self.position = 0
        self.ended = False
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def grow(self) -> bool:
        """Read more; False at the end of the text."""
        if self.ended:
            return False
        if self.position:
            self.text = self.text[self.position :]
            self.position = 0
        size = max(_BLOCK_BYTES, len(self.text))  # doubling, so that a large object stays linear
        block = self._stream.read(size)
        self.text += self._decoder.decode(block, final=not block)
        self.ended = not block
        return True

    def skip_space(self) -> str:
        """The next character that is not white space, or "" at the end."""
        while True:
            match = _SPACE.match(self.text, self.position)
            assert match
            self.position = match.end()
            if self.position < len(self.text):
                return self.text[self.position]
            if not self.grow():
                return ""


def read_json_objects(path: str, open_bytes: OpenBytes) -> Iterator[tuple[Any, str]]:
    """Every object with its text: the elements of an array, or the objects one after another.

    Raises SourceError for a text that is not JSON, ends early or is nested too deeply.
    """
    number = 0
    try:
        with open_bytes() as stream:
            window = _Window(stream)
            in_array = window.skip_space() == "["
            window.position += in_array
            while True:
                character = window.skip_space()
                if number and in_array and character == ",":
                    window.position += 1
                    character = window.skip_space()
                elif number and in_array and character not in ("]", ""):
                    raise _make_json_error(path, number)
                if in_array and character == "]":
                    window.position += 1
                    if window.skip_space():
                        raise _make_json_error(path, number)
                    return
                if not character:
                    if in_array:
                        raise _make_end_error(path, number)
                    return
                number += 1
                yield _decode_next(path, window, number)
    except UnicodeDecodeError:
        raise SourceError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    except RecursionError:
        raise SourceError(
            f"{path}: object {number:,} is nested too deeply to be a record. Check the export."
        ) from None


def _decode_next(path: str, window: _Window, number: int) -> tuple[Any, str]:
    while True:
        try:
            value, end = _DECODER.raw_decode(window.text, window.position)
        except json.JSONDecodeError:
            complete = False
        else:
            # A number or word may go on in the next block.
            complete = end < len(window.text) or window.ended
        if complete:
            source = window.text[window.position : end]
            window.position = end
            return value, source
        if len(window.text) - window.position > MAX_RECORD_BYTES:
            raise SourceError(
                f"{path}: object {number:,} is not JSON, or is over "
                f"{MAX_RECORD_BYTES // 1024 // 1024} MB. Check the export."
            )
        if not window.grow():
            raise _make_end_error(path, number)


def _make_json_error(path: str, number: int) -> SourceError:
    return SourceError(
        f"{path}: what follows object {number:,} is not JSON. Check the export, or ask for it "
        "again."
    )


def _make_end_error(path: str, number: int) -> SourceError:
    return SourceError(
        f"{path}: object {number:,} is not JSON, or the file ends before it does: it may be cut "
        "short. Ask for the whole file."
    )


def write_one_line(source: str) -> bytes:
    """The text of an object on one line; in JSON, line ends stand between its parts only."""
    return source.replace("\r", " ").replace("\n", " ").encode("utf-8", "surrogatepass")


def flatten_object(value: Any) -> dict[str, Any]:
    """The values of an object by their path; those of a list are one list, in step with it.

    A value that is null has no path. Raises ValueError for what is nested beyond lists of objects.
    """
    fields: dict[str, Any] = {}
    _flatten_into(fields, "", value, 0)
    if _has_half_characters(fields):
        raise ValueError("has half of a character, such as \\ud83d without its other half")
    if len(fields) > MAX_COLUMNS:
        raise ValueError(f"has over {MAX_COLUMNS:,} fields")
    return fields


def _has_half_characters(value: Any) -> bool:
    """Whether any text has a surrogate that is no pair, which UTF-8 cannot hold."""
    if isinstance(value, str):
        return not value.isascii() and _SURROGATE.search(value) is not None
    if isinstance(value, dict):
        return any(map(_has_half_characters, value.values()))
    return isinstance(value, list) and any(map(_has_half_characters, value))


def _flatten_into(fields: dict[str, Any], path: str, value: Any, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise ValueError("is nested too deeply to be a record")
    if isinstance(value, dict):
        for name, inner in value.items():
            if not name.isprintable():
                raise ValueError("has a field whose name has control characters")
            _flatten_into(fields, f"{path}.{name}" if path else name, inner, depth + 1)
    elif isinstance(value, list):
        _flatten_list(fields, path, value, depth)
    elif value is not None:
        _set_field(fields, path, value)


def _flatten_list(fields: dict[str, Any], path: str, items: list[Any], depth: int) -> None:
    columns: dict[str, list[Any]] = {}
    for index, item in enumerate(items):
        entry: dict[str, Any] = {}
        _flatten_into(entry, f"{path}[]", item, depth + 1)
        for name, inner in entry.items():
            columns.setdefault(name, [None] * len(items))[index] = inner
    for name, inner in columns.items():
        _set_field(fields, name, inner)


def _set_field(fields: dict[str, Any], path: str, value: Any) -> None:
    """Note the value of a path. Raises ValueError for one that has a value already."""
    if path in fields:
        raise ValueError(
            'has two values of one path, as {"a": {"b": 1}, "a.b": 2} has, so one would be lost'
        )
    fields[path] = value
