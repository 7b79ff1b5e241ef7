"""What the audit log records about a replay."""

from __future__ import annotations

from typing import Any

from queries.answer.cells import hash_numbers
from queries.answer.types import Answer
from queries.replay.compare import Replay


def replay_fields(replay: Replay, answer: Answer) -> dict[str, Any]:
    """The live generation, a hash of the numbers replayed, and how many records were named."""
    return {
        "generation": replay.live,
        "numbers": hash_numbers(answer),
        "records": len(replay.record_changes or ()),
        "exit_code": replay.error.exit_code if replay.error else 0,
    }
