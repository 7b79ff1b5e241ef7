"""The store of reviews, on SQLite and on a real PostgreSQL: nothing decided is lost or changed, and
two people never get the same record."""

from __future__ import annotations

import os
import re
import secrets
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from indexer.errors import ConfigurationError, ReviewError
from queries.evidence.population import hash_text
from queries.review.types import Reading, ReviewedRecords, Stratum, Verdict
from queries.reviewing.approvals import Approval, ApprovalKey, ReleaseText
from queries.reviewing.store import migration
from queries.reviewing.store.approval_store import ApprovalLostError
from queries.reviewing.store.database import ReviewDatabase, open_database
from queries.reviewing.store.migration import VERSION_TABLE
from queries.reviewing.store.review_store import ReviewStore, TurnLostError, open_store
from queries.reviewing.store.schema import APPEND_ONLY, METADATA
from queries.reviewing.store.versions import v0001_reviews
from queries.reviewing.turns import Turn
from tests.support.paths import ROOT
from tests.support.postgres import PASSWORD, Postgres, running
from tests.support.stored_reviews import (
    Clock,
    judge,
    make_population,
    make_review,
    read_all,
    read_next,
)

NAME = "FOI-1-Q1"


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of its own for each test."""
    if request.param == "sqlite":
        return str(tmp_path / "private" / "reviews.sqlite")
    server: Postgres = request.getfixturevalue("postgres")
    name = f"store_{secrets.token_hex(4)}"
    engine = sa.create_engine(server.url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.url(name)


@pytest.fixture
def database(url: str) -> Iterator[ReviewDatabase]:
    with open_database(url) as opened:
        yield opened


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(database: ReviewDatabase, clock: Clock) -> ReviewStore:
    return ReviewStore(database, timedelta(minutes=30), clock)


def test_a_review_is_read_as_it_was_stored(store: ReviewStore) -> None:
    stored, population = make_review()
    store.create(stored, population)
    assert store.find(NAME) == stored
    assert store.list_reviews() == [stored]
    assert store.list_population(NAME) == population
    assert len(store.read_state(NAME).records) == 10


def test_the_schema_is_what_the_migrations_make(url: str) -> None:
    with open_database(url) as database, database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, METADATA) == []
    with open_database(url):  # again: nothing is left to do
        pass


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET review_id = 0", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_was_written(
    store: ReviewStore, database: ReviewDatabase, table: str, change: str
) -> None:
    store.create(*make_review())
    assert read_next(store, NAME, "ann")
    store.end_second_readings(NAME, "ann", "One reader only.")
    if table == "approvals":
        with database.write() as connection:
            connection.execute(
                sa.text(
                    "INSERT INTO approvals (reference, content_hash, is_approved, "
                    "request_reference, approved_by, approved_at) "
                    "VALUES ('SYN-1', 'x', true, 'FOI/1', 'ann', 'now')"
                )
            )
    statement = change.format(table)
    if "review_id" in statement and table in ("reviews", "approvals"):
        statement = f"UPDATE {table} SET id = 7"
    with pytest.raises(ReviewError, match="cannot be used"), database.write() as connection:
        connection.execute(sa.text(statement))
    with database.read() as connection:
        assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()


KEY = ApprovalKey("crimes", "FOI/1", "L1")


def make_release_text(text: str = "Kept by someone 7.") -> ReleaseText:
    return ReleaseText(
        reference="SYN-1",
        recorded_on=date(2023, 1, 1),
        offence_code="22B",
        content_hash=hash_text([text]),
        text=text,
        line="22B",
        headings=("Offence",),
        values=("22B",),
    )


def make_approval(text: ReleaseText, user: str, *, is_approved: bool = True) -> Approval:
    hidden = ((8, 15),) if is_approved else ()
    return Approval(
        text.reference, text.content_hash, text.hash_shown(hidden), hidden, is_approved, user, ""
    )


def test_the_last_decision_on_a_text_holds_for_that_text_alone(store: ReviewStore) -> None:
    text, approvals = make_release_text(), store.approvals
    approvals.decide(KEY, text, None, make_approval(text, "ann"))
    (last,) = approvals.read_last(KEY).values()
    assert (last.is_approved, last.hidden, last.approved_by) == (True, ((8, 15),), "ann")
    assert last.approved_at == "2024-03-04T09:00:00Z"
    assert text.is_decided_by(last)
    assert not make_release_text("Kept by somebody 7.").is_decided_by(last)
    approvals.decide(KEY, text, last, make_approval(text, "bob", is_approved=False))
    assert not approvals.read_last(KEY)["SYN-1"].is_approved
    assert approvals.read_last(ApprovalKey("crimes", "FOI/1", "L2")) == {}
    assert approvals.read_last(ApprovalKey("crimes", "FOI/2", "L1")) == {}


def test_who_decides_on_a_text_that_another_decided_meanwhile_is_told(store: ReviewStore) -> None:
    text, approvals = make_release_text(), store.approvals
    approvals.decide(KEY, text, None, make_approval(text, "ann", is_approved=False))
    with pytest.raises(ApprovalLostError, match="meanwhile"):
        approvals.decide(KEY, text, None, make_approval(text, "bob"))
    approvals.decide(KEY, text, None, make_approval(text, "ann"))  # her own may be changed
    assert approvals.read_last(KEY)["SYN-1"].is_approved


def test_a_store_without_texts_for_release_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "reviews.sqlite"
    with open_database(str(path)):
        pass
    with sqlite3.connect(path) as connection:
        for column in ("alias", "question", "shown_hash", "hidden"):
            connection.execute(f"ALTER TABLE approvals DROP COLUMN {column}")
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '0002'")
    connection.close()
    with open_store(str(path)) as store:
        text = make_release_text()
        store.approvals.decide(KEY, text, None, make_approval(text, "ann"))
        assert store.approvals.read_last(KEY)


def test_each_record_of_the_sample_is_read_once_and_its_share_twice(store: ReviewStore) -> None:
    store.create(*make_review())
    ann, bob = read_all(store, NAME, "ann"), read_all(store, NAME, "bob")
    assert {turn.reading for turn in ann} == {Reading.FIRST}
    assert {turn.reading for turn in bob} == {Reading.SECOND}
    records = store.read_state(NAME).records
    assert Counter(ref for turn in ann for ref in turn.references) == Counter(
        record.reference for record in records
    )
    assert [ref for turn in bob for ref in turn.references] == [
        record.reference for record in records if record.second_reading
    ]
    assert len(bob) == 2
    assert store.claim(NAME, "cem") is None


def test_the_first_reader_is_never_the_second(store: ReviewStore) -> None:
    store.create(*make_review(second_share=Fraction(1)))
    assert len(read_all(store, NAME, "ann")) == 10
    assert store.claim(NAME, "ann") is None
    assert store.claim(NAME, "bob") is not None


def test_what_is_reserved_is_not_given_to_others_until_it_lapses(
    store: ReviewStore, clock: Clock
) -> None:
    store.create(*make_review(sample=1, second_share=Fraction(0)))
    turn = store.claim(NAME, "ann")
    assert turn
    assert store.claim(NAME, "bob") is None
    assert store.claim(NAME, "ann") == turn  # as after a crash of her machine
    clock.pass_minutes(31)
    other = store.claim(NAME, "bob")
    assert other
    assert other.references == turn.references
    store.decide(other, judge(other))
    with pytest.raises(TurnLostError, match="meanwhile"):
        store.decide(turn, judge(turn))
    assert [one.reviewer for one in store.list_decisions(NAME)] == ["bob"]


def test_a_decision_that_is_late_counts_if_nobody_else_took_the_record(
    store: ReviewStore, clock: Clock
) -> None:
    store.create(*make_review(sample=1, second_share=Fraction(0)))
    turn = store.claim(NAME, "ann")
    assert turn
    clock.pass_minutes(600)
    store.decide(turn, judge(turn))
    assert [one.reviewer for one in store.list_decisions(NAME)] == ["ann"]


def test_what_is_released_is_the_next_record_of_somebody_else(store: ReviewStore) -> None:
    store.create(*make_review())
    turn = store.claim(NAME, "ann")
    assert turn
    store.release(turn)
    other = store.claim(NAME, "bob")
    assert other
    assert other.references == turn.references


def test_records_with_the_same_text_are_one_turn(store: ReviewStore) -> None:
    store.create(
        *make_review(
            population=make_population(12, (1, 4, 7)), sample=None, second_share=Fraction(0)
        )
    )
    turns = read_all(store, NAME, "ann")
    assert sorted(len(turn.records) for turn in turns) == [1] * 9 + [3]
    (group,) = [turn for turn in turns if len(turn.records) == 3]
    assert {*group.references} == {"SYN-0001", "SYN-0004", "SYN-0007"}
    assert len(store.list_decisions(NAME)) == 12


def test_a_decision_is_changed_by_a_new_one_and_both_are_kept(store: ReviewStore) -> None:
    store.create(*make_review())
    turn = read_next(store, NAME, "ann", Verdict.RELEVANT)
    assert turn
    _, again = store.reopen(NAME, "ann")
    assert again.is_change
    assert again.references == turn.references
    store.decide(again, judge(again, Verdict.NOT_RELEVANT))
    assert [one.verdict for one in store.list_decisions(NAME)] == ["relevant", "not relevant"]
    state = store.read_state(NAME)
    assert state.decisions[turn.references[0], Reading.FIRST].verdict is Verdict.NOT_RELEVANT


def test_one_goes_back_step_by_step_and_only_over_own_decisions(store: ReviewStore) -> None:
    store.create(*make_review(second_share=Fraction(0)))
    ann = read_next(store, NAME, "ann")
    bob = read_next(store, NAME, "bob")
    last = read_next(store, NAME, "ann")
    assert ann
    assert bob
    assert last
    number, turn = store.reopen(NAME, "ann")
    assert turn.references == last.references
    number, turn = store.reopen(NAME, "ann", number)
    assert turn.references == ann.references
    with pytest.raises(ReviewError, match="no decision of yours"):
        store.reopen(NAME, "ann", number)


def test_a_first_decision_is_fixed_once_there_is_a_second(store: ReviewStore) -> None:
    store.create(*make_review(sample=1, second_share=Fraction(1)))
    read_next(store, NAME, "ann")
    number, pending = store.reopen(NAME, "ann")
    assert number
    read_next(store, NAME, "bob")
    with pytest.raises(ReviewError, match="cannot be changed any more"):
        store.reopen(NAME, "ann")
    with pytest.raises(TurnLostError):  # not even if it was opened before
        store.decide(pending, judge(pending, Verdict.UNSURE))


def test_nothing_is_settled_before_all_second_readings_are_done(store: ReviewStore) -> None:
    """Whoever settles sees what both decided, and that there is a conflict says that they differ."""
    store.create(*make_review(sample=2, second_share=Fraction(1)))
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    turn = read_next(store, NAME, "bob", Verdict.NOT_RELEVANT)
    assert turn
    for reader in ("ann", "bob", "cem"):
        assert store.claim(NAME, reader, settle=True) is None
    _, again = store.reopen(NAME, "bob")
    store.release(again)
    read_all(store, NAME, "bob", Verdict.RELEVANT)
    conflict = store.claim(NAME, "cem", settle=True)
    assert conflict
    assert (conflict.reading, conflict.references) == (Reading.SETTLING, turn.references)
    with pytest.raises(ReviewError, match="cannot be changed any more"):
        store.reopen(NAME, "bob")
    store.decide(conflict, judge(conflict))
    assert [one.reading for one in store.list_decisions(NAME)] == [1, 1, 2, 2, 3]
    assert store.claim(NAME, "cem", settle=True) is None


def test_second_decisions_are_fixed_once_all_are_made_and_stay_so(
    store: ReviewStore, clock: Clock
) -> None:
    """From then on the numbers of agreement are shown, from which a reader could learn."""
    store.create(*make_review(sample=2, second_share=Fraction(1)))
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    read_all(store, NAME, "bob", Verdict.NOT_RELEVANT)
    with pytest.raises(ReviewError, match="all second readings are done"):
        store.reopen(NAME, "bob")
    clock.pass_minutes(1)
    store.extend(NAME, (Stratum("", 30, 3),), "officer")
    with pytest.raises(ReviewError, match="cannot be changed any more"):
        store.reopen(NAME, "bob")


@pytest.mark.parametrize("minutes", [0, -60])
def test_a_clock_that_is_moved_back_frees_no_second_decision(
    store: ReviewStore, clock: Clock, minutes: int
) -> None:
    store.create(*make_review(sample=2, second_share=Fraction(1)))
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    read_all(store, NAME, "bob", Verdict.NOT_RELEVANT)
    clock.pass_minutes(minutes)
    store.extend(NAME, (Stratum("", 30, 3),), "officer")
    with pytest.raises(ReviewError, match="cannot be changed any more"):
        store.reopen(NAME, "bob")


def test_second_readings_are_ended_for_good(store: ReviewStore) -> None:
    store.create(*make_review(sample=4, second_share=Fraction(1)))
    read_all(store, NAME, "ann", Verdict.RELEVANT)
    read_next(store, NAME, "bob", Verdict.NOT_RELEVANT)
    late = store.claim(NAME, "bob")
    assert late
    assert not store.read_state(NAME).is_unblinded
    assert store.end_second_readings(NAME, "ann", "Bob has left.") == 3
    state = store.read_state(NAME)
    assert state.is_unblinded
    assert state.ending
    assert (state.ending.reason, state.ending.ended_by) == ("Bob has left.", "ann")
    with pytest.raises(TurnLostError, match="second readings were ended"):
        store.decide(late, judge(late))
    assert store.claim(NAME, "bob") is None
    conflict = store.claim(NAME, "cem", settle=True)  # what was read twice is still settled
    assert conflict
    assert conflict.reading is Reading.SETTLING
    with pytest.raises(ReviewError, match="ended already, by ann"):
        store.end_second_readings(NAME, "bob", "Again.")
    store.extend(NAME, (Stratum("", 30, 6),), "officer")
    assert len(read_all(store, NAME, "ann")) == 2
    assert store.claim(NAME, "bob") is None


def test_there_is_nothing_to_end_if_no_second_reading_is_missing(store: ReviewStore) -> None:
    store.create(*make_review(sample=2, second_share=Fraction(0)))
    with pytest.raises(ReviewError, match="no second reading"):
        store.end_second_readings(NAME, "ann", "x")


def test_a_store_of_the_version_before_is_read_as_before(url: str) -> None:
    """Made by the first migration alone, with a review whose sample has a time only."""
    engine = sa.create_engine(url if "://" in url else f"sqlite:///{url}")
    Path(url).parent.mkdir(exist_ok=True) if "://" not in url else None
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        with Operations.context(context):
            v0001_reviews.upgrade()
        context.stamp(ScriptDirectory(str(Path(migration.__file__).parent)), "0001")
        for statement in FIRST_VERSION_ROWS:
            connection.execute(sa.text(statement))
    engine.dispose()
    with open_store(url) as store:
        (stored,) = store.list_reviews()
        assert stored.review.records is ReviewedRecords.MENTIONS
        state = store.read_state("old")
        assert state.ending is None
        assert state.extended_after == {"SYN-1"}  # by its time, for want of its number
        store.extend("old", (Stratum("", 3, 3),), "officer")
        assert store.read_state("old").extended_after == {"SYN-1", "SYN-2"}


#: A review of three records, of which two were read twice, one before its sample was set.
FIRST_VERSION_ROWS = (
    "INSERT INTO reviews (name, alias, request_reference, request_hash, request, number, "
    "column_name, strata_by, criterion, seed, generation, confidence, second_share, created_at, "
    "created_by) VALUES ('old', 'crimes', 'FOI/1', 'x', '{}', 'Q1:total', '', '', 'It was used.', "
    "'a seed', 'crimes-1', 0.95, 1.0, '2024-01-01T00:00:00Z', 'officer')",
    "INSERT INTO strata VALUES (1, '', 0, 3)",
    "INSERT INTO samples (review_id, stratum, size, set_at, set_by) VALUES "
    "(1, '', 2, '2024-01-05T00:00:00Z', 'officer')",
    *(
        f"INSERT INTO records VALUES (1, 'SYN-{one}', '', {one}, 'hash {one}', true)"
        for one in (1, 2, 3)
    ),
    *(
        "INSERT INTO decisions (review_id, reference, reading, verdict, reviewer, decided_at, "
        f"content_hash, seconds, batch) VALUES (1, 'SYN-{one}', {reading}, 'relevant', '{reader}', "
        f"'2024-01-0{day}T00:00:00Z', 'hash {one}', 5, '{one}{reading}')"
        for one, reading, reader, day in (
            (1, 1, "ann", 2), (1, 2, "bob", 3), (2, 1, "ann", 4), (2, 2, "bob", 6),
        )
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        (Verdict.RELEVANT, Verdict.RELEVANT, 0),
        (Verdict.RELEVANT, Verdict.NOT_RELEVANT, 1),
        (Verdict.UNSURE, Verdict.UNSURE, 1),
        (Verdict.UNSURE, None, 0),
    ],
)
def test_conflicts_are_settled_when_both_have_read(
    store: ReviewStore, first: Verdict, second: Verdict | None, count: int
) -> None:
    store.create(*make_review(sample=1, second_share=Fraction(1)))
    read_next(store, NAME, "ann", first)
    if second:
        read_next(store, NAME, "bob", second)
    assert bool(store.claim(NAME, "cem", settle=True)) == count


def test_an_extended_sample_begins_with_what_was_read(store: ReviewStore) -> None:
    store.create(*make_review(sample=5))
    before = store.read_state(NAME)
    read_all(store, NAME, "ann")
    after = store.extend(NAME, (Stratum("", 30, 9),), "officer")
    assert after.records[:5] == before.records
    assert len(after.records) == 9
    assert len(read_all(store, NAME, "ann")) == 4
    for size in (8, 31):
        with pytest.raises(ReviewError, match="can only become larger"):
            store.extend(NAME, (Stratum("", 30, size),), "officer")
    assert len(store.read_state(NAME).records) == 9


def test_a_text_that_changed_is_read_again(store: ReviewStore) -> None:
    store.create(*make_review(sample=2, second_share=Fraction(0)))
    turns = read_all(store, NAME, "ann")
    reference = turns[0].references[0]
    assert store.claim(NAME, "bob") is None
    changed = {reference: "f" * 32}
    again = store.claim(NAME, "bob", changed)
    assert again
    assert again.references == (reference,)
    verdict = judge(again, Verdict.NOT_RELEVANT)
    store.decide(again, type(verdict)(verdict.verdict, 5, changed), changed)
    assert store.claim(NAME, "bob", changed) is None
    gone = {reference: ""}
    assert store.claim(NAME, "bob", gone) is None


def test_two_reviews_of_one_name_are_refused(store: ReviewStore) -> None:
    store.create(*make_review())
    with pytest.raises(ReviewError, match=f'"{NAME}" already'):
        store.create(*make_review())
    assert len(store.list_reviews()) == 1


def test_a_name_that_is_not_there_is_answered_with_the_closest(store: ReviewStore) -> None:
    with pytest.raises(ReviewError, match="no review yet"):
        store.find("x")
    store.create(*make_review())
    with pytest.raises(ReviewError, match=f'Did you mean "{NAME}"'):
        store.read_state("FOI-1-Q2")


def test_people_who_read_at_once_never_get_the_same_record(url: str) -> None:
    """But for a second reading, which is another one."""
    with open_store(url) as store:
        store.create(*make_review(sample=None, second_share=Fraction(1, 2)))
    turns: list[Turn] = []
    failures: list[BaseException] = []
    start = threading.Barrier(4)
    deadline = time.monotonic() + 100

    def read(reviewer: str) -> None:
        try:
            with open_store(url) as own:
                start.wait()
                # Not until there is nothing for this reader now: who is left may have read the
                # last records first, and cannot read them a second time.
                while len(own.list_decisions(NAME)) < 30 + 15 and time.monotonic() < deadline:
                    if turn := own.claim(NAME, reviewer):
                        turns.append(turn)
                        own.decide(turn, judge(turn))
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=read, args=(f"reader{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []
    given = Counter((turn.reading, ref) for turn in turns for ref in turn.references)
    assert given.most_common(1)[0][1] == 1
    with open_store(url) as store:
        state = store.read_state(NAME)
        assert len(store.list_decisions(NAME)) == 30 + 15
    assert len({turn.reviewer for turn in turns}) > 1, "the readers did not read at once"
    for record in state.records:
        first = state.decisions[record.reference, Reading.FIRST]
        if record.second_reading:
            assert state.decisions[record.reference, Reading.SECOND].reviewer != first.reviewer


READER = """
import sys
from pathlib import Path
from queries.review.types import Verdict
from queries.reviewing.store.review_store import Judgement, open_store
with open_store(sys.argv[1]) as store:
    while turn := store.claim(sys.argv[2], "ann"):
        hashes = {one.reference: one.content_hash for one in turn.records}
        store.decide(turn, Judgement(Verdict.RELEVANT, 1, hashes))
        print(*turn.references, flush=True)
"""


@pytest.mark.parametrize(
    "reports",
    [pytest.param(1, marks=pytest.mark.long), 7, pytest.param(20, marks=pytest.mark.long)],
)
def test_a_decision_that_was_acknowledged_survives_a_kill(url: str, reports: int) -> None:
    with open_store(url) as store:
        store.create(
            *make_review(population=make_population(60), sample=None, second_share=Fraction(0))
        )
    with subprocess.Popen(
        [sys.executable, "-c", READER, url, NAME], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        acknowledged = [process.stdout.readline().strip() for _ in range(reports)]
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.read().split()
    assert process.returncode == -signal.SIGKILL
    assert len(acknowledged) < 60, "it was killed too late to prove anything"
    with open_store(url) as store:
        decided = [decision.reference for decision in store.list_decisions(NAME)]
        assert decided[: len(acknowledged)] == acknowledged
        assert len(decided) <= len(acknowledged) + 1
        left = read_all(store, NAME, "ann")
        assert len(decided) + len(left) == 60
        assert len({one.reference for one in store.list_decisions(NAME)}) == 60


def test_the_file_and_its_folder_are_for_their_owner_alone(tmp_path: Path) -> None:
    old_mask = os.umask(0)
    try:
        with open_database("private/reviews.sqlite", tmp_path) as database:
            ReviewStore(database).create(*make_review())
            with database.write() as connection:
                connection.execute(sa.text("DELETE FROM claims"))
                files = [*(tmp_path / "private").iterdir()]
                assert len(files) == 3  # the log ahead and its index, too
                for path in files:
                    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700


def test_each_commit_waits_for_the_disk(tmp_path: Path) -> None:
    with open_database("reviews.sqlite", tmp_path) as database, database.read() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]


def write_text(path: Path) -> str:
    path.write_bytes(b"this is no database, but it is long enough to be looked at as one" * 20)
    return str(path)


def make_newer(path: Path) -> str:
    with open_database(str(path)):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    return str(path)


def test_the_documented_rights_in_postgresql_are_enough_to_review(postgres: Postgres) -> None:
    """Those of accounts that did not make the tables."""
    name = f"store_{secrets.token_hex(4)}"
    page = (ROOT / "docs" / "review.md").read_text("utf-8")
    (grants,) = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    owner = sa.create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        connection.execute(sa.text(f"CREATE ROLE reviewers LOGIN PASSWORD '{PASSWORD}'"))
    owner.dispose()
    with open_store(postgres.url(name)) as store:
        store.create(*make_review())
    owner = sa.create_engine(postgres.url(name))
    with owner.begin() as connection:
        connection.execute(sa.text(grants))
    owner.dispose()
    with open_store(postgres.url(name).replace("://foidex:", "://reviewers:")) as store:
        read_all(store, NAME, "ann", Verdict.RELEVANT)
        read_all(store, NAME, "bob", Verdict.NOT_RELEVANT)
        while turn := store.claim(NAME, "cem", settle=True):
            store.decide(turn, judge(turn))
        other = "FOI-1-Q2"
        store.create(*make_review(other))
        read_next(store, other, "ann")
        assert store.end_second_readings(other, "ann", "There is one reader.") == 2
        assert len(store.list_decisions(NAME)) == 14


def test_an_account_that_may_not_change_older_tables_is_told_who_may(postgres: Postgres) -> None:
    name = f"store_{secrets.token_hex(4)}"
    owner = sa.create_engine(postgres.url(), isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
        connection.execute(sa.text(f"CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}'"))
    owner.dispose()
    reader_url = postgres.url(name).replace("://foidex:", f"://{name}:")
    with pytest.raises(ReviewError, match=r"no tables yet.*first review"), open_store(reader_url):
        pass
    with open_store(postgres.url(name)):
        pass
    owner = sa.create_engine(postgres.url(name))
    with owner.begin() as connection:
        connection.execute(sa.text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"))
        for column in ("alias", "question", "shown_hash", "hidden"):
            connection.execute(sa.text(f"ALTER TABLE approvals DROP COLUMN {column}"))
        connection.execute(sa.text(f"UPDATE {VERSION_TABLE} SET version_num = '0002'"))
    owner.dispose()
    with pytest.raises(ReviewError, match="account that made them"), open_store(reader_url):
        pass
    with open_store(postgres.url(name)):
        pass
    with open_store(reader_url) as store:
        assert store.approvals.read_last(KEY) == {}


@pytest.mark.parametrize(
    ("make_url", "kind", "message"),
    [
        (write_text, ReviewError, "file is not a database"),
        (make_newer, ReviewError, "made by a newer version of foidex"),
        (lambda path: f"{path.parent}", ReviewError, "cannot be opened"),
        (lambda _: "mysql://host/reviews", ConfigurationError, "SQLite or PostgreSQL"),
        (lambda _: "sqlite://", ConfigurationError, "names no file"),
        (lambda _: "://", ConfigurationError, "not a SQLAlchemy URL"),
        (
            lambda _: f"postgresql+psycopg://ann:{PASSWORD}@127.0.0.1:9/reviews",
            ReviewError,
            "postgresql://127.0.0.1:9/reviews: the store of reviews cannot be used",
        ),
    ],
)
def test_a_store_that_cannot_be_used_is_said_without_its_password(
    tmp_path: Path, make_url: Callable[[Path], str], kind: type[Exception], message: str
) -> None:
    url = make_url(tmp_path / "reviews.sqlite")
    with pytest.raises(kind, match=message) as caught, ExitStack() as stack:
        stack.enter_context(open_store(url))
    assert PASSWORD not in str(caught.value)


def test_the_store_has_no_column_for_a_text(database: ReviewDatabase) -> None:
    """Long texts are the officer's own words, which number of which request it is, and places."""
    with database.read() as connection:
        found = {
            f"{table}.{column['name']}"
            for table in sa.inspect(connection).get_table_names()
            for column in sa.inspect(connection).get_columns(table)
            if isinstance(column["type"], sa.Text)
        }
    assert found == {
        "reviews.request",
        "reviews.number",
        "reviews.column_name",
        "reviews.criterion",
        "approvals.hidden",
        "endings.reason",
    }
