"""The tally of a load: what became of each line, and the counts and hash of the index it filled."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from indexer.errors import GenerationError
from indexer.loading.content_hash import CONTENT_HASH_RANGE
from indexer.loading.faults import FaultTally
from indexer.loading.preparation import DocumentStatistics, PendingDocument
from indexer.records.damage.kinds import DamageTally
from indexer.records.model import PEOPLE_LISTS
from indexer.sources.base import RawRecord

_SHOWN_REASONS: Final = 10

_MAX_REFERENCES: Final = 100_000

PARTLY_REJECTED: Final = (
    "a record was rejected, and another with its reference was not, so what only the first says is "
    "missing"
)

#: What a record hardly ever loses by a correction; an outcome or a link may be withdrawn any day.
LASTING_CONTENTS: Final = frozenset({"text", "victims"})

#: A list of deletions whose references are written in another way deletes nothing.
UNKNOWN_DELETION: Final = (
    "a deletion named a reference of which there is no record. Check how the references of the "
    "deletions are written"
)

CUT_ENTRY: Final = (
    "an entry goes on in the middle of a sentence of the entry before it. A term that crosses them "
    "is not found; if they are parts of one text, join them"
)

OutcomeKind = Literal["indexed", "rejected", "deleted", "late", "unchanged", "kept_out"]


class LineOutcome(Struct, frozen=True, gc=False):
    """What became of one line, and by how much it moved the index's counts and content hash.

    A rejected one has a ``reason``, and in ``reason_kind`` what all records of that fault share.
    A changed record ``had`` people, text and other contents, of which the new version ``lost`` all.
    """

    kind: OutcomeKind
    reason: str = ""
    reason_kind: str = ""
    records: int = 0
    tombstones: int = 0
    content: int = 0
    had: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()


class Tally(Struct):
    """How many lines were read, and how many had each outcome.

    ``watermark`` is the newest ``updated_at`` read, in UTC, ``first_update`` the oldest;
    ``first_day`` and ``last_day`` are those of ``recorded_on``, and ``years`` counts the records of
    each year. ``kept_out`` counts records that were forgotten
    here and are not known to be newer than that, ``skipped`` the lines and rows that are no
    records, and ``skipped_by`` those with text by the rule that skips them. ``notes`` counts what
    is worth knowing about the records read. ``records``, ``tombstones`` and ``content`` describe
    the whole index, not only what this load added; ``content`` is a hash of all records that does
    not depend on their order. ``changed`` lists the
    references that changed, or is None where nobody needs them. ``rejected_references`` are those
    of rejected records, as far as they are known. ``reasons`` holds the first reasons
    of rejected records, and ``faults`` counts all of them by kind. ``damage`` counts the damage in
    the narratives read. ``had`` counts the changed records that had people, text and other
    contents before, and ``lost`` those that have none now.
    """

    read: int = 0
    indexed: int = 0
    rejected: int = 0
    deleted: int = 0
    late: int = 0
    unchanged: int = 0
    kept_out: int = 0
    skipped: int = 0
    skipped_by: Counter[str] = msgspec.field(default_factory=Counter)
    notes: Counter[str] = msgspec.field(default_factory=Counter)
    records: int = 0
    tombstones: int = 0
    content: int = 0
    watermark: datetime | None = None
    first_update: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None
    years: Counter[int] = msgspec.field(default_factory=Counter)
    unknown_codes: Counter[str] = msgspec.field(default_factory=Counter)
    codes_outside_validity: Counter[str] = msgspec.field(default_factory=Counter)
    bare_links: int = 0
    changed: list[str] | None = None
    reasons: list[str] = []
    rejected_references: set[str] = msgspec.field(default_factory=set)
    faults: FaultTally = msgspec.field(default_factory=FaultTally)
    damage: DamageTally = msgspec.field(default_factory=DamageTally)
    had: Counter[str] = msgspec.field(default_factory=Counter)
    lost: Counter[str] = msgspec.field(default_factory=Counter)

    def add(self, outcome: LineOutcome) -> None:
        """Count an outcome."""
        setattr(self, outcome.kind, getattr(self, outcome.kind) + 1)
        self.records += outcome.records
        self.tombstones += outcome.tombstones
        self.content = (self.content + outcome.content) % CONTENT_HASH_RANGE
        self.had.update(outcome.had)
        self.lost.update(outcome.lost)
        for content in sorted(outcome.lost & LASTING_CONTENTS):
            self.notes[f"a record that changed had {content}, and has none now"] += 1
        if outcome.kind == "deleted" and outcome.tombstones and not outcome.records:
            self.notes[UNKNOWN_DELETION] += 1

    def add_created(self, documents: list[PendingDocument]) -> None:
        """Count documents that were all created."""
        tombstones = sum(document.tombstone for document in documents)
        records = len(documents) - tombstones
        self.deleted += tombstones
        self.tombstones += tombstones
        self.indexed += records
        self.records += records
        content = sum(document.content for document in documents)
        self.content = (self.content + content) % CONTENT_HASH_RANGE

    def add_statistics(self, statistics: DocumentStatistics) -> None:
        """Add what was counted about documents that were not rejected."""
        newest = [time for time in (self.watermark, statistics.watermark) if time]
        oldest = [time for time in (self.first_update, statistics.first_update) if time]
        # A source may give each time in a zone of its own.
        self.watermark = max(newest).astimezone(UTC) if newest else None
        self.first_update = min(oldest).astimezone(UTC) if oldest else None
        first_days = [day for day in (self.first_day, statistics.first_day) if day]
        last_days = [day for day in (self.last_day, statistics.last_day) if day]
        self.first_day = min(first_days, default=None)
        self.last_day = max(last_days, default=None)
        self.years.update(statistics.years)
        self.unknown_codes.update(statistics.unknown_codes)
        self.codes_outside_validity.update(statistics.codes_outside_validity)
        self.bare_links += statistics.bare_links
        for field, number in sorted(statistics.alike_people.items()):
            self.notes[_describe_alike_people(field)] += number
        if statistics.cut_entries:
            self.notes[CUT_ENTRY] += statistics.cut_entries
        self.damage.merge(statistics.damage)

    def reject(self, raw: RawRecord, reason: str, kind: str) -> None:
        """Count a rejected record by its kind of fault, and keep the first reasons to show."""
        self.rejected += 1
        self.faults.add(kind, f"{raw.location}: {reason}", raw.location)
        if len(self.reasons) < _SHOWN_REASONS:
            self.reasons.append(f"{raw.location}: {reason}")

    def note_rejected_reference(self, raw: RawRecord) -> None:
        """Keep the reference of a rejected record, if its source gives it; up to so many."""
        reference = raw.raw.get("crime_ref") if isinstance(raw.raw, dict) else None
        if isinstance(reference, str) and len(self.rejected_references) < _MAX_REFERENCES:
            self.rejected_references.add(reference)

    def reconcile(self) -> None:
        """Raise GenerationError unless every line read has an outcome."""
        total = self.indexed + self.rejected + self.deleted + self.late + self.unchanged
        total += self.kept_out + self.skipped
        if self.read != total:
            raise GenerationError(
                f"{self.read:,} records were read, but only {total:,} accounted for "
                f"({self.indexed:,} indexed, {self.rejected:,} rejected): some are lost. "
                "Nothing was promoted; run the command again."
            )


def _describe_alike_people(field: str) -> str:
    people = PEOPLE_LISTS[field]
    return (
        f"a record has two {field} alike in age and sex, and no {people.reference} tells them "
        "apart. Where a join repeated a row, both count"
    )
