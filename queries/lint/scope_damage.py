"""How many of the records that a request is about have damaged text."""

from __future__ import annotations

from elasticsearch.dsl.query import Exists
from elasticsearch.dsl.query import Term as FieldValue
from msgspec import Struct

from indexer.records.damage.cut_texts import CutTexts
from indexer.records.damage.kinds import DAMAGE_WORDS, describe_cut_texts, list_damage_counts
from queries.search.sealed import SealedGeneration
from queries.tables.scope import Scope


class ScopeDamage(Struct, frozen=True, omit_defaults=True):
    """How many records have damaged text: in all, and by the kind of damage. ``cut`` counts the
    texts of the whole index that seem to be cut off at a length, by that length."""

    records: int
    kinds: dict[str, int]
    cut: tuple[CutTexts, ...] = ()

    @property
    def note(self) -> str:
        """In sentences; empty if no record is damaged, and no text of the index cut off."""
        cut = describe_cut_texts(self.cut)
        if not self.records:
            return cut
        damaged = (
            f"Records with damaged text among these: {self.records:,}. A term in it may not be "
            f"counted: {list_damage_counts(self.kinds)}."
        )
        return f"{damaged} {cut}".rstrip()


def count_scope_damage(sealed: SealedGeneration, base: Scope) -> ScopeDamage | None:
    """The records of a period and offences whose text is damaged; None if nobody looked for it.

    Raises as ``SealedGeneration``.
    """
    damage = sealed.generation.damage
    if damage is None:
        return None
    if not damage.damaged:
        return ScopeDamage(0, {}, damage.cut)
    damaged, *counts = sealed.numbers(
        base.query(), [Exists(field="damage"), *(FieldValue(damage=kind) for kind in DAMAGE_WORDS)]
    )
    kinds = zip(DAMAGE_WORDS, counts, strict=True)
    return ScopeDamage(damaged, {kind: count for kind, count in kinds if count}, damage.cut)
