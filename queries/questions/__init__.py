"""The kinds of question that a request may ask. Each module here that defines one is found."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from queries.questions.base import Question

__all__ = ["Question", "load_question_kinds"]


@cache
def load_question_kinds() -> dict[str, type[Question]]:
    """The type of each kind of question, by the name of the kind."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return {str(kind.__struct_config__.tag): kind for kind in Question.__subclasses__()}
