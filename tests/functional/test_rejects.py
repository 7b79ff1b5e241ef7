"""What a person, the report and the log say about many rejected records of different kinds."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.index.generations import build_index_meta, read_live_generation
from tests.support.command_line import CANARY, CommandLine

DATES = (
    '30 records: "recorded_on" is not a date (expected YYYY-MM-DD); '
    "first: crimes.jsonl:1, crimes.jsonl:2, crimes.jsonl:3"
)

FIELDS = '2 records: has an unknown field "district"; first: crimes.jsonl:31, crimes.jsonl:32'


def write_source(folder: Path, max_rejects: int) -> dict[str, str]:
    """A source of 33 records, of which only the last is valid; and its configuration."""
    faults = [{"recorded_on": f"31/02/20{number}"} for number in range(10, 40)]
    faults += [{"district": CANARY}, {"district": CANARY}, {}]
    plain = {"recorded_on": "2022-01-01", "offence_code": "22B", "narrative": CANARY}
    records = [{"crime_ref": f"R{number}"} | plain | fault for number, fault in enumerate(faults)]
    (folder / "crimes.jsonl").write_text("".join(f"{json.dumps(one)}\n" for one in records))
    config = folder / "foidex.toml"
    config.write_text(
        '[source]\npaths = ["crimes.jsonl"]\n'
        f'[refresh]\nreport = "{folder}/report.json"\nmax_rejects = {max_rejects}\n'
    )
    return {"FOIDEX_CONFIG": str(config)}


def test_check_load_and_refresh_count_rejects_by_kind(foidex: CommandLine, tmp_path: Path) -> None:
    configured = write_source(tmp_path, 0)
    for arguments in (("refresh", "--check"), ("refresh",), ("load", tmp_path / "crimes.jsonl")):
        outcome = foidex(*arguments, **configured)
        assert outcome.code == 4
        assert DATES in outcome.err.splitlines()
        assert FIELDS in outcome.err.splitlines()
        assert DATES not in outcome.out
        if "--check" in arguments:
            end = "32 of 33 records would be rejected, so a refresh would load nothing. Correct"
            assert end in outcome.err
    configured = write_source(tmp_path, 32)
    for arguments in (("refresh", "--check"), ("refresh",)):
        outcome = foidex(*arguments, **configured)
        assert outcome.code == 0
        assert DATES in outcome.out.splitlines()
        assert FIELDS in outcome.out.splitlines()
    outcome = foidex("refresh", "--check", **write_source(tmp_path, 31))
    assert "would be rejected (max_rejects allows 31), so a refresh" in outcome.err


def test_report_and_log_of_a_refresh_have_the_kinds_whether_it_failed_or_not(
    foidex: CommandLine, tmp_path: Path
) -> None:
    for max_rejects, code in ((0, 4), (32, 0)):
        outcome = foidex("refresh", **write_source(tmp_path, max_rejects))
        assert outcome.code == code
        kinds = msgspec.json.decode((tmp_path / "report.json").read_bytes())["rejected_kinds"]
        assert [(kind["records"], kind["places"][0]) for kind in kinds] == [
            (30, "crimes.jsonl:1"),
            (2, "crimes.jsonl:31"),
        ]
        log = [json.loads(line) for line in outcome.err.splitlines() if line.startswith("{")]
        assert [line["event"] for line in log] == [
            "records rejected",
            "records rejected",
            "refresh promoted" if code == 0 else "refresh failed",
        ]
        assert [line["records"] for line in log[:2]] == [30, 2]
        assert len(log[0]["examples"]) == 3
        assert log[1]["examples"][0].startswith('crimes.jsonl:31: has an unknown field "district"')


def test_a_failed_refresh_prints_its_message_once(foidex: CommandLine, tmp_path: Path) -> None:
    outcome = foidex("refresh", **write_source(tmp_path, 0))
    assert outcome.err.count("32 of 33 records were rejected") == 1
    report = msgspec.json.decode((tmp_path / "report.json").read_bytes())
    assert f"foidex: {report['error']}" in outcome.err
    (tmp_path / "crimes.jsonl").unlink()
    outcome = foidex("refresh", FOIDEX_CONFIG=str(tmp_path / "foidex.toml"))
    assert outcome.code == 4
    assert outcome.err.count("crimes.jsonl: there is no such file") == 1


DAY_FAULTS = (
    ({"recorded_on": "0001-01-01"}, '"recorded_on" is before 1950-01-01'),
    ({"recorded_on": "9999-12-31"}, '"recorded_on" is after 20'),
    ({"updated_at": "9999-12-31T00:00:00Z"}, '"updated_at" is after 20'),
    ({"updated_at": "0001-01-01T00:00:00Z"}, '"updated_at" is before 1950-01-01'),
)


def write_days(folder: Path, kind: str, faults: list[dict[str, str]], limits: str = "") -> Path:
    """A source of one valid record and of these, as JSON Lines or as a folder of CSV tables."""
    plain = {"recorded_on": "2022-01-01", "offence_code": "22B", "narrative": CANARY}
    plain["updated_at"] = "2022-01-01T00:00:00Z"
    records = [
        {"crime_ref": f"R{number}"} | plain | one for number, one in enumerate([{}, *faults])
    ]
    source = folder / "crimes.jsonl"
    if kind == "csv":
        source = folder / "crimes.csv"
        rows = [",".join(records[0]), *(",".join(one.values()) for one in records)]
        source.write_text("".join(f"{row}\n" for row in rows))
    else:
        source.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    (folder / "foidex.toml").write_text(
        f'[source]\npaths = ["{source.name}"]\n[refresh]\nreport = "{folder}/report.json"\n{limits}'
    )
    return source


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_mistyped_days_are_rejected_alike_by_check_load_and_each_refresh(
    foidex: CommandLine, tmp_path: Path, kind: str
) -> None:
    configured = {"FOIDEX_CONFIG": str(tmp_path / "foidex.toml")}
    write_days(tmp_path, kind, [])
    assert foidex("refresh", **configured).code == 0
    for fault, expected in DAY_FAULTS:
        source = write_days(tmp_path, kind, [fault, fault])
        for arguments in (
            ("refresh", "--check"),
            ("refresh", "--full"),
            ("refresh", "--incremental"),
            ("load", source),
        ):
            outcome = foidex(*arguments, **configured)
            assert outcome.code == 4, (fault, arguments)
            assert outcome.err.count(f": {expected}") == 2, (fault, arguments)
            assert not any(value in outcome.err for value in fault.values())
        report = msgspec.json.decode((tmp_path / "report.json").read_bytes())
        assert [(one["records"], len(one["examples"])) for one in report["rejected_kinds"]] == [
            (2, 2)
        ]
    outcome = foidex("load", source, "--reject-invalid", **configured)
    assert outcome.code == 0
    assert "1 indexed, 2 rejected" in outcome.out
    assert "It covers 2022-01-01 to 2022-01-01" in outcome.out


def test_a_force_may_set_the_earliest_day(foidex: CommandLine, tmp_path: Path) -> None:
    configured = {"FOIDEX_CONFIG": str(tmp_path / "foidex.toml")}
    fault = {"recorded_on": "1901-05-06"}
    source = write_days(tmp_path, "jsonl", [fault], "[records]\nearliest = 1901-05-06\n")
    for arguments in (("refresh", "--check"), ("refresh",), ("load", source)):
        assert foidex(*arguments, **configured).code == 0
    write_days(tmp_path, "jsonl", [fault], "[records]\nearliest = 1901-05-07\n")
    for arguments in (("refresh", "--check"), ("refresh",), ("load", source)):
        assert foidex(*arguments, **configured).code == 4
    changed = foidex("refresh", "--incremental", **configured)
    assert changed.code == 4
    write_days(tmp_path, "jsonl", [], "[records]\nearliest = 1901-05-07\n")
    changed = foidex("refresh", "--incremental", **configured)
    assert changed.code == 6
    assert "1 of the records that the live generation holds have a recorded_on" in changed.err
    assert "foidex refresh --full" in changed.err
    assert foidex("refresh", "--full", "--allow", "shrink", **configured).code == 0
    assert foidex("refresh", "--incremental", **configured).code == 0


def test_a_clock_that_is_behind_the_last_refresh_is_reported(
    foidex: CommandLine, tmp_path: Path, client: Elasticsearch, index: IndexSettings
) -> None:
    source = write_days(tmp_path, "jsonl", [])
    assert "Check the clock" not in foidex("load", source).err + foidex("load", source).err
    live = read_live_generation(client, index.alias)
    later = msgspec.structs.replace(live, built_at=live.built_at + timedelta(days=2))
    client.indices.put_mapping(index=live.name, meta=build_index_meta(later))
    outcome = foidex("load", source)
    assert outcome.code == 0
    assert (
        f"{live.name} was built at {later.built_at:%Y-%m-%d %H:%M} UTC. Check the clock"
        in outcome.err
    )


def test_a_record_of_which_a_part_was_rejected_in_another_file_is_said(
    foidex: CommandLine, tmp_path: Path
) -> None:
    """Rows of one reference are one record within a file only."""
    head = "Ref,Day,Code,Text,Age"
    rows = {
        "a": ["A1,2022-01-01,22B,x,20", "A2,2022-01-01,22B,x,151"],
        "b": ["A2,2022-01-01,22B,x,30"],
    }
    for name, lines in rows.items():
        (tmp_path / f"{name}.csv").write_text("\n".join([head, *lines, ""]))
    config = tmp_path / "foidex.toml"
    columns = "crime_ref = {column = 'Ref'}\nrecorded_on = {column = 'Day'}\n"
    config.write_text(
        '[source]\npaths = ["a.csv", "b.csv"]\n'
        "[source.profile]\none_row_per = 'victim'\n[source.profile.fields]\n"
        f"{columns}offence_code = {{column = 'Code'}}\nnarrative = {{columns = ['Text']}}\n"
        "\"victims.age\" = {column = 'Age'}\n"
    )
    outcome = foidex("refresh", "--reject-invalid", FOIDEX_CONFIG=str(config))
    assert outcome.code == 0, outcome.err
    assert "1 time: a record was rejected, and another with its reference was not" in outcome.out
