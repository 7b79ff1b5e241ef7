"""Offence codes: what is known of them, what each code covers, and a force's own codes."""

from indexer.records.offences.active import load_offence_table
from indexer.records.offences.table import OffenceTable

__all__ = ["OffenceTable", "load_offence_table"]
