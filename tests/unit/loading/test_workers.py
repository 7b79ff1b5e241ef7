"""Preparing records in several processes: the same result as in one, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from itertools import count, islice
from pathlib import Path

import msgspec
import psutil
import pytest

from indexer.config.field_map import FieldMap
from indexer.errors import GenerationError
from indexer.loading.loader import check_records
from indexer.loading.preparation import DocumentBuilder
from indexer.loading.workers import prepare_batches
from indexer.records.categories import Category
from indexer.records.contract import DayLimits, RecordContract
from indexer.records.offences import load_offence_table
from indexer.sources.base import RawRecord

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def make_builder(workers: int) -> DocumentBuilder:
    """A builder with a category, whose contract holds a type that no pickle can name."""
    fields = FieldMap(categories={"district": Category(type="keyword")})
    contract = RecordContract(fields.categories, DayLimits(NOW, date(1950, 1, 1)))
    return DocumentBuilder(load_offence_table(), fields, NOW, contract, workers=workers)


def make_raw(number: int) -> RawRecord:
    """Every 700th line is not a record, every 900th has an unknown code; some come as values."""
    record = {
        "crime_ref": f"R{number}",
        "recorded_on": "2020-06-01",
        "offence_code": "999/99" if number % 900 == 0 else "8N",
        "narrative": f"Entry {number} \u2013 \u0444\u043e\u0440\u043c\u0430 \U0001f3a5 was filed\u200bhere.",
        "district": "North",
        "updated_at": f"2021-01-01T00:00:{number % 60:02}Z",
    }
    if number % 700 == 0:
        del record["narrative"]
    raw = record if number % 3 else msgspec.json.encode(record)
    return RawRecord(f"a.jsonl:{number}", raw, 0)


def read_batches() -> Iterator[list[RawRecord]]:
    """Batches without an end."""
    for first in count(1, 10):
        yield [make_raw(number) for number in range(first, first + 10)]


def list_children() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_several_workers_account_for_records_as_one_does() -> None:
    """Counts, content hash, newest change, codes, damage, and the reasons in their order."""
    raws = [make_raw(number) for number in range(1, 15_000)]
    alone = check_records(raws, make_builder(1))
    together = check_records(raws, make_builder(3))
    assert alone == together
    assert alone.rejected == 21
    assert alone.indexed == 14_999 - 21
    assert alone.reasons == sorted(alone.reasons, key=lambda reason: int(reason.split(":")[1]))
    assert alone.damage.damaged == alone.indexed
    assert sum(alone.unknown_codes.values()) == 16 - 2


def test_a_worker_that_is_killed_ends_the_load_with_one_message() -> None:
    before = list_children()
    with closing(prepare_batches(read_batches(), make_builder(2))) as batches:
        for _ in range(20):
            next(batches)
        workers = [
            process
            for process in map(psutil.Process, list_children() - before)
            if any("spawn_main" in word or "forkserver" in word for word in process.cmdline())
            and not process.children()
        ]
        assert workers
        for worker in workers:
            worker.kill()
        with pytest.raises(GenerationError, match="fewer --workers"):
            deque(islice(batches, 1_000), maxlen=0)


def test_no_worker_outlives_a_load_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "load.py"
    script.write_text(
        "import time, psutil\n"
        "from indexer.config.field_map import EMPTY_FIELD_MAP\n"
        "from indexer.loading.preparation import DocumentBuilder\n"
        "from indexer.loading.workers import prepare_batches\n"
        "from indexer.records.offences import load_offence_table\n"
        "from indexer.sources.base import RawRecord\n"
        "from datetime import UTC, datetime\n"
        "def batches():\n"
        "    while True:\n"
        "        yield [RawRecord('a:1', {'crime_ref': 'A'}, 0)]\n"
        "if __name__ == '__main__':\n"
        "    now = datetime(2026, 1, 2, tzinfo=UTC)\n"
        "    builder = DocumentBuilder(load_offence_table(), EMPTY_FIELD_MAP, now, workers=2)\n"
        "    prepared = prepare_batches(batches(), builder)\n"
        "    for _ in range(20):\n"
        "        next(prepared)\n"
        "    print(*(child.pid for child in psutil.Process().children(recursive=True)), flush=True)\n"
        "    time.sleep(600)\n",
        encoding="utf-8",
    )
    load = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert load.stdout is not None
    children = [int(word) for word in load.stdout.readline().split()]
    assert len(children) >= 2
    os.kill(load.pid, signal.SIGKILL)
    load.wait()
    load.stdout.close()
    deadline = time.monotonic() + 60
    while any(map(psutil.pid_exists, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in children if psutil.pid_exists(pid)]
