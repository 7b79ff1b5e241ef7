"""The table of offence codes of this process: the Home Office's, or with or only a force's own.

The settings select it. It is read when it is first needed.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Protocol, TypeVar

from indexer.records.offences.built_in import build_built_in_table
from indexer.records.offences.facts import load_code_facts
from indexer.records.offences.own_table import OwnOffences, extend_offence_table
from indexer.records.offences.table import OffenceTable


class _Cached(Protocol):
    def cache_clear(self) -> None: ...


_CachedFunction = TypeVar("_CachedFunction", bound=_Cached)


class _Selection:
    """The table of the force that is in use, and what was worked out from the table in use."""

    def __init__(self) -> None:
        self.own: OwnOffences | None = None
        self.cached: list[_Cached] = []


_SELECTION: Final = _Selection()


def select_offence_table(own: OwnOffences | None, *, read_again: bool = False) -> None:
    """From now on use a force's own table, or without one the Home Office's alone.

    With ``read_again``, the file of a table that is in use already is read again.
    """
    if own == _SELECTION.own and not (own and read_again):
        return
    _SELECTION.own = own
    _load_table.cache_clear()
    for function in _SELECTION.cached:
        function.cache_clear()


def clear_with_table(function: _CachedFunction) -> _CachedFunction:
    """Let a cached function forget its results when another table is selected."""
    _SELECTION.cached.append(function)
    return function


def load_offence_table(folder: Path | None = None) -> OffenceTable:
    """The table in use. ``folder`` replaces ``mappings/``, and has no codes of a force.

    Raises ConfigurationError, with file and line, if it is wrong.
    """
    return _load_table(folder, None if folder else _SELECTION.own)


@cache
def _load_table(folder: Path | None, own: OwnOffences | None) -> OffenceTable:
    table = build_built_in_table(load_code_facts(folder))
    return extend_offence_table(table, own) if own else table
