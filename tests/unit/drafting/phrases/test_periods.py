"""Periods of a letter: each form by itself, relative to a request of 8 July 2024."""

from __future__ import annotations

from datetime import date

import pytest

from queries.drafting.phrases.date_tokens import find_date_tokens
from queries.drafting.phrases.periods import find_periods

REQUEST_DAY = date(2024, 7, 8)


def list_days(text: str) -> list[str]:
    return [f"{period.first} {period.last}" for period in find_periods(text, REQUEST_DAY)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("between 1st April 2017 and 31st March 2018", ["2017-04-01 2018-03-31"]),
        ("from 1/4/2015 - 31/3/2020", ["2015-04-01 2020-03-31"]),
        ("between January 2010 and December 2018", ["2010-01-01 2018-12-31"]),
        ("from April to June 2023", ["2023-04-01 2023-06-30"]),
        ("the financial year 2023–24".replace("–", "-"), ["2023-04-01 2024-03-31"]),
        ("for fy 17/18:", ["2017-04-01 2018-03-31"]),
        ("2023/2024 only", ["2023-04-01 2024-03-31"]),
        ("in 2022 where", ["2022-01-01 2022-12-31"]),
        ("for calendar year 2023.", ["2023-01-01 2023-12-31"]),
        ("in May 2021", ["2021-05-01 2021-05-31"]),
        ("since 1 January 2021 and up to the date of this request", ["2021-01-01 2024-07-08"]),
        ("from January 2021 onwards", ["2021-01-01 2024-07-08"]),
        ("Since 2020, how many", ["2020-01-01 2024-07-08"]),
        ("the twelve months to 31 March 2016", ["2015-04-01 2016-03-31"]),
        ("year ending March 2024", ["2023-04-01 2024-03-31"]),
        (
            "calender years 2021, 2022 and 2023, a number",
            ["2021-01-01 2021-12-31", "2022-01-01 2022-12-31", "2023-01-01 2023-12-31"],
        ),
        ("calendar years 2021 to 2022", ["2021-01-01 2021-12-31", "2022-01-01 2022-12-31"]),
        (
            "financial years 2019/20, 2020/21 and 2021/22",
            ["2019-04-01 2020-03-31", "2020-04-01 2021-03-31", "2021-04-01 2022-03-31"],
        ),
        ("2018/19 to 2019/20", ["2018-04-01 2019-03-31", "2019-04-01 2020-03-31"]),
        (
            "tax years - 6 April 2020 to 5 April 2021, and 6 April 2021 to 5 April 2022",
            ["2020-04-06 2021-04-05", "2021-04-06 2022-04-05"],
        ),
        ("the tax year 2023-24 (6 April 2023 - 5 April 2024)", ["2023-04-06 2024-04-05"]),
        (
            "the last two complete financial years",
            ["2022-04-01 2023-03-31", "2023-04-01 2024-03-31"],
        ),
        ("the last two calendar years", ["2022-01-01 2022-12-31", "2023-01-01 2023-12-31"]),
    ],
)
def test_a_period_is_its_days(text: str, days: list[str]) -> None:
    assert list_days(text) == days


@pytest.mark.parametrize(
    "text",
    [
        "the Freedom of Information Act 2000 and the 2004 Fees Regulations",
        "staff on 31 March 2024",
        "your letter of 24 May 2019",
        "codes 086/02 and 17/18",
        "reference 2210/22, £2000",
        "31/02/2021 to 30/02/2022",
        "in the last few years",
    ],
)
def test_a_date_that_is_only_mentioned_is_not_a_period(text: str) -> None:
    assert list_days(text) == []


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("the tax year 2022/23", ["2022-04-01 2023-03-31"]),
        ("FY24", ["2024-04-01 2025-03-31"]),
        ("the financial year 2023", ["2023-04-01 2024-03-31"]),
        ("2024/25 (to date)", ["2024-04-01 2025-03-31"]),
        ("the last 12 months", []),
    ],
)
def test_what_can_be_meant_otherwise_is_in_doubt(text: str, other: list[str]) -> None:
    [period] = find_periods(text, REQUEST_DAY)
    assert period.doubt
    assert [f"{first} {last}" for first, last in period.alternatives] == other


def test_without_the_day_of_the_request_nothing_relative_is_guessed() -> None:
    assert find_periods("since 2020, or the last five financial years", None) == []


def test_a_day_that_the_calendar_lacks_is_not_a_date() -> None:
    assert find_date_tokens("31 February 2020") == [] or all(
        token.kind != "day" for token in find_date_tokens("31 February 2020")
    )
