"""The kinds of question: every module of this folder that defines one is found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from queries.questions.base import Question

__all__ = ["Question", "kinds"]


@cache
def load_question_kinds() -> dict[str, type[Question]]:
    """Every kind by its name."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return {str(kind.__struct_config__.tag): kind for kind in Question.__subclasses__()}
