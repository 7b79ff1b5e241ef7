"""How many of the records that a request is about have damaged text, or none."""

from __future__ import annotations

from elasticsearch.dsl.query import Exists
from elasticsearch.dsl.query import Term as FieldValue
from msgspec import Struct

from indexer.records.damage.cut_texts import CutTexts
from indexer.records.damage.kinds import (
    DAMAGE_WORDS,
    TextDamage,
    describe_cut_texts,
    list_damage_counts,
)
from queries.search.sealed import SealedGeneration
from queries.tables.scope import Scope


class ScopeDamage(Struct, frozen=True, omit_defaults=True):
    """How many records have damaged text: in all, and by the kind of damage. ``cut`` counts the
    texts of the whole index that seem to be cut off at a length, by that length; ``without_text``
    counts the records that have no text at all. ``repair`` are the kinds that the load
    repaired."""

    records: int
    kinds: dict[str, int]
    cut: tuple[CutTexts, ...] = ()
    without_text: int = 0
    repair: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """In sentences; empty if all records have text, none is damaged, and none of the index is
        cut off."""
        damaged = (
            f"Records with damaged text among these: {self.records:,}. A term in it may not be "
            f"counted: {list_damage_counts(self.kinds)}."
            if self.records
            else ""
        )
        without_text = (
            f"Records without any text among these: {self.without_text:,}, in which no term is "
            "counted."
            if self.without_text
            else ""
        )
        return " ".join(filter(None, (damaged, describe_cut_texts(self.cut), without_text)))


def count_scope_damage(sealed: SealedGeneration, base: Scope) -> ScopeDamage | None:
    """The records of a period and offences whose text is damaged or missing; None if nobody looked
    for damage. They are searched for only if the index has any.

    Raises as ``SealedGeneration``.
    """
    damage = sealed.generation.damage
    if damage is None:
        return None
    if not has_scope_damage(damage):
        return ScopeDamage(0, {}, damage.cut)
    damaged, without_text, *counts = sealed.numbers(
        base.query(),
        [
            Exists(field="damage"),
            ~Exists(field="narrative"),
            *(FieldValue(damage=kind) for kind in DAMAGE_WORDS),
        ],
    )
    kinds = zip(DAMAGE_WORDS, counts, strict=True)
    counted: dict[str, int] = {kind: count for kind, count in kinds if count}
    return ScopeDamage(damaged, counted, damage.cut, without_text, damage.repair)


def has_scope_damage(damage: TextDamage) -> bool:
    """Whether some records of an index have damaged text, or none."""
    return bool(damage.damaged or damage.without_text)
