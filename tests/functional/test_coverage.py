"""Coverage from the command line, on a real server: declared, inferred, and of older generations."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.index.generations import build_index_meta, read_live_generation
from indexer.records.coverage import Coverage, CoverageSettings
from queries.answer.types import NOT_COVERED, Answer, format_json
from queries.answering.build import compute_answer
from queries.lint.check import check_wording
from queries.replay.compare import Replay, ReplayContext, extract_request, replay_answer
from queries.replay.text import format_replay
from queries.request.reader import parse_request
from queries.spec.term_book import load_default_term_book
from tests.support.command_line import Outcome, run_command
from tests.support.force import FORCE_TOML

DAYS = ("2018-04-10", "2018-05-01", "2018-12-01", "2019-02-01")

RECORDS = [
    {
        "crime_ref": f"R{number}",
        "recorded_on": day,
        "offence_code": "22B",
        "narrative": "A livestream.",
    }
    for number, day in enumerate(DAYS)
]

REQUEST = """\
reference: FOI/1
title: Livestreams
period: {from: 2016-04-01, to: 2019-03-31}
mentions: [livestream]
questions:
  - {id: Q1, kind: by, by: financial_year}
  - {id: Q2, kind: cross, rows: {keywords: [livestream]}, columns: calendar_year}
"""

INFERRED = Coverage(
    date(2018, 4, 10),
    date(2019, 2, 1),
    ("from", "to"),
    (*(date(2018, month, 1) for month in (6, 7, 8, 9, 10, 11)), date(2019, 1, 1)),
)

COVERED = "The records cover 10 April 2018 to 1 February 2019."

Run = Callable[..., Outcome]


@pytest.fixture
def run(environment: dict[str, str], tmp_path: Path) -> Run:
    (tmp_path / "request.yaml").write_text(REQUEST)

    def go(*arguments: str) -> Outcome:
        return run_command(*arguments, environment=environment, folder=tmp_path)

    return go


def counts(answer: Answer, number: int = 0) -> dict[str, tuple[Any, ...]]:
    return {row.label: row.counts for row in answer.questions[number].table.rows_and_total}


def test_the_first_and_the_last_record_are_the_ends_unless_others_are_declared(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(RECORDS)
    live = read_live_generation(client, index.alias)
    assert live.coverage == INFERRED
    load(RECORDS, covers=CoverageSettings(date(2018, 5, 1), date(2019, 3, 31)))
    live = read_live_generation(client, index.alias)
    assert live.coverage == Coverage(
        date(2018, 5, 1),
        date(2019, 3, 31),
        empty_months=(*INFERRED.empty_months, date(2019, 3, 1)),
        outside=True,
    )


def test_a_generation_without_a_coverage_of_its_own_gives_the_same_answer(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """As one of an earlier version: its days are then asked for in the same search."""
    load(RECORDS)
    request = parse_request(REQUEST)
    found = compute_answer(client, index.alias, request)
    live = read_live_generation(client, index.alias)
    older = msgspec.structs.replace(live, coverage=None)
    client.indices.put_mapping(index=live.name, meta=build_index_meta(older))
    assert read_live_generation(client, index.alias).coverage is None
    again = compute_answer(client, index.alias, request)
    assert (again.coverage, again.questions) == (INFERRED, found.questions)
    assert again.provenance.query_hash == found.provenance.query_hash
    check = check_wording(client, index.alias, request, load_default_term_book())
    assert check.coverage == INFERRED


def test_the_years_before_the_records_are_not_covered(run: Run, load: Callable[..., Any]) -> None:
    load(RECORDS)
    written = run("answer", "request.yaml", "--format", "json")
    answer = msgspec.json.decode(written.out, type=Answer)
    assert counts(answer) == {
        "2016/17": (NOT_COVERED,),
        "2017/18": (NOT_COVERED,),
        "2018/19": (4,),
        "All offences asked about": (4,),
    }
    assert counts(answer, 1)["livestream"] == (4, NOT_COVERED, NOT_COVERED, 3, 1)


def test_publishing_leaves_what_is_not_covered_as_it_is(
    run: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "foidex.toml").write_text(
        FORCE_TOML + '[disclosure]\nthreshold = 2\nreason = "agreed"\n'
    )
    load(RECORDS)
    written = run("answer", "request.yaml", "--publish", "--format", "json")
    assert written.code == 0, written.err
    answer = msgspec.json.decode(written.out, type=Answer)
    assert counts(answer)["2016/17"] == (NOT_COVERED,)
    assert answer.coverage == Coverage(INFERRED.start, INFERRED.end, INFERRED.inferred)


def test_lint_says_what_is_covered_before_the_terms(run: Run, load: Callable[..., Any]) -> None:
    load(RECORDS)
    checked = run("lint", "request.yaml")
    text = " ".join(checked.out.split())
    assert text.index(COVERED) < text.index("4 records for this period")
    assert "Not covered: 2016/17, 2017/18, 2016 and 2017." in text
    assert "Of 2018/19, only the days from 10 April 2018 to 1 February 2019 are counted." in text
    assert "set covers in [records] of foidex.toml" in text
    assert (
        "No record at all was recorded in June 2018 to November 2018 and January 2019 (7 months)."
        in text
    )
    report = json.loads(run("lint", "request.yaml", "--format", "json").out)
    assert report["wording"]["coverage"]["from"] == "2018-04-10"


def test_count_says_what_is_covered_before_the_table(run: Run, load: Callable[..., Any]) -> None:
    load(RECORDS)
    options = ("count", "livestream", "--from", "2017-04-01", "--to", "2019-03-31")
    table = run(*options, "--by", "financial_year").out
    text = " ".join(table.split())
    assert text.startswith(COVERED)
    assert "2017/18 not covered" in text
    assert "2018/19 4" in text
    written = run(*options, "--by", "financial_year", "--format", "csv")
    assert written.out.splitlines()[1:] == [
        "2017/18,not covered",
        "2018/19,4",
        "All offences asked about,4",
    ]
    assert COVERED in written.err
    other_days = json.loads(
        run("count", "livestream", "--period", "2011/12", "--format", "json").out
    )
    assert other_days["records"] == "not covered"
    assert other_days["terms"][0]["records"] == "not covered"


def test_find_lists_no_record_of_a_number_that_is_not_covered_and_says_why(
    run: Run, load: Callable[..., Any]
) -> None:
    load(RECORDS, covers=CoverageSettings(date(2018, 5, 1)))  # R0 is of the day before
    found = run("find", "--request", "request.yaml", "--row", "Q1:2017/18", "--refs-only")
    assert (found.code, found.out) == (0, "")
    assert "The records cover 1 May 2018 to 1 February 2019" in found.err
    assert "it is not covered" in found.err
    inside = run("find", "--request", "request.yaml", "--row", "Q1:2018/19", "--refs-only")
    assert inside.out.split() == ["R0", "R1", "R2", "R3"]
    columns = ("--row", "Q2:livestream", "--column", "2017", "--refs-only")
    assert "it is not covered" in run("find", "--request", "request.yaml", *columns).err
    outside = run("find", "livestream", "--period", "2011/12", "--refs-only")
    assert "it is not covered" in outside.err


def test_the_load_and_the_refresh_report_what_is_covered(
    run: Run, tmp_path: Path, environment: dict[str, str]
) -> None:
    lines = b"".join(msgspec.json.encode(record) + b"\n" for record in RECORDS)
    (tmp_path / "crimes.jsonl").write_bytes(lines)
    loaded = run("load", "crimes.jsonl")
    assert "It covers 2018-04-10 to 2019-02-01 (inferred from the first and last record" in loaded.out  # fmt: skip
    assert "Months without any record (7): 2018-06 to 2018-11, 2019-01" in loaded.out
    (tmp_path / "foidex.toml").write_text(
        '[source]\npaths = ["crimes.jsonl"]\n'
        "[records]\ncovers = {from = 2018-05-01, to = 2019-03-31}\n"
        '[refresh]\nreport = "report.json"\nmetrics = "foidex.prom"\n'
    )
    refreshed = run("refresh", "--full")
    assert refreshed.code == 0, refreshed.err
    assert "It covers 2018-05-01 to 2019-03-31 (as declared)." in refreshed.out
    assert "Some records are of days that covers in [records] leaves out." in refreshed.out
    report = json.loads(Path(environment["FOIDEX_HOME"], "report.json").read_text())
    assert report["generation"]["coverage"]["from"] == "2018-05-01"
    assert report["generation"]["coverage"]["empty_months"][0] == "2018-06-01"
    metrics = Path(environment["FOIDEX_HOME"], "foidex.prom").read_text()
    assert f'foidex_refresh_empty_months{{alias="{environment["FOIDEX_INDEX"]}"}} 8.0' in metrics


def test_days_that_no_record_fits_stop_the_load(run: Run, tmp_path: Path) -> None:
    (tmp_path / "crimes.jsonl").write_bytes(msgspec.json.encode(RECORDS[0]) + b"\n")
    (tmp_path / "foidex.toml").write_text("[records]\ncovers = {to = 2017-01-01}\n")
    loaded = run("load", "crimes.jsonl")
    assert loaded.code != 0
    assert "Correct covers in foidex.toml." in loaded.message
    assert run("count", "livestream").code != 0  # nothing was promoted


def replay(client: Elasticsearch, index: IndexSettings, folder: Path, answer: Answer) -> Replay:
    request = extract_request(answer, Path("answer.json"))
    return replay_answer(ReplayContext(client, index.alias, folder, 1_000), answer, request)


def test_an_answer_of_the_first_format_is_replayed_without_a_difference(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any], tmp_path: Path
) -> None:
    """It has a 0 for each year that is not covered, as the version that made it printed."""
    load(RECORDS)
    found = compute_answer(client, index.alias, parse_request(REQUEST))
    written = json.loads(format_json(found).replace('"not covered"', "0"))
    del written["coverage"]
    written["format"] = "foidex-answer/1"
    old = msgspec.json.decode(json.dumps(written), type=Answer)
    for _ in range(2):
        result = replay(client, index, tmp_path, old)
        assert (result.live_changes, result.source_changes, result.error) == ((), (), None)
        load(RECORDS)  # the next generation, with the one that answered kept


def test_a_replay_says_that_the_coverage_changed(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any], tmp_path: Path
) -> None:
    load(RECORDS)
    found = compute_answer(client, index.alias, parse_request(REQUEST))
    assert replay(client, index, tmp_path, found).error is None
    earlier = {**RECORDS[0], "crime_ref": "R9", "recorded_on": "2018-03-05"}
    load([*RECORDS, earlier])
    result = replay(client, index, tmp_path, found)
    assert result.source_changes == ()
    changes = {change.label: (change.before, change.after) for change in result.live_changes}
    assert changes["Q1 2017/18"] == (NOT_COVERED, 1)
    assert result.unexplained_changes == ()
    text = " ".join(format_replay(result).split())
    assert "The records covered 10 April 2018 to 1 February 2019 then, and cover 5 March 2018 to 1 February 2019 now" in text  # fmt: skip
    assert "not covered" in text
