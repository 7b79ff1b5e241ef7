"""Changes values in the text of a request file, and leaves every other line as it was written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import yaml

from indexer.errors import RequestError
from queries.spec.yaml_text import parse_yaml

#: Takes a key, or a question, out of the file.
REMOVED: Final = object()

_QUESTIONS: Final = "questions"

_REMARK: Final = re.compile(r"[ \t]*(#.*)?")

_WIDTH: Final = 100


def change_text(text: str, keys: Mapping[str, Any], questions: Mapping[int, Any]) -> str:
    """The text of a file with other values of some keys, and of some questions by their place.

    Values are text, lists and dictionaries; REMOVED takes one out, and a question after the last
    is added. What did not change keeps its comments and its layout, unless the file is laid out in
    a way that cannot be changed in parts: then all of it is written again. Raises RequestError if
    the text is not that of a request file.
    """
    value = parse_yaml(text, "request").value
    if not isinstance(value, dict):
        raise RequestError("The file is not a list of keys, such as title: and questions:.")
    expected = _change_value(value, keys, questions)
    try:
        changed = _splice(text, value, keys, questions)
        if parse_yaml(changed, "request").value == expected:
            return changed
    except (RequestError, yaml.YAMLError, _LayoutError):
        pass
    return _dump(expected)


class _LayoutError(Exception):
    """The file cannot be changed in parts."""


def _change_value(
    value: dict[str, Any], keys: Mapping[str, Any], questions: Mapping[int, Any]
) -> Any:
    changed = {key: keys.get(key, item) for key, item in value.items()}
    changed |= {key: item for key, item in keys.items() if key not in changed}
    if questions:
        items = dict(enumerate(value.get(_QUESTIONS) or [])) | dict(questions)
        changed[_QUESTIONS] = [
            items[position] for position in sorted(items) if items[position] is not REMOVED
        ]
    return {key: item for key, item in changed.items() if item is not REMOVED}


def _splice(
    text: str, value: dict[str, Any], keys: Mapping[str, Any], questions: Mapping[int, Any]
) -> str:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise _LayoutError
    starts = [node.start_mark.index for node, _ in root.value]
    ends = [*starts[1:], len(text)]
    pieces = [text[: starts[0]]] if starts else [text]
    for (node, item), start, end in zip(root.value, starts, ends, strict=True):
        span = text[start:end]
        if node.value in keys:
            span = _replace_span(span, _dump_key(node.value, keys[node.value]))
        elif node.value == _QUESTIONS and questions:
            span = _splice_questions(text, item, (start, end), questions)
        pieces.append(span)
    for key, item in keys.items():
        if key not in value and item is not REMOVED:
            pieces.append(_end_line(pieces) + _dump_key(key, item))
    if questions and _QUESTIONS not in value:
        added = [item for item in questions.values() if item is not REMOVED]
        pieces.append(_end_line(pieces) + _dump_key(_QUESTIONS, added))
    return "".join(pieces)


def _splice_questions(
    text: str, node: yaml.Node, span: tuple[int, int], questions: Mapping[int, Any]
) -> str:
    start, end = span
    if not isinstance(node, yaml.SequenceNode) or node.flow_style or not node.value:
        raise _LayoutError
    starts = [text.rfind("\n", 0, item.start_mark.index) + 1 for item in node.value]
    if starts[0] <= start or len(set(starts)) != len(starts):
        raise _LayoutError
    indent = text[starts[0] : text.index("-", starts[0])]
    pieces = [text[start : starts[0]]]
    for position, (first, last) in enumerate(zip(starts, [*starts[1:], end], strict=True)):
        piece = text[first:last]
        if position in questions:
            piece = _replace_span(piece, _dump_question(questions[position], indent))
        pieces.append(piece)
    for position in sorted(questions):
        if position >= len(starts) and questions[position] is not REMOVED:
            tail = pieces.pop()
            body, remarks = _split_tail(tail)
            end_line = "" if body.endswith("\n") or not body else "\n"
            pieces += [body + end_line + _dump_question(questions[position], indent), remarks]
    return "".join(pieces)


def _replace_span(span: str, new: str) -> str:
    """The new text, and after it the blank lines and remarks that stood after the old one."""
    return new + _split_tail(span)[1]


def _split_tail(span: str) -> tuple[str, str]:
    lines = span.splitlines(keepends=True)
    number = len(lines)
    while number > 1 and _REMARK.fullmatch(lines[number - 1].rstrip("\r\n")):
        number -= 1
    return "".join(lines[:number]), "".join(lines[number:])


def _end_line(pieces: list[str]) -> str:
    return "" if not "".join(pieces) or "".join(pieces).endswith("\n") else "\n"


def _dump_key(key: str, value: Any) -> str:
    return "" if value is REMOVED else _dump({key: value})


def _dump_question(value: Any, indent: str) -> str:
    if value is REMOVED:
        return ""
    lines = _dump([value]).splitlines(keepends=True)
    return "".join(indent + line for line in lines)


def _dump(value: Any) -> str:
    return yaml.safe_dump(_make_plain(value), sort_keys=False, allow_unicode=True, width=_WIDTH)


def _make_plain(value: Any) -> Any:
    """A value as it is written without quotes, if it can be: true, 12, 2018-07-31."""
    if isinstance(value, dict):
        return {key: _make_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_make_plain(item) for item in value]
    if value in ("true", "false"):
        return value == "true"
    if (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and str(int(value)) == value
    ):
        return int(value)
    try:
        return date.fromisoformat(value) if len(value) == len("2018-07-31") else value
    except ValueError:
        return value
