"""Ranges of offence codes: what they stand for, and which have no meaning."""

from __future__ import annotations

import pytest

from indexer.errors import RequestError
from indexer.records.offences import load_offence_table
from indexer.records.offences.ranges import list_codes, require_codes

TABLE = load_offence_table()

RAPE = ("19C", "19D", "19E", "19F", "19G", "19H", "19J", "19K")


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        ("19C-19K", RAPE),
        (" 019c - 019k ", RAPE),
        ("19C to 19K", RAPE),
        ("19C\u201319K", RAPE),
        ("28I-28L", ("28I", "28J", "28K", "28L")),
        ("88/1-88/3", ("88/1", "88/2", "88/3")),
        ("88/1-3", ("88/1", "88/2", "88/3")),
        ("088/01 to 088/03", ("88/1", "88/2", "88/3")),
        ("4.1 to 4.3", ("4.1", "4.2", "4.3")),
        ("19 to 21", ("19", "20", "21")),
        ("22B-22B", ("22B",)),
        ("22-6", ("22/6",)),
        ("22B", ("22B",)),
        ("1/4.1/4.10/4.2", ("1/4.1/4.10/4.2",)),
        ("uk finance", ("UK Finance",)),
    ],
)
def test_a_range_is_the_known_codes_between_its_ends(written: str, codes: tuple[str, ...]) -> None:
    assert require_codes(TABLE, written) == codes


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("19C-19Z", 'starts or ends with "19Z", which is not a known'),
        ("19X-19K", 'starts or ends with "19X"'),
        ("19K-19C", "runs backwards. Swap its ends."),
        ("19C-20B", "has ends of different kinds: 19C and 20B"),
        ("19C-19/7", "has ends of different kinds"),
        ("88/1-71/3", "has ends of different kinds"),
        ("19-25", 'offence code "19-25" is not known'),
        ("1 to 384", 'starts or ends with "384"'),
        ("19C-", "is not known"),
        ("-19K", "is not known"),
        ("burglary to theft", "is not known"),
    ],
)
def test_a_range_without_meaning_is_refused_with_the_reason(written: str, fault: str) -> None:
    with pytest.raises(RequestError) as caught:
        require_codes(TABLE, written)
    assert fault in str(caught.value)
    assert list_codes(TABLE, written) == (TABLE.canonical(written),)


def test_a_range_of_very_many_codes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.records.offences.ranges.MAX_RANGE_CODES", 7)
    with pytest.raises(RequestError, match="stands for 8 codes, and 7 is the most"):
        require_codes(TABLE, "19C-19K")
