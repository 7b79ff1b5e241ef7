"""TODO: say what indexer.loading.tally is for."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct

from indexer.errors import GenerationError
from indexer.sources.base import RawRecord

_SHOWN_REASONS: Final = 10

_CONTENT_HASH_BYTES: Final = 16

CONTENT_HASH_RANGE: Final = 1 << (8 * _CONTENT_HASH_BYTES)

OutcomeKind = Literal["indexed", "rejected", "deleted", "late", "unchanged", "kept_out"]


class LineOutcome(Struct, frozen=True, gc=False):
    """What became of one line, and by how much it moved the index's counts and content hash."""

    kind: OutcomeKind
    reason: str = ""
    records: int = 0
    tombstones: int = 0
    content: int = 0


class Tally(Struct):
    """What became of the lines. ``watermark`` is the newest ``updated_at`` read; ``kept_out`` are
    records that were forgotten here, and are not known to be newer than that.

    ``records``, ``tombstones`` and ``content`` are those of the index, from where it started;
    ``content`` is a hash of all records that does not depend on their order; ``changed`` lists the
    references that were changed, where that is asked for.
    """

    read: int = 0
    indexed: int = 0
    rejected: int = 0
    deleted: int = 0
    late: int = 0
    unchanged: int = 0
    kept_out: int = 0
    records: int = 0
    tombstones: int = 0
    content: int = 0
    watermark: datetime | None = None
    unknown_codes: Counter[str] = msgspec.field(default_factory=Counter)
    bare_links: int = 0
    changed: list[str] | None = None
    reasons: list[str] = []

    def add(self, outcome: LineOutcome) -> None:
        """Count an outcome."""
        setattr(self, outcome.kind, getattr(self, outcome.kind) + 1)
        self.records += outcome.records
        self.tombstones += outcome.tombstones
        self.content = (self.content + outcome.content) % CONTENT_HASH_RANGE

    def reject(self, raw: RawRecord, reason: str) -> None:
        """Count a rejected record; the first reasons are kept to be shown."""
        self.rejected += 1
        if len(self.reasons) < _SHOWN_REASONS:
            self.reasons.append(f"{raw.location}: {reason}")

    def reconcile(self) -> None:
        """Raise GenerationError unless every line read is accounted for."""
        total = self.indexed + self.rejected + self.deleted + self.late + self.unchanged
        total += self.kept_out
        if self.read != total:
            raise GenerationError(
                f"{self.read:,} records were read, but only {total:,} accounted for "
                f"({self.indexed:,} indexed, {self.rejected:,} rejected): some are lost. "
                "Nothing was promoted; load again."
            )


def hash_content(source: bytes) -> int:
    """A number for what a document says, not where it was read: ``place`` is its last field."""
    content = source[: source.rindex(b',"place":')]
    return int.from_bytes(hashlib.blake2b(content, digest_size=_CONTENT_HASH_BYTES).digest(), "big")
