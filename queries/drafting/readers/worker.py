"""The process that reads one letter, with limited memory and time, and writes it to a pipe.

It is a process of its own because a letter is a stranger's file, and the libraries that read one
are large: a hostile file ends this process and not the command. It writes no file, follows no link
and runs no macro. Run as ``python -m queries.drafting.readers.worker ENDING MEGABYTES SECONDS``
with the file as its input; it writes one LetterReading as MessagePack.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings

import msgspec

from indexer.process_limits import limit_process
from queries.drafting.readers.faults import (
    MAX_LETTER_BYTES,
    LetterFault,
    LetterReading,
    UnreadableLetterError,
)
from queries.drafting.readers.formats import read_letter_bytes


def run_worker(ending: str, data: bytes) -> LetterReading:
    """Read a letter; what is wrong with it is part of the result."""
    try:
        return read_letter_bytes(ending, data)
    except UnreadableLetterError as error:
        return LetterReading(fault=error.fault)
    except RecursionError:
        return LetterReading(fault=LetterFault.TOO_DEEP)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever a library raises, the file is not whole
        return LetterReading(fault=LetterFault.DAMAGED)


def _forbid_files() -> None:
    """Let this process write no file, where the system can say so."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main(arguments: list[str]) -> int:
    """Read the input and write the result; returns the exit code."""
    ending, megabytes, seconds = arguments
    limit_process(int(megabytes), int(seconds))
    _forbid_files()
    # What a library says about a file may quote it.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    reading = run_worker(ending, sys.stdin.buffer.read(MAX_LETTER_BYTES + 1))
    sys.stdout.buffer.write(msgspec.msgpack.encode(reading))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except BrokenPipeError:  # whoever reads has stopped
        code = 0
    os._exit(code)
