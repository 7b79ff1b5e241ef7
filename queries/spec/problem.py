"""What is wrong in a file that a person wrote: problems by path, printed as lines of the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from indexer.suggestions import suggest_name
from queries.spec.yaml_text import YamlDocument

_MAX_PROBLEMS_SHOWN: Final = 50

_MAX_NAME_LENGTH: Final = 60


class Problem(NamedTuple):
    """``path`` says where, from the part that was checked (".bands[1]"); ``message`` says what is
    wrong, and the fix."""

    path: str
    message: str


def explain_unknown_key(key: str, known_keys: Sequence[str]) -> str:
    """The message for a key that is not one of those allowed where it is."""
    return (
        f'"{key[:_MAX_NAME_LENGTH]}" is not a key here.{suggest_name(key, known_keys)} '
        f"The keys are {', '.join(known_keys)}."
    )


def explain_missing_key(key: str) -> str:
    """The message for a required key that is not there."""
    return f'lacks "{key}". Add it.'


def format_problems(problems: Iterable[Problem], source: YamlDocument) -> str:
    """The problems of a file, a line each, in the order of the file; of very many only the first.

    The path of each problem starts at the root of the file, "$".
    """
    ordered = sorted((source.line(problem.path), problem.message) for problem in problems)
    lines = [f"{source.name}:{line}: {text}" for line, text in ordered[:_MAX_PROBLEMS_SHOWN]]
    if len(ordered) > len(lines):
        lines.append(f"... and {len(ordered) - len(lines):,} more.")
    return "\n".join(lines)
