"""Records from a database into a real server: SQLite and a real PostgreSQL, against JSON Lines."""

from __future__ import annotations

import gc
import itertools
import json
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
import sqlalchemy as sa
from elasticsearch import Elasticsearch

from indexer.config.field_map import FieldMap
from indexer.config.model import IndexSettings, RefreshSettings
from indexer.errors import ConfigurationError, GenerationError, SourceError
from indexer.index.generations import find_live_name
from indexer.jobs.refresh import (
    RefreshMode,
    RefreshOptions,
    RefreshPlan,
    RefreshResult,
    refresh_index,
)
from indexer.records.document import encode_document
from indexer.records.model import RecordError
from indexer.records.parse import parse_record_mapping
from indexer.records.sample import generate_records
from indexer.sources.database import check_database, read_database
from indexer.sources.database_connection import DatabaseSource, connect_database
from queries.matching.term import build_term_query, parse_term
from tests.support.examples import repeats
from tests.support.index_content import read_live_records
from tests.support.postgres import PASSWORD, USER, Postgres, running
from tests.support.server import SILENT

PROGRAM = Path(sys.executable).with_name("foidex")

CANARY = "ZQXCANARY"

QUERIES = {
    "crimes": "SELECT * FROM crimes",
    "victims": "SELECT crime_ref, victim_ref, age, sex FROM victims ORDER BY number",
    "links": "SELECT crime_ref, linked_crime_ref, linked_offence_code FROM links ORDER BY number",
    "narratives": "SELECT crime_ref, narrative FROM narratives ORDER BY number",
}

CHILDREN = {"victims": "victims", "linked": "links", "narrative": "narratives"}

INSIDE = {
    "victims": {"victim_ref": "victim_ref", "age": "age", "sex": "sex"},
    "linked": {"crime_ref": "linked_crime_ref", "offence_code": "linked_offence_code"},
}


@pytest.fixture(scope="module")
def server_of_records() -> Iterator[Postgres]:
    with running() as found:
        yield found


@pytest.fixture
def on_postgres(server_of_records: Postgres, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a database of the test's own."""
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    engine = sa.create_engine(server_of_records.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield server_of_records.url(name)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> str:
    (tmp_path / "crimes.db").touch()
    return f"sqlite:///{tmp_path / 'crimes.db'}"


def tables(metadata: sa.MetaData, *, typed: bool) -> dict[str, sa.Table]:
    """The tables of records; a database with types of its own holds days and moments as such."""
    texts = {
        "crimes": ("crime_ref", "offence_code", "status"),
        "victims": ("crime_ref", "victim_ref"),
        "links": ("crime_ref", "linked_crime_ref", "linked_offence_code"),
        "narratives": ("crime_ref", "narrative"),
    }
    others: dict[str, dict[str, Any]] = {
        "crimes": {
            "recorded_on": sa.Date() if typed else sa.Text(),
            "updated_at": sa.DateTime(timezone=True) if typed else sa.Text(),
            "outcome": sa.Integer(),
        },
        "victims": {"age": sa.Numeric(5, 1) if typed else sa.Integer(), "sex": sa.CHAR(1)},
    }
    return {
        name: sa.Table(
            name,
            metadata,
            *([] if name == "crimes" else [sa.Column("number", sa.Integer)]),
            *(sa.Column(column, sa.Text) for column in columns),
            *(sa.Column(column, kind) for column, kind in others.get(name, {}).items()),
        )
        for name, columns in texts.items()
    }


def fill(url: str, records: list[dict[str, Any]]) -> None:
    """Put records into the tables of a database, replacing those of their references."""
    engine = sa.create_engine(url)
    typed = engine.dialect.name != "sqlite"
    metadata = sa.MetaData()
    made = tables(metadata, typed=typed)
    metadata.create_all(engine)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in made}
    numbers = itertools.count()
    for record in records:
        reference = record["crime_ref"]
        crime: dict[str, Any] = {name: record.get(name) for name in ("crime_ref", "recorded_on", "offence_code", "status", "updated_at", "outcome")}  # fmt: skip
        if typed:
            crime["recorded_on"] = date.fromisoformat(crime["recorded_on"])
            crime["updated_at"] = datetime.fromisoformat(crime["updated_at"])
        rows["crimes"].append(crime)
        for field, table in CHILDREN.items():
            for one in record.get(field, []):
                inner = {"narrative": one} if field == "narrative" else {INSIDE[field][name]: value for name, value in one.items()}  # fmt: skip
                columns = {column.name: None for column in made[table].columns}
                rows[table].append(
                    {**columns, "number": next(numbers), "crime_ref": reference, **inner}
                )
    references = [record["crime_ref"] for record in records]
    with engine.begin() as connection:
        for name, target in made.items():
            connection.execute(target.delete().where(target.c.crime_ref.in_(references)))
            if rows[name]:
                connection.execute(target.insert(), rows[name])
    engine.dispose()


def source(url: str, **changes: Any) -> DatabaseSource:
    return DatabaseSource(**{"url": url, "queries": QUERIES, **changes})


@pytest.fixture
def run(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> Callable[..., RefreshResult]:
    """Run a refresh from files or a database."""

    def go(
        reading: Path | DatabaseSource,
        mode: RefreshMode = "full",
        tombstones: tuple[Path, ...] = (),
    ) -> RefreshResult:
        files = isinstance(reading, Path)
        plan = RefreshPlan(
            paths=(reading,) if isinstance(reading, Path) else (),
            rejects_folder=tmp_path / "rejects",
            tombstones=tombstones,
            database=None if files or isinstance(reading, Path) else reading,
        )
        return refresh_index(
            client,
            index,
            plan,
            RefreshOptions(
                RefreshSettings(),
                lambda term: build_term_query(parse_term(term)).to_dict(),
                mode,
            ),
            SILENT,
        )

    return go


def execute(url: str, *statements: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def unlinked(number: int) -> list[dict[str, Any]]:
    """Records without links: one that was resolved counts as changed when it is read again."""
    return [{**one, "linked": []} for one in generate_records(number)]


# -- the same records ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["on_sqlite", "on_postgres"])
def test_the_same_records_give_the_same_content(
    kind: str, run: Callable[..., RefreshResult], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    records = list(generate_records(400))
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in records))
    from_file = run(path).generation
    url = request.getfixturevalue(kind)
    fill(url, records)
    from_database = run(source(url)).generation
    assert from_database.read == from_database.indexed == 400
    assert from_database.content_hash == from_file.content_hash
    assert from_database.watermark == from_file.watermark
    shown = url.replace(f"{USER}:{PASSWORD}@", "").partition("?")[0].replace("+psycopg", "")
    assert from_database.sources == (shown,)


@pytest.mark.parametrize("kind", ["on_sqlite", "on_postgres"])
def test_an_increment_by_watermark_ends_where_a_full_refresh_ends(
    kind: str,
    run: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
    request: pytest.FixtureRequest,
) -> None:
    """A change that was committed late, with a moment before the newest one held, is picked up."""
    url = request.getfixturevalue(kind)
    records = unlinked(200)
    newest = max(one["updated_at"] for one in records)
    a_day_before = (datetime.fromisoformat(newest) - timedelta(hours=20)).isoformat()
    marked = source(url, watermark="updated_at", overlap=timedelta(days=1))
    fill(url, records)
    run(marked)
    late = {**records[3], "updated_at": a_day_before, "narrative": ["Late."], "victims": []}
    ahead = f"{datetime.now(UTC) + timedelta(hours=20):%Y-%m-%dT%H:%M:%SZ}"  # by a wrong clock
    new = {**records[4], "crime_ref": "NEW", "updated_at": ahead}
    silent = {**records[5], "narrative": ["No watermark moved, so nobody can know."]}
    fill(url, [late, new, silent])
    done = run(marked, "incremental").generation
    assert done.read < 10
    assert (done.indexed, done.records) == (2, 201)
    found = read_live_records(client, index.alias)
    assert found[late["crime_ref"]]["narrative"] == ["Late."]
    assert "victims" not in found[late["crime_ref"]]
    assert len(found["NEW"]["narrative"]) > 1
    fill(url, [{**silent, "narrative": records[5]["narrative"]}])
    full = run(marked).generation
    assert full.content_hash == done.content_hash


def test_a_deletion_without_a_time_does_not_hide_later_changes(
    run: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
    on_sqlite: str,
    tmp_path: Path,
) -> None:
    """The time of the load, which such a deletion gets, is later than what a copy of the database
    that is filled once a night shows the next night."""
    records = unlinked(200)
    marked = source(on_sqlite, watermark="updated_at")
    fill(on_sqlite, records)
    before = run(marked).generation
    deletions = tmp_path / "deleted.txt"
    deletions.write_text(f"{records[7]['crime_ref']}\n")
    done = run(marked, "incremental", tombstones=(deletions,)).generation
    assert (done.records, done.watermark) == (199, before.watermark)
    later = f"{datetime.now(UTC) - timedelta(hours=5):%Y-%m-%dT%H:%M:%SZ}"
    fill(on_sqlite, [{**records[3], "updated_at": later, "narrative": ["Changed."]}])
    run(marked, "incremental")
    found = read_live_records(client, index.alias)
    assert found[records[3]["crime_ref"]]["narrative"] == ["Changed."]


def test_an_increment_without_a_watermark_compares_everything(
    run: Callable[..., RefreshResult], on_sqlite: str
) -> None:
    records = unlinked(50)
    fill(on_sqlite, records)
    run(source(on_sqlite))
    fill(on_sqlite, [{**records[7], "narrative": ["Other."]}])
    done = run(source(on_sqlite), "incremental").generation
    assert (done.read, done.unchanged, done.indexed) == (50, 49, 1)


@pytest.mark.parametrize("watermark", [{}, {"watermark": "updated_at", "overlap": timedelta(0)}])
def test_an_increment_from_a_database_that_lost_its_records_is_refused(
    watermark: dict[str, Any],
    run: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
    on_sqlite: str,
    tmp_path: Path,
) -> None:
    """It would succeed every night, and the index would grow old without a word; even if a list of
    deletions has a line."""
    fill(on_sqlite, unlinked(20))
    marked = source(on_sqlite, **watermark)
    run(marked)
    last = run(marked, "incremental").generation.name  # nothing has changed, which is no fault
    with sa.create_engine(on_sqlite).begin() as connection:
        for table in QUERIES:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    with pytest.raises(SourceError, match="not even the last one that is in the index"):
        run(marked, "incremental")
    deletions = tmp_path / "deleted.txt"
    deletions.write_text("GONE/1\n")
    with pytest.raises(SourceError, match="not even the last one that is in the index"):
        run(marked, "incremental", tombstones=(deletions,))
    fill(on_sqlite, [{"crime_ref": "GONE/2", "status": "deleted"}])  # every night again
    with pytest.raises(SourceError, match="not even the last one that is in the index"):
        run(marked, "incremental")
    assert find_live_name(client, index.alias) == last


def test_an_increment_whose_table_of_victims_is_empty_is_refused(
    run: Callable[..., RefreshResult], client: Elasticsearch, index: IndexSettings, on_sqlite: str
) -> None:
    """One night's changes are few among all, so comparing the generations shows nothing."""
    records = unlinked(200)
    fill(on_sqlite, records)
    marked = source(on_sqlite, watermark="updated_at", overlap=timedelta(0))
    live = run(marked).generation.name
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    fill(on_sqlite, [{**record, "updated_at": now, "victims": []} for record in records[:20]])
    had = sum(bool(record.get("victims")) for record in records[:20])
    with pytest.raises(GenerationError, match=f"of {had} that had victims, {had} have none now"):
        run(marked, "incremental")
    assert find_live_name(client, index.alias) == live


# -- the order of entries ------------------------------------------------------------------------

PLANS = {
    "Hash": "enable_mergejoin = off, enable_nestloop = off",
    "Merge": "enable_hashjoin = off, enable_nestloop = off",
    "Nested": "enable_hashjoin = off, enable_mergejoin = off",
}

ENTRIES = (
    "the caller said app",
    "nothing further of note was recorded that day by anyone",
    "Hinge was named",
)


def fill_log(url: str, crimes: int) -> None:
    """Crimes with three entries each, whose rows lie in no order; every fiftieth is new."""
    entries = " UNION ALL ".join(f"SELECT {n}, '{text}'" for n, text in enumerate(ENTRIES))
    execute(
        url,
        "CREATE TABLE crimes (crime_ref text PRIMARY KEY, updated_at timestamptz)",
        f"INSERT INTO crimes SELECT 'C' || n, timestamptz '2020-01-01' + n % 50 * interval '1 day' FROM generate_series(1, {crimes}) n",
        "CREATE TABLE log (crime_ref text, entry_no int, entry text)",
        f"INSERT INTO log SELECT crime_ref, entry_no, entry FROM crimes, ({entries}) e (entry_no, entry) ORDER BY md5(crime_ref || entry_no)",
        "CREATE INDEX ON log (crime_ref, entry)",
        "ANALYZE",
    )  # fmt: skip


def find_plan(url: str, join: str) -> str:
    """Force one kind of join on every new connection. The plan of a query as an increment's."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        for setting in ("RESET ALL", *(f"SET {part}" for part in PLANS[join].split(", "))):
            connection.exec_driver_sql(f'ALTER DATABASE "{engine.url.database}" {setting}')
    with engine.connect() as connection:
        plan = connection.exec_driver_sql(
            "EXPLAIN SELECT * FROM (SELECT * FROM log ORDER BY entry_no) l WHERE crime_ref IN "
            "(SELECT crime_ref FROM crimes WHERE updated_at > '2020-02-18')"
        )
        return "\n".join(plan.scalars())


@pytest.mark.timeout(3_000)
@pytest.mark.parametrize("by", ["query", "column"])
def test_entries_keep_their_order_whatever_plan_the_database_chooses(
    by: str,
    run: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
    on_postgres: str,
) -> None:
    """2,000 crimes, and 100,000 in the long run. No text changes, so nothing may be indexed."""
    crimes = repeats(2_000, 100_000)
    fill_log(on_postgres, crimes)
    log = "SELECT crime_ref, entry AS narrative{} FROM log{}"
    reading = source(
        on_postgres,
        queries={
            "crimes": "SELECT crime_ref, DATE '2019-06-01' AS recorded_on, '22B' AS offence_code, updated_at FROM crimes",
            "narratives": log.format(*(("", " ORDER BY entry_no") if by == "query" else (", entry_no", ""))),
        },
        order={} if by == "query" else {"narratives": "entry_no"},
        watermark="updated_at",
    )  # fmt: skip
    content_hash = run(reading).generation.content_hash
    stored = read_live_records(client, index.alias).values()
    assert {"".join(record["narrative"]) for record in stored} == {"\n\n".join(ENTRIES)}
    for join in PLANS:
        assert join in find_plan(on_postgres, join)
        done = run(reading, "incremental").generation
        assert (done.read, done.indexed) == (crimes // 50, 0)
        assert done.content_hash == content_hash
        full = run(reading).generation
        assert (full.read, full.content_hash) == (crimes, content_hash)


# -- PostgreSQL ----------------------------------------------------------------------------------


def many(url: str, number: int, size: int = 100) -> None:
    execute(
        url,
        "CREATE TABLE crimes (crime_ref text, recorded_on date, offence_code text, narrative text)",
        "CREATE TABLE victims (crime_ref text, age int)",
        f"INSERT INTO crimes SELECT 'C' || n, DATE '2019-06-01' + n % 300, '22B', repeat('text of ' || n || '. ', {size}) FROM generate_series(1, {number}) n",
        f"INSERT INTO victims SELECT 'C' || n, 15 FROM generate_series(1, {number}, 3) n",
    )


SIMPLE = {"crimes": "SELECT * FROM crimes", "victims": "SELECT * FROM victims"}

SLOW = {**SIMPLE, "crimes": "SELECT * FROM crimes WHERE pg_sleep(0.002) IS NOT NULL"}


class Meanwhile(threading.Thread):
    """Another session: once foidex fetches rows, it runs a statement."""

    def __init__(self, url: str, statement: str) -> None:
        super().__init__()
        self.engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        self.statement = statement
        self.done = False

    def run(self) -> None:
        fetching = sa.text(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'foidex' "
            "AND datname = current_database() AND query LIKE 'FETCH%'"
        )
        until = time.monotonic() + 60
        with self.engine.connect() as connection:
            while not self.done and time.monotonic() < until:
                if pid := connection.execute(fetching).scalar():
                    for one in self.statement.format(pid=pid).split(";"):
                        connection.exec_driver_sql(one)
                    self.done = True
                time.sleep(0.01)
        self.engine.dispose()


def test_a_connection_that_breaks_in_the_middle_changes_nothing(
    run: Callable[..., RefreshResult],
    client: Elasticsearch,
    index: IndexSettings,
    on_postgres: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    many(on_postgres, 2_000)
    before = run(source(on_postgres, queries=SIMPLE)).generation
    breaker = Meanwhile(on_postgres, "SELECT pg_terminate_backend({pid})")
    breaker.start()
    # Whether the server's word comes through before the connection is gone is chance.
    told = r"failed after [\d,]+ rows of \w+ \((AdminShutdown 57P01|OperationalError)\)"
    with pytest.raises(SourceError, match=told):
        run(source(on_postgres, queries=SLOW))
    gc.collect()  # a cursor left open would be told now
    breaker.join()
    assert breaker.done
    assert find_live_name(client, index.alias) == before.name
    assert list(client.indices.get(index=f"{index.alias}-*").body) == [before.name]
    assert capfd.readouterr().err == ""


def test_a_lost_connection_does_not_hide_what_was_wrong(on_postgres: str) -> None:
    def lose() -> None:
        with connect_database(source(on_postgres)) as connection:
            lost = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            execute(on_postgres, f"SELECT pg_terminate_backend({lost}, 10000)")
            raise SourceError("what was wrong")

    with pytest.raises(SourceError, match="what was wrong"):
        lose()


def test_no_cursor_of_a_lost_connection_stays_open(on_postgres: str) -> None:
    """Its own close() fails where the server is gone and the driver has not yet noticed."""
    many(on_postgres, 5)

    def lose() -> None:
        with connect_database(source(on_postgres)) as connection:
            lost = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            options = {"stream_results": True, "max_row_buffer": 1}
            rows = connection.execute(sa.text("SELECT * FROM crimes"), execution_options=options)
            execute(on_postgres, f"SELECT pg_terminate_backend({lost}, 10000)")
            rows.close()

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with suppress(sa.exc.DBAPIError):
            lose()
        gc.collect()
    assert [str(one.message) for one in told] == []


def test_all_tables_are_of_one_moment(on_postgres: str) -> None:
    """The victims are read first; what is committed meanwhile belongs to no record."""
    many(on_postgres, 700)
    writer = Meanwhile(
        on_postgres,
        "INSERT INTO crimes VALUES ('NEW', '2019-01-01', '22B', '');"
        "INSERT INTO victims VALUES ('NEW', 15);DELETE FROM crimes WHERE crime_ref = 'C1'",
    )
    writer.start()
    slow = {
        **SIMPLE,
        "victims": "SELECT * FROM victims WHERE crime_ref <> '' AND pg_sleep(0.005) IS NOT NULL",
    }
    found = list(read_database(source(on_postgres, queries=slow), FieldMap()))
    writer.join()
    assert writer.done
    references = {one.raw["crime_ref"] for one in found if isinstance(one.raw, dict)}
    assert references == {f"C{n}" for n in range(1, 701)}
    assert not [one for one in found if one.error]


def test_nothing_can_be_written(on_postgres: str) -> None:
    many(on_postgres, 1)
    queries = {"crimes": "WITH gone AS (DELETE FROM crimes RETURNING *) SELECT * FROM gone"}
    with pytest.raises(SourceError):
        check_database(source(on_postgres, queries=queries), FieldMap())
    execute(on_postgres, "CREATE FUNCTION clear() RETURNS text LANGUAGE sql AS 'DELETE FROM victims; SELECT crime_ref FROM crimes'")  # fmt: skip
    queries = {"crimes": "SELECT clear() AS crime_ref, recorded_on, offence_code, narrative FROM crimes"}  # fmt: skip
    with pytest.raises(SourceError, match=r"ReadOnlySqlTransaction 25006"):
        list(read_database(source(on_postgres, queries=queries), FieldMap()))


def test_many_rows_take_bounded_memory(on_postgres: str) -> None:
    """60,000 records of 2 KB: over 120 MB, read in less than half of it."""
    many(on_postgres, 60_000, size=120)
    reading = read_database(source(on_postgres, queries=SIMPLE), FieldMap())
    next(reading)
    process = psutil.Process()
    start = most = process.memory_info().rss
    size = 0
    for number, one in enumerate(reading):
        assert isinstance(one.raw, dict)
        size += len(one.raw["narrative"])
        if number % 1_000 == 0:
            most = max(most, process.memory_info().rss)
    assert size > 100_000_000
    assert most - start < 50_000_000


@pytest.mark.parametrize(
    ("crimes", "told"),
    [
        ("SELECT * FORM crimes", 'source.queries.crimes: syntax error at or near "FORM". Correct the query.'),
        ("SELECT ref FROM crimes", 'source.queries.crimes: column "ref" does not exist. Correct the query.'),
        ("SELECT * FROM crime", 'source.queries.crimes: relation "crime" does not exist. Correct the query.'),
        ("SELECT *, 1 AS recorded FROM crimes", 'has an unknown column "recorded". Did you mean "recorded_on"?'),
        ("SELECT recorded_on FROM crimes", 'source.queries.crimes: lacks the column "crime_ref". Add it.'),
    ],
)  # fmt: skip
def test_a_wrong_query_is_told(on_postgres: str, crimes: str, told: str) -> None:
    many(on_postgres, 1)
    with pytest.raises(SourceError) as refused:
        check_database(source(on_postgres, queries={"crimes": crimes}), FieldMap())
    assert told in str(refused.value)


def test_a_table_that_the_user_may_not_read_is_told(on_postgres: str) -> None:
    many(on_postgres, 1)
    execute(on_postgres, "DROP ROLE IF EXISTS few", "CREATE ROLE few")
    query = {"crimes": "SELECT * FROM crimes"}
    url = f"{on_postgres}{'&' if '?' in on_postgres else '?'}options=-crole%3Dfew"
    told = "permission denied for table crimes. Ask for the right to read it, or correct the query."
    with pytest.raises(SourceError, match=told):
        check_database(source(url, queries=query), FieldMap())


ONE = (
    "SELECT 'R1' AS crime_ref, DATE '2020-06-01' AS recorded_on, '8N' AS offence_code, "
    "TIMESTAMPTZ '2020-06-02T10:00Z' AS updated_at, E'{}' AS narrative"
)


def read_one(url: str, text: str = "") -> dict[str, Any]:
    (raw,) = read_database(source(url, queries={"crimes": ONE.format(text)}), FieldMap())
    assert isinstance(raw.raw, dict)
    return raw.raw


@pytest.mark.parametrize("style", ["SQL, DMY", "German", "Postgres, MDY"])
def test_times_are_read_whatever_style_the_role_asks_for(on_postgres: str, style: str) -> None:
    execute(on_postgres, f"ALTER ROLE {USER} SET DateStyle = '{style}'")
    try:
        fields = read_one(on_postgres)
    finally:
        execute(on_postgres, f"ALTER ROLE {USER} RESET DateStyle")
    assert fields["recorded_on"] == date(2020, 6, 1)
    assert fields["updated_at"] == datetime(2020, 6, 2, 10, tzinfo=UTC)


def test_a_database_without_an_encoding_is_read_and_a_text_that_is_not_utf_8_told(
    server_of_records: Postgres,
) -> None:
    engine = sa.create_engine(server_of_records.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE DATABASE bare ENCODING 'SQL_ASCII' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
        )
    engine.dispose()
    url = server_of_records.url("bare")
    assert read_one(url, r"caf\xc3\xa9")["narrative"] == "café"
    with pytest.raises(SourceError, match=r"name the encoding.*: \?client_encoding=latin1\."):
        read_one(url, r"caf\xe9")
    assert read_one(f"{url}&client_encoding=latin1", r"caf\xe9")["narrative"] == "café"


def test_what_a_value_says_is_never_told(on_postgres: str) -> None:
    """PostgreSQL quotes the value it cannot read."""
    many(on_postgres, 5)
    execute(on_postgres, f"UPDATE crimes SET narrative = '{CANARY}'")
    queries = {"crimes": "SELECT crime_ref, recorded_on, offence_code, narrative, narrative::int AS outcome FROM crimes"}  # fmt: skip
    with pytest.raises(SourceError) as refused:
        list(read_database(source(on_postgres, queries=queries), FieldMap()))
    assert "after 0 rows of crimes (InvalidTextRepresentation 22P02)" in str(refused.value)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("recorded_on", "'infinity'::date"),
        ("recorded_on", "'-infinity'::timestamp"),
        ("recorded_on", "'0044-03-15 BC'::date"),
        ("recorded_on", "'24:00'::time"),
        ("updated_at", "'infinity'::timestamptz"),
        ("updated_at", "'12000-01-01'::timestamptz"),
        ("updated_at", "'0044-03-15 BC'::timestamptz"),
        ("outcome", "1e30::numeric"),
        ("outcome", "'300000 years'::interval"),
        ("outcome", "'NaN'::numeric"),
    ],
)
def test_a_value_that_python_does_not_have_rejects_its_row_alone(
    on_postgres: str, column: str, text: str
) -> None:
    """The driver refused the whole answer of the query, so no refresh could run."""
    row = {"recorded_on": "DATE '2019-06-01'", "updated_at": "now()", "outcome": "1"}
    columns = ", ".join(f"{value} AS {key}" for key, value in (row | {column: text}).items())
    queries = {"crimes": f"SELECT 'A' AS crime_ref, '22B' AS offence_code, 'x' AS narrative, {columns}"}  # fmt: skip
    (found,) = read_database(source(on_postgres, queries=queries), FieldMap())
    assert isinstance(found.raw, dict)
    with pytest.raises(RecordError, match=f'"{column}" is '):
        parse_record_mapping(found.raw)
    assert encode_document(found.raw)  # as the rejects file needs


def test_an_entry_whose_place_python_does_not_have_is_not_put_in_order(on_postgres: str) -> None:
    """As text, the year 12000 would come before 2020."""
    queries = {
        "crimes": "SELECT 'A' AS crime_ref, DATE '2019-06-01' AS recorded_on, '22B' AS offence_code",
        "narratives": "SELECT 'A' AS crime_ref, entry AS narrative, at FROM (VALUES ('first', DATE '2020-01-01'), ('second', DATE '12000-01-01')) AS log (entry, at)",
    }  # fmt: skip
    database = source(on_postgres, queries=queries, order={"narratives": "at"})
    (found,) = read_database(database, FieldMap())
    assert found.error_kind == "the order of its entries is not certain"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((f"//{USER}", "//ZQXNOBODY"), "password authentication failed"),
        ((PASSWORD, "ZQXWRONG"), "password authentication failed"),
        (("/postgres?", "/nowhere?"), 'database "nowhere" does not exist'),
        (("host=/", "host=/nowhere/"), "No such file or directory"),
    ],
    ids=["user", "password", "database", "socket"],
)
def test_a_database_that_refuses_us_is_told_without_secrets(
    server_of_records: Postgres, change: tuple[str, str], told: str
) -> None:
    url = server_of_records.url().replace(*change)
    with pytest.raises(SourceError) as refused:
        check_database(source(url), FieldMap())
    assert "the database cannot be reached, or refused the connection" in str(refused.value)
    assert told in str(refused.value)
    for secret in (PASSWORD, f'"{USER}"', "ZQX"):
        assert secret not in str(refused.value)


def test_a_driver_that_reads_whole_tables_is_refused(on_postgres: str) -> None:
    url = on_postgres.replace("+psycopg", "+psycopg_async")
    with pytest.raises(ConfigurationError, match="cannot read a table in parts"):
        check_database(source(url), FieldMap())


# -- the command line ----------------------------------------------------------------------------


def test_the_nightly_refresh_runs_from_a_database(
    environment: dict[str, str], on_postgres: str, tmp_path: Path
) -> None:
    fill(on_postgres, list(generate_records(30)))
    execute(
        on_postgres,
        f"INSERT INTO crimes VALUES ('{CANARY}', '22B', NULL, NULL, NULL), ('B', '22B', '{CANARY}', '2019-01-01', NULL)",
    )
    queries = "\n".join(f"{name} = {json.dumps(sql)}" for name, sql in QUERIES.items())
    (tmp_path / "foidex.toml").write_text(
        f'[source]\nwatermark = "updated_at"\n[source.queries]\n{queries}\n'
        '[refresh]\nmax_rejects = 2\nreport = "report.json"\n'
    )

    def foidex(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, *arguments],
            cwd=tmp_path,
            env={**environment, "FOIDEX_DATABASE_URL": on_postgres, **changes},
            capture_output=True,
            text=True,
            check=False,
        )
        for text in (done.stdout, done.stderr):
            assert PASSWORD not in text
            assert CANARY not in text
            assert "Traceback" not in text
        return done

    checked = foidex("refresh", "--check")
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("32 records read: 30 valid, 0 deletions, 2 invalid.\n")
    done = foidex("refresh")
    assert done.returncode == 0, done.stderr
    report = json.loads(Path(environment["FOIDEX_HOME"], "report.json").read_text())
    assert sorted(report["reasons"]) == [
        'crimes row 31: "recorded_on" is empty, and every record needs it. Fill it in.',
        'crimes row 32: "status" is text of the shape aaaaaaaaa, not recorded, cancelled, transferred or deleted. Correct it.',
    ]
    rejected = [json.loads(one) for one in Path(report["rejects"]).read_text().splitlines()]
    assert [one["crime_ref"] for one in rejected] == [CANARY, "B"]
    status = foidex("status")
    assert "Sources     postgresql:///t" in status.stdout
    assert foidex("refresh", "--incremental").returncode == 0
    gone = foidex("refresh", FOIDEX_DATABASE_URL=on_postgres.replace("/t", "/u"))
    assert gone.returncode == 4
    assert "the database cannot be reached" in gone.stderr
    assert foidex("refresh", FOIDEX_DATABASE_URL="crimes").returncode == 10
