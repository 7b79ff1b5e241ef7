"""Every extract of the test set becomes its right records, or is asked about, or refused."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexer.config.decided_profile import require_decided_profile
from indexer.config.field_map import EMPTY_FIELD_MAP
from indexer.config.loader import load_settings
from indexer.loading.preparation import DocumentBuilder
from indexer.records.model import CrimeDocument, RecordError
from indexer.records.offences import load_offence_table
from indexer.sources import read_records
from indexer.sources.base import RawRecord
from tests.support.command_line import Outcome, run_command
from tests.support.gold import (
    ANSWERS,
    EXTRACTS,
    answer_questions,
    needs_extracts,
    read_gold,
    read_truth,
)

pytestmark = needs_extracts

OFFENCES = load_offence_table()


def inspect(folder: Path, name: str, *options: str) -> Outcome:
    environment = {"FOIDEX_HOME": str(folder / "home")}
    return run_command("inspect", EXTRACTS / name, *options, environment=environment, folder=folder)


def build_documents(raws: list[RawRecord], repair: Any) -> tuple[dict[str, Any], list[RawRecord]]:
    """The content of each record by its reference, without its marks of damage; and the rejected
    ones."""
    builder = DocumentBuilder(OFFENCES, EMPTY_FIELD_MAP, datetime.now(UTC), repair=repair)
    documents: dict[str, Any] = {}
    rejected = []
    for raw in raws:
        if raw.blank:
            continue
        try:
            document = builder.document(raw)
        except RecordError:
            rejected.append(raw)
            continue
        assert isinstance(document, CrimeDocument)
        content = msgspec.to_builtins(document)
        for key in ("place", "damage", "repaired", "updated_at"):
            content.pop(key, None)
        for key in ("narrative", "possessives", "compounds"):  # gold folds white space
            content[key] = " ".join(" ".join(content.get(key, [])).split())
        documents[document.crime_ref] = content
    return documents, rejected


@pytest.mark.parametrize("name", ANSWERS)
def test_the_profile_that_inspect_writes_gives_the_right_records(name: str, tmp_path: Path) -> None:
    assert inspect(tmp_path, name, "--write").code == 0
    answer_questions(tmp_path / "foidex.toml", ANSWERS[name])
    settings = load_settings({}, tmp_path / "foidex.toml")
    profile = require_decided_profile(settings)
    counts: Counter[Path] = Counter()
    raws = list(read_records([EXTRACTS / name], counts=counts, profile=profile))
    documents, rejected = build_documents(raws, settings.source.repaired_kinds)
    truth = [RawRecord("truth", line, 0) for line in read_truth(name)]
    expected, _ = build_documents(truth, frozenset())
    assert documents.keys() == expected.keys()
    for reference, content in expected.items():
        assert documents[reference] == content
    gold = read_gold(name)
    assert [raw.location.rpartition(":")[2].rpartition(" ")[2] for raw in rejected] == [
        str(row["row"]) for row in gold["bad_rows"]
    ]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("06_unprovable_dates.csv", "fields.recorded_on.dates"),
        ("05_semicolon_excel.csv", "fields.offence_code.column"),
        ("03_connect_log.txt", "continuation.join"),
        ("08_nspis_legacy.xls", "fields.crime_ref.digits"),
        ("08_nspis_legacy.xls", "fields.recorded_on.dates"),
    ],
)
def test_what_cannot_be_proved_is_asked_and_refused_until_decided(
    name: str, key: str, tmp_path: Path
) -> None:
    inspect(tmp_path, name, "--write")
    outcome = run_command(
        "refresh", "--check", environment={"FOIDEX_HOME": str(tmp_path)}, folder=tmp_path
    )
    assert outcome.code == 10
    assert "is not decided yet" in outcome.err
    assert key in outcome.err


def test_a_file_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    outcome = inspect(tmp_path, "07_cut_short.csv", "--write")
    assert outcome.code == 4
    assert "07_cut_short.csv:371: the file ends inside a quoted cell" in outcome.err
    assert not (tmp_path / "foidex.toml").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "01_niche_monthly.csv",
            ["3 above it passed over", "4 blank rows", "windows-1252", "(column 12)"],
        ),
        (
            "02_athena_victims.xlsx",
            ["Lookups (hidden)", "684 rows are 340 records", "40 rows and 2 groups"],
        ),
        (
            "03_connect_log.txt",
            ["686 rows have text", "utf-16", "delimiter tab", "continuation.join: these rows"],
        ),
        ("04_api_dump.json", ["only where persons[].role is VICTIM", "HTML tags or entities"]),
        (
            "05_semicolon_excel.csv",
            [
                "sep=;",
                "characters decoded twice (454)",
                "mark of UTF-8",
                '"Code (3)" (500 of 500 are known offence codes)',
                'outcome = {column = "Code (9)"}',
            ],
        ),
        ("06_unprovable_dates.csv", ["both read all 150 dates"]),
        (
            "08_nspis_legacy.xls",
            [
                "6 blank rows",
                "Sheet1: empty",
                "rows of totals: 1",
                "decimals = 2 is proved",
            ],
        ),
    ],
)
def test_what_must_be_told_is_on_the_screen(name: str, told: list[str], tmp_path: Path) -> None:
    screen = inspect(tmp_path, name).out
    for part in told:
        assert part in screen


@pytest.mark.parametrize("name", ANSWERS)
def test_no_content_is_on_the_screen(name: str, tmp_path: Path) -> None:
    screen = inspect(tmp_path, name).out
    for sample in read_gold(name)["sample"]:
        assert sample["crime_ref"] not in screen
        for entry in sample["narrative"]:
            assert not entry or entry[:20] not in screen
