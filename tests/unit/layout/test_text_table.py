"""Rows of aligned columns: labels to the left, numbers to the right, and long labels cut short."""

from __future__ import annotations

from queries.layout.text_table import align_rows


def test_columns_stand_two_spaces_apart() -> None:
    rows = [("", "records"), ("Snapchat", "1,234")]
    assert align_rows(rows, ("<10", ">7")) == ["            records", "Snapchat      1,234"]


def test_a_label_that_is_too_long_is_cut_short_and_a_number_never_is() -> None:
    assert align_rows([("x" * 11, "1,234,567")], ("<10", ">3")) == ["xxxxxxx...  1,234,567"]


def test_a_last_column_without_a_width_keeps_its_text() -> None:
    assert align_rows([("form", "a text ")], ("<9", "<")) == ["form       a text "]
