"""The rule that reads a field from its columns: what they prove is written, the rest is asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from indexer.config.profile import DEFAULT_TIME_ZONE, UNDECIDED
from indexer.inspection.column_facts import ColumnFacts
from indexer.inspection.table_facts import TableFacts
from indexer.inspection.vocabulary import (
    OTHER_DAY,
    SEX_WORDS,
    SMALL_UNIT_NAME,
    STATUS_WORDS,
    UNIT_NAME,
    UNIT_WORDS,
    UNKNOWN_WORDS,
    fold_name,
)
from indexer.records.damage.kinds import DAMAGE_WORDS
from indexer.records.model import MAX_AGE
from indexer.records.validation_messages import describe_shape
from indexer.sources.profile.dates import EXCEL_EPOCHS
from indexer.sources.profile.values import fold_value, is_age, is_age_range
from indexer.terminal import count_noun, show_name

_MAX_OUTCOME: Final = 22

#: The numbers of outcomes, as text and as a spreadsheet may write them.
_OUTCOMES: Final[dict[str, Any]] = {
    f"{number}{decimals}": number
    for decimals in ("", ".0")
    for number in range(1, _MAX_OUTCOME + 1)
}

#: Without a number: an answered value of the map stands beside those that are to be decided.
_UNKNOWN_VALUES: Final = "what says DECIDE in the map are values of no known meaning"

_NUMBERED: Final = re.compile(r".+ \([0-9]+\)")


class RuleProposal(Struct):
    """A rule as foidex.toml has it, the reason for it, and what must be decided about it."""

    rule: dict[str, Any]
    reason: str
    questions: list[str] = []

    @property
    def columns(self) -> list[str]:
        """The columns that it reads."""
        return (
            [self.rule["column"]] if "column" in self.rule else list(self.rule.get("columns", ()))
        )


def propose_rule(field: str, columns: list[ColumnFacts], facts: TableFacts) -> RuleProposal:
    """The rule of a field for the columns that fit it."""
    if _is_one_name(columns):
        return _ask_which(field, columns)
    if field == "narrative":
        return _propose_narrative(columns)
    if len(columns) == 2:
        pair = [column.name for column in columns]
        return RuleProposal({"columns": pair}, "class and sub-code in two columns")
    propose: Callable[[ColumnFacts, TableFacts], RuleProposal] = {
        "crime_ref": _propose_reference,
        "recorded_on": _propose_date,
        "offence_code": _propose_code,
        "victims.age": _propose_age,
        "victims.sex": _propose_sex,
        "suspects.age": _propose_age,
        "suspects.sex": _propose_sex,
        "status": _propose_status,
        "outcome": _propose_outcome,
        "linked.crime_ref": _propose_links,
    }.get(field, _propose_plain)
    return propose(columns[0], facts)


def _is_one_name(columns: list[ColumnFacts]) -> bool:
    """Whether a column's name stands twice in the table: its place alone tells it apart."""
    return any(_NUMBERED.fullmatch(column.name) for column in columns)


def _ask_which(field: str, columns: list[ColumnFacts]) -> RuleProposal:
    names = ", ".join(f'"{column.name}"' for column in columns)
    if field == "narrative":
        question = (
            f"two columns have one name. Name those that are text, in their order: {names} "
            "(the number is the column's place)"
        )
        return RuleProposal({"columns": [UNDECIDED]}, "its name stands twice", [question])
    contents = ", ".join(f'"{column.name}"{_describe_content(column)}' for column in columns)
    outcomes = [column for column in columns if _holds_outcomes(column)]
    example = f', such as outcome = {{column = "{outcomes[0].name}"}},' if outcomes else ""
    choice = f"Write one of {contents}, and give the others a field{example} or add them to ignore"
    if len(columns) == 1:
        choice = f"By what they hold, only {contents} fits. Write it, or the other one"
    question = f"its name stands twice; the number is the column's place. {choice}"
    rule: dict[str, Any] = {"column": UNDECIDED}
    if field == "offence_code" and any(column.titled_codes for column in columns):
        rule["titled"] = True
    return RuleProposal(rule, "its name stands twice", [question])


def _describe_content(column: ColumnFacts) -> str:
    """What tells a column from another of its name, in brackets; empty if nothing does."""
    if _holds_outcomes(column):
        return f" (whole numbers from 1 to {_MAX_OUTCOME}, as outcomes are)"
    if column.known_codes:
        return f" ({column.known_codes:,} of {column.filled:,} are known offence codes)"
    return ""


def _holds_outcomes(column: ColumnFacts) -> bool:
    """Whether each value is the number of an outcome."""
    values = column.list_values()
    return bool(values) and all(fold_value(value) in _OUTCOMES for value in values)


def _propose_plain(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    del facts
    return RuleProposal({"column": column.name}, "by its name")


def _propose_narrative(columns: list[ColumnFacts]) -> RuleProposal:
    names = [column.name for column in columns]
    reason = "long text" if len(names) == 1 else "long texts, one entry each, in this order"
    rule: dict[str, Any] = {"column": names[0]} if len(names) == 1 else {"columns": names}
    return RuleProposal(rule, reason)


def _propose_reference(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    repeated = column.filled - column.distinct
    reason = "each value once" if repeated <= 0 else f"{column.distinct:,} different values"
    if column.formulas:
        reason += ', written ="0012" to keep leading zeros'
    questions = []
    rule: dict[str, Any] = {"column": column.name}
    if column.destroyed_numbers or column.date_cells:
        questions.append(
            f"{column.destroyed_numbers + column.date_cells:,} references were rounded or turned "
            "into dates by Excel. Export the column again as text; nothing brings them back"
        )
        rule["digits"] = UNDECIDED
    elif column.number_cells:
        lengths = _find_link_lengths(facts)
        shown = f" The linked references have {lengths} digits." if lengths else ""
        questions.append(
            "the references are numbers, which have lost leading zeros if they had any. Write how "
            f"many digits they have, or 0 if they had no leading zeros.{shown}"
        )
        rule["digits"] = UNDECIDED
    return RuleProposal(rule, reason, questions)


def _find_link_lengths(facts: TableFacts) -> str:
    lengths: set[int] = set()
    for column in facts.columns:
        if "link" in column.name.lower():
            lengths |= column.digit_lengths.keys()
    return " or ".join(map(str, sorted(lengths)))


def _propose_date(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    """The day a crime was recorded on. That it was committed on another, its name may say."""
    del facts
    proposal = _propose_dates(column)
    if not OTHER_DAY.fullmatch(fold_name(column.name)):
        return proposal
    proposal.rule["column"] = UNDECIDED
    question = (
        f"{show_name(column.name)} may be the day of the offence, and not the day it was recorded. "
        "Write the column with the day of recording; or this one, if there is no other and the "
        "letters are to say so"
    )
    return replace(proposal, questions=[question, *proposal.questions])


def _propose_dates(column: ColumnFacts) -> RuleProposal:
    rule: dict[str, Any] = {"column": column.name}
    forms = column.dates.find_forms()
    if column.date_cells:
        if forms is None:
            return RuleProposal(rule, "dates of the spreadsheet, which need no form")
        rule["dates"] = [UNDECIDED]
        return RuleProposal(
            rule,
            "dates and text mixed",
            [
                f"{column.date_cells:,} cells are dates and {column.dates.count:,} are text: Excel "
                "read some days as months. Export the column again as text; no form can be trusted"
            ],
        )
    if forms is None:
        rule["dates"] = [UNDECIDED]
        question = _ask_calendar(column)
        return RuleProposal(rule, "plain numbers that may be days", [question])
    if forms.proof == "proved":
        if forms.forms != ("YYYY-MM-DD",):
            rule["dates"] = list(forms.forms)
        evidence = forms.evidence
        if any("Z" in form for form in forms.forms):
            rule["time_zone"] = DEFAULT_TIME_ZONE
            evidence += f"; the times have a time zone, so each day is that in {DEFAULT_TIME_ZONE}"
        return RuleProposal(rule, evidence)
    rule["dates"] = [*forms.forms, UNDECIDED]
    if forms.proof == "mixed":
        question = f"{forms.evidence}. No form reads both safely: export it again in one order"
        return RuleProposal(rule, forms.evidence, [question])
    answers = [
        f"{form} ({span})" if span else form
        for form, span in zip(forms.candidates, forms.spans, strict=True)
    ]
    question = f"{forms.evidence}. Ask whoever made the file, and write {' or '.join(answers)}"
    return RuleProposal(rule, forms.evidence, [question])


def _ask_calendar(column: ColumnFacts) -> str:
    answers = ["excel", "excel-1904"]
    if column.serials == column.filled:
        spans = (
            " to ".join(
                str(EXCEL_EPOCHS[name] + timedelta(days=number))
                for number in (column.first_serial, column.last_serial)
            )
            for name in answers
        )
        answers = [f"{name} ({span})" for name, span in zip(answers, spans, strict=True)]
    return (
        "plain numbers. If they are days of Excel's calendar, write the one whose first and last "
        f"day are right: {' or '.join(answers)}; or else the form of the dates, such as YYYYMMDD"
    )


def _propose_code(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    del facts
    rule: dict[str, Any] = {"column": column.name}
    questions = []
    if column.titled_codes:
        rule["titled"] = True
    reason = f"{column.known_codes:,} of {column.filled:,} are known offence codes"
    if column.decimals and column.padded_decimals and max(column.decimals) == 2:
        rule["decimals"] = 2
        reason += f"; decimals = 2 is proved: {column.padded_decimals:,} are written like 86.02"
    elif column.decimals:
        rule["decimals"] = UNDECIDED
        questions.append(_ask_decimals(column))
    if column.destroyed_codes:
        questions.append(
            f"{column.destroyed_codes:,} codes were turned into dates by Excel (8/1 becomes "
            "8 January). Export the column again as text; nothing brings them back"
        )
        rule["decimals"] = UNDECIDED
    return RuleProposal(rule, reason, questions)


def _ask_decimals(column: ColumnFacts) -> str:
    most = max(column.decimals)
    if most > 1:
        return (
            f"decimal numbers, {column.decimals[most]:,} with {most} decimals. Write {most} if "
            f"each sub-code has {most} digits (86.1 is 86/10); if some have fewer, export "
            "the column again as text"
        )
    return (
        "decimal numbers, none with two decimals: 86.1 can be 86/10 or 86/1, and a spreadsheet may "
        "show both as 86.1. Look up a title: write 2 if sub-codes have two digits, as those of the "
        "Home Office have, or 1 if each has one digit"
    )


def _map_values(
    column: ColumnFacts, words: dict[str, Any], answers: str
) -> tuple[dict[str, Any], list[str]]:
    """The value map of a column; a value that no word is known for must be decided."""
    values = {value: words.get(fold_value(value), UNDECIDED) for value in column.list_values()}
    if UNDECIDED not in values.values():
        return values, []
    return values, [f'{_UNKNOWN_VALUES}. Write {answers}, or "" for none']


def _propose_sex(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    del facts
    values, questions = _map_values(column, SEX_WORDS, "F, M, X or U for each")
    return RuleProposal({"column": column.name, "values": values}, "by its name", questions)


def _propose_status(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    values = {
        value: STATUS_WORDS.get(fold_value(value), UNDECIDED) for value in column.list_values()
    }
    questions = []
    statuses = "recorded, cancelled or transferred"
    if UNDECIDED in values.values():
        questions.append(
            f'{_UNKNOWN_VALUES}. Write {statuses} for each; "" for none counts as recorded'
        )
    if number := facts.count_empty(column):
        values[""] = UNDECIDED
        questions.append(
            f"{count_noun(number, 'record has', 'records have')} an empty status. Write {statuses} "
            'for ""'
        )
    return RuleProposal({"column": column.name, "values": values}, "by its name", questions)


def _propose_outcome(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    del facts
    if not column.filled or _holds_outcomes(column):
        return RuleProposal({"column": column.name}, "whole numbers from 1 to 22")
    values, questions = _map_values(column, _OUTCOMES, "the outcome's number from 1 to 22 for each")
    return RuleProposal({"column": column.name, "values": values}, "by its name", questions)


def _find_age_unit(age: ColumnFacts, facts: TableFacts) -> ColumnFacts | None:
    """The column beside an age that may say its unit: by its name, or since all its values do."""
    root = age.name.split("[]")[0] if age.is_list else None
    for column in facts.columns:
        if column is age or not column.filled or column.type != "text":
            continue
        if column.is_list != age.is_list or (root and column.name.split("[]")[0] != root):
            continue
        values = set(map(fold_value, column.list_values()))
        if UNIT_NAME.fullmatch(fold_name(column.name)) or (values and values <= UNIT_WORDS):
            return column
    return None


def _add_age_unit(
    rule: dict[str, Any], questions: list[str], column: ColumnFacts, facts: TableFacts
) -> None:
    """The unit of an age in its rule: read from the column beside it, or asked."""
    unit = _find_age_unit(column, facts)
    values = unit.list_values() if unit else []
    if unit and values and all(is_age(f"8 {value}") for value in values):
        del rule["column"]
        rule["columns"] = [column.name, unit.name]
    elif unit:
        rule["unit"] = UNDECIDED
        questions.append(
            f'"{unit.name}" may say the unit of each age, and has values that are not years, '
            "months, weeks or days. Write years, months, weeks or days if all ages are in that "
            f'unit; or columns = ["{column.name}", "{unit.name}"] in place of column and unit, and '
            "take it out of ignore: an age of another unit is then rejected"
        )
    elif SMALL_UNIT_NAME.fullmatch(fold_name(column.name)):
        rule["unit"] = UNDECIDED
        questions.append(
            "its name says that the ages may not be in years. Write years, months, weeks or days"
        )


def _propose_age(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    rule: dict[str, Any] = {"column": column.name}
    questions: list[str] = []
    _add_age_unit(rule, questions, column, facts)
    values: dict[str, Any] = {}
    for word in sorted(column.words):
        if not is_age_range(word) and fold_value(word) not in map(fold_value, values):
            values[word] = "" if fold_value(word) in UNKNOWN_WORDS else UNDECIDED
    if values:
        rule["values"] = values
    if UNDECIDED in values.values():
        questions.append(
            'some values are no ages. Write a number of years for each, or "" for none'
        )
    if column.age_ranges:
        rule["ranges"] = UNDECIDED
        questions.append(
            f"{column.age_ranges:,} are ranges such as 10-14 or 18+, which are no age. Write "
            "unknown to count them as of unknown age, or reject to set their records aside"
        )
    reason = f"{column.ages:,} of {column.filled:,} are ages"
    if column.high_ages and rule.keys().isdisjoint(("unit", "columns")):
        reason += f", and {column.high_ages:,} over {MAX_AGE}, which a load rejects"
    if "columns" in rule:
        reason += f', in the unit that "{rule["columns"][1]}" says'
    return RuleProposal(rule, reason, questions)


def _propose_links(column: ColumnFacts, facts: TableFacts) -> RuleProposal:
    del facts
    rule: dict[str, Any] = {"column": column.name}
    if column.is_list:
        return RuleProposal(rule, "by its name")
    (separator, count), *_ = column.separators.most_common(1) or [("", 0)]
    if count:
        rule["split"] = separator
        return RuleProposal(rule, f"references, {count:,} cells with several")
    rule["split"] = ";"
    return RuleProposal(rule, "by its name; no cell has several, and ; would separate them")


def describe_damage(columns: list[ColumnFacts]) -> dict[str, int]:
    """The kinds of damage in the texts of columns, each with the number of texts."""
    kinds = {kind: sum(column.damage[kind] for column in columns) for kind in DAMAGE_WORDS}
    return {kind: count for kind, count in kinds.items() if count}


def describe_examples(column: ColumnFacts, *, show_values: bool) -> str:
    """Examples of a column: shapes of its values, or the values if a person asked for them."""
    if show_values:
        values = column.list_values()[:3]
        return ", ".join(values) if values else "(many different values)"
    if column.is_long_text:
        return f"text of about {column.mean_length:,.0f} characters"
    shapes = [shape for shape, _ in column.shapes.most_common(3)]
    return ", ".join(shapes) if shapes else describe_shape("")
