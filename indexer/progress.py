"""What a long task says on standard error: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Progress:
    """Says what happens. ``quiet`` says nothing."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._live = not quiet and sys.stderr.isatty()

    def say(self, line: str) -> None:
        """One plain line."""
        if not self._quiet:
            print(line, file=sys.stderr, flush=True)

    @contextmanager
    def bar(self, title: str, total: float | None = None) -> Iterator[Callable[[float], None]]:
        """A bar for the duration; what is yielded takes the amount done since its last call."""
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
        """A bar for a download of so many bytes; the form the resolver calls."""
        with self.bar(f"Fetching {name} ({size // 1_000_000} MB)", total=size) as advance:
            yield advance
