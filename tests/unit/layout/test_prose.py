"""Sentences about numbers."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from queries.layout.prose import describe_left_out, format_timestamp


@pytest.mark.parametrize(
    ("by_status", "figures"),
    [(False, "every figure"), (True, "every figure that is not by status")],
)
def test_what_a_table_by_status_shows_is_not_said_to_be_left_out_of_it(
    *, by_status: bool, figures: str
) -> None:
    sentence = describe_left_out({"cancelled": 40, "transferred": 1}, by_status=by_status)
    assert sentence == f"40 cancelled records and one transferred record are left out of {figures}."


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    after_midnight = datetime(2025, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    assert format_timestamp(after_midnight) == "31 December 2024 at 23:30 UTC"
