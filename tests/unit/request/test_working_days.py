"""The day on which an answer is due, by hand."""

from __future__ import annotations

from datetime import date

import pytest

from queries.request.working_days import add_working_days

UK = ("ENG", "NIR", "SCT", "WLS")


@pytest.mark.parametrize(
    ("start", "days", "regions", "due"),
    [
        # Friday; Good Friday and Easter Monday are in between.
        (date(2026, 3, 20), 20, UK, date(2026, 4, 21)),
        # Easter Monday is no bank holiday in Scotland.
        (date(2026, 3, 20), 20, ("SCT",), date(2026, 4, 20)),
        # Saint Patrick's Day, in Northern Ireland alone, counts for the whole country.
        (date(2026, 3, 16), 1, UK, date(2026, 3, 18)),
        (date(2026, 3, 16), 1, ("SCT",), date(2026, 3, 17)),
        # The second of January is a bank holiday in Scotland.
        (date(2025, 12, 31), 1, UK, date(2026, 1, 5)),
        (date(2025, 12, 31), 1, ("ENG",), date(2026, 1, 2)),
        # Boxing Day on a Saturday has its holiday on Monday.
        (date(2026, 12, 24), 1, UK, date(2026, 12, 29)),
        # A request on a Saturday.
        (date(2026, 6, 6), 20, UK, date(2026, 7, 6)),
        (date(2026, 6, 6), 0, UK, date(2026, 6, 6)),
    ],
)
def test_the_due_day_is_as_counted_by_hand(
    start: date, days: int, regions: tuple[str, ...], due: date
) -> None:
    assert add_working_days(start, days, regions) == due
