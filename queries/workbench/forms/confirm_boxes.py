"""What a request has under ``confirm``, as boxes of a form: a ticked one is settled."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct

from queries.workbench.forms.file_text import REMOVED

CONFIRM: Final = "confirm"


class ConfirmBox(Struct, frozen=True):
    """An entry: the name of its box, which follows from what it says, the place in the letter,
    what is asked, and the sentence that it is about."""

    field: str
    place: str
    question: str
    sentence: str
    is_ticked: bool = False


def show_confirm(entries: Any) -> tuple[ConfirmBox, ...] | None:
    """The boxes of the entries as ``parse_yaml`` reads them; None if they cannot be shown."""
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("question"), str) for entry in entries
    ):
        return None
    return tuple(
        ConfirmBox(
            _name_field(entry),
            f"Part {entry['part']}" if entry.get("part") else "The whole request",
            entry["question"],
            str(entry.get("sentence", "")),
        )
        for entry in entries
    )


def read_confirm(entries: Any, sent: Mapping[str, str]) -> Any:
    """The entries that are not ticked; REMOVED if none is left."""
    return [entry for entry in entries if _name_field(entry) not in sent] or REMOVED


def _name_field(entry: Mapping[str, Any]) -> str:
    said = "\0".join(str(entry.get(key, "")) for key in ("part", "question", "sentence"))
    return f"{CONFIRM}-{sha256(said.encode()).hexdigest()[:16]}"
