"""Small extracts as forces export them, and the records that a profile makes of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from indexer.config.profile import SourceProfile, check_profile
from indexer.records.categories import Categories
from indexer.sources import read_records
from indexer.sources.base import RawRecord

#: A profile of four columns, which most tests change in one thing.
PLAIN_PROFILE: dict[str, Any] = {
    "fields": {
        "crime_ref": "Crime No",
        "recorded_on": {"column": "Recorded", "dates": ["DD/MM/YYYY"]},
        "offence_code": "HO Code",
        "narrative": "MO",
    }
}


def make_profile(*changes: dict[str, Any], **keys: Any) -> SourceProfile:
    """The plain profile with other fields (``changes``) and other keys, checked."""
    fields = dict(PLAIN_PROFILE["fields"])
    for change in changes:
        fields |= change
    profile = msgspec.convert({"fields": fields, **keys}, SourceProfile)
    categories: Categories = {}
    check_profile(profile, categories)
    return profile


def read_extract(path: Path, profile: SourceProfile) -> list[RawRecord]:
    """Every record and every skipped row of a file."""
    return list(read_records([path], profile=profile, counts=Counter()))


def write_extract(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """A file of text; line ends stay as they are."""
    path.write_bytes(text.encode(encoding))
    return path


def list_values(raws: Iterable[RawRecord], field: str) -> list[Any]:
    """The values of one field of the records that are neither skipped nor rejected."""
    return [dict(raw.raw).get(field) for raw in raws if not raw.blank and not raw.error]  # type: ignore[arg-type]


def list_errors(raws: Iterable[RawRecord]) -> list[str]:
    """Why records are rejected before they are checked."""
    return [raw.error for raw in raws if raw.error]
