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

from indexer.records.offences import load_offence_table

MISSING_VALUE: Final = "%none"

OLDEST_AGE: Final = 120

WITHOUT_VICTIM: Final = "without victim"

_NEGATION_PREFIX: Final = "no "

_VICTIM_PREFIX: Final = "victim "

_OFFENCE_DIMENSION: Final = "offence"

_INTERVAL_DIMENSIONS: Final = ("period", "age")

_OFFENCE_DIMENSIONS: Final = ("offence", "offence code", "offence group", "linked")

_CODE_LIST_DIMENSIONS: Final = ("offence", "linked")

_MAX_CODES_SHOWN: Final = 8

_SINGLE_VALUE_FIELDS: Final = ("sex", "outcome", "status")

_TERM_SET_DIMENSIONS: Final = ("term", "several")

_Interval: TypeAlias = tuple[int, int]


# -- writing -----------------------------------------------------------------------------------


def build_period_condition(*periods: tuple[date | None, date | None]) -> str:
    """Days of any of the periods, by their first and last; None is open."""
    return _format_intervals(
        "period",
        (((a or date.min).toordinal(), (b or date.max).toordinal()) for a, b in periods),
    )


def build_age_condition(*bands: _Interval) -> str:
    """Ages of any of the bands, by their first and last."""
    return _format_intervals("age", bands)


def build_other_age_condition(bands: Iterable[_Interval]) -> str:
    """Known ages outside every band."""
    band_ages = {age for first, last in bands for age in range(first, last + 1)}
    return build_age_condition(
        *((age, age) for age in range(OLDEST_AGE + 1) if age not in band_ages)
    )


def build_offence_condition(codes: Iterable[str]) -> str:
    """Offences of any of the canonical codes, or below one."""
    table, code_set = load_offence_table(), set(codes)
    top_codes = (code for code in code_set if not code_set.intersection(table.path(code)[1:]))
    return f"{_OFFENCE_DIMENSION}:{','.join(sorted(top_codes))}"


def build_exact_code_condition(code: str) -> str:
    """Offences of one canonical code, and of none below it."""
    is_leaf = load_offence_table().covered([code]) == {code}
    return build_offence_condition([code]) if is_leaf else f"offence code:{code}"


def build_group_condition(group: str | None) -> str:
    """Offences of a group; None is for codes whose group is not known."""
    return f"offence group:{group or MISSING_VALUE}"


def build_link_condition(codes: Iterable[str]) -> str:
    """Offences with a link to an offence of any of the codes, or below one."""
    return f"linked:{','.join(sorted(set(codes)))}"


def build_field_condition(field: str, values: Iterable[str | None]) -> str:
    """A field of one value, which is one of these; None is a record without it."""
    return f"{field}:{_join_values(map(_escape_value, values))}"


def build_category_condition(name: str, values: Iterable[str | None], *, many: bool) -> str:
    """A category of the force's own, which is, or holds, one of these values."""
    return build_field_condition(f"{'any ' if many else ''}category {name}", values)


def build_any_term_condition(conditions: Iterable[str]) -> str:
    """Any of several terms, by their own conditions."""
    return f"term:{_join_values(map(_extract_value, conditions))}"


def build_several_terms_condition(conditions: Iterable[str]) -> str:
    """Two or more of several terms."""
    return f"several:{_join_values(map(_extract_value, conditions))}"


def build_single_term_condition(conditions: Iterable[str]) -> str:
    """Exactly one of several terms, whichever."""
    return f"alone:{_join_values(map(_extract_value, conditions))}"


def negate_condition(condition: str) -> str:
    """What does not meet a condition."""
    return f"{_NEGATION_PREFIX}{condition}"


def build_victim_condition(condition: str) -> str:
    """Offences with a victim who meets a condition."""
    return f"{_VICTIM_PREFIX}{condition}"


def _join_values(values: Iterable[str]) -> str:
    return "|".join(sorted(set(values)))


def _escape_value(value: str | None) -> str:
    return MISSING_VALUE if value is None else value.replace("%", "%25").replace("|", "%7C")


def _format_intervals(dimension: str, intervals: Iterable[_Interval]) -> str:
    merged: list[_Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return f"{dimension}:{','.join(_format_interval(dimension, *interval) for interval in merged)}"


def _format_interval(dimension: str, first: int, last: int) -> str:
    if dimension == "age":
        return f"{first}-{last}"
    start, end = date.fromordinal(first), date.fromordinal(last)
    return (
        f"{'' if start == date.min else start.isoformat()}"
        f"/{'' if end == date.max else end.isoformat()}"
    )


# -- reading -----------------------------------------------------------------------------------


def _extract_value(condition: str) -> str:
    return condition.partition(":")[2]


@cache
def parse_dimension(condition: str) -> str:
    """What a condition is about, with what stands before it."""
    name = condition.partition(":")[0]
    return _OFFENCE_DIMENSION if name.startswith(f"{_OFFENCE_DIMENSION} ") else name


def is_single_valued(name: str) -> bool:
    """Whether whatever is counted has one value in a dimension, so that its values part it."""
    return name in (
        *_INTERVAL_DIMENSIONS,
        _OFFENCE_DIMENSION,
        *_SINGLE_VALUE_FIELDS,
    ) or name.startswith("category ")


def strip_negation(condition: str) -> str | None:
    """What a condition turns round, if it does."""
    return (
        condition.removeprefix(_NEGATION_PREFIX) if condition.startswith(_NEGATION_PREFIX) else None
    )


def strip_victim_prefix(condition: str) -> str | None:
    """What a condition says of a victim of a record, if it does."""
    return condition.removeprefix(_VICTIM_PREFIX) if condition.startswith(_VICTIM_PREFIX) else None


@cache
def parse_condition_values(condition: str) -> frozenset[str]:
    """The values of a condition that lists some."""
    return frozenset(filter(None, _extract_value(condition).split("|")))


@cache
def parse_intervals(condition: str) -> tuple[_Interval, ...]:
    """The intervals of a period (in days) or of ages."""
    parts = filter(None, _extract_value(condition).split(","))
    if parse_dimension(condition) == "age":
        return tuple((int(a), int(b)) for a, _, b in (part.partition("-") for part in parts))
    return tuple(
        (
            (date.fromisoformat(a) if a else date.min).toordinal(),
            (date.fromisoformat(b) if b else date.max).toordinal(),
        )
        for a, _, b in (part.partition("/") for part in parts)
    )


def parse_named_codes(condition: str) -> frozenset[str]:
    """The codes that a condition on offences or links names."""
    name, _, value = (strip_negation(condition) or condition).partition(":")
    return frozenset(value.split(",")) if name in _CODE_LIST_DIMENSIONS else frozenset()


def abbreviate_codes(codes: Sequence[str], known_codes: frozenset[str] = frozenset()) -> str:
    """Codes as a message lists them: of many the first, those before others that are not known."""
    if (surplus := len(codes) - _MAX_CODES_SHOWN) <= 0:
        return ", ".join(codes)
    first = sorted(codes, key=lambda code: code in known_codes)[:_MAX_CODES_SHOWN]
    return f"{', '.join(first)} and {surplus} more"


def describe_condition(condition: str, known_codes: frozenset[str] = frozenset()) -> str:
    """A condition as a message says it, never a document: of many codes only the first, those
    before others that are not ``known``. Two terms of one beginning may be said alike."""
    if (positive := strip_negation(condition)) is not None:
        return f"not {describe_condition(positive, known_codes)}"
    if (victim_condition := strip_victim_prefix(condition)) is not None:
        return f"with a victim {describe_condition(victim_condition)}"
    name, _, value = condition.partition(":")
    of_terms = name in (*_TERM_SET_DIMENSIONS, "alone")
    value_texts = [
        _unescape_value(
            raw_value.rpartition("~")[0] if of_terms and "~" in raw_value else raw_value
        )
        for raw_value in sorted(parse_condition_values(condition))
    ]
    terms = " or ".join(f'"{value_text}"' for value_text in value_texts)
    phrases = {
        "period": f"recorded {' or '.join(map(_describe_days, value.split(',')))}",
        "age": f"aged {value.replace('-', ' to ').replace(',', ' or ')}",
        "offence": f"of {abbreviate_codes(value.split(','), known_codes)}",
        "offence code": f"of {value} itself",
        "offence group": f"of the group {_unescape_value(value)}",
        "linked": f"linked to {abbreviate_codes(value.split(','), known_codes)}",
        "term": f"mentioning {terms}",
        "several": f"mentioning two or more of {terms}",
        "alone": f"mentioning only one of {terms}",
    }
    if name in phrases:
        return phrases[name]
    if name in _SINGLE_VALUE_FIELDS or name.startswith(("category ", "any category ")):
        field = name.removeprefix("any ").removeprefix("category ")
        return f"with {field} {' or '.join(value_texts)}"
    return condition


def _describe_days(interval: str) -> str:
    start, dash, end = interval.partition("/")
    if not dash:
        return "on no day"
    if not start or not end:
        return f"from {start}" if start else f"up to {end}" if end else "at any time"
    return f"{start} to {end}"


def _unescape_value(value: str) -> str:
    if value == MISSING_VALUE:
        return "not recorded"
    return value.replace("%7C", "|").replace("%25", "%")


# -- what follows ------------------------------------------------------------------------------


@cache
def covers_condition(wide: str, narrow: str) -> bool:
    """Whether all that meets the narrow condition meets the wide one, and not the other way
    round."""
    if wide == narrow:
        return False
    if parse_dimension(wide) != parse_dimension(narrow):
        return _covers_other_dimension(wide, narrow)
    if (no_wide := strip_negation(wide)) and (no_narrow := strip_negation(narrow)):
        return covers_condition(no_narrow, no_wide)
    if (wide_victim := strip_victim_prefix(wide)) and (
        narrow_victim := strip_victim_prefix(narrow)
    ):
        return covers_condition(wide_victim, narrow_victim)
    return _covers_values(wide, narrow)


def _covers_values(wide: str, narrow: str) -> bool:
    """Whether the values of a condition are among those of another of its dimension."""
    name = parse_dimension(wide)
    if name in _INTERVAL_DIMENSIONS:
        return all(
            any(start <= first and last <= end for start, end in parse_intervals(wide))
            for first, last in parse_intervals(narrow)
        )
    if name in _OFFENCE_DIMENSIONS:
        return _covers_all_codes(wide, narrow) and not _covers_all_codes(narrow, wide)
    listed = (
        is_single_valued(name) or name in _TERM_SET_DIMENSIONS or name.startswith("any category ")
    )
    return listed and parse_condition_values(narrow) < parse_condition_values(wide)


def _covers_other_dimension(wide: str, narrow: str) -> bool:
    """Whether a condition follows from one of another dimension."""
    if (victim_condition := strip_victim_prefix(wide)) and not strip_victim_prefix(narrow):
        return victim_condition == narrow or covers_condition(victim_condition, narrow)
    if parse_dimension(wide) == "term" and parse_dimension(narrow) in ("several", "alone"):
        return parse_condition_values(narrow) <= parse_condition_values(wide)
    return False


def _covers_all_codes(wide: str, narrow: str) -> bool:
    return all(_holds_for_code(wide, code) for code in _expand_codes(narrow))


@cache
def _holds_for_code(condition: str, code: str) -> bool:
    """Whether a condition on offences holds for those of a code."""
    table, name, value = (
        load_offence_table(),
        condition.partition(":")[0],
        _extract_value(condition),
    )
    if name == "offence code":
        return code == value
    if name == "offence group":
        return table.group(code) == (None if value == MISSING_VALUE else value)
    return bool(set(table.path(code)).intersection(value.split(",")))


@cache
def _expand_codes(condition: str) -> frozenset[str]:
    """The codes of a condition on offences; "22/*" are those of category 22 nobody knows, "*" those
    of no category."""
    table, name, value = (
        load_offence_table(),
        condition.partition(":")[0],
        _extract_value(condition),
    )
    if name == "offence code":
        return frozenset({value})
    if name != "offence group":
        return table.covered(filter(None, value.split(",")))
    all_codes = {*table.covered(table.titles), "*"}
    return frozenset(code for code in all_codes if _holds_for_code(condition, code))


def intersect_conditions(condition_a: str, condition_b: str) -> str | None:
    """The condition that two of one dimension are together, where there is one text for it."""
    name = parse_dimension(condition_a)
    if condition_a == condition_b or covers_condition(condition_b, condition_a):
        return condition_a
    if covers_condition(condition_a, condition_b):
        return condition_b
    if name != parse_dimension(condition_b) or not is_single_valued(name):
        return None
    if name in _INTERVAL_DIMENSIONS:
        pairs = ((a, b) for a in parse_intervals(condition_a) for b in parse_intervals(condition_b))
        met = ((max(a[0], b[0]), min(a[1], b[1])) for a, b in pairs)
        return _format_intervals(name, ((first, last) for first, last in met if first <= last))
    if name == _OFFENCE_DIMENSION:
        return _intersect_codes(condition_a, condition_b)
    return f"{name}:{_join_values(parse_condition_values(condition_a) & parse_condition_values(condition_b))}"


def _intersect_codes(condition_a: str, condition_b: str) -> str | None:
    """Codes of one that the other covers, either way round."""
    if not all(
        condition.startswith(f"{_OFFENCE_DIMENSION}:") for condition in (condition_a, condition_b)
    ):
        shared = _expand_codes(condition_a) & _expand_codes(condition_b)
        return None if shared else f"{_OFFENCE_DIMENSION}:"
    codes_a, codes_b = (
        list(filter(None, _extract_value(condition).split(",")))
        for condition in (condition_a, condition_b)
    )
    return build_offence_condition(
        [
            *(code for code in codes_a if _holds_for_code(condition_b, code)),
            *(code for code in codes_b if _holds_for_code(condition_a, code)),
        ]
    )


def simplify_conditions(conditions: Iterable[str]) -> frozenset[str]:
    """The conditions without those that others imply, and those of one dimension as one."""
    result: list[str] = []
    for condition in conditions:
        parts = (
            [f"term:{value}" for value in parse_condition_values(condition)]
            if parse_dimension(condition) == "several"
            and len(parse_condition_values(condition)) == 2
            else [condition]
        )
        result += [part for part in parts if part not in result]
    changed = True
    while changed:
        changed = False
        for indices, (condition_a, condition_b) in _iter_related_pairs(result):
            if (intersection := intersect_conditions(condition_a, condition_b)) is not None:
                result = [entry for n, entry in enumerate(result) if n not in indices]
                result += [intersection] if intersection not in result else []
                changed = True
                break
    terms = [
        condition
        for condition in result
        if parse_dimension(condition) == "term" and len(parse_condition_values(condition)) == 1
    ]
    return frozenset(
        condition
        for condition in result
        if not (
            parse_dimension(condition) == "several"
            and sum(
                parse_condition_values(term) <= parse_condition_values(condition) for term in terms
            )
            > 1
        )
    )


def _iter_related_pairs(
    conditions: Sequence[str],
) -> Iterable[tuple[tuple[int, int], tuple[str, str]]]:
    for second, condition_b in enumerate(conditions):
        for first, condition_a in enumerate(conditions[:second]):
            if (
                parse_dimension(condition_a) == parse_dimension(condition_b)
                or covers_condition(condition_a, condition_b)
                or covers_condition(condition_b, condition_a)
            ):
                yield (first, second), (condition_a, condition_b)


@cache
def partition_conditions(conditions: tuple[str, ...]) -> Mapping[str, tuple[str, ...]]:
    """Conditions of one dimension that parts what is counted, each as the pieces they cut each
    other into. A piece is one of them, or what several leave between them."""
    name = parse_dimension(conditions[0])
    atoms: dict[object, list[str]] = defaultdict(list)
    if name in _INTERVAL_DIMENSIONS:
        cuts = sorted(
            {
                cut
                for condition in conditions
                for a, b in parse_intervals(condition)
                for cut in (a, b + 1)
            }
        )
        for first, following in pairwise(cuts):
            for condition in conditions:
                if any(a <= first and following - 1 <= b for a, b in parse_intervals(condition)):
                    atoms[first, following - 1].append(condition)
    else:
        for value in sorted(
            {value for condition in conditions for value in _list_atoms(name, condition)}
        ):
            for condition in conditions:
                if (
                    _holds_for_code(condition, value)
                    if name == _OFFENCE_DIMENSION
                    else value in parse_condition_values(condition)
                ):
                    atoms[value].append(condition)
    cut: dict[tuple[str, ...], list[object]] = defaultdict(list)
    for atom, holders in atoms.items():
        cut[tuple(holders)].append(atom)
    names = {holders: _name_piece(name, holders, cut) for holders in cut}
    return MappingProxyType(
        {
            condition: tuple(names[group] for group in cut if condition in group)
            for condition in conditions
        }
    )


def _list_atoms(name: str, condition: str) -> frozenset[str]:
    return (
        _expand_codes(condition)
        if name == _OFFENCE_DIMENSION
        else parse_condition_values(condition)
    )


def _name_piece(
    name: str, holders: tuple[str, ...], cut: Mapping[tuple[str, ...], list[object]]
) -> str:
    """What a piece is called: one of the conditions, where it is just that."""
    for condition in holders:
        if sum(condition in others for others in cut) == 1:
            return condition
    atoms: list[object] = cut[holders]
    if name in _INTERVAL_DIMENSIONS:
        return _format_intervals(name, atoms)  # type: ignore[arg-type]
    if name == _OFFENCE_DIMENSION:
        # By its codes as well: other conditions beside these may leave less between them.
        codes = hashlib.sha256(" ".join(sorted(map(str, atoms))).encode()).hexdigest()[:8]
        return f"part of {' and '.join(sorted(holders))}~{codes}"
    return f"{name}:{_join_values(map(str, atoms))}"
