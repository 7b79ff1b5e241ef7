"""A draft as the mapping of a request file: plain values, ready to be written as YAML."""

from __future__ import annotations

import copy
from typing import Any, Final

from queries.drafting.draft import Choice, Confirmation, Draft, DraftPeriod, DraftTerm

#: What stands in a draft for a reference or a title that the letter does not have.
NO_REFERENCE: Final = "DRAFT"

NO_TITLE: Final = "Freedom of Information request"

_LONGEST_TEXT: Final = 2_000

_LONGEST_REFERENCE: Final = 100

_LONGEST_TITLE: Final = 300


def build_request_mapping(draft: Draft) -> dict[str, Any]:
    """The keys of a request file in their usual order; ``confirm`` last, if there is any.

    Days are ISO text. A part that was taken back is left out.
    """
    mapping: dict[str, Any] = {
        "reference": (draft.head.reference or NO_REFERENCE)[:_LONGEST_REFERENCE],
        "title": (draft.head.subject or NO_TITLE)[:_LONGEST_TITLE],
    }
    periods = [write_period(period) for period in draft.periods]
    if len(periods) == 1:
        mapping["period"] = periods[0]
    elif periods:
        mapping["periods"] = periods
    if draft.mentions:
        mapping["mentions"] = [write_term(term) for term in draft.mentions]
    if draft.offences:
        mapping["offences"] = [
            {"codes": list(row.codes)} | ({"label": row.label} if row.label else {})
            for row in draft.offences
        ]
    conditions = {"offence_group": list(draft.groups), "victim": dict(draft.victim)}
    if any(conditions.values()):
        mapping["where"] = {key: value for key, value in conditions.items() if value}
    mapping["questions"] = [
        {
            "id": part.number,
            **part.fields,
            "text": part.text[:_LONGEST_TEXT],
            **({"not_covered": part.why} if part.why else {}),
        }
        for part in draft.parts
        if not part.withdrawn
    ]
    letter = {
        "to": draft.head.address or None,
        "received": draft.head.received and draft.head.received.isoformat(),
        "clarified_on": draft.head.clarified and draft.head.clarified.isoformat(),
    }
    if any(letter.values()):
        mapping["letter"] = {key: value for key, value in letter.items() if value}
    if draft.confirmations:
        mapping["confirm"] = [_write_confirmation(entry) for entry in draft.confirmations]
    return mapping


def apply_choice(mapping: dict[str, Any], choice: Choice) -> dict[str, Any]:
    """A copy of a request mapping with what a choice changes."""
    changed = copy.deepcopy(mapping)
    for location, value in choice.changes.items():
        key, _, rest = location.partition("/")
        if key != "questions":
            _set_key(changed, key, value)
            continue
        part, _, field = rest.partition("/")
        for question in changed["questions"]:
            if question["id"] == part:
                _set_key(question, field, value)
    return changed


def write_period(period: DraftPeriod) -> dict[str, str]:
    """A period as a request file has it."""
    days = {"from": period.start.isoformat(), "to": period.end.isoformat()}
    return days | ({"label": period.label} if period.label else {})


def write_term(term: DraftTerm) -> str | dict[str, Any]:
    """A term as a request file has it: text, or an object if there is more to say."""
    if not term.aliases and not term.required:
        return term.term
    written: dict[str, Any] = {"term": term.term}
    if term.aliases:
        written["aliases"] = list(term.aliases)
    if term.required:
        written["with"] = [
            name if distance is None else {"term": name, "within": distance}
            for name, distance in term.required
        ]
    return written


def _write_confirmation(entry: Confirmation) -> dict[str, Any]:
    written: dict[str, Any] = {"part": entry.part} if entry.part else {}
    return written | {
        "question": entry.question,
        "sentence": entry.sentence,
        "choices": [choice.words for choice in entry.choices],
        "default": entry.default.words,
    }


def _set_key(values: dict[str, Any], key: str, value: Any) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = copy.deepcopy(value)
