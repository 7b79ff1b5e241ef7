"""Prepares raw records for sending: checks them, and encodes the documents that they become.

Pure, and without Elasticsearch: it runs in processes of its own if several prepare records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import pairwise
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct

from indexer.config.field_map import FieldMap
from indexer.loading.content_hash import hash_encoded_content
from indexer.records.contract import PLAIN_CONTRACT, RecordContract
from indexer.records.damage.cut_texts import NO_ENDS, TextEnds, find_ends, is_cut
from indexer.records.damage.kinds import NO_REPAIR, DamageTally, RepairKind
from indexer.records.document import build_document, build_tombstone, encode_document
from indexer.records.model import CrimeDocument, CrimeRecord, Deletion, RecordError, Tombstone
from indexer.records.offences import OffenceTable
from indexer.records.parse import (
    list_alike_people,
    parse_mapped_line,
    parse_record_line,
    parse_record_mapping,
)
from indexer.records.validation_messages import describe_offence_code
from indexer.sources.base import RawRecord

# Each step is taken for this many records before the next step: its code and data stay in the
# processor's caches, which makes preparing a quarter faster than record by record.
_STEP_RECORDS: Final = 50

#: The most bytes of one document.
MAX_DOCUMENT_BYTES: Final = 64 * 1024 * 1024

#: The fields that every record has a value of.
_REQUIRED_CELLS: Final = ("crime_ref", "recorded_on", "offence_code")

_ParsedRecord: TypeAlias = CrimeRecord | Deletion


class DocumentBuilder(Struct, frozen=True):
    """Turns raw records into documents. Deletions without a date get ``loaded_at``; damage of the
    kinds in ``repair`` is repaired. A version in the index that says it changed after
    ``latest_stored_time`` is wrong about that, and any other replaces it. ``workers`` is how many
    processes do it. ``columns`` are the source's own names of fields, where they differ."""

    offences: OffenceTable
    fields: FieldMap
    loaded_at: datetime
    contract: RecordContract = PLAIN_CONTRACT
    repair: frozenset[RepairKind] = NO_REPAIR
    latest_stored_time: datetime | None = None
    workers: int = 1
    columns: dict[str, tuple[str, ...]] = {}

    def document(self, raw: RawRecord) -> CrimeDocument | Tombstone:
        """The document of a raw record. Raises RecordError."""
        return self.build(self.parse(raw), raw.location)

    def parse(self, raw: RawRecord) -> _ParsedRecord:
        """The checked record of a raw record. Raises RecordError, which names the column of the
        source, too, if that has another name than the field."""
        if raw.error:
            raise RecordError(raw.error, raw.error_kind)
        try:
            return self._parse_fields(raw)
        except RecordError as error:
            raise self._explain_cells(error, raw) from None

    def _explain_cells(self, error: RecordError, raw: RawRecord) -> RecordError:
        """The error in the words of the source. A table has cells and columns, and knows nothing of
        null, of quotes or of our form of a day."""
        text, kind, names = str(error), error.kind, self.columns.get(error.field, ())
        is_table = isinstance(raw.raw, dict)
        cells = raw.raw if isinstance(raw.raw, dict) else {}
        expected = self.contract.expected_cells.get(error.field.rpartition(".")[2], "")
        if error.field in _REQUIRED_CELLS and cells.get(error.field, error) in (None, ""):
            kind = f'"{error.field}" is empty'
            text = f"{kind}, and every record needs it. Fill it in."
        elif is_table and error.shape and expected and len(names) < 2:
            subject = f'"{names[0]}" ({error.field})' if names else f'"{error.path}"'
            text = f"{subject} is {error.shape}, not {expected}. Correct it."
            kind = f'"{names[0] if names else error.field}" is not {expected}'
            return RecordError(text, kind, error.field)
        if names:
            listing = " and ".join(f'"{name}"' for name in names)
            noun = "column" if is_table else "field"
            text += f" It is read from the {noun}{'s' if len(names) > 1 else ''} {listing}."
        return RecordError(text, kind, error.field)

    def _parse_fields(self, raw: RawRecord) -> _ParsedRecord:
        if isinstance(raw.raw, dict):
            return parse_record_mapping(raw.raw, self.contract)
        if self.fields.plain:
            return parse_record_line(raw.raw, self.contract)
        return parse_mapped_line(raw.raw, self.fields.apply, self.contract)

    def build(self, record: _ParsedRecord, location: str) -> CrimeDocument | Tombstone:
        """The document of a record that was read at a location."""
        if isinstance(record, Deletion):
            return build_tombstone(record, location, self.loaded_at)
        return build_document(record, self.offences, location, self.contract, self.repair)


class BulkDocument(Struct, frozen=True, gc=False):
    """A document to send: its id, and its JSON."""

    reference: str
    source: bytes


class PendingDocument(BulkDocument, frozen=True, gc=False):
    """A document read and not yet sent. It is kept as bytes: thousands of live segment lists would
    slow the garbage collector more than encoding them does.

    ``number`` is the position of its raw record in the batch. For a tombstone ``digest`` and
    ``code`` are empty; for a record they are its content hash, as bytes, and its offence code.
    ``day`` is the day it was recorded. ``ends`` are those of its texts, as they came.
    ``alike_people`` are the lists in which nothing tells two people apart.
    ``without_text`` says that a record has no text at all, and ``has_cut_entry`` that an entry goes
    on in the middle of a sentence of the one before.
    """

    number: int
    location: str
    updated_at: datetime | None
    digest: bytes = b""
    tombstone: bool = True
    code: str = ""
    day: date | None = None
    bare_links: int = 0
    damage: tuple[str, ...] = ()
    repaired: tuple[str, ...] = ()
    ends: TextEnds = NO_ENDS
    alike_people: tuple[str, ...] = ()
    without_text: bool = False
    has_cut_entry: bool = False
    has_own_time: bool = True

    @property
    def content(self) -> int:
        """The content hash; 0 for a tombstone."""
        return int.from_bytes(self.digest, "big")


class RecordFault(Struct, frozen=True, gc=False):
    """Why a record is rejected, and what all records of that fault share."""

    reason: str
    kind: str


class DocumentStatistics(Struct):
    """What is counted about documents: the first and the last ``updated_at`` (``watermark``) and
    ``recorded_on``, the records of each year, those with each offence code that the table lacks,
    those from before or after the life of their code, the links without a code, the damage to
    text, by their list the records with people whom nothing tells apart, and the records with an
    entry that goes on in the middle of a sentence."""

    watermark: datetime | None = None
    first_update: datetime | None = None
    first_day: date | None = None
    last_day: date | None = None
    years: dict[int, int] = {}
    unknown_codes: dict[str, int] = {}
    codes_outside_validity: dict[str, int] = {}
    bare_links: int = 0
    alike_people: dict[str, int] = {}
    cut_entries: int = 0
    damage: DamageTally = msgspec.field(default_factory=DamageTally)


class PreparedBatch(Struct):
    """The documents of one request, in order, the faults of records that are not valid by their
    position among the raw records, and the statistics of all the documents."""

    documents: list[PendingDocument]
    faults: dict[int, RecordFault]
    statistics: DocumentStatistics


def prepare_batch(raws: Sequence[RawRecord], builder: DocumentBuilder) -> PreparedBatch:
    """Check raw records and encode their documents."""
    documents: list[PendingDocument] = []
    faults: dict[int, RecordFault] = {}
    for first in range(0, len(raws), _STEP_RECORDS):
        records: dict[int, _ParsedRecord] = {}
        for number, raw in enumerate(raws[first : first + _STEP_RECORDS], first):
            try:
                records[number] = builder.parse(raw)
            except RecordError as error:
                faults[number] = RecordFault(str(error), error.kind)
        built = [builder.build(record, raws[number].location) for number, record in records.items()]
        sources = list(map(encode_document, built))
        for number, document, source in zip(records, built, sources, strict=True):
            if len(source) > MAX_DOCUMENT_BYTES:
                faults[number] = _make_size_fault(len(source))
            else:
                documents.append(_describe_document(number, document, source, records[number]))
    return PreparedBatch(documents, faults, collect_statistics(documents, builder.offences))


def _find_text_ends(record: _ParsedRecord) -> TextEnds:
    return NO_ENDS if isinstance(record, Deletion) else find_ends(record.entries)


def _has_cut_entry(entries: Sequence[str]) -> bool:
    return any(is_cut(*neighbours) for neighbours in pairwise(entries))


def _make_size_fault(size: int) -> RecordFault:
    limit = MAX_DOCUMENT_BYTES // 1024 // 1024
    return RecordFault(
        f"needs {size // 1024 // 1024 + 1:,} MB in the index, and {limit} MB is the most. Divide "
        "its narrative, or remove control characters from it.",
        f"needs more than {limit} MB in the index",
    )


def _describe_document(
    number: int, document: CrimeDocument | Tombstone, source: bytes, record: _ParsedRecord
) -> PendingDocument:
    if isinstance(document, Tombstone):
        return PendingDocument(
            document.crime_ref,
            source,
            number,
            document.location,
            document.updated_at,
            has_own_time=record.updated_at is not None,
        )
    return PendingDocument(
        document.crime_ref,
        source,
        number,
        document.location,
        document.updated_at,
        hash_encoded_content(source),
        tombstone=False,
        code=document.offence_code,
        day=document.recorded_on,
        bare_links=sum(link.offence_code is None for link in document.linked),
        damage=document.damage,
        repaired=document.repaired,
        ends=_find_text_ends(record),
        alike_people=() if isinstance(record, Deletion) else list_alike_people(record),
        without_text=not document.narrative,
        has_cut_entry=not isinstance(record, Deletion) and _has_cut_entry(record.entries),
    )


def collect_statistics(
    documents: Iterable[PendingDocument], offences: OffenceTable
) -> DocumentStatistics:
    """What is counted about documents."""
    documents = list(documents)
    days = [document.day for document in documents if document.day]
    # The time of the load is no time of the source: an increment would leave out what changed there
    # before it, and was not to be seen yet.
    times = [
        document.updated_at
        for document in documents
        if document.updated_at and document.has_own_time
    ]
    statistics = DocumentStatistics(
        watermark=max(times, default=None),
        first_update=min(times, default=None),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
        years=dict(Counter(day.year for day in days)),
    )
    codes: Counter[str] = Counter()
    misplaced_codes: Counter[str] = Counter()
    alike_people: Counter[str] = Counter()
    for document in documents:
        if document.code and not offences.has_code(document.code):
            codes[describe_offence_code(document.code)] += 1
        elif document.day and offences.is_outside_validity(document.code, document.day):
            misplaced_codes[document.code] += 1
        if document.bare_links:
            statistics.bare_links += document.bare_links
        alike_people.update(document.alike_people)
        statistics.cut_entries += document.has_cut_entry
        if document.damage or document.repaired:
            statistics.damage.add(document.damage, document.repaired)
        statistics.damage.without_text += document.without_text
        if document.ends.longest:
            statistics.damage.cut.add(document.ends)
    statistics.unknown_codes = dict(codes)
    statistics.alike_people = dict(alike_people)
    statistics.codes_outside_validity = dict(misplaced_codes)
    return statistics
