"""The order of a record's rows from a database: what a query says, and what a column says."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from indexer.config.field_map import FieldMap, build_field_map
from indexer.config.loader import load_settings
from indexer.errors import ConfigurationError, SourceError
from indexer.progress import Progress
from indexer.sources.database import check_database, read_database
from indexer.sources.database_connection import DatabaseSource
from indexer.sources.row_order import UnreadableTime, convert_position, orders_rows_of_record
from queries.jobs.nightly_refresh import plan_refresh

NONE = FieldMap()

CRIMES = (
    "SELECT crime_ref, '2019-06-01' AS recorded_on, '22B' AS offence_code, updated_at FROM crimes"
)

UNORDERED = "SELECT crime_ref, entry AS narrative, number FROM log"

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def is_crime_ref(column: str) -> bool:
    return column == "crime_ref"


# -- what a query says ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT crime_ref, entry FROM log ORDER BY entry_no",
        "select crime_ref, entry from log order\n\t by entry_no desc nulls last limit 5",
        "SELECT crime_no AS crime_ref, entry FROM log ORDER BY crime_no, entry_no",
        "SELECT crime_ref, entry FROM log ORDER BY 1, 2",
        "SELECT crime_ref, entry FROM a UNION ALL SELECT crime_ref, entry FROM b ORDER BY entry",
        "WITH x AS (SELECT * FROM log) SELECT crime_ref, entry FROM x ORDER BY lower(entry)",
        "SELECT crime_ref, 'it''s -- (' AS entry FROM log ORDER BY entry_no -- the last words",
        'SELECT crime_ref, ")" AS entry FROM log ORDER BY entry_no',
    ],
)
def test_the_outermost_order_by_orders_the_rows(sql: str) -> None:
    assert orders_rows_of_record(sql, "postgresql", is_crime_ref)
    assert orders_rows_of_record(sql, "sqlite", is_crime_ref)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT crime_ref, entry FROM log",
        "SELECT crime_ref, entry FROM (SELECT * FROM log ORDER BY entry_no) ordered",
        "WITH x AS (SELECT * FROM log ORDER BY entry_no) SELECT crime_ref, entry FROM x",
        "SELECT crime_ref, entry, row_number() OVER (ORDER BY entry_no) AS n FROM log",
        "SELECT crime_ref, string_agg(entry, ' ' ORDER BY entry_no) FROM log GROUP BY crime_ref",
        "SELECT crime_ref, ' ORDER BY entry_no' AS entry FROM log",
        'SELECT crime_ref, entry AS "ORDER BY entry_no" FROM log',
        "SELECT crime_ref, entry FROM log -- ORDER BY entry_no",
        "SELECT crime_ref, entry FROM log /* ORDER BY entry_no */",
        "SELECT crime_ref, entry FROM log ORDER BY crime_ref",
        "SELECT crime_ref, entry FROM log l ORDER BY l.crime_ref DESC",
        "SELECT crime_no AS crime_ref, entry FROM log ORDER BY crime_no",
        "SELECT entry, crime_no AS crime_ref FROM log ORDER BY 2",
        "SELECT crime_ref, 'open FROM log ORDER BY entry_no",
    ],
)
def test_no_other_order_by_does(sql: str) -> None:
    assert not orders_rows_of_record(sql, "postgresql", is_crime_ref)
    assert not orders_rows_of_record(sql, "sqlite", is_crime_ref)


def test_text_is_quoted_as_each_database_quotes_it() -> None:
    dollars = "SELECT crime_ref, $$ it's $$ AS entry FROM log ORDER BY entry_no"
    assert orders_rows_of_record(dollars, "postgresql", is_crime_ref)
    escape = r"SELECT crime_ref, E'\' ORDER BY entry_no' AS entry FROM log"
    assert not orders_rows_of_record(escape, "postgresql", is_crime_ref)
    backslash = r"SELECT crime_ref, '\' AS entry FROM log ORDER BY entry_no"
    assert orders_rows_of_record(backslash, "mssql", is_crime_ref)
    assert not orders_rows_of_record(backslash, "mysql", is_crime_ref)


@pytest.mark.parametrize(
    ("value", "position"),
    [
        (3, 3),
        (Decimal("3.0"), 3),
        (Decimal("2.5"), 2.5),
        (2**63, float(2**63)),
        ("b", "b"),
        (date(2019, 6, 1), "2019-06-01"),
        (datetime(2019, 6, 1, 12), "2019-06-01T12:00:00.000000"),  # noqa: DTZ001 - as it is stored
        (datetime(2019, 6, 1, 1, tzinfo=timezone(timedelta(hours=1))), "2019-06-01T00:00:00.000000+00:00"),
        (Decimal("1E+400"), float("inf")),
        (UnreadableTime("12000-01-01"), None),
        (datetime.max.replace(tzinfo=timezone(timedelta(hours=-5))), "9999-12-31T23:59:59.999999+00:00"),
        (None, None),
        (True, None),
        (float("nan"), None),
        (b"b", None),
    ],
)  # fmt: skip
def test_a_value_of_the_order_column_can_be_sorted_or_is_missing(value: Any, position: Any) -> None:
    assert convert_position(value) == position


# -- rows in order -------------------------------------------------------------------------------


def make_database(path: Path, entries: list[tuple[str, str, Any]]) -> Path:
    with closing(sqlite3.connect(path)) as made:
        made.executescript(
            "CREATE TABLE crimes (crime_ref, updated_at);"
            "CREATE TABLE log (crime_ref, entry, number);"
            "CREATE TABLE victim (crime_ref, victim_ref, age);"
            "INSERT INTO crimes VALUES ('A', '2021-01-01'), ('B', '2019-01-01');"
        )
        made.executemany("INSERT INTO log VALUES (?, ?, ?)", entries)
        made.commit()
    return path


def source(path: Path, narratives: str = UNORDERED, **changes: Any) -> DatabaseSource:
    queries = {"crimes": CRIMES, "narratives": narratives}
    defaults = {"url": f"sqlite:///{path}", "queries": queries, "watermark": "updated_at"}
    return DatabaseSource(**(defaults | changes))


def read_narratives(database: DatabaseSource, since: datetime | None = None) -> dict[str, Any]:
    found = {}
    for record in read_database(database, NONE, since):
        assert isinstance(record.raw, dict)
        found[record.raw["crime_ref"]] = record.error or record.raw["narrative"]
    return found


@pytest.mark.parametrize(
    "rows", [*permutations([("A", "one", 1), ("A", "two", 2), ("A", "ten", 10)])]
)
def test_a_column_orders_the_entries_wherever_they_stand(tmp_path: Path, rows: Any) -> None:
    path = make_database(tmp_path / "crimes.db", [*rows, ("B", "other", 1)])
    ordered = source(path, order={"narratives": "number"})
    check_database(ordered, NONE, incremental=True)
    assert read_narratives(ordered) == {"A": ["one", "two", "ten"], "B": ["other"]}
    assert read_narratives(ordered, SINCE) == {"A": ["one", "two", "ten"]}


def test_the_order_of_the_query_holds_in_an_increment(tmp_path: Path) -> None:
    entries = [("A", "one", 1), ("B", "other", 1), ("A", "two", 2), ("A", "ten", 10)]
    path = make_database(tmp_path / "crimes.db", entries)
    with closing(sqlite3.connect(path)) as made:  # the index tempts the database to go by it
        made.execute("CREATE INDEX by_crime ON log (crime_ref, entry)")
    sql = "SELECT crime_ref, entry AS narrative FROM log ORDER BY number"
    assert read_narratives(source(path, sql)) == {"A": ["one", "two", "ten"], "B": ["other"]}
    assert read_narratives(source(path, sql), SINCE) == {"A": ["one", "two", "ten"]}


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (1, 1, "its entries narratives row 1 and narratives row 2 have the same value in the column that source.order.narratives names. Correct one."),
        (1, None, "its entry narratives row 2 has no number, text or time in the column that source.order.narratives names. Correct it."),
    ],
)  # fmt: skip
def test_a_record_whose_order_is_not_certain_is_rejected_alone(
    tmp_path: Path, first: Any, second: Any, reason: str
) -> None:
    entries = [("A", "one", first), ("A", "two", second), ("B", "other", None)]
    path = make_database(tmp_path / "crimes.db", entries)
    ordered = source(path, order={"narratives": "number"})
    assert read_narratives(ordered) == {"A": reason, "B": ["other"]}


def test_equal_entries_in_one_place_are_certain(tmp_path: Path) -> None:
    path = make_database(tmp_path / "crimes.db", [("A", "one", 1), ("A", "one", 1)])
    assert read_narratives(source(path, order={"narratives": "number"}))["A"] == ["one", "one"]


@pytest.mark.parametrize(
    "rows", [*permutations([("A", "V-1", 9), ("A", "V-2", 7), ("A", None, 5)])]
)
def test_victims_without_an_order_do_not_depend_on_the_database(tmp_path: Path, rows: Any) -> None:
    """They are a set: nothing asks which comes first."""
    path = make_database(tmp_path / "crimes.db", [])
    with closing(sqlite3.connect(path)) as made:
        made.executemany("INSERT INTO victim VALUES (?, ?, ?)", rows)
        made.commit()
    queries = {
        "crimes": CRIMES.replace("updated_at", "updated_at, '' AS narrative"),
        "victims": "SELECT crime_ref, victim_ref, age FROM victim",
    }
    for since in (None, SINCE):
        record = next(read_database(source(path, queries=queries), NONE, since))
        assert isinstance(record.raw, dict)
        assert record.raw["victims"] == [
            {"age": 5},
            {"victim_ref": "V-1", "age": 9},
            {"victim_ref": "V-2", "age": 7},
        ]


# -- what is refused -----------------------------------------------------------------------------


def test_narratives_without_an_order_are_refused_with_the_fix(tmp_path: Path) -> None:
    path = make_database(tmp_path / "crimes.db", [])
    for run in (check_database, lambda *arguments: list(read_database(*arguments))):
        with pytest.raises(SourceError) as refusal:
            run(source(path, UNORDERED.replace(", number", "")), NONE)
        assert str(refusal.value).startswith(
            "source.queries.narratives: does not order the entries of a record"
        )
        assert 'name it in [source.order], for example: narratives = "entry_no"' in str(
            refusal.value
        )


def test_a_renamed_reference_is_no_order(tmp_path: Path) -> None:
    path = make_database(tmp_path / "crimes.db", [])
    queries = {
        "crimes": CRIMES.replace("crime_ref", "crime_ref AS No"),
        "narratives": "SELECT crime_ref AS No, entry AS narrative FROM log ORDER BY no",
    }
    with pytest.raises(SourceError, match="does not order the entries of a record"):
        check_database(source(path, queries=queries), build_field_map({"crime_ref": "No"}, ()))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (UNORDERED.replace("number", "number AS numbers"), 'source.queries.narratives: lacks the column "number", which source.order.narratives needs. Select it once. Did you mean "numbers"?'),
        (UNORDERED.replace("number", "number, 1 AS number"), 'source.queries.narratives: names twice the column "number", which source.order.narratives needs. Select it once.'),
    ],
)  # fmt: skip
def test_an_order_column_that_is_not_selected_once_is_refused(
    tmp_path: Path, sql: str, message: str
) -> None:
    path = make_database(tmp_path / "crimes.db", [])
    with pytest.raises(SourceError) as refusal:
        check_database(source(path, sql, order={"narratives": "number"}), NONE)
    assert message in str(refusal.value)


def test_the_order_is_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "foidex.toml"
    (tmp_path / "a").touch()
    queries = '[source]\ndatabase = "sqlite:///a"\n[source.queries]\ncrimes = "SELECT 1"\n'
    path.write_text(f'{queries}narratives = "SELECT 2"\n[source.order]\nnarratives = "entry_no"\n')
    database = plan_refresh(load_settings({}, path), Progress(quiet=True)).database
    assert database is not None
    assert database.order == {"narratives": "entry_no"}
    path.write_text(f'{queries}[source.order]\nnarratives = "entry_no"\n')
    with pytest.raises(ConfigurationError, match=r"\[source.queries\] has no query for it"):
        plan_refresh(load_settings({}, path), Progress(quiet=True))
