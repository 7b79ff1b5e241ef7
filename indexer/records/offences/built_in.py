"""Builds the table of the Home Office's codes from what ``mappings/`` says of them."""

from __future__ import annotations

import re
from typing import Final

from indexer.errors import ConfigurationError
from indexer.records.offences.facts import CodeFacts, OffenceSubcode
from indexer.records.offences.table import OffenceTable
from indexer.records.offences.validity import Validity, join_validities

_CATEGORY: Final = re.compile(r"\d+")

_LETTERED: Final = re.compile(r"\d+([A-Z]|\.\d+)")


def build_built_in_table(facts: CodeFacts) -> OffenceTable:
    """The table of the Home Office's codes. Raises ConfigurationError if its parts disagree.

    A class of several rows has the title of its last one. A sub-code is below its class only if
    that is the one class that it can have, and is written with a letter or a point: a number alone
    is also a category, which may hold other codes.
    """
    titles: dict[str, str] = {}
    parents: dict[str, str] = {}
    class_groups: dict[str, str] = {}
    validities: dict[str, list[Validity]] = {}
    for row in facts.classes:
        titles[row.code] = row.title
        class_groups[row.code] = row.group
        validities.setdefault(row.code, []).append(row.validity)
    composites = frozenset(code for code in titles if code.count("/") > 1)
    for composite in composites:
        for part in composite.split("/"):
            parents[part] = composite
            titles.setdefault(part, f"{titles[composite]} (part)")
    lives = {code: join_validities(rows) for code, rows in validities.items()}
    for subcode in facts.subcodes:
        titles[subcode.code] = subcode.title
        if subcode.validity.is_limited:
            lives[subcode.code] = subcode.validity
        _check_classes(subcode, class_groups)
        if _LETTERED.fullmatch(subcode.main_class) and not _has_moved(subcode, class_groups):
            parents[subcode.code] = subcode.main_class
    for code in list(titles):
        if (category := _CATEGORY.match(code)) and code not in composites:
            titles.setdefault(category[0], f"All offences of category {category[0]}")
    return OffenceTable(
        titles=titles,
        groups=_find_groups(facts, class_groups, composites),
        parents=parents,
        composites=composites,
        validities={code: life for code, life in lives.items() if life.is_limited},
    )


def _check_classes(subcode: OffenceSubcode, class_groups: dict[str, str]) -> None:
    """Raise ConfigurationError for a class that the table of classes lacks."""
    for offence_class in subcode.classes:
        if offence_class not in class_groups:
            raise ConfigurationError(
                f'offence_subcodes.tsv: "{subcode.code}" belongs to class "{offence_class}", '
                "which offence_classes.tsv lacks. Correct one of them."
            )


def _has_moved(subcode: OffenceSubcode, class_groups: dict[str, str]) -> bool:
    """Whether a sub-code left the class of its own number for a class of another group: before, it
    counted in the first."""
    before = class_groups.get(subcode.category)
    groups = {class_groups[code] for code in subcode.classes}
    return before is not None and bool(groups) and before not in groups


def _find_groups(
    facts: CodeFacts, class_groups: dict[str, str], composites: frozenset[str]
) -> dict[str, str]:
    """The group of each class, of each sub-code whose classes share one, and of each category in
    which everything has the same."""
    groups = dict(class_groups)
    by_category: dict[str, set[str]] = {}
    for code, group in class_groups.items():
        if (number := _CATEGORY.match(code)) and code not in composites:
            by_category.setdefault(number[0], set()).add(group)
    for subcode in facts.subcodes:
        members = {class_groups[code] for code in subcode.classes}
        if _has_moved(subcode, class_groups):
            continue
        by_category.setdefault(subcode.category, set()).update(members)
        if len(members) == 1:
            groups[subcode.code] = min(members)
    for category, members in by_category.items():
        if len(members) == 1:
            groups.setdefault(category, min(members))
    return groups
