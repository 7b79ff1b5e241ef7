"""What the letters before and after the answer need of a request, as fields of a form, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from queries.documents.content.letter.notices import NoticeKind
from queries.workbench.forms.file_text import REMOVED

#: The fields of the form: those of the letter, then those of a part of it, by part and key.
_LETTER_FIELDS: Final = ("received", "clarified_on", "clarification")

_PART_FIELDS: Final = {
    "extension": ("sections", "reason", "until"),
    "review": ("received", "outcome", "reasons"),
}

_SECTIONS: Final = "sections"

#: What a letter of each kind is called, and what it says.
KIND_WORDS: Final[dict[NoticeKind, tuple[str, str]]] = {
    "acknowledgement": ("Acknowledgement", "The request has come, and the day of the answer."),
    "clarification": (
        "Request for clarification",
        "What you need to know. The time does not run until you have it.",
    ),
    "extension": (
        "More time for the public interest",
        "The sections that may apply, and the day by which you expect to answer.",
    ),
    "review": ("Answer to an internal review", "What the review found, and the complaint left."),
}

#: The fields that must be filled in for a letter, by the key that is missing.
NEEDED_FIELDS: Final = {
    "received": '"Request received on"',
    "clarification": '"What you need to know"',
    "extension": '"Sections that may apply"',
    "review": "the fields of the internal review",
}

#: What is said of a field that a part of the letter needs, if it is empty.
_LEFT_OUT: Final = {
    "extension_sections": "Enter the sections that may apply",
    "review_received": "Enter the day on which the review was asked for",
    "review_outcome": "Choose what the internal review found",
    "review_reasons": "Say why the internal review found this",
}

REVIEW_OUTCOMES: Final = {
    "": "Choose",
    "upheld": "The first answer stands",
    "part": "Part of the first answer was wrong",
    "changed": "The first answer was wrong",
}


def show_notice_fields(letter: Mapping[str, Any]) -> dict[str, str]:
    """The values of the fields, from the letter of a request as ``parse_yaml`` reads it."""
    values = {key: _show_value(letter.get(key)) for key in _LETTER_FIELDS}
    for part, keys in _PART_FIELDS.items():
        written = letter.get(part)
        written = written if isinstance(written, dict) else {}
        values |= {f"{part}_{key}": _show_value(written.get(key)) for key in keys}
    return values


def fill_notice_fields(values: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str]:
    """The values of the fields with what was sent."""
    return {key: sent.get(key, text).strip() for key, text in values.items()}


def find_problems(values: Mapping[str, str]) -> dict[str, str]:
    """What is left out of a letter that is filled in only in part, by field."""
    problems: dict[str, str] = {}
    for part, keys in _PART_FIELDS.items():
        texts = {f"{part}_{key}": values[f"{part}_{key}"] for key in keys}
        if any(texts.values()):
            problems |= {
                field: _LEFT_OUT[field]
                for field, text in texts.items()
                if field in _LEFT_OUT and not text
            }
    return problems


def change_letter(letter: Mapping[str, Any], values: Mapping[str, str]) -> Any:
    """The letter of a request with the values of the fields; REMOVED if nothing is left of it."""
    changed = {**letter, **{key: values[key] for key in _LETTER_FIELDS}}
    for part, keys in _PART_FIELDS.items():
        texts = {key: values[f"{part}_{key}"] for key in keys}
        fields: dict[str, Any] = {key: text for key, text in texts.items() if text}
        if _SECTIONS in fields:
            names = (name.strip() for name in texts[_SECTIONS].split(","))
            fields[_SECTIONS] = [name for name in names if name]
        changed[part] = fields
    return {key: written for key, written in changed.items() if written} or REMOVED


def _show_value(written: Any) -> str:
    if isinstance(written, list):
        return ", ".join(map(str, written))
    return written if isinstance(written, str) else ""
