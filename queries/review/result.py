"""What people found when they read the records of a number: all of them, or a random sample.

Pure types, part of an answer. A record counts as relevant or not relevant only if the reading of
its text as it is now came to one verdict; every other record of a sample is undecided in some way,
and a range covers it as either.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

#: A number of records; None where it is withheld.
RecordCount: TypeAlias = int | None

#: How a range follows from a sample: there is nothing to estimate, by the hypergeometric
#: distribution, or by Fisher's combination of strata (decision 57).
RangeMethod: TypeAlias = Literal["all read", "exact", "combined strata"]


class CountRange(Struct, frozen=True):
    """The fewest and the most records that may be relevant."""

    low: int
    high: int


class ReviewedPart(Struct, frozen=True):
    """What was read of the records of one number, or of one stratum, and what that says of all.

    Of ``mentioned`` records ``sampled`` were drawn. ``decided`` of these are ``relevant`` or
    ``not_relevant``; of the others, readers were unsure or did not agree (``undecided``), the text
    has changed since it was read (``stale``), or nobody has read them (``unread``). A number, or
    the range, of None is withheld. ``means`` are the conditions of the records, those of the scope
    among them.
    """

    label: str
    mentioned: RecordCount
    sampled: int
    decided: int
    relevant: RecordCount
    not_relevant: RecordCount
    undecided: int
    stale: int
    unread: int
    range: CountRange | None
    means: tuple[str, ...] = ()


class Coefficient(Struct, frozen=True):
    """A coefficient of agreement, and its confidence interval."""

    value: float
    low: float
    high: float


class AgreementTable(Struct, frozen=True):
    """How two readers decided the records that both decided: a table of 2 by 2."""

    both_relevant: int
    first_only: int
    second_only: int
    neither: int

    @property
    def agreed(self) -> int:
        """On how many they agreed."""
        return self.both_relevant + self.neither

    @property
    def pairs(self) -> int:
        """How many both decided."""
        return self.agreed + self.first_only + self.second_only


class Agreement(Struct, frozen=True):
    """What two people who read the same records without seeing each other's decision say.

    ``agreed`` of ``pairs`` records have one verdict; ``unsure`` more records were read by both, and
    one or both could not decide. A coefficient is None if the readings do not define it (both
    readers gave one verdict to all) or if it is withheld; the table is None if it is withheld.
    """

    pairs: int
    agreed: int
    unsure: int
    raw: Coefficient | None
    table: AgreementTable | None = None
    kappa: Coefficient | None = None
    ac1: Coefficient | None = None


class Elusion(Struct, frozen=True):
    """What a random sample says of records that the number does not count: how many of them are
    relevant at most, with the confidence of the review. None is withheld.

    ``records`` says which, of those that fit the number in all but its words: "near misses" have
    wording near the terms, "without a mention" are all others. ``name``, ``seed`` and
    ``generation`` are those of the review.
    """

    records: str
    population: RecordCount
    sampled: int
    relevant: RecordCount
    undecided: int
    at_most: int | None
    name: str = ""
    seed: str = ""
    generation: str = ""


class ReviewResult(Struct, frozen=True, kw_only=True):
    """The review of one number (``number``, ``column``) by a criterion.

    ``label`` names the number as a message does, ``unit`` says what it counts. ``generation`` is
    the one from which the records were drawn, by ``seed``. ``strata`` are the
    parts that were sampled by themselves, ``by`` what they are; each range holds with the stated
    ``confidence`` by itself. Without strata there is nothing to say of a part. ``not_read_twice``
    records were to be read by a second person too, and were not when the review was ended.
    """

    name: str
    number: str
    column: str = ""
    label: str = ""
    unit: str = "offences"
    criterion: str
    confidence: float
    method: RangeMethod
    seed: str
    generation: str
    by: str = ""
    total: ReviewedPart
    strata: tuple[ReviewedPart, ...] = ()
    agreement: Agreement | UnsetType = UNSET
    not_read_twice: int | UnsetType = UNSET
    elusion: tuple[Elusion, ...] = ()


def has_withheld_part(review: ReviewResult) -> bool:
    """Whether a number of a review, or a range, is withheld."""
    parts = (review.total, *review.strata)
    return any(
        None in (part.mentioned, part.relevant, part.not_relevant, part.range) for part in parts
    ) or any(elusion.at_most is None for elusion in review.elusion)
