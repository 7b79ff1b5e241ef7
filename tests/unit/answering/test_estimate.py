"""The period that an estimate offers is the longest that fits."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from queries.answering.estimate import (
    LIMIT_HOURS,
    find_latest_period,
    find_whole_months,
)
from queries.request.reader import parse_request
from queries.request.reading_cost import ReadingCost


@given(
    st.dictionaries(st.integers(0, 120), st.integers(1, 6), min_size=1),
    st.integers(1, 30),
)
def test_no_longer_period_fits(by_place: dict[int, int], most: int) -> None:
    """Against every start tried in turn."""
    first, last = date(2018, 1, 1), date(2018, 5, 1)
    by_day = {first + timedelta(days=place): number for place, number in by_place.items()}
    scope = parse_request(
        "reference: R\ntitle: T\nperiod: {from: 2018-01-01, to: 2018-05-01}\n"
        "questions: [{id: Q1, kind: offences}]"
    ).scope
    cost = ReadingCost(Fraction(LIMIT_HOURS * 60, most), LIMIT_HOURS)

    def fits(start: date) -> bool:
        return 0 < sum(number for day, number in by_day.items() if start <= day <= last) <= most

    starts = [first + timedelta(days=place) for place in range(121)]
    fitting = [start for start in starts if fits(start)]
    months = [start for start in fitting if start.day == 1]
    latest = find_latest_period(by_day, scope, cost)
    whole = find_whole_months(by_day, latest)
    assert (latest.start if latest else None) == (fitting[0] if fitting else None)
    assert (whole.start if whole else None) == (months[0] if months else None)
    assert {period.end for period in (latest, whole) if period} <= {last}
