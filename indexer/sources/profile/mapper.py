"""Map the cells of a row to the fields of a record, as the profile says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, TypeAlias

from msgspec import Struct

from indexer.config.field_map import NESTED_FIELDS
from indexer.config.profile import FieldRule, ListCondition, SourceProfile
from indexer.records.categories import Categories
from indexer.records.model import PERSON_REFERENCES
from indexer.sources.profile.values import (
    RANGE_NOTE,
    Converter,
    ValueFaultError,
    find_total_word,
    fold_value,
    is_empty,
    join_age,
    make_converter,
)

_CACHE_LIMIT: Final = 20_000

_CACHED_LENGTH: Final = 60

#: Of these types, two values are equal only if they are the same; 1 is True, and 1.0.
_CACHED_TYPES: Final = frozenset({str, int})

_REQUIRED_FIELDS: Final = frozenset({"crime_ref", "recorded_on", "offence_code"})

NOT_IN_LIST_NOTE: Final = "people or links that do not meet a condition of where are left out"

EMPTY_STATUS_NOTE: Final = 'a status that is empty, or "" in the map, counts as '

#: Reads the value of a field from the cells of a row.
_Reader: TypeAlias = Callable[[Sequence[Any]], Any]


class MappedRow(Struct, gc=False):
    """The fields of a row. ``error`` says why it has no certain meaning; ``notes`` are what is
    counted about it."""

    values: dict[str, Any]
    error: str | None = None
    error_kind: str = ""
    notes: tuple[str, ...] = ()


#: A field: its name, whether each record has it, its column and what reads text there, if it is of
#: one column, and its reader.
_Field: TypeAlias = tuple[str, bool, int, Converter | None, _Reader]


class RowMapper:
    """Maps the rows of one table. ``header`` has the names of its columns."""

    def __init__(
        self, profile: SourceProfile, header: Sequence[str], categories: Categories
    ) -> None:
        """Raises ConfigurationError for dates of a form that cannot be read."""
        places = {name: number for number, name in enumerate(header)}
        self._fields: list[_Field] = []
        lists: dict[str, dict[str, FieldRule]] = {}
        for name, rule in profile.rules.items():
            outer, _, inner = name.rpartition(".")
            if outer:
                lists.setdefault(outer, {})[inner] = rule
            else:
                read = _make_reader(name, rule, places, categories)
                column, read_text = 0, None
                if isinstance(read, _ColumnReader):
                    column, read_text = read.column, read.read_text
                self._fields.append((name, name in _REQUIRED_FIELDS, column, read_text, read))
        self._lists = [
            _ListMapper(name, rules, profile.where.get(name), places)
            for name, rules in lists.items()
        ]

        self._header = header
        status = profile.rules.get("status")
        self._status_column = places[status.column] if status and status.column else None
        self._maps_empty_status = status is not None and any(map(is_empty, status.values))

    def map_row(self, cells: list[Any]) -> MappedRow:
        """The fields of a row; those that it has no value for are left out."""
        values: dict[str, Any] = {}
        row = MappedRow(values)
        try:
            for name, is_required, column, read_text, read in self._fields:
                if read_text is not None and type(cell := cells[column]) is str:
                    value = read_text(cell)
                else:
                    value = read(cells)
                if value is not None:
                    values[name] = value
                elif is_required:
                    values[name] = None
                    self._refuse_total(cells)
            for mapper in self._lists:
                entries, notes = mapper.map_entries(cells)
                if entries:
                    values[mapper.name] = entries
                if notes:
                    row.notes += notes
            if self._status_column is not None and (
                "status" not in values
                or (self._maps_empty_status and is_empty(cells[self._status_column]))
            ):
                row.notes += (f"{EMPTY_STATUS_NOTE}{values.get('status') or 'recorded'}",)
        except ValueFaultError as fault:
            row.error, row.error_kind = str(fault), fault.kind
        return row

    def _refuse_total(self, cells: Sequence[Any]) -> None:
        """Raise ValueFaultError for a row without a required value that counts others."""
        filled = [number for number, cell in enumerate(cells) if not is_empty(cell)]
        if word := find_total_word(cells, filled):
            column = self._header[filled[0]]
            raise ValueFaultError(
                f'counts other rows: "{column}" begins with {word}. Add {{column = "{column}", '
                f'like = "{word}*"}} to skip in [source.profile]; foidex inspect --write does so.',
                "counts other rows",
            )


#: Entries of a list, and what is counted about them.
_Entries: TypeAlias = tuple[list[dict[str, Any]], tuple[str, ...]]


class _ListMapper:
    """Maps the columns of one list of a record, such as victims: one entry, or one for each element
    of lists in step."""

    def __init__(
        self,
        name: str,
        rules: dict[str, FieldRule],
        condition: ListCondition | None,
        places: dict[str, int],
    ) -> None:
        self.name = name
        columns = dict.fromkeys(
            column
            for inner, rule in rules.items()
            for column in (rule.names[:1] if inner == "age" else rule.names)
        )
        self._entry_width = len(columns)
        # The unit of an age alone is nobody.
        columns |= dict.fromkeys(column for rule in rules.values() for column in rule.names)
        self._is_kept = None
        if condition:
            columns.setdefault(condition.column)
            self._is_kept = _make_condition(condition, list(columns).index(condition.column))
        own_places = {column: number for number, column in enumerate(columns)}
        self._choose = _make_choice([places[column] for column in columns])
        self._names = list(rules)
        self._readers = [
            _make_reader(f"{name}.{inner}", rule, own_places, {}) for inner, rule in rules.items()
        ]
        # Without a reference, rows have few different ages, sexes and codes.
        is_repeated = rules.keys().isdisjoint(("crime_ref", *PERSON_REFERENCES))
        self._memory = _Memory(self._make_entries) if is_repeated else None

    def map_entries(self, cells: list[Any]) -> _Entries:
        """The entries of a row, without those that the condition leaves out, and its notes. What
        is equal in two rows may be the same list."""
        own_cells = self._choose(cells)
        if self._memory is None:
            return self._make_entries(own_cells)
        for cell in own_cells:
            if type(cell) is not str and type(cell) is not int:
                return self._make_entries(own_cells)
        entries: _Entries = self._memory[own_cells]
        return entries

    def _make_entries(self, cells: Sequence[Any]) -> _Entries:
        if all(map(is_empty, cells[: self._entry_width])):
            return [], ()
        columns = [read(cells) for read in self._readers]
        rows = self._split_columns(columns) if list in map(type, columns) else [columns]
        row_is_kept = self._is_kept(cells) if self._is_kept else True
        entries: list[dict[str, Any]] = []
        notes: list[str] = []
        for number, values in enumerate(rows):
            if not (row_is_kept[number] if type(row_is_kept) is list else row_is_kept):
                notes.append(NOT_IN_LIST_NOTE)
                continue
            items = zip(self._names, values, strict=True)
            notes += [RANGE_NOTE for value in values if value is RANGE_NOTE]
            entries.append(
                {name: value for name, value in items if value not in (None, RANGE_NOTE)}
            )
        return entries, tuple(notes)

    def _split_columns(self, columns: list[Any]) -> list[Sequence[Any]]:
        """The values of each entry; what is no list belongs to all of them."""
        lengths = {len(value) for value in columns if type(value) is list}
        if len(lengths) > 1:
            raise ValueFaultError(
                f'the columns of "{self.name}" hold different numbers of values. Correct the row.',
                f'the columns of "{self.name}" hold different numbers of values',
            )
        lists = [value if type(value) is list else [value] * max(lengths) for value in columns]
        return list(zip(*lists, strict=True))


def _make_choice(columns: list[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """What takes the cells of some columns from a row."""
    if len(columns) == 1:
        (column,) = columns
        return lambda cells: (cells[column],)
    return itemgetter(*columns) if columns else lambda _: ()


def _make_condition(condition: ListCondition, place: int) -> _Reader:
    allowed = {fold_value(value) for value in condition.values}

    def check(cells: Sequence[Any]) -> Any:
        value = cells[place]
        if isinstance(value, list):
            return [fold_value(item) in allowed for item in value]
        return fold_value(value) in allowed

    return check


def _make_reader(
    name: str, rule: FieldRule, places: dict[str, int], categories: Categories
) -> _Reader:
    if rule.constant is not None:
        return lambda _: rule.constant
    columns = tuple(places[column] for column in rule.names)
    converters = [make_converter(name, column, rule, categories.get(name)) for column in rule.names]
    if name == "narrative" and len(columns) > 1:
        return _make_entries_reader(columns, converters)
    if len(columns) == 2 and name.endswith(".age"):
        return _make_age_reader(columns, converters[0], frozenset(map(fold_value, rule.values)))
    if len(columns) == 2:
        return _make_code_reader(columns, converters)
    (column,), (convert,) = columns, converters
    if rule.split is not None:
        return _make_split_reader(column, convert, rule.split)
    is_list = name in NESTED_FIELDS or "." in name or name == "narrative"
    is_repeated = name not in ("crime_ref", "updated_at", "narrative")
    return _ColumnReader(column, convert, is_list=is_list, is_repeated=is_repeated)


class _ColumnReader:
    """Reads one column; with a memory if it repeats its values, as one of dates or codes.

    ``read_text`` reads a cell that is text.
    """

    def __init__(
        self, column: int, convert: Converter, *, is_list: bool, is_repeated: bool
    ) -> None:
        self.column = column
        self._convert = convert
        self._is_list = is_list
        self._memory = _Memory(convert) if is_repeated else None
        self.read_text: Converter = convert if self._memory is None else self._memory.__getitem__

    def __call__(self, cells: Sequence[Any]) -> Any:
        value = cells[self.column]
        if self._memory is not None and type(value) in _CACHED_TYPES:
            return self._memory[value]
        if self._is_list and type(value) is list:
            return [self._convert(item) for item in value]
        return self._convert(value)


class _Memory(dict[Any, Any]):
    """What values were converted to; each is converted when it is first looked up."""

    def __init__(self, convert: Converter) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, value: Any) -> Any:
        converted = self._convert(value)
        if len(self) < _CACHE_LIMIT and len(str(value)) <= _CACHED_LENGTH:
            self[value] = converted
        return converted


def _make_entries_reader(columns: tuple[int, ...], converters: list[Converter]) -> _Reader:
    def read(cells: Sequence[Any]) -> Any:
        entries = []
        for column, convert in zip(columns, converters, strict=True):
            value = convert(cells[column])
            entries += [convert(item) for item in value] if isinstance(value, list) else [value]
        return entries

    return read


def _make_code_reader(columns: tuple[int, ...], converters: list[Converter]) -> _Reader:
    """The class, and the sub-code where there is one: 86 and 02 are 86/02."""
    (class_column, sub_column), (convert_class, convert_sub) = columns, converters

    def read(cells: Sequence[Any]) -> Any:
        class_code, sub_code = convert_class(cells[class_column]), convert_sub(cells[sub_column])
        if class_code is None or sub_code is None:
            return class_code
        return f"{class_code}/{sub_code}"

    return read


def _make_age_reader(
    columns: tuple[int, ...], convert: Converter, mapped: frozenset[str]
) -> _Reader:
    """The age in the unit beside it; a value that the profile maps has none."""
    age_column, unit_column = columns

    def read_age(value: Any, unit: Any) -> Any:
        return convert(value if fold_value(value) in mapped else join_age(value, unit))

    def read(cells: Sequence[Any]) -> Any:
        value, unit = cells[age_column], cells[unit_column]
        if type(value) is not list:
            return read_age(value, unit)
        units = unit if type(unit) is list else [unit] * len(value)
        if len(units) != len(value):
            raise ValueFaultError(
                "the ages and their units are different numbers of values. Correct the row.",
                "the ages and their units are different numbers of values",
            )
        return list(map(read_age, value, units))

    return read


def _make_split_reader(column: int, convert: Converter, separator: str) -> _Reader:
    def read(cells: Sequence[Any]) -> Any:
        value = cells[column]
        parts = value.split(separator) if isinstance(value, str) else [value]
        return [convert(part) for part in parts if not is_empty(part)]

    return read
