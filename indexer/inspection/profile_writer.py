"""Write a proposal into foidex.toml: a comment for each line, and DECIDE for what is not proved.

What a person wrote stays: a key that is there and decided is not touched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from glob import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

import tomlkit
from tomlkit.items import Comment, InlineTable, Null, Table
from tomlkit.toml_document import TOMLDocument

from indexer.config.profile import UNDECIDED
from indexer.errors import ConfigurationError, OutputError, SourceError
from indexer.files import read_file, replace_file
from indexer.inspection.field_rules import describe_damage
from indexer.inspection.inspect_files import InspectedTable, Inspection
from indexer.sources.profile.values import fold_value
from indexer.sources.tables.spreadsheet import SPREADSHEET_ENDINGS
from indexer.terminal import escape_line

#: How the comment above a key begins that asks for its value, and what it becomes when that is
#: there.
_QUESTION: Final = f"# {UNDECIDED}: "

_ANSWERED: Final = "# decided: "


class WrittenProfile(NamedTuple):
    """The keys that were added, whether any key of [source] still says DECIDE, and which fields
    and keys of the profile do."""

    added: list[str]
    is_undecided: bool
    undecided: frozenset[str] = frozenset()


class _Section:
    """A table of the document; adds what is not there yet, each with its comment."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.added: list[str] = []

    def add(self, key: str, value: Any, *comments: str) -> None:
        """Set a key that is missing or undecided. Comments go on lines of their own above it."""
        current = self.table.get(key)
        if current is not None and not _has_undecided(current):
            return
        lines = [line for comment in comments for line in _wrap_comment(comment)]
        if current is not None:
            self.table[key] = _make_item(value)
            _replace_questions(self.table, key, lines)
            return
        for line in lines:
            self.table.add(tomlkit.comment(line))
        self.table.add(key, _make_item(value))
        self.added.append(key)


def write_profile(file: Path, inspection: Inspection, chosen: InspectedTable) -> WrittenProfile:
    """Write the profile of a table into a foidex.toml, which may be missing. Raises
    ConfigurationError for a file that is not TOML, OutputError where it cannot be written."""
    document = _read_document(file)
    source = _Section(_get_table(document, "source"))
    paths = list(dict.fromkeys(table.path for table in inspection.records))
    folder = file.resolve().parent
    source.add(
        "paths",
        [_relative_name(path, folder) for path in paths],
        "the files; a pattern such as extract/*.csv takes next month's, too",
    )
    _add_repair(source, chosen)
    profile = _Section(_get_table(source.table, "profile"))
    _add_layout(profile, inspection, chosen)
    _add_conditions(profile, chosen)
    fields = _Section(_get_table(profile.table, "fields"))
    _add_fields(fields, chosen)
    columns = _Section(_get_table(profile.table, "columns"))
    _add_columns(columns, chosen)
    _mark_answered(source.table)
    try:
        replace_file(file, tomlkit.dumps(document).encode())
    except OSError as error:
        raise OutputError(
            f"{file}: cannot be written ({error.strerror}). Check its permissions."
        ) from None
    added = [
        *source.added,
        *profile.added,
        *(f"fields.{key}" for key in fields.added),
        *(f"columns.{key}" for key in columns.added),
    ]
    content = source.table.unwrap()
    return WrittenProfile(
        added, _has_undecided(content), frozenset(_list_undecided(content["profile"]))
    )


def _list_undecided(profile: dict[str, Any]) -> Iterator[str]:
    """The fields and the keys of the layout for which something is to be decided."""
    keys = ("encoding", "delimiter", "after_blank_rows", "ignore")
    yield from (key for key in keys if _has_undecided(profile.get(key)))
    if _has_undecided(profile.get("continuation")):
        yield "continuation.join"
    yield from (field for field, rule in profile["fields"].items() if _has_undecided(rule))


def _read_document(file: Path) -> TOMLDocument:
    try:
        return tomlkit.parse(read_file(file).decode())
    except FileNotFoundError:
        return tomlkit.parse("")
    except OSError as error:
        raise ConfigurationError(
            f"{file}: cannot be read ({error.strerror}). Check its permissions."
        ) from None
    except (tomlkit.exceptions.ParseError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: is not TOML: {error}. Correct the line.") from None


def _get_table(parent: Any, name: str) -> Table:
    if name not in parent:
        parent.add(name, tomlkit.table())
    table = parent[name]
    if not isinstance(table, Table):
        raise ConfigurationError(
            f"foidex.toml: [source] has {name} as one line. Write it as a table of its own: "
            f"[source.{name}]"
        )
    return table


def _relative_name(path: Path, folder: Path) -> str:
    """The name of a file for [source], in which *, ? and [ stand for themselves."""
    relative = os.path.relpath(path.resolve(), folder)
    name = str(path.resolve()) if relative.startswith("..") else Path(relative).as_posix()
    try:
        name.encode()
    except UnicodeEncodeError:
        raise SourceError(
            f"{path}: the name is not UTF-8, so foidex.toml cannot hold it. Rename the file."
        ) from None
    return escape(name)


def _add_repair(source: _Section, chosen: InspectedTable) -> None:
    facts = chosen.facts
    assert facts
    used = {name for rule in chosen.proposal.rules.values() for name in rule.columns}
    texts = [column for column in facts.columns if column.name in used or column.is_long_text]
    damage = describe_damage(texts)
    if "replacement" in damage:
        del damage["replacement"]
    if damage:
        listing = ", ".join(f"{kind} in {count:,} texts" for kind, count in damage.items())
        source.add(
            "repair", list(damage), f"damage found: {listing}. What is not named stays as it is"
        )


def _add_layout(profile: _Section, inspection: Inspection, chosen: InspectedTable) -> None:
    facts, table = chosen.facts, chosen.table
    assert facts
    if not table.keyed:
        if table.encoding:
            word = "tab" if table.delimiter == "\t" else table.delimiter or UNDECIDED
            values = {"encoding": table.encoding, "delimiter": word}
            for (key, value), evidence in zip(values.items(), table.evidence, strict=True):
                question = chosen.layout_questions.get(key)
                profile.add(key, value, f"DECIDE: {question}" if question else evidence)
        profile.add("header_row", facts.header_row, "the row with the names of the columns")
    if chosen.path.name.lower().endswith(SPREADSHEET_ENDINGS):
        _add_sheets(profile, inspection)
    if chosen.unit != "record":
        profile.add(
            "one_row_per",
            chosen.unit,
            f"{facts.rows:,} rows; rows of one reference become one record",
        )
    if facts.null_words:
        profile.add("no_value", sorted(facts.null_words), facts.describe_null_words())
    _add_ignored(profile, chosen)
    if facts.totals:
        rules = [
            {"column": column, "like": f"{word}*"}
            for column, words in facts.totals.items()
            for word in sorted(words)
        ]
        profile.add("skip", rules, f"rows of totals: {facts.total_rows:,}")


def _add_ignored(profile: _Section, chosen: InspectedTable) -> None:
    """What is not read: the rows of another table below, and columns."""
    proposal, questions = chosen.proposal, chosen.layout_questions
    if "after_blank_rows" in questions:
        profile.add("after_blank_rows", UNDECIDED, f"DECIDE: {questions['after_blank_rows']}")
    if proposal.ignored or proposal.empty or proposal.detached:
        names = [escape(name) for name in proposal.ignored]
        comments = ["columns that are left out; no field fits them"]
        if "ignore" in questions:
            names.append(UNDECIDED)
            comments.append(f"DECIDE: {questions['ignore']}")
        profile.add("ignore", names, *comments)


def _add_sheets(profile: _Section, inspection: Inspection) -> None:
    records = {table.table.name for table in inspection.records}
    others = [
        table.table.name
        for table in inspection.tables
        if table.table.name not in records and table.facts is not None
    ]
    profile.add(
        "sheets",
        sorted(map(escape, records)),
        "the sheets of records; patterns such as 20* are allowed",
    )
    if others:
        profile.add("ignore_sheets", list(map(escape, others)), "sheets that hold no records")


def _add_conditions(profile: _Section, chosen: InspectedTable) -> None:
    if chosen.continuation:
        column, count = chosen.continuation
        continuation = _Section(_get_table(profile.table, "continuation"))
        continuation.add("column", column, f"{count:,} rows have text in this column alone")
        continuation.add(
            "join", UNDECIDED, f"DECIDE: {chosen.layout_questions['continuation.join']}"
        )
    if chosen.proposal.where:
        where = _Section(_get_table(profile.table, "where"))
        for name, (column, values) in chosen.proposal.where.items():
            comment = f"only these are {name}; others are left out and counted"
            if UNDECIDED in values:
                comment = f"DECIDE: which of its values say that somebody is one of the {name}"
            where.add(name, {"column": column, "values": values}, comment)


def _add_fields(fields: _Section, chosen: InspectedTable) -> None:
    for name, proposal in chosen.proposal.rules.items():
        comments = [f"DECIDE: {question}" for question in proposal.questions]
        is_repeated = any(question.startswith(proposal.reason) for question in proposal.questions)
        reasons = [proposal.reason] if proposal.reason and not is_repeated else []
        rule = _keep_values(fields, name, proposal.rule)
        if rule is not None:
            fields.add(name, rule, *reasons, *comments)
        elif _has_undecided(fields.table[name]):
            lines = [line for comment in comments for line in _wrap_comment(comment)]
            _replace_questions(fields.table, name, lines)


def _keep_values(fields: _Section, name: str, rule: dict[str, Any]) -> dict[str, Any] | None:
    """A rule with the values that a person decided in the map of the field; None if the map was
    decided whole, and only took the values that it did not have, such as a new status."""
    current = fields.table.get(name)
    written = current.get("values") if isinstance(current, dict) else None
    if "values" not in rule or not isinstance(written, dict):
        return rule
    decided = {fold_value(key): value for key, value in written.items() if value != UNDECIDED}
    if _has_undecided(current):
        values = {key: decided.get(fold_value(key), value) for key, value in rule["values"].items()}
        return {**rule, "values": values}
    for value, meaning in rule["values"].items():
        if fold_value(value) not in decided:
            written[value] = meaning
            fields.added.append(f"{name}.values")
    return None


def _add_columns(columns: _Section, chosen: InspectedTable) -> None:
    facts = chosen.facts
    assert facts
    columns_are_new = not columns.table
    for column in facts.columns:
        comment = (
            "what next month's file must have, too, but for what is ignored"
            if columns_are_new
            else ""
        )
        columns.add(column.name, column.type, *([comment] if columns_are_new else []))
        columns_are_new = False


def _find_comments(table: Table, key: str) -> list[int]:
    """Where the lines of comments stand that are directly above a key, from the top."""
    body = table.value.body
    names = [name.key if name else None for name, _ in body]
    position = end = names.index(key)
    while position and isinstance(body[position - 1][1], Comment):
        position -= 1
    return list(range(position, end))


def _replace_questions(table: Table, key: str, lines: list[str]) -> None:
    """Put other lines where the questions above a key are, or else below its comments; a line that
    is there already is not repeated."""
    body = table.value.body
    positions = _find_comments(table, key)
    texts = [body[position][1].trivia.comment for position in positions]
    starts = (_QUESTION, _ANSWERED)
    count = next((n for n, text in enumerate(texts) if text.startswith(starts)), len(texts))
    additions = [text for line in lines if (text := f"# {line}") not in texts[:count]]
    for position in positions[count:]:
        body[position] = (None, Null())
    if additions and positions:  # one item has all lines, so that no position changes
        comment = tomlkit.comment("")
        comment.trivia.comment = "\n".join([*texts[max(count - 1, 0) : count], *additions])
        body[positions[max(count - 1, 0)]] = (None, comment)


def _mark_answered(table: Table) -> None:
    """Let no comment ask for a value that is there."""
    for key, item in table.items():
        if isinstance(item, Table):
            _mark_answered(item)
        elif not _has_undecided(item):
            for position in _find_comments(table, key):
                trivia = table.value.body[position][1].trivia
                if trivia.comment.startswith(_QUESTION):
                    trivia.comment = _ANSWERED + trivia.comment.removeprefix(_QUESTION)


def _make_item(value: Any) -> Any:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        item: InlineTable = tomlkit.inline_table()
        for key, inner in value.items():
            item.append(key, _make_item(inner))
        return item
    if isinstance(value, list):
        array = tomlkit.array()
        for inner in value:
            array.append(_make_item(inner))
        return array
    return value


def _has_undecided(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_has_undecided, value.values()))
    if isinstance(value, list):
        return any(map(_has_undecided, value))
    return bool(value == UNDECIDED)


def _wrap_comment(text: str) -> Iterable[str]:
    import textwrap

    return textwrap.wrap(escape_line(text), 96, break_long_words=False)
