"""Open the file of a letter, and have it read by a process with limited memory and time."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import IO, Final

import msgspec

from indexer.errors import ConfigurationError, LetterError
from indexer.files import is_folder, open_named_input
from queries.drafting.letter_text import LetterText
from queries.drafting.readers.faults import (
    MAX_LETTER_BYTES,
    MAX_MAIL_DEPTH,
    MAX_PAGES,
    LetterFault,
    LetterReading,
)
from queries.drafting.readers.formats import LETTER_ENDINGS

#: What the reading process may need of memory, of processor time, and of time.
MAX_MEGABYTES: Final = 2048

MAX_CPU_SECONDS: Final = 60

MAX_SECONDS: Final = 180

_WORKER: Final = "queries.drafting.readers.worker"

_EXPLANATIONS: Final = {
    LetterFault.DAMAGED: "is not a whole {ending} file: it is damaged, cut short or of another "
    "kind. Save the letter again, or copy its text into a .txt file.",
    LetterFault.PROTECTED: "is protected by a password or encrypted. Save it without.",
    LetterFault.NO_TEXT: "holds no text. Check that it is the right file.",
    LetterFault.SCAN: "holds pictures of pages and no text, as a scan does. Run text recognition "
    "(OCR) on it and check the text, or type the letter into a .txt file.",
    LetterFault.ENCODING: "is not text: it is neither UTF-8, UTF-16 with its mark, nor "
    "Windows-1252. Save it as UTF-8.",
    LetterFault.RICH_TEXT: "holds its text only in a form that is not read (RTF). Save the mail "
    "as .eml or .txt.",
    LetterFault.TOO_DEEP: f"has a mail in a mail more than {MAX_MAIL_DEPTH} deep, or parts nested "
    "deeper than any letter's. Save the mail that holds the request.",
    LetterFault.TOO_LONG: "is too long to be a letter. Copy the request into a .txt file.",
    LetterFault.TOO_MANY_PAGES: f"has more than {MAX_PAGES} pages, the most that are read. Save "
    "the pages of the request alone.",
}


def read_letter(path: Path) -> LetterText:
    """Read a letter from a file, by its ending.

    Raises LetterError for one that cannot be read, and ConfigurationError where a library that
    reads it is not installed.
    """
    ending = path.suffix.lower()
    _require_reader(path, ending)
    try:
        file = open_named_input(path)
    except OSError as error:
        reason = "is a folder" if is_folder(path) else f"cannot be read ({error.strerror})"
        raise LetterError(f"{path}: {reason}. Check the path.") from None
    with file:
        _check_size(path, file)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        reading = _run_worker(path, ending, file)
    if reading.fault is not None:
        raise LetterError(f"{path}: {_EXPLANATIONS[reading.fault].format(ending=ending)}")
    return LetterText(
        file_name=path.name,
        messages=reading.messages,
        blocks=reading.blocks,
        unread_attachments=reading.unread,
        sha256=digest,
    )


def _require_reader(path: Path, ending: str) -> None:
    if ending not in LETTER_ENDINGS:
        raise LetterError(
            f"{path}: is not a kind of letter that foidex reads. It reads "
            f"{', '.join(LETTER_ENDINGS)}. Save it as one of them, or copy its text into a .txt "
            "file."
        )
    for library in LETTER_ENDINGS[ending]:
        if importlib.util.find_spec(library) is None:
            raise ConfigurationError(
                f"{path}: {ending} files need libraries that are not installed. Install the extra: "
                "pip install 'foidex[letters]'. Or copy the letter's text into a .txt file."
            )


def _check_size(path: Path, file: IO[bytes]) -> None:
    size = file.seek(0, 2)
    file.seek(0)
    if size > MAX_LETTER_BYTES:
        raise LetterError(
            f"{path}: has {size // 1_000_000:,} MB, and {MAX_LETTER_BYTES // 1_000_000} MB are "
            "read at most. Copy the request into a .txt file."
        )


def _run_worker(path: Path, ending: str, file: IO[bytes]) -> LetterReading:
    command = [sys.executable, "-P", "-m", _WORKER, ending]
    command += [str(MAX_MEGABYTES), str(MAX_CPU_SECONDS)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            output, _ = process.communicate(timeout=MAX_SECONDS)
        except subprocess.TimeoutExpired:
            raise _make_limit_error(path) from None
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode != 0:
        raise _make_limit_error(path)
    return msgspec.msgpack.decode(output, type=LetterReading)


def _make_limit_error(path: Path) -> LetterError:
    return LetterError(
        f"{path}: needs more than {MAX_CPU_SECONDS} seconds or {MAX_MEGABYTES:,} MB of memory to "
        "read, which no letter does. Copy the request into a .txt file."
    )
