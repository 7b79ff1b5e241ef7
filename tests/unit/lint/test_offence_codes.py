"""What lint says of offence codes: changes that a period crosses, and readings that differ."""

from __future__ import annotations

import pytest

from indexer.records.offences import load_offence_table
from indexer.records.offences.facts import load_code_changes
from queries.lint.class_readings import find_class_readings
from queries.lint.findings import format_offence_changes, make_lint_report
from queries.lint.offence_changes import ChangeNote, find_crossed_changes
from queries.request.reader import parse_request


def find_notes(codes: str, period: str = "{from: 2016-04-01, to: 2020-03-31}") -> list[ChangeNote]:
    """The notes on rows of offences, such as ``[19C-19H], [8L]``."""
    rows = "".join(f"  - codes: {row.strip()}\n" for row in codes.split(";"))
    text = f"reference: R1\ntitle: T\nperiod: {period}\noffences:\n{rows}"
    return list(
        find_crossed_changes(parse_request(f"{text}questions: [{{id: Q1, kind: offences}}]"))
    )


def test_every_change_names_known_codes_and_they_are_in_order() -> None:
    changes = load_code_changes()
    table = load_offence_table()
    assert len(changes) == 49
    assert [change.day for change in changes] == sorted(change.day for change in changes)
    for change in changes:
        assert all(table.has_code(code) for code in (*change.codes, *change.joined)), change
        assert change.effect[:1].islower() or change.effect[:1].isdigit(), change
        assert not change.effect.endswith("."), change


def test_a_period_across_a_split_says_which_codes_to_add() -> None:
    (note,) = find_notes("[19C-19H]")
    assert note.add == ("19J", "19K")
    assert str(note.day) == "2019-04-01"
    assert note.words.endswith("count 19J, 19K with 19C, 19D, 19E, 19F, 19G, 19H in one row.")


@pytest.mark.parametrize("codes", ["[19C-19K]", "[19]", "['19/1 ', 19]", "[22B]"])
def test_codes_that_are_whole_or_not_concerned_have_no_note(codes: str) -> None:
    assert find_notes(codes.replace("'19/1 ', ", "")) == []


def test_codes_in_several_rows_are_comparable_only_together() -> None:
    (note,) = find_notes("[19C-19H]; [19J, 19K]")
    assert note.add == ()
    assert note.comparable
    assert "alone they are not alike" in note.words


def test_a_break_says_that_nothing_makes_the_series_whole() -> None:
    notes = [note for note in find_notes("[28A-28D]") if not note.comparable]
    assert [str(note.day) for note in notes] == ["2017-04-01"]
    assert "before and after are not comparable" in notes[0].words


@pytest.mark.parametrize(
    ("period", "crossed"),
    [
        ("{from: 2018-04-01, to: 2019-03-31}", False),
        ("{from: 2018-04-01, to: 2019-04-01}", True),
        ("{from: 2019-03-31, to: 2020-03-31}", True),
        ("{from: 2019-04-01, to: 2020-03-31}", False),
    ],
)
def test_a_change_is_crossed_only_if_days_before_and_after_are_asked(
    period: str, *, crossed: bool
) -> None:
    assert bool(find_notes("[19C]", period)) is crossed


def test_a_day_that_is_inferred_says_so() -> None:
    notes = find_notes("[5A]", "{from: 2011-04-01, to: 2013-03-31}")
    assert [note.certainty for note in notes] == ["inferred"]
    assert notes[0].words.startswith("1 April 2012 (inferred): ")


def test_a_question_with_codes_or_a_period_of_its_own_is_named() -> None:
    request = parse_request(
        "reference: R1\ntitle: T\nperiod: 2019\nquestions:\n"
        "  - {id: Q1, kind: offences}\n"
        "  - {id: Q2, kind: offences, within: {offences: [{codes: [19C]}]}}\n"
    )
    (note,) = find_crossed_changes(request)
    assert note.place == "Q2"
    assert "\n  Q2: 1 April 2019: " in format_offence_changes(request)
    assert make_lint_report(request, "r.yaml", None).offence_changes == (note,)


def test_a_category_and_the_class_of_its_number_are_told_apart() -> None:
    (reading,) = find_class_readings(["71"])
    assert (reading.subcodes, reading.counted) == (("71/17",), True)
    (outside,) = find_class_readings(["88A"])
    assert (outside.subcodes, outside.counted) == (("71/17",), False)
    both = {reading.counted: reading.subcodes for reading in find_class_readings(["96"])}
    assert {code.partition("/")[0] for code in both[False]} == {"98", "99"}
    assert {code.partition("/")[0] for code in both[True]} == {"96"}


def test_a_subcode_that_the_request_counts_anyway_is_no_reading() -> None:
    assert find_class_readings(["88A", "71/17"]) == ()
    assert find_class_readings(["21", "22B", "86"]) == ()
    (several,) = find_class_readings(["28I"])
    assert several.subcodes == ("28/3",)
    assert "the code alone does not say" in several.words
