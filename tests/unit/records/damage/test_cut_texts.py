"""Texts that an export cut off at a length are found, and long texts of people are not."""

from __future__ import annotations

import random

import pytest

from indexer.records.damage.cut_texts import EXCEL_CELL, CutTally, CutTexts, find_ends
from indexer.records.damage.kinds import describe_cut_texts

WORDS = [
    "the",
    "caller",
    "was",
    "given",
    "a",
    "log",
    "number",
    "and",
    "said",
    "that",
    "officers",
    "would",
    "attend",
    "on",
    "the",
    "day",
]


def write_texts(number: int, most: int, seed: int = 1) -> list[str]:
    """Texts of people, of many lengths up to about ``most`` characters; most have a full stop."""
    maker = random.Random(seed)
    texts = []
    for _ in range(number):
        length = int(maker.triangular(50, most, most / 4))
        text = ""
        while len(text) < length:
            text += f"{maker.choice(WORDS)} "
        texts.append(text.strip() + maker.choice([".", ".", ".", ""]))
    return texts


def find_limits(texts: list[str]) -> dict[int, int]:
    tally, other = CutTally(), CutTally()
    for number, text in enumerate(texts):
        (tally if number % 2 else other).add(find_ends([text]))
    tally.merge(other)
    return {group.length: group.texts for group in tally.find_limits()}


@pytest.mark.parametrize("limit", [255, 4000, 3500])
def test_texts_that_are_cut_off_are_found(limit: int) -> None:
    """At a length that columns have, or at another one if none is longer."""
    texts = write_texts(3000, limit * 2)
    cut = [text[:limit] for text in texts]
    ends = [text for text in texts if len(text) > limit and text[limit - 1].isalnum()]
    assert find_limits(cut).keys() == {limit}
    assert find_limits(cut)[limit] >= len(ends) > 100


def test_of_two_columns_that_of_a_common_length_is_found() -> None:
    texts = [text[:4000] for text in write_texts(3000, 8000)]
    assert find_limits([*texts, *write_texts(100, 20_000, 2)]).keys() == {4000}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("number", "most"), [(100, 1000), (5000, 1000), (20_000, 600)])
def test_texts_of_people_are_not_cut_off(number: int, most: int, seed: int) -> None:
    assert find_limits(write_texts(number, most, seed)) == {}


def test_one_cell_of_excel_that_is_full_is_enough() -> None:
    assert find_limits(["x" * EXCEL_CELL]) == {EXCEL_CELL: 1}
    assert find_limits(["x" * EXCEL_CELL + ", and more", "x" * (EXCEL_CELL - 1)]) == {}


@pytest.mark.parametrize("ending", [".", " ", '."', ")"])
def test_a_form_that_is_filled_in_is_not_cut_off(ending: str) -> None:
    """Its texts are of one length, and end as sentences do, or others are longer."""
    form = "The report was made online, and the number that was given to the caller is {:07}"
    texts = [(form * 4).format(*[number] * 4) for number in range(100)]
    assert find_limits([text + ending for text in texts]) == {}
    assert find_limits([*texts, *write_texts(10, 3000)]) == {}


def test_a_standard_text_of_many_records_is_not_cut_off() -> None:
    standard = "No further line of enquiry was found and the record was filed after a review of it "
    assert find_limits([(standard * 4).strip()] * 500) == {}


def test_what_is_said_of_them() -> None:
    assert describe_cut_texts(()) == ""
    assert describe_cut_texts((CutTexts(4000, 12), CutTexts(EXCEL_CELL, 1))) == (
        "12 texts end at exactly 4,000 characters and 1 text ends at exactly 32,767 characters, in "
        "the middle of a sentence, so the export may have cut off what follows. A term there is "
        "not found."
    )
