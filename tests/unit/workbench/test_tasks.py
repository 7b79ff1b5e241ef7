"""Tasks of the workbench: how many are known, and that what runs is never forgotten."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from queries.workbench.tasks import Tasks


@pytest.fixture
def tasks() -> Iterator[Tasks]:
    tasks = Tasks()
    yield tasks
    tasks.close()


def start_and_finish(tasks: Tasks, name: str, kept: int | None = None) -> None:
    done = threading.Event()
    limits = {} if kept is None else {"kept": kept}
    task = tasks.start(name, "anna", done.set, **limits)
    assert done.wait(10)
    while task.is_running:
        threading.Event().wait(0.001)


def test_of_a_kind_with_large_results_only_the_newest_are_kept(tasks: Tasks) -> None:
    start_and_finish(tasks, "answer a.yaml")
    for number in range(5):
        start_and_finish(tasks, f"preview a.yaml {number}", kept=3)
    known = [number for number in range(5) if tasks.find(f"preview a.yaml {number}")]
    assert known == [2, 3, 4]
    assert tasks.find("answer a.yaml")


def test_what_runs_is_not_forgotten(tasks: Tasks) -> None:
    end = threading.Event()
    tasks.start("preview a.yaml 0", "anna", end.wait, kept=1)
    start_and_finish(tasks, "preview a.yaml 1", kept=1)
    start_and_finish(tasks, "preview a.yaml 2", kept=1)
    known = [number for number in range(3) if tasks.find(f"preview a.yaml {number}")]
    end.set()
    assert known == [0, 2]
