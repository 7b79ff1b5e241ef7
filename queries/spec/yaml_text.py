"""Read YAML with every value as the text that was written, and with the line of each value.

YAML guesses types: 086 is a number, No a boolean, 4.10 the number 4.1. Here the schema decides, so
terms and codes stay as they were written. Anchors, aliases and tags are refused, and so is a file
too large or too deeply nested to be a request or a term book.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from msgspec import Struct

from indexer.errors import RequestError
from indexer.files import is_folder, open_named_input
from queries.matching.term import has_surrogate

MAX_YAML_BYTES: Final = 1_000_000

MAX_YAML_DEPTH: Final = 20

MAX_YAML_VALUES: Final = 20_000


class YamlDocument(Struct):
    """``value`` consists of text, lists and dictionaries; ``lines`` gives the line, from 1, of each
    path ("$.questions[0].id")."""

    name: str
    value: Any
    lines: dict[str, int]

    def line(self, path: str) -> int:
        """The line of a path, or of the innermost value around it that has one."""
        while path not in self.lines and path != "$":
            path = path[: max(path.rfind("."), path.rfind("["))] or "$"
        return self.lines.get(path, 1)


#: The reader in C, where it is installed. Its messages are others.
_QUICK_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path, *, trusted: bool = False) -> YamlDocument:
    """Read a file. Raises RequestError, with the file and the line.

    A ``trusted`` one, which is part of foidex, is read faster; a message about it has other words.
    """
    try:
        with open_named_input(path) as file:
            raw = file.read(MAX_YAML_BYTES + 1)
    except OSError as error:
        if is_folder(path):
            raise RequestError(
                f"{path}: is a folder. Give a file; to answer a folder of requests, use "
                "answer --all."
            ) from None
        raise RequestError(f"{path}: cannot be read ({error.strerror}). Check the path.") from None
    if len(raw) > MAX_YAML_BYTES:
        raise RequestError(
            f"{path}: is larger than {MAX_YAML_BYTES:,} bytes, the most that is read. "
            "Check that it is the right file."
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestError(f"{path}: is not UTF-8 text. Save it as UTF-8.") from None
    return _parse_yaml(text, str(path), _QUICK_LOADER if trusted else yaml.SafeLoader)


def parse_yaml(text: str, name: str) -> YamlDocument:
    """Read text. Raises RequestError, with the name and the line."""
    return _parse_yaml(text, name, yaml.SafeLoader)


def _parse_yaml(text: str, name: str, loader: Any) -> YamlDocument:
    lines: dict[str, int] = {}
    try:
        value = _read_document(_check_events(text, name, loader), name, lines)
    except yaml.MarkedYAMLError as error:
        if error.context == "while scanning a quoted scalar" and error.context_mark:
            raise RequestError(
                f"{name}:{error.context_mark.line + 1}: opens a quote that is not closed. Close it."
            ) from None
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        problem = error.problem or "cannot be read"
        remedy = (
            "Indent with spaces, not with tabs"
            if error.problem_mark and text[error.problem_mark.index :].startswith("\t")
            else "Correct the line; put text that holds any of ? : , # ' [ ] { } in double quotes"
        )
        raise RequestError(f"{name}:{line}: is not YAML: {problem}. {remedy}.") from None
    except (yaml.YAMLError, ValueError, OverflowError):
        # The last two come from an escape, such as "\UFFFFFFFF", that is not a character.
        raise RequestError(
            f"{name}: is not YAML: it holds a character YAML does not allow. Remove it."
        ) from None
    if value is None:
        raise RequestError(
            f"{name}: is empty. Fill it in, or copy an example from docs/request-file.md."
        )
    return YamlDocument(name=name, value=value, lines=lines)


def _check_events(text: str, name: str, loader: Any) -> Iterator[yaml.Event]:
    """The parts of a document, each checked before it is used."""
    depth = values = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise RequestError(
                f"{name}:{_line(event)}: has an anchor or alias. Write the value out."
            )
        if getattr(event, "tag", None):
            raise RequestError(
                f"{name}:{_line(event)}: has a YAML tag. Write the value without it."
            )
        values += isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent)
        if values > MAX_YAML_VALUES:
            raise RequestError(
                f"{name}:{_line(event)}: has more than {MAX_YAML_VALUES:,} values before this "
                "line, the most that are read. Check that it is the right file."
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_YAML_DEPTH:
            raise RequestError(
                f"{name}:{_line(event)}: is nested too deeply. Check that it is the right file."
            )
        yield event


def _read_document(events: Iterator[yaml.Event], name: str, lines: dict[str, int]) -> Any:
    """The value of the one document, None if there is none."""
    value = None
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            value = _read_value(event, events, "$", name, lines)
        elif isinstance(event, yaml.DocumentStartEvent) and value is not None:
            raise RequestError(
                f"{name}:{_line(event)}: begins a second document. Keep one in a file."
            )
    return value


def _read_value(
    event: yaml.Event, events: Iterator[yaml.Event], path: str, name: str, lines: dict[str, int]
) -> Any:
    lines.setdefault(path, _line(event))
    if isinstance(event, yaml.ScalarEvent):
        _reject_surrogates(event, name)
        return event.value
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Any] = []
        for item in _until(yaml.SequenceEndEvent, events):
            items.append(_read_value(item, events, f"{path}[{len(items)}]", name, lines))
        return items
    mapping: dict[str, Any] = {}
    for key in _until(yaml.MappingEndEvent, events):
        if not isinstance(key, yaml.ScalarEvent):
            raise RequestError(f"{name}:{_line(key)}: a key must be a plain word.")
        _reject_surrogates(key, name)
        if key.value in mapping:
            raise RequestError(f'{name}:{_line(key)}: gives "{key.value}" twice. Remove one.')
        lines[f"{path}.{key.value}"] = _line(key)
        value = next(events)
        mapping[key.value] = _read_value(value, events, f"{path}.{key.value}", name, lines)
    return mapping


def _until(end: type[yaml.Event], events: Iterator[yaml.Event]) -> Iterator[yaml.Event]:
    """The first event of each value up to the end of the list or mapping around them."""
    return iter(lambda: None if isinstance(event := next(events), end) else event, None)


def _line(event: yaml.Event) -> int:
    return int(event.start_mark.line) + 1 if event.start_mark else 1


def _reject_surrogates(event: yaml.ScalarEvent, name: str) -> None:
    """Refuse the one kind of character that an escape can write and that UTF-8 cannot."""
    if has_surrogate(event.value):
        raise RequestError(
            f"{name}:{_line(event)}: contains half a character (an unpaired surrogate). Remove it."
        )
