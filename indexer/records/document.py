"""Build the index document of a record, or of a deleted record, and encode it as JSON."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final

import msgspec

from indexer.records.contract import PLAIN_CONTRACT, RecordContract
from indexer.records.damage.detect import find_damage
from indexer.records.damage.kinds import NO_REPAIR, RepairKind
from indexer.records.damage.repair import repair_entries
from indexer.records.model import (
    DELETED,
    CrimeDocument,
    CrimeRecord,
    Deletion,
    IndexedLink,
    Link,
    Tombstone,
)
from indexer.records.narrative import clean_text, segment_narrative
from indexer.records.offences import OffenceTable

encode_document: Final = msgspec.json.Encoder().encode


def build_document(
    record: CrimeRecord,
    offences: OffenceTable,
    location: str,
    contract: RecordContract = PLAIN_CONTRACT,
    repair: frozenset[RepairKind] = NO_REPAIR,
) -> CrimeDocument:
    """The index document of a record that was read at a location ("crimes.jsonl:41").

    ``repair`` are the kinds of damage to repair in its narrative.
    """
    entries = record.entries
    damage: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    if any(map(find_damage, entries)):
        entries, repaired, damage = repair_entries(entries, repair)
    texts = list(map(clean_text, entries))
    if not any(map(_has_content, texts)):
        texts = []  # the server would take it for a text
    narrative = segment_narrative(*texts)
    code = offences.canonical(record.offence_code)
    return CrimeDocument(
        crime_ref=record.crime_ref,
        recorded_on=record.recorded_on,
        offence_code=code,
        offence_path=offences.path(code),
        status=record.status,
        narrative=narrative.segments,
        possessives=narrative.possessives,
        location=location,
        compounds=narrative.compounds,
        outcome=record.outcome,
        victims=record.victims,
        suspects=record.suspects,
        linked=[_index_link(link, offences) for link in record.linked],
        categories=contract.values(record),
        updated_at=record.updated_at,
        damage=damage,
        repaired=repaired,
    )


def _has_content(text: str) -> bool:
    """Whether a text is more than white space and punctuation: "-" often stands for none."""
    return any(unicodedata.category(character)[0] not in "CPZ" for character in text)


def build_tombstone(deletion: Deletion, location: str, current_time: datetime) -> Tombstone:
    """The index document of a deletion; one without a time counts as made at ``current_time``."""
    return Tombstone(
        crime_ref=deletion.crime_ref,
        updated_at=deletion.updated_at or current_time.replace(microsecond=0),
        status=DELETED,
        location=location,
    )


def _index_link(link: Link, offences: OffenceTable) -> IndexedLink:
    if link.offence_code is None:
        return IndexedLink(crime_ref=link.crime_ref)
    code = offences.canonical(link.offence_code)
    return IndexedLink(link.crime_ref, code, offences.path(code))
