"""Conditions as text: read from files, and described in messages. Pure.

A condition reads ``[victim |suspect ][no ]dimension:value``:

- ``period:2017-04-01/2018-03-31`` (days, both included, either open) and ``age:0-11,18-120`` or
  ``age of suspect:0-17``;
- ``offence:22B,88/1`` (each with all below it), ``offence code:71`` (that code alone) and
  ``offence group:Theft``, which are one dimension, and ``linked:86/2``;
- ``sample 3fa4:1-360``: drawn at one of these places in a random order;
- ``sex:F|M``, ``outcome:5``, ``status:cancelled``, ``category district:North``: fields of one
  value; ``any category flag:a|b``: one that may have several;
- ``victim age:0-17&sex:F``: one victim meets all of these; ``suspect sex of suspect:M``: one
  suspect does;
- ``term:a|b`` (any of them is mentioned), ``several:a|b|c`` (two or more), ``alone:a|b|c`` (one).

``no`` negates it, ``victim`` or ``suspect`` applies it to one or more of a record. Any other
text is a ``NamedCondition``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Final

from queries.answer.condition import (
    BY_TEXT,
    MISSING_VALUE,
    NEGATION_PREFIX,
    SINGLE_VALUE_FIELDS,
    TOGETHER_SEPARATOR,
    AgeCondition,
    AnyTermCondition,
    CategoryCondition,
    Condition,
    FieldCondition,
    FieldValues,
    Interval,
    LinkCondition,
    NamedCondition,
    Not,
    OffenceCodeCondition,
    OffenceCondition,
    OffenceGroupCondition,
    OffencePiece,
    OfPerson,
    OfSuspect,
    OfVictim,
    PeriodCondition,
    SampleCondition,
    SeveralTermsCondition,
    SingleTermCondition,
    SuspectAgeCondition,
    TermCountCondition,
    build_person_condition,
    escape_value,
    merge_intervals,
)
from queries.answer.term_name import EXACT_MARK, parse_formula, parse_near_terms

_CACHE_SIZE: Final = 16_384

_MAX_CODES_SHOWN: Final = 8

_NUMBER: Final = re.compile(r"\d+")

_CATEGORY_PREFIX: Final = "category "

_MANY_PREFIX: Final = "any "

_SAMPLE_PREFIX: Final = "sample "

# -- reading -----------------------------------------------------------------------------------


@lru_cache(_CACHE_SIZE)
def parse_condition(text: str) -> Condition:
    """The condition of a text. One that cannot be read is a ``NamedCondition``."""
    if text.startswith(NEGATION_PREFIX):
        return Not(parse_condition(text.removeprefix(NEGATION_PREFIX)))
    for kind in (OfVictim, OfSuspect):
        if text.startswith(kind.prefix):
            return _parse_person(text.removeprefix(kind.prefix), kind)
    name, colon, value = text.partition(":")
    try:
        condition = _parse_value(name, value) if colon else None
    except (ValueError, OverflowError):
        condition = None
    return NamedCondition(text) if condition is None else condition


def _parse_person(text: str, kind: type[OfPerson]) -> OfPerson:
    """The condition that a person meets, or all of several."""
    parts = [parse_condition(part) for part in text.split(TOGETHER_SEPARATOR)]
    if any(isinstance(part, NamedCondition) for part in parts):
        return kind(parse_condition(text))
    return build_person_condition(parts, kind.people)


def parse_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """The conditions of an answer's texts."""
    return tuple(map(parse_condition, texts))


def _parse_value(name: str, value: str) -> Condition | None:
    if reader := _READERS.get(name):
        return reader(value)
    if name in SINGLE_VALUE_FIELDS:
        return FieldCondition(name, _parse_field_values(value))
    if name.startswith(_SAMPLE_PREFIX):
        places = _parse_ages(value).intervals
        return SampleCondition(places, name.removeprefix(_SAMPLE_PREFIX)) if places else None
    category = name.removeprefix(_MANY_PREFIX)
    if category.startswith(_CATEGORY_PREFIX):
        return CategoryCondition(
            category.removeprefix(_CATEGORY_PREFIX),
            _parse_field_values(value),
            many=name.startswith(_MANY_PREFIX),
        )
    return None


def _parse_period(value: str) -> PeriodCondition:
    return PeriodCondition(merge_intervals(map(_parse_days, _split_list(value, ","))))


def _parse_days(text: str) -> Interval:
    start, end = text.split("/")
    first = date.fromisoformat(start) if start else date.min
    last = date.fromisoformat(end) if end else date.max
    return first.toordinal(), last.toordinal()


def _parse_ages(value: str) -> AgeCondition:
    bands = (part.split("-") for part in _split_list(value, ","))
    return AgeCondition(merge_intervals((int(first), int(last)) for first, last in bands))


def _parse_field_values(value: str) -> FieldValues:
    return frozenset(
        None if text == MISSING_VALUE else _unescape(text) for text in _split_list(value, "|")
    )


def _unescape(text: str) -> str:
    return text.replace("%7C", "|").replace("%25", "%")


def _split_list(value: str, separator: str) -> frozenset[str]:
    return frozenset(filter(None, value.split(separator)))


_READERS: Final[dict[str, Callable[[str], Condition]]] = {
    "period": _parse_period,
    "age": _parse_ages,
    "age of suspect": lambda value: SuspectAgeCondition(_parse_ages(value).intervals),
    "offence": lambda value: OffenceCondition(_split_list(value, ",")),
    "offence code": OffenceCodeCondition,
    "offence group": lambda value: OffenceGroupCondition(None if value == MISSING_VALUE else value),
    "linked": lambda value: LinkCondition(_split_list(value, ",")),
    "term": lambda value: AnyTermCondition(_split_list(value, "|")),
    "several": lambda value: SeveralTermsCondition(_split_list(value, "|")),
    "alone": lambda value: SingleTermCondition(_split_list(value, "|")),
}


# -- describing --------------------------------------------------------------------------------


def list_named_codes(condition: Condition) -> frozenset[str]:
    """The codes that a condition on offences or links names."""
    inner = condition.condition if isinstance(condition, Not) else condition
    return inner.codes if isinstance(inner, OffenceCondition | LinkCondition) else frozenset()


def abbreviate_codes(codes: Sequence[str], known_codes: frozenset[str] = frozenset()) -> str:
    """Codes as a message lists them: the first few of many, and ``known_codes`` after others."""
    if (surplus := len(codes) - _MAX_CODES_SHOWN) <= 0:
        return ", ".join(codes)
    first = sorted(codes, key=lambda code: code in known_codes)[:_MAX_CODES_SHOWN]
    return f"{', '.join(first)} and {surplus} more"


def describe_condition(condition: Condition, known_codes: frozenset[str] = frozenset()) -> str:
    """A condition in the words of a message; documents never print it.

    Of many codes it names only the first, and ``known_codes`` after others. Two terms that begin
    alike may have the same description.
    """
    match condition:
        case Not(inner):
            return f"not {describe_condition(inner, known_codes)}"
        case OfPerson():
            singular = condition.people.singular
            parts = map(describe_condition, sorted(condition.parts, key=BY_TEXT))
            words = " and ".join(parts).replace(f"sex of {singular}", "sex")
            return f"with a {singular} {words}"
        case PeriodCondition(intervals):
            return f"recorded {' or '.join(map(_describe_days, intervals)) or 'on no day'}"
        case AgeCondition(intervals):
            return f"aged {' or '.join(f'{first} to {last}' for first, last in intervals)}"
        case FieldCondition(name, values) | CategoryCondition(name, values):
            return f"with {name} {_describe_values(values)}"
    return _describe_codes(condition, known_codes) or _describe_terms(condition)


def _describe_codes(condition: Condition, known_codes: frozenset[str]) -> str:
    """A condition on offences or links; nothing for another one."""
    match condition:
        case OffenceCondition(codes):
            return f"of {abbreviate_codes(_sort_codes(codes), known_codes)}"
        case OffenceCodeCondition(code):
            return f"of {code} itself"
        case OffenceGroupCondition(group):
            return f"of the group {group or 'not recorded'}"
        case LinkCondition(codes):
            return f"linked to {abbreviate_codes(_sort_codes(codes), known_codes)}"
        case OffencePiece(holders):
            shared = sorted(describe_condition(holder, known_codes) for holder in holders)
            return f"in part {' and '.join(shared)}"
    return ""


def _describe_terms(condition: Condition) -> str:
    """A condition on terms or on a sample, or the name of one that has only a name."""
    match condition:
        case SampleCondition():
            return f"among the first {condition.intervals[-1][1]} drawn"
        case AnyTermCondition(terms):
            return f"mentioning {_quote_terms(terms)}"
        case SeveralTermsCondition(terms):
            return f"mentioning two or more of {_quote_terms(terms)}"
        case SingleTermCondition(terms):
            return f"mentioning only one of {_quote_terms(terms)}"
        case TermCountCondition(terms, count):
            return f"mentioning exactly {count} of {_quote_terms(terms)}"
    return condition.text


def _describe_days(days: Interval) -> str:
    first, last = map(date.fromordinal, days)
    start, end = (f"{day.day} {day:%B %Y}" for day in (first, last))
    if first == date.min:
        return "at any time" if last == date.max else f"up to {end}"
    return f"from {start}" if last == date.max else f"from {start} to {end}"


def _describe_values(values: FieldValues) -> str:
    return " or ".join(
        "not recorded" if value is None else value for value in sorted(values, key=escape_value)
    )


def _quote_terms(terms: Iterable[str]) -> str:
    """What each term is called, or what it is made of."""
    return " or ".join(map(_quote_term, sorted(terms)))


def _quote_term(name: str) -> str:
    label, defined, _ = name.rpartition(" = ")
    if defined:
        return _quote_atom(label)
    return " with ".join(
        sorted(" or ".join(map(_quote_atom, sorted(clause))) for clause in parse_formula(name))
    )


def _quote_atom(atom: str) -> str:
    near = parse_near_terms(atom)
    if near:
        first, second = _quote_atom(near.first), _quote_atom(near.second)
        return f"{first} within {near.max_distance} words of {second}"
    label = atom.rpartition("~")[0] or atom
    return f'"{_unescape(label.removesuffix(EXACT_MARK))}"'


def _sort_codes(codes: Iterable[str]) -> list[str]:
    """The codes as a person orders them: 2 before 10."""
    return sorted(codes, key=lambda code: (int((_NUMBER.match(code) or "0")[0]), code))
