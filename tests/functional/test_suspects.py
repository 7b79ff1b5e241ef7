"""Suspects on a real server: counted as victims are, found, explained, and refused where a
generation of an earlier version holds none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.index.generations import Generation, build_index_meta
from indexer.index.mapping import SUSPECT_FIELDS, load_index_schema
from tests.support.command_line import CommandLine

PEOPLE: dict[str, tuple[list[Any], list[Any]]] = {
    # The ages of victims, and the suspects: a reference, an age and a sex.
    "A": ([9], [("P1", 17, "M")]),
    "B": ([30], [("P1", 18, "M"), ("P2", 15, "F")]),
    "C": ([], [("P3", None, "F")]),
    "D": ([12], []),
}

RECORDS = [
    {
        "crime_ref": ref,
        "recorded_on": "2019-06-01",
        "offence_code": "22B",
        "narrative": "A report.",
        "victims": [{"age": age} for age in victims],
        "suspects": [
            {"suspect_ref": one, "sex": sex} | ({"age": age} if age else {})
            for one, age, sex in suspects
        ],
    }
    for ref, (victims, suspects) in PEOPLE.items()
]

REQUEST = """\
reference: FOI/1
title: Suspects
period: {from: 2019-05-01, to: 2019-12-31}
questions:
  - {id: Q1, kind: suspects, youngest: true, youngest_sex: true, bands: [{to: 15}, {from: 16, to: 17}]}
"""

VICTIMS = REQUEST.replace("suspects", "victims")


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    path = tmp_path / "request.yaml"
    path.write_text(REQUEST)
    return path


def test_suspects_are_counted_and_their_records_found(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path
) -> None:
    load(RECORDS)
    outcome = foidex("answer", request_file, "--format", "json")
    question = json.loads(outcome.out)["questions"][0]
    table = question["table"]
    assert {row["label"]: row["counts"] for row in [*table["rows"], table["total"]]} == {
        "Aged 15 and under": [1, 1],
        "Aged 16 to 17": [1, 1],
        "Any other known age": [1, 1],
        "Age not known": [1, 1],
        "All suspects asked about": [4, 3],
    }
    assert question["facts"] == {
        "offences": 4,
        "offences_without_suspect": 1,
        "youngest": 15,
        "youngest_sex": "female",
    }
    for row, references in (("Aged 15 and under", "B\n"), ("total", "A\nB\nC\n")):
        place = ("--row", f"Q1:{row}")
        found = foidex("find", "--request", request_file, *place, "--refs-only")
        assert found.out == references, found.err
    explained = foidex("why", request_file, "D", "--row", "Q1:Aged 15 and under").out
    assert 'it is in the row "Aged 15 and under"' in explained
    documents = foidex("answer", request_file, "--format", "text").out
    assert "The youngest suspect recorded was aged 15." in documents
    assert "Sex recorded at that age: female." in documents
    assert "One record has no suspect and is in no row." in documents


def load_without_suspects(load: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Generation:
    """A generation of which the mapping has no fields for suspects."""
    schema = load_index_schema()
    fields = {
        name: mapping
        for name, mapping in schema.mappings["properties"].items()
        if name not in SUSPECT_FIELDS
    }
    without = msgspec.structs.replace(schema, mappings={**schema.mappings, "properties": fields})
    with monkeypatch.context() as patch:
        patch.setattr("indexer.jobs.refresh.load_index_schema", lambda: without)
        loaded: Generation = load([{**one, "suspects": []} for one in RECORDS]).generation
    return loaded


def test_a_generation_of_the_version_before_has_no_suspects(
    foidex: CommandLine,
    load: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    request_file: Path,
) -> None:
    """A question about them is refused in plain words; every other one is answered as before."""
    generation = load_without_suspects(load, monkeypatch)
    assert not generation.suspects
    outcome = foidex("answer", request_file, "--format", "json")
    assert outcome.code != 0
    assert (
        f"{generation.name} was built before suspects were indexed, so it cannot count them. "
        "Refresh first: foidex refresh --full" in outcome.err
    )
    request_file.write_text(VICTIMS)
    answer = json.loads(foidex("answer", request_file, "--format", "json").out)
    assert answer["questions"][0]["table"]["total"]["counts"] == [3]
    newer = load(RECORDS).generation
    assert newer.suspects
    request_file.write_text(REQUEST)
    assert foidex("answer", request_file, "--format", "json").code == 0


def test_a_user_from_whom_suspects_are_hidden_gets_no_number(
    foidex: CommandLine,
    client: Elasticsearch,
    load: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    request_file: Path,
) -> None:
    """The generation says that it holds them, so a mapping without them is a role's."""
    generation = load_without_suspects(load, monkeypatch)
    written = msgspec.structs.replace(generation, suspects=True)
    client.indices.put_mapping(index=generation.name, meta=build_index_meta(written))
    request_file.write_text(VICTIMS)
    outcome = foidex("answer", request_file, "--format", "json")
    assert 'shows this user no field "suspects"' in outcome.err


def test_records_are_chosen_by_one_suspect_who_meets_all(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path
) -> None:
    """B has a man and a girl, so no boy; only A has a male suspect aged 17 or under."""
    load(RECORDS)
    where = "where: {suspect: {age: {to: 17}, sex: [M]}}"
    request_file.write_text(
        REQUEST.replace("questions:", f"{where}\nquestions:").replace(
            "{id: Q1, kind: suspects, youngest: true, youngest_sex: true, bands: [{to: 15}, "
            "{from: 16, to: 17}]}",
            "{id: Q1, kind: offences}",
        )
    )
    found = foidex("find", "--request", request_file, "--refs-only")
    assert found.out == "A\n", found.err
    letter = " ".join(foidex("answer", request_file, "--format", "letter").out.split())
    assert "where at least one suspect was male and aged 17 or under" in letter
    explained = foidex("why", request_file, "B").out
    assert "the record has male, aged 18; female, aged 15" in explained


BY_SEX = """\
reference: FOI/2
title: Suspects by sex
period: {from: 2019-05-01, to: 2019-12-31}
questions:
  - {id: Q1, kind: by, by: sex, count: suspects}
  - {id: Q2, kind: cross, rows: sex, columns: {bands: [{to: 15}, {from: 16}]}, count: suspects}
  - {id: Q3, kind: by, by: offence, count: suspects}
  - {id: Q4, kind: suspects, within: {where: {suspect: {sex: [M], age: {to: 17}}}}}
"""


def test_suspects_are_counted_by_their_sex_and_not_by_that_of_victims(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path
) -> None:
    """By hand: men 17 and 18, a girl of 15, a woman of no known age; B's victim is a man."""
    records = [{**one, "victims": [{"sex": "M", "age": 40}]} for one in RECORDS]
    load(records)
    request_file.write_text(BY_SEX)
    answer = json.loads(foidex("answer", request_file, "--format", "json").out)
    by_sex, crossed, by_offence, chosen = (question["table"] for question in answer["questions"])
    assert by_sex["heading"] == "Sex of suspect"
    assert [column["label"] for column in by_sex["columns"]] == ["Suspects"]
    assert {row["label"]: row["counts"] for row in [*by_sex["rows"], by_sex["total"]]} == {
        "Female": [2],
        "Male": [2],
        "Neither": [0],
        "Unknown sex": [0],
        "Sex not recorded": [0],
        "All suspects asked about": [4],
    }
    counts = {row["label"]: row["counts"] for row in [*crossed["rows"], crossed["total"]]}
    # Suspects; to 15, from 16, any other known age, age not known.
    assert counts["Female"] == [2, 1, 0, 0, 1]
    assert counts["Male"] == [2, 0, 2, 0, 0]
    assert counts["All suspects asked about"] == [4, 1, 2, 0, 1]
    assert by_offence["rows"][0]["counts"] == [4]
    assert chosen["total"]["counts"] == [1, 1]  # of A, the only record with such a suspect
    for row, references in (
        ("Q1:Male", "A\nB\n"),
        ("Q2:Female", "B\nC\n"),
        ("Q3:22B", "A\nB\nC\n"),
    ):
        found = foidex("find", "--request", request_file, "--row", row, "--refs-only")
        assert found.out == references, found.err
    counted = foidex("count", "--by", "sex", "--count", "suspects", "--format", "csv").out
    assert "Female,2" in counted.replace('"', "")


def test_a_table_of_all_suspects_of_chosen_records_says_so(
    foidex: CommandLine, load: Callable[..., Any], request_file: Path
) -> None:
    """Records are chosen by one suspect; every suspect of theirs is counted, as is said."""
    load(RECORDS)
    request_file.write_text(
        BY_SEX.replace("{suspect: {sex: [M], age: {to: 17}}}", "{suspect: {sex: [M]}}")
    )
    sentence = "All suspects of these offences are counted, not only those who were male."
    outcome = foidex("answer", request_file, "--format", "json")
    questions = json.loads(outcome.out)["questions"]
    assert questions[3]["table"]["total"]["counts"] == [3, 2]  # the girl of B among them
    assert [sentence in question.get("notes", ()) for question in questions] == [
        False,
        False,
        False,
        True,
    ]
    assert sentence in " ".join(foidex("answer", request_file, "--format", "letter").out.split())
    lint = " ".join(foidex("lint", request_file, "--offline").out.split())
    assert "Q4 counts all suspects of its offences, not only those who were male" in lint
    assert "kind: by, by: sex, count: suspects" in lint
    assert "Q1 counts all" not in lint
