"""What is left to do of a review, in sentences that say nothing of what was decided."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queries.reviewing.progress import ReviewProgress
    from queries.reviewing.turns import ReviewState


def list_next_steps(name: str, state: ReviewState, progress: ReviewProgress) -> Iterator[str]:
    """What is to be done next, in sentences."""
    present = progress.sample - len(progress.gone)
    shell_name = shlex.quote(name)
    if unread := present - progress.first_readings:
        yield f"{_count_records(unread)} still to be read: foidex review next {shell_name}"
    if waiting := progress.second_readings_due - progress.second_readings:
        yield (
            f"{_count_records(waiting)} still to be read a second time, each by another person "
            "than the first."
        )
    if progress.conflicts:
        yield (
            f"{_count_records(progress.conflicts)} to be settled: foidex review settle {shell_name}"
        )
    if progress.stale:
        yield f"{_count_records(len(progress.stale))} to be read again, as the text has changed."
    if progress.gone:
        yield f"{len(progress.gone):,} of the sample no longer in the index, and cannot be read."
    if progress.is_complete and state.records:
        yield f"The review is complete: foidex review export {shell_name}"


def _count_records(number: int) -> str:
    return f"{number:,} {'record is' if number == 1 else 'records are'}"


def format_seconds(seconds: float) -> str:
    """A time that a person reads: "54 s" or "1 min 12 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
