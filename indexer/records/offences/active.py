"""The table of offence codes of this process: the Home Office's, or with or only a force's own."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from indexer.records.offences.built_in import build_built_in_table
from indexer.records.offences.facts import load_code_facts
from indexer.records.offences.table import OffenceTable


@cache
def load_offence_table(folder: Path | None = None) -> OffenceTable:
    """The table, read when it is first needed. ``folder`` replaces ``mappings/``.

    Raises ConfigurationError, with file and line, if it is wrong.
    """
    return build_built_in_table(load_code_facts(folder))
