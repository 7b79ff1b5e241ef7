"""Releases one after another, with refreshes in between: what is counted is compared, not names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from indexer.errors import DisclosureError
from queries.answer.types import Answer
from queries.disclosure.ledger import publish_release
from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
from queries.request.reader import parse_request
from tests.support.fake_search import answer
from tests.support.kinds import CATEGORIES
from tests.support.tables import FIVE

YEARS = "period: {from: 2016-04-01, to: 2018-03-31}"

TWO = "2 are in the first number and not in the second"

TOTAL = "{id: Q1, kind: by, by: status}"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "releases.jsonl"


def made(numbers: dict[str, int], **fields: Any) -> list[dict[str, Any]]:
    """So many records of each day."""
    days = [day for day, number in numbers.items() for _ in range(number)]
    base = {"offence_code": "22B", "narrative": "", **fields}
    return [{"crime_ref": f"R{n}{day}", "recorded_on": day, **base} for n, day in enumerate(days)]


def asked(
    records: Sequence[dict[str, Any]], scope: str, *questions: str, generation: str = "crimes-1"
) -> Answer:
    listed = "\n".join(f"  - {one}" for one in questions)
    text = f"reference: FOI/{len(scope)}\ntitle: Made\n{scope}\nquestions:\n{listed}\n"
    found = answer(parse_request(text, categories=CATEGORIES), records)
    provenance = msgspec.structs.replace(found.provenance, generation=generation)
    return msgspec.structs.replace(found, provenance=provenance)


QUARTERS = (
    "{id: Q1, kind: by, by: quarter}",
    "{id: Q2, kind: by, by: financial_year}",
    "{id: Q3, kind: by, by: month, within: {period: {from: 2016-04-01, to: 2016-07-31}}}",
)

LATER = (
    "{id: Q1, kind: by, by: quarter, within: {period: 2017/18}}",
    "{id: Q2, kind: offences, within: {period: {from: 2016-06-01, to: 2017-03-31}}}",
)

FIVE_DAYS = {
    "2016-05-05": 3,
    "2016-06-05": 7,
    "2016-07-05": 9,
    "2017-05-05": 60,
    "2017-12-05": 40,
}


@pytest.mark.parametrize("refreshed", [False, True], ids=["the same data", "one record more"])
def test_a_refresh_does_not_switch_the_ledger_off(book: Path, *, refreshed: bool) -> None:
    """May 2016 has 3, and nothing of 2016 moved."""
    records = made(FIVE_DAYS)
    publish_release(asked(records, YEARS, *QUARTERS), FIVE, book)
    if refreshed:
        records += made({"2017-05-06": 1})
    later = asked(
        records,
        "period: {from: 2016-06-01, to: 2018-03-31}",
        *LATER,
        generation="crimes-2" if refreshed else "crimes-1",
    )
    with pytest.raises(DisclosureError, match=r"it is 3|3 are in the first"):
        publish_release(later, FIVE, book)


def test_a_year_that_moved_leaves_the_other_comparable(book: Path) -> None:
    """50 in 2016/17, then 48 to February 2017, while 2017/18 goes from 100 to 101."""
    records = made({"2016-05-05": 48, "2017-03-05": 2, "2017-05-05": 100})
    years = "{id: Q1, kind: by, by: financial_year}"
    publish_release(asked(records, YEARS, years), FIVE, book)
    records += made({"2017-05-06": 1})
    shorter = "periods: [{from: 2016-04-01, to: 2017-02-28}, 2017/18]"
    with pytest.raises(DisclosureError, match=TWO):
        publish_release(asked(records, shorter, years, generation="crimes-2"), FIVE, book)


def test_a_number_that_moved_itself_is_no_difference(book: Path) -> None:
    """50 in 2016/17, then 100: the second replaces the first, and no difference of them is exact."""
    records = made({"2016-05-05": 48, "2017-03-05": 2, "2017-05-05": 100})
    years = "{id: Q1, kind: by, by: financial_year}"
    publish_release(asked(records, YEARS, years), FIVE, book)
    records += made({"2016-05-06": 30, "2017-03-06": 20})
    publish_release(asked(records, "period: 2016/17", TOTAL, generation="crimes-2"), FIVE, book)


FEW_OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "offences": ({"offence_code": "88/1"}, "offences: [{codes: [22B]}]"),
    "sex": ({"victims": [{"sex": "M"}]}, "where: {sex: [F]}"),
    "outcome": ({"outcome": 2}, "where: {outcome: ['1']}"),
    "category": ({"categories": {"district": "South"}}, "where: {district: [North]}"),
    "mentions": ({"narrative": "beta"}, "mentions: [alpha]"),
}

MANY: dict[str, Any] = {
    "offence_code": "22B",
    "victims": [{"sex": "F"}],
    "outcome": 1,
    "categories": {"district": "North"},
    "narrative": "alpha",
}


@pytest.mark.parametrize("order", [1, -1], ids=["all first", "all last"])
@pytest.mark.parametrize("dimension", FEW_OTHERS)
def test_a_missing_condition_means_all_values(book: Path, dimension: str, order: int) -> None:
    """50 of any kind and 48 of one: 2 are of another, whichever is asked first."""
    fields, condition = FEW_OTHERS[dimension]
    records = made({"2016-05-05": 48}, **MANY) + made({"2016-05-05": 2}, **{**MANY, **fields})
    scopes = [YEARS, f"{YEARS}\n{condition}"][::order]
    publish_release(asked(records, scopes[0], TOTAL), FIVE, book)
    with pytest.raises(DisclosureError, match=TWO):
        publish_release(asked(records, scopes[1], TOTAL), FIVE, book)


def test_enough_others_are_published(book: Path) -> None:
    for fields, condition in FEW_OTHERS.values():
        records = made({"2016-05-05": 48}, **MANY) + made({"2016-05-05": 9}, **{**MANY, **fields})
        publish_release(asked(records, YEARS, TOTAL), FIVE, book)
        publish_release(asked(records, f"{YEARS}\n{condition}", TOTAL), FIVE, book)
        book.unlink()


def test_the_release_that_completes_a_disclosure_is_refused(book: Path) -> None:
    """All 50, then North 48: that is refused, and a table by district is not."""
    north = made({"2016-05-05": 48}, categories={"district": "North"})
    records = north + made({"2016-05-05": 2}, categories={"district": "South"})
    publish_release(asked(records, YEARS, TOTAL), FIVE, book)
    with pytest.raises(DisclosureError, match=TWO):
        publish_release(asked(records, f"{YEARS}\nwhere: {{district: [North]}}", TOTAL), FIVE, book)
    publish_release(asked(records, YEARS, "{id: Q1, kind: by, by: district}"), FIVE, book)


def mention(times: dict[str, int]) -> list[dict[str, Any]]:
    """So many records of each text."""
    return [
        record
        for text, number in times.items()
        for record in made({"2016-05-05": number}, narrative=text)
    ]


THREE_WORDS = {
    "": 20, "alpha": 1, "gamma": 7, "alpha beta": 1,
    "alpha gamma": 5, "beta gamma": 6, "alpha beta gamma": 58,
}  # fmt: skip

ALL_WORDS = "{id: Q1, kind: keywords, keywords: [alpha, beta, gamma]}"

GAMMA_OF_BETA = "{id: Q1, kind: keywords, keywords: [alpha, gamma], within: {mentions: [beta]}}"


def test_a_number_that_earlier_releases_bound_closely_is_withheld_and_not_refused(
    book: Path,
) -> None:
    """By the first, from 63 to 65 of beta are of gamma: to refuse the second would not undo it."""
    records = mention(THREE_WORDS)
    publish_release(asked(records, YEARS, ALL_WORDS), Policy(threshold=3), book)
    second = publish_release(asked(records, YEARS, GAMMA_OF_BETA), Policy(threshold=3), book)
    assert second.answer.questions[0].table.rows[1].counts[0] is None


def test_the_release_that_bounds_a_withheld_number_closely_is_refused(book: Path) -> None:
    records = mention(THREE_WORDS)
    publish_release(asked(records, YEARS, GAMMA_OF_BETA), Policy(threshold=3), book)
    with pytest.raises(DisclosureError, match="from 63 to 65"):
        publish_release(asked(records, YEARS, ALL_WORDS), Policy(threshold=3), book)


@pytest.mark.parametrize("is_first", [True, False], ids=["phrase first", "words first"])
def test_a_phrase_and_its_words_near_each_other_leave_no_small_rest(
    book: Path, *, is_first: bool
) -> None:
    """20 of the 23 are written as the phrase."""
    records = mention({"": 40, "alpha beta": 20, "beta alpha": 3})
    questions = [
        "{id: Q1, kind: keywords, keywords: [alpha beta]}",
        "{id: Q1, kind: keywords, keywords: [{term: beta, with: [{term: alpha, within: 0}]}]}",
    ]
    first, second = questions if is_first else questions[::-1]
    publish_release(asked(records, YEARS, first), FIVE, book)
    with pytest.raises(DisclosureError, match="3 are in the first number"):
        publish_release(asked(records, YEARS, second), FIVE, book)


def test_a_narrower_question_in_one_release_leaves_no_small_rest() -> None:
    """50 in scope and 48 of them of one outcome: one of the two numbers is withheld."""
    records = made({"2016-05-05": 48}, **MANY) + made({"2016-05-05": 2}, **{**MANY, "outcome": 2})
    narrower = "{id: Q1, kind: keywords, keywords: [alpha], within: {where: {outcome: ['1']}}}"
    found = protect_answer(asked(records, YEARS, narrower), FIVE).answer
    assert None in (found.scope.records, found.questions[0].table.total.counts[0])


WORDINGS = ("[alpha, beta]", "[{term: alpha, aliases: [beta]}]")


@pytest.mark.parametrize("wordings", [WORDINGS, WORDINGS[::-1]], ids=["terms first", "alias first"])
def test_two_wordings_of_one_population_are_one(book: Path, wordings: tuple[str, str]) -> None:
    """May 3 and June 7 are withheld in the first, so June alone is in the second."""
    days = {"2016-05-05": 3, "2016-06-05": 7, "2016-07-05": 9}
    records = made(days, narrative="alpha")
    quarter = f"period: {{from: 2016-05-01, to: 2016-07-31}}\nmentions: {wordings[0]}"
    first = publish_release(asked(records, quarter, "{id: Q1, kind: by, by: month}"), FIVE, book)
    months = [row.counts[0] for row in first.answer.questions[0].table.rows]
    assert months.count(None) == 2
    june = f"period: {{from: 2016-06-01, to: 2016-06-30}}\nmentions: {wordings[1]}"
    second = publish_release(asked(records, june, TOTAL), FIVE, book)
    assert second.answer.scope.records == months[1]


def test_a_number_that_moved_loses_its_force_and_no_other(book: Path) -> None:
    """2 in March 2017 are given away although every number of 2017/18 moved since."""
    days = {"2016-05-05": 48, "2017-03-05": 2, "2017-05-05": 60, "2017-12-05": 40}
    quarters = "{id: Q1, kind: by, by: quarter, within: {period: 2017/18}}"
    years = "{id: Q2, kind: by, by: financial_year}"
    publish_release(asked(made(days), YEARS, quarters, years), FIVE, book)
    later = made({**days, "2017-05-05": 66, "2017-12-05": 47, "2018-01-05": 9})
    shorter = "periods: [{from: 2016-04-01, to: 2017-02-28}, 2017/18]"
    with pytest.raises(DisclosureError, match=TWO):
        publish_release(asked(later, shorter, years, generation="crimes-2"), FIVE, book)


def test_the_same_request_is_published_again_after_a_refresh(book: Path) -> None:
    records = made(FIVE_DAYS)
    publish_release(asked(records, YEARS, *QUARTERS), FIVE, book)
    records += made({"2017-12-06": 30, "2018-02-05": 12})
    publish_release(asked(records, YEARS, *QUARTERS, generation="crimes-2"), FIVE, book)


def test_what_was_withheld_stays_withheld_even_if_it_is_0_now(book: Path) -> None:
    records = made({"2016-05-05": 3, "2016-06-05": 7, "2016-07-05": 9})
    quarter = "period: {from: 2016-05-01, to: 2016-07-31}"
    months = "{id: Q1, kind: by, by: month}"
    publish_release(asked(records, quarter, months), FIVE, book)
    none_left = asked(records[3:], quarter, months, generation="crimes-2")
    found = publish_release(none_left, FIVE, book).answer
    assert found.questions[0].table.rows[0].counts == (None,)


def test_a_request_is_published_again_after_thirty_nights(book: Path) -> None:
    """Each night brings one or two records of the last month; what is small stays withheld."""
    days = {"2016-05-05": 3, "2016-08-05": 40, "2016-11-05": 31, "2017-05-05": 60, "2018-02-05": 9}
    quarters = "{id: Q1, kind: by, by: quarter}"
    first = publish_release(asked(made(days), YEARS, quarters), FIVE, book).answer
    for night in range(30):
        days["2018-03-05"] = days.get("2018-03-05", 0) + 1 + night % 2
    later = asked(made(days), YEARS, quarters, generation="crimes-31")
    second = publish_release(later, FIVE, book).answer
    for found in (first, second):
        counts = [row.counts[0] for row in found.questions[0].table.rows]
        assert counts[0] is None
        assert sum(count is not None for count in counts) >= len(counts) - 2


#: Two years but the last month, and with it.
TO_FEBRUARY = "period: {from: 2016-04-01, to: 2018-02-28}"

COUNTED = "{id: Q1, kind: offences}"


def cancelled(*numbers: int) -> list[dict[str, Any]]:
    """Records of 2017 and of March 2018 that do not count, beside others that do."""
    days = dict(zip(("2017-05-05", "2018-03-05"), numbers, strict=True))
    return [
        *made({"2017-05-05": 60, "2018-03-05": 12}),
        *({**one, "crime_ref": f"C{one['crime_ref']}"} for one in made(days, status="cancelled")),
    ]


def test_what_nobody_asked_for_is_withheld_and_refuses_no_release(book: Path) -> None:
    """The few records that are left out of one month more, unless the request asks for them."""
    records = cancelled(20, 2)
    first = publish_release(asked(records, TO_FEBRUARY, COUNTED), FIVE, book).answer
    assert first.scope.left_out["cancelled"] == 20
    with pytest.raises(DisclosureError, match=TWO):
        publish_release(asked(records, YEARS, "{id: Q1, kind: by, by: status}"), FIVE, book)
    second = publish_release(asked(records, YEARS, COUNTED), FIVE, book).answer
    assert second.scope.left_out["cancelled"] is None
    assert (first.scope.records, second.scope.records) == (60, 72)
    again = publish_release(asked(records, YEARS, COUNTED), FIVE, book).answer
    assert again.scope.left_out == second.scope.left_out


def test_records_left_out_that_became_few_are_withheld_and_refuse_no_release(book: Path) -> None:
    publish_release(asked(cancelled(5, 0), YEARS, COUNTED), FIVE, book)
    later = asked(cancelled(4, 0), YEARS, COUNTED, generation="crimes-2")
    found = publish_release(later, FIVE, book).answer
    assert found.scope.left_out["cancelled"] is None
    assert found.scope.records == 72


def test_a_few_more_records_of_a_term_that_nobody_asked_for_refuse_no_release(book: Path) -> None:
    """Of the last month, 2 mention beta; the request asks for all that mention either."""
    records = [
        *made({"2017-05-05": 30, "2018-03-05": 12}, narrative="alpha"),
        *({**one, "crime_ref": f"B{one['crime_ref']}"} for one in made({"2017-05-05": 20, "2018-03-05": 2}, narrative="beta")),
    ]  # fmt: skip
    terms = "mentions: [alpha, beta]"
    first = publish_release(asked(records, f"{TO_FEBRUARY}\n{terms}", COUNTED), FIVE, book).answer
    by_term = "{id: Q1, kind: keywords, keywords: [alpha, beta]}"
    with pytest.raises(DisclosureError, match=TWO):
        publish_release(asked(records, f"{YEARS}\n{terms}", by_term), FIVE, book)
    second = publish_release(asked(records, f"{YEARS}\n{terms}", COUNTED), FIVE, book).answer
    assert [term.records for term in first.scope.terms] == [30, 20]
    assert [term.records for term in second.scope.terms] == [None, None]
    assert (first.scope.records, second.scope.records) == (50, 64)


def test_what_a_refresh_left_of_earlier_numbers_was_not_known_before(book: Path) -> None:
    """All 20 were of the North, then there are 22 in all, and the last release says that the South
    has some. Before it, a reader believed that the South has none."""
    north = made({"2017-05-05": 20}, categories={"district": "North"})
    south = [
        {**one, "crime_ref": f"S{one['crime_ref']}"}
        for one in made({"2017-05-05": 2}, categories={"district": "South"})
    ]
    publish_release(asked(north, YEARS, "{id: Q1, kind: by, by: district}"), FIVE, book)
    later = [*north, *south]
    publish_release(asked(later, YEARS, COUNTED, generation="crimes-2"), FIVE, book)
    of_south = f"{YEARS}\nwhere: {{district: [South]}}"
    with pytest.raises(DisclosureError, match="show that it is"):
        publish_release(asked(later, of_south, COUNTED, generation="crimes-3"), FIVE, book)
