"""An answer whose totals are public already: which releases and which question stand in the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from indexer.errors import DisclosureError
from queries.answer.types import Answer
from queries.disclosure.ledger import publish_release
from queries.request.reader import parse_request
from tests.support.fake_search import answer
from tests.support.tables import FIVE

CODES = ("21", "22B", "46")

#: Fewer than five records in each month and of each offence together, and five or more apart.
RECORDS = [
    {
        "crime_ref": f"R{month}{code}{number}",
        "recorded_on": f"2017-{month:02}-05",
        "offence_code": code,
        "narrative": "",
    }
    for month in (4, 5, 6)
    for position, code in enumerate(CODES)
    for number in range((month + position) % 3 + 1)
]


def ask(reference: str, *questions: str) -> Answer:
    listed = "\n".join(f"  - {{id: Q{n}, {one}}}" for n, one in enumerate(questions, 1))
    text = (
        f"reference: {reference}\ntitle: T\nperiod: {{from: 2017-04-01, to: 2017-06-30}}\n"
        f"questions:\n{listed}\n"
    )
    return answer(parse_request(text), RECORDS)


def test_a_table_of_public_totals_is_refused_with_the_releases_that_give_them(
    tmp_path: Path,
) -> None:
    """The months and the offences are public, so hardly a cell of both could be withheld."""
    ledger = tmp_path / "releases.jsonl"
    publish_release(ask("R/1", "kind: by, by: month", "kind: by, by: offence"), FIVE, ledger)
    crossed = "kind: cross, rows: month, columns: offence"
    with pytest.raises(DisclosureError) as raised:
        publish_release(ask("R/2", "kind: by, by: month", crossed), FIVE, ledger)
    message = str(raised.value)
    assert (
        "no choice of numbers to withhold protects Q2, because totals are already public" in message
    )
    assert re.search(r"  - R/1 of .* gives 9 of its numbers, such as Q1, April 2017", message)
    assert "leave out Q2;" in message
    assert "rows and columns apart, a question for each" in message
    assert len(ledger.read_text().splitlines()) == 1
