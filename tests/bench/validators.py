"""msgspec against pydantic on one task: decode and check record lines. Run by hand; prints a table.

python tests/bench/validators.py (pydantic is not a dependency: pip install pydantic)
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from indexer.records.parse import parse_record_line
from indexer.records.sample import generate_records

ROUNDS = 5

NUMBER = 20_000


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Victim(Strict):
    victim_ref: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    age: Annotated[int, Field(ge=0, le=120, strict=True)] | None = None
    sex: Literal["F", "M", "X", "U"] | None = None


class Link(Strict):
    crime_ref: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    offence_code: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class Record(Strict):
    crime_ref: Annotated[str, Field(min_length=1, max_length=100)]
    recorded_on: date
    offence_code: Annotated[str, Field(min_length=1, max_length=40)]
    narrative: str | list[str]
    status: Literal["recorded", "cancelled", "transferred"] = "recorded"
    outcome: Annotated[int, Field(ge=1, le=22)] | None = None
    victims: list[Victim] = []
    linked: list[Link] = []
    updated_at: datetime | None = None


def cpu(read: Callable[[bytes], object], lines: list[bytes]) -> float:
    start = time.process_time()
    for line in lines:
        read(line)
    return (time.process_time() - start) / len(lines) * 1e6


def main() -> None:
    lines = [msgspec.json.encode(record) for record in generate_records(NUMBER)]
    ways: dict[str, Callable[[bytes], object]] = {
        "msgspec": parse_record_line,
        "pydantic": Record.model_validate_json,
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, read in ways.items():
            taken[name].append(cpu(read, lines))
    print(f"{NUMBER:,} lines, {ROUNDS} rounds in turn, microseconds of CPU a line (median)")
    for name, rounds in taken.items():
        print(f"{name:<10}{statistics.median(rounds):>8.2f}")


if __name__ == "__main__":
    main()
