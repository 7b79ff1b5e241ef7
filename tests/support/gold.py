"""The test set of extracts as analysts get them, with the profiles that foidex writes for them.

The set is beside the project, or where FOIDEX_TEST_EXTRACTS says; without it, its tests are skipped.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import pytest
import tomlkit

from tests.support.paths import ROOT

EXTRACTS: Final = Path(
    os.environ.get("FOIDEX_TEST_EXTRACTS") or ROOT.parent / "shared" / "extracts"
)

needs_extracts: Final = pytest.mark.skipif(
    not EXTRACTS.is_dir(), reason=f"the test set of extracts is not in {EXTRACTS}"
)

#: What a person answers to the questions of each extract: the keys below [source.profile].
ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "01_niche_monthly.csv": {"fields.victims.age.ranges": "unknown"},
    "02_athena_victims.xlsx": {},
    "03_connect_log.txt": {"continuation.join": "space"},
    "04_api_dump.json": {},
    "05_semicolon_excel.csv": {
        "fields.offence_code.column": "Code (3)",
        "fields.outcome": {"column": "Code (9)"},
        "fields.narrative.columns": ["Notes (4)", "Notes (5)"],
        "fields.victims.age.ranges": "unknown",
    },
    "06_unprovable_dates.csv": {"fields.recorded_on.dates": ["DD/MM/YYYY"]},
    "08_nspis_legacy.xls": {
        "fields.crime_ref.digits": 7,
        "fields.recorded_on.dates": ["excel"],
    },
}


def answer_questions(file: Path, answers: dict[str, Any]) -> None:
    """Write answers into the profile of a foidex.toml, as a person does."""
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    source: Any = document["source"]
    for key, value in answers.items():
        table = source["profile"]
        section, _, rest = key.partition(".")
        table = table[section]
        name = next((name for name in table if rest.startswith(f"{name}.")), None)
        if name is None:
            table[rest] = value
        else:
            table[name][rest[len(name) + 1 :]] = value
    file.write_text(tomlkit.dumps(document), encoding="utf-8")


def read_gold(name: str) -> dict[str, Any]:
    """What is known of an extract."""
    stem = name.rpartition(".")[0]
    gold: dict[str, Any] = json.loads((EXTRACTS / f"{stem}.gold.json").read_text(encoding="utf-8"))
    return gold


def read_truth(name: str) -> Iterable[bytes]:
    """The right records of an extract, one line of JSON each."""
    stem = name.rpartition(".")[0]
    with gzip.open(EXTRACTS / "truth" / f"{stem}.jsonl.gz") as lines:
        yield from lines
