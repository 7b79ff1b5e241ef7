"""Officers reading hits in the workbench: how long the next record takes, beside the server's own search.

Run it by itself: ``python -m tests.bench.workbench --records 1000000 --officers 20``. Each officer is
a thread that thinks, decides, and waits for the next record; meanwhile the server is asked for the
same records directly. ``next record`` is from pressing a button to the whole next page.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import threading
import time
from pathlib import Path

import psutil
from elasticsearch import Elasticsearch

from indexer.config.model import Settings
from queries.evidence.locate import locate_records
from queries.request.reader import parse_request
from queries.search.run import count_records
from tests.bench.asking import load
from tests.bench.rig import connected, server
from tests.support.serving import Browser, Service, read_turn

REQUEST = """\
reference: FOI/1
title: Snapchat in records
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences}
"""

_REVIEW = "FOI-1-Q1"


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(prog="tests.bench.workbench", description=__doc__)
    options.add_argument("--records", type=int, default=200_000)
    options.add_argument("--officers", type=int, default=20)
    options.add_argument("--reads", type=int, default=20, help="decisions of each officer")
    options.add_argument("--think", type=float, default=2.0, help="seconds between two, on average")
    asked = options.parse_args()
    with server() as settings, connected(settings) as client:
        load(settings, client, asked.records, 1)
        for name, figure in measure(settings, client, asked).items():
            print(f"{name}: {figure:,.1f}")


def measure(
    settings: Settings, client: Elasticsearch, asked: argparse.Namespace
) -> dict[str, float]:
    """The figures in milliseconds, by name."""
    people = {f"officer{number}": "reviewer" for number in range(asked.officers)}
    environment = os.environ | {"FOIDEX_HOME": str(settings.home)}
    with tempfile.TemporaryDirectory(prefix="foidex-bench-served-") as folder:
        service = Service(Path(folder), environment, people)
        service.start()
        try:
            begin_review(service, "officer0", asked.officers * (asked.reads + 1))
            return read_together(service, client, [*people], asked)
        finally:
            service.stop()


def begin_review(service: Service, name: str, sample: int) -> None:
    """A review of so many of the records that mention the word."""
    requests = service.folder / "requests"
    requests.mkdir()
    (requests / "a.yaml").write_text(REQUEST)
    browser = service.browser(name)
    browser.post("/requests/a.yaml/answer")
    browser.await_that("/requests/a.yaml/answer", "row=total")
    fields = {"question": "Q1", "row": "total", "criterion": "The app was used"}
    begun = browser.post(
        "/requests/a.yaml/review", **fields, column="", sample=str(sample), second="0"
    )
    if begun.url.path != f"/reviews/{_REVIEW}":
        raise RuntimeError(begun.text)


def read_together(
    service: Service, client: Elasticsearch, names: list[str], asked: argparse.Namespace
) -> dict[str, float]:
    """Let every officer read at once, and ask the server itself meanwhile."""
    taken: list[float] = []
    assert service.process is not None
    process = psutil.Process(service.process.pid)
    before = sum(process.cpu_times()[:2])
    searched: list[float] = []
    threads = [
        threading.Thread(target=read_records, args=(service.browser(name), asked, taken))
        for name in names
    ]
    done = threading.Event()
    prober = threading.Thread(target=search_meanwhile, args=(client, done, searched))
    prober.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    prober.join()
    spent = sum(process.cpu_times()[:2]) - before
    return {
        "records read": float(len(taken)),
        "next record, median, ms": statistics.median(taken),
        "next record, slowest of 20, ms": statistics.quantiles(taken, n=20)[-1],
        "the server's own search, median, ms": statistics.median(searched),
        "CPU of the workbench, ms a record": 1e3 * spent / len(taken),
    }


def read_records(browser: Browser, asked: argparse.Namespace, taken: list[float]) -> None:
    """Think, decide, and note how long the next record takes, in milliseconds."""
    chance = random.Random(browser.name)
    page = browser.get(f"/reviews/{_REVIEW}/read")
    for _ in range(asked.reads):
        fields = read_turn(page)
        if not fields:
            return
        time.sleep(chance.expovariate(1 / asked.think) if asked.think else 0)
        verdict = chance.choice(["relevant", "not relevant"])
        begun = time.perf_counter()
        page = browser.post(f"/reviews/{_REVIEW}/read", **fields, verdict=verdict)
        taken.append((time.perf_counter() - begun) * 1e3)


def search_meanwhile(client: Elasticsearch, done: threading.Event, searched: list[float]) -> None:
    """Count the records of the number directly, in milliseconds each, until it is done."""
    records = locate_records(parse_request(REQUEST), "Q1", "total", "")
    while not done.wait(0.2):
        begun = time.perf_counter()
        count_records(client, "crimes", records.query)
        searched.append((time.perf_counter() - begun) * 1e3)


if __name__ == "__main__":
    main()
