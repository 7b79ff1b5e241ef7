"""What ``foidex inspect`` prints: one screen about each table, in shapes and not in content."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from indexer.config.profile import UNDECIDED
from indexer.inspection.column_facts import ColumnFacts
from indexer.inspection.field_rules import describe_damage, describe_examples
from indexer.inspection.hidden_parts import HiddenParts
from indexer.inspection.inspect_files import InspectedTable, Inspection
from indexer.inspection.table_facts import TableFacts
from indexer.records.damage.kinds import describe_cut_texts, list_damage_counts
from indexer.terminal import round_share, show_name

_NAME_WIDTH: Final = 24

_EXAMPLE_WIDTH: Final = 34

_MIN_COLUMNS: Final = 4

#: Of columns, tables and findings: what is beyond is counted, so that it stays one screen.
_MAX_COLUMNS: Final = 40

_MAX_TABLES: Final = 20

_MAX_LINES: Final = 10


def describe_inspection(
    inspection: Inspection, *, show_values: bool, undecided: AbstractSet[str] | None = None
) -> Iterator[str]:
    """The lines for a person, one screen for each layout.

    ``undecided`` are the fields and keys for which foidex.toml has no answer; None if it was not
    looked at.
    """
    shown: set[int] = set()
    repeated: list[str] = []
    is_first = True
    for inspected in inspection.tables:
        title = _build_title(inspected)
        if inspected.facts is None:
            repeated.append(f"{title}: empty")
        elif id(inspected.facts) in shown:
            repeated.append(f"{title}: laid out as above; both are counted there")
        else:
            shown.add(id(inspected.facts))
            if not is_first:
                yield ""
            is_first = False
            yield title
            yield from _describe_layout(inspected)
            yield from _describe_columns(inspected, show_values=show_values)
            yield from _describe_findings(inspected)
            yield from _describe_questions(inspected, undecided)
    if repeated and not is_first:
        yield ""
    yield from _limit_lines(repeated, _MAX_TABLES, "tables that are empty or laid out as above")
    yield from _limit_lines(_list_hidden_parts(inspection), _MAX_TABLES, "files with hidden parts")


def _build_title(inspected: InspectedTable) -> str:
    name, file_name = inspected.table.name, show_name(inspected.path.name)
    title = show_name(name) if name == inspected.path.name else f"{file_name}: {show_name(name)}"
    return f"{title} (hidden)" if inspected.table.hidden else title


def _list_hidden_parts(inspection: Inspection) -> list[str]:
    return [
        f"{show_name(file)}: {parts.rows:,} rows and {parts.columns:,} groups of columns are "
        f"hidden; they are in the file, and are read.{_list_hidden_rows(parts)}"
        for file, parts in inspection.hidden.items()
        if parts.rows or parts.columns
    ]


def _list_hidden_rows(parts: HiddenParts) -> str:
    """Where the hidden rows are, by sheet, as far as the file numbers them."""
    sheets = []
    for sheet, row_numbers in list(parts.row_numbers.items())[:_MAX_LINES]:
        spans: list[list[int]] = []
        for number in row_numbers:
            if spans and number == spans[-1][1] + 1:
                spans[-1][1] = number
            else:
                spans.append([number, number])
        texts = [str(start) if start == end else f"{start} to {end}" for start, end in spans]
        rest = ", ..." if len(texts) > _MAX_LINES else ""
        sheets.append(f"{show_name(sheet)}, {', '.join(texts[:_MAX_LINES])}{rest}")
    return f" Hidden rows: {'; '.join(sheets)}." if sheets else ""


def _limit_lines(lines: list[str], limit: int, noun: str, indent: str = "") -> Iterator[str]:
    """The first lines, and how many more there are of what ``noun`` names."""
    yield from (f"{indent}{line}" for line in lines[:limit])
    if len(lines) > limit:
        yield f"{indent}and {len(lines) - limit:,} more {noun}"


def _describe_layout(inspected: InspectedTable) -> Iterator[str]:
    facts = inspected.facts
    assert facts
    for evidence in inspected.table.evidence:
        yield f"  {evidence}"
    if inspected.table.keyed:
        yield f"  {facts.rows:,} objects of JSON"
        if facts.objects_unread:
            yield f"  {facts.objects_unread:,} more cannot be read; a load rejects them with why"
        return
    if facts.header_row is None:
        if inspected.table.uncomputed:
            yield f"  {_describe_uncomputed(inspected)}"
        yield "  no row of names: no row has text in nearly every column"
        return
    titles = facts.header_row - 1
    above = f", {titles} above it passed over" if titles else ""
    yield f"  names in row {facts.header_row}{above}; {facts.rows:,} rows of data"
    if facts.blank_rows:
        yield f"  {facts.blank_rows:,} blank rows"
    totals = [
        f'rows of totals: {facts.total_rows:,} ("{show_name(column)}" begins with '
        f"{' or '.join(sorted(words))})"
        for column, words in facts.totals.items()
    ]
    yield from _limit_lines(totals, _MAX_LINES, "columns in which such rows begin", "  ")
    if inspected.table.uncomputed:
        yield f"  {_describe_uncomputed(inspected)}"
    if facts.merged:
        yield f"  {_describe_merged(facts)}"
    if facts.bad_rows:
        yield f"  {facts.bad_rows:,} rows have more columns than names"


def _describe_merged(facts: TableFacts) -> str:
    """How many cells of rows are merged with the one above."""
    count = sum(facts.merged.values())
    columns = facts.merged.most_common(_MAX_LINES)
    listing = ", ".join(f'{number:,} in "{show_name(name)}"' for name, number in columns)
    subject = "1 cell is" if count == 1 else f"{count:,} cells are"
    return (
        f"{subject} merged with the cell above and {'has' if count == 1 else 'have'} no value "
        f"({listing}). A load refuses them in a column that it reads: undo the merging, and fill "
        "in the value of each row"
    )


def _describe_uncomputed(inspected: InspectedTable) -> str:
    """How many formulas have no value, and whether a load would refuse them."""
    facts, proposal = inspected.facts, inspected.proposal
    assert facts
    used = {name for rule in proposal.rules.values() for name in rule.columns}
    columns = facts.uncomputed.most_common(_MAX_LINES)
    listing = ", ".join(f'{count:,} in "{show_name(name)}"' for name, count in columns)
    count = inspected.table.uncomputed
    subject, object_ = ("1 cell has", "it") if count == 1 else (f"{count:,} cells have", "them")
    advice = (
        "A load refuses it: open the file in Excel or LibreOffice, and save it"
        if proposal.is_records and not used.isdisjoint(facts.uncomputed)
        else f"Nothing reads {object_}"
    )
    return f"{subject} a formula without its value{f' ({listing})' if listing else ''}. {advice}"


def _describe_columns(inspected: InspectedTable, *, show_values: bool) -> Iterator[str]:
    facts, proposal = inspected.facts, inspected.proposal
    assert facts
    if not facts.columns or (not proposal.is_records and len(facts.columns) < _MIN_COLUMNS):
        return  # what stands in its first row may be content, and not names
    yield ""
    yield f"  {'column':<{_NAME_WIDTH}}  {'type':<6}  full  {'examples':<{_EXAMPLE_WIDTH}}  may be"
    columns = _choose_columns(inspected)
    for column in columns:
        name = _shorten(column.name, _NAME_WIDTH)
        full = f"{round_share(column.filled, column.seen) if column.seen else 0}%"
        examples = _shorten(describe_examples(column, show_values=show_values), _EXAMPLE_WIDTH)
        reason = _describe_reason(column, proposal.reasons.get(column.name, ""))
        kind = "empty" if column.type == "empty" else column.type
        yield (
            f"  {name:<{_NAME_WIDTH}}  {kind:<6}  {full:>4}  {examples:<{_EXAMPLE_WIDTH}}  {reason}"
        ).rstrip()
    if unlisted := len(facts.columns) - len(columns):
        yield f"  and {unlisted:,} more columns; --write writes the names of all"
    yield ""


def _choose_columns(inspected: InspectedTable) -> list[ColumnFacts]:
    """The columns to list, in their order: if there are many, those that may be a field first."""
    facts, proposal = inspected.facts, inspected.proposal
    assert facts
    useful = {
        column.name
        for column in facts.columns
        if column.type != "empty" and column.name not in proposal.ignored
    }
    ranked = sorted(facts.columns, key=lambda column: column.name not in useful)
    chosen = {column.name for column in ranked[:_MAX_COLUMNS]}
    return [column for column in facts.columns if column.name in chosen]


def _describe_reason(column: ColumnFacts, reason: str) -> str:
    return "ignored: empty" if column.type == "empty" else reason


def _shorten(text: str, width: int) -> str:
    text = show_name(text)
    return text if len(text) <= width else f"{text[: width - 2]}.."


def _describe_findings(inspected: InspectedTable) -> Iterator[str]:
    facts, proposal = inspected.facts, inspected.proposal
    assert facts
    if damage := describe_damage(facts.columns):
        yield f"  damaged texts: {list_damage_counts(damage)}"
    for texts in facts.columns:
        if cut := describe_cut_texts(texts.cut.find_limits()):
            yield f'  "{show_name(texts.name)}": {cut}'
    if null_words := facts.describe_null_words():
        yield f"  {null_words}"
    if not proposal.is_records:
        yield "  not a table of records: too few columns fit"
        return
    if inspected.unit != "record":
        references = facts.column(proposal.rules["crime_ref"].rule["column"]).distinct
        yield (
            f"  one row for each {inspected.unit}: {facts.rows:,} rows are {references:,} records"
        )
    lone = [
        f'{count:,} rows have text in "{show_name(column)}" alone, and may continue the row before'
        for column, count in facts.lone.items()
    ]
    yield from _limit_lines(lone, _MAX_LINES, "columns that are alone in a row", "  ")
    for name, (column, values) in proposal.where.items():
        if UNDECIDED in values:
            continue
        yield f"  {name}: only where {show_name(column)} is {' or '.join(values)}"


def _describe_questions(
    inspected: InspectedTable, undecided: AbstractSet[str] | None
) -> Iterator[str]:
    """What must be decided, each with its field, and what is decided already."""
    if not inspected.proposal.is_records:
        return
    rules = inspected.proposal.rules.items()
    questions = [(field, question) for field, rule in rules for question in rule.questions]
    questions += inspected.layout_questions.items()
    is_open = {key: undecided is None or key in undecided for key, _ in questions}
    open_lines = [f"    {key}: {question}" for key, question in questions if is_open[key]]
    if open_lines:
        yield f"  to decide ({len(open_lines)}):"
        yield from open_lines
    if answered := [key for key, is_still_open in is_open.items() if not is_still_open]:
        yield f"  decided already in foidex.toml: {', '.join(answered)}"
