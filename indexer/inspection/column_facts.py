"""What is known of one column after all its cells were seen, in bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from typing import Any, Final

from indexer.config.profile import ColumnType
from indexer.inspection.date_evidence import DateEvidence
from indexer.inspection.vocabulary import NULL_WORDS
from indexer.records.damage.cut_texts import CutTally, find_ends
from indexer.records.damage.detect import find_damage
from indexer.records.model import MAX_AGE
from indexer.records.offences import OffenceTable
from indexer.sources.profile.columns import MAX_DATE_LENGTH, find_cell_type, find_column_type
from indexer.sources.profile.dates import EXCEL_DAYS
from indexer.sources.profile.values import (
    TEXT_FORMULA,
    count_decimals,
    fold_value,
    is_age,
    is_age_range,
    is_destroyed_code,
    is_destroyed_number,
    is_empty,
    is_high_age,
    split_titled_code,
)

#: A column of at most so many different values, none longer, may have a value map.
MAX_VALUES: Final = 40

MAX_VALUE_LENGTH: Final = 60

_MAX_SHAPES: Final = 200

_MAX_DISTINCT: Final = 200_000

_SHAPE_LENGTH: Final = 18

_LONG_TEXT: Final = 40

_LETTERS_SEEN: Final = 200

_LETTER_SHARE: Final = 0.5

_SEPARATORS: Final = (";", ",", "|", "\n")


class ColumnFacts:
    """The facts of one column, cell by cell."""

    def __init__(self, name: str, offences: OffenceTable) -> None:
        self.name = name
        self.types: Counter[ColumnType] = Counter()
        self.values: Counter[str] | None = Counter()
        self.shapes: Counter[str] = Counter()
        self.dates = DateEvidence()
        self.null_words: Counter[str] = Counter()
        self.damage: Counter[str] = Counter()
        self.cut = CutTally()
        self.characters = 0
        self.letters = 0
        self.characters_seen = 0
        self.texts = 0
        self.known_codes = 0
        self.titled_codes = 0
        self.destroyed_codes = 0
        self.destroyed_numbers = 0
        #: The numbers that are not whole, by how many decimals they need.
        self.decimals: Counter[int] = Counter()
        self.padded_decimals = 0
        self.number_cells = 0
        self.date_cells = 0
        self.ages = 0
        self.high_ages = 0
        self.age_ranges = 0
        self.serials = 0
        self.first_serial = EXCEL_DAYS.stop
        self.last_serial = 0
        self.formulas = 0
        self.words: set[str] = set()
        self.digit_lengths: Counter[int] = Counter()
        self.separators: Counter[str] = Counter()
        self.is_list = "[]" in name
        self._offences = offences
        self._distinct: set[int] = set()

    @property
    def filled(self) -> int:
        """How many cells have a value; of a list, each element counts."""
        return sum(self.types.values()) - self.types["empty"]

    @property
    def seen(self) -> int:
        """How many cells were seen."""
        return sum(self.types.values())

    @property
    def type(self) -> ColumnType:
        """The type of the column."""
        return find_column_type(self.types)

    @property
    def distinct(self) -> int:
        """How many different values there are, counted up to a limit."""
        return len(self._distinct)

    @property
    def mean_length(self) -> float:
        """The mean length of its texts, in characters."""
        return self.characters / self.texts if self.texts else 0

    @property
    def is_long_text(self) -> bool:
        """Whether its texts are sentences rather than values."""
        is_wordy = self.letters >= _LETTER_SHARE * self.characters_seen
        return self.type == "text" and self.mean_length >= _LONG_TEXT and is_wordy

    def share(self, count: int) -> float:
        """A count as a share of the cells with a value."""
        return count / self.filled if self.filled else 0

    def add(self, cell: Any) -> None:
        """Take one cell."""
        if isinstance(cell, list):
            for item in cell:
                self.add(item)
            return
        if isinstance(cell, str) and (word := cell.strip()) in NULL_WORDS:
            self.null_words[word] += 1
            cell = None
        kind = find_cell_type(cell)
        self.types[kind] += 1
        if is_empty(cell):
            return
        if len(self._distinct) < _MAX_DISTINCT:
            self._distinct.add(hash(cell if isinstance(cell, str) else str(cell)))
        if isinstance(cell, str):
            self._add_text(cell, kind)
        elif isinstance(cell, date | datetime):
            self.date_cells += 1
            self.destroyed_codes += 1
            self._count_shape("a date of the spreadsheet")
        else:
            self._add_number(cell)

    def _add_text(self, cell: str, kind: ColumnType) -> None:
        match = TEXT_FORMULA.fullmatch(cell)
        text = (match[1] if match else cell).strip()
        self.formulas += match is not None
        self.texts += 1
        self.characters += len(text)
        self.letters += sum(map(str.isalpha, text[:_LETTERS_SEEN]))
        self.characters_seen += min(len(text), _LETTERS_SEEN)
        self.cut.add(find_ends((cell,)))
        for damage in find_damage(cell):
            self.damage[damage] += 1
        if len(text) > MAX_VALUE_LENGTH:
            self.values = None
            self._count_shape("long text")
            return
        self._count_value(text)
        self._count_shape(shape_text(text))
        self.high_ages += is_high_age(text)
        self.ages += is_age(text) and not is_high_age(text)
        self.age_ranges += is_age_range(text)
        if kind == "text" and len(self.words) < MAX_VALUES and not is_age(text):
            self.words.add(" ".join(text.split()))
        self._count_code(text)
        self.destroyed_codes += is_destroyed_code(text)
        self.destroyed_numbers += is_destroyed_number(text)
        if kind == "date" or (self.dates.count and len(text) < MAX_DATE_LENGTH):
            self.dates.add(" ".join(text.split()))
        if kind == "number" and text.isdecimal():
            self._count_serial(int(text))
        if text.isdecimal():
            self.digit_lengths[len(text)] += 1
        for separator in _SEPARATORS:
            self.separators[separator] += separator in text

    def _add_number(self, cell: Any) -> None:
        self.number_cells += 1
        self._count_value(str(cell))
        self._count_shape(shape_text(str(cell)))
        self.destroyed_numbers += is_destroyed_number(cell)
        if isinstance(cell, float) and cell != int(cell):
            number_of_decimals = count_decimals(cell)
            self.decimals[number_of_decimals] += 1
            self.padded_decimals += number_of_decimals == 2 and f"{cell:.2f}"[-2] == "0"
            self._count_code(f"{cell:.2f}".replace(".", "/"))
            return
        if isinstance(cell, bool):
            return
        number = int(cell)
        self.ages += 0 <= number <= MAX_AGE
        self.high_ages += number > MAX_AGE
        self._count_serial(number)
        self._count_code(str(number))

    def _count_serial(self, number: int) -> None:
        if number in EXCEL_DAYS:
            self.serials += 1
            self.first_serial = min(self.first_serial, number)
            self.last_serial = max(self.last_serial, number)

    def _count_code(self, text: str) -> None:
        code = split_titled_code(text)
        titled = code is not None
        if self._offences.has_code(self._offences.canonical(code or text)):
            self.known_codes += 1
            self.titled_codes += titled

    def _count_value(self, text: str) -> None:
        if self.values is not None:
            self.values[" ".join(text.split())] += 1
            if len(self.values) > MAX_VALUES:
                self.values = None

    def _count_shape(self, shape: str) -> None:
        if shape in self.shapes or len(self.shapes) < _MAX_SHAPES:
            self.shapes[shape] += 1

    def list_values(self) -> list[str]:
        """Its different values, each folded value once, the most frequent first; none if there
        are too many."""
        if self.values is None:
            return []
        by_fold: dict[str, str] = {}
        for value, _ in self.values.most_common():
            by_fold.setdefault(fold_value(value), value)
        return list(by_fold.values())


def shape_text(text: str) -> str:
    """A text as it may be shown: digits as 9, letters as a, runs of more than four cut short."""
    shape = "".join(
        "9" if character.isdigit() else "a" if character.isalpha() else character
        for character in text
        if character.isprintable()
    )
    shape = re.sub(r"a{5,}", "aaa..", shape)
    return shape if len(shape) <= _SHAPE_LENGTH else f"{shape[:_SHAPE_LENGTH]}.."
