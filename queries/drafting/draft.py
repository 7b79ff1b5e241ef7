"""What was understood of a letter: the types of a draft.

A draft holds what the letter says and nothing else. Each part of the letter is a question, a part
that no question answers, or a part that was taken back; what is not certain is a confirmation.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

from msgspec import Struct

#: What of a letter no question answers: the name of the rule that found it.
GapKind = Literal[
    "arrests",
    "convictions",
    "charges of people",
    "costs",
    "policies",
    "training",
    "narratives",
    "percentages",
    "staff",
    "documents",
    "equipment",
    "stop and search",
    "complaints",
    "calls",
    "times",
    "people",
    "places",
    "opinions",
    "other",
]


class DraftHead(Struct, frozen=True, kw_only=True):
    """Who asks, and when. ``received`` is the day of the first request, ``clarified`` that of the
    last clarification. ``reference`` is the force's own of this request. ``sender`` is a name,
    ``body`` the body that the sender writes for; ``recipient`` is who is written to.
    """

    received: date | None = None
    clarified: date | None = None
    reference: str | None = None
    sender: str | None = None
    body: str | None = None
    recipient: str | None = None
    subject: str | None = None

    @property
    def address(self) -> str:
        """Who the answer goes to, as ``letter.to`` has it; empty if the letter has no name."""
        return ", ".join(filter(None, (self.sender, self.body)))


class DraftPeriod(Struct, frozen=True, order=True):
    """Days, first and last included, and the name of the period, if it has one ("2017/18")."""

    start: date
    end: date
    label: str = ""


class DraftTerm(Struct, frozen=True):
    """A term as the letter writes it. ``aliases`` count as the term; ``required`` are terms that
    must be in the same record, each with the most words that may stand between, or None.
    """

    term: str
    aliases: tuple[str, ...] = ()
    required: tuple[tuple[str, int | None], ...] = ()


class DraftOffence(Struct, frozen=True):
    """A row of offences: canonical codes, and what the letter calls it."""

    codes: tuple[str, ...]
    label: str = ""


class DraftPart(Struct, frozen=True, kw_only=True):
    """A part of the letter, by its number ("4a"), with its text.

    ``fields`` are the keys of its question in a request file ("kind", "bands" ...), empty if there
    is none. ``gap`` says what of the part no question answers, ``why`` says it in words: of all of
    it without ``fields``, or else of the rest. ``withdrawn`` if the letter takes the part back.
    """

    number: str
    text: str
    fields: dict[str, Any] = {}
    gap: GapKind | None = None
    why: str = ""
    withdrawn: bool = False


class Choice(Struct, frozen=True):
    """An answer to a confirmation. ``changes`` are the values that it gives in the draft's mapping:
    by key ("offences"), or by key of a question ("questions/4a/bands"); None takes a key out.
    With ``stays_open`` the officer changes the file afterwards, so the confirmation stays in it.
    """

    words: str
    changes: dict[str, Any] = {}
    stays_open: bool = False


class Confirmation(Struct, frozen=True, kw_only=True):
    """Something that is not certain: the sentence of the letter, a question in plain English, and
    the choices, of which the first is what was drafted. ``part`` is the number of the part, or
    empty for the whole request.
    """

    sentence: str
    question: str
    choices: tuple[Choice, ...]
    part: str = ""

    @property
    def default(self) -> Choice:
        """What was drafted."""
        return self.choices[0]


class Draft(Struct, frozen=True, kw_only=True):
    """A letter as it was understood: who asks, the scope, the parts in order, and what to confirm.

    ``groups`` are the offence groups that the whole request is about, where the letter names some,
    and ``victim`` is what a victim must be, as ``where.victim`` of a request file has it.
    """

    head: DraftHead
    periods: tuple[DraftPeriod, ...] = ()
    mentions: tuple[DraftTerm, ...] = ()
    offences: tuple[DraftOffence, ...] = ()
    groups: tuple[str, ...] = ()
    victim: dict[str, Any] = {}
    parts: tuple[DraftPart, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
