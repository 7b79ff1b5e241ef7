"""Work that takes longer than a page may: it goes on while the tab is closed, and runs once.

A task is named. While one of a name runs, starting it again changes nothing, so a page that is sent
twice does the work once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import Struct

from indexer.errors import FoidexError
from queries.workbench.error_text import describe_error

_MAX_TASKS: Final = 200

_UNEXPECTED: Final = (
    "Something went wrong in foidex itself. Nothing was published. Try again; if it happens again, "
    "tell whoever looks after foidex."
)


class TaskResult(Struct, frozen=True):
    """What a task reports: lines for the officer."""

    lines: tuple[str, ...]


class Task(Struct):
    """Work of a name: running until ``ended``, then with a ``result`` or an ``error``.

    Until it ``has_begun``, it waits for others. ``choice`` is what the person chose for it.
    """

    name: str
    person: str
    started: datetime
    ended: datetime | None = None
    result: Any = None
    error: str = ""
    has_begun: bool = False
    choice: Any = None

    @property
    def is_running(self) -> bool:
        """Whether it still works."""
        return self.ended is None

    @property
    def milliseconds(self) -> int:
        """How long ago it was started."""
        return (datetime.now(UTC) - self.started) // timedelta(milliseconds=1)


class Tasks:
    """The tasks of this process, a few at a time."""

    def __init__(self, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="workbench")
        self._lock = threading.Lock()
        self._tasks: dict[str, Task] = {}
        self._ended = {"done": 0, "failed": 0}

    def start(
        self,
        name: str,
        person: str,
        work: Callable[[], Any],
        choice: Any = None,
        kept: int = _MAX_TASKS,
    ) -> Task:
        """Start work, or find the same that already runs.

        So many tasks whose names begin with the same word are ``kept``.
        """
        with self._lock:
            task = self._tasks.get(name)
            if task is not None and task.is_running:
                return task
            task = Task(name, person, datetime.now(UTC), choice=choice)
            self._tasks.pop(name, None)
            self._tasks[name] = task
            kind = name.partition(" ")[0]
            self._forget_oldest(f"{kind} ", kept)
            self._forget_oldest("", _MAX_TASKS)
        self._pool.submit(self._run, task, work)
        return task

    def find(self, name: str) -> Task | None:
        """The last task of a name, if it is still known."""
        with self._lock:
            return self._tasks.get(name)

    def find_newest(self, prefix: str, person: str) -> Task | None:
        """The task of a person that was started last, of those whose names begin with a prefix."""
        with self._lock:
            for name in reversed(self._tasks):
                if name.startswith(prefix) and self._tasks[name].person == person:
                    return self._tasks[name]
        return None

    def count_states(self) -> dict[str, int]:
        """How many tasks run and wait now, and how many were done and failed since the start."""
        with self._lock:
            open_tasks = [task for task in self._tasks.values() if task.is_running]
            running = sum(task.has_begun for task in open_tasks)
            return {"running": running, "waiting": len(open_tasks) - running, **self._ended}

    def close(self) -> None:
        """Wait for what runs; what has not begun does not begin."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, task: Task, work: Callable[[], Any]) -> None:
        task.has_begun = True
        _run_task(task, work)
        with self._lock:
            self._ended["failed" if task.error else "done"] += 1

    def _forget_oldest(self, prefix: str, kept: int) -> None:
        names = [name for name in self._tasks if name.startswith(prefix)]
        ended = [name for name in names if not self._tasks[name].is_running]
        for name in ended[: max(len(names) - kept, 0)]:
            del self._tasks[name]


def _run_task(task: Task, work: Callable[[], Any]) -> None:
    try:
        task.result = work()
    except FoidexError as error:
        task.error = describe_error(error)
    except Exception as error:  # noqa: BLE001 - shown as a failed task; the page must say so
        logging.getLogger("uvicorn.error").error(  # noqa: TRY400 - no traceback
            "a task failed: %s", type(error).__name__
        )
        task.error = _UNEXPECTED
    finally:
        task.ended = datetime.now(UTC)
