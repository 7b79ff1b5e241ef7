"""Answers read from their JSON files, with messages that say what a file is instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import msgspec

from indexer.errors import RequestError
from indexer.files import open_named_input
from indexer.validation_errors import describe_violation, parse_validation_error
from queries.answer.types import READ_FORMATS, Answer

_MAX_FORMAT_LENGTH = 40

_MAX_ANSWER_BYTES: Final = 200_000_000


def read_answer_file(path: Path) -> Answer:
    """Read an answer from its JSON file. Raises RequestError."""
    try:
        with open_named_input(path) as file:
            text = file.read(_MAX_ANSWER_BYTES + 1)
    except OSError as error:
        raise RequestError(
            f"{path}: cannot be read ({error.strerror}). Name an answer's JSON file."
        ) from None
    if len(text) > _MAX_ANSWER_BYTES:
        raise RequestError(
            f"{path}: is larger than {_MAX_ANSWER_BYTES:,} bytes, the most that is read. Name a "
            "file that foidex answer --format json printed."
        )
    return decode_answer(text, path)


def decode_answer(text: bytes, path: Path | str) -> Answer:
    """An answer from its JSON; ``path`` is what messages call it. Raises RequestError."""
    try:
        raw: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError(
            f"{path}: is not JSON. Name a file that foidex answer --format json printed."
        ) from None
    file_format = raw.get("format") if isinstance(raw, dict) else None
    if file_format not in READ_FORMATS:
        description = (
            f'has the format "{str(file_format)[:_MAX_FORMAT_LENGTH]}"'
            if file_format
            else "is not an answer of foidex"
        )
        raise RequestError(
            f"{path}: {description}; this foidex reads "
            f"{' and '.join(READ_FORMATS)}. Name a file that foidex "
            "answer --format json printed, and read it with the version that made it."
        )
    try:
        return msgspec.convert(raw, Answer)
    except msgspec.ValidationError as error:
        violation = parse_validation_error(error)
        part = f'"{violation.location}": ' if violation.location else ""
        fault = part + describe_violation(violation)
        raise RequestError(
            f"{path}: is not an answer as foidex writes it ({fault}). Use the file as it was made."
        ) from None
