"""Rows and columns are found by what the answer calls them, whichever words those are."""

from __future__ import annotations

from datetime import date

import pytest

from indexer.errors import RequestError
from indexer.records.categories import Category
from queries.answer.types import Column
from queries.tables.calendar_axes import find_month
from queries.tables.field_axes import build_field_axis
from queries.tables.period import Period
from queries.tables.period_columns import find_period_column
from queries.tables.scope import Scope
from queries.tables.table_query import TableQuery

OPEN_AXES = {
    "offence": "88A",
    "offence_group": "88A",
    "outcome": 14,
    "month": "2017-05-01",
    "quarter": "2017-05-01",
    "calendar_year": "2017-05-01",
    "financial_year": "2017-02-01",
    "district": "North",
}


@pytest.mark.parametrize(("field", "value"), OPEN_AXES.items())
def test_a_row_is_found_by_its_key_and_by_what_is_printed(field: str, value: str | int) -> None:
    axis = build_field_axis(field, Scope(categories={"district": Category()}))
    assert axis.buckets is None
    assert axis.bucket_for_value
    assert axis.bucket_for_name
    bucket = axis.bucket_for_value(value)
    for name in bucket.names:
        assert axis.bucket_for_name(name) == bucket
        assert axis.bucket_for_name(name.upper()).key in (bucket.key, bucket.key.upper())


@pytest.mark.parametrize("field", ["outcome", "offence_group", "district"])
def test_the_row_without_a_value_is_found_by_what_is_printed(field: str) -> None:
    axis = build_field_axis(field, Scope(categories={"district": Category()}))
    assert axis.bucket_for_value
    assert axis.bucket_for_name
    missing = axis.bucket_for_value("999" if field == "offence_group" else None)
    assert missing.kind == "unknown"
    assert axis.bucket_for_name(missing.label) == missing


@pytest.mark.parametrize(
    ("name", "first_day"),
    [
        ("2017-05", "2017-05-01"),
        ("2017-05-17", "2017-05-01"),
        ("may 2017", "2017-05-01"),
        ("April to June 2017", "2017-04-01"),
        ("2017", "2017-01-01"),
        ("2017/18", "2017-04-01"),
    ],
)
def test_a_month_is_found_by_a_day_or_by_a_longer_period(name: str, first_day: str) -> None:
    axis = build_field_axis("month", Scope())
    assert axis.bucket_for_name
    assert axis.bucket_for_name(name).key == first_day


@pytest.mark.parametrize("name", ["May", "May 0000", "2017/19", "Mayday 2017", "", "9999/00"])
def test_a_name_of_no_month_is_refused(name: str) -> None:
    axis = build_field_axis("month", Scope())
    assert axis.bucket_for_name
    with pytest.raises(RequestError, match="there is no row"):
        axis.bucket_for_name(name)


def test_the_total_is_found_by_its_key_and_by_what_is_printed() -> None:
    table_query = TableQuery(build_field_axis("sex", Scope()), None, "victims")
    assert table_query.is_total("total")
    assert table_query.is_total("All victims asked about")
    assert not table_query.is_total("Female")


def test_a_period_whose_label_ends_anothers_is_not_mistaken_for_it() -> None:
    may = find_month(date(2017, 5, 1))
    periods = (
        Period(may.start, may.end, "2017/18"),
        Period(may.start, may.end, "first, 2017/18"),
    )
    columns = [Column("offences", "Offences"), Column("in_#0", "88A", "Sexual grooming")]
    for name, column in (
        ("2017/18", ("offences", 0)),
        ("Offences, 2017/18", ("offences", 0)),
        ("offences, first, 2017/18", ("offences", 1)),
        ("88A, first, 2017/18", ("in_#0", 1)),
        ("Sexual grooming (88A), 2017/18", ("in_#0", 0)),
        ("in_#0@1", ("in_#0", 1)),
        ("88A", ("88A", None)),
        ("in_#0@2", ("in_#0@2", None)),
        ("Victims, 2017/18", ("Victims, 2017/18", None)),
    ):
        assert find_period_column(name, columns, periods) == column


@pytest.mark.parametrize("field", ["month", "quarter", "calendar_year", "financial_year"])
@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_that_there_are_have_a_row(field: str, day: date) -> None:
    axis = build_field_axis(field, Scope(periods=(Period(day, day),)))
    assert axis.buckets is not None
    assert len(axis.buckets) == 1
    axis = build_field_axis(field, Scope())
    assert axis.bucket_for_value
    assert axis.bucket_for_value(day.isoformat()).label
