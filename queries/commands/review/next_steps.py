"""What is left to do of a review, in sentences that say nothing of what was decided."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queries.reviewing.progress import ReviewProgress
    from queries.reviewing.turns import ReviewState


_END_COMMAND = "foidex review end-second-readings {name} --reason '...'"


def list_next_steps(name: str, state: ReviewState, progress: ReviewProgress) -> Iterator[str]:
    """What is to be done next, in sentences."""
    present = progress.sample - len(progress.gone)
    shell_name = shlex.quote(name)
    if unread := present - progress.first_readings:
        yield f"{_count_records(unread)} still to be read: foidex review next {shell_name}"
    yield from _list_second_steps(shell_name, state, progress)
    if progress.conflicts:
        yield (
            f"{_count_records(progress.conflicts)} to be settled: foidex review settle {shell_name}"
        )
    if progress.stale:
        yield f"{_count_records(len(progress.stale))} to be read again, as the text has changed."
    if progress.gone:
        yield f"{len(progress.gone):,} of the sample no longer in the index, and cannot be read."
    if progress.is_complete and state.records:
        yield (
            "The review is complete. State the result: foidex answer REQUEST.yaml --review "
            f"{shell_name} --out answer"
        )
        yield f"Keep the list of what was drawn and decided: foidex review export {shell_name}"


def _list_second_steps(
    shell_name: str, state: ReviewState, progress: ReviewProgress
) -> Iterator[str]:
    """What is left of second readings, and what to do if nobody can make them."""
    command = _END_COMMAND.format(name=shell_name)
    waiting = progress.second_readings_due - progress.second_readings
    if waiting:
        consequence = (
            "because the text has changed"
            if state.is_unblinded
            else "and nothing can be settled or answered before"
        )
        yield (
            f"{waiting:,} second {'reading waits' if waiting == 1 else 'readings wait'} for "
            f"another person than the first reader, {consequence}."
        )
    if not state.is_unblinded and waiting:
        yield (
            f"If nobody else can read: {command} (for good; the answer then says that these "
            "records were not read twice)."
        )
    elif not state.is_unblinded and progress.gone:
        yield (
            "Records that were to be read a second time are no longer in the index, so nothing "
            f"can be settled or answered. End second readings: {command}"
        )
    if state.ending:
        yield (
            f"Second readings were ended on {state.ending.ended_at[:10]} by "
            f"{state.ending.ended_by}: {progress.second_readings_ended:,} are not made. Reason: "
            f"{state.ending.reason}"
        )


def _count_records(number: int) -> str:
    return f"{number:,} {'record is' if number == 1 else 'records are'}"


def format_seconds(seconds: float) -> str:
    """A time that a person reads: "54 s" or "1 min 12 s"."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
