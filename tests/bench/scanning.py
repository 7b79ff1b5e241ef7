"""Counting the sample's 23 platforms, beside what needs no index: ripgrep, and polars, with one
regular expression a term over the same narratives.

ripgrep reads a text file with a line for each record, which the system keeps in memory; polars has
the narratives in memory already, and uses both processors. Each finds fewer spellings than foidex
(a regular expression says only what its author thought of), so the numbers are not compared.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import polars as pl
from elasticsearch import Elasticsearch

from indexer.records.sample import SAMPLE_PLATFORMS, generate_records
from queries.answering.build import compute_answer
from queries.request.reader import parse_request
from tests.bench.asking import HEAD, without_cache
from tests.bench.rig import median_ms


def compare(
    client: Elasticsearch, alias: str, number: int, folder: Path, rounds: int
) -> dict[str, float]:
    """Milliseconds to count every platform in the first ``number`` sample records, medians.

    ripgrep is left out where it is not installed.
    """
    lines = folder / "narratives.txt"
    narratives = [" ".join(record["narrative"]) for record in generate_records(number)]
    lines.write_text("\n".join(narratives) + "\n", encoding="utf-8")
    column = pl.Series(narratives)
    patterns = [_write_pattern(spellings) for spellings in SAMPLE_PLATFORMS]
    names = ", ".join(msgspec.json.encode(spellings[0]).decode() for spellings in SAMPLE_PLATFORMS)
    request = parse_request(f"{HEAD}questions: [{{id: Q1, kind: keywords, keywords: [{names}]}}]")
    ways: dict[str, Callable[[], object]] = {
        "foidex": lambda: compute_answer(client, alias, request),
        "polars": lambda: [column.str.contains(f"(?i){pattern}").sum() for pattern in patterns],
    }
    if shutil.which("rg"):
        ways["ripgrep"] = lambda: [_count_lines(pattern, lines) for pattern in patterns]
    with without_cache(client, alias):
        found = {name: median_ms(way, rounds) for name, way in ways.items()}
    lines.unlink()
    return found


def _write_pattern(spellings: tuple[str, ...]) -> str:
    """The words of the spelling with the most of them, with spaces or hyphens between, or nothing."""
    words = max((re.split("[ -]", one) for one in spellings[:2]), key=len)
    return rf"\b{'[ -]*'.join(map(re.escape, words))}\b"


def _count_lines(pattern: str, lines: Path) -> int:
    done = subprocess.run(
        ["rg", "--count", "--ignore-case", "--regexp", pattern, str(lines)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode > 1:
        raise RuntimeError(done.stderr)
    return int(done.stdout or 0)
