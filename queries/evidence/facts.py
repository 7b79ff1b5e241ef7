"""What is kept about a record behind an answer, so that a replay can say what changed in it. Pure.

Of its text, people, links and categories only a short hash is kept.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from queries.evidence.membership import CellCounts


class RecordFacts(
    Struct,
    frozen=True,
    omit_defaults=True,
    rename={"mentioned_terms": "says", "erased": "forgotten"},
):
    """What is kept about a record.

    ``narrative`` to ``categories`` are hashes. ``mentioned_terms`` are the scope's terms that it
    mentions, by number. ``deleted_at`` is set for a deleted record, and ``erased`` if
    ``foidex forget`` deleted it.
    """

    crime_ref: str
    recorded_on: str = ""
    offence_code: str = ""
    status: str = ""
    outcome: int | None = None
    narrative: str = ""
    victims: str = ""
    suspects: str = ""
    linked: str = ""
    categories: str = ""
    mentioned_terms: tuple[int, ...] = ()
    deleted_at: datetime | None = None
    erased: bool = False


class TracedRecord(Struct, frozen=True):
    """A record in scope, and what it counts in each number that it counts in."""

    facts: RecordFacts
    counts: CellCounts


class NearScopeRecord(
    Struct,
    frozen=True,
    omit_defaults=True,
    rename={"unmet_part": "lacks", "unmet_field": "field"},
):
    """A record that fails exactly one filter of the scope.

    ``unmet_part`` is the kind of that filter or, of a field, its words; ``unmet_field`` is then the
    field's name. Bases written before version 0.2 hold no field.
    """

    crime_ref: str
    recorded_on: str
    offence_code: str
    status: str
    unmet_part: str
    unmet_field: str = ""
