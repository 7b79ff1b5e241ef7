"""Home Office offence codes: their canonical form, titles and groups, and what each code covers.

Two systems are in use: statistical classes ("21", "22B"), and a category with a sub-code ("22/6",
"86/2", written in many ways). A code covers itself and all codes below it: a category covers its
classes and sub-codes, a class covers the sub-codes that the table in ``mappings/`` lists for it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from textwrap import shorten
from typing import Final

from indexer.errors import ConfigurationError, RequestError
from indexer.resources import find_data_folder
from indexer.suggestions import find_closest_names

_SUBCODE: Final = re.compile(r"0*([1-9]\d{0,2})\s*[/-]\s*0*(\d{1,2})")

_FIVE_DIGITS: Final = re.compile(r"(?!000)(\d{3})(\d{2})")

_FOUR_DIGITS: Final = re.compile(r"([1-9]\d)(\d{2})")

_CLASS: Final = re.compile(r"0*([1-9]\d{0,2}(?:\.\d{1,2})?)\s*([A-Z]?)")

_CATEGORY: Final = re.compile(r"(\d+)")

_CACHE_LIMIT: Final = 10_000


@dataclass
class OffenceTable:
    """The known codes.

    ``titles`` maps each known canonical code to its title; ``groups`` maps a class, or a category
    whose classes all share a group, to its offence group; ``parents`` maps a code to the class that
    covers it. ``composites`` are classes made of other codes, such as homicide.
    """

    titles: dict[str, str]
    groups: dict[str, str]
    parents: dict[str, str]
    composites: frozenset[str]
    _canonical: dict[str, str] = field(default_factory=dict)
    _paths: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def canonical(self, written: str) -> str:
        """The canonical form of a code; a code that cannot be read is only trimmed."""
        code = self._canonical.get(written)
        if code is None:
            code = self._canonical_form(" ".join(written.upper().split()))
            if len(self._canonical) < _CACHE_LIMIT:
                self._canonical[written] = code
        return code

    def _canonical_form(self, text: str) -> str:
        if text in self.composites:
            return text
        if match := _SUBCODE.fullmatch(text) or _FIVE_DIGITS.fullmatch(text):
            return f"{int(match[1])}/{int(match[2])}"
        if match := _FOUR_DIGITS.fullmatch(text):
            # A spreadsheet drops the leading zero of 08602; only assumed if the code is known.
            code = f"{match[1]}/{int(match[2])}"
            return code if code in self.titles else text
        if match := _CLASS.fullmatch(text):
            return f"{match[1]}{match[2]}"
        return next((code for code in self.titles if code.upper() == text), text)

    def has_code(self, code: str) -> bool:
        """Whether the table has a canonical code."""
        return code in self.titles

    def path(self, code: str) -> tuple[str, ...]:
        """A canonical code and every code that covers it, nearest first."""
        path = self._paths.get(code)
        if path is None:
            parent = self.parents.get(code)
            steps = [code, *([parent] if parent else [])]
            category = _CATEGORY.match(code)
            if category and not any(step in self.composites for step in steps):
                steps.append(category[1])
            path = tuple(dict.fromkeys(steps))
            if len(self._paths) < _CACHE_LIMIT:
                self._paths[code] = path
        return path

    def group(self, code: str) -> str | None:
        """The offence group of a canonical code, or None if the table has none."""
        return next((self.groups[step] for step in self.path(code) if step in self.groups), None)

    def covered(self, codes: Iterable[str]) -> frozenset[str]:
        """Every known code that any of the canonical codes covers.

        A category also covers its unknown codes: "22/*" stands for those of 22.
        """
        code_set = set(codes)
        descendants = (self._codes_below.get(code, ()) for code in code_set)
        wildcards = (f"{code}/*" for code in code_set if _CATEGORY.fullmatch(code))
        return frozenset(code_set.union(*descendants, wildcards))

    @cached_property
    def _codes_below(self) -> dict[str, set[str]]:
        """The known codes that a code covers."""
        codes_by_ancestor: dict[str, set[str]] = {}
        for code in self.titles:
            for step in self.path(code):
                codes_by_ancestor.setdefault(step, set()).add(code)
        return codes_by_ancestor

    def title(self, code: str) -> str:
        """The title of a canonical code, or the code itself if it has none."""
        return self.titles.get(code) or code

    def codes_with_title(self, title: str) -> list[str]:
        """The codes that have a title, ignoring case: usually one, none if the title is unknown."""
        folded_title = title.casefold()
        return [
            code
            for code, known_title in self.titles.items()
            if known_title.casefold() == folded_title
        ]

    def require(self, written: str) -> str:
        """The canonical form of a code a request names.

        Raises RequestError, with the nearest known codes, for one the table lacks: a typing error
        would otherwise give a count of 0.
        """
        code = self.canonical(written)
        if self.has_code(code):
            return code
        category = _CATEGORY.match(code)
        siblings = [
            known_code
            for known_code in self.titles
            if category and self.path(known_code)[-1] == category[1]
        ]
        suggestions = find_closest_names(
            code, siblings, limit=3, min_similarity=0
        ) or find_closest_names(code, self.titles, limit=3, min_similarity=50)
        hint = "; ".join(
            f"{suggestion} ({shorten(self.title(suggestion), 60)})" for suggestion in suggestions
        )
        raise RequestError(
            f'offence code "{written}" is not known. '
            + (f"Nearest: {hint}." if hint else "Codes look like 21, 22B or 86/2.")
        )


@cache
def load_offence_table(folder: Path | None = None) -> OffenceTable:
    """Read the table. Raises ConfigurationError, with file and line, if it is wrong."""
    folder = folder or find_data_folder("mappings")
    titles: dict[str, str] = {}
    groups: dict[str, str] = {}
    parents: dict[str, str] = {}
    for code, title, group, _ in read_tsv_rows(folder / "offence_classes.tsv", 4):
        titles[code] = title
        groups[code] = group
        if "/" in code:
            for part in code.split("/"):
                parents[part] = code
                titles[part] = f"{title} (part)"
    composites = frozenset(parents.values())
    for code, parent, title in read_tsv_rows(folder / "offence_subcodes.tsv", 3):
        titles[code] = title
        if parent:
            if parent not in titles:
                raise ConfigurationError(
                    f'offence_subcodes.tsv: "{code}" belongs to class "{parent}", which '
                    "offence_classes.tsv lacks. Correct one of them."
                )
            parents[code] = parent
    for code in list(titles):
        if (category := _CATEGORY.match(code)) and code not in composites:
            titles.setdefault(category[1], f"All offences of category {category[1]}")
    for code, group in _find_category_groups(groups, composites).items():
        groups.setdefault(code, group)
    return OffenceTable(titles=titles, groups=groups, parents=parents, composites=composites)


def _find_category_groups(groups: dict[str, str], composites: frozenset[str]) -> dict[str, str]:
    """The group of each category whose classes all share a group."""
    groups_by_category: dict[str, set[str]] = {}
    for code, group in groups.items():
        if (category := _CATEGORY.match(code)) and code not in composites:
            groups_by_category.setdefault(category[1], set()).add(group)
    return {
        category: members.pop()
        for category, members in groups_by_category.items()
        if len(members) == 1
    }


def read_tsv_rows(path: Path, columns: int) -> list[list[str]]:
    """The rows of a tab-separated file, without its heading.

    Raises ConfigurationError, with file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigurationError(
            f"{path.name}: cannot be read ({error.strerror}). Install foidex again."
        ) from error
    body_rows = []
    table = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    header = True
    for number, row in enumerate(table, start=1):
        if not row or row[0].startswith("#"):
            continue
        if len(row) != columns:
            raise ConfigurationError(
                f"{path.name}:{number}: has {len(row)} columns, not {columns}. Correct the line."
            )
        if header:
            header = False
        else:
            body_rows.append(row)
    return body_rows
