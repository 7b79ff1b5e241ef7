"""What a person, the report and the log say about many rejected records of different kinds."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

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
    configured = write_source(tmp_path, 32)
    for arguments in (("refresh", "--check"), ("refresh",)):
        outcome = foidex(*arguments, **configured)
        assert outcome.code == 0
        assert DATES in outcome.out.splitlines()
        assert FIELDS in outcome.out.splitlines()


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
