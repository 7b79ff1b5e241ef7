"""The values of the fields to count by or filter by: which there are, read from and as text."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from indexer.errors import RequestError
from indexer.records.categories import Category
from indexer.records.model import MAX_AGE
from indexer.records.offences.facts import read_tsv_rows
from indexer.resources import find_data_folder
from indexer.suggestions import suggest_name

OUTCOME_NUMBERS: Final = range(1, 23)

SEX_LABELS: Final = {"F": "Female", "M": "Male", "X": "Neither", "U": "Unknown sex"}

#: Sexes in a sentence about people.
SEX_WORDS: Final = {"F": "female", "M": "male", "X": "of neither sex", "U": "of unknown sex"}

_MAX_CHOICES_SHOWN: Final = 12


@cache
def _load_outcomes() -> dict[int, tuple[str, str]]:
    """The title and the short name of each outcome number, from ``mappings/outcomes.tsv``."""
    table = read_tsv_rows(find_data_folder("mappings") / "outcomes.tsv", 3)
    return {int(outcome): (title, name) for outcome, title, name in table}


@cache
def load_outcome_titles() -> dict[int, str]:
    """The title of each outcome number."""
    return {number: title for number, (title, _) in _load_outcomes().items()}


def load_outcome_names() -> dict[int, str]:
    """The short name of each outcome number, as a request may write it."""
    return {number: name for number, (_, name) in _load_outcomes().items()}


def describe_ages(first: int, last: int, joiner: str = "and") -> str:
    """Ages from the first to the last as a label: "Aged 12 to 15", "Aged 17 and under"."""
    if first == last:
        return f"Aged {first}"
    if first == 0:
        return f"Aged {last} {joiner} under"
    if last == MAX_AGE:
        return f"Aged {first} {joiner} over"
    return f"Aged {first} to {last}"


def describe_outcome(number: int) -> str:
    """An outcome for a sentence, by what the public calls it: "Charged or summonsed" (number 1)."""
    title = load_outcome_titles().get(number)
    return f'"{title}" (number {number})' if title else str(number)


def parse_outcome(text: str) -> int:
    """The number of an outcome, given by number or by name: "charged" is 1.

    A name is the short name, the title, or its first words if no other title has them. Raises
    RequestError, with all outcomes, for one that does not exist.
    """
    words = " ".join(text.split()).casefold()
    if words.isdecimal() and int(words) in OUTCOME_NUMBERS:
        return int(words)
    outcomes = _load_outcomes()
    whole = [number for number, names in outcomes.items() if words in map(str.casefold, names)]
    started = [
        number
        for number, (title, _) in outcomes.items()
        if re.match(rf"{re.escape(words)}\b", title, re.IGNORECASE)
    ]
    numbers = whole or (started if words else [])
    if len(numbers) == 1:
        return numbers[0]
    names = load_outcome_names()
    if numbers:
        listed = ", ".join(f"{number} ({outcomes[number][0]})" for number in numbers)
        raise RequestError(f'"{text[:60]}" may be any of the outcomes {listed}. Give one number.')
    listed = ", ".join(f"{number} {name}" for number, name in names.items())
    raise RequestError(f'"{text[:60]}" is not a valid outcome. It may be {listed}.')


def format_field_value(value: Any) -> str:
    """A value of a category as a request writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse_field_value(name: str, text: str, category: Category) -> Any:
    """A value of a category as the index holds it. Raises RequestError if it is not valid."""
    match category.type:
        case "integer":
            return parse_integer_value(name, text, None)
        case "boolean":
            return require_choice(name, text.lower(), ("true", "false")) == "true"
        case _:
            return require_choice(name, text, category.values) if category.values else text


def parse_integer_value(name: str, text: str, valid_range: range | None) -> int:
    """A whole number. Raises RequestError if the text is none, or not in the range."""
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or (valid_range is not None and number not in valid_range):
        limits = f" from {valid_range[0]} to {valid_range[-1]}" if valid_range else ""
        raise RequestError(
            f'"{text[:60]}" is not a valid {name}: expected a whole number{limits}. Correct it.'
        )
    return number


def require_choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    """The text, if it is one of the choices. Raises RequestError otherwise, with the closest."""
    if text not in choices:
        hint = suggest_name(text, choices)
        ellipsis = ", ..." if len(choices) > _MAX_CHOICES_SHOWN else ""
        listed = ", ".join(choices[:_MAX_CHOICES_SHOWN])
        raise RequestError(
            f'"{text[:60]}" is not a valid {name}.{hint} It may be {listed}{ellipsis}.'
        )
    return text
