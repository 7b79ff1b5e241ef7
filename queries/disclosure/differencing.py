"""A new release compared with earlier ones: whether the difference of two gives a number away.

Pure. Everything that related releases printed is put into one system with what is printed now, and
that system is attacked. Of a release of another generation, the largest part that agrees with what
is newer counts as if nothing had changed in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from queries.answer.cells import list_cells
from queries.answer.condition import Condition
from queries.answer.condition_text import parse_conditions
from queries.answer.inference import list_term_names, rename_terms
from queries.answer.term_name import read_digest
from queries.answer.types import Answer, RuleOverride
from queries.disclosure.attack.attacker import (
    Attacker,
    Bounds,
    are_consistent,
    build_possible_system,
    find_narrow_intervals,
)
from queries.disclosure.attack.constraints import (
    ConstraintSystem,
    LinearConstraint,
    Population,
    build_system,
    find_nested_pairs,
    make_population,
)
from queries.disclosure.attack.contradiction import (
    drop_sums,
    keep_consistent,
    keep_structural,
    loosen_guesses,
)
from queries.disclosure.attack.nesting import NestingIndex, find_close_pairs
from queries.disclosure.attack.record_kinds import MAX_KINDS
from queries.disclosure.attack.suppression import subtract_inner
from queries.disclosure.messages.refusals import (
    THIS_RELEASE,
    ReleasedNumber,
    describe_difference,
    describe_exposure,
    describe_piece,
    describe_reprint,
    describe_shrunk_number,
)
from queries.disclosure.policy import Policy
from queries.disclosure.populations import count_populations, list_printed_cells
from queries.disclosure.release import NO_POPULATIONS, Release, derive_bounds, is_small, round_count
from queries.tables.period import format_long_date

_ORDER = attrgetter("order")


class PublishedNumber(Struct, frozen=True, array_like=True):
    """A printed number and what it counts; None if it was withheld.

    ``least`` is what a reader knows of a withheld number by itself: it is 0 or more, or, as in all
    ledgers of earlier versions, 1 or more.
    """

    unit: str
    conditions: tuple[str, ...]
    number: int | None
    least: int = 1

    @property
    def population(self) -> Population:
        """What it counts."""
        return make_population(self.unit, parse_conditions(self.conditions))

    def rename_terms(self, names: Mapping[str, str]) -> PublishedNumber:
        """The number with its terms called by ``names``, the hash of each to its name."""
        conditions = parse_conditions(self.conditions)
        renamed = [rename_terms(condition, names) for condition in conditions]
        if tuple(renamed) == conditions:
            return self
        texts = make_population(self.unit, renamed).condition_texts
        return replace(self, conditions=texts)


class PublishedRelation(Struct, frozen=True, array_like=True):
    """A constraint on the published numbers of a release, by their positions in its list."""

    terms: tuple[tuple[int, int], ...]
    low: int | None
    high: int | None


class LedgerEntry(Struct, frozen=True):
    """One release in the ledger. It holds no number that was withheld."""

    reference: str
    title: str
    released_at: datetime
    generation: str
    threshold: int
    rounding: int
    youngest: str
    answer: str
    figures: tuple[PublishedNumber, ...]
    relations: tuple[PublishedRelation, ...]
    overrides: tuple[RuleOverride, ...] = ()

    @property
    def name(self) -> str:
        """The release for a message."""
        return f"{self.reference} of {format_long_date(self.released_at)}"

    @property
    def policy(self) -> Policy:
        """The policy it was released with."""
        return Policy(self.threshold, self.rounding)

    def known_bounds(self) -> dict[Population, Bounds]:
        """What its reader knows about each number by itself."""
        return {
            figure.population: derive_bounds(
                figure.number, self.policy, perhaps_zero=not figure.least
            )
            for figure in self.figures
        }

    def rename_terms(self, names: Mapping[str, str]) -> LedgerEntry:
        """The release with its terms called by ``names``, the hash of each to its name."""
        return replace(self, figures=tuple(figure.rename_terms(names) for figure in self.figures))

    def constraints(self) -> Iterator[LinearConstraint]:
        """Its constraints."""
        figure_populations = [figure.population for figure in self.figures]
        for relation in self.relations:
            terms = tuple((figure_populations[index], share) for index, share in relation.terms)
            yield LinearConstraint(terms, relation.low, relation.high)


def collect_published_numbers(release: Release) -> tuple[PublishedNumber, ...]:
    """The printed numbers of a release, each population once."""
    numbers = {cell.population: cell.number for cell in list_printed_cells(release.answer)}
    return tuple(
        PublishedNumber(
            population.unit,
            population.condition_texts,
            numbers[population],
            min(1, release.known_bounds[population].low),
        )
        for population in sorted(numbers, key=_ORDER)
    )


def collect_published_relations(
    release: Release, printed: Sequence[PublishedNumber]
) -> tuple[PublishedRelation, ...]:
    """The constraints of a release on the numbers it printed."""
    index_of = {figure.population: index for index, figure in enumerate(printed)}
    return tuple(
        PublishedRelation(
            tuple((index_of[population], share) for population, share in constraint.terms),
            constraint.low,
            constraint.high,
        )
        for constraint in release.constraints
        if all(population in index_of for population, _ in constraint.terms)
    )


def collect_term_names(answer: Answer) -> dict[str, str]:
    """What an answer calls its terms, by the hash of each."""
    return {
        digest: name
        for cell in list_cells(answer)
        for condition in cell.conditions
        for name in list_term_names(condition)
        if (digest := read_digest(name))
    }


def collect_withheld(earlier: Iterable[LedgerEntry]) -> dict[Population, int]:
    """What earlier releases withheld, each with the least number that it may be."""
    least_numbers: dict[Population, int] = {}
    for entry in earlier:
        for population, bounds in entry.known_bounds().items():
            if bounds.high is None:
                least_numbers[population] = max(bounds.low, least_numbers.get(population, 0))
    return least_numbers


def find_public_numbers(answer: Answer, earlier: Iterable[LedgerEntry]) -> frozenset[Population]:
    """What earlier releases printed with the same number, rounded or not, or as part of a 0:
    withholding it protects nothing."""
    counts = count_populations(list_printed_cells(answer))
    earlier = [*earlier]
    printed = [
        figure
        for entry in earlier
        if not entry.rounding
        for figure in entry.figures
        if figure.number is not None
    ]
    same = [
        figure.population
        for entry in earlier
        for figure in entry.figures
        if figure.number is not None
        and (number := counts.get(figure.population)) is not None
        and round_count(number, entry.rounding) == figure.number
    ]
    earlier_zeros = [figure.population for figure in printed if not figure.number]
    zeros = [population for population, number in counts.items() if not number]
    return NestingIndex(counts).find_parts(earlier_zeros, zeros).union(same)


def find_moved_numbers(answer: Answer, earlier: Iterable[LedgerEntry]) -> frozenset[Population]:
    """What earlier releases printed with another number: a reader knows about how many there are,
    so withholding it protects little."""
    counts = count_populations(list_printed_cells(answer))
    return frozenset(
        figure.population
        for entry in earlier
        for figure in entry.figures
        if figure.number
        and (number := counts.get(figure.population)) is not None
        and round_count(number, entry.rounding) != figure.number
    )


def find_exposed_numbers(
    answer: Answer,
    policy: Policy,
    earlier: Iterable[LedgerEntry],
    leave_out: frozenset[Population] = NO_POPULATIONS,
) -> list[str]:
    """Small numbers of an answer, but for some, that earlier releases printed when they were not
    small."""
    counts = count_populations(list_printed_cells(answer))
    return [
        describe_shrunk_number(figure.population, figure.number, entry.name)
        for entry in earlier
        if not entry.rounding
        for figure in entry.figures
        if figure.number
        and 0 < counts.get(figure.population, 0) < policy.threshold
        and figure.population not in leave_out
    ]


def list_changed_numbers(
    printed: Sequence[PublishedNumber], generation: str, earlier: Iterable[LedgerEntry]
) -> list[str]:
    """Numbers that were printed from another generation and differ now."""
    current = {figure.population: figure.number for figure in printed}
    return [
        f"{figure.population.words}: {figure.number:,} in {entry.name}, {number:,} now"
        for entry in earlier
        if entry.generation != generation and not entry.rounding
        for figure in entry.figures
        if figure.number is not None
        if (number := current.get(figure.population)) is not None and number != figure.number
    ]


def find_differencing_problems(
    release: Release, policy: Policy, earlier: Sequence[LedgerEntry]
) -> list[str]:
    """What the release would give away together with earlier ones, a message each."""
    printed = collect_published_numbers(release)
    numbers = {figure.population: figure.number for figure in printed}
    messages = [
        message for entry in reversed(earlier) for message in _find_unwithheld(entry, numbers)
    ]
    joint = _join_earlier(
        release.known_bounds,
        release.constraints,
        earlier,
        release.answer.provenance.generation,
    )
    if joint.sources and (system := build_possible_system(joint.bounds, joint.constraints)):
        earlier_constraints = joint.constraints[len(release.constraints) :]
        withheld = {
            population for population, bounds in release.known_bounds.items() if bounds.high is None
        }
        knowledge = _JointKnowledge(
            system, joint.bounds, joint.sources, withheld, earlier_constraints
        )
        messages += _list_disclosures(knowledge, policy)
    return messages


def find_known_zeros(
    answer: Answer, policy: Policy, earlier: Sequence[LedgerEntry]
) -> frozenset[Population]:
    """The numbers of an answer of which earlier releases together show that they are 0:
    withholding them protects nothing."""
    counts = count_populations(list_printed_cells(answer))
    zeros = [population for population, number in counts.items() if not number]
    is_any_small = any(0 < number < policy.threshold for number in counts.values())
    if not (earlier and zeros and is_any_small):
        return frozenset()
    bounds = dict.fromkeys(counts, Bounds(0, None))
    joint = _join_earlier(bounds, (), earlier, answer.provenance.generation)
    system = build_possible_system(joint.bounds, joint.constraints)
    if not (joint.sources and system):
        return frozenset()
    attacker = Attacker(system, joint.bounds)
    open_zeros = [zero for zero in zeros if joint.bounds[zero] == Bounds(0, None)]
    return frozenset(attacker.find_fixed(open_zeros, policy.width))


class _JoinedReleases(NamedTuple):
    """What is known of each number, the constraints, and the releases of the numbers that are known
    from earlier ones."""

    bounds: dict[Population, Bounds]
    constraints: tuple[LinearConstraint, ...]
    sources: dict[Population, LedgerEntry]


def _join_earlier(
    known_bounds: Mapping[Population, Bounds],
    constraints: Iterable[LinearConstraint],
    earlier: Sequence[LedgerEntry],
    generation: str,
) -> _JoinedReleases:
    """What is known, with what earlier releases that are related to it say, the newest first."""
    joint = _JoinedReleases({**known_bounds}, tuple(constraints), {})
    for entry in reversed(earlier):
        earlier_bounds = entry.known_bounds()
        if not _are_related(joint.bounds, earlier_bounds):
            continue
        new_bounds = {
            population: narrowed
            for population, bounds in earlier_bounds.items()
            if (narrowed := _narrow_bounds(joint.bounds.get(population), bounds))
        }
        new_constraints = [*entry.constraints()]
        if entry.generation != generation:
            new_constraints = [*keep_structural(new_constraints)]
        relations, believed = _believe_most(joint, new_bounds, new_constraints)
        if believed:
            joint = _JoinedReleases(
                joint.bounds | believed,
                (*joint.constraints, *relations),
                joint.sources | dict.fromkeys(believed, entry),
            )
    return joint


def _believe_most(
    joint: _JoinedReleases,
    new_bounds: Mapping[Population, Bounds],
    constraints: Sequence[LinearConstraint],
) -> tuple[Sequence[LinearConstraint], dict[Population, Bounds]]:
    """The constraints of an earlier release that still hold, and the largest part of its numbers
    that agrees with them and with what is known.

    That the rows of a table are all there are is no longer believed if that saves two numbers or
    more: there may be others now.
    """
    best: tuple[Sequence[LinearConstraint], dict[Population, Bounds]] = ((), {})
    for relations in (
        constraints,
        [*loosen_guesses(constraints)],
        [*drop_sums(constraints)],
    ):
        believed = keep_consistent(joint.bounds, new_bounds, [*joint.constraints, *relations])
        if believed and (not best[1] or len(believed) > len(best[1]) + 1):
            best = relations, believed
        if len(believed) == len(new_bounds):
            break
    return best


def _narrow_bounds(newer: Bounds | None, earlier: Bounds) -> Bounds | None:
    """What an earlier release adds to what is known of a number; None if nothing."""
    if newer is None:
        return earlier
    if newer.high is not None or earlier.high is None or earlier.high < newer.low:
        return None
    return Bounds(max(newer.low, earlier.low), earlier.high)


def _find_unwithheld(entry: LedgerEntry, numbers: dict[Population, int | None]) -> Iterator[str]:
    """Numbers that an earlier release withheld and this one prints."""
    for figure in entry.figures:
        if figure.number is None and (number := numbers.get(figure.population)):
            yield describe_reprint(figure.population, number, entry.name)


def _collect_neighbour_keys(
    counted_populations: Iterable[Population],
) -> set[tuple[str, frozenset[Condition]]]:
    """What related populations share: all conditions, or all but one."""
    return {
        (population.unit, criteria)
        for population in counted_populations
        for criteria in (
            population.conditions,
            *(population.conditions - {condition} for condition in population.conditions),
        )
    }


def _are_related(first: Iterable[Population], second: Iterable[Population]) -> bool:
    """Whether a population of one release is beside, within or around one of another."""
    if _collect_neighbour_keys(first) & _collect_neighbour_keys(second):
        return True
    return any(
        True
        for populations, others in ((first, second), (second, first))
        for index in [NestingIndex(populations)]
        for outer in others
        for _ in index.find_members(outer)
    )


class _JointKnowledge(NamedTuple):
    """What a reader of the new and the related earlier releases knows; ``sources`` are the releases
    of the numbers that the new one does not print, and ``withheld`` what the new one withholds."""

    system: ConstraintSystem
    bounds: dict[Population, Bounds]
    sources: dict[Population, LedgerEntry]
    withheld: set[Population]
    earlier_constraints: tuple[LinearConstraint, ...]

    def find_number(self, population: Population) -> ReleasedNumber:
        """A number with the release that gives it."""
        return ReleasedNumber(population, self.bounds[population], self.name_source(population))

    def name_source(self, population: Population) -> str:
        """The release that gives a number, for a message."""
        entry = self.sources.get(population)
        return entry.name if entry and population not in self.withheld else THIS_RELEASE

    @property
    def earlier_names(self) -> set[str]:
        """The earlier releases, for a message."""
        return {entry.name for entry in self.sources.values()}

    def largest_threshold(self, policy: Policy) -> int:
        """The threshold of the new release or of an earlier one, whichever is largest."""
        return max(policy.threshold, *(entry.threshold for entry in self.sources.values()))

    def earlier_attacker(self) -> Attacker:
        """An attacker who has not read the new release."""
        entries = [*{id(entry): entry for entry in self.sources.values()}.values()]
        old_bounds = {
            population: bounds
            for entry in entries
            for population, bounds in entry.known_bounds().items()
        }
        # The numbers of the new release as well: earlier ones may have given them away already.
        attacker = self._find_attacker(old_bounds, self.earlier_constraints)
        if attacker is None:  # they contradict each other, and that reader believed most of them
            before = self._join_before(entries)
            attacker = self._find_attacker(before.bounds, before.constraints)
        if attacker is None:
            kept_bounds = {population: self.bounds[population] for population in self.sources}
            attacker = self._find_attacker(kept_bounds, self.earlier_constraints)
        return attacker or Attacker(self.system, self.bounds)

    def _find_attacker(
        self, bounds: Mapping[Population, Bounds], constraints: tuple[LinearConstraint, ...]
    ) -> Attacker | None:
        """An attacker of all numbers who knows these bounds; None if they rule each other out."""
        for presuming in (True, False):
            system = build_system(
                [*self.bounds, *bounds], constraints, presuming=presuming, most_kinds=MAX_KINDS
            )
            if are_consistent(system, bounds):
                return Attacker(system, bounds)
        return None

    def _join_before(self, entries: Sequence[LedgerEntry]) -> _JoinedReleases:
        """What a reader of the earlier releases alone, the newest first, believed of them."""
        newest, *others = entries
        numbers = {population for entry in entries for population in entry.known_bounds()}
        unprinted = [population for population in self.bounds if population not in numbers]
        return _join_earlier(
            dict.fromkeys(unprinted, Bounds(0, None)) | newest.known_bounds(),
            newest.constraints(),
            others[::-1],
            newest.generation,
        )


def _list_disclosures(knowledge: _JointKnowledge, policy: Policy) -> Iterator[str]:
    earlier_attacker = knowledge.earlier_attacker()
    yield from _find_exposed_withheld(knowledge, policy, earlier_attacker)
    differences = [*_find_small_differences(knowledge, policy)]
    yield from differences or _find_small_pieces(knowledge, policy, earlier_attacker)


def _find_small_differences(knowledge: _JointKnowledge, policy: Policy) -> Iterator[str]:
    """A population of one release less a population within it of another."""
    attacker = Attacker(knowledge.system, knowledge.bounds)
    printed = {
        population: bounds.low
        for population, bounds in knowledge.bounds.items()
        if bounds.low == bounds.high
    }
    close_pairs = find_close_pairs(printed, knowledge.largest_threshold(policy))
    pairs = dict.fromkeys([*find_nested_pairs(knowledge.bounds), *close_pairs])
    for inner, outer in pairs:
        entry = knowledge.sources.get(inner) or knowledge.sources.get(outer)
        if entry is None or (inner in knowledge.sources and outer in knowledge.sources):
            continue
        bounds = attacker.interval(subtract_inner(inner, outer))
        if is_small(bounds, max(policy.threshold, entry.threshold)):
            yield describe_difference(
                knowledge.find_number(outer), knowledge.find_number(inner), bounds
            )


def _find_small_pieces(
    knowledge: _JointKnowledge, policy: Policy, earlier_attacker: Attacker
) -> Iterator[str]:
    """Pieces that several releases leave between them."""
    attacker = Attacker(knowledge.system, knowledge.bounds)
    threshold = knowledge.largest_threshold(policy)
    for piece in knowledge.system.pieces:
        bounds = attacker.interval(((piece, 1),))
        if is_small(bounds, threshold) and not _was_already_known(earlier_attacker, piece, bounds):
            yield describe_piece(piece, bounds, knowledge.earlier_names)


def _find_exposed_withheld(
    knowledge: _JointKnowledge, policy: Policy, earlier_attacker: Attacker
) -> Iterator[str]:
    """Withheld numbers that lie in a narrower interval than their policy requires."""
    targets_by_width: dict[int, list[Population]] = {}
    for population, bounds in knowledge.bounds.items():
        if population in knowledge.withheld:
            targets_by_width.setdefault(policy.width, []).append(population)
        elif bounds.high is None:
            width = knowledge.sources[population].policy.width
            targets_by_width.setdefault(width, []).append(population)
    for width, targets in targets_by_width.items():
        ordered = sorted(targets, key=_ORDER)
        narrow = find_narrow_intervals(knowledge.system, knowledge.bounds, ordered, width)
        for population, bounds in narrow.items():
            if not _was_already_known(earlier_attacker, population, bounds):
                yield describe_exposure(
                    population,
                    knowledge.name_source(population),
                    bounds,
                    knowledge.earlier_names,
                )


def _was_already_known(earlier_attacker: Attacker, population: Population, bounds: Bounds) -> bool:
    """Whether earlier releases already showed as much: this one adds nothing, and nothing that it
    withholds can undo that."""
    if population not in earlier_attacker.index_of:
        return False
    earlier = earlier_attacker.interval(((population, 1),))
    return (
        bounds.low <= earlier.low
        and earlier.high is not None
        and (bounds.high is None or earlier.high <= bounds.high)
    )
