"""Writes wording that was near a term into a request, as another name of the term."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from indexer.errors import RequestError
from queries.spec.term_spec import Wording, to_mention

#: Where terms stand: in the request itself, in a question, and in a part of a question.
_REQUEST_KEYS: Final = ("mentions",)

_QUESTION_KEYS: Final = ("keywords",)

_QUESTION_PARTS: Final = {
    "rows": "keywords",
    "columns": "keywords",
    "for_each": "keywords",
    "within": "mentions",
}

_LISTS: Final = "lists"


class AddedNames(Struct, frozen=True):
    """The keys and questions of a request that get other names of terms, as ``change_text`` takes
    them, and the terms that stand where no name can be added."""

    keys: dict[str, Any]
    questions: dict[int, Any]
    missing: tuple[str, ...]


def add_names(request: Mapping[str, Any], names: Mapping[str, Sequence[str]]) -> AddedNames:
    """The request with further names of its terms, wherever the request has a term.

    ``request`` is as ``parse_yaml`` reads it; ``names`` are the new ones by what a term is called
    in the check of its wording.
    """
    additions = {term.casefold(): list(added) for term, added in names.items()}
    labels: set[str] = set()
    keys = _extend_keys(request, _REQUEST_KEYS, additions, labels)
    lists = request.get(_LISTS)
    if isinstance(lists, dict) and (extended := _extend_keys(lists, lists, additions, labels)):
        keys[_LISTS] = lists | extended
    questions: dict[int, Any] = {}
    written = request.get("questions")
    for position, question in enumerate(written if isinstance(written, list) else []):
        if isinstance(question, dict):
            changed = _extend_keys(question, _QUESTION_KEYS, additions, labels)
            for key, inner in _QUESTION_PARTS.items():
                part = question.get(key)
                if isinstance(part, dict) and (
                    extended := _extend_keys(part, [inner], additions, labels)
                ):
                    changed[key] = part | extended
            if changed:
                questions[position] = question | changed
    missing = tuple(term for term in names if term.casefold() not in labels)
    return AddedNames(keys, questions, missing)


def _extend_keys(
    values: Mapping[str, Any],
    keys: Iterable[str],
    additions: Mapping[str, list[str]],
    labels: set[str],
) -> dict[str, Any]:
    """Those of some keys whose terms get further names, with these."""
    extended = {key: _extend_terms(values.get(key), additions, labels) for key in keys}
    return {key: terms for key, terms in extended.items() if terms is not None}


def _extend_terms(terms: Any, additions: Mapping[str, list[str]], labels: set[str]) -> Any:
    """The terms with their further names; None if none of them gets one."""
    if not isinstance(terms, list):
        return None
    extended = [_extend_term(term, additions, labels) for term in terms]
    return extended if extended != terms else None


def _extend_term(term: Any, additions: Mapping[str, list[str]], labels: set[str]) -> Any:
    label = _find_label(term).casefold()
    if label not in additions:
        return term
    labels.add(label)
    spec = dict(term) if isinstance(term, dict) else {"term": term}
    return spec | {"aliases": list(dict.fromkeys([*spec.get("aliases", []), *additions[label]]))}


def _find_label(term: Any) -> str:
    """What a term is called in the check of its wording; empty if it cannot be read."""
    try:
        return to_mention(msgspec.convert(term, Wording, strict=False)).label
    except (msgspec.ValidationError, RequestError):
        return ""
