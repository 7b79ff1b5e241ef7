"""Running foidex unattended: the shipped schedules, the files of a refresh, and the audit log."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

import indexer.jobs.refresh
from indexer.audit.log import AuditLog, AuditRun
from indexer.config.model import IndexSettings
from indexer.index.generations import mark_verified, read_live_generation
from indexer.index.lock import LockDocument, hold_lock, read_lock
from indexer.records.sample import generate_records
from tests.support.command_line import PROGRAM, Outcome, run_command
from tests.support.paths import ROOT

UNIT = ROOT / "docker" / "systemd" / "foidex-refresh.service"

SOURCES = ROOT / "docs" / "records-and-sources.md"

#: What root may do in spite of a file's mode.
_OVERRIDES = "-dac_override,-dac_read_search"


def write_extract(folder: Path, number: int = 200) -> None:
    (folder / "extract").mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(record) for record in generate_records(number))
    (folder / "extract" / "crimes.jsonl").write_text("\n".join(lines))


def read_documented_configuration() -> str:
    """The configuration of a source that the documentation shows, for the sample's fields."""
    (block,) = (
        block
        for block in re.findall(r"```toml\n(.*?)```", SOURCES.read_text("utf-8"), re.DOTALL)
        if "[refresh]" in block
    )
    assert 'report = "refresh-report.json"' in block
    without_fields = block.replace('narrative = "method"\n', "")
    return str(without_fields.replace("least = 100", "least = 1"))


@pytest.fixture
def operate(environment: dict[str, str], tmp_path: Path) -> Callable[..., Outcome]:
    """Runs the program in a folder with a configuration of its own and a small extract."""
    folder = tmp_path / "work"
    write_extract(folder)
    (folder / "foidex.toml").write_text(
        '[source]\npaths = ["extract/*.jsonl"]\n'
        '[refresh]\nreport = "report.json"\nmetrics = "foidex.prom"\n'
    )

    def run(*arguments: str, code: int = 0) -> Outcome:
        return run_command(*arguments, environment=environment, folder=folder, expected_code=code)

    return run


@pytest.fixture
def home(environment: dict[str, str]) -> Path:
    return Path(environment["FOIDEX_HOME"])


def read_audit_lines(home: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (home / "audit" / "audit.jsonl").read_text().splitlines()]


def test_a_live_generation_of_a_time_to_come_is_never_fresh(
    operate: Callable[..., Outcome], client: Elasticsearch, index: IndexSettings
) -> None:
    operate("refresh")
    operate("status", "--max-age", "26h")
    live = read_live_generation(client, index.alias)
    ahead = datetime.now(UTC) + timedelta(days=40)
    mark_verified(client, msgspec.structs.replace(live, built_at=ahead))
    told = (
        f"{live.name} was built at {ahead:%Y-%m-%d %H:%M} UTC, but the clock of this machine says"
    )
    stale = operate("status", "--max-age", "26h", code=13)
    assert told in stale.err
    assert "so its age is not known. Correct the clock that is wrong" in stale.err
    assert told in operate("doctor").out


def test_a_new_index_says_that_it_does_not_know_the_erasures_of_the_audit_log(
    operate: Callable[..., Outcome], home: Path, index: IndexSettings, tmp_path: Path
) -> None:
    """After a loss, the schedule may run before anybody restores a backup. A deletion in the source
    is no erasure."""
    with (tmp_path / "work" / "extract" / "crimes.jsonl").open("a") as extract:
        extract.write('\n{"crime_ref": "gone", "status": "deleted"}\n')
    for number, alias in enumerate((index.alias, "incidents", "incidents")):
        with AuditRun(AuditLog(home / "audit" / "audit.jsonl"), "forget", "0.1.0", None) as run:
            run.add_erased_reference(f"41/0012345/{number}", alias)
            run.begin()
            run.write(records=1)
    told = (
        "This index is new and knows of no erasure, but the audit log notes those of 1 record.",
        "The audit log notes erasures of 2 records from indices of another name.",
    )
    first, second = operate("refresh").out, operate("refresh").out
    assert [(text in first, text in second) for text in told] == [(True, False)] * 2


def test_the_newest_time_is_shown_in_utc_whatever_the_zone_of_the_source(
    operate: Callable[..., Outcome], tmp_path: Path
) -> None:
    record = next(iter(generate_records(1))) | {"updated_at": "2025-01-01T00:30:00+01:00"}
    (tmp_path / "work" / "extract" / "crimes.jsonl").write_text(json.dumps(record))
    assert "updated_at is from 2024-12-31 to 2024-12-31." in operate("refresh", "--check").out
    operate("refresh")
    assert "Newest      2024-12-31 23:30 UTC" in operate("status").out
    assert "2024-12-31 23:30" in operate("generations").out


def test_the_unit_runs_the_documented_configuration_where_etc_is_read_only(
    environment: dict[str, str], tmp_path: Path
) -> None:
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root can write anywhere, and setpriv, which could prevent it, is missing")
    etc, state = tmp_path / "etc", tmp_path / "state"
    write_extract(etc)
    (etc / "foidex.toml").write_text(read_documented_configuration())
    unit = UNIT.read_text()
    command = shlex.split(re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)[0])
    variables = dict(
        line.split("=", 1) for line in re.findall(r"^Environment=(.*)$", unit, re.MULTILINE)
    )
    assert "StateDirectory=foidex" in unit
    assert "ProtectSystem=strict" in unit
    state.mkdir(mode=0o700)
    arguments = [PROGRAM, *command[1:]]
    assert "/etc/foidex/foidex.toml" in arguments
    arguments[arguments.index("/etc/foidex/foidex.toml")] = str(etc / "foidex.toml")
    home = variables["FOIDEX_HOME"].replace("%S/foidex", str(state))
    for folder in (etc / "extract", etc):
        folder.chmod(0o555)
    if os.geteuid() == 0:
        arguments = [
            "setpriv",
            f"--bounding-set={_OVERRIDES}",
            f"--inh-caps={_OVERRIDES}",
            *arguments,
        ]
    done = subprocess.run(
        arguments,
        cwd=etc,
        env={**environment, "FOIDEX_HOME": home},
        capture_output=True,
        text=True,
        check=False,
    )
    for folder in (etc, etc / "extract"):
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    report = json.loads((state / "refresh-report.json").read_text())
    assert report["outcome"] == "promoted"
    assert "foidex_refresh_success" in (state / "foidex.prom").read_text()
    assert sorted(path.name for path in etc.iterdir()) == ["extract", "foidex.toml"]


def test_without_a_named_home_the_report_is_beside_the_configuration(
    operate: Callable[..., Outcome], environment: dict[str, str], tmp_path: Path
) -> None:
    del environment["FOIDEX_HOME"]
    environment["HOME"] = environment["XDG_DATA_HOME"] = str(tmp_path / "person")
    (tmp_path / "work" / "foidex.toml").write_text(
        f'[source]\npaths = ["extract/*.jsonl"]\n[refresh]\nreport = "report.json"\n'
        f'[audit]\nfolder = "{tmp_path / "audit"}"\n'
    )
    operate("refresh")
    assert (tmp_path / "work" / "report.json").exists()


def test_a_refresh_that_finds_another_leaves_its_report_and_metrics(
    operate: Callable[..., Outcome], client: Elasticsearch, index: IndexSettings, home: Path
) -> None:
    operate("refresh")
    before = [(home / name).read_bytes() for name in ("report.json", "foidex.prom")]
    with hold_lock(client, index.alias, 60):
        outcome = operate("refresh", code=12)
    assert "has been running since" in outcome.err
    assert [(home / name).read_bytes() for name in ("report.json", "foidex.prom")] == before
    assert b"foidex_refresh_success" in before[1]


def test_a_refresh_of_the_extract_of_the_night_before_leaves_the_time_of_the_last_change(
    operate: Callable[..., Outcome], home: Path
) -> None:
    def read_outputs() -> tuple[bool, float, float]:
        report = json.loads((home / "report.json").read_bytes())
        metrics = (home / "foidex.prom").read_text()
        success, change = (
            float(
                re.findall(rf"^foidex_refresh_last_{event}_\w+{{.*}} (.+)$", metrics, re.MULTILINE)[
                    0
                ]
            )
            for event in ("success", "change")
        )
        return report["without_change"], success, change

    operate("refresh")
    unchanged, first_success, first_change = read_outputs()
    assert (unchanged, first_success) == (False, first_change)
    again = operate("refresh")
    assert '"without_change": true' in again.err
    unchanged, second_success, second_change = read_outputs()
    assert unchanged
    assert second_success > first_success
    assert second_change == first_change


def test_a_run_that_is_stopped_after_its_promotion_says_what_is_live(
    operate: Callable[..., Outcome],
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class StoppedError(BaseException):
        exit_code = 143

    def stop(*_: object, **__: object) -> None:
        raise StoppedError

    monkeypatch.setattr(indexer.jobs.refresh, "prune_generations", stop)
    with pytest.raises(StoppedError):
        operate("refresh")
    monkeypatch.undo()
    (generation,) = json.loads(operate("generations", "--format", "json").out)
    assert generation["live"]
    report = json.loads((home / "report.json").read_bytes())
    assert (report["outcome"], report["exit_code"]) == ("failed", 143)
    assert report["error"] == (
        f"{generation['name']} is live, but the run failed after that: stopped, by signal 15."
    )
    line = json.loads(operate("audit", "show", "--last", "1").out)
    assert (line["generation"], line["exit_code"]) == (generation["name"], 143)


def number_ended_process() -> int:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        process.kill()
    assert process.returncode == -signal.SIGKILL
    return process.pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which machine it is")
def test_the_lock_of_a_process_that_ended_here_holds_nobody_up(
    operate: Callable[..., Outcome], client: Elasticsearch, index: IndexSettings
) -> None:
    with hold_lock(client, index.alias, 3600):
        lock = read_lock(client, index.alias)
    assert lock is not None

    def leave(**changes: Any) -> LockDocument | None:
        left = msgspec.to_builtins(msgspec.structs.replace(lock, **changes))
        client.index(index=f"{index.alias}.lock", id="refresh", document=left)
        return read_lock(client, index.alias)

    process = number_ended_process()
    assert leave(process=process) is None
    operate("refresh")
    for machine in (lock.machine + "0", ""):
        assert leave(process=process, machine=machine) is not None
    assert leave(process=lock.process) is not None
    operate("refresh", code=12)


def test_metrics_are_written_though_the_report_cannot_be(
    operate: Callable[..., Outcome], home: Path
) -> None:
    (home / "report.json").mkdir(parents=True)
    outcome = operate("refresh", code=11)
    assert re.search(r"foidex: test-\S+ is live, but .*report cannot be written", outcome.err)
    assert "is live: 200 records read, 200 indexed, 0 rejected." in outcome.out
    metrics = (home / "foidex.prom").read_text()
    assert re.search(r'foidex_refresh_success\{alias="test-\w+"\} 1.0', metrics)
    assert re.search(r'foidex_refresh_exit_code\{alias="test-\w+"\} 11.0', metrics)
    assert [line["exit_code"] for line in read_audit_lines(home)] == [0, 0, 11]


def test_a_refresh_is_live_though_old_rejects_cannot_be_deleted(
    operate: Callable[..., Outcome], home: Path, tmp_path: Path
) -> None:
    config = tmp_path / "work" / "foidex.toml"
    config.write_text(config.read_text().replace("[refresh]\n", "[refresh]\nmax_age_days = 30\n"))
    home.mkdir(exist_ok=True)
    (home / "rejects").touch()
    outcome = operate("refresh", code=11)
    assert re.search(r"foidex: test-\S+ is live, but .*/rejects: rejects that are too", outcome.err)
    written = json.loads((home / "report.json").read_bytes())
    assert (written["outcome"], written["exit_code"]) == ("promoted", 11)


def test_a_failed_refresh_gives_its_own_reason_though_the_report_cannot_be_written(
    operate: Callable[..., Outcome], home: Path, tmp_path: Path
) -> None:
    (home / "report.json").mkdir(parents=True)
    (tmp_path / "work" / "extract" / "crimes.jsonl").write_text("{}\n")
    outcome = operate("refresh", code=4)
    assert "report cannot be written" in outcome.err
    assert re.search(
        r'foidex_refresh_exit_code\{alias="test-\w+"\} 4.0', (home / "foidex.prom").read_text()
    )


def test_every_change_of_the_index_leaves_a_line_before_and_after(
    operate: Callable[..., Outcome], home: Path
) -> None:
    operate("load", "extract/crimes.jsonl")
    operate("refresh")
    live, earlier = (
        row["name"] for row in json.loads(operate("generations", "--format", "json").out)
    )
    operate("rollback")
    operate("rollback", live)
    operate("prune", "--keep", "2", "--dry-run")
    operate("prune", "--keep", "1")
    lines = read_audit_lines(home)
    assert [(line["command"], line.get("begins", False)) for line in lines] == [
        (command, begins)
        for command in ("load", "refresh", "rollback", "rollback", "prune")
        for begins in (True, False)
    ]
    outcomes = [line for line in lines if not line.get("begins")]
    assert [line.get("generation") for line in outcomes] == [earlier, live, earlier, live, None]
    assert outcomes[1]["asked"] == {"mode": "full", "allow": []}
    assert outcomes[4]["asked"] == {"keep": 1, "max_age_days": None}
    operate("audit", "verify")


def test_a_clock_that_jumped_deletes_nothing_for_its_age(
    operate: Callable[..., Outcome], client: Elasticsearch, index: IndexSettings, home: Path
) -> None:
    """Every generation but the live one, all rejects and all backups would be too old at once."""
    operate("refresh")
    old = read_live_generation(client, index.alias)
    mark_verified(client, msgspec.structs.replace(old, built_at=old.built_at - timedelta(days=400)))
    rejects = home / "rejects" / f"{old.name}.jsonl"
    rejects.parent.mkdir()
    corrected = rejects.with_name("corrected.csv")
    for path in (rejects, corrected):
        path.touch()
        os.utime(path, (1, 1))
    config = home.parent / "work" / "foidex.toml"
    config.write_text(f"{config.read_text()}max_age_days = 30\n")
    assert "so it may have jumped, and nothing was deleted" in operate("refresh").out
    assert old.name in operate("generations").out
    for options in ((), ("--dry-run",)):
        assert "foidex prune --trust-clock" in operate("prune", *options, code=6).err
    assert rejects.exists()
    outcome = operate("prune", "--trust-clock")
    assert f"Deleted {old.name}, {rejects.name}." in outcome.out
    remark = (
        f"{rejects.parent}: not deleted for their age, as foidex did not write them: corrected.csv."
    )
    assert remark in outcome.err
    outcome = operate("refresh")
    assert "jumped" not in outcome.out
    assert remark in outcome.err
    assert corrected.exists()


def test_an_index_that_only_looks_like_a_generation_is_named_and_left(
    operate: Callable[..., Outcome], client: Elasticsearch, index: IndexSettings
) -> None:
    """That of a later foidex, or of another program: no command may use, change or delete it."""
    operate("refresh")
    name = f"{index.alias}-20200101-000000"
    client.indices.create(index=name, mappings={"_meta": {"foidex": {"name": "another"}}})
    assert f"{name} was not built by this foidex, and is left as it is." in operate("refresh").err
    for command in (("rollback",), ("prune", "--keep", "1"), ("generations",), ("count", "x")):
        outcome = operate(*command)
        assert name not in outcome.out
    assert f"{name} is named like a generation, but was not" in operate("doctor").out
    for options in ((), ("--undo",)):
        outcome = operate("forget", "41/1/17", *options, code=6)
        assert f"{name}: is named like a generation" in outcome.err
    assert client.indices.exists(index=name)


def test_a_change_that_fails_is_recorded_with_its_exit_code(
    operate: Callable[..., Outcome], home: Path
) -> None:
    operate("refresh")
    operate("rollback", "nowhere", code=6)
    begun, failed = read_audit_lines(home)[-2:]
    assert begun["begins"]
    assert (failed["command"], failed["exit_code"]) == ("rollback", 6)


def test_nothing_is_changed_if_the_log_cannot_be_written(
    operate: Callable[..., Outcome], home: Path
) -> None:
    operate("refresh")
    before = operate("generations").out
    (home / "audit" / "audit.jsonl").unlink()
    (home / "audit" / "audit.jsonl").mkdir()
    for command in (("refresh",), ("load", "extract/crimes.jsonl"), ("prune", "--keep", "1")):
        outcome = operate(*command, code=11)
        assert "so nothing was changed" in outcome.err
    assert operate("generations").out == before


def test_an_archived_log_is_verified_with_its_archive(
    operate: Callable[..., Outcome], home: Path
) -> None:
    operate("refresh")
    operate("forget", "41/0000001/19", code=3)
    lines, head = operate("audit", "head").out.split()
    archived = operate("audit", "archive").out
    assert f"{lines} lines are now in" in archived
    assert head in archived
    (archive,) = (home / "audit").glob("audit-*-1.jsonl")
    assert len(read_audit_lines(home)) == 1
    assert "so nothing was archived" in operate("audit", "archive").out
    verified = operate("audit", "verify", "--head", head).out
    assert f"The head noted earlier is that of line {lines} of {archive.name}." in verified
    assert verified.count("is intact") == 2
    assert "forget" in operate("audit", "show", "--forgotten", "41/0000001/19").out
    assert len(operate("audit", "show", "--log", str(archive)).out.splitlines()) == int(lines)
    moved = archive.rename(home / archive.name)
    assert f"{archive.name} is missing" in operate("audit", "verify").out
    assert f"{archive.name} is missing" in operate("audit", "show", "--forgotten", "1").err
    operate("audit", "verify", "--log", str(moved), "--head", head)
    operate("audit", "verify", "--head", head, code=18)
    moved.rename(archive)
    archive.write_bytes(archive.read_bytes().replace(b'"refresh"', b'"refused"'))
    operate("audit", "verify", code=18)
    operate("audit", "archive", code=18)


def test_a_copy_of_the_audit_folder_brings_back_log_key_and_evidence(
    operate: Callable[..., Outcome], home: Path, tmp_path: Path
) -> None:
    """The steps of "Back up the audit log" in docs/operating.md."""
    work, copy = tmp_path / "work", tmp_path / "copy"
    records = [
        {
            "crime_ref": f"R{number}",
            "recorded_on": "2017-05-05",
            "offence_code": "22B",
            "narrative": "A live stream.",
        }
        for number in range(120)
    ]

    def refresh(kept: list[dict[str, str]]) -> None:
        lines = "\n".join(json.dumps(record) for record in kept)
        (work / "extract" / "crimes.jsonl").write_text(lines)
        operate("refresh")

    refresh(records)
    (work / "request.yaml").write_text(
        "reference: R/1\ntitle: Mentions\nperiod: {from: 2017-04-01, to: 2018-03-31}\n"
        "mentions: [live stream]\nquestions:\n  - {id: Q1, kind: offences}\n"
    )
    answer = operate("answer", "request.yaml", "--format", "json").out
    (work / "answer.json").write_text(answer)
    operate("forget", "R5")
    operate("audit", "archive")
    refresh(records[:-1])
    head = operate("audit", "head").out.split()[1]
    shutil.copytree(home / "audit", copy)
    shutil.rmtree(home)
    operate("audit", "verify", code=18)
    shutil.copytree(copy, home / "audit")
    assert "is intact" in operate("audit", "verify", "--head", head).out
    assert "forget" in operate("audit", "show", "--forgotten", "R5").out
    replayed = operate("replay", "answer.json", code=14).out
    assert "R119" in replayed
