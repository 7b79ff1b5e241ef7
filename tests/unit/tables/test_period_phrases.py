"""How a period stands in a sentence: by its days, unless its name is that of a year."""

from __future__ import annotations

from datetime import date

import pytest

from queries.tables.period import Period

TAX_YEAR = (date(2019, 4, 6), date(2020, 4, 5))


@pytest.mark.parametrize(
    ("period", "phrase"),
    [
        (Period(date(2019, 4, 1), date(2020, 3, 31), "2019/20"), "in 2019/20"),
        (Period(date(2019, 1, 1), date(2019, 12, 31), "2019"), "in 2019"),
        (Period(*TAX_YEAR), "from 6 April 2019 to 5 April 2020"),
        (
            Period(*TAX_YEAR, "Tax year 2019/20"),
            'from 6 April 2019 to 5 April 2020 ("Tax year 2019/20")',
        ),
        (Period(*TAX_YEAR, "2019/20"), 'from 6 April 2019 to 5 April 2020 ("2019/20")'),
        (Period(None, date(2020, 4, 5), "Before"), 'up to 5 April 2020 ("Before")'),
    ],
)
def test_a_label_keeps_its_days(period: Period, phrase: str) -> None:
    assert period.phrase == phrase
