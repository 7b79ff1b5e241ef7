"""What an answer says about damaged text in the records that it counted. Pure."""

from __future__ import annotations

from msgspec import UNSET

from indexer.records.damage.kinds import DAMAGE_WORDS
from queries.answer.types import Answer


def describe_text_damage(answer: Answer) -> tuple[str, ...]:
    """In sentences, in how many records text was repaired, and in how many it is damaged."""
    damage, records = answer.provenance.damage, answer.provenance.records
    if damage is UNSET:
        return ()
    sentences = []
    if damage.repaired:
        sentences.append(
            f"Damaged text was repaired before counting in {damage.repaired:,} of the "
            f"{records:,} records: {_list_kinds(damage.repaired_kinds)}."
        )
    if damage.damaged:
        sentences.append(
            f"Text is damaged in {damage.damaged:,} of the {records:,} records, so a word in it "
            f"may not be counted: {_list_kinds(damage.kinds)}."
        )
    return tuple(sentences)


def _list_kinds(counts: dict[str, int]) -> str:
    return ", ".join(words for kind, words in DAMAGE_WORDS.items() if counts.get(kind))
