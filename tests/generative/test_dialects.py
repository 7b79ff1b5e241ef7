"""Records written in any dialect, and read by the profile that inspect writes, are the records."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.config.field_map import EMPTY_FIELD_MAP
from indexer.config.profile import SourceProfile, check_profile
from indexer.inspection.inspect_files import inspect_files, require_one_layout
from indexer.inspection.profile_writer import write_profile
from indexer.loading.content_hash import CONTENT_HASH_RANGE, hash_content
from indexer.loading.preparation import DocumentBuilder
from indexer.records.model import CrimeDocument
from indexer.records.offences import load_offence_table
from indexer.sources import read_records
from indexer.sources.base import RawRecord
from tests.support.dialects import DATE_FORMS, FORMATS, Dialect, write_dialect
from tests.support.examples import examples

DIALECTS = st.builds(
    Dialect,
    format=st.sampled_from(FORMATS),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    dates=st.sampled_from(DATE_FORMS),
    codes=st.sampled_from(["plain", "titled", "pair"]),
    rows=st.sampled_from(["records", "victims", "continued"]),
    status_word=st.integers(0, 2),
    small_days=st.booleans(),
    titles=st.integers(0, 4),
    extras=st.booleans(),
    seed=st.integers(0, 10**6),
)


def read_decided_profile(file: Path, answers: dict[str, Any]) -> SourceProfile:
    """The profile of a foidex.toml, with each DECIDE answered as a person would."""
    raw: dict[str, Any] = tomlkit.parse(file.read_text(encoding="utf-8")).unwrap()["source"][
        "profile"
    ]
    for name, rule in raw["fields"].items():
        if "DECIDE" in rule.get("dates", ()):
            rule["dates"] = answers[f"{name}.dates"]
        for word, value in rule.get("values", {}).items():
            if value == "DECIDE":
                rule["values"][word] = answers["values"][word]
    if "columns" in raw["fields"]["narrative"]:  # in the order of the columns, which says so
        raw["fields"]["narrative"]["columns"].sort(key=["MO Text", "Summary"].index)
    if "continuation" in raw:
        raw["continuation"]["join"] = answers["join"]
    profile = msgspec.convert(raw, SourceProfile)
    check_profile(profile, {})
    return profile


def hash_records(raws: Iterable[RawRecord]) -> tuple[int, int]:
    """The number and the content hash of records."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    builder = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, now)
    hashes = []
    for raw in raws:
        if not raw.blank:
            document = builder.document(raw)
            assert isinstance(document, CrimeDocument)
            hashes.append(hash_content(document))
    return len(hashes), sum(hashes) % CONTENT_HASH_RANGE


@settings(max_examples=examples(20))
@given(DIALECTS)
@example(
    Dialect(
        "csv",
        "utf-8",
        ",",
        "DD/MM/YYYY",
        "plain",
        "records",
        0,
        small_days=False,
        titles=0,
        extras=False,
        seed=139,
    )
)
@example(
    Dialect(
        "xlsx",
        "utf-8",
        ",",
        "cells",
        "titled",
        "victims",
        0,
        small_days=False,
        titles=2,
        extras=True,
        seed=1,
    )
)
@example(
    Dialect(
        "txt",
        "utf-16",
        "\t",
        "D Month YYYY",
        "plain",
        "continued",
        1,
        small_days=False,
        titles=0,
        extras=False,
        seed=2,
    )
)
@example(
    Dialect(
        "csv",
        "cp1252",
        ";",
        "D/M/YY",
        "pair",
        "records",
        2,
        small_days=True,
        titles=0,
        extras=True,
        seed=3,
    )
)
def test_records_in_any_dialect_have_the_content_hash_of_json_lines(dialect: Dialect) -> None:
    if dialect.format not in ("xlsx", "ods") and dialect.dates == "cells":
        dialect = dialect._replace(dates="YYYY-MM-DD")
    if dialect.format in ("json", "jsonl") and dialect.rows != "records":
        dialect = dialect._replace(rows="records")
    with tempfile.TemporaryDirectory() as name:
        extract = write_dialect(Path(name), dialect)
        inspection = inspect_files([extract.path], {})
        write_profile(Path(name, "foidex.toml"), inspection, require_one_layout(inspection))
        profile = read_decided_profile(Path(name, "foidex.toml"), extract.answers)
        raws = list(read_records([extract.path], counts=Counter(), profile=profile))
        assert [raw.error for raw in raws if raw.error] == []
        lines = [RawRecord("", json.dumps(record).encode(), 0) for record in extract.records]
        assert hash_records(raws) == hash_records(lines)
