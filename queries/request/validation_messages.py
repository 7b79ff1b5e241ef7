"""Explain in a requester's words why a part of a request does not have its type."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, get_args

import msgspec
from msgspec import Struct

from indexer.config.model import PATTERN_WORDS
from indexer.records.model import MAX_AGE
from indexer.suggestions import suggest_name
from indexer.validation_errors import (
    Violation,
    ViolationKind,
    describe_violation,
    get_field_name,
    get_value_at,
    parse_validation_error,
)
from queries.disclosure.policy import DisclosureSpec
from queries.questions import load_question_kinds
from queries.request.letter_spec import (
    ExtensionSpec,
    LetterOutcome,
    LetterSpec,
    ReviewSpec,
    SectionSpec,
    UncoveredSpec,
)
from queries.request.term_lists import LISTS_KEY
from queries.spec.confirm_spec import ConfirmSpec
from queries.spec.problem import Problem, explain_missing_key, explain_unknown_key
from queries.spec.scope_spec import (
    AgeBand,
    AgeRange,
    AxisSpec,
    FieldValues,
    OffenceSpec,
    PeriodSpec,
    PersonSpec,
    ScopeSpec,
    TermList,
)
from queries.spec.term_spec import CooccurrenceSpec, TermSpec
from queries.tables.field_filter import PEOPLE_FILTERS
from queries.tables.table_query import CountedUnit

_MAX_QUOTED_LENGTH: Final = 60

_SOME_ENTRY: Final = "[...]"

#: The path of a term in one of the lists of a request, which may have any name.
_LISTED_TERM: Final = re.compile(rf"\$\.{LISTS_KEY}\..+\[\d+\]")

_CHOICES: Final = {
    "count": get_args(CountedUnit),
    "variants": ("all", "none"),
    "outcome": get_args(LetterOutcome),
}

_STRUCT_BY_KEY: Final[dict[str, type[Struct]]] = {
    "period": PeriodSpec,
    "periods": PeriodSpec,
    "letter": LetterSpec,
    "sections": SectionSpec,
    "extension": ExtensionSpec,
    "review": ReviewSpec,
    "disclosure": DisclosureSpec,
    "confirm": ConfirmSpec,
    "offences": OffenceSpec,
    "mentions": TermSpec,
    "keywords": TermSpec,
    "with": CooccurrenceSpec,
    "bands": AgeBand,
    "age": AgeRange,
    **dict.fromkeys(PEOPLE_FILTERS, PersonSpec),
    "within": ScopeSpec,
    "rows": AxisSpec,
    "columns": AxisSpec,
    "for_each": AxisSpec,
    "fields": AxisSpec,
}


def explain_request_violation(violation: Violation, path: str, value: Any) -> Problem:
    """The problem of a part of a request: ``value``, which is at ``path``, breaks its type."""
    if _SOME_ENTRY in violation.path:
        values_kind = TermList if get_field_name(path) == LISTS_KEY else FieldValues
        violation = _find_entry_violation(violation, value, values_kind)
    full_path = path + violation.path.removeprefix("$")
    name = get_field_name(full_path)
    match violation.kind:
        case ViolationKind.UNKNOWN_KEY:
            struct_name = "mentions" if _LISTED_TERM.fullmatch(full_path) else name
            keys = _list_allowed_keys(struct_name, value)
            return Problem(f"{full_path}.{violation.key}", explain_unknown_key(violation.key, keys))
        case ViolationKind.MISSING_KEY:
            return Problem(full_path, _explain_missing_key(name, violation.key))
    if name in _EXPLANATIONS:
        return Problem(full_path, _EXPLANATIONS[name](value))
    quoted_value = _quote_value(get_value_at(value, violation.path))
    description = _describe_request_violation(violation, name, quoted_value)
    return Problem(full_path, f'"{name}": {description}. Correct it.')


def _explain_missing_key(name: str, key: str) -> str:
    """The message for a required key; a question without a kind may be a part without figures."""
    if (name, key) != ("questions", "kind"):
        return explain_missing_key(key)
    return (
        'lacks "kind", which says what to count. Add it. If the part has no figures, say why with '
        "not_covered:, or name its id under parts: of a section of the letter."
    )


def _find_entry_violation(violation: Violation, value: Any, values_kind: Any) -> Violation:
    """The violation with the name of its field: msgspec does not say which entry is wrong."""
    prefix, _, _ = violation.path.partition(_SOME_ENTRY)
    entries = get_value_at(value, prefix)
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        is_person = name in PEOPLE_FILTERS and isinstance(entry, dict)
        kind: Any = PersonSpec if is_person else values_kind
        try:
            msgspec.convert(entry, kind, strict=False)
        except msgspec.ValidationError as error:
            entry_violation = parse_validation_error(error)
            entry_path = entry_violation.path.removeprefix("$")
            return msgspec.structs.replace(entry_violation, path=f"{prefix}.{name}{entry_path}")
    return violation


def _describe_request_violation(violation: Violation, name: str, quoted_value: str) -> str:
    if name in ("period", "periods") and violation.actual == "str":
        return (
            f"{quoted_value}is not a period; expected {{from: YYYY-MM-DD, to: YYYY-MM-DD}} or a "
            "year such as 2017/18"
        )
    if name == "periods" and violation.kind is ViolationKind.WRONG_TYPE:
        return "expected a list, such as [2016/17, 2017/18]"
    if name in _CHOICES and violation.kind is ViolationKind.INVALID_CHOICE:
        return f"expected {' or '.join(_CHOICES[name])}"
    if name in ("from", "to") and violation.kind is ViolationKind.OUT_OF_RANGE:
        return f"expected an age from 0 to {MAX_AGE}"
    if violation.format == "date":
        return quoted_value + describe_violation(violation)
    return describe_violation(violation, PATTERN_WORDS)


def _quote_value(value: Any) -> str:
    """A value in quotes, if it is text that can be printed; else nothing."""
    if not isinstance(value, str) or not value.isprintable():
        return ""
    return f'"{value[:_MAX_QUOTED_LENGTH]}" '


def _explain_unknown_kind(question: Any) -> str:
    kind = str(question.get("kind", "")) if isinstance(question, dict) else ""
    kinds = load_question_kinds()
    return (
        f'there is no kind of question "{kind[:_MAX_QUOTED_LENGTH]}".{suggest_name(kind, kinds)} '
        f"The kinds are {', '.join(kinds)}."
    )


def _explain_wrong_id(question: Any) -> str:
    del question
    return (
        "an id is up to 20 letters, digits and . - _ ( ), as the requester numbers the parts: Q1, "
        "1, b), 3a. Correct it."
    )


def _explain_wrong_ages(value: Any) -> str:
    del value
    return '"age": expected ages, such as {from: 12, to: 17}. Correct it.'


def _explain_wrong_share(value: Any) -> str:
    del value
    return (
        '"share": expected true (per cent of the total of the column), row (of the total of the '
        "row) or false. Correct it."
    )


_EXPLANATIONS: Final[dict[str, Callable[[Any], str]]] = {
    "share": _explain_wrong_share,
    "age": _explain_wrong_ages,
    "kind": _explain_unknown_kind,
    "id": _explain_wrong_id,
}


def _list_allowed_keys(name: str, value: Any) -> tuple[str, ...]:
    """The keys allowed in the part of a name; for a question, those of its kind."""
    if name != "questions":
        return _STRUCT_BY_KEY[name].__struct_encode_fields__
    if isinstance(value, dict) and "not_covered" in value and "kind" not in value:
        return UncoveredSpec.__struct_encode_fields__
    kind = load_question_kinds().get(value.get("kind", "")) if isinstance(value, dict) else None
    return ("kind", *(kind.__struct_encode_fields__ if kind else ()))
