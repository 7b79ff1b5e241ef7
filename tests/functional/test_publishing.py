"""``answer --publish`` on a real server: what leaves the force, and what the ledger refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from jsonschema import Draft202012Validator

from indexer.config.field_map import FieldMap
from indexer.config.model import IndexSettings
from indexer.errors import DisclosureError, OutputError
from indexer.jobs.refresh import LoadOptions, load_files
from indexer.records.sample import generate_records
from queries.answer.types import build_answer_schema
from queries.answering.build import compute_answer
from queries.disclosure.attack.attacker import attack_system
from queries.disclosure.policy import Policy
from queries.disclosure.populations import build_answer_system, list_printed_cells
from queries.disclosure.release import collect_known_bounds, protect_answer
from queries.lint.findings import lint_schema
from queries.request.reader import read_request
from tests.support.command_line import Outcome, run_command
from tests.support.fake_search import answer
from tests.support.force import FORCE_TOML
from tests.support.kinds import CATEGORIES, QUESTIONS, SCOPES, asking, weighted_records
from tests.support.paths import ROOT
from tests.support.server import SILENT

DATA = ROOT / "tests" / "data"

REFERENCE = DATA / "requests" / "reference.yaml"

RULE = FORCE_TOML + '[disclosure]\nthreshold = 5\nledger = "releases.jsonl"\n'

Run = Callable[..., Outcome]


@pytest.fixture
def foidex(environment: dict[str, str], tmp_path: Path) -> Run:
    """Run the program in a folder with the force's rule."""
    (tmp_path / "foidex.toml").write_text(RULE)

    def run(*words: object, code: int = 0) -> Outcome:
        ran = run_command(*words, environment=environment, folder=tmp_path, expected_code=code)
        assert "Traceback" not in ran.err
        return ran

    return run


@pytest.fixture
def loaded(load: Callable[..., Any]) -> None:
    lines = (DATA / "reference.jsonl").read_text("utf-8").splitlines()
    load([*map(json.loads, lines), *generate_records(3_000)])


@pytest.mark.usefixtures("loaded")
def test_the_reference_letter_tells_no_small_number(foidex: Run) -> None:
    """One offence, so each number of it is withheld, and so is the age of the child."""
    whole = foidex("answer", REFERENCE)
    assert "Small numbers" in whole.out
    assert "Aged 12 to 15, Victims: 1" in whole.out
    released = foidex("answer", REFERENCE, "--publish", "--format", "letter")
    assert "FOI2018/03922: Q1: " in released.err
    assert "of them small." in released.err
    assert "of them small" not in released.out
    assert "Keep your own answer too" in released.err
    letter = " ".join(released.out.split())
    assert "The numbers for these words are withheld." in letter
    assert "The age of the youngest victim is withheld" in letter
    assert "[c]" in letter
    published = json.loads(foidex("answer", REFERENCE, "--publish", "--format", "json").out)
    Draft202012Validator(build_answer_schema()).validate(published)
    for question in published["questions"]:
        for row in (*question["table"]["rows"], question["table"]["total"]):
            assert set(row["counts"]) <= {0, None}


@pytest.mark.usefixtures("loaded")
def test_the_reference_request_is_published_as_withheld_and_then_with_a_reason(
    foidex: Run, tmp_path: Path
) -> None:
    """The reason of the second letter is there to read, and so is each number of the one record.
    Without a reason nothing that the first letter withholds is published."""
    words = ("--publish", "--format", "letter")
    withheld = " ".join(foidex("answer", REFERENCE, *words).out.split())
    whole = tmp_path / "whole.yaml"
    whole.write_text(
        REFERENCE.read_text("utf-8") + "disclosure: {threshold: 0, youngest: give}\n", "utf-8"
    )
    refused = foidex("answer", whole, *words, code=DisclosureError.exit_code)
    assert "less strict" in refused.err
    assert refused.out == ""
    reason = "the victim's family agreed to it in writing"
    given = " ".join(foidex("answer", whole, *words, "--override", reason).out.split())
    assert reason in given
    assert "numbers can be worked out that are usually withheld" in given
    assert "[c]" not in given
    for sentence in ("one offence", "Instagram", "Snapchat", "15"):
        assert sentence in given
    assert reason not in withheld
    assert "[c]" in withheld
    (first, second) = (
        json.loads(line) for line in (tmp_path / "releases.jsonl").read_text("utf-8").splitlines()
    )
    assert not first["overrides"]
    assert {override["reason"] for override in second["overrides"]} == {reason}


@pytest.mark.usefixtures("loaded")
def test_letter_and_json_of_one_release_are_one_line(foidex: Run, tmp_path: Path) -> None:
    for form in ("letter", "html", "json", "text"):
        foidex("answer", REFERENCE, "--publish", "--format", form)
    (line,) = (tmp_path / "releases.jsonl").read_text().splitlines()
    assert json.loads(line)["reference"] == "FOI2018/03922"


@pytest.mark.usefixtures("loaded")
def test_a_set_for_publication_is_the_released_one_and_stands_alone(
    foidex: Run, tmp_path: Path
) -> None:
    foidex("answer", REFERENCE, "--publish", "--out", "published")
    foidex("answer", REFERENCE, "--out", "own")
    refused = foidex("answer", REFERENCE, "--out", "published", code=OutputError.exit_code)
    assert "contains a set that may be published" in refused.err
    requests = tmp_path / "requests"
    requests.mkdir()
    (requests / "one.yaml").write_text(REFERENCE.read_text("utf-8"))
    foidex("answer", "--all", "requests", "--publish", "--out", "every")
    released = [tmp_path / "published", tmp_path / "every" / "FOI2018-03922"]
    for folder, expected in ((tmp_path / "own", False), *((one, True) for one in released)):
        manifest = json.loads((folder / "manifest.json").read_bytes())
        assert manifest["for_publication"] is expected
        found = json.loads((folder / "FOI2018-03922.answer.json").read_bytes())
        assert (found["disclosure"] is not None) is expected
        assert ("Not for publication" in (folder / "FOI2018-03922.report.txt").read_text()) is not expected  # fmt: skip
    assert len((tmp_path / "releases.jsonl").read_text().splitlines()) == 1


@pytest.mark.usefixtures("loaded")
def test_a_letter_that_is_not_for_publication_says_so(foidex: Run) -> None:
    assert "Not for publication" in foidex("answer", REFERENCE, "--format", "letter").err


def test_a_release_that_gives_a_number_away_is_refused_until_a_reason_is_given(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    """30 records in the year, two of them in its last month."""
    days = ["2017-05-05"] * 28 + ["2018-03-15"] * 2
    load(
        [
            {"crime_ref": f"R{n}", "recorded_on": day, "offence_code": "22B", "narrative": "A live stream."}
            for n, day in enumerate(days)
        ]
    )  # fmt: skip

    def asked(last: str) -> Path:
        path = tmp_path / f"{last}.yaml"
        path.write_text(
            f"reference: R/{last}\ntitle: Mentions\nperiod: {{from: 2017-04-01, to: {last}}}\n"
            "mentions: [live stream]\nquestions:\n  - {id: Q1, kind: offences}\n"
        )
        return path

    assert "30" in foidex("answer", asked("2018-03-31"), "--publish").out
    refused = foidex("answer", asked("2018-02-28"), "--publish", code=DisclosureError.exit_code)
    said = " ".join(refused.err.split())
    assert re.search(r"R/2018-03-31 of \d+ \w+ \d{4} gives 30 for those recorded", said)
    assert "this release gives 28 for those recorded from 1 April 2017 to 28 February" in said
    assert "2 are in the first number and not in the second" in said
    assert "--override REASON" in refused.err
    assert refused.out == ""
    (last,) = foidex("audit", "show", "--last", 1).out.splitlines()
    assert json.loads(last)["exit_code"] == DisclosureError.exit_code
    words = ("answer", asked("2018-02-28"), "--publish", "--override", "published by the court")
    told = " ".join(foidex(*words).out.split())
    assert "published by the court" in told
    assert "28 offences" in told


@pytest.mark.usefixtures("loaded")
def test_a_request_that_is_less_strict_needs_a_reason(foidex: Run, tmp_path: Path) -> None:
    path = tmp_path / "request.yaml"
    path.write_text(REFERENCE.read_text("utf-8") + "disclosure: {threshold: 3}\n")
    refused = foidex("answer", path, "--publish", code=DisclosureError.exit_code)
    assert "numbers from 3 to 4 are given, where usually they are withheld" in refused.err
    foidex("answer", path, "--publish", "--override", "agreed")
    foidex("answer", path, "--override", "agreed", code=2)


def test_five_years_of_sample_records_are_protected(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load([*generate_records(900)])
    asked = read_request(DATA / "requests" / "five-years.yaml")
    whole = compute_answer(client, index.alias, asked)
    for policy in (Policy(threshold=5), Policy(threshold=10)):
        found = protect_answer(whole, policy).answer
        cells = list_printed_cells(found)
        hidden = {cell.population for cell in cells if cell.number is None}
        assert hidden
        for interval in attack_system(
            build_answer_system(found), collect_known_bounds(cells, policy), hidden
        ).values():
            assert interval.high is None or interval.high - interval.low >= policy.threshold


def test_the_search_in_plain_python_is_that_of_the_server(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    """What unit tests attack is what the server counts, in every kind of question and scope."""
    records = [
        {name: value for name, value in one.items() if name != "weight"}
        for one in weighted_records()
    ]
    path = tmp_path / "records.jsonl"
    written = [
        {
            **{name: value for name, value in one.items() if name != "categories"},
            **one["categories"],
        }
        for one in records
    ]
    path.write_text("".join(json.dumps(one) + "\n" for one in written))
    fields = FieldMap(categories=CATEGORIES)
    load_files(client, index, [path], tmp_path / "rejects", SILENT, LoadOptions(fields))
    for scope in SCOPES:
        asked = asking(QUESTIONS, scope)
        ours, theirs = answer(asked, records), compute_answer(client, index.alias, asked)
        assert ours.questions == theirs.questions
        assert ours.scope == theirs.scope


@pytest.mark.usefixtures("loaded")
def test_near_misses_are_published_without_their_numbers_where_asked_for(
    foidex: Run, tmp_path: Path
) -> None:
    path = tmp_path / "request.yaml"
    path.write_text(
        "reference: N/1\ntitle: Streams\nmentions: [live stream]\n"
        "questions:\n  - {id: Q1, kind: offences}\n"
    )
    own, published, plain = (
        json.loads(foidex("answer", path, "--format", "json", *more).out)["near_misses"]
        for more in (["--near-misses"], ["--near-misses", "--publish"], [])
    )
    assert plain is None
    held = {one["wording"]: (one["records"], one["added"]) for one in own["told"]}
    assert min(records for records, _ in held.values()) >= own["least"] == 5
    assert {one["wording"] for one in published["told"]} == {*held} >= {"livestreamed"}
    assert {(one["records"], one["added"]) for one in published["told"]} == {(None, None)}


def test_an_officer_who_configured_only_the_force_publishes_twice_with_refreshes_between(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    """Five years with numbers above and below the threshold; asked again after the data grew."""
    (tmp_path / "foidex.toml").write_text(FORCE_TOML)
    records = [*generate_records(190)]
    load(records[:160])
    request = DATA / "requests" / "five-years.yaml"
    first = json.loads(foidex("answer", request, "--publish", "--format", "json").out)
    for number in (165, 175, 190):
        load(records[:number])
    again = tmp_path / "again.yaml"
    text = request.read_text("utf-8")
    again.write_text(text.replace("reference: ", "reference: AGAIN/", 1))
    second = json.loads(foidex("answer", again, "--publish", "--format", "json").out)
    for published in (first, second):
        rule = published["disclosure"]
        assert (rule["threshold"], rule["overrides"]) == (5, [])
        numbers = [
            number
            for question in published["questions"]
            for row in (*question["table"]["rows"], question["table"]["total"])
            for number in row["counts"]
        ]
        assert None in numbers
        assert any(number and number >= 5 for number in numbers)
        assert not {1, 2, 3, 4} & {*numbers}
    letter = " ".join(foidex("answer", again, "--publish", "--format", "letter").out.split())
    assert "[c] means that we are not giving this number. It is less than 5" in letter
    assert "section 40(2)" in letter
    assert "ico.org.uk/concerns, telephone 0303 123 1113" in letter


def test_what_would_give_more_is_what_the_changed_request_really_gives(
    foidex: Run, load: Callable[..., Any], tmp_path: Path
) -> None:
    """3 or 4 records in each month of a year: by month little is given, by quarter all of it."""
    days = [f"2017-{month:02}-05" for month in range(4, 13) for _ in range(3 + month % 2)]
    load([
        {"crime_ref": f"A/{n}", "recorded_on": day, "offence_code": "22B", "narrative": "A live stream was named."}
        for n, day in enumerate(days)
    ])  # fmt: skip

    def asked(field: str) -> Path:
        path = tmp_path / f"{field}.yaml"
        path.write_text(
            "reference: R/1\ntitle: Mentions\nperiod: {from: 2017-04-01, to: 2017-12-31}\n"
            f"mentions: [live stream]\nquestions:\n  - {{id: Q1, kind: by, by: {field}}}\n"
        )
        return path

    told = foidex("lint", asked("month"), "--publish").out
    assert "Q1: 9 of 10 numbers withheld, 9 of them small" in told
    assert "would give more: Q1: by quarter instead of month: 4 of 4 numbers given" in told
    report = json.loads(foidex("lint", asked("month"), "--publish", "--format", "json").out)
    Draft202012Validator(lint_schema()).validate(report)
    assert any("by quarter" in line for line in report["publishing"])
    assert not (tmp_path / "releases.jsonl").exists()
    quarters = json.loads(foidex("answer", asked("quarter"), "--publish", "--format", "json").out)
    (table,) = [question["table"] for question in quarters["questions"]]
    counts = [row["counts"][0] for row in (*table["rows"], table["total"])]
    assert counts == [10, 11, 10, 31]
    released = foidex("answer", asked("month"), "--publish", "--format", "json")
    assert "Q1: 9 of 10 numbers withheld" in released.err
    assert "would give more" not in released.out
