"""Other names of a term in brackets, and what is no reference of a force."""

from __future__ import annotations

import pytest

from queries.drafting.drafting import draft_request
from queries.drafting.phrases.term_lists import read_term_item
from tests.support.letter_texts import make_letter


@pytest.mark.parametrize(
    ("item", "aliases"),
    [
        ("German Shepherd (also recorded as Alsatian or GSD)", ("Alsatian", "GSD")),
        ("German Shepherd (also known as Alsatian)", ("Alsatian",)),
        ("German Shepherd (sometimes written \"Alsatian\", 'GSD' or Shepherd dog)", ("Alsatian", "GSD", "Shepherd dog")),
        ("German Shepherd (aka GSD)", ("GSD",)),
        ("German Shepherd", ()),
    ],
)  # fmt: skip
def test_other_names_in_brackets_are_one_each(item: str, aliases: tuple[str, ...]) -> None:
    term = read_term_item(item)
    assert term is not None
    assert (term.term, term.aliases) == ("German Shepherd", aliases)


@pytest.mark.parametrize(
    ("subject", "reference"),
    [
        ("Request under FOIA 2000", None),
        ("FOI 2000 request", None),
        ("Request under FOIA 2000, your ref FOI/2025/0881", "FOI/2025/0881"),
        ("FOI 1177/25", "FOI 1177/25"),
    ],
)
def test_an_act_and_its_year_are_no_reference(subject: str, reference: str | None) -> None:
    letter = make_letter("In 2022:\n1. How many by month?", subject=subject)
    assert draft_request(letter).head.reference == reference
