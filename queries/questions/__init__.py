"""The kinds of question that a request may ask. Each module here that defines one is found."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache

from queries.questions.base import Question

__all__ = ["Question", "load_question_kinds"]


@cache
def load_question_kinds() -> dict[str, type[Question]]:
    """The type of each kind of question, by the name of the kind."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return {str(kind.__struct_config__.tag): kind for kind in _list_kinds(Question)}


def _list_kinds(base: type[Question]) -> Iterator[type[Question]]:
    """The types that no other is made from."""
    for kind in base.__subclasses__():
        if kind.__subclasses__():
            yield from _list_kinds(kind)
        else:
            yield kind
