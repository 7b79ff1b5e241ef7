"""Map the cells of a row to the fields of a record, as the profile says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct

from indexer.config.field_map import NESTED_FIELDS
from indexer.config.profile import FieldRule, SourceProfile
from indexer.records.categories import Categories
from indexer.sources.profile.values import (
    RANGE_NOTE,
    Converter,
    ValueFaultError,
    fold_value,
    is_empty,
    make_converter,
)

_CACHE_LIMIT: Final = 20_000

_CACHED_LENGTH: Final = 60

NOT_IN_LIST_NOTE: Final = "people or links that do not meet a condition of where are left out"


class MappedRow(Struct, gc=False):
    """The fields of a row. ``error`` says why it has no certain meaning; ``notes`` are what is
    counted about it."""

    values: dict[str, Any]
    error: str | None = None
    error_kind: str = ""
    notes: tuple[str, ...] = ()


class RowMapper:
    """Maps the rows of one table. ``header`` has the names of its columns."""

    def __init__(
        self, profile: SourceProfile, header: Sequence[str], categories: Categories
    ) -> None:
        """Raises ConfigurationError for dates of a form that cannot be read."""
        index = {name: number for number, name in enumerate(header)}
        self._plain: list[tuple[str, Callable[[list[Any]], Any]]] = []
        lists: dict[str, list[tuple[str, Callable[[list[Any]], Any], tuple[int, ...]]]] = {}
        for name, rule in profile.rules.items():
            outer, _, inner = name.rpartition(".")
            columns = tuple(index[column] for column in rule.names)
            reader = _make_reader(name, rule, columns, categories)
            if outer:
                lists.setdefault(outer, []).append((inner, reader, columns))
            else:
                self._plain.append((name, reader))
        self._lists = [
            _ListMapper(name, readers, _make_condition(profile, name, index))
            for name, readers in lists.items()
        ]

    def map_row(self, cells: list[Any]) -> MappedRow:
        """The fields of a row; those that it has no value for are left out."""
        values: dict[str, Any] = {}
        row = MappedRow(values)
        try:
            for name, read in self._plain:
                value = read(cells)
                if value is not None or name in ("crime_ref", "recorded_on", "offence_code"):
                    values[name] = value
            for mapper in self._lists:
                entries = mapper.map_entries(cells, row)
                if entries:
                    values[mapper.name] = entries
        except ValueFaultError as fault:
            row.error, row.error_kind = str(fault), fault.kind
        return row


class _ListMapper:
    """Maps the columns of one list of a record, such as victims: one entry, or one for each element
    of lists in step."""

    def __init__(
        self,
        name: str,
        readers: list[tuple[str, Callable[[list[Any]], Any], tuple[int, ...]]],
        condition: Callable[[list[Any]], Any] | None,
    ) -> None:
        self.name = name
        self._readers = readers
        self._columns = tuple({index for _, _, columns in readers for index in columns})
        self._condition = condition

    def map_entries(self, cells: list[Any], row: MappedRow) -> list[dict[str, Any]]:
        """The entries of a row, without those that the condition leaves out."""
        if all(is_empty(cells[index]) for index in self._columns):
            return []
        columns = [(inner, read(cells)) for inner, read, _ in self._readers]
        length = max([len(value) for _, value in columns if isinstance(value, list)], default=1)
        kept = self._condition(cells) if self._condition else True
        if any(isinstance(value, list) and len(value) != length for _, value in columns):
            raise ValueFaultError(
                f'the columns of "{self.name}" hold different numbers of values. Correct the row.',
                f'the columns of "{self.name}" hold different numbers of values',
            )
        keeps = kept if isinstance(kept, list) else [kept] * length
        entries = []
        for number in range(length):
            if not keeps[number]:
                row.notes = (*row.notes, NOT_IN_LIST_NOTE)
                continue
            entry = {}
            for inner, value in columns:
                item = value[number] if isinstance(value, list) else value
                if item is RANGE_NOTE:
                    row.notes = (*row.notes, RANGE_NOTE)
                elif item is not None:
                    entry[inner] = item
            entries.append(entry)
        return entries


def _make_condition(
    profile: SourceProfile, name: str, index: dict[str, int]
) -> Callable[[list[Any]], Any] | None:
    rule = profile.where.get(name)
    if rule is None:
        return None
    column = index[rule.column]
    allowed = {fold_value(value) for value in rule.values}

    def check(cells: list[Any]) -> Any:
        value = cells[column]
        if isinstance(value, list):
            return [fold_value(item) in allowed for item in value]
        return fold_value(value) in allowed

    return check


def _make_reader(
    name: str, rule: FieldRule, columns: tuple[int, ...], categories: Categories
) -> Callable[[list[Any]], Any]:
    if rule.constant is not None:
        return lambda _: rule.constant
    converters = [make_converter(name, column, rule, categories.get(name)) for column in rule.names]
    if name == "narrative":
        return _make_entries_reader(columns, converters)
    if len(columns) == 2:
        return _make_code_reader(columns, converters)
    convert = converters[0] if name == "updated_at" else remember_values(converters[0])
    (column,) = columns
    if rule.split is not None:
        return _make_split_reader(column, convert, rule.split)
    if name in NESTED_FIELDS or "." in name:
        return lambda cells: _convert_each(cells[column], convert)
    return lambda cells: convert(cells[column])


def remember_values(convert: Converter) -> Converter:
    """The converter with a memory: a column of dates or codes has few different texts."""
    memory: dict[str, Any] = {}

    def look_up(value: Any) -> Any:
        if type(value) is not str:
            return convert(value)
        try:
            return memory[value]
        except KeyError:
            converted = convert(value)
            if len(memory) < _CACHE_LIMIT and len(value) <= _CACHED_LENGTH:
                memory[value] = converted
            return converted

    return look_up


def _convert_each(value: Any, convert: Converter) -> Any:
    return [convert(item) for item in value] if isinstance(value, list) else convert(value)


def _make_entries_reader(
    columns: tuple[int, ...], converters: list[Converter]
) -> Callable[[list[Any]], Any]:
    if len(columns) == 1 and columns:
        column, convert = columns[0], converters[0]

        def read_one(cells: list[Any]) -> Any:
            value = convert(cells[column])
            if isinstance(value, list):
                return [convert(item) for item in value]
            return value

        return read_one

    def read_all(cells: list[Any]) -> Any:
        entries = []
        for column, convert in zip(columns, converters, strict=True):
            value = convert(cells[column])
            entries += [convert(item) for item in value] if isinstance(value, list) else [value]
        return entries

    return read_all


def _make_code_reader(
    columns: tuple[int, ...], converters: list[Converter]
) -> Callable[[list[Any]], Any]:
    """The class, and the sub-code where there is one: 86 and 02 are 86/02."""
    (class_column, sub_column), (convert_class, convert_sub) = columns, converters

    def read(cells: list[Any]) -> Any:
        class_code, sub_code = convert_class(cells[class_column]), convert_sub(cells[sub_column])
        if class_code is None or sub_code is None:
            return class_code
        return f"{class_code}/{sub_code}"

    return read


def _make_split_reader(
    column: int, convert: Converter, separator: str
) -> Callable[[list[Any]], Any]:
    def read(cells: list[Any]) -> Any:
        value = cells[column]
        parts = value.split(separator) if isinstance(value, str) else [value]
        return [convert(part) for part in parts if not is_empty(part)]

    return read
