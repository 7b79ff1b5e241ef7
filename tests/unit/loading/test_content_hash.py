"""The content hash: equal to that of earlier versions, and independent of where a record was read.

Generations in use carry hashes of earlier versions, and an incremental refresh calculates with
them, so a changed hash would make every later one wrong.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import msgspec

from indexer.config.field_map import EMPTY_FIELD_MAP, FieldMap
from indexer.loading.content_hash import hash_content
from indexer.loading.preparation import DocumentBuilder, prepare_batch
from indexer.records.categories import Category
from indexer.records.contract import RecordContract
from indexer.records.document import encode_document
from indexer.records.model import CrimeDocument
from indexer.records.offences import load_offence_table
from indexer.records.sample import generate_records
from indexer.resources import find_data_folder
from indexer.sources import read_records
from indexer.sources.base import RawRecord

BUILDER = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, datetime(2020, 1, 1, tzinfo=UTC))


def sample_raws() -> list[RawRecord]:
    """The demo's records, and generated ones."""
    generated = [
        RawRecord(f"sample.jsonl:{number}", msgspec.json.encode(record), 0)
        for number, record in enumerate(generate_records(2_000, 7), start=1)
    ]
    files = [find_data_folder("demo") / name for name in ("reference.jsonl", "small.jsonl")]
    return [*read_records(files), *generated]


def earlier_hash(source: bytes) -> int:
    """The hash as versions before this one made it, by cutting the JSON before its last field."""
    content = source[: source.rindex(b',"place":')]
    return int.from_bytes(hashlib.blake2b(content, digest_size=16).digest(), "big")


def test_hash_of_every_sample_record_is_that_of_earlier_versions() -> None:
    """Of the document that is sent, and of what the index returns for it."""
    compared = 0
    for raw in sample_raws():
        document = BUILDER.document(raw)
        if not isinstance(document, CrimeDocument):
            continue
        source = encode_document(document)
        assert hash_content(document) == earlier_hash(source)
        assert hash_content(msgspec.json.decode(source)) == earlier_hash(source)
        assert prepare_batch([raw], BUILDER).documents[0].content == earlier_hash(source)
        compared += 1
    assert compared > 2_000


def test_hash_of_a_record_that_ends_with_its_categories_is_one_however_it_is_read() -> None:
    """As it does without a time of change: two braces end its JSON."""
    categories = {"district": Category(type="keyword"), "flag": Category(type="keyword", many=True)}
    builder = DocumentBuilder(
        load_offence_table(),
        FieldMap(categories=categories),
        datetime(2020, 1, 1, tzinfo=UTC),
        RecordContract(categories),
    )
    record = {"crime_ref": "R1", "recorded_on": "2019-01-01", "offence_code": "8N", "narrative": ""}
    for values in ({}, {"district": "N"}, {"flag": ["a"]}, {"district": "N", "flag": []}):
        raw = RawRecord("a.csv:1", record | values, 0)
        document = builder.document(raw)
        assert isinstance(document, CrimeDocument)
        source = encode_document(document)
        assert hash_content(document) == earlier_hash(source)
        assert hash_content(msgspec.json.decode(source)) == earlier_hash(source)
        assert prepare_batch([raw], builder).documents[0].content == earlier_hash(source)


def test_hash_does_not_depend_on_where_a_record_was_read() -> None:
    """Nor on where in the JSON the location stands; but on everything else."""
    document = BUILDER.document(sample_raws()[-1])
    assert isinstance(document, CrimeDocument)
    moved = msgspec.structs.replace(document, location='other","place":"crimes.jsonl:1')
    assert hash_content(moved) == hash_content(document)
    stored = msgspec.json.decode(encode_document(document))
    assert hash_content({"place": stored.pop("place"), **stored}) == hash_content(document)
    changed = msgspec.structs.replace(document, status="cancelled")
    assert hash_content(changed) != hash_content(document)
