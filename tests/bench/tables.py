"""Files as they come, beside what reading them costs anyway: XLSX beside python-calamine, CSV beside
the ``csv`` module.

``python -m tests.bench.tables`` measures how 100,000 records of the sample are read, whose texts
have 535 characters on average, and 15,000 with texts as people write them, of 1,000 to 9,000.
``python -m tests.bench.tables 200000`` loads files of so many records into a server of its own, and
prints for each its records a second, the client's CPU, and the memory of the client and of the
process that reads the spreadsheet.

The same records, as one XLSX and one CSV with columns of their own. What is measured is CPU, that of
child processes included: of the reader alone, of foidex from the file to checked rows (*rows*), and
from the file to the documents that are sent to the server (*documents*). foidex reads a spreadsheet
in a process of its own, whose start and new memory count, so python-calamine is measured in one, too.
"""

from __future__ import annotations

import csv
import resource
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import openpyxl
import python_calamine

from indexer.config.loader import load_settings
from indexer.config.model import IndexSettings
from indexer.config.profile import SourceProfile
from indexer.index.generations import create_generation
from indexer.index.mapping import load_index_schema
from indexer.loading.loader import BATCH_RECORDS, fill_index
from indexer.loading.preparation import prepare_batch
from indexer.loading.rejects import Rejects
from indexer.records.sample import generate_records
from indexer.sources import read_records
from tests.bench.long_texts import generate_long_records
from tests.bench.rig import Taken, child, connected, reader, server, taken, tell

_HEADER: Final = ("Crime No", "Recorded", "HO Code", "Status", "Age", "Sex", "MO")

_PROFILE: Final[dict[str, Any]] = {
    "fields": {
        "crime_ref": "Crime No",
        "recorded_on": {"column": "Recorded", "dates": ["DD/MM/YYYY"]},
        "offence_code": "HO Code",
        "status": {
            "column": "Status",
            "values": {name: name for name in ("recorded", "cancelled", "transferred")},
        },
        "victims.age": "Age",
        "victims.sex": {"column": "Sex", "values": {name: name for name in "FMXU"}},
        "narrative": "MO",
    },
}


def write_files(folder: Path, records: Iterable[dict[str, Any]]) -> tuple[Path, Path]:
    """Records as one CSV and one XLSX."""
    rows = [_make_row(record) for record in records]
    text, sheet_file = folder / "sample.csv", folder / "sample.xlsx"
    with text.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([_HEADER, *rows])
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Data")
    for row in (_HEADER, *rows):
        sheet.append(row)
    book.save(sheet_file)
    return text, sheet_file


def _make_row(record: dict[str, Any]) -> tuple[str, ...]:
    year, month, day = record["recorded_on"].split("-")
    victim = next(iter(record.get("victims") or [{}]))
    narrative = record["narrative"]
    return (
        record["crime_ref"],
        f"{day}/{month}/{year}",
        record["offence_code"],
        record.get("status", "recorded"),
        str(victim.get("age") or ""),
        victim.get("sex") or "",
        narrative if isinstance(narrative, str) else "\n".join(narrative),
    )


def read_csv(path: Path) -> int:
    """With the csv module alone."""
    with path.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file))


def read_calamine(path: Path) -> int:
    """With python-calamine alone."""
    sheet = python_calamine.load_workbook(str(path)).get_sheet_by_index(0)
    return sum(1 for _ in sheet.iter_rows())


def read_calamine_apart(path: Path) -> int:
    """With python-calamine alone, in a process of its own."""
    program = (
        "import sys, python_calamine as reader\n"
        "sheet = reader.load_workbook(sys.argv[1]).get_sheet_by_index(0)\n"
        "print(sum(1 for _ in sheet.iter_rows()))"
    )
    command = [sys.executable, "-P", "-c", program, str(path)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


def read_rows(path: Path) -> int:
    """With foidex, to checked rows."""
    profile = msgspec.convert(_PROFILE, SourceProfile)
    return sum(1 for _ in read_records([path], counts=Counter(), profile=profile))


def read_documents(path: Path) -> int:
    """With foidex, to documents as they are sent."""
    profile = msgspec.convert(_PROFILE, SourceProfile)
    builder = reader()
    raws = read_records([path], counts=Counter(), profile=profile)
    count = 0
    while batch := list(islice(raws, BATCH_RECORDS)):
        count += len(prepare_batch(batch, builder).documents)
    return count


def measure(
    folder: Path, records: Iterable[dict[str, Any]], rounds: int
) -> dict[str, dict[str, float]]:
    """Seconds of CPU of each way for each file, medians; the ways take turns."""
    text, sheet = write_files(folder, records)
    figures: dict[str, dict[str, float]] = {}
    alone: dict[str, dict[str, Callable[[Path], int]]] = {
        "CSV": {"reader alone": read_csv},
        "XLSX": {
            "reader alone": read_calamine,
            "reader alone, a process of its own": read_calamine_apart,
        },
    }
    for name, path in (("CSV", text), ("XLSX", sheet)):
        ways = alone[name] | {"foidex, rows": read_rows, "foidex, documents": read_documents}
        times: dict[str, list[float]] = {way: [] for way in ways}
        for turn in range(rounds + 1):
            for way, read in ways.items():
                seconds = _measure_cpu(read, path)
                if turn:  # the first round warms the caches
                    times[way].append(seconds)
        figures[name] = {way: statistics.median(values) for way, values in times.items()}
    return figures


def _measure_cpu(read: Callable[[Path], int], path: Path) -> float:
    before = _read_cpu()
    read(path)
    return _read_cpu() - before


def _read_cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _load(path: Path) -> Taken:
    """Load a file by the profile, from its first check to an index that can be searched."""
    options = load_settings()
    profile = msgspec.convert(_PROFILE, SourceProfile)
    with connected(options) as client:
        index = create_generation(
            client, IndexSettings(alias="bench-tables"), load_index_schema(), "bench", ()
        ).name

        def work() -> dict[str, float]:
            raws = read_records([path], counts=Counter(), profile=profile)
            tally = fill_index(
                client, index, raws, reader(), Rejects(path.with_suffix(".rejects"), keep=False)
            )
            client.indices.refresh(index=index)
            children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            return {"records": float(tally.read), "child_mb": children}

        try:
            found = taken(options, work)
            assert client.count(index=index)["count"] == found.more["records"]
        finally:
            client.indices.delete(index=index)
    return found


def _print_ratios(rounds: int = 5) -> None:
    for texts, generate, number in (
        ("sample", generate_records, 100_000),
        ("long texts", generate_long_records, 15_000),
    ):
        with tempfile.TemporaryDirectory() as name:
            figures = measure(Path(name), generate(number), rounds)
        for kind, times in figures.items():
            alone = times["reader alone"]
            for way, seconds in times.items():
                cost = f"{seconds / number * 1e6:.1f} us a record, {seconds / alone:.2f}"
                print(f"{texts}, {kind}, {way}: {cost}", flush=True)


def main() -> None:
    """Load both files of so many records, or the one file that is named; without either, measure
    how both are read."""
    if not sys.argv[1:]:
        _print_ratios()
        return
    (word,) = sys.argv[1:]
    if not word.isdecimal():
        tell(_load(Path(word)))
        return
    with server(), tempfile.TemporaryDirectory() as name:
        files = write_files(Path(name), generate_records(int(word)))
        for path in (files[0], *files):  # the first warms the server
            found = child("tests.bench.tables", str(path))
            rate = found.more["records"] / found.wall
            print(
                f"{path.suffix} {rate:,.0f} records/s, wall {found.wall:.1f} s, client CPU "
                f"{found.client_cpu:.1f} s, server CPU {found.server_cpu:.1f} s, client "
                f"{found.peak_mb:.0f} MB, its child {found.more['child_mb']:.0f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
