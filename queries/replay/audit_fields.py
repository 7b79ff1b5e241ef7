"""TODO: say what queries.replay.audit_fields is for."""

from __future__ import annotations

from typing import Any

from queries.answer.cells import hash_numbers
from queries.answer.types import Answer
from queries.replay.compare import Replay


def replay_fields(replay: Replay, answer: Answer) -> dict[str, Any]:
    """A replay: the live generation, the numbers replayed, and how many records it names."""
    return {
        "generation": replay.live,
        "numbers": hash_numbers(answer),
        "records": len(replay.record_changes or ()),
        "exit_code": replay.error.exit_code if replay.error else 0,
    }
