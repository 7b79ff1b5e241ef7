"""Records with long texts in a mix of scripts: the text that people write and paste.

A text is sentences of ``scripts.SENTENCES`` in random order: of ten, seven of English from Word
(curly quotes, dashes, bullets), and one each of chat with emoji, Russian and Arabic. Lengths run from
1,000 to 9,000 characters.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from indexer.records.sample import generate_records
from tests.bench.rig import write_records
from tests.bench.scripts import SENTENCES

MIX: Final = {"English from Word": 7, "chat with emoji": 1, "Russian": 1, "Arabic": 1}


def write_long_texts(path: Path, megabytes: float) -> int:
    """A file of JSON Lines with about so many megabytes of narrative; the bytes of narrative."""
    counted = 0

    def records() -> Iterator[dict[str, Any]]:
        nonlocal counted
        number = int(megabytes * 1e6 / 6_500) + 1  # a character takes 1.3 bytes here
        for record in generate_long_records(number):
            counted += len(record["narrative"].encode())
            yield record

    write_records(path, records())
    return counted


def generate_long_records(number: int) -> Iterator[dict[str, Any]]:
    """So many sample records with long texts."""
    order = random.Random(40)
    for record in generate_records(number):
        yield record | {"narrative": _compose_text(order)}


def _compose_text(order: random.Random) -> str:
    length = order.randrange(1_000, 9_000)
    parts: list[str] = []
    while sum(map(len, parts)) < length:
        (kind,) = order.choices(list(MIX), list(MIX.values()))
        parts.append(SENTENCES[kind])
    return "".join(parts)
