"""Show the progress of a long task on standard error: a bar on a terminal, else plain lines."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from indexer.terminal import escape_controls


class Progress:
    """Shows progress, or nothing if ``quiet``."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()

    def say(self, line: str) -> None:
        """Print one plain line."""
        if not self._quiet:
            print(escape_controls(line), file=sys.stderr, flush=True)

    def warn(self, line: str) -> None:
        """Print one plain line that must be read even where no progress is wanted."""
        print(escape_controls(line), file=sys.stderr, flush=True)

    @contextmanager
    def signs_of_life(self, title: str, first: float = 3.0, later: float = 10.0) -> Iterator[None]:
        """Say that a task is still running, if it takes longer than ``first`` seconds, and again
        after every ``later`` seconds."""
        is_done = threading.Event()

        def report() -> None:
            seconds = first
            while not is_done.wait(first if seconds == first else later):
                self.say(f"{title} ... {seconds:.0f} seconds so far")
                seconds += later

        reporter = threading.Thread(target=report, daemon=True)
        if not self._quiet:
            reporter.start()
        try:
            yield
        finally:
            is_done.set()
            if not self._quiet:
                reporter.join()

    @contextmanager
    def bar(self, title: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
        """Show a bar; yields a function that takes the amount done since its last call.

        ``total`` is the amount that fills the bar, if it is known.
        """
        if not self._live:
            self.say(f"{title} ...")
            yield lambda _: None
            return
        from rich.console import Console
        from rich.progress import Progress as Bars

        with Bars(console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task(title, total=total)
            yield lambda amount: bars.advance(task, amount)

    @contextmanager
    def download(self, name: str, size: int) -> Iterator[Callable[[float], None]]:
        """Show a bar for a download of ``size`` bytes, as the resolver of downloads calls it."""
        with self.bar(f"Fetching {name} ({size // 1_000_000} MB)", total=size) as advance:
            yield advance
