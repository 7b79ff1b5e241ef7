"""Which records of a population are read, in which order, and which of them twice. Pure.

The order is that of a keyed hash, HMAC-SHA-256 (RFC 2104) of each reference with the recorded seed
as its key. It depends on nothing else, so anyone with the list of references can draw the sample
again, and the first records of the order are a simple random sample without replacement whatever
their number is: a sample is extended by reading on. Drawing by sorted random numbers: Sunter,
Applied Statistics 26 (1977), 261-268; a keyed hash as the random number: "permanent random
numbers", Ohlsson, in Business Survey Methods (1995), 153-169.
"""

from __future__ import annotations

import heapq
import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Final

from queries.review.types import DrawnRecord, Stratum

#: What a hash is for is part of what is hashed, so one order says nothing about the other.
_ORDER: Final = "order"

_SECOND_READING: Final = "second reading"


def hash_reference(seed: str, purpose: str, reference: str) -> str:
    """The HMAC-SHA-256, in hexadecimal, of "``purpose``:``reference``" with ``seed`` as the key."""
    return hmac.digest(seed.encode(), f"{purpose}:{reference}".encode(), "sha256").hex()


def order_references(references: Iterable[str], seed: str) -> list[str]:
    """The references in the order in which they are read."""
    return sorted(references, key=lambda text: (hash_reference(seed, _ORDER, text), text))


def draw_first(references: Iterable[str], seed: str, most: int) -> tuple[list[str], int]:
    """The first of the references in the order, ``most`` at most, and how many references there
    are. No more than those are kept in memory."""
    number = 0

    def iter_counted() -> Iterator[str]:
        nonlocal number
        for reference in references:
            number += 1
            yield reference

    first = heapq.nsmallest(
        most, iter_counted(), key=lambda text: (hash_reference(seed, _ORDER, text), text)
    )
    return first, number


def allocate_sample(populations: Mapping[str, int], sample: int) -> dict[str, int]:
    """How many records of each stratum are read, in proportion to its records, one at least.

    By the method of Webster and Sainte-Laguë (Balinski and Young, Fair Representation, 1982): a
    larger sample never takes fewer of a stratum, so an extended one includes the first. Raises
    ValueError where the sample is smaller than the number of strata that have records, or larger
    than the population.
    """
    sizes = {name: min(1, population) for name, population in sorted(populations.items())}
    if not sum(sizes.values()) <= sample <= sum(populations.values()):
        raise ValueError(
            "a sample has a record of each stratum at least, and no more than there are"
        )
    for _ in range(sample - sum(sizes.values())):
        open_strata = [name for name, size in sizes.items() if size < populations[name]]
        sizes[
            max(open_strata, key=lambda name: Fraction(populations[name], 2 * sizes[name] + 1))
        ] += 1
    return sizes


def draw_stratum(
    references: Collection[str],
    content_hashes: Mapping[str, str],
    stratum: Stratum,
    seed: str,
    second_share: Fraction,
) -> Iterator[DrawnRecord]:
    """The records of one stratum that are read, in their order.

    ``references`` are all of its population; ``content_hashes`` has those of the ones that are
    drawn. Raises ValueError where the population is another, or the sample is larger than it.
    """
    order = order_references(references, seed)
    if len(order) != stratum.population or not 0 <= stratum.sample <= stratum.population:
        raise ValueError("a stratum has as many records as it says, and its sample no more")
    twice = choose_second_readings(order, seed, second_share)
    for position, reference in enumerate(order[: stratum.sample], start=1):
        yield DrawnRecord(
            reference=reference,
            stratum=stratum.name,
            position=position,
            content_hash=content_hashes[reference],
            second_reading=reference in twice,
        )


def choose_second_readings(order: list[str], seed: str, share: Fraction) -> set[str]:
    """Which records of the whole order are read a second time, should they be drawn.

    The order is cut into runs in which one record makes up the share: of 20 % every five. One of
    each run is chosen, by a hash that has nothing to do with the order. So a sample of any size has
    its share of second readings, one less at most, and an extension leaves them as they are. Raises
    ValueError where the share is not within 0 and 1.
    """
    if not 0 <= share <= 1:
        raise ValueError("a share is within 0 and 1")
    runs: dict[int, list[str]] = {}
    for position, reference in enumerate(order, start=1):
        runs.setdefault(_round_up(position * share), []).append(reference)
    runs.pop(0, None)
    return {
        min(run, key=lambda text: (hash_reference(seed, _SECOND_READING, text), text))
        for run in runs.values()
    }


def _round_up(number: Fraction) -> int:
    return -int(-number // 1)
