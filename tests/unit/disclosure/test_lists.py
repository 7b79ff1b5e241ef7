"""Lists of records as they are published: no line of few records, and nothing that shows one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from indexer.config.model import ListSettings
from queries.answer.types import NOT_LISTED, Answer, TextApprovals
from queries.disclosure.attack.attacker import attack_system
from queries.disclosure.ledger import prepare_release
from queries.disclosure.list_release import shorten_lists
from queries.disclosure.policy import Policy
from queries.disclosure.populations import build_answer_system, list_occurring, list_printed_cells
from queries.disclosure.release import collect_known_bounds, protect_answer
from queries.request.reader import parse_request
from tests.support.fake_search import answer

LIST = "{id: Q1, kind: list, fields: [month, outcome]}"

#: How many records there are of each month and outcome.
NUMBERS = {("04", 1): 7, ("04", 2): 3, ("05", 1): 6, ("05", 2): 1, ("06", 1): 20, ("06", 2): 9}


def make_records(numbers: dict[tuple[str, int], int] = NUMBERS) -> list[dict[str, Any]]:
    return [
        {
            "crime_ref": f"R{month}-{outcome}-{number}",
            "recorded_on": f"2017-{month}-01",
            "offence_code": "22B",
            "narrative": "",
            "outcome": outcome,
            "victims": [],
            "suspects": [],
        }
        for (month, outcome), count in numbers.items()
        for number in range(count)
    ]


def count_list(questions: str = LIST, numbers: dict[tuple[str, int], int] = NUMBERS) -> Answer:
    text = f"reference: R\ntitle: T\nperiod: 2017/18\nquestions: [{questions}]"
    return answer(parse_request(text), make_records(numbers))


def publish(own: Answer, policy: Policy) -> Answer:
    with prepare_release(own, policy, None) as release:
        return release.answer


def list_counts(published: Answer) -> dict[str, Any]:
    return {row.key: row.counts[0] for row in published.questions[0].table.rows}


def test_a_combination_of_few_records_is_not_listed_and_the_rest_is_one_number() -> None:
    published = publish(count_list(), Policy(threshold=5))
    counts = list_counts(published)
    assert {"2017-04-01 | 2", "2017-05-01 | 2"}.isdisjoint(counts)
    assert min(counts.values()) >= 5
    total = published.questions[0].table.total.counts[0]
    rest = published.questions[0].facts[NOT_LISTED]
    assert (total, rest) == (46, 46 - sum(counts.values()))
    assert isinstance(rest, int)
    assert rest >= 5 + 4  # with what is small, at least one more line is left out


def test_what_is_left_out_of_a_list_stays_within_its_bounds() -> None:
    """A reader who knew every line, and not its number, could work none out."""
    own = count_list()
    policy = Policy(threshold=5)
    protected = protect_answer(own, policy).answer
    cells = list_printed_cells(protected)
    known = collect_known_bounds(cells, policy, occurring=list_occurring(protected))
    hidden = {cell.population for cell in cells if cell.number is None}
    assert hidden
    for bounds in attack_system(build_answer_system(protected), known, hidden).values():
        assert bounds.high is None or bounds.high - bounds.low >= 5


def test_a_line_that_another_table_would_give_away_is_not_listed() -> None:
    """June has 29 records, as the second table says, so 20 of one outcome would show the 9."""
    numbers = {**NUMBERS, ("06", 2): 4}
    questions = f"{LIST}, {{id: Q2, kind: by, by: month}}"
    published = publish(count_list(questions, numbers), Policy(threshold=5))
    months = {row.key: row.counts[0] for row in published.questions[1].table.rows}
    for month in ("2017-04-01", "2017-05-01", "2017-06-01"):
        if months[month] is not None:
            assert f"{month} | 1" not in list_counts(published)


def test_a_list_is_whole_where_the_rule_was_set_aside_or_nothing_is_small() -> None:
    own = count_list()
    for policy, numbers in (
        (Policy(), NUMBERS),
        (Policy(threshold=5), {("04", 1): 5, ("04", 2): 6}),
    ):
        published = publish(count_list(numbers=numbers), policy)
        assert list(list_counts(published).values()) == list(numbers.values())
        assert NOT_LISTED not in published.questions[0].facts
    assert shorten_lists(own, own, Policy()) is own


def test_rounded_lines_of_few_records_are_not_listed_either() -> None:
    published = publish(count_list(), Policy(rounding=5))
    counts = list_counts(published)
    assert all(count >= 5 and count % 5 == 0 for count in counts.values())
    # Of one record, which rounds to 0, and of three, which round to 5.
    assert {"2017-05-01 | 2", "2017-04-01 | 2"}.isdisjoint(counts)
    assert published.questions[0].facts[NOT_LISTED] == "[c]"


@pytest.mark.parametrize("threshold", [3, 5])
def test_references_are_given_only_of_lines_that_are_listed(threshold: int) -> None:
    own = count_list()
    rows = tuple(
        msgspec.structs.replace(row, references=(f"REF{number}",))
        for number, row in enumerate(own.questions[0].table.rows)
    )
    question = own.questions[0]
    table = msgspec.structs.replace(question.table, rows=rows)
    own = msgspec.structs.replace(own, questions=(msgspec.structs.replace(question, table=table),))
    published = publish(own, Policy(threshold=threshold))
    written = msgspec.json.encode(published).decode()
    kept = {row.references[0] for row in published.questions[0].table.rows}
    assert {f"REF{n}" for n in range(6) if f"REF{n}" in written} == kept
    assert len(kept) < 6


def test_references_are_left_out_where_numbers_are_rounded() -> None:
    question = "{id: Q1, kind: list, fields: [outcome], references: true}"
    text = f"reference: R\ntitle: T\nperiod: 2017/18\nquestions: [{question}]"
    request = parse_request(text, lists=ListSettings(references=True))
    own = answer(request, make_records({("04", 1): 7, ("04", 2): 12}))
    assert [len(row.references) for row in own.questions[0].table.rows] == [7, 12]
    with prepare_release(own, Policy(rounding=5), None) as release:
        rows = release.answer.questions[0].table.rows
        assert rows
        assert not any(row.references for row in rows)
        assert any("references are left out" in line for line in release.summary)
    given = publish(own, Policy(threshold=5)).questions[0].table.rows
    assert [len(row.references) for row in given] == [7, 12]


def test_texts_go_out_only_with_their_line_and_their_number_says_nothing_of_others() -> None:
    own = count_list()
    (question,) = own.questions
    rows = tuple(
        msgspec.structs.replace(row, texts=("a text",) * int(row.counts[0] or 0))
        for row in question.table.rows
    )
    approvals = TextApprovals(46, 0, 5, "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z")
    table = msgspec.structs.replace(question.table, rows=rows)
    changed = msgspec.structs.replace(question, table=table, approvals=approvals)
    with prepare_release(
        msgspec.structs.replace(own, questions=(changed,)), Policy(threshold=5), None
    ) as release:
        (published,) = release.answer.questions
        number = sum(len(row.texts) for row in published.table.rows)
        assert number == sum(list_counts(release.answer).values()) < 46
        assert published.approvals is not None
        assert (published.approvals.approved, published.approvals.refused) == (number, 0)
        assert any(f"{number} texts are given" in line for line in release.summary)


def test_an_officer_reads_how_many_lines_a_list_would_have() -> None:
    """By hand: lines of 7, 20 and 9 of all 46 records. Those of 3 and 1 are small, and 46 less all
    others would give their sum, 4, so that the line of 6 is left out with them."""
    with prepare_release(count_list(), Policy(threshold=5), None) as release:
        assert "Q1: 3 of 6 lines are listed, of 36 of 46 offences" in release.summary
    few = dict.fromkeys(NUMBERS, 2)
    with prepare_release(count_list(numbers=few), Policy(threshold=5), None) as release:
        assert (
            "Q1: 0 of 6 lines are listed, of 0 of 12 offences. To give more, list fewer fields, or "
            "count by each in a question of its own"
        ) in release.summary
    with prepare_release(count_list(), Policy(), None) as release:
        assert not any("lines" in line for line in release.summary)
