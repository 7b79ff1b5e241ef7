"""Conditions: what the members of a number have in common, a line of text each, and what follows.

Pure. A condition reads ``[victim ][no ]dimension:value``:

- ``period:2017-04-01/2018-03-31`` (days, both included, either open) and ``age:0-11,18-120``;
- ``offence:22B,88/1`` (each with all below it), ``offence code:71`` (that code alone) and
  ``offence group:Theft``, which are one dimension, and ``linked:86/2``;
- ``sex:F|M``, ``outcome:5``, ``status:cancelled``, ``category district:North``: fields of one
  value; ``any category flag:a|b``: one that may have several;
- ``term:a|b`` (any of them is mentioned), ``several:a|b|c`` (two or more), ``alone:a|b|c`` (one).

``no`` turns it round, ``victim`` says it of one victim or more of a record. Any other text is a
condition of which nothing is known but that it is the same as itself.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from indexer import offences

MISSING: Final = "%none"
OLDEST: Final = 120
WITHOUT_VICTIM: Final = "without victim"

_NO: Final = "no "
_VICTIM: Final = "victim "
_CODES: Final = "offence"
_INTERVALS: Final = ("period", "age")
_OFFENCES: Final = ("offence", "offence code", "offence group", "linked")
_LISTING: Final = ("offence", "linked")
_MOST_CODES: Final = 8
_SINGLE: Final = ("sex", "outcome", "status")
_SETS: Final = ("term", "several")

_Interval: TypeAlias = tuple[int, int]


# -- writing -----------------------------------------------------------------------------------


def period(*periods: tuple[date | None, date | None]) -> str:
    """Days of any of the periods, by their first and last; None is open."""
    return _intervals(
        "period",
        (((a or date.min).toordinal(), (b or date.max).toordinal()) for a, b in periods),
    )


def ages(*bands: _Interval) -> str:
    """Ages of any of the bands, by their first and last."""
    return _intervals("age", bands)


def other_ages(bands: Iterable[_Interval]) -> str:
    """Known ages outside every band."""
    held = {age for first, last in bands for age in range(first, last + 1)}
    return ages(*((age, age) for age in range(OLDEST + 1) if age not in held))


def of_codes(codes: Iterable[str]) -> str:
    """Offences of any of the canonical codes, or below one."""
    table, every = offences.load(), set(codes)
    least = (code for code in every if not every.intersection(table.path(code)[1:]))
    return f"{_CODES}:{','.join(sorted(least))}"


def exactly(code: str) -> str:
    """Offences of one canonical code, and of none below it."""
    alone = offences.load().covered([code]) == {code}
    return of_codes([code]) if alone else f"offence code:{code}"


def of_group(group: str | None) -> str:
    """Offences of a group; None is for codes whose group is not known."""
    return f"offence group:{group or MISSING}"


def linked(codes: Iterable[str]) -> str:
    """Offences with a link to an offence of any of the codes, or below one."""
    return f"linked:{','.join(sorted(set(codes)))}"


def one_of(field: str, values: Iterable[str | None]) -> str:
    """A field of one value, which is one of these; None is a record without it."""
    return f"{field}:{_joined(map(_escaped, values))}"


def category(name: str, values: Iterable[str | None], *, many: bool) -> str:
    """A category of the force's own, which is, or holds, one of these values."""
    return one_of(f"{'any ' if many else ''}category {name}", values)


def any_term(conditions: Iterable[str]) -> str:
    """Any of several terms, by their own conditions."""
    return f"term:{_joined(map(_value, conditions))}"


def several_terms(conditions: Iterable[str]) -> str:
    """Two or more of several terms."""
    return f"several:{_joined(map(_value, conditions))}"


def one_term(conditions: Iterable[str]) -> str:
    """Exactly one of several terms, whichever."""
    return f"alone:{_joined(map(_value, conditions))}"


def negated(condition: str) -> str:
    """What does not meet a condition."""
    return f"{_NO}{condition}"


def of_victim(condition: str) -> str:
    """Offences with a victim who meets a condition."""
    return f"{_VICTIM}{condition}"


def _joined(values: Iterable[str]) -> str:
    return "|".join(sorted(set(values)))


def _escaped(value: str | None) -> str:
    return MISSING if value is None else value.replace("%", "%25").replace("|", "%7C")


def _intervals(dimension: str, intervals: Iterable[_Interval]) -> str:
    merged: list[_Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return f"{dimension}:{','.join(_written(dimension, *one) for one in merged)}"


def _written(dimension: str, first: int, last: int) -> str:
    if dimension == "age":
        return f"{first}-{last}"
    start, end = date.fromordinal(first), date.fromordinal(last)
    return (
        f"{'' if start == date.min else start.isoformat()}"
        f"/{'' if end == date.max else end.isoformat()}"
    )


# -- reading -----------------------------------------------------------------------------------


def _value(condition: str) -> str:
    return condition.partition(":")[2]


@cache
def dimension(condition: str) -> str:
    """What a condition is about, with what stands before it."""
    name = condition.partition(":")[0]
    return _CODES if name.startswith(f"{_CODES} ") else name


def is_parted(name: str) -> bool:
    """Whether whatever is counted has one value in a dimension, so that its values part it."""
    return name in (*_INTERVALS, _CODES, *_SINGLE) or name.startswith("category ")


def without_no(condition: str) -> str | None:
    """What a condition turns round, if it does."""
    return condition.removeprefix(_NO) if condition.startswith(_NO) else None


def of_whom(condition: str) -> str | None:
    """What a condition says of a victim of a record, if it does."""
    return condition.removeprefix(_VICTIM) if condition.startswith(_VICTIM) else None


@cache
def values(condition: str) -> frozenset[str]:
    """The values of a condition that lists some."""
    return frozenset(filter(None, _value(condition).split("|")))


@cache
def intervals(condition: str) -> tuple[_Interval, ...]:
    """The intervals of a period (in days) or of ages."""
    parts = filter(None, _value(condition).split(","))
    if dimension(condition) == "age":
        return tuple((int(a), int(b)) for a, _, b in (part.partition("-") for part in parts))
    return tuple(
        (
            (date.fromisoformat(a) if a else date.min).toordinal(),
            (date.fromisoformat(b) if b else date.max).toordinal(),
        )
        for a, _, b in (part.partition("/") for part in parts)
    )


def named_codes(condition: str) -> frozenset[str]:
    """The codes that a condition on offences or links names."""
    name, _, value = (without_no(condition) or condition).partition(":")
    return frozenset(value.split(",")) if name in _LISTING else frozenset()


def few(codes: Sequence[str], known: frozenset[str] = frozenset()) -> str:
    """Codes as a message lists them: of many the first, those before others that are not known."""
    if (more := len(codes) - _MOST_CODES) <= 0:
        return ", ".join(codes)
    first = sorted(codes, key=lambda code: code in known)[:_MOST_CODES]
    return f"{', '.join(first)} and {more} more"


def words(condition: str, known: frozenset[str] = frozenset()) -> str:
    """A condition as a message says it, never a document: of many codes only the first, those
    before others that are not ``known``. Two terms of one beginning may be said alike."""
    if (other := without_no(condition)) is not None:
        return f"not {words(other, known)}"
    if (whom := of_whom(condition)) is not None:
        return f"with a victim {words(whom)}"
    name, _, value = condition.partition(":")
    of_terms = name in (*_SETS, "alone")
    plain = [
        _unescaped(one.rpartition("~")[0] if of_terms and "~" in one else one)
        for one in sorted(values(condition))
    ]
    terms = " or ".join(f'"{one}"' for one in plain)
    said = {
        "period": f"recorded {' or '.join(map(_days, value.split(',')))}",
        "age": f"aged {value.replace('-', ' to ').replace(',', ' or ')}",
        "offence": f"of {few(value.split(','), known)}",
        "offence code": f"of {value} itself",
        "offence group": f"of the group {_unescaped(value)}",
        "linked": f"linked to {few(value.split(','), known)}",
        "term": f"mentioning {terms}",
        "several": f"mentioning two or more of {terms}",
        "alone": f"mentioning only one of {terms}",
    }
    if name in said:
        return said[name]
    if name in _SINGLE or name.startswith(("category ", "any category ")):
        field = name.removeprefix("any ").removeprefix("category ")
        return f"with {field} {' or '.join(plain)}"
    return condition


def _days(interval: str) -> str:
    start, dash, end = interval.partition("/")
    if not dash:
        return "on no day"
    if not start or not end:
        return f"from {start}" if start else f"up to {end}" if end else "at any time"
    return f"{start} to {end}"


def _unescaped(value: str) -> str:
    if value == MISSING:
        return "not recorded"
    return value.replace("%7C", "|").replace("%25", "%")


# -- what follows ------------------------------------------------------------------------------


@cache
def covers(wide: str, narrow: str) -> bool:
    """Whether all that meets the narrow condition meets the wide one, and not the other way
    round."""
    if wide == narrow:
        return False
    if dimension(wide) != dimension(narrow):
        return _covers_another(wide, narrow)
    if (no_wide := without_no(wide)) and (no_narrow := without_no(narrow)):
        return covers(no_narrow, no_wide)
    if (wide_victim := of_whom(wide)) and (narrow_victim := of_whom(narrow)):
        return covers(wide_victim, narrow_victim)
    return _holds_values(wide, narrow)


def _holds_values(wide: str, narrow: str) -> bool:
    """Whether the values of a condition are among those of another of its dimension."""
    name = dimension(wide)
    if name in _INTERVALS:
        return all(
            any(start <= first and last <= end for start, end in intervals(wide))
            for first, last in intervals(narrow)
        )
    if name in _OFFENCES:
        return _holds_all(wide, narrow) and not _holds_all(narrow, wide)
    listed = is_parted(name) or name in _SETS or name.startswith("any category ")
    return listed and values(narrow) < values(wide)


def _covers_another(wide: str, narrow: str) -> bool:
    """Whether a condition follows from one of another dimension."""
    if (whom := of_whom(wide)) and not of_whom(narrow):
        return whom == narrow or covers(whom, narrow)
    if dimension(wide) == "term" and dimension(narrow) in ("several", "alone"):
        return values(narrow) <= values(wide)
    return False


def _holds_all(wide: str, narrow: str) -> bool:
    return all(_holds(wide, code) for code in _codes(narrow))


@cache
def _holds(condition: str, code: str) -> bool:
    """Whether a condition on offences holds for those of a code."""
    table, name, value = offences.load(), condition.partition(":")[0], _value(condition)
    if name == "offence code":
        return code == value
    if name == "offence group":
        return table.group(code) == (None if value == MISSING else value)
    return bool(set(table.path(code)).intersection(value.split(",")))


@cache
def _codes(condition: str) -> frozenset[str]:
    """The codes of a condition on offences; "22/*" are those of category 22 nobody knows, "*" those
    of no category."""
    table, name, value = offences.load(), condition.partition(":")[0], _value(condition)
    if name == "offence code":
        return frozenset({value})
    if name != "offence group":
        return table.covered(filter(None, value.split(",")))
    every = {*table.covered(table.titles), "*"}
    return frozenset(code for code in every if _holds(condition, code))


def both(one: str, other: str) -> str | None:
    """The condition that two of one dimension are together, where there is one text for it."""
    name = dimension(one)
    if one == other or covers(other, one):
        return one
    if covers(one, other):
        return other
    if name != dimension(other) or not is_parted(name):
        return None
    if name in _INTERVALS:
        pairs = ((a, b) for a in intervals(one) for b in intervals(other))
        met = ((max(a[0], b[0]), min(a[1], b[1])) for a, b in pairs)
        return _intervals(name, ((first, last) for first, last in met if first <= last))
    if name == _CODES:
        return _both_codes(one, other)
    return f"{name}:{_joined(values(one) & values(other))}"


def _both_codes(one: str, other: str) -> str | None:
    """Codes of one that the other covers, either way round."""
    if not all(condition.startswith(f"{_CODES}:") for condition in (one, other)):
        shared = _codes(one) & _codes(other)
        return None if shared else f"{_CODES}:"
    mine, theirs = (list(filter(None, _value(each).split(","))) for each in (one, other))
    return of_codes(
        [
            *(code for code in mine if _holds(other, code)),
            *(code for code in theirs if _holds(one, code)),
        ]
    )


def simplified(conditions: Iterable[str]) -> frozenset[str]:
    """The conditions without those that others imply, and those of one dimension as one."""
    every: list[str] = []
    for condition in conditions:
        parts = (
            [f"term:{one}" for one in values(condition)]
            if dimension(condition) == "several" and len(values(condition)) == 2
            else [condition]
        )
        every += [one for one in parts if one not in every]
    changed = True
    while changed:
        changed = False
        for place, (one, other) in _pairs(every):
            if (together := both(one, other)) is not None:
                every = [held for n, held in enumerate(every) if n not in place]
                every += [together] if together not in every else []
                changed = True
                break
    terms = [one for one in every if dimension(one) == "term" and len(values(one)) == 1]
    return frozenset(
        one
        for one in every
        if not (
            dimension(one) == "several" and sum(values(term) <= values(one) for term in terms) > 1
        )
    )


def _pairs(every: Sequence[str]) -> Iterable[tuple[tuple[int, int], tuple[str, str]]]:
    for second, other in enumerate(every):
        for first, one in enumerate(every[:second]):
            if dimension(one) == dimension(other) or covers(one, other) or covers(other, one):
                yield (first, second), (one, other)


@cache
def pieces(conditions: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Conditions of one dimension that parts what is counted, each as the pieces they cut each
    other into. A piece is one of them, or what several leave between them."""
    name = dimension(conditions[0])
    atoms: dict[object, list[str]] = defaultdict(list)
    if name in _INTERVALS:
        cuts = sorted({cut for one in conditions for a, b in intervals(one) for cut in (a, b + 1)})
        for first, following in pairwise(cuts):
            for one in conditions:
                if any(a <= first and following - 1 <= b for a, b in intervals(one)):
                    atoms[first, following - 1].append(one)
    else:
        for value in sorted({value for one in conditions for value in _atoms(name, one)}):
            for one in conditions:
                if _holds(one, value) if name == _CODES else value in values(one):
                    atoms[value].append(one)
    cut: dict[tuple[str, ...], list[object]] = defaultdict(list)
    for atom, holders in atoms.items():
        cut[tuple(holders)].append(atom)
    names = {holders: _piece(name, holders, cut) for holders in cut}
    return MappingProxyType(
        {one: tuple(names[held] for held in cut if one in held) for one in conditions}
    )


def _atoms(name: str, condition: str) -> frozenset[str]:
    return _codes(condition) if name == _CODES else values(condition)


def _piece(name: str, holders: tuple[str, ...], cut: Mapping[tuple[str, ...], list[object]]) -> str:
    """What a piece is called: one of the conditions, where it is just that."""
    for one in holders:
        if sum(one in others for others in cut) == 1:
            return one
    found: list[object] = cut[holders]
    if name in _INTERVALS:
        return _intervals(name, found)  # type: ignore[arg-type]
    if name == _CODES:
        # By its codes as well: other conditions beside these may leave less between them.
        codes = hashlib.sha256(" ".join(sorted(map(str, found))).encode()).hexdigest()[:8]
        return f"part of {' and '.join(sorted(holders))}~{codes}"
    return f"{name}:{_joined(map(str, found))}"
