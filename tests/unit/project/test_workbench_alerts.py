"""The alert rules of the workbench: about metrics that it gives, and firing when they should."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from queries.workbench.metrics import Metrics
from queries.workbench.tasks import Tasks
from tests.support.paths import ROOT

RULES = ROOT / "docker" / "prometheus" / "foidex-workbench-alerts.yml"

REQUESTS = 'foidex_workbench_requests_total{result="2xx"}'

FAILED = 'foidex_workbench_requests_total{result="5xx"}'

WAITING = 'foidex_workbench_tasks{state="waiting"}'

REFUSED = "foidex_workbench_sign_ins_refused_total"

#: The series of an hour, a value each minute, and the alerts that must fire at its end.
HOURS = {
    "quiet": ({REQUESTS: "0+3x60", FAILED: "0x60", WAITING: "0x60", REFUSED: "0x60"}, set()),
    "stopped": ({REQUESTS: "1x40 _x20"}, {"FoidexWorkbenchDown"}),
    "one of two stopped": (
        {
            'foidex_workbench_requests_total{result="2xx",instance="a"}': "1x20 stale",
            'foidex_workbench_requests_total{result="2xx",instance="b"}': "0+3x60",
        },
        {"FoidexWorkbenchDown"},
    ),
    "a few failures": ({REQUESTS: "0+3x60", FAILED: "0x55 1x5"}, set()),
    "failures": ({REQUESTS: "0+3x60", FAILED: "0+1x60"}, {"FoidexWorkbenchFailing"}),
    "a short wait": ({REQUESTS: "0+3x60", WAITING: "0x40 1x20"}, set()),
    "a long wait": ({REQUESTS: "0+3x60", WAITING: "0x20 1x40"}, {"FoidexWorkbenchBusy"}),
    "guesses": ({REQUESTS: "0+3x60", REFUSED: "0+4x60"}, {"FoidexSignInsRefused"}),
}


def read_names(metrics: Metrics) -> set[str]:
    families = text_string_to_metric_families(metrics.format().decode())
    return {name for family in families for name in (family.name, *list_sample_names(family))}


def list_sample_names(family: Metric) -> list[str]:
    return [sample.name for sample in family.samples]


def test_alerts_and_documentation_name_only_metrics_that_the_workbench_gives() -> None:
    tasks = Tasks()
    names = read_names(Metrics(tasks))
    tasks.close()
    texts = [RULES.read_text(), (ROOT / "docs" / "operating.md").read_text()]
    for text in texts:
        found = set(re.findall(r"\bfoidex_workbench_\w+", text))
        assert len(found) >= 3
        assert found <= names


@pytest.mark.parametrize("name", HOURS)
def test_prometheus_fires_the_alerts_of_an_hour_and_no_others(name: str, tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("promtool (Debian's package prometheus) is not on this machine")
    series, alerts = HOURS[name]
    expected = [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in sorted(alerts)]
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": key, "values": values} for key, values in series.items()
                ],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "60m",
                        "exp_samples": expected,
                    }
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        [promtool, "test", "rules", str(tmp_path / "test.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
