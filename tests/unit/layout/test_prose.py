"""Sentences about numbers."""

from __future__ import annotations

import pytest

from queries.layout.prose import describe_left_out


@pytest.mark.parametrize(
    ("by_status", "figures"),
    [(False, "every figure"), (True, "every figure that is not by status")],
)
def test_what_a_table_by_status_shows_is_not_said_to_be_left_out_of_it(
    *, by_status: bool, figures: str
) -> None:
    sentence = describe_left_out({"cancelled": 40, "transferred": 1}, by_status=by_status)
    assert sentence == f"40 cancelled records and one transferred record are left out of {figures}."
