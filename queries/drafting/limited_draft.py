"""Has a letter drafted by a process with limited memory and time."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from typing import Any, Final

import msgspec

from indexer.errors import LetterError
from queries.drafting.draft_file import DraftedLetter
from queries.drafting.draft_worker import DATE_EXTENSION
from queries.drafting.drafting import require_length
from queries.drafting.letter_text import LetterText

#: What drafting a letter may need of memory, of processor time, and of time.
MAX_MEGABYTES: Final = 1024

MAX_CPU_SECONDS: Final = 30

MAX_SECONDS: Final = 120

_WORKER: Final = "queries.drafting.draft_worker"


def draft_within_limits(letter: LetterText, cpu_seconds: int = MAX_CPU_SECONDS) -> DraftedLetter:
    """The draft of a letter, as ``draft_letter`` makes it.

    Raises LetterError where it needs more memory or time than any letter does, or is too long.
    """
    require_length(letter)
    command = [sys.executable, "-P", "-m", _WORKER, str(MAX_MEGABYTES), str(cpu_seconds)]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        try:
            output, _ = process.communicate(msgspec.msgpack.encode(letter), timeout=MAX_SECONDS)
        except subprocess.TimeoutExpired:
            raise _make_limit_error(cpu_seconds) from None
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode != 0:
        raise _make_limit_error(cpu_seconds)
    drafted = msgspec.msgpack.decode(output, ext_hook=_read_extension)
    return msgspec.convert(drafted, DraftedLetter)


def _read_extension(code: int, data: memoryview) -> Any:
    if code != DATE_EXTENSION:
        raise ValueError("not an extension of a draft")
    return date.fromisoformat(bytes(data).decode())


def _make_limit_error(seconds: int) -> LetterError:
    return LetterError(
        f"The letter needs more than {seconds} seconds or {MAX_MEGABYTES:,} MB to be understood, "
        "which no letter does. Copy the request alone into a .txt file."
    )
