"""The records to practise on: every count of their people can be worked out."""

from __future__ import annotations

from collections import Counter

from indexer.records.sample import generate_practice_records, generate_records


def test_records_to_practise_on_have_suspects_of_every_kind() -> None:
    """Of 290 records ten have two suspects, ten one of unknown age, and eighty one of an age."""
    records = list(generate_practice_records(290, seed=3))
    suspects = [suspect for record in records for suspect in record.get("suspects", ())]
    assert Counter(len(record.get("suspects", ())) for record in records) == {0: 190, 1: 90, 2: 10}
    assert sum("age" not in suspect for suspect in suspects) == 10
    assert Counter(suspect["sex"] for suspect in suspects) == {"M": 70, "F": 40}
    assert {suspect.get("age", 0) // 18 for suspect in suspects} == {0, 1, 2}
    assert len({suspect["suspect_ref"] for suspect in suspects}) == len(suspects) == 110


def test_records_to_practise_on_are_those_of_the_sample() -> None:
    for practice, plain in zip(generate_practice_records(40), generate_records(40), strict=True):
        assert {name: held for name, held in practice.items() if name != "suspects"} == plain
