"""What a review is made of: the records drawn from a number, and the decisions on them. No text.

A review belongs to one number of one answer. Which records it holds, and in which order, follows
from the seed alone, so anyone with the list of references can draw it again.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """What a reviewer decides about a record."""

    RELEVANT = "relevant"
    NOT_RELEVANT = "not relevant"
    UNSURE = "unsure"


class Reading(IntEnum):
    """Which reading a decision is of: the second is blind, the third settles a conflict."""

    FIRST = 1
    SECOND = 2
    SETTLING = 3


class ReviewedRecords(StrEnum):
    """Which records a review is of: those that a number counts, or, to bound what the words miss,
    those that it does not: with a near miss alone, or without any mention."""

    MENTIONS = "mentions"
    NEAR_MISSES = "near misses"
    WITHOUT_MENTION = "without a mention"


class Stratum(Struct, frozen=True):
    """A part of the population that is sampled by itself: its name, and how many records of how
    many are read. A review without strata has one, named "".
    """

    name: str
    population: int
    sample: int


class DrawnRecord(Struct, frozen=True):
    """A record that is to be read: its place in the order of its stratum, counted from 1, and
    whether a second person reads it too. ``content_hash`` is that of its text when it was drawn.
    """

    reference: str
    stratum: str
    position: int
    content_hash: str
    second_reading: bool


class Decision(Struct, frozen=True):
    """One reviewer's verdict on one record, never changed afterwards: a later one of the same
    reading replaces it. ``decided_at`` is UTC, ISO 8601; ``seconds`` the time that was needed.
    """

    reference: str
    reading: Reading
    verdict: Verdict
    reviewer: str
    decided_at: str
    content_hash: str
    seconds: int | None = None


class Review(Struct, frozen=True, kw_only=True):
    """What is reviewed: the number ``number`` (such as ``Q1:total``) of the answer to a request,
    in its column ``column`` if the table has several.

    ``criterion`` says when a record is relevant. ``request_hash`` is the one that the answer
    carries, ``generation`` the one from which the records were drawn. ``by`` is what the strata
    are, such as "offence"; empty without any. ``records`` says which records in scope they are.
    """

    name: str
    request_reference: str
    request_hash: str
    number: str
    criterion: str
    seed: str
    generation: str
    confidence: float
    second_share: float
    strata: tuple[Stratum, ...]
    column: str = ""
    by: str = ""
    records: ReviewedRecords = ReviewedRecords.MENTIONS
