"""Ask what a draft leaves to confirm, one question each, and work the answers into the request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from queries.drafting.draft import Confirmation, Draft
from queries.drafting.request_mapping import apply_choice
from queries.layout.text_table import wrap_paragraph

_LEAVE_OPEN: Final = "s"


def ask_confirmations(
    draft: Draft,
    mapping: dict[str, Any],
    ask: Callable[[str], str],
    say: Callable[[str], None],
) -> dict[str, Any]:
    """The request mapping after every question was put; those left open stay under ``confirm``.

    ``ask`` shows a prompt and returns a line, and raises EOFError where there is none any more:
    all that follow are left open. ``say`` shows a text.
    """
    entries = mapping.get("confirm", [])
    open_entries: list[Any] = []
    count = len(draft.confirmations)
    ended = False
    for number, confirmation in enumerate(draft.confirmations):
        chosen: int | None = None
        if not ended:
            say(_format_question(confirmation, f"{number + 1} of {count}"))
            try:
                chosen = _read_choice(len(confirmation.choices), ask, say)
            except EOFError:
                ended = True
        if chosen is None or confirmation.choices[chosen].stays_open:
            open_entries.append(entries[number])
        else:
            mapping = apply_choice(mapping, confirmation.choices[chosen])
    return {key: value for key, value in mapping.items() if key != "confirm"} | (
        {"confirm": open_entries} if open_entries else {}
    )


def _format_question(confirmation: Confirmation, position: str) -> str:
    part_name = f"part {confirmation.part}" if confirmation.part else "the whole request"
    lines = ["", wrap_paragraph(f"({position}, {part_name}) {confirmation.question}")]
    if confirmation.sentence:
        lines.append(wrap_paragraph(f'The letter: "{confirmation.sentence}"', indent=2))
    for number, choice in enumerate(confirmation.choices, start=1):
        lines.append(wrap_paragraph(f"{number}  {choice.words}", indent=2))
    return "\n".join(lines)


def _read_choice(count: int, ask: Callable[[str], str], say: Callable[[str], None]) -> int | None:
    """The index of the choice, None to leave the question open. Raises EOFError."""
    numbers = "1" if count == 1 else f"1 to {count}"
    while True:
        reply = ask(f"  {numbers}, Enter for 1, {_LEAVE_OPEN} to leave it open: ").strip().lower()
        if reply == _LEAVE_OPEN:
            return None
        if not reply:
            return 0
        if reply.isdecimal() and 1 <= int(reply) <= count:
            return int(reply) - 1
        say(f"  Type a number from 1 to {count}, Enter or {_LEAVE_OPEN}.")
