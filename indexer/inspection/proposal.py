"""Propose a profile: which column each field may be, why, and what a person must decide."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from indexer.config.profile import UNDECIDED
from indexer.inspection.column_facts import ColumnFacts
from indexer.inspection.field_rules import RuleProposal, propose_rule
from indexer.inspection.table_facts import TableFacts
from indexer.inspection.vocabulary import (
    CLASS_NAME,
    FIELD_NAMES,
    NAMED_PEOPLE,
    OTHER_PEOPLE,
    PEOPLE_DATA,
    PERSON_ROLE_NAME,
    ROLE_NAME,
    SUBCLASS_NAME,
    TITLE_NAME,
    UNKNOWN_WORDS,
    VICTIM_WORDS,
    fold_name,
)
from indexer.records.categories import Categories
from indexer.sources.profile.columns import UNNAMED
from indexer.sources.profile.values import fold_value
from indexer.terminal import show_name

REQUIRED_FIELDS: Final = ("crime_ref", "recorded_on", "offence_code", "narrative")

_NUMBERED: Final = re.compile(r"(.*) \([0-9]+\)")

_CODE_SHARE: Final = 0.5


class Proposal(Struct):
    """The fields that a table may fill, and what is said about the rest.

    ``rules`` maps a field to its rule; ``reasons`` maps a column to what it may be and why, for the
    screen; ``where`` maps a list to the column and the values of its condition. ``detached`` are
    the columns beyond an empty one that may be another table.
    """

    rules: dict[str, RuleProposal] = {}
    reasons: dict[str, str] = {}
    ignored: list[str] = []
    empty: list[str] = []
    where: dict[str, tuple[str, list[str]]] = {}
    questions: list[str] = []
    detached: list[str] = []

    @property
    def is_records(self) -> bool:
        """Whether the table has most of what a record needs."""
        return sum(name in self.rules for name in REQUIRED_FIELDS) >= 3


def propose_fields(facts: TableFacts, categories: Categories) -> Proposal:
    """The proposal for a table."""
    proposal = Proposal()
    groups = _split_at_empty_columns(facts)
    proposal.detached = _list_repeated_columns(groups)
    free = {
        column.name: column
        for column in facts.columns
        if column.type != "empty" and column.name not in proposal.detached
    }
    proposal.empty = [column.name for column in facts.columns if column.type == "empty"]
    for field in (*REQUIRED_FIELDS[:3], *_list_optional_fields()):
        columns = _find_columns(field, free, facts)
        if columns:
            _take_columns(proposal, field, columns, free, facts)
    for name in [name for name in free if name in categories]:
        _take_columns(proposal, name, [free[name]], free, facts)
    narratives = [
        column
        for column in free.values()
        if _is_narrative(column) and not _is_among_others(column.name, groups, free)
    ]
    if narratives:
        _take_columns(proposal, "narrative", narratives, free, facts)
    _add_missing_fields(proposal, facts)
    _add_victim_condition(proposal, facts)
    _doubt_whose_column(proposal, facts)
    used = {column for column, _ in proposal.where.values()}
    proposal.detached += [
        name
        for group in groups[1:]
        if len(group) > 1 and group[0] not in proposal.detached and used.isdisjoint(group)
        if _is_unused(group, free, proposal.empty)
        for name in group
    ]
    proposal.reasons |= dict.fromkeys(proposal.detached, "stands apart: another table?")
    proposal.ignored = [name for name in free if name not in used and name not in proposal.detached]
    for name in proposal.ignored:
        proposal.reasons.setdefault(name, _explain_ignored(name, proposal))
    return proposal


def _split_at_empty_columns(facts: TableFacts) -> list[list[str]]:
    """The columns in groups, between which there are columns without a name and a value."""
    groups: list[list[str]] = [[]]
    for column in facts.columns:
        if column.type == "empty" and UNNAMED.fullmatch(column.name):
            groups.append([])
        else:
            groups[-1].append(column.name)
    return [group for group in groups if group]


def _is_among_others(name: str, groups: list[list[str]], free: dict[str, ColumnFacts]) -> bool:
    """Whether a column is in a group, beside a group of fields, that has none of them."""
    group = next(group for group in groups if name in group)
    return len(group) > 1 and group is not groups[0] and all(member in free for member in group)


def _is_unused(group: list[str], free: dict[str, ColumnFacts], empty: list[str]) -> bool:
    return all(name in free or name in empty for name in group)


def _list_repeated_columns(groups: list[list[str]]) -> list[str]:
    """The columns of groups that repeat two or more names of a group before them."""
    repeated: list[str] = []
    names: set[str] = set()
    for group in groups:
        numbered = {m[1] for name in group if (m := _NUMBERED.fullmatch(name))}
        if len(numbered & names) > 1:
            repeated += group
        names |= numbered
    return repeated


def _explain_ignored(name: str, proposal: Proposal) -> str:
    """Why a column is left out; one that is named like a missing field is worth a look."""
    fields = [
        field
        for field, pattern in FIELD_NAMES.items()
        if field not in proposal.rules and pattern.fullmatch(fold_name(name))
    ]
    if not fields or OTHER_PEOPLE.fullmatch(fold_name(name)):
        return "ignored: no field fits it"
    return f"ignored: named like {fields[0]}, but its values do not fit"


def _list_optional_fields() -> Iterable[str]:
    return (name for name in FIELD_NAMES if name not in REQUIRED_FIELDS)


def _find_columns(field: str, free: dict[str, ColumnFacts], facts: TableFacts) -> list[ColumnFacts]:
    """The columns whose name and content fit a field, the best first."""
    if field == "offence_code" and (pair := _find_code_pair(free)):
        return pair
    fitting = [
        column
        for column in free.values()
        if FIELD_NAMES[field].fullmatch(fold_name(column.name)) and _content_fits(field, column)
    ]
    if field.startswith("victims."):
        fitting = [c for c in fitting if not OTHER_PEOPLE.fullmatch(fold_name(c.name))]
        return fitting[:1]
    if not fitting and field == "recorded_on":
        fitting = [column for column in free.values() if _is_date_column(column)][:1]
    if not fitting and field == "crime_ref":
        fitting = [
            column
            for column in free.values()
            if column.filled == column.distinct == facts.rows and column.mean_length < 30
        ][:1]
    if field == "recorded_on":
        fitting.sort(key=lambda column: "rec" not in fold_name(column.name))
    if field == "offence_code":
        fitting.sort(key=lambda column: -column.known_codes)
    if field == "status":
        fitting.sort(key=lambda column: "description" not in fold_name(column.name))
    return _keep_rivals(fitting)


def _keep_rivals(columns: list[ColumnFacts]) -> list[ColumnFacts]:
    """The best column, with those of the same name: which one is meant, only a person knows."""
    if not columns:
        return []
    numbered = _NUMBERED.fullmatch(columns[0].name)
    if not numbered:
        return columns[:1]
    return [c for c in columns if (m := _NUMBERED.fullmatch(c.name)) and m[1] == numbered[1]]


def _find_code_pair(free: dict[str, ColumnFacts]) -> list[ColumnFacts]:
    subs = [column for column in free.values() if SUBCLASS_NAME.fullmatch(fold_name(column.name))]
    classes = [
        column
        for column in free.values()
        if CLASS_NAME.fullmatch(fold_name(column.name)) and column not in subs
    ]
    return [classes[0], subs[0]] if len(classes) == len(subs) == 1 else []


def _is_date_column(column: ColumnFacts) -> bool:
    return bool(column.date_cells) or column.dates.find_forms() is not None


def _is_narrative(column: ColumnFacts) -> bool:
    is_repeated = column.filled >= 20 and column.distinct < column.filled / 2
    is_title = TITLE_NAME.fullmatch(fold_name(column.name)) and is_repeated
    return column.is_long_text and not is_title


def _content_fits(field: str, column: ColumnFacts) -> bool:
    known_codes = column.share(column.known_codes + column.destroyed_codes) >= _CODE_SHARE
    serials = column.type == "number" and column.share(column.serials) == 1
    unknown = all(fold_value(word) in UNKNOWN_WORDS for word in column.words)
    ages = column.share(column.ages + column.age_ranges) >= _CODE_SHARE or unknown
    return {
        "crime_ref": not column.is_long_text and not column.is_list,
        "recorded_on": _is_date_column(column) or serials,
        "offence_code": known_codes and not column.is_list,
        "status": column.values is not None and column.type == "text",
        "victims.sex": column.values is not None and column.type == "text",
        "suspects.sex": column.values is not None and column.type == "text",
        "outcome": column.values is not None,
        "victims.age": ages,
        "suspects.age": ages,
        "updated_at": column.dates.are_moments,  # a record with a time of no zone is rejected
    }.get(field, not column.is_long_text)


def _take_columns(
    proposal: Proposal,
    field: str,
    columns: list[ColumnFacts],
    free: dict[str, ColumnFacts],
    facts: TableFacts,
) -> None:
    rule = propose_rule(field, columns, facts)
    proposal.rules[field] = rule
    for name in dict.fromkeys([*(column.name for column in columns), *rule.columns]):
        if free.pop(name, None):
            proposal.reasons[name] = f"{field}: {rule.reason}"
    proposal.questions += rule.questions


def _add_missing_fields(proposal: Proposal, facts: TableFacts) -> None:
    """A question for each field that a record needs and no column fits."""
    if not proposal.is_records:
        return
    for field in REQUIRED_FIELDS:
        if field not in proposal.rules:
            question = (
                f"no column is plainly the {field}. Write the name of its column; they are: "
                f"{', '.join(facts.header[:40])}"
            )
            proposal.rules[field] = RuleProposal({"column": UNDECIDED}, "", [question])
            proposal.questions.append(question)


def _doubt_whose_column(proposal: Proposal, facts: TableFacts) -> None:
    """A question about each age and sex without a person in its name, in a table that names another
    than victims for one of them: "Gender" beside "Age of Offender"."""
    names = [name for name in facts.header if PEOPLE_DATA.fullmatch(fold_name(name))]
    others = [name for name in names if OTHER_PEOPLE.fullmatch(fold_name(name))]
    if not others:
        return
    for field in ("victims.age", "victims.sex"):
        rule = proposal.rules.get(field)
        if rule is None or any(NAMED_PEOPLE.fullmatch(fold_name(name)) for name in rule.columns):
            continue
        question = (
            f"{field}: {', '.join(map(show_name, rule.columns))} does not say of whom, and "
            f"{show_name(others[0])} is of others. If it is of victims, write its name again; if "
            f"not, remove {field}"
        )
        proposal.reasons |= dict.fromkeys(rule.columns, f"may be {field}")
        proposal.rules[field] = RuleProposal({**rule.rule, "column": UNDECIDED}, "", [question])
        proposal.questions.append(question)


def _add_victim_condition(proposal: Proposal, facts: TableFacts) -> None:
    """Who of a list of people is a victim, if a column beside their ages says what each is."""
    names = [
        name
        for field, rule in proposal.rules.items()
        if field.startswith("victims.")
        for name in rule.columns
    ]
    roots = {name.split("[]")[0] for name in names if "[]" in name}
    for column in facts.columns:
        in_list = "[]" in column.name and column.name.split("[]")[0] in roots
        if not (in_list or (names and not roots)) or column.name in names:
            continue
        if not ROLE_NAME.fullmatch(fold_name(column.name)):
            continue
        values = [value for value in column.list_values() if value.casefold() in VICTIM_WORDS]
        if len(column.list_values()) < 2:
            continue
        if values:
            proposal.where["victims"] = (column.name, values)
            proposal.reasons[column.name] = f"says who is a victim: {', '.join(values)}"
        elif PERSON_ROLE_NAME.fullmatch(fold_name(column.name)):
            proposal.where["victims"] = (column.name, [UNDECIDED])
            proposal.reasons[column.name] = "may say who is a victim"
            proposal.questions.append(
                f"where.victims: {show_name(column.name)} may say who is a victim, and who is "
                "another person. Write which of its values are victims; --show-values shows them"
            )
