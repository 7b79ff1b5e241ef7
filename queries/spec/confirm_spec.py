"""What in a request is not certain: written by a draft, decided by the officer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from queries.spec.problem import Problem

_Words = Annotated[str, Meta(max_length=2_000)]


class ConfirmSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A question to the officer. As long as it stands in the file, the request is not answered.

    ``sentence`` is that of the letter it is about, ``part`` the number of the letter's part (empty:
    the whole request), ``choices`` are answers, of which ``default`` is what the request says now.
    """

    question: Annotated[str, Meta(pattern=r"\S", max_length=2_000)]
    sentence: _Words = ""
    part: Annotated[str, Meta(max_length=20)] = ""
    choices: Annotated[tuple[_Words, ...], Meta(max_length=20)] = ()
    default: _Words = ""

    @property
    def place(self) -> str:
        """The part that it is about, in words."""
        return f"part {self.part}" if self.part else "the whole request"


ConfirmSpecs = Annotated[tuple[ConfirmSpec, ...], Meta(max_length=200)]


def find_confirm_problems(specs: Sequence[ConfirmSpec]) -> Iterator[Problem]:
    """Defaults that are none of the choices. The paths start at the root of the file."""
    for number, spec in enumerate(specs):
        if spec.default and spec.choices and spec.default not in spec.choices:
            yield Problem(
                f"$.confirm[{number}].default",
                'the "default" is not one of the choices. Copy one of them, or remove it.',
            )
