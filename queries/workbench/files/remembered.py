"""Remembers what was read of each file, until the file changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """What was read, by a name and a stamp of what it was read from. Safe for threads.

    A stamp is anything that is another one once the value may be another one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: dict[str, tuple[Hashable, Value]] = {}

    def read(self, name: str, stamp: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a name, made only if the stamp is not that of the last time."""
        with self._lock:
            known = self._values.get(name)
        if known is not None and known[0] == stamp:
            return known[1]
        value = make()
        with self._lock:
            self._values[name] = (stamp, value)
        return value

    def keep(self, names: Collection[str]) -> None:
        """Forget every other name."""
        with self._lock:
            for name in self._values.keys() - set(names):
                del self._values[name]
