"""The alert rules that ship: valid, about metrics that exist, and firing when they should."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from indexer.index.generations import Generation
from indexer.jobs.report import RefreshReport, write_metrics
from indexer.records.coverage import Coverage
from indexer.records.damage.kinds import TextDamage
from tests.support.paths import ROOT

RULES = ROOT / "docker" / "prometheus" / "foidex-alerts.yml"

STARTED = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)


def read_rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def list_metric_names(folder: Path) -> set[str]:
    """Every metric that a refresh writes."""
    generation = Generation(
        name="crimes-1",
        built_at=STARTED,
        version="1",
        mapping_hash="0",
        coverage=Coverage(date(2023, 1, 1), date(2023, 12, 31)),
        watermark=STARTED,
        damage=TextDamage(damaged=1, kinds={"control": 1}),
    )
    report = RefreshReport("promoted", 0, "full", STARTED, 2.5, generation)
    write_metrics(report, folder / "foidex.prom", "crimes")
    text = (folder / "foidex.prom").read_text()
    return {
        sample.name for family in text_string_to_metric_families(text) for sample in family.samples
    }


def test_alerts_name_only_metrics_that_a_refresh_writes(tmp_path: Path) -> None:
    metrics = list_metric_names(tmp_path)
    texts = [rule["expr"] for rule in read_rules()]
    texts += [text for rule in read_rules() for text in rule["annotations"].values()]
    names = set(re.findall(r"\bfoidex_\w+", " ".join(texts)))
    assert len(names) >= 8
    assert names <= metrics


def test_the_documentation_names_only_metrics_that_a_refresh_writes(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "operating.md").read_text("utf-8")
    names = set(re.findall(r"\bfoidex_refresh_\w+", page))
    assert names
    assert names <= list_metric_names(tmp_path)


def test_every_alert_has_a_name_of_its_own_a_severity_and_advice() -> None:
    rules = read_rules()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}


@dataclass
class Night:
    """The metrics after a night, as values of Prometheus's own test language, and what must fire."""

    alerts: set[str]
    hours: int = 3
    metrics: dict[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()  # machines whose nights are healthy


HEALTHY = {
    "success": "1",
    "exit_code": "0",
    "last_success_timestamp_seconds": "0",
    "last_change_timestamp_seconds": "0",
    "newest_update_timestamp_seconds": "0",
    "records": "100000",
    "rejected": "0",
    "empty_months": "0",
    "damaged_records": "20",
    "cut_texts": "0",
}

NIGHTS = {
    "healthy": Night(set()),
    "a day and an hour": Night(set(), hours=25),
    "a day and three hours": Night({"FoidexRefreshOverdue"}, hours=27),
    "of a time to come": Night(
        {"FoidexClockWrong"}, metrics={"last_success_timestamp_seconds": str(40 * 86_400)}
    ),
    "nothing changed for two days": Night(
        set(), metrics={"newest_update_timestamp_seconds": str(-2 * 86_400)}
    ),
    "nothing changed for three days": Night(
        {"FoidexRecordsOld"}, metrics={"newest_update_timestamp_seconds": str(-3 * 86_400)}
    ),
    "no time of a change": Night(set(), metrics={"newest_update_timestamp_seconds": ""}),
    "the same records for two days, without updated_at": Night(
        set(),
        metrics={
            "newest_update_timestamp_seconds": "",
            "last_change_timestamp_seconds": str(-2 * 86_400),
        },
    ),
    "the same records for three days, without updated_at": Night(
        {"FoidexRecordsUnchanged"},
        metrics={
            "newest_update_timestamp_seconds": "",
            "last_change_timestamp_seconds": str(-3 * 86_400),
        },
    ),
    "the same records over a weekend, and a refresh that takes longer": Night(
        set(),
        hours=1,
        metrics={"last_change_timestamp_seconds": str(-3 * 86_400)},
    ),
    "failed": Night({"FoidexRefreshFailed"}, metrics={"success": "0", "exit_code": "5"}),
    "report not written": Night({"FoidexRefreshUnfinished"}, metrics={"exit_code": "11"}),
    "any other exit code": Night({"FoidexRefreshUnfinished"}, metrics={"exit_code": "1"}),
    "another run under way": Night(set(), metrics={"exit_code": "12"}),
    "never": Night(
        {"FoidexRefreshFailed", "FoidexNeverRefreshed"},
        metrics={
            "success": "0",
            "exit_code": "5",
            "last_success_timestamp_seconds": "",
            "last_change_timestamp_seconds": "",
        },
    ),
    "no index": Night(
        {"FoidexRefreshFailed", "FoidexIndexMissing"}, metrics={"success": "0", "exit_code": "8"}
    ),
    "empty": Night({"FoidexIndexMissing"}, metrics={"records": "0", "damaged_records": "0"}),
    "rejects": Night({"FoidexRecordsRejected"}, metrics={"rejected": "1"}),
    "empty months": Night({"FoidexEmptyMonths"}, metrics={"empty_months": "2"}),
    "1% damaged": Night(set(), metrics={"damaged_records": "1000"}),
    "over 1% damaged": Night({"FoidexTextDamaged"}, metrics={"damaged_records": "1001"}),
    "suddenly damaged": Night({"FoidexTextDamaged"}, metrics={"damaged_records": "20x60 131x500"}),
    "cut off": Night({"FoidexTextCutOff"}, metrics={"cut_texts": "8"}),
    "no metrics": Night({"FoidexMetricsMissing"}, metrics=dict.fromkeys(HEALTHY, "")),
    "two machines": Night(set(), others=("other",)),
    "no longer the metrics of one of two machines": Night(
        {"FoidexMetricsMissing"},
        metrics={name: f"{at}x60 stale" for name, at in HEALTHY.items()},
        others=("other",),
    ),
}


def build_rule_test(night: Night) -> dict[str, Any]:
    series = [
        {
            "series": f'foidex_refresh_{name}{{alias="crimes", instance="{machine}"}}',
            "values": value if "x" in value else f"{value}x2000",
        }
        for machine, changes in {"host": night.metrics, **{key: {} for key in night.others}}.items()
        for name, value in (HEALTHY | changes).items()
        if value
    ]
    at = f"{night.hours}h"
    alert_name = 'ALERTS{alertstate="firing"}'
    samples = sorted(night.alerts)
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {
                "expr": f"count by (alertname) ({alert_name})",
                "eval_time": at,
                "exp_samples": [
                    {"labels": f'{{alertname="{name}"}}', "value": 1} for name in samples
                ],
            }
        ],
    }


@pytest.mark.parametrize("name", NIGHTS)
def test_prometheus_fires_the_alerts_of_a_night_and_no_others(name: str, tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool (Debian's package prometheus) is not on this machine")
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [build_rule_test(NIGHTS[name])],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "test.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
