"""What an answer says about damaged and missing text in the records that it counted. Pure."""

from __future__ import annotations

from msgspec import UNSET

from indexer.records.damage.kinds import DAMAGE_WORDS
from indexer.terminal import count_noun
from queries.answer.types import Answer


def describe_text_damage(answer: Answer) -> tuple[str, ...]:
    """In sentences, in how many records text was repaired, and in how many it is damaged, or
    missing."""
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
    if damage.cut:
        number = sum(group.texts for group in damage.cut)
        lengths = " or ".join(f"{group.length:,}" for group in damage.cut)
        sentences.append(
            f"{count_noun(number, 'text of the records ends', 'texts of the records end')} at "
            f"exactly {lengths} characters, in the middle of a sentence, as if it had been cut off "
            "there. A word that was cut off is not counted."
        )
    if damage.without_text:
        verb, pronoun = ("has", "it") if damage.without_text == 1 else ("have", "them")
        sentences.append(
            f"{damage.without_text:,} of the {records:,} records {verb} no text, so no word is "
            f"counted in {pronoun}."
        )
    return tuple(sentences)


def _list_kinds(counts: dict[str, int]) -> str:
    return ", ".join(words for kind, words in DAMAGE_WORDS.items() if counts.get(kind))
