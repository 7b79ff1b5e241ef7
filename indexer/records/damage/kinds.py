"""The kinds of damage to text, and how many records of an index have each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Final, Literal, TypeAlias, get_args

from msgspec import Struct, field

from indexer.records.damage.cut_texts import CutTally, CutTexts
from indexer.terminal import count_noun

DamageKind: TypeAlias = Literal[
    "control", "mojibake", "html", "rtf", "spreadsheet", "escape", "replacement", "invisible"
]

RepairKind: TypeAlias = Literal[
    "control", "mojibake", "html", "rtf", "spreadsheet", "escape", "invisible"
]

NO_REPAIR: Final[frozenset[RepairKind]] = frozenset()

#: Each kind in the words of messages and documents, in the order in which they are listed.
DAMAGE_WORDS: Final[dict[DamageKind, str]] = {
    "control": "control characters",
    "mojibake": "characters decoded twice",
    "html": "HTML tags or entities",
    "rtf": "RTF codes",
    "spreadsheet": "spreadsheet escapes",
    "escape": "escapes of JSON, SQL or mail",
    "replacement": "replacement characters or spreadsheet errors",
    "invisible": "invisible characters inside words",
}


class TextDamage(Struct, frozen=True, omit_defaults=True):
    """How many records of an index have damaged text.

    ``repair`` lists the kinds that the force had repaired when the records were loaded.
    ``damaged`` counts the records whose text is still damaged, and ``kinds`` those with each kind
    of damage; ``repaired`` counts the records whose text was repaired when they were loaded, and
    ``repaired_kinds`` those in which each kind was. A record may have several kinds. ``cut`` counts
    the texts that seem to have been cut off at a length, in characters, by that length; those of a
    generation that was changed by increments are of the last one that had any. ``without_text``
    counts the records that have no text at all.
    """

    repair: tuple[str, ...] = ()
    damaged: int = 0
    kinds: dict[str, int] = {}
    repaired: int = 0
    repaired_kinds: dict[str, int] = {}
    cut: tuple[CutTexts, ...] = ()
    without_text: int = 0


class DamageTally(Struct):
    """Counts damage, record by record, and texts by their length."""

    damaged: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    repaired: int = 0
    repaired_kinds: Counter[str] = field(default_factory=Counter)
    cut: CutTally = field(default_factory=CutTally)
    without_text: int = 0

    def add(self, kinds: tuple[str, ...], repaired_kinds: tuple[str, ...]) -> None:
        """Count a record by the kinds of damage that it has, and those that were repaired."""
        if kinds:
            self.damaged += 1
            self.kinds.update(kinds)
        if repaired_kinds:
            self.repaired += 1
            self.repaired_kinds.update(repaired_kinds)

    def merge(self, other: DamageTally) -> None:
        """Add what another tally counted."""
        self.damaged += other.damaged
        self.kinds.update(other.kinds)
        self.repaired += other.repaired
        self.repaired_kinds.update(other.repaired_kinds)
        self.cut.merge(other.cut)
        self.without_text += other.without_text

    def total(self, repair: Collection[str] = ()) -> TextDamage:
        """What was counted; ``repair`` are the kinds that were to be repaired."""
        return TextDamage(
            repair=sort_kinds(repair),
            damaged=self.damaged,
            kinds=dict(self.kinds),
            repaired=self.repaired,
            repaired_kinds=dict(self.repaired_kinds),
            cut=self.cut.find_limits(),
            without_text=self.without_text,
        )


def sort_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Kinds of damage in their fixed order, each once."""
    return tuple(sorted(set(kinds), key=tuple[str, ...](DAMAGE_WORDS).index))


def list_damage_counts(counts: dict[str, int]) -> str:
    """The kinds that occur, in words, each with its number of records, in a fixed order."""
    return ", ".join(
        f"{words} ({counts[kind]:,})" for kind, words in DAMAGE_WORDS.items() if counts.get(kind)
    )


#: What to do about texts that are cut off.
CUT_ADVICE: Final = "Ask for an export with whole texts, then run a full refresh."


def describe_cut_texts(cut: tuple[CutTexts, ...]) -> str:
    """That texts seem to be cut off, in a sentence; empty if none do."""
    if not cut:
        return ""
    listing = " and ".join(
        f"{count_noun(group.texts, 'text ends', 'texts end')} at exactly {group.length:,} "
        "characters"
        for group in cut
    )
    return (
        f"{listing}, in the middle of a sentence, so the export may have cut off what follows. A "
        "term there is not found."
    )


def describe_without_text(without_text: int, records: int) -> str:
    """How many records have no text, in a sentence; empty if all have some."""
    if not without_text:
        return ""
    verb, pronoun = ("has", "it") if without_text == 1 else ("have", "them")
    return (
        f"{without_text:,} of {records:,} records {verb} no text, so no term is found in {pronoun}."
    )


def advise_repair(counts: dict[str, int], repair: Collection[str] = ()) -> str:
    """What to do about the kinds that occur; ``repair`` are those that are repaired already, as far
    as they can be."""
    kinds = [kind for kind in get_args(RepairKind) if counts.get(kind) and kind not in repair]
    if not kinds:
        return "Correct the export of the records: what was lost cannot be repaired."
    names = ", ".join(f'"{kind}"' for kind in kinds)
    return (
        f"Correct the export of the records, or set repair = [{names}] in [source] of foidex.toml "
        "and load them all again."
    )
