"""A force that configured only itself publishes, and publishes again after a month of refreshes."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from tests.support.command_line import run_command
from tests.support.force import FORCE_TOML
from tests.support.index_content import write_records

NIGHTS = 30

WORDS = ("livestream", "chat", "camera")


def make_record(number: int, chance: random.Random, years: tuple[int, ...]) -> dict[str, Any]:
    """A record of any day of some financial years, which mentions some of the words."""
    words = [word for word in WORDS if chance.random() < 0.4]
    return {
        "crime_ref": f"R{number}",
        "recorded_on": f"{chance.choice(years)}-{chance.randrange(4, 13):02}-11",
        "offence_code": "71" if number < 3 else chance.choice(["22B", "22B", "86/2"]),
        "narrative": f"Reported by {' and '.join(words) or 'letter'}.",
    }


def write_request(folder: Path, name: str, keywords: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(
        f"reference: R/{name}\ntitle: Mentions\n"
        "period: {from: 2013-04-01, to: 2018-03-31}\nquestions:\n"
        "  - {id: Q1, kind: by, by: offence}\n"
        "  - {id: Q2, kind: by, by: financial_year}\n"
        f"  - {{id: Q3, kind: keywords, keywords: [{keywords}]}}\n"
    )
    return path


def test_a_second_request_after_a_month_of_refreshes_needs_no_override(
    environment: dict[str, str], tmp_path: Path
) -> None:
    source = tmp_path / "source.jsonl"
    (tmp_path / "foidex.toml").write_text(f'{FORCE_TOML}\n[source]\npaths = ["source.jsonl"]\n')
    chance = random.Random(15)
    records = [make_record(number, chance, (2013, 2014, 2015, 2016, 2017)) for number in range(400)]

    def publish(name: str, keywords: str) -> dict[str, Any]:
        path = write_request(tmp_path, name, keywords)
        outcome = run_command(
            "answer", path, "--publish", "--format", "json",
            environment=environment, folder=tmp_path, expected_code=0,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(outcome.out)
        return answer

    def refresh() -> None:
        write_records(source, records)
        run_command("refresh", environment=environment, folder=tmp_path, expected_code=0)

    refresh()
    first = publish("first", "livestream, chat")
    for _ in range(NIGHTS):
        records.append(make_record(len(records), chance, (2017,)))
        refresh()
    second = publish("second", "camera")
    for answer in (first, second):
        counts = [
            count
            for question in answer["questions"]
            for row in question["table"]["rows"]
            for count in row["counts"]
        ]
        assert None in counts
        assert any(count and count >= 5 for count in counts)
        assert not answer["disclosure"].get("overrides")
