"""A table of offence codes: their canonical form, titles and groups, and what each code covers.

The Home Office has two systems: statistical classes ("21", "22B"), and a category with a sub-code
("22/6", "86/2", written in many ways). A code covers itself and all codes below it: a category
covers its classes and sub-codes, a class with a letter the sub-codes that the table lists for it.
A force may have a scheme of its own, whose codes are only what its table says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from textwrap import shorten
from typing import Final, Literal

from indexer.errors import RequestError
from indexer.records.offences.validity import UNLIMITED, Validity
from indexer.suggestions import find_closest_names

SUBCODE_SHAPE: Final = re.compile(r"0*([1-9]\d{0,2})\s*[/-]\s*0*(\d{1,2})")

_FIVE_DIGITS: Final = re.compile(r"(?!000)(\d{3})(\d{2})")

_FOUR_DIGITS: Final = re.compile(r"([1-9]\d)(\d{2})")

_CLASS: Final = re.compile(r"0*([1-9]\d{0,2}(?:\.\d{1,2})?)\s*([A-Z]?)")

_CATEGORY: Final = re.compile(r"(\d+)")

_CACHE_LIMIT: Final = 10_000

#: Whose codes they are: those of the Home Office, perhaps with some of the force, or only its own.
CodeScheme = Literal["home-office", "own"]


@dataclass(eq=False)
class OffenceTable:
    """The known codes.

    ``titles`` maps each known canonical code to its title; ``groups`` maps a code to its offence
    group, a category only if everything in it is of one; ``parents`` maps a code to the class, or
    in an own scheme the code, that covers it. ``composites`` are classes made of other codes, such
    as homicide. ``validities`` has the codes of which a first or last day is known. ``own_codes``
    are those of the force.
    """

    titles: dict[str, str]
    groups: dict[str, str]
    parents: dict[str, str]
    composites: frozenset[str] = frozenset()
    validities: dict[str, Validity] = field(default_factory=dict)
    scheme: CodeScheme = "home-office"
    own_codes: frozenset[str] = frozenset()
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
        if known_code := self._special_codes.get(text):
            return known_code
        if self.scheme == "own":
            return text
        if match := SUBCODE_SHAPE.fullmatch(text) or _FIVE_DIGITS.fullmatch(text):
            return f"{int(match[1])}/{int(match[2])}"
        if match := _FOUR_DIGITS.fullmatch(text):
            # A spreadsheet drops the leading zero of 08602; only assumed if the code is known.
            code = f"{match[1]}/{int(match[2])}"
            return code if code in self.titles else text
        if match := _CLASS.fullmatch(text):
            return f"{match[1]}{match[2]}"
        return text

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of what covers each known code, and of its group: of what an index and a
        search depend on."""
        lines = (
            f"{' '.join(self.path(code))}\t{self.groups.get(code, '')}"
            for code in sorted(self.titles)
        )
        content = "\n".join([self.scheme, *lines])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @cached_property
    def _special_codes(self) -> dict[str, str]:
        """The codes in capitals that the Home Office's rules for writing codes do not read."""
        if self.scheme == "own":
            return {code.upper(): code for code in self.titles}
        return {
            code.upper(): code
            for code in self.titles
            if code in self.own_codes or code in self.composites or not _CATEGORY.match(code)
        }

    def has_code(self, code: str) -> bool:
        """Whether the table has a canonical code."""
        return code in self.titles

    def find_validity(self, code: str) -> Validity:
        """The whole life of a canonical code, as far as known."""
        return self.validities.get(code, UNLIMITED)

    def path(self, code: str) -> tuple[str, ...]:
        """A canonical code and every code that covers it, nearest first."""
        path = self._paths.get(code)
        if path is None:
            path = tuple(dict.fromkeys(self._list_steps(code)))
            if len(self._paths) < _CACHE_LIMIT:
                self._paths[code] = path
        return path

    def _list_steps(self, code: str) -> list[str]:
        """The code, its class with all that covers it, and its category with all that covers it."""
        steps = [code]
        parent = self.parents.get(code)
        if parent:
            steps += self.path(parent)
        if category := self.find_category(code):
            steps += self.path(category) if category != code else []
        return steps

    def find_category(self, code: str) -> str | None:
        """The Home Office category of a code; None in an own scheme, and for a part of a composite:
        4.1 is homicide, and not all of what is numbered 4."""
        if self.scheme == "own" or code in self.composites:
            return None
        match = _CATEGORY.match(code)
        is_read = SUBCODE_SHAPE.fullmatch(code) or _CLASS.fullmatch(code)
        if not match or (code in self.own_codes and not is_read):
            return None
        is_part = self.parents.get(code) in self.composites
        return None if is_part and match[1] != code else match[1]

    def group(self, code: str) -> str | None:
        """The offence group of a canonical code, or None if the table has none."""
        return next((self.groups[step] for step in self.path(code) if step in self.groups), None)

    def covered(self, codes: Iterable[str]) -> frozenset[str]:
        """Every known code that any of the canonical codes covers.

        A category also covers its unknown codes: "22/*" stands for those of 22.
        """
        code_set = set(codes)
        descendants = (self._codes_below.get(code, ()) for code in code_set)
        wildcards = (f"{code}/*" for code in code_set if self._is_category(code))
        return frozenset(code_set.union(*descendants, wildcards))

    def _is_category(self, code: str) -> bool:
        return self.scheme != "own" and bool(_CATEGORY.fullmatch(code))

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

    def is_outside_validity(self, code: str, day: date) -> bool:
        """Whether a record of a day has a code from before or after its whole life, as known."""
        validity = self.validities.get(code)
        return validity is not None and not validity.holds(day)

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
            if category and self.find_category(known_code) == category[1]
        ]
        suggestions = find_closest_names(
            code, siblings, limit=3, min_similarity=0
        ) or find_closest_names(code, self.titles, limit=3, min_similarity=50)
        hint = "; ".join(
            f"{suggestion} ({shorten(self.title(suggestion), 60)})" for suggestion in suggestions
        )
        shapes = "" if self.scheme == "own" else "Codes look like 21, 22B or 86/2. "
        search_hint = f"{shapes}To look one up by words: foidex offences WORDS."
        raise RequestError(
            f'offence code "{written}" is not known. '
            + (f"Nearest: {hint}." if hint else search_hint)
        )
