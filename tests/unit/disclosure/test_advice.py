"""What the officer is told about a release: how much of each table it withholds."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from queries.answer.cells import CellValue
from queries.answer.types import Answer, format_json
from queries.disclosure.attack.attacker import Attacker
from queries.disclosure.ledger import prepare_release
from queries.disclosure.messages.advice import (
    summarise_withheld,
    warn_of_stated_numbers,
    warn_of_whole_groups,
)
from queries.disclosure.policy import Policy
from queries.disclosure.populations import build_answer_system, list_printed_cells
from queries.disclosure.release import protect_answer
from tests.support.tables import FIVE, a_record, answer, answer_by_code, linked, offences


def test_a_table_is_summed_up_with_its_small_numbers() -> None:
    """Of four numbers 3 is small, and 46 is the one that hides it."""
    own = answer_by_code(46, 60, 3)
    (line,) = summarise_withheld(own, protect_answer(own, FIVE).answer, FIVE)
    assert line == "Q1: 2 of 4 numbers withheld, 1 of them small"


def test_each_table_has_its_own_line_and_one_that_gives_all_has_none() -> None:
    records = [a_record("21")] * 30 + [a_record("46")] * 40
    by_code = offences(records, ["21", "46"], "Q1")
    own = answer(records, by_code, linked(3, 70, "Q2"), codes=["21", "46"])
    lines = summarise_withheld(own, protect_answer(own, FIVE).answer, FIVE)
    assert lines == ("Q2: 2 of 3 numbers withheld, 1 of them small",)
    none = answer_by_code(46, 60, 30)
    assert summarise_withheld(none, protect_answer(none, FIVE).answer, FIVE) == ()


def test_nothing_is_withheld_where_numbers_are_rounded() -> None:
    policy = Policy(rounding=5)
    own = answer_by_code(46, 60, 3)
    assert summarise_withheld(own, protect_answer(own, policy).answer, policy) == ()


def test_a_release_brings_the_summary_with_a_ledger_and_without(tmp_path: Path) -> None:
    """And the answer that is published does not contain it."""
    for ledger in (None, tmp_path / "releases.jsonl"):
        with prepare_release(answer_by_code(46, 60, 3), FIVE, ledger) as release:
            (line,) = release.summary
            assert "1 of them small" in line
            assert "of them small" not in format_json(release.answer)


def test_a_group_that_lies_wholly_in_one_row_is_given_without_a_warning_if_configured() -> None:
    policy = Policy(threshold=5, whole_groups="give")
    with prepare_release(answer_by_code(0, 60, 0), policy, None) as release:
        assert release.summary == ()
        assert numbers_of(release.answer) == [0, 60, 0, 60]


def test_the_rows_of_a_whole_group_are_withheld_if_configured() -> None:
    """Its total is given, and no reader can tell which rows are 0. With a second row nothing is."""
    policy = Policy(threshold=5, whole_groups="withhold")
    with prepare_release(answer_by_code(0, 60, 0), policy, None) as release:
        assert numbers_of(release.answer) == [None, None, None, 60]
        (line,) = release.summary
        assert line == "Q1: 3 of 4 numbers withheld, 0 of them small"
    with prepare_release(answer_by_code(7, 60, 0), policy, None) as release:
        assert numbers_of(release.answer) == [7, 60, 0, 67]
    rounded = Policy(rounding=5, whole_groups="withhold")
    with prepare_release(answer_by_code(0, 60, 0), rounded, None) as release:
        assert numbers_of(release.answer) == [0, 60, 0, 60]


def test_the_rows_of_a_whole_group_have_the_ranges_that_are_promised() -> None:
    policy = Policy(threshold=5, whole_groups="withhold")
    release = protect_answer(answer_by_code(0, 60, 0), policy)
    cells = list_printed_cells(release.answer)
    system = build_answer_system(release.answer)
    attacker = Attacker(system, release.known_bounds)
    for cell in cells:
        if cell.number is None:
            low, high = attacker.interval(((cell.population, 1),))
            assert low == 0
            assert high is None or high >= 59


def numbers_of(found: Answer) -> list[CellValue]:
    table = found.questions[0].table
    return [row.counts[0] for row in (*table.rows, table.total)]


def test_a_group_that_lies_wholly_in_one_row_is_warned_of(tmp_path: Path) -> None:
    """60 of 60: the zeros of the other rows say it of each. With a second row they do not."""
    (line,) = warn_of_whole_groups(protect_answer(answer_by_code(0, 60, 0), FIVE).answer)
    assert line.startswith('Q1: all 60 are in the row "Title of 22B", and every other row is 0')
    assert warn_of_whole_groups(protect_answer(answer_by_code(7, 60, 0), FIVE).answer) == ()
    small = protect_answer(answer_by_code(0, 3, 0), FIVE).answer
    assert warn_of_whole_groups(small) == ()
    with prepare_release(answer_by_code(0, 60, 0), FIVE, tmp_path / "releases.jsonl") as release:
        assert release.summary == (line,)


@pytest.mark.parametrize(
    ("note", "stated"),
    [
        ("Of these, 3 were closed.", "3"),
        ("All three were closed.", "three"),
        ("On 3 April we moved; see 3/19, Q3, 13 and 2.3.", ""),
        ("All 106 were read.", ""),  # the total is printed
    ],
)
def test_an_officer_is_warned_of_a_note_that_states_a_withheld_number(
    note: str, stated: str
) -> None:
    own = answer_by_code(46, 60, 3)
    (question,) = own.questions
    own = msgspec.structs.replace(own, questions=(msgspec.structs.replace(question, note=note),))
    warnings = warn_of_stated_numbers(own, protect_answer(own, FIVE).answer)
    expected = f"the note of Q1 says {stated}, which is a withheld number"
    assert [line.partition(".")[0] for line in warnings] == ([expected] if stated else [])


def test_a_reason_that_states_a_withheld_number_is_warned_of_when_it_is_published() -> None:
    own = answer_by_code(46, 60, 3)
    section = {"section": "40(2)", "reason": "There are only 3 of them."}
    own = msgspec.structs.replace(own, request={"letter": {"sections": [section]}})
    with prepare_release(own, FIVE, None) as release:
        assert any("reason of section 40(2) says 3" in line for line in release.summary)
