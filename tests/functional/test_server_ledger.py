"""The ledger of releases on the server: shared, append-only, and missed when it is gone."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.errors import DisclosureError
from tests.support.command_line import PROGRAM, Outcome, run_command
from tests.support.findings import UNSOUND
from tests.support.force import FORCE_TOML

Run = Callable[..., Outcome]

YEAR = "2018-03-31"

ELEVEN_MONTHS = "2018-02-28"


@pytest.fixture
def foidex(environment: dict[str, str], tmp_path: Path, load: Callable[..., Any]) -> Run:
    """The program of a force that configured nothing but itself; 28 records, and two in March."""
    (tmp_path / "foidex.toml").write_text(FORCE_TOML)
    days = ["2017-05-05"] * 28 + ["2018-03-15"] * 2
    load(
        [
            {
                "crime_ref": f"R{n}",
                "recorded_on": day,
                "offence_code": "22B",
                "narrative": "A live stream.",
            }
            for n, day in enumerate(days)
        ]
    )
    for last in (YEAR, ELEVEN_MONTHS):
        (tmp_path / f"{last}.yaml").write_text(
            f"reference: R/{last}\ntitle: Mentions\nperiod: {{from: 2017-04-01, to: {last}}}\n"
            "mentions: [live stream]\nquestions:\n  - {id: Q1, kind: offences}\n"
        )

    def run(*words: object, code: int = 0, **more: str) -> Outcome:
        return run_command(
            *words, environment={**environment, **more}, folder=tmp_path, expected_code=code
        )

    return run


def publish(last: str, *words: str) -> tuple[str, ...]:
    return ("answer", f"{last}.yaml", "--publish", "--format", "json", *words)


def read_documents(client: Elasticsearch, index: IndexSettings) -> list[dict[str, Any]]:
    name = f"{index.alias}.ledger"
    client.indices.refresh(index=name)
    hits = client.search(index=name, size=100).body["hits"]["hits"]
    return sorted(hits, key=lambda hit: int(hit["_id"]))


def last_audit_line(foidex: Run) -> dict[str, Any]:
    (line,) = foidex("audit", "show", "--last", 1).out.splitlines()
    decoded: dict[str, Any] = json.loads(line)
    return decoded


def test_the_first_release_creates_the_ledger_and_says_so(
    foidex: Run, client: Elasticsearch, index: IndexSettings
) -> None:
    first = foidex(*publish(YEAR))
    assert f"the ledger {index.alias}.ledger on the server was created" in first.err
    (document,) = read_documents(client, index)
    noted = last_audit_line(foidex)["ledger"]
    assert (noted["releases"], noted["head"]) == (1, document["_source"]["head"])
    assert noted["alias"] == index.alias
    again = foidex(*publish(YEAR))
    assert "was created" not in again.err
    assert len(read_documents(client, index)) == 1


def test_two_officers_on_two_machines_share_the_ledger(foidex: Run, tmp_path: Path) -> None:
    foidex(*publish(YEAR))
    other = {"FOIDEX_HOME": str(tmp_path / "another machine")}
    refused = foidex(*publish(ELEVEN_MONTHS), code=DisclosureError.exit_code, **other)
    assert "Together they show that 2" in refused.err


def test_a_ledger_that_was_deleted_is_refused_until_a_reason_is_given(
    foidex: Run, client: Elasticsearch, index: IndexSettings
) -> None:
    foidex(*publish(YEAR))
    client.indices.delete(index=f"{index.alias}.ledger")
    refused = foidex(*publish(ELEVEN_MONTHS), code=DisclosureError.exit_code)
    assert "the ledger is missing or empty" in refused.err
    assert "Restore the ledger from a backup" in refused.err
    assert refused.out == ""
    published = json.loads(foidex(*publish(ELEVEN_MONTHS, "--override", "server lost")).out)
    assert published["disclosure"]["overrides"] == [
        {"rule": "the ledger is missing or empty", "reason": "server lost"}
    ]
    foidex(*publish(ELEVEN_MONTHS))


def test_a_ledger_that_is_older_than_the_last_release_is_refused(
    foidex: Run, client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    for number in range(3):
        other = tmp_path / f"{number}.yaml"
        text = (tmp_path / f"{YEAR}.yaml").read_text()
        other.write_text(text.replace(f"R/{YEAR}", f"R/{number}"))
        foidex("answer", other, "--publish")
    client.delete(index=f"{index.alias}.ledger", id="2", refresh=True)
    refused = foidex(*publish(YEAR), code=DisclosureError.exit_code)
    assert "the ledger lacks 1 of 3 releases" in refused.err


DAMAGE: dict[str, dict[str, Any]] = {
    "is missing": {},
    "was changed": {"line": "eA=="},
    "is not one that foidex wrote": {"line": "***"},
    "is not one that foidex wrote, ": {"line": None},
    "is not one that foidex wrote, so": {"position": "1"},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_ledger_with_a_line_missing_or_changed_is_refused(
    foidex: Run, client: Elasticsearch, index: IndexSettings, tmp_path: Path, damage: str
) -> None:
    for number in range(3):
        other = tmp_path / f"{number}.yaml"
        text = (tmp_path / f"{YEAR}.yaml").read_text()
        other.write_text(text.replace(f"R/{YEAR}", f"R/{number}"))
        foidex("answer", other, "--publish")
    name = f"{index.alias}.ledger"
    _, second, _ = read_documents(client, index)
    if not DAMAGE[damage]:
        client.delete(index=name, id="1", refresh=True)
    else:
        changed = {**second["_source"], **DAMAGE[damage]}
        client.index(index=name, id="1", document=changed, refresh=True)
    home = {"FOIDEX_HOME": str(tmp_path / "a machine without an audit log")}
    refused = foidex(*publish(YEAR), code=DisclosureError.exit_code, **home)
    assert f"line 2 {damage}" in refused.err


@pytest.mark.usefixtures("foidex")
def test_of_two_processes_that_publish_at_once_the_second_is_checked_against_the_first(
    environment: dict[str, str],
    client: Elasticsearch,
    index: IndexSettings,
    tmp_path: Path,
) -> None:
    """Each by itself may be published; together they give March away, whichever comes first."""
    started = [
        subprocess.Popen(
            [PROGRAM, *publish(last)],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for last in (YEAR, ELEVEN_MONTHS)
    ]
    outcomes = [process.communicate() for process in started]
    codes = sorted(process.returncode for process in started)
    assert codes == [0, DisclosureError.exit_code], outcomes
    (refused,) = [out for process, (out, _) in zip(started, outcomes, strict=True) if process.returncode]  # fmt: skip
    assert refused == ""
    assert len(read_documents(client, index)) == 1


def test_releases_at_once_are_all_recorded(
    foidex: Run,
    environment: dict[str, str],
    client: Elasticsearch,
    index: IndexSettings,
    tmp_path: Path,
) -> None:
    text = (tmp_path / f"{YEAR}.yaml").read_text()
    for number in range(4):
        (tmp_path / f"{number}.yaml").write_text(text.replace(f"R/{YEAR}", f"R/{number}"))
    started = [
        subprocess.Popen(
            [PROGRAM, "answer", f"{number}.yaml", "--publish"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for number in range(4)
    ]
    assert [process.wait() for process in started] == [0] * 4
    assert len(read_documents(client, index)) == 4
    foidex("answer", "0.yaml", "--publish")


def test_ledger_files_of_earlier_versions_are_taken_over(
    foidex: Run, client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    toml = tmp_path / "foidex.toml"
    toml.write_text(FORCE_TOML + '[disclosure]\nledger = "releases.jsonl"\n')
    foidex(*publish(YEAR))
    toml.write_text(FORCE_TOML)
    refused = foidex(*publish(YEAR), code=DisclosureError.exit_code)
    assert "The last release was recorded in" in refused.err
    assert 'ledger_files = ["releases.jsonl"]' in refused.err
    toml.write_text(FORCE_TOML + '[disclosure]\nledger_files = ["releases.jsonl"]\n')
    refused = foidex(*publish(ELEVEN_MONTHS), code=DisclosureError.exit_code)
    assert "Together they show that 2" in refused.err
    foidex(*publish(YEAR))
    assert len(read_documents(client, index)) == 1
    toml.write_text(FORCE_TOML)
    refused = foidex(*publish(ELEVEN_MONTHS), code=DisclosureError.exit_code)
    assert "Together they show that 2" in refused.err
    foidex(*publish(YEAR))


def test_a_ledger_file_that_was_emptied_is_refused(foidex: Run, tmp_path: Path) -> None:
    (tmp_path / "foidex.toml").write_text(FORCE_TOML + '[disclosure]\nledger = "releases.jsonl"\n')
    foidex(*publish(YEAR))
    (tmp_path / "releases.jsonl").write_text("")
    refused = foidex(*publish(ELEVEN_MONTHS), code=DisclosureError.exit_code)
    assert "the ledger is missing or empty" in refused.err


def find_ledger(foidex: Run, code: int = 0) -> dict[str, Any] | None:
    """What the doctor says of the ledger."""
    findings = json.loads(foidex("doctor", "--format", "json", code=code).out)
    return next((one for one in findings if one["check"] == "ledger"), None)


@pytest.mark.parametrize("place", ["server", "file"])
def test_the_doctor_misses_a_ledger_that_lost_a_release(
    foidex: Run, client: Elasticsearch, index: IndexSettings, tmp_path: Path, place: str
) -> None:
    """Publishing would refuse in the same words; the doctor says so before."""
    if place == "file":
        (tmp_path / "foidex.toml").write_text(FORCE_TOML + '[disclosure]\nledger = "own.jsonl"\n')
    assert find_ledger(foidex) is None
    foidex(*publish(YEAR))
    (tmp_path / "other.yaml").write_text(
        (tmp_path / f"{YEAR}.yaml").read_text().replace(f"R/{YEAR}", "R/other")
    )
    foidex("answer", "other.yaml", "--publish")
    sound = find_ledger(foidex)
    assert sound
    assert sound["level"] == "ok"
    assert "holds the 2 releases that the audit log notes" in sound["message"]
    if place == "file":
        ledger = tmp_path / "own.jsonl"
        ledger.write_text(ledger.read_text().splitlines(keepends=True)[0])
    else:
        client.delete(index=f"{index.alias}.ledger", id="1", refresh=True)
    short = find_ledger(foidex, UNSOUND)
    refused = foidex(*publish(YEAR), code=DisclosureError.exit_code)
    assert short
    assert "the ledger lacks 1 of 2 releases" in short["message"]
    assert short["message"] in refused.err
    if place == "file":
        ledger.unlink()
    else:
        client.indices.delete(index=f"{index.alias}.ledger")
    missing = find_ledger(foidex, UNSOUND)
    assert missing
    assert missing["level"] == "problem"
    assert "the ledger is missing or empty" in missing["message"]
    assert "Restore the ledger from a backup" in missing["message"]


def test_the_doctor_reports_a_ledger_whose_line_was_changed(foidex: Run, tmp_path: Path) -> None:
    (tmp_path / "foidex.toml").write_text(FORCE_TOML + '[disclosure]\nledger = "own.jsonl"\n')
    foidex(*publish(YEAR))
    (tmp_path / "own.jsonl").write_text("{}\n")
    found = find_ledger(foidex, UNSOUND)
    assert found
    assert "own.jsonl:1: is not a release" in found["message"]
