"""The audit log: an edit, a cut, a line moved or torn is told; two writers make one chain."""

from __future__ import annotations

import hashlib
import hmac
import multiprocessing
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.audit import AUDIT_KEY_NAME, AUDIT_LOG_NAME
from indexer.audit.archive import check_history
from indexer.audit.chain import build_chain_line, check_chain, hash_line
from indexer.audit.log import AuditEntry, AuditLog, AuditRun
from indexer.errors import BrokenChainError, OutputError, RequestError


def entry(number: int) -> AuditEntry:
    moment = datetime(2024, 1, 1, tzinfo=UTC)
    return AuditEntry(moment, "analyst", "count", 0, "0.1.0", records=number)


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit" / AUDIT_LOG_NAME)


#: JSON that is deeper than any parser goes.
DEEP = b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"


def filled(log: AuditLog, number: int) -> list[bytes]:
    for one in range(number):
        log.append(entry(one))
    return log.path.read_bytes().splitlines(keepends=True)


def test_lines_make_a_chain_whose_head_is_the_hash_of_the_last(log: AuditLog) -> None:
    heads = [log.append(entry(number)) for number in range(3)]
    found = log.check()
    assert (found.line_count, found.head, found.torn_lines) == (3, heads[-1], ())
    assert [log.check(head).noted_line for head in heads] == [1, 2, 3]
    assert [line["records"] for line in log.read_lines()] == [0, 1, 2]
    assert [line["records"] for line in log.read_lines(1)] == [2]
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600


DAMAGE: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "an edit": lambda lines: [lines[0].replace(b"analyst", b"another"), *lines[1:]],
    "a cut in the middle": lambda lines: [lines[0], *lines[2:]],
    "a cut at the beginning": lambda lines: lines[1:],
    "two lines changed round": lambda lines: [lines[1], lines[0], *lines[2:]],
    "a line twice": lambda lines: [*lines[:2], *lines[1:]],
    "a line nested too deeply": lambda lines: [lines[0], DEEP, *lines[1:]],
    "a foreign line": lambda lines: [lines[0], b'{"a": 1}\n', *lines[1:]],
    "a line made nonsense": lambda lines: [lines[0], b"\n", *lines[2:]],
    "half a line": lambda lines: [lines[0], lines[1][:20] + b"\n", *lines[2:]],
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_breaks_the_chain(log: AuditLog, damage: str) -> None:
    lines = filled(log, 4)
    log.path.write_bytes(b"".join(DAMAGE[damage](lines)))
    with pytest.raises(BrokenChainError, match=r"line \d") as told:
        log.check()
    assert "analyst" not in str(told.value)


def test_a_cut_at_the_end_is_told_by_the_head_that_was_noted(log: AuditLog) -> None:
    lines = filled(log, 4)
    head = log.check().head
    log.path.write_bytes(b"".join(lines[:3]))
    assert log.check().line_count == 3
    with pytest.raises(BrokenChainError, match="no line has the hash that was noted"):
        check_history(log, head)


@given(st.data())
def test_any_one_byte_changed_breaks_the_chain(data: st.DataObject) -> None:
    """But for the last line, which only a head that was noted holds."""
    text, end = b"", b""
    for number in range(4):
        end = build_chain_line(msgspec.to_builtins(entry(number)), end)
        text += end
    head = hash_line(end)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]))
    changed = text[:place] + bytes([other]) + text[place + 1 :]
    lines = [line + b"\n" for line in changed.split(b"\n")]
    lines = lines[:-1] if changed.endswith(b"\n") else [*lines[:-1], lines[-1][:-1]]
    found = check_chain(lines, head)
    assert found.breaks or found.noted_line is None


def test_a_line_that_lacks_only_its_end_is_whole_once_the_next_is_written(log: AuditLog) -> None:
    lines = filled(log, 2)
    log.path.write_bytes(b"".join(lines)[:-1])
    assert log.check().torn_lines == (2,)
    log.append(entry(7))
    assert (log.check().line_count, log.check().torn_lines) == (3, ())


@pytest.mark.parametrize("kept", [1, 40, -2])
def test_a_line_that_a_crash_cut_short_is_told_and_the_chain_goes_on(
    log: AuditLog, kept: int
) -> None:
    lines = filled(log, 3)
    log.path.write_bytes(b"".join(lines[:2]) + lines[2][:kept])
    found = log.check()
    assert (found.line_count, found.torn_lines) == (2, (3,))
    log.append(entry(7))
    found = log.check()
    assert (found.line_count, found.torn_lines) == (3, (3,))
    assert [line["records"] for line in log.read_lines()][-1] == 7
    whole = log.path.read_bytes().splitlines(keepends=True)
    for damaged in (
        [whole[0].replace(b"0.1.0", b"0.1.1"), *whole[1:]],
        [*whole[:1], *whole[2:]],
        [*whole[:2], b"{}\n", whole[3]],
        [*whole[:2], whole[3]],
    ):
        log.path.write_bytes(b"".join(damaged))
        with pytest.raises(BrokenChainError):
            log.check()


def test_a_crash_in_the_first_line_and_another_after_it_are_told(log: AuditLog) -> None:
    log.path.parent.mkdir()
    log.path.write_bytes(b'{"at": 1\n{"at"')
    log.append(entry(1))
    assert log.check().torn_lines == (1, 2)
    assert log.check().line_count == 1


def _append(path: Path, number: int, together: Barrier) -> None:
    together.wait()
    for one in range(number):
        AuditLog(path).append(entry(one))


def test_processes_that_write_at_once_make_one_chain(log: AuditLog) -> None:
    context = multiprocessing.get_context("fork")
    together = context.Barrier(3)
    writers = [context.Process(target=_append, args=(log.path, 200, together)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert log.check().line_count == 600


def test_a_line_that_is_nested_too_deeply_is_no_line(log: AuditLog) -> None:
    filled(log, 2)
    with log.path.open("ab") as file:
        file.write(DEEP)
    log.append(entry(2))
    found = log.check()
    assert (found.line_count, found.torn_lines) == (3, (3,))
    assert [line["records"] for line in log.read_lines()] == [0, 1, 2]


def test_a_long_line_is_found_from_the_end(log: AuditLog) -> None:
    long = msgspec.structs.replace(entry(1), arguments={"terms": ["x" * 200_000]})
    log.append(long)
    log.append(long)
    log.append(entry(2))
    assert log.check().line_count == 3


@pytest.mark.timeout(60)
def test_a_log_with_a_hole_is_told_without_reading_it_whole(log: AuditLog) -> None:
    """A file can say that it has any size."""
    filled(log, 2)
    with log.path.open("ab") as file:
        file.truncate(10**12)
    for read in (log.check, lambda: list(log.read_lines()), lambda: list(log.read_lines(1))):
        with pytest.raises(BrokenChainError, match="line 3 is longer than 16,000,000 bytes"):
            read()
    with pytest.raises(OutputError, match="are no line of a log"):
        log.append(entry(3))


@pytest.mark.timeout(60)
def test_many_torn_lines_take_no_longer_than_they_are(log: AuditLog) -> None:
    filled(log, 1)
    with log.path.open("ab") as file:
        file.write(b"\n" * 500_000)
    log.append(entry(2))
    assert len(log.check().torn_lines) == 500_000


def test_a_log_that_is_gone_or_cannot_be_written_is_told(log: AuditLog) -> None:
    with pytest.raises(BrokenChainError, match="there is no audit log"):
        log.check()
    log.path.parent.write_text("a file")
    with pytest.raises(OutputError, match="every query must be logged"):
        log.append(entry(1))


def test_a_run_that_fails_leaves_its_exit_code(log: AuditLog) -> None:
    with pytest.raises(RequestError), AuditRun(log, "answer", "1", "someone\n"):
        raise RequestError("no")
    (line,) = log.read_lines()
    assert (line["exit_code"], line["command"], line["sudo_user"]) == (3, "answer", "someone?")
    assert line["user"]


def test_a_run_that_fails_while_it_prints_leaves_a_second_line(log: AuditLog) -> None:
    run = AuditRun(log, "find", "1", None)
    run.write(records=5)
    with pytest.raises(BrokenPipeError), run:
        raise BrokenPipeError
    first, second = log.read_lines()
    assert (first["exit_code"], second["exit_code"]) == (0, 11)
    lines = log.path.read_bytes().splitlines(keepends=True)
    assert second["of"] == hash_line(lines[0])


def changing(log: AuditLog, change: Callable[[], object]) -> None:
    """A run that changes something."""
    with AuditRun(log, "forget", "1", None) as run:
        run.begin()
        change()
        run.write(records=1)


def test_a_run_that_changes_something_leaves_a_line_before_and_one_after(log: AuditLog) -> None:
    before: list[dict[str, Any]] = []
    changing(log, lambda: before.extend(log.read_lines()))
    first, second = log.read_lines()
    assert before == [first]
    assert (first["begins"], first["exit_code"], "records" in first) == (True, 0, False)
    assert ("begins" in second, second["records"]) == (False, 1)
    assert second["of"] == hash_line(log.path.read_bytes().splitlines()[0])
    assert log.check().line_count == 2


def test_a_change_that_fails_leaves_its_exit_code_after(log: AuditLog) -> None:
    def fail() -> None:
        raise RequestError("no")

    with pytest.raises(RequestError):
        changing(log, fail)
    first, second = log.read_lines()
    assert (first["begins"], second["exit_code"], "of" in second) == (True, 3, True)


def test_a_run_that_cannot_log_changes_nothing_and_says_so(log: AuditLog) -> None:
    log.path.mkdir(parents=True)
    with pytest.raises(OutputError, match="change must be logged, so nothing was changed"):
        changing(log, lambda: pytest.fail("it was changed"))


def test_a_log_that_becomes_unwritable_after_the_change_is_told_truly(log: AuditLog) -> None:
    def make_unwritable() -> None:
        log.path.rename(log.path.with_name("kept"))
        log.path.mkdir()

    with pytest.raises(OutputError, match="this run began, but not how it ended") as told:
        changing(log, make_unwritable)
    assert "nothing was changed" not in str(told.value)


def test_a_change_that_does_not_say_how_it_ended_is_a_fault(log: AuditLog) -> None:
    run = AuditRun(log, "forget", "1", None)
    run.begin()
    with pytest.raises(AssertionError), run:
        pass


def test_without_a_log_nothing_is_written(tmp_path: Path) -> None:
    with AuditRun(None, "count", "1", None) as run:
        run.write(records=1)
    assert not list(tmp_path.iterdir())


REF = "41/0012345/17"


def forgotten(log: AuditLog, reference: str = REF) -> dict[str, str]:
    """Forget a record; what the log's line says of it."""
    with AuditRun(log, "forget", "1", None) as run:
        run.add_erased_reference(reference, "crimes")
        run.write(records=1)
    return [*log.read_lines()][-1]["asked"]  # type: ignore[no-any-return]


def test_a_forgotten_reference_is_marked_with_a_key_for_its_owners_eyes_only(log: AuditLog) -> None:
    asked = forgotten(log)
    path = log.path.with_name(AUDIT_KEY_NAME)
    key = path.read_bytes()
    mark = hmac.digest(key, REF.encode(), "sha256").hex()
    assert asked == {"crime_ref_hmac_sha256": mark, "alias": "crimes"}
    assert (len(key), stat.S_IMODE(path.stat().st_mode)) == (32, 0o600)
    assert forgotten(log) == asked
    assert forgotten(log, "41/0012345/18") != asked
    assert path.read_bytes() == key
    elsewhere = AuditLog(log.path.parent.with_name("other") / AUDIT_LOG_NAME)
    assert forgotten(elsewhere) != asked
    names = {path.name for path in log.path.parent.iterdir()}
    assert names - {f"{AUDIT_LOG_NAME}.lock"} == {AUDIT_LOG_NAME, AUDIT_KEY_NAME}


def test_nobody_finds_the_reference_by_trying_them(log: AuditLog) -> None:
    forgotten(log)
    assert REF.encode() not in log.path.read_bytes()
    assert hashlib.sha256(REF.encode()).hexdigest().encode() not in log.path.read_bytes()


def test_lines_of_a_reference_are_found_also_those_of_earlier_versions(log: AuditLog) -> None:
    plain = {"crime_ref_sha256": hashlib.sha256(REF.encode()).hexdigest()}
    log.append(msgspec.structs.replace(entry(1), arguments=plain))
    assert [one["asked"] for one in log.find_erasures(REF)] == [plain]
    assert not log.path.with_name(AUDIT_KEY_NAME).exists()  # looking makes none
    log.append(entry(2))
    log.append(msgspec.structs.replace(entry(3), arguments={"terms": ["x"]}))
    new = forgotten(log)
    forgotten(log, "41/0012345/18")
    assert [one["asked"] for one in log.find_erasures(REF)] == [plain, new]
    assert log.check().line_count == 5


def test_where_the_key_is_lost_a_new_one_is_made_and_the_chain_is_whole(log: AuditLog) -> None:
    old = forgotten(log)
    log.path.with_name(AUDIT_KEY_NAME).unlink()
    assert [*log.find_erasures(REF)] == []
    new = forgotten(log)
    assert new != old
    assert [one["asked"] for one in log.find_erasures(REF)] == [new]
    assert log.check().line_count == 2


@pytest.mark.parametrize("damaged", [b"", b"x" * 31, None], ids=["empty", "cut short", "a folder"])
def test_a_key_that_is_none_is_told_and_nothing_replaces_it(
    log: AuditLog, damaged: bytes | None
) -> None:
    path = log.path.with_name(AUDIT_KEY_NAME)
    if damaged is None:
        path.mkdir(parents=True)
    else:
        path.parent.mkdir()
        path.write_bytes(damaged)
    with pytest.raises(BrokenChainError, match=r"audit\.key: "):
        forgotten(log)
    with pytest.raises(BrokenChainError, match=r"audit\.key: "):
        [*log.find_erasures(REF)]
    assert path.is_dir() if damaged is None else path.read_bytes() == damaged
    assert [one["exit_code"] for one in log.read_lines()] == [BrokenChainError.exit_code]


def test_where_no_key_can_be_made_nothing_is_forgotten(log: AuditLog) -> None:
    log.path.parent.write_text("a file where the folder would be")
    with pytest.raises(OutputError, match="the audit log cannot be written"):
        forgotten(log)


def _mark(path: Path, together: Barrier, told: multiprocessing.SimpleQueue[str]) -> None:
    together.wait()
    told.put(AuditLog(path).mark(REF))


def test_processes_that_make_the_key_at_once_make_one(log: AuditLog) -> None:
    context = multiprocessing.get_context("fork")
    together, told = context.Barrier(4), context.SimpleQueue()
    makers = [context.Process(target=_mark, args=(log.path, together, told)) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert [maker.exitcode for maker in makers] == [0] * 4
    assert {told.get() for _ in makers} == {log.mark(REF)}


def test_without_a_log_no_key_is_made(tmp_path: Path) -> None:
    with AuditRun(None, "forget", "1", None) as run:
        run.add_erased_reference(REF, "crimes")
        run.write(records=1)
    assert not list(tmp_path.iterdir())
