"""The profile of a source: how the columns of a force's own files become the fields of a record.

It is [source.profile] of foidex.toml. A person writes it once, or ``foidex inspect --write`` does,
and it runs every month. What nobody has decided yet is written as DECIDE.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Meta, Struct

from indexer.config.field_map import NESTED_FIELDS, list_target_fields
from indexer.errors import ConfigurationError
from indexer.records.categories import Categories
from indexer.records.model import DELETED, PERSON_REFERENCES, RecordStatus, Sex
from indexer.suggestions import suggest_name

#: The value of a setting that a person still has to decide.
UNDECIDED: Final = "DECIDE"

ColumnType = Literal["text", "number", "date", "empty", "any"]

RowUnit = Literal["record", "victim", "suspect", "link", "entry"]

EncodingName = Literal["utf-8", "utf-16", "windows-1252", "DECIDE"]

Digits = Annotated[int, Meta(ge=0, le=40)]

#: Where the day of a time with a time zone is read, unless the profile says where.
DEFAULT_TIME_ZONE: Final = "Europe/London"

#: The list of a record that each unit of a row fills.
LIST_OF_UNIT: Final = {
    "victim": "victims", "suspect": "suspects", "link": "linked", "entry": "narrative",
}  # fmt: skip


#: The values of the fields that have few.
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "status": (*get_args(RecordStatus), DELETED),
    "sex": get_args(Sex),
}


class FieldRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How one field of a record is read.

    From one ``column``, several ``columns``, or a ``constant``. ``values`` maps what the source
    writes, without regard to case, to the field's value; "" stands for no value. ``dates`` are the
    forms of its dates, ``time_zone`` where the day of a time with a time zone is read (if left out,
    Europe/London). ``titled`` says that a code is followed by its title. ``digits`` is the
    number of digits of a reference that a spreadsheet holds as a number, ``decimals`` the number of
    digits after the point of such a code. ``split`` separates several references in one cell.
    ``ranges`` says whether an age such as 10-14 counts as unknown, ``unit`` what the numbers of a
    column of ages are; of two columns of an age, the second has the unit.
    """

    column: str | None = None
    columns: tuple[str, ...] = ()
    constant: str | int | None = None
    values: dict[str, str | int] = {}
    dates: tuple[str, ...] = ()
    time_zone: str | None = None
    titled: bool = False
    digits: Digits | Literal["DECIDE"] | None = None
    decimals: Digits | Literal["DECIDE"] | None = None
    split: str | None = None
    ranges: Literal["unknown", "reject", "DECIDE"] = "reject"
    unit: Literal["years", "months", "weeks", "days", "DECIDE"] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it reads, in order."""
        return (self.column,) if self.column is not None else self.columns


class ContinuationRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A row with text in this column alone continues the row before it; ``join`` says how."""

    column: str
    join: Literal["space", "line", "entry", "DECIDE"]


class SkipRule(Struct, frozen=True, forbid_unknown_fields=True):
    """A row is skipped if its column is like a pattern (``*`` and ``?``, without regard to case),
    or is empty."""

    column: str
    like: str | None = None
    empty: bool = False

    @property
    def text(self) -> str:
        """The rule in a few words, for counts and messages."""
        return f'"{self.column}" is empty' if self.empty else f'"{self.column}" is like {self.like}'


class ListCondition(Struct, frozen=True, forbid_unknown_fields=True):
    """An entry belongs to a list only if this column has one of these values."""

    column: str
    values: tuple[str, ...]


class SourceProfile(Struct, frozen=True, forbid_unknown_fields=True):
    """How files, or the rows of a database, are laid out and become records.

    ``encoding``, ``delimiter`` ("tab" for a tab) and ``header_row`` (from 1) are those of the
    files; ``sheets`` and ``ignore_sheets`` are patterns for the sheets of a spreadsheet.
    ``one_row_per`` says what a row is; rows of one reference become one record. ``no_value`` are
    the words that stand for no value, in any column. ``after_blank_rows`` says whether rows below
    an empty stretch are records. ``fields`` maps the fields of a record to columns, ``where`` the
    lists to a condition. ``ignore`` are patterns for columns that are left out. ``columns`` are the
    columns that the source must have, with their types, in order.
    """

    encoding: EncodingName | None = None
    delimiter: str | None = None
    header_row: Annotated[int, Meta(ge=1, le=1000)] = 1
    sheets: tuple[str, ...] = ()
    ignore_sheets: tuple[str, ...] = ()
    one_row_per: RowUnit = "record"
    continuation: ContinuationRule | None = None
    skip: tuple[SkipRule, ...] = ()
    no_value: tuple[str, ...] = ()
    after_blank_rows: Literal["read", "skip", "DECIDE"] | None = None
    ignore: tuple[str, ...] = ()
    where: dict[str, ListCondition] = {}
    fields: dict[str, str | FieldRule] = {}
    columns: dict[str, ColumnType] = {}

    @property
    def rules(self) -> dict[str, FieldRule]:
        """The rule of each field; the name of a column alone is a rule, too."""
        return {
            name: FieldRule(column=rule) if isinstance(rule, str) else rule
            for name, rule in self.fields.items()
        }

    @property
    def delimiter_character(self) -> str | None:
        """The character that separates columns; None if each file shows its own."""
        return "\t" if self.delimiter == "tab" else self.delimiter


def check_profile(profile: SourceProfile, categories: Categories) -> None:
    """Raise ConfigurationError for a profile that contradicts itself or is not decided yet."""
    if undecided := list(list_undecided(profile)):
        raise ConfigurationError(
            f"[source.profile] is not decided yet: {', '.join(undecided)}. Replace each DECIDE "
            "by its answer; the comment above it says which there are."
        )
    field_names = (*list_target_fields(), *categories)
    rules = profile.rules
    for name, rule in rules.items():
        if name not in field_names or name in NESTED_FIELDS:
            hint = suggest_name(name, field_names) or f" The fields are {', '.join(field_names)}."
            raise ConfigurationError(
                f'[source.profile.fields] has "{name}", which is not a field of a record.{hint}'
            )
        _check_rule(name, rule)
    for name in ("crime_ref", "recorded_on", "offence_code", "narrative"):
        if name not in rules:
            raise ConfigurationError(
                f'[source.profile.fields] lacks "{name}", which each record needs. Add it.'
            )
    _check_conditions(profile)
    if profile.columns:
        _check_columns(profile)


def _check_conditions(profile: SourceProfile) -> None:
    if wrong := sorted(profile.where.keys() - NESTED_FIELDS.keys()):
        raise ConfigurationError(
            f'[source.profile.where] has "{wrong[0]}", which is not a list of a record. The lists '
            f"are {', '.join(NESTED_FIELDS)}."
        )
    for skip_rule in profile.skip:
        if (skip_rule.like is None) is not skip_rule.empty:
            raise ConfigurationError(
                f'[source.profile] skip: the rule for "{skip_rule.column}" needs either like or '
                "empty = true. Give one."
            )
    if profile.delimiter is not None and len(profile.delimiter_character or "") != 1:
        raise ConfigurationError(
            '[source.profile] delimiter is not one character, or "tab". Correct it.'
        )


def _check_rule(name: str, rule: FieldRule) -> None:
    location = f"[source.profile.fields] {name}"
    origins = [rule.column is not None, bool(rule.columns), rule.constant is not None]
    if sum(origins) != 1:
        raise ConfigurationError(
            f"{location} needs exactly one of column, columns and constant. Correct it."
        )
    inner = name.rpartition(".")[2]
    allowed = {
        "dates": ("recorded_on", "updated_at"),
        "time_zone": ("recorded_on", "updated_at"),
        "titled": ("offence_code",),
        "decimals": ("offence_code",),
        "digits": ("crime_ref", *PERSON_REFERENCES),
        "split": ("crime_ref", "offence_code"),
        "columns": ("narrative", "offence_code", "age"),
        "unit": ("age",),
    }
    for key, fields in allowed.items():
        if getattr(rule, key) not in (None, False, ()) and inner not in fields:
            raise ConfigurationError(
                f"{location} has {key}, which belongs to {' and '.join(fields)} only. Remove it."
            )
    if rule.time_zone is not None and not _is_time_zone(rule.time_zone):
        raise ConfigurationError(
            f'{location} has the time_zone "{rule.time_zone[:40]}", which is not known. Write one '
            "such as Europe/London or UTC."
        )
    if rule.split is not None and (not rule.split or not name.startswith("linked.")):
        raise ConfigurationError(
            f"{location} has split, which is text that separates linked offences. Correct it."
        )
    for value in (*rule.values.values(), *([rule.constant] if rule.constant is not None else [])):
        if inner in _WORDS and value not in (*_WORDS[inner], ""):
            raise ConfigurationError(
                f'{location} maps to "{str(value)[:40]}", which is not a value of {inner}. Write '
                f'{", ".join(_WORDS[inner])}, or "" for none.'
            )
    if inner == "age" and (len(rule.columns) not in (0, 2) or (rule.columns and rule.unit)):
        raise ConfigurationError(
            f"{location} needs one column, with unit if its numbers are not years, or two columns "
            "(age and unit). Correct it."
        )
    if inner == "offence_code" and len(rule.columns) not in (0, 2):
        raise ConfigurationError(
            f"{location} needs one column, or two (class and sub-code). Correct it."
        )


def _is_time_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, ZoneInfoNotFoundError):  # a folder, a way out of it, or neither
        return False
    return True


def _check_columns(profile: SourceProfile) -> None:
    names = list_used_columns(profile)
    for name in names:
        if name not in profile.columns:
            hint = suggest_name(name, profile.columns) or (
                " Correct the name; or, if the column has a new name, write it there, too."
            )
            raise ConfigurationError(
                f'[source.profile] uses the column "{name}", which [source.profile.columns] '
                f"lacks.{hint}"
            )
    unused = [
        name
        for name, kind in profile.columns.items()
        if kind != "empty" and name not in names and not is_ignored(name, profile)
    ]
    if unused:
        raise ConfigurationError(
            f'[source.profile.columns] has "{unused[0]}", which no field reads. Name it in '
            "[source.profile.fields], or add it to ignore."
        )


def is_ignored(name: str, profile: SourceProfile) -> bool:
    """Whether a pattern of the profile leaves a column out."""
    return any(fnmatchcase(name, pattern) for pattern in profile.ignore)


def list_used_columns(profile: SourceProfile) -> list[str]:
    """The columns that the profile reads, each once, without those that it ignores."""
    names = [name for rule in profile.rules.values() for name in rule.names]
    names += [condition.column for condition in profile.where.values()]
    names += [rule.column for rule in profile.skip]
    if profile.continuation:
        names.append(profile.continuation.column)
    return list(dict.fromkeys(names))


def list_undecided(profile: SourceProfile) -> Iterator[str]:
    """The settings whose value is DECIDE, by their keys."""
    keys = ("encoding", "delimiter", "after_blank_rows", "ignore")
    yield from (key for key in keys if _is_undecided(getattr(profile, key)))
    if profile.continuation and profile.continuation.join == UNDECIDED:
        yield "continuation.join"
    for name, rule in profile.rules.items():
        for key in rule.__struct_fields__:
            if _is_undecided(getattr(rule, key)):
                yield f"fields.{name}.{key}"
    for list_name, condition in profile.where.items():
        if UNDECIDED in (condition.column, *condition.values):
            yield f"where.{list_name}"


def _is_undecided(value: object) -> bool:
    if isinstance(value, Mapping):
        return UNDECIDED in value.values()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return UNDECIDED in value
    return value == UNDECIDED
