"""Looking for damaged text, beside the cleaning and cutting that every narrative needs anyway.

The same narratives, sound and damaged, in several scripts: cleaned and cut, looked at for damage,
repaired, and given to ``ftfy.fix_text``, which repairs more than foidex may. The ways take turns in
one process; what is measured is its CPU.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Final, get_args

import ftfy

from indexer.records.damage.detect import find_damage
from indexer.records.damage.kinds import RepairKind
from indexer.records.damage.repair import repair_entries
from indexer.records.narrative import clean_text, segment_narrative
from indexer.records.sample import generate_records

_LENGTH: Final = 1_500  # characters of a narrative, as people write them

_WORDS: Final = {
    "ASCII": "The caller said it began on a live stream, and was seen there again.",
    "quotes, dashes, accents": "The caller said “it began – on a café’s live stream”, at 5 €.",
    "emoji and other scripts": "The caller said 😀 зеркало live stream, 直播 and بث مباشر again.",
}

_DAMAGED: Final = "It was a live\x96stream, a live â€“ stream, a live&nbsp;stream, on\u200bTikTok."

_REPAIRS: Final = frozenset(get_args(RepairKind))

WAYS: Final[dict[str, Callable[[str], object]]] = {
    "clean and cut": lambda text: segment_narrative(clean_text(text)),
    "look for damage": find_damage,
    "look, and repair": lambda text: repair_entries([text], _REPAIRS),
    "ftfy.fix_text": ftfy.fix_text,
}


def build_texts(number: int) -> dict[str, list[str]]:
    """So many narratives of each kind; those of the sample are the fourth, every tenth damaged."""
    sample = [" ".join(record["narrative"]) for record in generate_records(number)]
    texts = {
        name: [f"{one} {words * (_LENGTH // len(words))}" for one in sample]
        for name, words in _WORDS.items()
    }
    every_tenth = [
        text if position % 10 else f"{text} {_DAMAGED}"
        for position, text in enumerate(texts["ASCII"])
    ]
    return {**texts, "ASCII, one in ten damaged": every_tenth}


def measure(number: int, rounds: int) -> dict[str, dict[str, float]]:
    """Nanoseconds of CPU a character of each way, for each kind of text; medians. The first round
    is not counted."""
    found: dict[str, dict[str, float]] = {}
    for name, texts in build_texts(number).items():
        size = sum(map(len, texts))
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for turn in range(rounds + 1):
            for way, work in WAYS.items():
                start = time.process_time()
                for text in texts:
                    work(text)
                if turn:
                    taken[way].append((time.process_time() - start) / size * 1e9)
        found[name] = {way: statistics.median(runs) for way, runs in taken.items()}
    return found
