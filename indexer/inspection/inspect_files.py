"""Inspect files: open their tables, look at every row once, and propose a profile."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from indexer.config.profile import UNDECIDED, RowUnit
from indexer.errors import SourceError
from indexer.inspection.hidden_parts import HiddenParts, count_hidden_parts
from indexer.inspection.proposal import Proposal, propose_fields
from indexer.inspection.table_facts import TableFacts, open_rows
from indexer.records.categories import Categories
from indexer.records.offences import load_offence_table
from indexer.sources.profile.values import is_empty
from indexer.sources.tables.open_file import LayoutRules, open_tables
from indexer.sources.tables.table import SourceTable, is_blank_row

_MAX_REFERENCES: Final = 500_000


class InspectedTable(Struct):
    """One table: the file it is of, its facts, and what it may become. ``facts`` is None for a
    sheet without any row."""

    path: Path
    table: SourceTable
    facts: TableFacts | None
    proposal: Proposal
    unit: RowUnit = "record"

    @property
    def label(self) -> str:
        """The name of its file, with that of the sheet or member if the file has several."""
        name, table = self.path.name, self.table.name
        return name if table == name else f"{name}, {table}"

    @property
    def layout_questions(self) -> dict[str, str]:
        """What to ask about the layout, by the key of the profile that has the answer."""
        questions = {
            "encoding": self._ask_about_encoding(),
            "delimiter": self._ask_about_delimiter(),
            "after_blank_rows": self._ask_about_blocks(),
            "ignore": self._ask_about_columns_apart(),
            "continuation.join": self._ask_about_continuation(),
        }
        return {key: question for key, question in questions.items() if question}

    def _ask_about_encoding(self) -> str:
        if self.table.encoding != UNDECIDED:
            return ""
        return "part of it is UTF-8 and part is not. Ask for one encoding; or write windows-1252"

    def _ask_about_delimiter(self) -> str:
        if self.table.encoding is None or self.table.delimiter or self.table.keyed:
            return ""
        return "which character separates the columns? Write , ; | or tab"

    def _ask_about_blocks(self) -> str:
        facts, continuation = self.facts, self.continuation
        if facts is None:
            return ""
        blocks = [
            block
            for lone, block in facts.blocks.items()
            if not lone or continuation is None or lone != continuation[0]
        ]
        if not blocks:
            return ""
        stretch = blocks[0].blank_rows
        count = "a blank row" if stretch == 1 else f"{stretch:,} blank rows"
        return (
            f"rows go on below {count}, first with {blocks[0].location}, and may be another table. "
            "Write read if they are records like those above, or skip to leave out all that "
            "follows. A table of other columns must be put into a sheet or file of its own"
        )

    def _ask_about_columns_apart(self) -> str:
        columns = self.proposal.detached
        if not columns:
            return ""
        return (
            f"{len(columns)} columns stand beyond an empty column, and may be another table: "
            f"{', '.join(columns[:20])}. If they hold no records, write their names here; if they "
            "do, put them into a sheet or file of their own"
        )

    def _ask_about_continuation(self) -> str:
        if self.continuation is None or self.facts is None:
            return ""
        column, count = self.continuation
        return (
            f"these rows continue the text of the row before; {self.facts.cut[column]:,} of "
            f"{count:,} go on in the middle of a sentence. Write space, or line for a line break: "
            "words on both sides of a row's end are then found as one term. With entry each row is "
            "an entry of its own, and a term that crosses two rows is not found"
        )

    @property
    def continuation(self) -> tuple[str, int] | None:
        """The column of text that rows have alone, with their number, if they may continue the
        row before them; None if there is none."""
        narrative = self.proposal.rules.get("narrative")
        if self.facts is None or narrative is None or self.unit != "record":
            return None
        lone = [item for item in self.facts.lone.items() if item[0] in narrative.columns]
        return max(lone, key=lambda item: item[1], default=None)


class Inspection(Struct):
    """What files are. ``hidden`` has the hidden parts of each spreadsheet that tells of them."""

    tables: list[InspectedTable] = []
    hidden: dict[str, HiddenParts] = {}

    @property
    def records(self) -> list[InspectedTable]:
        """The tables that hold records."""
        return [table for table in self.tables if table.proposal.is_records]

    @property
    def questions(self) -> list[str]:
        """What a person must decide, by field."""
        return self.records[0].proposal.questions if self.records else []


def inspect_files(paths: list[Path], categories: Categories) -> Inspection:
    """Look at every row of files. Tables of one layout are one: what one of them proves counts for
    all. Raises SourceError for a file that cannot be read whole."""
    inspection = Inspection()
    shared: dict[tuple[str, ...], TableFacts] = {}
    for path in paths:
        try:
            _inspect_file(path, inspection, shared)
        except (OSError, EOFError) as error:
            raise SourceError(
                f"{path}: cannot be read ({getattr(error, 'strerror', None) or 'damaged'}). Check "
                "the file."
            ) from None
        if parts := count_hidden_parts(path):
            inspection.hidden[path.name] = parts
    for inspected in inspection.tables:
        if inspected.facts:
            inspected.proposal = propose_fields(inspected.facts, categories)
    for inspected in inspection.records:
        inspected.unit = _find_unit(inspected)
    return inspection


def _inspect_file(
    path: Path, inspection: Inspection, shared: dict[tuple[str, ...], TableFacts]
) -> None:
    offences = load_offence_table()
    for table in open_tables(path, LayoutRules(partial=True)):
        header, header_row, rows = open_rows(table)
        key = (str(header_row), *header) if header else (str(path), table.name)
        facts = shared.get(key)
        if facts is None:
            facts = shared[key] = TableFacts(header, header_row, offences)
        facts.begin_table(table.name)
        count = 0
        for row in rows:
            count += 1
            if table.keyed:
                facts.add_object(row)
            elif header:
                facts.add_row(row)
        inspected = InspectedTable(path, table, facts if count or header else None, Proposal())
        inspection.tables.append(inspected)


def _find_unit(inspected: InspectedTable) -> RowUnit:
    """What a row is: a record, or a person, link or entry of one, where rows share a reference.

    A second pass compares the rows of each reference, as far as memory is bounded.
    """
    facts, rules = inspected.facts, inspected.proposal.rules
    assert facts
    reference = rules["crime_ref"].rule.get("column") if "crime_ref" in rules else None
    if reference not in facts.header or facts.keyed:
        return "record"
    column = facts.column(reference)
    if column.distinct >= column.filled:
        return "record"
    varying = _list_varying_columns(inspected, facts.header.index(reference))
    for unit, prefix in (
        ("victim", "victims."),
        ("suspect", "suspects."),
        ("entry", "narrative"),
        ("link", "linked."),
    ):
        columns = {
            name
            for field, rule in rules.items()
            if field.startswith(prefix)
            for name in rule.columns
        }
        if columns & varying:
            return unit  # type: ignore[return-value]
    return "record"


def _list_varying_columns(inspected: InspectedTable, reference: int) -> set[str]:
    facts = inspected.facts
    assert facts
    header = facts.header
    first_rows: dict[str, list[int]] = {}
    varying: set[str] = set()
    _, _, rows = open_rows(inspected.table)
    for row in rows:
        cells = row.cells
        if is_blank_row(cells) or len(cells) < len(header) or is_empty(cells[reference]):
            continue
        hashes = [hash(str(cell)) for cell in cells[: len(header)]]
        key = str(cells[reference]).strip()
        first_hashes = first_rows.get(key)
        if first_hashes is not None:
            varying |= {
                name
                for name, old, new in zip(header, first_hashes, hashes, strict=True)
                if old != new
            }
        elif len(first_rows) < _MAX_REFERENCES:
            first_rows[key] = hashes
    return varying


def require_one_layout(inspection: Inspection) -> InspectedTable:
    """The table whose profile is to be written. Raises SourceError where no table holds records, or
    two that do are laid out differently."""
    records = inspection.records
    if not records:
        names = ", ".join(dict.fromkeys(table.path.name for table in inspection.tables))
        raise SourceError(
            f"{names}: no table is plainly one of records: it would have columns for a reference, "
            "a date, an offence code and a text, below a row with their names. Check the file; a "
            "row of names may be missing."
        )
    first = records[0]
    for other in records[1:]:
        if other.facts is not first.facts:
            raise SourceError(
                f"{other.label}: is laid out differently from {first.label}, and one profile "
                "describes one layout. Inspect them apart."
            )
        if (first.table.encoding, first.table.delimiter) != (
            other.table.encoding,
            other.table.delimiter,
        ):
            first.table = msgspec.structs.replace(first.table, encoding=None, delimiter=None)
    return first
