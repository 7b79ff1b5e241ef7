"""Archives of the audit log: one chain with the log, and nothing is lost if a run is killed."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import stat
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from indexer.audit import AUDIT_LOG_NAME
from indexer.audit.archive import (
    ErasureCounts,
    archive_log,
    check_history,
    count_erased_records,
    read_history,
    read_history_lines,
)
from indexer.audit.chain import CHAIN_START, Continuation
from indexer.audit.log import AuditEntry, AuditLog, AuditRun
from indexer.errors import BrokenChainError, OutputError

REF = "41/0012345/17"

KILLED = 9


def entry(number: int, day: int = 1, **fields: object) -> AuditEntry:
    moment = datetime(2024, 1, day, tzinfo=UTC)
    return AuditEntry(moment, "analyst", "count", 0, "0.1.0", records=number, **fields)  # type: ignore[arg-type]


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    log = AuditLog(tmp_path / "audit" / AUDIT_LOG_NAME)
    for number in range(3):
        log.append(entry(number, day=number + 1))
    return log


def archive(log: AuditLog) -> Continuation:
    with AuditRun(log, "audit archive", "1", None) as run:
        return run.write_with(lambda line: archive_log(log, line))


def test_erasures_are_counted_in_archives_too_until_the_record_is_let_back(log: AuditLog) -> None:
    def note(command: str, reference: str, exit_code: int = 0, **alias: str) -> None:
        arguments = {"crime_ref_hmac_sha256": log.mark(reference), **alias}
        fields = {"arguments": arguments, "command": command, "exit_code": exit_code}
        log.append(msgspec.structs.replace(entry(0), begins=True, **fields))
        log.append(msgspec.structs.replace(entry(0), **fields))

    assert count_erased_records(log, "crimes") == ErasureCounts()
    note("forget", REF)
    archive(log)
    note("forget", "B")
    note("forget", "B")
    note("forget", "in no generation", exit_code=3)
    assert count_erased_records(log, "crimes") == ErasureCounts(own=2, unnamed=2)
    note("forget --undo", REF)
    assert count_erased_records(log, "crimes") == ErasureCounts(own=1, unnamed=1)
    note("forget", "C", alias="incidents")
    note("forget", "D", alias="incidents")
    note("forget", "D", alias="crimes")
    assert count_erased_records(log, "crimes") == ErasureCounts(own=2, unnamed=1, others=1)
    assert count_erased_records(log, "incidents") == ErasureCounts(own=3, unnamed=1)
    note("forget --undo", "D", alias="incidents")
    note("forget --undo", "B", alias="incidents")
    assert count_erased_records(log, "crimes") == ErasureCounts(own=1, others=1)
    assert count_erased_records(log, "incidents") == ErasureCounts(own=1, others=1)


def list_records(log: AuditLog) -> list[int]:
    """The numbers of all entries that a test appended, of the log and its archives."""
    lines = read_history_lines(read_history(log))
    return [line["records"] for line in lines if "records" in line]


def test_an_archive_has_the_lines_and_the_new_log_says_which(log: AuditLog) -> None:
    content, head = log.path.read_bytes(), log.check().head
    continues = archive(log)
    assert continues == Continuation("audit-2024-01-01-2024-01-03-1.jsonl", 1, 3, head)
    path = log.path.with_name(continues.file)
    assert path.read_bytes() == content
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, log.path)] == [0o600, 0o600]
    (line,) = log.read_lines()
    assert (line["command"], line["previous"]) == ("audit archive", CHAIN_START)
    assert line["continues"] == {"file": path.name, "number": 1, "lines": 3, "head": head}
    names = {one.name for one in log.path.parent.iterdir()}
    assert names == {AUDIT_LOG_NAME, f"{AUDIT_LOG_NAME}.lock", path.name}


def test_a_head_noted_before_any_archive_is_found_in_it(log: AuditLog) -> None:
    heads = [log.check().head]
    for number in (3, 4):
        archive(log)
        heads.append(log.append(entry(number, day=4)))
    for head, line, name in zip(
        heads,
        (3, 2, 2),
        ("audit-2024-01-01-2024-01-03-1.jsonl", None, AUDIT_LOG_NAME),
        strict=True,
    ):
        check = check_history(log, head)
        assert check.noted_line == line
        assert check.noted_file
        assert check.noted_file.path.name == name or name is None
    assert [chain.line_count for chain in check.chains] == [3, 2, 2]
    assert list_records(log) == [0, 1, 2, 3, 4]
    with pytest.raises(BrokenChainError, match="no line has the hash that was noted"):
        check_history(log, "0" * 63 + "1")


DAMAGE: dict[str, Callable[[Path], object]] = {
    "an edit": lambda path: path.write_bytes(path.read_bytes().replace(b'"records":1', b'"records":9')),
    "an edit of the last line": lambda path: path.write_bytes(
        path.read_bytes().replace(b'"records":2', b'"records":9')
    ),
    "a cut": lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1])),
    "a line more": lambda path: AuditLog(path).append(entry(7)),
    "an empty file": lambda path: path.write_bytes(b""),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGE)
def test_an_archive_that_was_changed_is_found_without_any_noted_head(
    log: AuditLog, damage: str
) -> None:
    path = log.path.with_name(archive(log).file)
    before = path.read_bytes()
    DAMAGE[damage](path)
    assert path.read_bytes() != before
    with pytest.raises(BrokenChainError, match="audit-2024-01-01-2024-01-03-1"):
        check_history(log)
    with pytest.raises(BrokenChainError):
        archive(log)


def test_what_the_new_log_says_of_its_archive_cannot_be_changed(log: AuditLog) -> None:
    archive(log)
    log.append(entry(3))
    log.path.write_bytes(log.path.read_bytes().replace(b'"lines":3', b'"lines":2'))
    with pytest.raises(BrokenChainError, match="line 2 does not hold"):
        check_history(log)


def test_a_log_replaced_by_a_new_one_is_found_by_its_archives(log: AuditLog) -> None:
    archive(log)
    log.path.unlink()
    log.append(entry(8))
    with pytest.raises(BrokenChainError, match="may have been replaced"):
        check_history(log)


def test_the_oldest_archives_may_be_missing_and_are_named(log: AuditLog) -> None:
    first_head = log.check().head
    first = archive(log)
    log.append(entry(3, day=4))
    second = archive(log)
    log.path.with_name(first.file).unlink()
    check = check_history(log)
    assert check.history.missing == first
    assert [chain.line_count for chain in check.chains] == [2, 1]
    with pytest.raises(BrokenChainError, match=f"or the line is in {first.file}, which is missing"):
        check_history(log, first_head)
    assert archive(log).number == 3
    assert log.path.with_name(second.file).exists()


def test_an_archive_missing_between_others_is_an_error(log: AuditLog) -> None:
    archive(log)
    log.append(entry(3))
    second = archive(log)
    log.path.with_name(second.file).unlink()
    with pytest.raises(BrokenChainError, match=f"{second.file} is missing, although earlier"):
        check_history(log)


def test_an_archive_elsewhere_is_checked_on_its_own(log: AuditLog, tmp_path: Path) -> None:
    archive(log)
    log.append(entry(3, day=4))
    second = archive(log)
    copy = tmp_path / "elsewhere" / second.file
    copy.parent.mkdir()
    shutil.move(log.path.with_name(second.file), copy)
    check = check_history(AuditLog(copy), second.head)
    assert check.noted_line == second.lines
    assert check.history.missing
    assert check.history.missing.number == 1
    assert check_history(AuditLog(log.path.with_name("audit-2024-01-01-2024-01-03-1.jsonl")))


def test_archives_that_name_each_other_end(log: AuditLog) -> None:
    path = log.path.with_name(archive(log).file)
    shutil.copy(log.path, path)
    with pytest.raises(BrokenChainError, match="although it is number 1 itself"):
        check_history(log)


def change_first_line(log: AuditLog, **fields: object) -> None:
    """Write the line that continues an archive again, with other fields, as the only one."""
    line = next(log.read_lines())
    line["continues"] |= fields
    log.path.write_bytes(msgspec.json.encode(line) + b"\n")


def test_an_archive_with_a_name_that_no_file_can_have_is_missing(log: AuditLog) -> None:
    path = log.path.with_name(archive(log).file)
    path.unlink()
    for name in ("a" * 5000, "a\0b"):
        change_first_line(log, file=name)
        missing = check_history(log).history.missing
        assert missing
        assert missing.file == name


def test_what_notes_no_ledger_is_not_carried_over(log: AuditLog) -> None:
    archive(log)
    change_first_line(log, ledgers=[{"releases": 1}, {"alias": ["crimes"]}])
    log.append(entry(3, ledger={"alias": {}}))
    log.append(entry(4, ledger={"alias": "crimes", "releases": 2}))
    assert archive(log).ledgers == ({"alias": "crimes", "releases": 2},)


def test_the_text_that_a_crash_left_at_the_end_is_archived_with_the_rest(log: AuditLog) -> None:
    with log.path.open("ab") as file:
        file.write(b'{"at": "20')
    archive(log)
    log.append(entry(3))
    check = check_history(log)
    assert [chain.torn_lines for chain in check.chains] == [(4,), ()]
    assert list_records(log) == [0, 1, 2, 3]


def test_erasures_are_found_in_archives_with_the_same_key(log: AuditLog) -> None:
    for _ in range(2):
        with AuditRun(log, "forget", "1", None) as run:
            run.add_erased_reference(REF, "crimes")
            run.write(records=1)
        archive(log)
    history = read_history_lines(read_history(log))
    assert len([*log.find_erasures(REF, history)]) == 2
    assert not [*log.find_erasures(REF)]


def test_the_last_head_of_every_ledger_outlives_the_archives(log: AuditLog) -> None:
    for alias, count in (("crimes", 1), ("other", 1), ("crimes", 2)):
        log.append(entry(3, ledger={"alias": alias, "count": count}))
        archive(log)
    (line,) = log.read_lines()
    assert line["continues"]["ledgers"] == [
        {"alias": "crimes", "count": 2},
        {"alias": "other", "count": 1},
    ]


def test_nothing_is_archived_where_it_cannot_be_written(log: AuditLog, tmp_path: Path) -> None:
    content = log.path.read_bytes()
    elsewhere = tmp_path / "log"
    shutil.move(log.path, elsewhere)
    log.path.symlink_to(elsewhere)
    with pytest.raises(OutputError, match=r"is a link.*nothing was archived"):
        archive_log(log, entry(0))
    assert elsewhere.read_bytes() == content
    log.path.unlink()
    shutil.move(elsewhere, log.path)
    log.path.with_name("audit-2024-01-01-2024-01-03-1.jsonl").mkdir()
    with pytest.raises((OutputError, BrokenChainError)):
        archive_log(log, entry(0))
    assert log.path.read_bytes() == content


def _archive_and_die(path: Path, step: int) -> None:
    """Archive a log, and die just before the given step of those that the system is asked for."""
    steps = 0

    def die(event: str, _: object) -> None:
        nonlocal steps
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "shutil.copyfileobj"):
            steps += 1
            if steps > step:
                os._exit(KILLED)

    log = AuditLog(path)
    sys.addaudithook(die)
    archive_log(log, entry(0))
    os._exit(0)


def test_a_run_killed_at_any_step_loses_nothing_and_the_next_one_succeeds(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    codes, unfinished = [], 0
    for step in range(200):
        log = AuditLog(tmp_path / str(step) / AUDIT_LOG_NAME)
        for number in range(3):
            log.append(entry(number, day=number + 1))
        head = log.check().head
        run = context.Process(target=_archive_and_die, args=(log.path, step))
        run.start()
        run.join()
        codes.append(run.exitcode)
        check = check_history(log, head)
        unfinished += len(check.history.unfinished)
        log.append(entry(3, day=9))
        for number in (4, 5):
            archive(log)
            log.append(entry(number, day=9))
        assert check_history(log, head).noted_line == 3
        assert [number for number in list_records(log) if number] == [1, 2, 3, 4, 5]
        names = [one.name for one in log.path.parent.glob("audit-*")]
        assert len(names) == len(read_history(log).files) - 1
        if run.exitcode == 0:
            break
    assert codes == [KILLED] * (len(codes) - 1) + [0]
    assert len(codes) > 5
    assert unfinished, "no run died between the copy and the new log"
