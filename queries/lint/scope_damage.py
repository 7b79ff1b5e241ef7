"""How many of the records that a request is about have damaged text."""

from __future__ import annotations

from elasticsearch.dsl.query import Exists
from elasticsearch.dsl.query import Term as FieldValue
from msgspec import Struct

from indexer.records.damage.kinds import DAMAGE_WORDS, list_damage_counts
from queries.search.sealed import SealedGeneration
from queries.tables.scope import Scope


class ScopeDamage(Struct, frozen=True):
    """How many records have damaged text: in all, and by the kind of damage."""

    records: int
    kinds: dict[str, int]

    @property
    def note(self) -> str:
        """In a sentence; empty if no record is damaged."""
        if not self.records:
            return ""
        return (
            f"Records with damaged text among these: {self.records:,}. A term in it may not be "
            f"counted: {list_damage_counts(self.kinds)}."
        )


def count_scope_damage(sealed: SealedGeneration, base: Scope) -> ScopeDamage | None:
    """The records of a period and offences whose text is damaged; None if nobody looked for it.

    Raises as ``SealedGeneration``.
    """
    if sealed.generation.damage is None:
        return None
    if not sealed.generation.damage.damaged:
        return ScopeDamage(0, {})
    damaged, *counts = sealed.numbers(
        base.query(), [Exists(field="damage"), *(FieldValue(damage=kind) for kind in DAMAGE_WORDS)]
    )
    kinds = zip(DAMAGE_WORDS, counts, strict=True)
    return ScopeDamage(damaged, {kind: count for kind, count in kinds if count})
