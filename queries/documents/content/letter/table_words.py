"""Tables in the words of a letter: without the numbers and the phrases that programs go by. Pure.

The answer keeps its own labels, by which records are found and later answers are compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from indexer.config.model import ForceSettings
from indexer.records.noun import OFFENCE, Noun
from queries.answer.types import Answer, QuestionAnswer, Row, Table
from queries.layout.printed_table import head_by_codes, shorten_total, turn_table
from queries.layout.prose import capitalise_sentence, join_list
from queries.layout.table_parts import LABEL_ROOM, PORTRAIT_ROOM, TablePart, split_table
from queries.tables.axis_type import WORDS_HEADING, drop_brackets
from queries.tables.period_columns import split_column_key

_OUTCOME: Final = "Outcome"

_OUTCOME_NUMBER: Final = re.compile(r"^(\d{1,2}) (?=\D)")

_SEX_NAMES: Final = {"Neither": "Neither female nor male"}

#: The kind of question whose table has two sides, either of which may be the rows.
_TWO_SIDES: Final = "cross"

_SIDES: Final = re.compile(r"\b(?:rows|columns)\b")

_OTHER_SIDE: Final = {"rows": "columns", "columns": "rows"}

#: The codes that narrow a question, as an answer lists them: "of A (1), or of B (2)".
_CODES_CLAUSE: Final = re.compile(r"(?:^|(?<=; ))of ([^;]*\([^;)]*\))(?=;|$)")


def print_plain_words(answer: Answer) -> Answer:
    """The answer with tables in the words of a letter."""
    questions = tuple(_print_question(question, answer.noun) for question in answer.questions)
    return msgspec.structs.replace(answer, questions=questions)


def name_records(caveat: tuple[str, ...], noun: Noun) -> tuple[str, ...]:
    """The standard caveats with the noun of a force; its own caveats as they are."""
    if noun.singular == OFFENCE.singular or caveat != ForceSettings().caveat:
        return caveat
    return tuple(
        paragraph.replace("in the offence", f"in the {noun.singular}").replace(
            "record crimes", f"record {noun.plural}"
        )
        for paragraph in caveat
    )


def list_outcome_numbers(answer: Answer) -> tuple[str, ...]:
    """Each outcome of the tables with the number that its label has: "Charged: 1"."""
    labels = (
        label
        for question in answer.questions
        for heading, labels in _list_sides(question.table)
        if heading == _OUTCOME
        for label in labels
    )
    return tuple(
        f"{label[match.end() :]}: {match[1]}"
        for label in dict.fromkeys(labels)
        if (match := _OUTCOME_NUMBER.match(label))
    )


def _list_sides(table: Table) -> list[tuple[str, list[str]]]:
    """The labels under each heading of a table: its fields, or its rows and its columns."""
    if table.fields:
        values = [row.values for row in table.rows if row.values]
        return [
            (head, [value[index] for value in values]) for index, head in enumerate(table.fields)
        ]
    return [
        (table.heading, [row.label for row in table.rows]),
        (table.across, [column.label for column in table.columns[1:]]),
    ]


def _print_question(question: QuestionAnswer, noun: Noun) -> QuestionAnswer:
    within = _CODES_CLAUSE.sub(lambda match: _print_codes(match[1]), question.within)
    printed = msgspec.structs.replace(
        question, within=within, table=_print_table(question.table, noun)
    )
    laid_out = _turn_question(printed) if _is_better_turned(printed) else printed
    return msgspec.structs.replace(laid_out, table=head_by_codes(laid_out.table))


def _is_better_turned(question: QuestionAnswer) -> bool:
    """Whether a table of two sides that is too wide for a page needs fewer pieces if it is turned,
    or heads of half the length."""
    table = question.table
    has_periods = any(split_column_key(column.key)[1] is not None for column in table.columns)
    has_shares = isinstance(table.share, str)
    if question.kind != _TWO_SIDES or not table.across or has_periods or has_shares:
        return False
    if len(table.columns) < 3 or len(table.rows) < 2:
        return False
    parts, turned_parts = (
        split_table(layout, PORTRAIT_ROOM, LABEL_ROOM) for layout in (table, turn_table(table))
    )
    if len(parts) == 1 or len(turned_parts) > len(parts):
        return False
    if len(turned_parts) < len(parts):
        return True
    return 2 * _measure_heads(turned_parts) <= _measure_heads(parts)


def _measure_heads(parts: Sequence[TablePart]) -> int:
    return max(len(head) for part in parts for head in part.heads)


def _turn_question(question: QuestionAnswer) -> QuestionAnswer:
    """The question with its table turned, and what its notes say of rows and columns too."""
    notes = tuple(_SIDES.sub(lambda side: _OTHER_SIDE[side[0]], note) for note in question.notes)
    return msgspec.structs.replace(question, table=turn_table(question.table), notes=notes)


def _print_codes(clause: str) -> str:
    rows = clause.split(", or of ")
    return f"of the type{'s' if len(rows) > 1 else ''} {join_list(rows)}"


def _print_table(table: Table, noun: Noun) -> Table:
    namings = [_plan_names(heading, labels) for heading, labels in _list_sides(table)]
    rows = tuple(_print_row(row, table, namings) for row in table.rows)
    columns = table.columns
    if not table.fields:
        columns = tuple(
            msgspec.structs.replace(column, label=namings[1](column.label)) if index else column
            for index, column in enumerate(columns)
        )
    printed = msgspec.structs.replace(
        table,
        heading=_print_heading(table.heading, noun),
        across=_print_heading(table.across, noun),
        columns=columns,
        rows=rows,
    )
    printed = shorten_total(printed)
    if not table.fields:
        return printed
    fields = tuple(_print_heading(field, noun) for field in table.fields)
    return msgspec.structs.replace(printed, written_fields=fields)


def _print_row(row: Row, table: Table, namings: Sequence[Callable[[str], str]]) -> Row:
    if not table.fields:
        return msgspec.structs.replace(row, label=namings[0](row.label))
    label = row.label
    values = tuple(name(value) for name, value in zip(namings, row.values, strict=False))
    for value, printed_value in zip(row.values, values, strict=True):
        label = label.replace(value, printed_value)
    return msgspec.structs.replace(row, label=label, values=values)


def _plan_names(heading: str, labels: Sequence[str]) -> Callable[[str], str]:
    """How the labels under a heading are printed; as they are, if two would be the same."""
    names = {label: _print_label(heading, label) for label in labels}
    distinct = len(set(names.values())) == len(names)
    return lambda label: names.get(label, label) if distinct else label


def _print_label(heading: str, label: str) -> str:
    if heading == _OUTCOME:
        return capitalise_sentence(_OUTCOME_NUMBER.sub("", label))
    if heading == WORDS_HEADING:
        return drop_brackets(label)
    return _SEX_NAMES.get(label, label) if heading.startswith("Sex of ") else label


def _print_heading(heading: str, noun: Noun) -> str:
    """A heading by offences, in the noun of a force that counts something else."""
    if noun == OFFENCE:
        return heading
    if heading == "Offence":
        return capitalise_sentence(noun.classification)
    return f"Group of {noun.plural}" if heading == "Offence group" else heading
