"""Draws the sample of a new review from the records behind a number. Pure.

Every record of the population is given its place, not only those of the sample, so that a sample
can be extended when the index has long been refreshed.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Final

import msgspec
from msgspec import Struct

from indexer.errors import ReviewError
from queries.evidence.population import PopulationRecord
from queries.review.draw import allocate_sample, draw_stratum
from queries.review.types import DrawnRecord, Stratum
from queries.reviewing.strata_kind import StrataKind

_SEED_BYTES: Final = 16


def _find_financial_year(record: PopulationRecord) -> str:
    day = record.recorded_on
    start = day.year if (day.month, day.day) >= (4, 1) else day.year - 1
    return f"{start}/{(start + 1) % 100:02}"


_FIND_STRATUM: Final[dict[StrataKind, Callable[[PopulationRecord], str]]] = {
    StrataKind.OFFENCE: lambda record: record.offence_code,
    StrataKind.YEAR: lambda record: str(record.recorded_on.year),
    StrataKind.FINANCIAL_YEAR: _find_financial_year,
}


class Draw(Struct, frozen=True):
    """What is drawn: how many records are read (None: all), by which strata, which share of them a
    second person reads, and the seed."""

    sample: int | None
    by: StrataKind | None
    second_share: Fraction
    seed: str


def make_seed() -> str:
    """A seed that nobody could choose so that a certain sample comes out."""
    return secrets.token_hex(_SEED_BYTES)


def warn_of_small_counts(minimum: int) -> str:
    """What whoever begins a review should know of a small sample, where counts below a minimum are
    withheld; empty if none are."""
    if minimum <= 1:
        return ""
    return (
        f"If of the records that are read only 1 to {minimum - 1} are relevant, or not relevant, "
        "publishing withholds the result, and the letter refuses to say it. Have so many read that "
        "you expect more of both."
    )


def draw_population(
    records: Sequence[PopulationRecord], draw: Draw
) -> tuple[tuple[Stratum, ...], list[DrawnRecord]]:
    """The strata with their samples, and every record of the population in its order.

    Raises ReviewError where there is no record, or the sample does not suit the population.
    """
    if not records:
        raise ReviewError(
            "no record is behind this number, so there is nothing to review. Check --number: name "
            "the row as the answer does."
        )
    find_stratum = _FIND_STRATUM[draw.by] if draw.by else lambda _: ""
    references: dict[str, list[str]] = {}
    for record in records:
        references.setdefault(find_stratum(record), []).append(record.reference)
    populations = {name: len(references[name]) for name in sorted(references)}
    sizes = _allocate(populations, draw.sample)
    hashes = {record.reference: record.content_hash for record in records}
    drawn = [
        record
        for name, population in populations.items()
        for record in draw_stratum(
            references[name],
            hashes,
            Stratum(name, population, population),
            draw.seed,
            draw.second_share,
        )
    ]
    strata = tuple(Stratum(name, populations[name], sizes[name]) for name in populations)
    return strata, drawn


def extend_strata(strata: Sequence[Stratum], sample: int) -> tuple[Stratum, ...]:
    """The strata with a larger sample in all. Raises ReviewError where it does not suit them."""
    sizes = _allocate({stratum.name: stratum.population for stratum in strata}, sample)
    if any(sizes[stratum.name] < stratum.sample for stratum in strata):
        total = sum(stratum.sample for stratum in strata)
        raise ReviewError(
            f"the sample has {total:,} records already, and can only become larger. Give a larger "
            "number with --sample."
        )
    return tuple(msgspec.structs.replace(stratum, sample=sizes[stratum.name]) for stratum in strata)


def _allocate(populations: Mapping[str, int], sample: int | None) -> dict[str, int]:
    total = sum(populations.values())
    size = total if sample is None else sample
    if size > total:
        raise ReviewError(
            f"a sample of {size:,} is more than the {total:,} records of this number. Leave "
            "--sample out to read them all."
        )
    if size < len(populations):
        raise ReviewError(
            f"a sample of {size:,} is less than one record for each of the {len(populations):,} "
            "strata. Give a larger sample, or leave --by out."
        )
    return allocate_sample(populations, size)


def count_second_readings(records: Sequence[DrawnRecord], strata: Sequence[Stratum]) -> int:
    """How many records of the sample a second person reads."""
    sizes = {stratum.name: stratum.sample for stratum in strata}
    return Counter(
        record.second_reading for record in records if record.position <= sizes[record.stratum]
    )[True]
