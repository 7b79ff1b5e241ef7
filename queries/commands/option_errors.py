"""Says in plain words why the value of an option or an argument is refused.

The library that reads the command line explains it in its own terms ("Input should be a valid
integer, unable to parse string as an integer").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import typer

_NUMBER_KINDS: Final = {"int": "a whole number", "float": "a number"}

_LIMITS: Final = {
    "greater_than_equal": ("ge", "or more"),
    "less_than_equal": ("le", "or less"),
}

_MAX_SHOWN_LENGTH: Final = 60


@contextmanager
def explain_option_errors() -> Iterator[None]:
    """Put our words into the errors of the command line, which keep their type and exit code."""
    try:
        yield
    except typer.BadParameter as error:
        details = _list_details(error)
        if details:
            error.message = _describe_detail(details[0]) or error.message
        raise


def _list_details(error: typer.BadParameter) -> list[dict[str, Any]]:
    """The typed details of an error: "type", "input" and "ctx"; none for an error of our own."""
    list_errors = getattr(error.__cause__, "errors", None)
    return list(list_errors()) if callable(list_errors) else []


def _describe_detail(detail: dict[str, Any]) -> str:
    kind, context = str(detail["type"]), detail.get("ctx") or {}
    value = f'"{str(detail["input"])[:_MAX_SHOWN_LENGTH]}"'
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{value} is not {context[name]:,} {words}. Correct the number."
    if kind == "value_error":
        return str(context["error"])
    number = _NUMBER_KINDS.get(kind.partition("_")[0])
    return f"{value} is not {number}. Correct it." if number else ""
