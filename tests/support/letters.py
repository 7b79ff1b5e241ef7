"""Answers whose letters refuse something, for the documents' tests."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from queries.answer.types import Answer, ReadingLimit, UncoveredPart
from tests.support.answers import sample_answer

#: One of each section that has a standard text, with what the officer must write.
SECTIONS: dict[str, dict[str, Any]] = {
    "cost_limit": {"minutes": 3, "advice": "You could ask for one district."},
    "vexatious": {"reason": "This is the tenth request about one event."},
    "repeated": {"reason": "We answered the same request on 1 March 2018."},
    "advice": {"reason": "The county council holds what you ask for."},
    "published": {"where": "www.example.org/crime\nTable 4 of our yearly report"},
    "neither_confirm_nor_deny": {"public_interest": "Openness builds trust."},
    "investigations": {"public_interest": "Openness builds trust."},
    "law_enforcement": {
        "reason": "It would show where we do not patrol.",
        "public_interest": "Openness builds trust.\n\nPatrols that are known do not work.",
    },
    "personal_data": {"reason": "There is a single child."},
}

#: A period whose records could be read within the limit.
LIMIT = ReadingLimit(3, 18, date(2018, 1, 1), date(2018, 3, 31))


def make_refusing_answer(
    *names: str, records: int = 1234, parts: tuple[str, ...] = (), figures: bool = False
) -> Answer:
    """An answer whose letter relies on the sections; without ``figures`` it has none."""
    base = sample_answer(records)
    sections = [{"section": name, "parts": list(parts), **SECTIONS[name]} for name in names]
    return msgspec.structs.replace(
        base,
        request={"letter": {**base.request["letter"], "sections": sections}},
        questions=base.questions if figures else (),
        written_uncovered=tuple(
            UncoveredPart(part, "What do the records say?", "", 0) for part in parts
        ),
        reading_limit=LIMIT if "cost_limit" in names else msgspec.UNSET,
    )
