"""The process that drafts one letter, with limited memory and time, and writes the draft to a pipe.

Whoever sends a letter chooses its length and its words, and the rules need long for some. Run as
``python -m queries.drafting.draft_worker MEGABYTES SECONDS`` with a LetterText as MessagePack as
its input; it writes a DraftedLetter as MessagePack, in which a date is an extension of its own.
"""

from __future__ import annotations

import logging
import os
import sys
from datetime import date
from typing import Any, Final

import msgspec

from indexer.process_limits import limit_process
from queries.drafting.draft_file import draft_letter
from queries.drafting.letter_text import LetterText

#: The extension of MessagePack that is a day, in ISO 8601.
DATE_EXTENSION: Final = 1


def _mark_dates(value: Any) -> Any:
    """A value whose days can be told from text in MessagePack."""
    if isinstance(value, date):
        return msgspec.msgpack.Ext(DATE_EXTENSION, value.isoformat().encode())
    if isinstance(value, dict):
        return {key: _mark_dates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mark_dates(item) for item in value]
    return value


def main(arguments: list[str]) -> int:
    """Read the letter and write its draft; returns the exit code."""
    megabytes, seconds = arguments
    limit_process(int(megabytes), int(seconds))
    logging.disable(logging.CRITICAL)  # what goes wrong may quote the letter
    letter = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=LetterText)
    drafted = msgspec.to_builtins(draft_letter(letter), builtin_types=(date,))
    sys.stdout.buffer.write(msgspec.msgpack.encode(_mark_dates(drafted)))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except BaseException:  # noqa: BLE001 - no traceback, which may quote the letter
        code = 1
    os._exit(code)
