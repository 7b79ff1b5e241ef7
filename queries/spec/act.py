"""The acts under which a force answers: their sections, limits and commissioners, as data.

The data are in ``mappings/acts.toml``. Pure but for reading that file.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from typing import Final, Literal

import msgspec
from msgspec import Struct

from indexer.config.model import CommissionerSettings
from indexer.resources import find_data_folder

ActName = Literal["uk", "scotland"]

#: A field of a section that the officer may have to fill in.
SectionField = Literal["reason", "public_interest", "where"]

_MAIN_NUMBER: Final = re.compile(r"\d+")

#: What may stand before the number of a section: "section 12", "s. 12", "s12".
_SECTION_WORD: Final = re.compile(r"^\s*(section\s*|s\.?\s*)(?=\d)", re.IGNORECASE)


class ActSection(Struct, frozen=True, forbid_unknown_fields=True):
    """A section: its number, what it is about, and the fields that only the force can fill in.

    ``refuses`` says whether it is a reason not to give information, ``denies`` whether the letter
    neither confirms nor denies that anything is held.
    """

    number: str
    title: str
    needs: tuple[SectionField, ...] = ()
    refuses: bool = True
    denies: bool = False


class Act(Struct, frozen=True, forbid_unknown_fields=True):
    """An act. Days are working days; ``holidays`` are the parts of the country whose bank holidays
    are not. ``extension`` is empty if the act gives no more time for the public interest.
    ``denial_interest`` is where it asks for the public interest before neither confirming nor
    denying, if that is somewhere else."""

    title: str
    notice: str
    advice: str
    public_interest: str
    extension: str
    clarification: str
    limit_hours: int
    limit_pounds: int
    hourly: str
    answer_days: int
    extension_days: int
    review_days: int
    review_within: str
    holidays: tuple[str, ...]
    commissioner: CommissionerSettings
    sections: dict[str, ActSection]
    denial_interest: str = ""
    name: str = ""

    def find_section(self, written: str) -> str | None:
        """The name of the section that a request means, by its name or its number.

        "12", "section 12(1)", "cost_limit" and "cost limit" are the same. None if there is none.
        """
        name = "_".join(written.lower().split())
        if name in self.sections:
            return name
        plain = _SECTION_WORD.sub("", written).replace(" ", "")
        main = _MAIN_NUMBER.match(plain)
        if main is None:
            return None
        names = [
            name
            for name, section in self.sections.items()
            if _MAIN_NUMBER.findall(section.number)[0] == main[0]
        ]
        exact = [name for name in names if plain.startswith(self.sections[name].number)]
        if exact:
            return exact[0]
        # "14(3)" is not 14(1), and "31(3)" neither confirms nor denies what 31(1) withholds.
        return names[0] if names and plain == main[0] else None

    def cite_section(self, written: str) -> str:
        """The number of the section as a letter cites it: as written, if that is more precise."""
        name = self.find_section(written)
        number = self.sections[name].number if name else written
        return _SECTION_WORD.sub("", written).strip() if "(" in written else number


@cache
def load_acts() -> dict[str, Act]:
    """Every act, by its name."""
    table = tomllib.loads((find_data_folder("mappings") / "acts.toml").read_text("utf-8"))
    return {name: msgspec.convert({**values, "name": name}, Act) for name, values in table.items()}
