"""Records from a database, here SQLite: their values, their moment, and what is told of a fault."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import exc

from indexer.config.field_map import FieldMap, build_field_map
from indexer.config.loader import load_settings
from indexer.errors import ConfigurationError, SourceError
from indexer.progress import Progress
from indexer.records.document import encode_document
from indexer.records.model import CrimeRecord, RecordError
from indexer.records.parse import parse_record_mapping
from indexer.sources.base import RawRecord
from indexer.sources.database import (
    build_query_row,
    check_database,
    convert_value,
    find_increment_start,
    read_database,
)
from indexer.sources.database_connection import DatabaseSource
from indexer.sources.row_order import UnreadableTime
from queries.jobs.nightly_refresh import plan_refresh

SECRET = "ZQXSECRET"

NONE = FieldMap()

QUERIES = {
    "crimes": "SELECT * FROM crimes ORDER BY crime_ref",
    "victims": "SELECT * FROM victims ORDER BY rowid",
    "links": "SELECT * FROM links ORDER BY rowid",
    "narratives": "SELECT * FROM narratives ORDER BY rowid",
}

TABLES = """
CREATE TABLE crimes (crime_ref, recorded_on, offence_code, status, updated_at);
CREATE TABLE victims (crime_ref, victim_ref, age, sex);
CREATE TABLE links (crime_ref, linked_crime_ref, linked_offence_code);
CREATE TABLE narratives (crime_ref, narrative);
INSERT INTO crimes VALUES ('A', '2019-06-01', '22B', NULL, '2020-01-01T00:00:00Z'),
    ('B', '2019-06-02', '88/1', 'cancelled', '2020-01-02 00:00:00+00:00'), ('C', '2019-06-03', '21', NULL, NULL);
INSERT INTO victims VALUES ('B', 'V-1', 15, 'F'), ('A', NULL, '14', NULL), ('B', 'V-2', NULL, 'M');
INSERT INTO links VALUES ('A', 'B', NULL), ('A', NULL, '086/02');
INSERT INTO narratives VALUES ('B', 'one'), ('A', 'first'), ('B', NULL), ('A', 'second');
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "crimes.db"
    with closing(sqlite3.connect(found)) as made:
        made.executescript(TABLES)
    return found


def source(path: Path, **changes: Any) -> DatabaseSource:
    return DatabaseSource(**{"url": f"sqlite:///{path}", "queries": QUERIES, **changes})


def raws(found: Iterator[RawRecord]) -> list[Any]:
    return [one.raw for one in found]


def test_tables_are_joined_in_any_order(path: Path) -> None:
    assert raws(read_database(source(path), NONE)) == [
        {"crime_ref": "A", "recorded_on": "2019-06-01", "offence_code": "22B", "updated_at": "2020-01-01T00:00:00Z",
         "narrative": ["first", "second"], "victims": [{"age": 14}], "linked": [{"crime_ref": "B"}, {"offence_code": "086/02"}]},
        {"crime_ref": "B", "recorded_on": "2019-06-02", "offence_code": "88/1", "status": "cancelled", "updated_at": "2020-01-02 00:00:00+00:00",
         "narrative": ["one", ""], "victims": [{"victim_ref": "V-1", "age": 15, "sex": "F"}, {"victim_ref": "V-2", "sex": "M"}]},
        {"crime_ref": "C", "recorded_on": "2019-06-03", "offence_code": "21", "narrative": []},
    ]  # fmt: skip


def test_every_record_read_is_one(path: Path) -> None:
    for raw in raws(read_database(source(path), NONE)):
        assert isinstance(parse_record_mapping(raw), CrimeRecord)


def test_a_place_is_table_and_row(path: Path) -> None:
    places = [one.location for one in read_database(source(path), NONE)]
    assert places == ["crimes row 1", "crimes row 2", "crimes row 3"]


def test_rows_without_a_crime_are_not_lost(path: Path) -> None:
    queries = QUERIES | {"crimes": "SELECT * FROM crimes WHERE crime_ref = 'A'"}
    lost = [one for one in read_database(source(path, queries=queries), NONE) if one.error]
    assert [one.location for one in lost] == ["victims row 1", "narratives row 1"]
    assert {one.raw["crime_ref"] for one in lost if isinstance(one.raw, dict)} == {"B"}


def test_columns_may_bear_names_of_theirs(path: Path) -> None:
    queries = {
        "crimes": "SELECT crime_ref AS No, recorded_on, offence_code, 'text' AS MO, 'x' AS area FROM crimes",
        "victims": "SELECT crime_ref AS No, age AS AgeThen FROM victims",
        "links": "SELECT crime_ref AS No, linked_crime_ref AS other FROM links",
    }
    names = {"crime_ref": "No", "narrative": "MO", "victims.age": "AgeThen", "linked.crime_ref": "other"}  # fmt: skip
    found = raws(
        read_database(source(path, queries=queries), build_field_map(names, ("area", "narrative")))
    )
    assert (found[0]["narrative"], found[0]["victims"], found[0]["linked"]) == (
        "text",
        [{"age": 14}],
        [{}, {"crime_ref": "B"}],
    )


def test_a_colon_and_a_percent_sign_in_a_query_are_themselves(path: Path) -> None:
    sql = "SELECT 'A' AS crime_ref, date('2019-06-01') AS recorded_on, '21' AS offence_code, ':a %s %(b)s 10:30 ::c \\:d' AS narrative;\n"
    found = raws(read_database(source(path, queries={"crimes": sql}), NONE))
    assert found[0]["narrative"] == ":a %s %(b)s 10:30 ::c \\:d"


def test_all_is_of_one_moment_and_nothing_is_written(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        reading = read_database(source(path), NONE)
        first = next(reading)
        other.execute("DELETE FROM crimes")
        other.commit()
        assert [first.location, *(one.location for one in reading)] == [
            "crimes row 1",
            "crimes row 2",
            "crimes row 3",
        ]
    queries = {"crimes": "DELETE FROM victims RETURNING crime_ref"}
    with pytest.raises(SourceError):
        list(read_database(source(path, queries=queries), NONE))
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT count(*) FROM victims").fetchone() == (3,)


# -- increments ----------------------------------------------------------------------------------


def test_an_increment_reads_what_is_newer_and_what_does_not_say(path: Path) -> None:
    """B's moment is written with a blank and an offset, A's with T and Z."""
    reading = read_database(
        source(path, watermark="updated_at"), NONE, datetime(2020, 1, 1, 12, tzinfo=UTC)
    )
    found = raws(reading)
    assert [one["crime_ref"] for one in found] == ["B", "C"]
    assert (len(found[0]["victims"]), found[0]["narrative"]) == (2, ["one", ""])


def test_an_increment_starts_an_overlap_before_what_is_held(path: Path) -> None:
    day = datetime(2020, 1, 2, tzinfo=UTC)
    marked = source(path, watermark="updated_at", overlap=timedelta(hours=6))
    assert find_increment_start(marked, day, day + timedelta(days=9)) == datetime(
        2020, 1, 1, 18, tzinfo=UTC
    )
    future = day + timedelta(days=999)
    assert find_increment_start(marked, future, day) == datetime(2020, 1, 1, 18, tzinfo=UTC)
    assert find_increment_start(marked, None, day) is None
    assert find_increment_start(source(path), day, day) is None


# -- values --------------------------------------------------------------------------------------

MIDNIGHT = datetime.fromisoformat("2019-06-01")

NOON = MIDNIGHT.replace(hour=12)

#: In UTC, this would be in the year 10000, which Python does not have.
LAST_HOUR = datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))


@pytest.mark.parametrize(
    ("name", "value", "becomes"),
    [
        ("recorded_on", MIDNIGHT, date(2019, 6, 1)),
        ("recorded_on", date(2019, 6, 1), date(2019, 6, 1)),
        ("age", "15", 15),
        ("age", Decimal("15.0"), 15),
        ("outcome", 3.0, 3),
        ("crime_ref", 4711, "4711"),
        ("victim_ref", Decimal(12), "12"),
        ("linked_crime_ref", UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ("updated_at", datetime(2020, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2020, 1, 1, tzinfo=UTC)),
        ("updated_at", LAST_HOUR, datetime.max.replace(tzinfo=UTC)),
        ("narrative", ["a", "b"], ["a", "b"]),
        ("crime_ref", "A 1   ", "A 1"), ("linked_crime_ref", "A1 ", "A1"), ("victim_ref", "V ", "V"),
        ("offence_code", "22B     ", "22B"), ("linked_offence_code", "22B ", "22B"), ("crime_ref", " A", " A"),
        ("status", "cancelled   ", "cancelled"), ("sex", "F ", "F"),
    ],
)  # fmt: skip
def test_a_value_is_converted_where_that_is_certain(name: str, value: Any, becomes: Any) -> None:
    assert convert_value(name, value) == becomes


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("recorded_on", NOON, '"recorded_on" is a date and time without a time zone, not a date (expected YYYY-MM-DD). Correct it.'),
        ("recorded_on", MIDNIGHT.replace(tzinfo=UTC), '"recorded_on" is a date and time, not a date'),
        ("recorded_on", 43617, '"recorded_on" is a number of 5 characters, not a date'),
        ("recorded_on", None, '"recorded_on" is null, not a date'),
        ("offence_code", 8602, '"offence_code" is a number of 4 characters, not an offence code'),
        ("offence_code", None, '"offence_code" is null'),
        ("narrative", SECRET.encode(), '"narrative" is 9 bytes, not text'),
        ("narrative", memoryview(b"abc"), '"narrative" is 3 bytes, not text'),
        ("narrative", Decimal("1.5"), '"narrative" is a decimal number of 3 characters, not text'),
        ("outcome", Decimal("1.5"), '"outcome" is a decimal number of 3 characters, not an outcome type'),
        ("outcome", Decimal("NaN"), '"outcome" is a decimal number'),
        ("outcome", float("inf"), '"outcome" is a number of 3 characters'),
        ("outcome", 10**30, '"outcome" is a number of 31 characters'),
        ("outcome", Decimal("1E+30"), '"outcome" is a decimal number of 5 characters'),
        ("crime_ref", Decimal("1E+400"), '"crime_ref" is a decimal number of 6 characters'),
        ("recorded_on", UnreadableTime("infinity"), '"recorded_on" is text of the shape aaaaaaaa, not a date'),
        ("outcome", True, '"outcome" is true or false'),
        ("crime_ref", True, '"crime_ref" is true or false, not a reference'),
        ("crime_ref", 1.5, '"crime_ref" is a number of 3 characters, not a reference'),
        ("updated_at", NOON, '"updated_at" is a date and time without a time zone, not a date and time with a time zone'),
        ("updated_at", date(2019, 6, 1), '"updated_at" is a date, not a date and time with a time zone'),
        ("status", object(), '"status" is an object, not recorded, cancelled'),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_told_as_of_any_source(
    name: str, value: Any, told: str
) -> None:
    good = {
        "crime_ref": "A",
        "recorded_on": date(2019, 6, 1),
        "offence_code": "22B",
        "narrative": "",
    }
    row = good | {name: value}
    found = build_query_row("crimes row 1", list(row), list(row.values())).values
    with pytest.raises(RecordError) as refused:
        parse_record_mapping(found)
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert encode_document(found)  # as the rejects file needs


def test_a_null_narrative_is_an_empty_one() -> None:
    assert build_query_row("crimes row 1", ["narrative", "status"], [None, None]).values == {
        "narrative": ""
    }


def test_empty_text_is_missing_as_in_csv_unless_a_record_must_have_it() -> None:
    """Also spaces, with which PostgreSQL fills a column of a fixed width."""
    empty = dict.fromkeys(("crime_ref", "recorded_on", "offence_code", "narrative"), "")
    optional = dict.fromkeys(
        ("age", "sex", "victim_ref", "outcome", "status", "updated_at", "linked_crime_ref"), ""
    )
    row = {**empty, **optional, "sex": "   "}
    assert build_query_row("crimes row 1", list(row), list(row.values())).values == empty


# -- faults --------------------------------------------------------------------------------------


def refused(kind: type[Exception], reading: DatabaseSource, *, incremental: bool = False) -> str:
    with pytest.raises(kind) as told:
        check_database(reading, NONE, incremental=incremental)
    assert SECRET not in str(told.value)
    assert str(told.value).endswith((".", "'", "?"))
    return str(told.value)


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT * FORM crimes", 'source.queries.crimes: near "FORM": syntax error. Correct the query.'),
        ("SELECT * FROM crime", "source.queries.crimes: no such table: crime. Correct the query."),
        ("SELECT ref FROM crimes", "source.queries.crimes: no such column: ref. Correct the query."),
        ("SELECT *, 1 AS recorded FROM crimes", 'source.queries.crimes: has an unknown column "recorded". Did you mean "recorded_on"?'),
        ("SELECT recorded_on FROM crimes", 'source.queries.crimes: lacks the column "crime_ref". Add it.'),
        ("SELECT *, 1 AS crime_ref FROM crimes", 'source.queries.crimes: names the column "crime_ref" twice. Remove one.'),
        ("PRAGMA query_only = ON", "source.queries.crimes: does not return rows. Write a SELECT."),
    ],
)  # fmt: skip
def test_a_wrong_query_is_told(path: Path, sql: str, told: str) -> None:
    queries = QUERIES | {"crimes": sql}
    assert refused(SourceError, source(path, queries=queries)) == told


def test_a_wrong_query_of_a_child_is_told(path: Path) -> None:
    queries = QUERIES | {"victims": "SELECT age FROM victims"}
    told = 'source.queries.victims: lacks the column "crime_ref". Add it.'
    assert refused(SourceError, source(path, queries=queries)) == told


def test_a_value_that_the_driver_cannot_read_is_not_blamed_on_the_database(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database has no error, so its log says nothing."""

    def refuse(*_: object) -> None:
        raise exc.DataError("SELECT", {}, ValueError(SECRET))

    monkeypatch.setattr("indexer.sources.database.build_query_row", refuse)
    with pytest.raises(SourceError, match="victims: after row 1 there is a value that the") as told:
        list(read_database(source(path), FieldMap()))
    assert SECRET not in str(told.value)
    assert "log" not in str(told.value)


class MysqlError(Exception):
    """As PyMySQL raises it: a number and a text, and no ``diag``."""

    sqlstate = "42000"


@pytest.mark.parametrize(
    ("number", "said", "told"),
    [
        (1146, "Table 'x.crime' doesn't exist", "Table 'x.crime' doesn't exist. Correct the query."),
        (1142, f"SELECT command denied to user '{SECRET}'@'host' for table `x`.`crime`", "SELECT command denied to user *** for table `x`.`crime`. Ask for the right to read it, or correct the query."),
    ],
)  # fmt: skip
def test_a_query_that_mysql_refuses_is_told_without_the_user(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str, told: str
) -> None:
    def refuse(*_: object) -> None:
        raise exc.ProgrammingError("SELECT", {}, MysqlError(number, said))

    monkeypatch.setattr("indexer.sources.database.build_query_row", refuse)
    with pytest.raises(SourceError) as refusal:
        list(read_database(source(path), FieldMap()))
    assert str(refusal.value) == f"source.queries.victims: {told}"


def test_a_text_that_is_no_text_breaks_the_reading_and_is_not_shown(path: Path) -> None:
    with closing(sqlite3.connect(path)) as made:
        made.execute(f"UPDATE crimes SET status = CAST(x'{SECRET.encode().hex()}ff' AS TEXT)")
        made.commit()
    with pytest.raises(SourceError) as told:
        list(read_database(source(path), NONE))
    assert SECRET not in str(told.value)
    assert "the database failed after 0 rows of crimes (OperationalError)" in str(told.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("crimes", "is not a SQLAlchemy URL. It looks like postgresql+psycopg://host/database."),
        (f"duckdb://u:{SECRET}@host/x", "is not a database that foidex can read in one state"),
        (f"postgresql+no{SECRET}://u:{SECRET}@host/x", "is not a SQLAlchemy URL"),
        (f"postgresql://u:{SECRET}@host:port/x", "is not a SQLAlchemy URL"),
        (f"postgresql+asyncpg://u:{SECRET}@host/x", """the driver of "postgresql+asyncpg" is not installed. Install it with foidex, for example: pip install 'asyncpg'"""),
    ],
    ids=["a word", "unknown database", "unknown driver", "wrong port", "no driver"],
)  # fmt: skip
def test_a_wrong_address_is_told(url: str, told: str) -> None:
    assert told in refused(ConfigurationError, DatabaseSource(url, QUERIES))


def test_what_a_driver_says_of_a_connection_is_shown_without_secrets() -> None:
    """A user named "u" hides no letter of another word."""
    told = refused(
        SourceError, DatabaseSource(f"postgresql+psycopg://u:{SECRET}@127.0.0.1:1/x", QUERIES)
    )
    assert told.startswith("postgresql://127.0.0.1:1/x: the database cannot be reached, or refused")
    assert "Connection refused" in told


def test_a_missing_file_is_told_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    assert (
        refused(SourceError, source(path))
        == f"{path}: there is no such file. Check the URL of the database."
    )
    assert not path.exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "no.db"
    path.write_text(f"{SECRET} is no database" * 100)
    assert "(DatabaseError SQLITE_NOTADB)" in refused(SourceError, source(path))


def test_an_option_the_driver_does_not_know_is_told(path: Path) -> None:
    told = refused(ConfigurationError, source(path, url=f"sqlite:///{path}?{SECRET}=1"))
    assert "its driver does not know an option of the database's URL" in told


def test_without_sqlalchemy_the_extra_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    told = refused(ConfigurationError, source(path))
    assert told.endswith("pip install 'foidex[database]'")


def test_a_watermark_that_is_not_selected_is_told(path: Path) -> None:
    sql = "SELECT crime_ref, recorded_on, offence_code FROM crimes"
    marked = source(path, queries=QUERIES | {"crimes": sql}, watermark="updated_at")
    assert 'lacks the column "updated_at", which source.watermark' in refused(
        SourceError, marked, incremental=True
    )
    check_database(marked, NONE)


def test_an_address_is_shown_without_its_secrets() -> None:
    secretive = DatabaseSource(
        f"postgresql+psycopg://{SECRET}:{SECRET}@db.example.org:5433/crimes?password={SECRET}", {}
    )
    assert secretive.redacted_url == "postgresql://db.example.org:5433/crimes"
    assert SECRET not in repr(secretive)


# -- foidex.toml ---------------------------------------------------------------------------------

CRIMES = '[source.queries]\ncrimes = "SELECT 1"\n'


def plan(tmp_path: Path, text: str, **environment: str) -> Any:
    path = tmp_path / "foidex.toml"
    path.write_text(text, encoding="utf-8")
    return plan_refresh(load_settings(environment, path), Progress(quiet=True))


def test_the_address_comes_from_the_environment_a_file_or_foidex_toml(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("sqlite:///file.db\n")
    for name in ("toml.db", "file.db", "env.db"):
        (tmp_path / name).touch()
    for text, environment, url in [
        ('database = "sqlite:///toml.db"', {}, "sqlite:///toml.db"),
        ('database_url_file = "url"', {}, "sqlite:///file.db"),
        ('database_url_file = "url"', {"FOIDEX_DATABASE_URL": "sqlite:///env.db"}, "sqlite:///env.db"),
    ]:  # fmt: skip
        found = plan(tmp_path, f"[source]\n{text}\n{CRIMES}", **environment)
        assert found.database.url == url
        assert found.names == (f"sqlite:///{tmp_path}/{url.rpartition('/')[2]}",)


PROFILE = """
[source.profile.fields]
crime_ref = "ref"
recorded_on = {column = "day", dates = ["DD/MM/YYYY"]}
offence_code = "code"
narrative = "text"
updated_at = "changed"
"""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "[source] names neither paths nor a database"),
        (f'[source]\npaths = ["a.jsonl"]\ndatabase = "sqlite:///a"\n{CRIMES}', "names paths and a database"),
        ('[source]\ndatabase = "sqlite:///a"\n', "[source.queries] lacks crimes"),
        (CRIMES, "has queries or a watermark, but no database"),
        (f'[source]\ndatabase = "sqlite:///a"\ndatabase_url_file = "a"\n{CRIMES}', "gives database and database_url_file"),
        (f'[source]\ndatabase_url_file = "no"\n{CRIMES}', "no (source.database_url_file): cannot be read"),
        (f'[source]\ndatabase = "sqlite:///a"\nwatermark = "changed"\n{CRIMES}', "source.watermark must be the column for updated_at"),
        (f'[source]\ndatabase = "sqlite:///a"\nwatermark = "changed"\n{CRIMES}\n{PROFILE}', "has watermark beside [source.profile], which always reads the whole query"),
        ('[source.queries]\ncrime = "SELECT 1"', '[source.queries] has an unknown key "crime". Did you mean "crimes"?'),
    ],
)  # fmt: skip
def test_a_wrong_source_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        plan(tmp_path, text)
    assert told in str(refusal.value)
