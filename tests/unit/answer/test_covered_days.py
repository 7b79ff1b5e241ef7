"""Which days of a number are covered: by hand, and against sets of days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.records.coverage import Coverage
from queries.answer.condition import build_period_condition
from queries.answer.condition_text import parse_condition
from queries.answer.covered_days import find_covered_days

COVERAGE = Coverage(date(2018, 4, 1), date(2019, 3, 31))


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        ((), "inside"),
        (("term:a",), "inside"),
        (("period:2018-04-01/2019-03-31",), "inside"),
        (("period:2018-03-31/2018-04-01",), "partly"),
        (("period:2019-03-31/2019-04-01",), "partly"),
        (("period:2017-04-01/2018-03-31",), "outside"),
        (("period:2019-04-01/2019-04-01",), "outside"),
        (("period:/",), "inside"),  # whatever is held
        (("period:2018-05-01/",), "inside"),
        (("period:2017-05-01/",), "partly"),
        (("period:/2019-05-01",), "partly"),
        (("period:/2018-03-31",), "outside"),
        (("period:2019-04-01/",), "outside"),
        (("period:2012-04-01/2013-03-31,2018-05-01/2018-06-30",), "partly"),
        (("period:2012-04-01/2013-03-31,2020-01-01/2020-01-31",), "outside"),
        # A row and a column: what they have in common is outside, or nothing.
        (("period:2018-01-01/2018-12-31", "period:2018-01-01/2018-03-31"), "outside"),
        (("period:2017-01-01/2018-12-31", "period:2018-02-01/2018-12-31"), "partly"),
        (("period:2017-01-01/2018-04-05", "period:2018-03-20/2018-03-31,2018-07-01/2018-07-31"), "outside"),
        (("period:2018-05-01/2018-05-31", "period:2018-07-01/2018-07-31"), "inside"),
        (("period:2012-05-01/2012-05-31", "period:2018-07-01/2018-07-31"), "outside"),
    ],
)  # fmt: skip
def test_a_number_is_inside_partly_or_outside(texts: tuple[str, ...], state: str) -> None:
    assert find_covered_days(COVERAGE, map(parse_condition, texts)).state == state


DAY = st.integers(0, 40).map(lambda number: date(2018, 1, 1) + timedelta(days=number))

SPAN = st.tuples(DAY, DAY).map(sorted).map(tuple)


def every_day(start: date, end: date) -> set[date]:
    return {start + timedelta(days=number) for number in range((end - start).days + 1)}


@given(covered=SPAN, periods=st.lists(st.lists(SPAN, min_size=1, max_size=3), max_size=3))
def test_sets_of_days_say_the_same(
    covered: tuple[date, date], periods: list[list[tuple[date, date]]]
) -> None:
    held = every_day(*covered)
    wanted = [set().union(*(every_day(*span) for span in spans)) for spans in periods]
    shared = set.intersection(*wanted) if wanted else held
    outside = any(not days & held for days in wanted) or (bool(shared) and not shared & held)
    state = "outside" if outside else "inside" if shared <= held else "partly"
    found = find_covered_days(
        Coverage(*covered), [build_period_condition(*spans) for spans in periods]
    )
    assert found.state == state
    if wanted and not outside and shared:
        assert (found.start, found.end) == (min(shared & held), max(shared & held))
        assert found.starts_late == (min(shared) < covered[0])
        assert found.ends_early == (max(shared) > covered[1])
