"""What a column proves about the form of its dates: the order of day and month, or that it does
not."""

from __future__ import annotations

import re
from datetime import date
from typing import Final, Literal

import msgspec
from msgspec import Struct

from indexer.sources.profile.dates import ZONE_PATTERN

_PARTS: Final = re.compile(r"[0-9]+|[A-Za-z]+")

_TIME: Final = re.compile(
    r"(?P<gap>[ T]+)[0-9]{1,2}:[0-9]{2}(?P<seconds>:[0-9]{2}(?:\.[0-9]+)?)?"
    rf"(?P<half> ?[AaPp][Mm])?(?P<zone> ?(?:{ZONE_PATTERN}))?"
)

_MAX_SKELETONS: Final = 20

#: The days of a hundred years that no order is proved for, and some more.
_MAX_TRIPLES: Final = 20_000

_SHORT_MONTH: Final = 3

DateProof = Literal["proved", "unprovable", "mixed"]


class DateForms(Struct, frozen=True):
    """The forms that read all dates of a column, with how sure that is.

    ``candidates`` are the forms to choose from if it is unprovable, and ``spans`` the first and the
    last day by each of them, empty if not known; ``evidence`` says why, in words.
    """

    proof: DateProof
    forms: tuple[str, ...]
    evidence: str
    candidates: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()


class _PartRange(Struct):
    least: int = 9999
    greatest: int = 0
    shortest: int = 99
    longest: int = 0
    beyond_month: int = 0
    full_name: bool = False

    def add(self, text: str) -> None:
        self.shortest = min(self.shortest, len(text))
        self.longest = max(self.longest, len(text))
        if text.isdecimal():
            number = int(text)
            self.least = min(self.least, number)
            self.greatest = max(self.greatest, number)
            self.beyond_month += number > 12
        else:
            self.full_name |= len(text) > _SHORT_MONTH and text.lower() != "sept"


class _Skeleton(Struct):
    """Texts that differ only in their digits and the name of the month."""

    parts: tuple[str, ...]
    signs: tuple[str, ...]
    time: str
    count: int = 0
    groups: list[_PartRange] = msgspec.field(
        default_factory=lambda: [_PartRange(), _PartRange(), _PartRange()]
    )
    triples: set[tuple[str, ...]] = msgspec.field(default_factory=set)


class DateEvidence:
    """Collects the texts of a column that look like dates."""

    def __init__(self) -> None:
        self._skeletons: dict[tuple[object, ...], _Skeleton] = {}
        self.other_count = 0

    @property
    def count(self) -> int:
        """How many texts may be dates."""
        return sum(skeleton.count for skeleton in self._skeletons.values())

    @property
    def are_moments(self) -> bool:
        """Whether each text that may be a date is a time with its time zone, year first."""
        return self.count > 0 and all(
            skeleton.parts[0] == "year" and skeleton.time.endswith("Z")
            for skeleton in self._skeletons.values()
        )

    def add(self, text: str) -> None:
        """Take one text."""
        time = ""
        body = text
        if match := _TIME.search(text):
            gap = "T" if "T" in match["gap"] else " "
            time = f"{gap}hh:mm{':ss' if match['seconds'] else ''}"
            for part, token in (("half", "AM"), ("zone", "Z")):
                if match[part]:
                    time += f" {token}" if match[part].startswith(" ") else token
            body = text[: match.start()]
            if match.end() != len(text):
                self.other_count += 1
                return
        parts = _PARTS.findall(body)
        signs = tuple(_PARTS.split(body))
        if len(parts) != 3 or signs[0] or signs[3] or not 0 < len(signs[1]) < 3:
            self.other_count += 1
            return
        kinds = tuple(
            "name" if part.isalpha() else "year" if len(part) == 4 else "number" for part in parts
        )
        key = (kinds, signs, time)
        skeleton = self._skeletons.get(key)
        if skeleton is None:
            if len(self._skeletons) >= _MAX_SKELETONS:
                self.other_count += 1
                return
            skeleton = self._skeletons[key] = _Skeleton(kinds, signs, time)
        skeleton.count += 1
        if len(skeleton.triples) <= _MAX_TRIPLES:
            skeleton.triples.add(tuple(parts))
        for group, part in zip(skeleton.groups, parts, strict=True):
            group.add(part)

    def find_forms(self) -> DateForms | None:
        """The forms of all dates; None if the texts are not dates."""
        if not self._skeletons or self.other_count > self.count:
            return None
        results = [_find_form(skeleton) for skeleton in self._skeletons.values()]
        known = [result for result in results if result is not None]
        if len(known) != len(results):
            return None
        forms = tuple(form for result in known for form in result.forms)
        evidence = "; ".join(dict.fromkeys(result.evidence for result in known))
        if any(result.proof == "mixed" for result in known):
            return DateForms("mixed", (), evidence)
        candidates = tuple(form for result in known for form in result.candidates)
        if candidates:
            spans = tuple(span for result in known for span in result.spans)
            return DateForms("unprovable", forms, evidence, candidates, spans)
        return DateForms("proved", forms, evidence)


def _find_form(skeleton: _Skeleton) -> DateForms | None:
    known_orders: dict[tuple[str, ...], tuple[str, ...]] = {
        ("year", "number", "number"): ("YMD", "YDM"),
        ("number", "number", "year"): ("DMY", "MDY"),
        ("number", "number", "number"): ("DMY", "MDY", "YMD"),
        ("number", "name", "year"): ("DMY",),
        ("number", "name", "number"): ("DMY", "YMD"),
        ("name", "number", "year"): ("MDY",),
        ("year", "name", "number"): ("YMD",),
    }
    orders = known_orders.get(skeleton.parts)
    if orders is None:
        return None
    possible = [order for order in orders if _fits(skeleton, order)]
    if skeleton.parts[0] == "year" and "YMD" in possible:
        possible = ["YMD"]  # nobody writes year, day, month
    forms = [_write_form(skeleton, order) for order in possible]
    numbers = skeleton.groups
    if len(possible) == 1:
        beyond = numbers[possible[0].index("D")].beyond_month
        by = (
            f"{beyond:,} days are over 12" if beyond else "the month is a name or the year is first"
        )
        return DateForms("proved", (forms[0],), f"{forms[0]} is proved: {by}")
    if not possible:
        if skeleton.parts == ("number", "number", "year"):
            return DateForms(
                "mixed",
                (),
                f"the column has two orders: the first number is over 12 in "
                f"{numbers[0].beyond_month:,} cells, and the second in {numbers[1].beyond_month:,}",
            )
        return None
    return DateForms(
        "unprovable",
        (),
        f"{_join_names(forms)} {'both' if len(forms) == 2 else 'each'} read "
        f"{'the one date' if skeleton.count == 1 else f'all {skeleton.count:,} dates'}",
        tuple(forms),
        tuple(_find_span(skeleton, order) for order in possible),
    )


def _join_names(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _find_span(skeleton: _Skeleton, order: str) -> str:
    """The first and the last day if the parts are in an order; empty for too many, or a name."""
    if len(skeleton.triples) > _MAX_TRIPLES or "name" in skeleton.parts:
        return ""
    positions = [order.index(letter) for letter in "YMD"]
    days = [[int(triple[position]) for position in positions] for triple in skeleton.triples]
    texts = [
        f"{year if year > 99 else 2000 + year}-{month:02}-{day:02}"
        for year, month, day in (min(days), max(days))
    ]
    return " to ".join(texts)


def _fits(skeleton: _Skeleton, order: str) -> bool:
    limits = {"D": (1, 31), "M": (1, 12)}
    for letter, kind, group in zip(order, skeleton.parts, skeleton.groups, strict=True):
        if kind == "name":
            if letter != "M":
                return False
            continue
        if letter == "Y":
            if kind != "year" and (
                group.shortest != 2 or group.greatest > date.today().year % 100  # noqa: DTZ011
            ):
                return False
            continue
        least, greatest = limits[letter]
        if kind == "year" or group.least < least or group.greatest > greatest:
            return False
    return True


def _write_form(skeleton: _Skeleton, order: str) -> str:
    form = ""
    for letter, kind, group, sign in zip(
        order, skeleton.parts, skeleton.groups, (*skeleton.signs[1:3], ""), strict=True
    ):
        if kind == "name":
            token = "Month" if group.full_name else "MON"
        elif letter == "Y":
            token = "YYYY" if kind == "year" else "YY"
        else:
            token = letter * 2 if group.shortest == 2 else letter
        form += token + sign
    return form + skeleton.time
