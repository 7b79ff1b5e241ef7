"""A new release held against earlier ones: whether one less the other gives a number away.

Pure. All that related releases printed is put into one system with what is printed now, and its
reader is attacked. Releases of another generation are held against the new one as if nothing had
changed between, unless their numbers then contradict the new ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct

from indexer.errors import InexactError
from queries.answer import Answer, Override
from queries.disclosure import certain, populations, suppression
from queries.disclosure.certain import Linear, Population, System
from queries.disclosure.policy import Policy
from queries.disclosure.reader import Bounds, Reader, given_away
from queries.disclosure.release import Release, is_small, known_of

_ORDER = attrgetter("order")


class Published(Struct, frozen=True, array_like=True):
    """A printed number and what it counts; None where it was withheld."""

    unit: str
    where: tuple[str, ...]
    number: int | None

    @property
    def population(self) -> Population:
        """What it counts."""
        return Population(self.unit, frozenset(self.where))


class Related(Struct, frozen=True, array_like=True):
    """A relation among the published numbers of a release, by their places in its list."""

    terms: tuple[tuple[int, int], ...]
    low: int | None
    high: int | None


class Entry(Struct, frozen=True):
    """One release in the ledger. It holds no number that was withheld."""

    reference: str
    title: str
    released_at: datetime
    generation: str
    threshold: int
    rounding: int
    youngest: str
    answer: str
    figures: tuple[Published, ...]
    relations: tuple[Related, ...]
    overrides: tuple[Override, ...] = ()

    @property
    def name(self) -> str:
        """The release for a message."""
        return f"{self.reference} of {self.released_at:%Y-%m-%d}"

    @property
    def policy(self) -> Policy:
        """What it was released by."""
        return Policy(self.threshold, self.rounding)

    def known(self) -> dict[Population, Bounds]:
        """What its reader knows of each number by itself."""
        return {one.population: known_of(one.number, self.policy) for one in self.figures}

    def stated(self) -> Iterator[Linear]:
        """Its relations."""
        every = [one.population for one in self.figures]
        for one in self.relations:
            terms = tuple((every[place], share) for place, share in one.terms)
            yield Linear(terms, one.low, one.high, self.name)


def figures(answer: Answer) -> tuple[Published, ...]:
    """The printed numbers of an answer, each population once."""
    found = {cell.population: cell.number for cell in populations.cells(answer)}
    return tuple(
        Published(one.unit, tuple(sorted(one.where)), found[one])
        for one in sorted(found, key=_ORDER)
    )


def relations(release: Release, printed: Sequence[Published]) -> tuple[Related, ...]:
    """The relations of a release, among the numbers it printed."""
    place = {one.population: number for number, one in enumerate(printed)}
    return tuple(
        Related(tuple((place[one], share) for one, share in told.terms), told.low, told.high)
        for told in release.stated
        if all(one in place for one, _ in told.terms)
    )


def withheld_before(earlier: Iterable[Entry]) -> frozenset[Population]:
    """What earlier releases withheld."""
    return frozenset(
        one.population for entry in earlier for one in entry.figures if one.number is None
    )


def public(answer: Answer, earlier: Iterable[Entry]) -> frozenset[Population]:
    """What earlier releases printed as it is now: withholding it would protect nothing."""
    counts = {cell.population: cell.number for cell in populations.cells(answer)}
    return frozenset(
        one.population
        for entry in earlier
        if not entry.rounding
        for one in entry.figures
        if one.number and counts.get(one.population) == one.number
    )


def exposed(answer: Answer, policy: Policy, earlier: Iterable[Entry]) -> list[str]:
    """Small numbers of an answer that earlier releases printed when they were not small."""
    counts = {cell.population: cell.number for cell in populations.cells(answer)}
    return [
        f"{one.population.words}: printed in {entry.name}, and to be withheld now"
        for entry in earlier
        if not entry.rounding
        for one in entry.figures
        if one.number and 0 < (counts.get(one.population) or 0) < policy.threshold
    ]


def changes(now: Sequence[Published], generation: str, earlier: Iterable[Entry]) -> list[str]:
    """Numbers printed before, in another generation, that are others now."""
    current = {one.population: one.number for one in now}
    return [
        f"{one.population.words}: {one.number:,} in {entry.name}, {number:,} now"
        for entry in earlier
        if entry.generation != generation and not entry.rounding
        for one in entry.figures
        if one.number is not None
        if (number := current.get(one.population)) is not None and number != one.number
    ]


def problems(release: Release, policy: Policy, earlier: Sequence[Entry]) -> list[str]:
    """What the release would give away together with earlier ones, each as a sentence."""
    printed = figures(release.answer)
    now = {one.population: one.number for one in printed}
    known = {one: known_of(number, policy) for one, number in now.items()}
    found: list[str] = []
    joined: list[Entry] = []
    for entry in reversed(earlier):
        found += _turned(entry, now)
        if _keys(known) & _keys(entry.known()):
            joined.append(entry)
    stated = [*release.stated]
    sources: dict[Population, Entry] = {}
    for entry in joined:
        added = {one: bounds for one, bounds in entry.known().items() if one not in known}
        wider = [*stated, *entry.stated()]
        if added and _agree(certain.joint([*known, *added], wider), known | added):
            stated, known = wider, known | added
            sources |= dict.fromkeys(added, entry)
    if sources:
        found += _given_away(_Known(certain.joint(known, stated), known, sources), policy)
    return found


def _turned(entry: Entry, now: dict[Population, int | None]) -> Iterator[str]:
    """What an earlier release withheld and this one prints."""
    for one in entry.figures:
        if one.number is None and now.get(one.population):
            yield f"{one.population.words}: withheld in {entry.name}, and printed now"


def _keys(known: Iterable[Population]) -> set[tuple[str, frozenset[str]]]:
    """What related populations have in common: all conditions, or all but one."""
    return {
        (one.unit, where)
        for one in known
        for where in (one.where, *(one.where - {condition} for condition in one.where))
    }


def _agree(system: System, known: dict[Population, Bounds]) -> bool:
    try:
        Reader(system, known).least(())
    except InexactError:
        return False
    return True


class _Known(NamedTuple):
    """What a reader of the new and the related earlier releases knows; ``sources`` are the releases
    of what the new one does not print."""

    system: System
    bounds: dict[Population, Bounds]
    sources: dict[Population, Entry]

    def earlier(self) -> Reader:
        """One who has not read the new release."""
        entries = {id(entry): entry for entry in self.sources.values()}.values()
        old = {one: bounds for entry in entries for one, bounds in entry.known().items()}
        stated = [told for entry in entries for told in entry.stated()]
        return Reader(certain.joint(old, stated), old)


def _given_away(known: _Known, policy: Policy) -> Iterator[str]:
    earlier = known.earlier()
    yield from _withheld(known, policy, earlier)
    differences = [*_differences(known, policy)]
    yield from differences or _pieces(known, policy, earlier)


def _differences(known: _Known, policy: Policy) -> Iterator[str]:
    """A population of one release less one within it of another."""
    reader = Reader(known.system, known.bounds)
    for inner, outer in certain.nested(known.bounds):
        entry = known.sources.get(inner) or known.sources.get(outer)
        if entry is None or (inner in known.sources and outer in known.sources):
            continue
        bounds = reader.interval(suppression.difference(inner, outer))
        if is_small(bounds, max(policy.threshold, entry.threshold)):
            yield (
                f"{outer.words_beside(inner)} less {inner.words_beside(outer)}, "
                f"one of them in {entry.name}: would be known to be {_words(bounds)}"
            )


def _pieces(known: _Known, policy: Policy, earlier: Reader) -> Iterator[str]:
    """What several releases leave between them."""
    reader = Reader(known.system, known.bounds)
    threshold = max(policy.threshold, *(entry.threshold for entry in known.sources.values()))
    for piece in known.system.helpers:
        bounds = reader.interval(((piece, 1),))
        if is_small(bounds, threshold) and not _was_known(earlier, piece, bounds):
            names = ", ".join(sorted({entry.name for entry in known.sources.values()}))
            yield f"{piece.words}: would be known to be {_words(bounds)}, from this and {names}"


def _withheld(known: _Known, policy: Policy, earlier: Reader) -> Iterator[str]:
    """Withheld numbers that lie in a narrower interval than they are owed."""
    owed: dict[int, list[Population]] = {}
    for one, bounds in known.bounds.items():
        if bounds.high is None:
            entry = known.sources.get(one)
            owed.setdefault(entry.policy.width if entry else policy.width, []).append(one)
    for width, wanted in owed.items():
        ordered = sorted(wanted, key=_ORDER)
        narrow = given_away(known.system, known.bounds, ordered, width)
        for one, bounds in narrow.items():
            if not _was_known(earlier, one, bounds):
                entry = known.sources.get(one)
                where = f"withheld in {entry.name}" if entry else "withheld now"
                yield f"{one.words}, {where}: would be known to be {_words(bounds)}"


def _was_known(earlier: Reader, one: Population, bounds: Bounds) -> bool:
    """Whether earlier releases told as much, after an override."""
    return one in earlier.place and earlier.interval(((one, 1),)) == bounds


def _words(bounds: Bounds) -> str:
    if bounds.low == bounds.high:
        return f"{bounds.low:,}"
    return f"from {bounds.low:,} to {bounds.high:,}" if bounds.high else f"{bounds.low:,} or more"
