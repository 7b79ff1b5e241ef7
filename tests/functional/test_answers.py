"""Answers on a real server: by hand on a small readable set, and against the naive counter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch, TransportError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from indexer.config.model import IndexSettings
from indexer.index.generations import discard_generation, find_live_name
from indexer.jobs.refresh import LoadOptions, load_files
from indexer.records.sample import MENTION_COUNT, SAMPLE_PLATFORMS, generate_records
from queries.answer.types import (
    Answer,
    Count,
    QuestionAnswer,
    build_answer_schema,
    format_json,
)
from queries.answering.adhoc import count_adhoc_request
from queries.answering.build import compute_answer, compute_answer_with
from queries.evidence.hits import iter_hits
from queries.evidence.locate import locate_scope
from queries.request.adhoc import AdhocOptions, build_adhoc_request
from queries.request.reader import parse_request, read_request
from queries.search.run import LiveSearch
from tests.support.command_line import run_command
from tests.support.counted_records import (
    COUNTED_RECORDS,
    TERMS,
    four_questions,
    reference_records,
)
from tests.support.counter import Counter, Record
from tests.support.examples import examples
from tests.support.fake_search import SmallPages
from tests.support.paths import ROOT
from tests.support.server import EVERY_DAY, SILENT

DATA = ROOT / "tests" / "data"


def rows(answer: QuestionAnswer) -> dict[str, Count]:
    return {row.label: row.counts[0] for row in answer.table.rows}


def test_the_reference_request_has_the_published_answer(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """One offence, of 22B; Instagram and Snapchat; linked; a victim of 15. All else is zero."""
    load(reference_records())
    answer = compute_answer(client, index.alias, read_request(DATA / "requests/reference.yaml"))
    first, second, third, fourth = answer.questions
    assert rows(first) == {
        "Sexual activity involving a child under 13": 0,
        "Sexual activity involving a child under 16": 1,
        "Meeting a child following sexual grooming": 0,
        "Exposure and voyeurism": 0,
        "Sexual communication with a child": 0,
    }
    assert first.table.total.counts == (1,)
    assert {label for label, count in rows(second).items() if count} == {"Instagram", "Snapchat"}
    assert len(second.table.rows) == 24
    snapchat = next(row for row in second.table.rows if row.label == "Snapchat")
    assert dict(zip([c.label for c in second.table.columns], snapchat.counts, strict=True)) == {
        "Offences": 1, "Sexual activity involving a child under 13": 0, "Sexual activity involving a child under 16": 1,
        "Meeting a child following sexual grooming": 0, "Exposure and voyeurism": 0, "Sexual communication with a child": 0,
    }  # fmt: skip
    assert third.facts["linked"] == 1
    assert fourth.facts["youngest"] == 15
    assert rows(fourth) == {
        "Aged 11 and under": 0,
        "Aged 12 to 15": 1,
        "Aged 16 to 17": 0,
        "Any other known age": 0,
        "Age not known": 0,
    }
    assert answer.scope.left_out == {"cancelled": 1, "transferred": 1}
    assert [form.form for term in second.terms for form in term.forms] == ["instagram", "snap chat"]


def test_an_answer_keeps_to_its_schema_and_says_where_it_is_from(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    loaded = load(reference_records())
    answer = compute_answer(client, index.alias, read_request(DATA / "requests/reference.yaml"))
    Draft202012Validator(build_answer_schema()).validate(json.loads(format_json(answer)))
    provenance = answer.provenance
    assert provenance.generation == loaded.generation.name
    assert provenance.records == 24
    assert provenance.sources == ("records.jsonl",)
    assert provenance.watermark
    assert provenance.watermark.isoformat() == "2018-04-02T03:11:00+00:00"
    assert provenance.mapping_hash == loaded.generation.mapping_hash


def test_the_whole_request_is_one_search(
    client: Elasticsearch,
    index: IndexSettings,
    load: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(reference_records())
    searches: list[dict[str, Any]] = []
    ask = client.search

    def watched(**asked: Any) -> Any:
        searches.append(asked)
        return ask(**asked)

    monkeypatch.setattr(client, "search", watched)
    request = read_request(DATA / "requests/reference.yaml")
    asked_times = []
    for _ in range(2):
        searches.clear()
        compute_answer(client, index.alias, request)
        assert {asked["index"] for asked in searches} == {index.alias}
        counting = [
            asked for asked in searches if "range" in str(asked.get("body", {}).get("query"))
        ]
        assert len(counting) == 1
        asked_times.append(len(searches))
    # Before the first, which words the generation has; after each, which generation answered.
    assert asked_times == [3, 2]


def test_a_server_lost_after_the_last_page_is_no_fault_of_the_pages(
    client: Elasticsearch,
    index: IndexSettings,
    load: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A point in time that cannot be given back goes by itself, and takes no page with it."""
    load(reference_records())

    def lost(**_: Any) -> None:
        raise TransportError("the server is gone")

    monkeypatch.setattr(client, "close_point_in_time", lost)
    found = iter_hits(client, index.alias, locate_scope(build_adhoc_request(["instagram"]).scope))
    assert [hit.crime_ref for hit in found]


# -- against the naive counter ---------------------------------------------------------------------

BY_OFFENCE = AdhocOptions(by=["offence"])


def check(answer: Answer, counter: Counter, codes: list[str]) -> None:
    first, second, third, fourth = answer.questions
    assert answer.scope.records == len(counter.records)
    assert answer.scope.left_out == counter.left_out
    if codes:
        assert rows(first) == {code: counter.of_codes([code]) for code in codes}
    else:
        assert {row.codes[0]: row.counts[0] for row in first.table.rows} == counter.by_code()
    assert rows(second) == {
        **{term: counter.saying(term) for term in TERMS},
        "None of these": counter.saying_none(TERMS),
    }
    *linked, none = [row.counts[0] for row in third.table.rows]
    assert linked == [counter.linked([code]) for code in ("86/2", "88A", "22")]
    assert none == len(counter.records) - counter.linked(["86/2", "88A", "22"])
    ages = counter.ages()
    assert fourth.facts["youngest"] == (min(ages) if ages else None)
    bands = [(0, 11), (12, 15), (16, 17)]
    *counts, other, unknown = [row.counts for row in fourth.table.rows]
    assert [tuple(c) for c in counts] == [
        (counter.aged(*band), counter.people_aged(*band)) for band in bands
    ]
    assert other[0] == len(ages) - sum(counter.aged(*band) for band in bands)
    assert unknown[0] == len(counter.victims()) - len(ages)
    assert fourth.table.total.counts == (len(counter.victims()), counter.people())


@settings(max_examples=examples(25), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    COUNTED_RECORDS,
    st.sampled_from([[], ["live stream"], TERMS[:2]]),
    st.sampled_from([[], ["22B", "88A"], ["22", "22B", "71"]]),
)
def test_random_records_count_as_the_naive_counter_counts(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path, written: list[Record], terms: list[str], codes: list[str]
) -> None:  # fmt: skip
    for number, record in enumerate(written):
        record["crime_ref"] = f"R{number}"
    path = tmp_path / "random.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(record) + b"\n" for record in written))
    before = find_live_name(client, index.alias)
    load_files(client, index, [path], tmp_path, SILENT, LoadOptions(covers=EVERY_DAY))
    if before:
        discard_generation(client, index.alias, before)
    counter = Counter(
        written,
        terms=terms or None,
        codes=codes or None,
        start=date(2017, 4, 1),
        end=date(2018, 3, 31),
    )
    check(compute_answer(client, index.alias, four_questions(terms, codes)), counter, codes)


def test_sample_records_count_by_arithmetic(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    total = 5_000
    load(list(generate_records(total, seed=3)))

    def holding(*features: tuple[int, set[int]]) -> int:
        return sum(
            all(number % modulus in rest for modulus, rest in features) for number in range(total)
        )

    recorded = (17, set(range(2, 17)))
    streams, streaming = (20, {0, 1, 2, 3, 4}), (20, {5, 6, 7})
    counted = count_adhoc_request(
        client, index.alias, build_adhoc_request(["live-stream", "livestreaming"], BY_OFFENCE)
    )
    assert [term.records for term in counted.terms] == [
        holding(recorded, streams),
        holding(recorded, streaming),
    ]
    assert counted.records == holding(recorded, (20, set(range(MENTION_COUNT))))
    assert counted.table
    assert {row.codes[0]: row.counts[0] for row in counted.table.rows}["86/2"] == holding(
        recorded, (20, set(range(8))), (11, {6})
    )
    for place, ways in enumerate(SAMPLE_PLATFORMS):
        found = count_adhoc_request(client, index.alias, build_adhoc_request([ways[0]]))
        assert found.records == holding(recorded, (23, {place})), ways[0]


def test_the_same_seed_gives_the_same_records_and_the_seed_changes_no_count() -> None:
    assert list(generate_records(50, seed=1)) == list(generate_records(50, seed=1))
    one, other = list(generate_records(50, seed=1)), list(generate_records(50, seed=2))
    assert [r["narrative"] for r in one] != [r["narrative"] for r in other]
    assert [r["offence_code"] for r in one] == [r["offence_code"] for r in other]


def test_people_are_counted_beyond_the_first_page(
    client: Elasticsearch,
    index: IndexSettings,
    load: Callable[..., Any],
) -> None:
    """Eleven victims, of whom some are the same person, read three and then two at a time."""
    load(
        [
            {
                "crime_ref": f"R{number}",
                "recorded_on": "2017-06-01",
                "offence_code": "21",
                "narrative": "",
                "victims": [{"victim_ref": f"V{number % 7}", "age": 10 + number % 2}],
            }
            for number in range(11)
        ]
    )
    text = "reference: R\ntitle: T\nquestions: [{id: Q1, kind: victims, bands: [{to: 10}]}]"
    engine = SmallPages(LiveSearch(client, index.alias, later_page_size=2), first_page_size=3)
    (one,) = compute_answer_with(engine, parse_request(text)).questions
    assert one.table.total.counts == (11, 7)
    assert rows(one) == {"Aged 10 and under": 6, "Any other known age": 5, "Age not known": 0}


# -- the command line ------------------------------------------------------------------------------


def test_wordings_of_one_term_print_the_same_json(
    environment: dict[str, str], load: Callable[..., Any]
) -> None:
    load(reference_records())
    printed = []
    for wording in ("live-stream", "live stream", "livestream"):
        command = ["count", wording, "--format", "json"]
        run = run_command(*command, environment=environment, expected_code=0)
        found = json.loads(run.out)
        assert found["terms"][0].pop("term") == wording
        printed.append(found)
    assert printed[0] == printed[1] == printed[2]
    assert printed[0]["records"] == 7


def test_find_lists_the_records_a_count_counts(
    environment: dict[str, str], load: Callable[..., Any]
) -> None:
    load(reference_records())
    command = ["find", "livestream", "--refs-only", "--offence", "22B"]
    run = run_command(*command, environment=environment, expected_code=0)
    assert run.out.split() == ["41/0000001/17", "41/0000014/17", "41/0000015/18"]
    assert not run.err


def test_count_prints_a_table_and_csv(
    environment: dict[str, str], load: Callable[..., Any]
) -> None:
    loaded = load(reference_records())
    command = [
        "count",
        "live stream",
        "Instagram",
        "--from",
        "2017-04-01",
        "--to",
        "2018-03-31",
    ]
    run = run_command(*command, environment=environment, expected_code=0)
    built = f"{loaded.generation.built_at:%H:%M}"
    day = loaded.generation.built_at
    assert run.out == (
        "live stream               5\n"
        "Instagram                 1\n"
        "each record once          5\n"
        "  live stream: live stream 3, livestream 2\n"
        "  Instagram: instagram 1\n"
        "One cancelled record is left out of every figure.\n"
        f"From {loaded.generation.name}, built {day.day} {day:%B %Y} at {built} UTC.\n"
    )
    command += ["--by", "offence", "--format", "csv"]
    run = run_command(*command, environment=environment, expected_code=0)
    assert run.err.splitlines() == [
        "One cancelled record is left out of every figure.",
        "Records without any text among these: 1, in which no term is counted.",
    ]
    by_status = run_command(*command[:-3], "status", environment=environment, expected_code=0)
    assert "One cancelled record is left out of every figure that is not by status." in (
        by_status.out
    )
    assert "All offences  " in by_status.out
    lines = run.out.splitlines()
    assert lines[0] == "Offence,Codes,Offences"
    codes = [line.split(",")[-2] for line in lines[1:]]
    assert codes == ["22A", "22B", "46", "86/2", "88/3", ""]
    assert lines[-1] == "All offences asked about,,5"
