"""The patterns of ``[source]``: which names in them are meant as they are written."""

from __future__ import annotations

import os
import re
from glob import has_magic
from pathlib import Path
from typing import Final

#: A choice in brackets, or a letter outside of one.
_CHOICE_OR_LETTER: Final = re.compile(r"\[!?\]?[^\]]*\]|[^\W\d_]")


def split_pattern(folder: Path, pattern: str) -> tuple[Path, tuple[str, ...]]:
    """The path that a pattern begins with, below a folder, and its names from the first on that is
    a pattern; none if it names one path.

    A name such as ``crimes[1].csv`` is meant as it is written if that is there: as a pattern it
    would be ``crimes1.csv``. With * or ? it matches itself, so it stays a pattern.
    """
    path = folder
    steps = Path(pattern).parts
    for number, step in enumerate(steps):
        is_written_name = not has_magic(step) or (
            not {"*", "?"} & {*step} and os.path.lexists(path / step)
        )
        if not is_written_name:
            return path, steps[number:]
        path /= step
    return path, ()


def is_hidden_match(path: Path, root: Path, steps: tuple[str, ...]) -> bool:
    """Whether a pattern below a root matches a path only through a name that begins with a dot,
    which no name of the pattern does: as in a shell, it is not meant."""
    *folders, name = path.relative_to(root).parts
    *folder_steps, name_step = steps
    return _adds_dot([name], [name_step]) or _adds_dot(folders, folder_steps)


def _adds_dot(names: list[str], steps: list[str]) -> bool:
    return any(name.startswith(".") for name in names) and not any(
        step.startswith(".") for step in steps
    )


def ignore_capitals(step: str) -> str:
    """A name of a pattern that also matches other capitals; what is in brackets stays."""

    def replace_letter(match: re.Match[str]) -> str:
        text = match[0]
        return text if text.startswith("[") else f"[{text.lower()}{text.upper()}]"

    return _CHOICE_OR_LETTER.sub(replace_letter, step)
