"""From an answer to the answer that may be published.

Pure. The published answer does not contain what is withheld: not in its tables, facts, notes, forms
or scope, so no document can print it. Every release is attacked before it is published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cached_property
from operator import attrgetter
from types import MappingProxyType
from typing import Final

import msgspec
from msgspec import UNSET, Struct

from indexer.errors import DisclosureError
from indexer.records.model import PEOPLE_LISTS
from indexer.records.noun import Noun
from queries.answer.condition import AgeCondition, Interval, OfPerson
from queries.answer.condition_text import parse_conditions
from queries.answer.present_rows import explain_absent_terms
from queries.answer.shares import explain_shares
from queries.answer.types import (
    ANY_STATUS,
    NOT_COVERED,
    PEOPLE_UNITS,
    WITHHELD,
    Answer,
    Disclosure,
    NearMissCount,
    NearMisses,
    QuestionAnswer,
    Row,
    SpellingCount,
    TermAnswer,
    count_or_zero,
)
from queries.disclosure.attack.attacker import (
    Attacker,
    Bounds,
    WeightedSum,
    are_consistent,
    find_narrow_intervals,
)
from queries.disclosure.attack.constraints import (
    ConstraintSystem,
    LinearConstraint,
    Population,
    add_kinds,
    build_system,
    find_nested_pairs,
)
from queries.disclosure.attack.nesting import (
    find_close_pairs,
    find_parts_by_victim,
    find_possible_zeros,
)
from queries.disclosure.attack.record_kinds import MAX_KINDS
from queries.disclosure.attack.suppression import (
    MIN_PRICE,
    SuppressionProblem,
    choose_cells,
    subtract_inner,
    tighten_constraints,
    withhold_closed_groups,
)
from queries.disclosure.consistency import check_consistency
from queries.disclosure.policy import Policy
from queries.disclosure.populations import (
    PrintedCell,
    close_tables,
    close_uncovered_pieces,
    count_populations,
    declare_constraints,
    list_occurring,
    list_printed_cells,
    list_totals,
    list_whole_groups,
    map_counts,
)
from queries.disclosure.reviews import clear_withheld_reviews, withhold_small_reviews
from queries.tables.field_filter import explain_chosen_people
from queries.tables.field_values import describe_ages
from queries.tables.period_columns import split_column_key, split_fact_name
from queries.tables.scope import MENTIONS_FILTER

#: More numbers of one release than these are not compared by kinds of records.
_MAX_NUMBERS: Final = 600

_YOUNGEST: Final = "youngest"

_YOUNGEST_SEX: Final = "youngest_sex"

_WITHOUT_PEOPLE: Final = "offences_without_"

NO_POPULATIONS: frozenset[Population] = frozenset()


class Release(Struct, frozen=True):
    """A published answer, the constraints that it was attacked with, and what its reader knows of
    each number by itself."""

    answer: Answer
    constraints: tuple[LinearConstraint, ...]
    known_bounds: dict[Population, Bounds]


def protect_answer(
    answer: Answer,
    policy: Policy,
    *,
    withheld_before: Mapping[Population, int] = MappingProxyType({}),
    public: frozenset[Population] = NO_POPULATIONS,
    moved: frozenset[Population] = NO_POPULATIONS,
) -> Release:
    """The answer as it may be published.

    ``withheld_before`` stay withheld, even if they are 0 now; each is known to be a least number.
    ``public`` are printed elsewhere, so withholding them protects nothing. ``moved`` were printed
    with another number: they are withheld with others only if nothing else will do. Raises
    InexactError if the answer contradicts itself, DisclosureError if it cannot be protected.
    """
    answer = withhold_small_reviews(answer, policy)
    check_consistency(answer)
    cells = list_printed_cells(answer)
    counts = count_populations(cells)
    constraints = tighten_constraints(declare_constraints(answer), counts, policy.threshold)
    systems = _AttackedSystems(answer, counts, constraints)
    problem = make_suppression_problem(cells, counts, systems.by_relations, policy)
    kept_back = frozenset(withheld_before) & counts.keys()
    if policy.whole_groups == "withhold" and not policy.rounding:
        kept_back |= frozenset(list_whole_groups(answer)) - public
    never_zero = frozenset(
        population
        for population in kept_back
        if counts[population] and withheld_before.get(population)
    )
    problem = msgspec.structs.replace(
        problem,
        must=problem.must | kept_back,
        may=problem.may - public,
        weights=_weigh_moved(problem.weights, moved),
        zeros=(problem.zeros - public) | {zero for zero in kept_back if not counts[zero]},
        unsure=kept_back - never_zero,
        sure=never_zero.union(list_occurring(answer)),
        totals=frozenset(list_totals(answer)) & counts.keys(),
    )
    problem, hidden = _choose_by_kinds(problem, systems, policy)
    groups = frozenset(problem.find_closed_groups(hidden))
    published = _redact_answer(close_tables(answer, groups), hidden, policy)
    known_bounds = collect_known_bounds(
        list_printed_cells(published),
        policy,
        unsure=kept_back,
        occurring=never_zero.union(list_occurring(published)),
    )
    _attack_release(published, problem.system, policy, hidden | problem.always, known_bounds)
    return Release(clear_withheld_reviews(published), constraints, known_bounds)


class _AttackedSystems:
    """What a reader of an answer knows of its numbers: from its relations, and from every kind of
    record. The reader supposes what is likely, or, if the numbers rule that out, only what is
    certain."""

    def __init__(
        self,
        answer: Answer,
        counts: dict[Population, int],
        constraints: tuple[LinearConstraint, ...],
    ) -> None:
        self._answer = answer
        self._counts = counts
        self._constraints = constraints
        self._exact = {population: Bounds(n, n) for population, n in counts.items()}
        self._built: dict[bool, ConstraintSystem] = {}

    @cached_property
    def by_relations(self) -> ConstraintSystem:
        """What follows from the relations of the tables and from what is within what."""
        system = self._close(self._build(presuming=True))
        return system if self._is_possible(system) else self._close(self._build(presuming=False))

    def by_kinds(self) -> ConstraintSystem | None:
        """With what follows from every kind of record that the numbers tell apart; None if these
        are too many, or no such records have the numbers."""
        if len(self._counts) > _MAX_NUMBERS:
            return None
        for presuming in (True, False):
            system = add_kinds(self._build(presuming=presuming), MAX_KINDS, presuming=presuming)
            if system is None:
                return None
            closed = self._close(system)
            if self._is_possible(closed):
                return closed
        return None

    def _build(self, *, presuming: bool) -> ConstraintSystem:
        if presuming not in self._built:
            self._built[presuming] = build_system(
                self._counts, self._constraints, presuming=presuming
            )
        return self._built[presuming]

    def _close(self, system: ConstraintSystem) -> ConstraintSystem:
        return close_uncovered_pieces(self._answer, system)

    def _is_possible(self, system: ConstraintSystem) -> bool:
        return are_consistent(system, self._exact)


def list_small_counts(answer: Answer, level: int) -> list[str]:
    """Where counts from 1 to ``level`` - 1 stand, each with its count."""
    near_misses = answer.near_misses.told if answer.near_misses else ()
    return [
        f"{cell.location}: {cell.number}"
        for cell in list_printed_cells(answer)
        if cell.number is not None and 0 < cell.number < level and cell.part != "term"
    ] + [
        f'annex, "{near_miss.wording}", which no figure for "{near_miss.term}" counts: '
        f"{near_miss.added}"
        for near_miss in near_misses
        if near_miss.added is not None and 0 < near_miss.added < level
    ]


def collect_known_bounds(
    cells: Iterable[PrintedCell],
    policy: Policy,
    *,
    unsure: Iterable[Population] = (),
    occurring: Iterable[Population] = (),
) -> dict[Population, Bounds]:
    """What a reader of published cells knows about each number by itself.

    What is withheld is not 0, unless it lies within a closed group or is ``unsure``; what is
    ``occurring`` is not 0 in any case.
    """
    numbers: dict[Population, int | None] = {}
    for cell in cells:
        if numbers.setdefault(cell.population, cell.number) != cell.number:
            raise DisclosureError(
                f"{cell.location}: is withheld in one place and printed in another. Please report "
                "it."
            )
    possible_zeros = (find_possible_zeros(numbers) | {*unsure}) - {*occurring}
    return {
        population: derive_bounds(number, policy, perhaps_zero=population in possible_zeros)
        for population, number in numbers.items()
    }


def derive_bounds(number: int | None, policy: Policy, *, perhaps_zero: bool = False) -> Bounds:
    """What is known about a number from how it is printed."""
    if number is None:
        bounds = _make_withheld_bounds(policy)
        return bounds._replace(low=0) if perhaps_zero else bounds
    if not policy.rounding:
        return Bounds(number, number)
    base = policy.rounding
    return Bounds(max(0, number - base // 2), number + (base - 1) // 2)


def _make_withheld_bounds(policy: Policy) -> Bounds:
    """A withheld number is not 0, because every 0 is printed but those within closed groups; with
    rounding it may be anything."""
    return Bounds(0 if policy.rounding else 1, None)


def round_count(number: int, base: int) -> int:
    """A number rounded to the nearest multiple of ``base``; as it is if that is 0."""
    return (number + base // 2) // base * base if base else number


def make_suppression_problem(
    cells: list[PrintedCell],
    counts: dict[Population, int],
    system: ConstraintSystem,
    policy: Policy,
) -> SuppressionProblem:
    """What to protect in an answer: its counts, and which of them must or may be withheld."""
    nonzero = frozenset(population for population, number in counts.items() if number)
    small = frozenset(
        population for population, number in counts.items() if 0 < number < policy.threshold
    )
    return SuppressionProblem(
        system=system,
        counts=counts,
        shown={
            population: derive_bounds(round_count(number, policy.rounding), policy)
            for population, number in counts.items()
        },
        withheld=_make_withheld_bounds(policy),
        must=small | find_parts_by_victim(small, nonzero),
        may=nonzero,
        width=policy.width,
        weights=dict(Counter(cell.population for cell in cells)),
        always=nonzero if policy.rounding else NO_POPULATIONS,
        zeros=NO_POPULATIONS if policy.rounding else frozenset(counts) - nonzero,
    )


def _weigh_moved(
    weights: Mapping[Population, int], moved: frozenset[Population]
) -> dict[Population, int]:
    everything = sum(weights.values())
    return {
        population: weight * everything if population in moved else weight
        for population, weight in weights.items()
    }


def _choose_by_kinds(
    problem: SuppressionProblem, systems: _AttackedSystems, policy: Policy
) -> tuple[SuppressionProblem, frozenset[Population]]:
    """What to withhold, and the problem that it solves: chosen by the relations of the tables, and
    again, more slowly, if a reader who compares every kind of record knows too much.

    That reader knows more where conditions leave pieces that are not printed: tables state nothing
    of how their rows add up in these.
    """
    first = withhold_closed_groups(problem)
    if not (policy.is_active or first.must):
        return first, NO_POPULATIONS
    hidden = _choose_withheld(first, policy)
    if not (_leaves_pieces(first.system) and hidden | first.always):
        return first, hidden
    system = systems.by_kinds()
    if system is None or _is_protected(
        msgspec.structs.replace(first, system=system), hidden, policy
    ):
        return first, hidden
    second = withhold_closed_groups(msgspec.structs.replace(problem, system=system))
    return second, _choose_withheld(second, policy)


def _leaves_pieces(system: ConstraintSystem) -> bool:
    """Whether conditions leave pieces that are not printed, as periods that overlap do, or one on a
    person leaves of the other people of the same records."""
    return bool(system.pieces) or any(
        isinstance(condition, OfPerson)
        for population in system.populations
        for condition in population.conditions
    )


def _is_protected(
    problem: SuppressionProblem, hidden: frozenset[Population], policy: Policy
) -> bool:
    """Whether a choice protects what is withheld, and every difference."""
    targets = sorted(hidden | problem.always, key=attrgetter("order"))
    bounds = problem.attacker_bounds(hidden)
    narrow = find_narrow_intervals(problem.system, bounds, targets, problem.width)
    return not narrow and not _choose_for_differences(problem, hidden, policy)


def _choose_withheld(problem: SuppressionProblem, policy: Policy) -> frozenset[Population]:
    while True:
        hidden = choose_cells(problem)
        extra = _choose_for_differences(problem, hidden, policy)
        if not extra:
            return hidden
        problem = msgspec.structs.replace(problem, must=hidden | extra)


def _choose_for_differences(
    problem: SuppressionProblem, hidden: frozenset[Population], policy: Policy
) -> frozenset[Population]:
    """What else to withhold because a reader knows that a number that is not printed is small.

    Such a number is the difference of two populations, one within the other, or a piece that
    several leave between them.
    """
    counts = problem.counts
    close_pairs = [
        (inner, outer)
        for inner, outer in find_nested_pairs(counts)
        if 0 < counts[outer] - counts[inner] < policy.threshold
    ]
    totals = {total: counts[total] for total in problem.totals}
    close_pairs += sorted(find_close_pairs(totals, policy.threshold), key=_order_pair)
    pieces = problem.system.pieces
    if not close_pairs and not pieces:
        return NO_POPULATIONS
    attacker = Attacker(problem.system, problem.attacker_bounds(hidden))
    pair_of = {subtract_inner(*pair): pair for pair in close_pairs}
    sums = [*pair_of, *(((piece, 1),) for piece in pieces)]
    small_sum = next(attacker.find_small(sums, policy.threshold), None)
    if small_sum is None:
        return NO_POPULATIONS
    related_cells = pair_of.get(small_sum) or _find_related_cells(small_sum[0][0], problem)
    allowed = problem.may - hidden
    candidates = [population for population in related_cells if population in allowed]
    if not candidates and not _is_known_small(small_sum, problem, hidden | allowed, policy):
        candidates = _find_binding_cells(attacker, small_sum, problem, allowed)
    if candidates:
        return frozenset(candidates[:1])
    raise DisclosureError(
        f"a small number can be worked out from {related_cells[0].words}, and every number "
        "that gives it away is already public. Ask for less, or record why it may go out: "
        "--override REASON."
    )


def _order_pair(pair: tuple[Population, Population]) -> tuple[object, object]:
    return pair[0].order, pair[1].order


def _is_known_small(
    terms: WeightedSum, problem: SuppressionProblem, hidden: frozenset[Population], policy: Policy
) -> bool:
    """Whether a sum is known to be small even if all of these are withheld."""
    attacker = Attacker(problem.system, problem.attacker_bounds(hidden))
    return is_small(attacker.interval(terms), policy.threshold)


def _find_binding_cells(
    attacker: Attacker,
    terms: WeightedSum,
    problem: SuppressionProblem,
    allowed: frozenset[Population],
) -> list[Population]:
    """The printed numbers that bound a sum, or all if none does; the smallest first."""
    flipped = tuple((population, -coefficient) for population, coefficient in terms)
    extremes = [attacker.minimise(terms), attacker.minimise(flipped)]
    priced = {
        population
        for extreme in extremes
        for population, price in zip(attacker.index_of, extreme.prices, strict=True)
        if abs(price) > MIN_PRICE
    }
    return sorted(
        priced & allowed or allowed,
        key=lambda population: (problem.counts[population], population.order),
    )


def _find_related_cells(piece: Population, problem: SuppressionProblem) -> list[Population]:
    """The printed numbers that a piece is related to, the smallest first."""
    related_cells = {
        population
        for relation in problem.system.constraints
        if any(part == piece for part, _ in relation.terms)
        for population, _ in relation.terms
        if population in problem.counts
    }
    return sorted(
        related_cells, key=lambda population: (problem.counts[population], population.order)
    )


def is_small(bounds: Bounds, threshold: int) -> bool:
    """Whether a number is known to be from 1 to the threshold - 1."""
    return bounds.low >= 1 and bounds.high is not None and bounds.high < threshold


def _attack_release(
    published: Answer,
    system: ConstraintSystem,
    policy: Policy,
    targets: frozenset[Population],
    known_bounds: dict[Population, Bounds],
) -> None:
    """Attack what is published, as a reader sees it, number by number.

    Raises DisclosureError if a number can be worked out.
    """
    if not policy.is_active:
        return
    locations = {cell.population: cell.location for cell in list_printed_cells(published)}
    narrow = find_narrow_intervals(
        system,
        known_bounds,
        sorted(targets & locations.keys(), key=attrgetter("order")),
        policy.width,
    )
    for population, bounds in narrow.items():
        raise DisclosureError(
            f"{locations[population]}: would be known to lie from {bounds.low} to {bounds.high}. "
            "Nothing is published; please report it."
        )


def _redact_answer(answer: Answer, hidden: frozenset[Population], policy: Policy) -> Answer:
    """The answer without what is withheld."""

    def printed(cell: PrintedCell) -> int | None:
        if cell.number is None or cell.population in hidden:
            return None
        return round_count(cell.number, policy.rounding)

    rounded_answer = map_counts(answer, printed)
    questions = tuple(
        _redact_question(old, new, policy, answer)
        for old, new in zip(answer.questions, rounded_answer.questions, strict=True)
    )
    scope = msgspec.structs.replace(
        rounded_answer.scope, terms=_redact_terms(rounded_answer.scope.terms, policy)
    )
    in_scope = 0 if scope.records == NOT_COVERED else derive_bounds(scope.records, policy).low or 0
    return msgspec.structs.replace(
        rounded_answer,
        scope=scope,
        questions=questions,
        # Whoever guesses the records could try the guess on the hash of a file of them.
        provenance=msgspec.structs.replace(rounded_answer.provenance, basis=None),
        near_misses=_redact_near_misses(rounded_answer.near_misses, policy, in_scope),
        measured_coverage=msgspec.structs.replace(
            answer.coverage, empty_months=(), textless_months=()
        )
        if answer.coverage
        else UNSET,
        disclosure=Disclosure(
            threshold=policy.threshold,
            rounding=policy.rounding,
            youngest=policy.youngest,
            withheld=sum(
                count is None
                for question in questions
                for row in question.table.rows_and_total
                for count in row.counts
            ),
            overrides=policy.overrides,
        ),
    )


def _redact_question(
    old: QuestionAnswer, new: QuestionAnswer, policy: Policy, answer: Answer
) -> QuestionAnswer:
    """The question with the notes, facts and forms that may be published."""
    counted = {figure.name for figure in new.figures}
    touched = (
        bool(policy.rounding)
        or any(None in row.counts for row in new.table.rows_and_total)
        or any(new.facts[name] is None for name in counted)
    )
    facts: dict[str, int | str | None] = {}
    for name, value in new.facts.items():
        if value == NOT_COVERED:
            facts[name] = value
        elif split_fact_name(name)[0] == _YOUNGEST:
            facts[name] = _redact_youngest(name, old, new, policy)
        elif split_fact_name(name)[0] == _YOUNGEST_SEX:
            # Of one person, or a few, whatever the number of victims.
            facts[name] = value if policy.youngest == "give" else WITHHELD
        elif name in counted or not touched:
            facts[name] = value
        else:  # a single value that may reveal what is withheld
            facts[name] = WITHHELD
    conditions = parse_conditions((*answer.scope.means, *new.means))
    lasting_notes = (
        *_list_overlap_notes(new, answer.noun),
        *explain_chosen_people(conditions, new.table.columns[0].unit, answer.noun),
    )
    return msgspec.structs.replace(
        new,
        facts=facts,
        notes=lasting_notes if touched else new.notes,
        sums=() if touched else new.sums,
        terms=_redact_terms(new.terms, policy),
    )


def _list_overlap_notes(question: QuestionAnswer, noun: Noun) -> tuple[str, ...]:
    """The notes of a table that hold whatever its numbers are."""
    table = question.table
    disjoint_axes = {
        relation.over: True
        for relation in table.relations
        if relation.kind == "sum" and relation.total in (table.total.key, table.columns[0].key)
    }
    people = PEOPLE_LISTS.get(ANY_STATUS.get(table.columns[0].unit, table.columns[0].unit))
    counted = people.singular if people else "record"
    notes = []
    if "rows" not in disjoint_axes:
        notes.append(f"A {counted} may be in several rows; the total counts each once.")
    elif any(column.unit in PEOPLE_UNITS for column in table.columns):
        notes.append("One person may be in several rows; the total counts each once.")
    notes += [
        f"{noun.plural.capitalize()} without a {people.singular} are in no row."
        for people in PEOPLE_LISTS.values()
        if question.facts.get(f"{_WITHOUT_PEOPLE}{people.singular}", 0) not in (0, NOT_COVERED)
    ]
    if "columns" not in disjoint_axes and len({column.unit for column in table.columns}) < len(
        table.columns
    ):
        notes.append(f"A {counted} may be in several columns; the first column counts each once.")
    return (*notes, *explain_absent_terms(question), *explain_shares(table))


def _redact_terms(terms: tuple[TermAnswer, ...], policy: Policy) -> tuple[TermAnswer, ...]:
    """The terms with the forms that occur, but not how many records have each.

    The forms of a term whose number is withheld, or rounded to 0, would say what its few records
    have, and whether there are any.
    """
    return tuple(
        msgspec.structs.replace(
            term,
            forms=tuple(
                SpellingCount(name, None) for name in sorted(form.form for form in term.forms)
            )
            if count_or_zero(term.records) or not policy.is_active
            else (),
        )
        for term in terms
    )


def _redact_near_misses(
    near_misses: NearMisses | None, policy: Policy, in_scope: int
) -> NearMisses | None:
    """The near misses in enough records, without their numbers, which nothing protects.

    A word that many records in scope contain shows that the scope has at least that many. So it is
    left out if ``in_scope``, the least number of records that a reader knows of, is smaller.
    """
    if near_misses is None:
        return None
    threshold = max(near_misses.least, policy.minimum_group)
    keys = {
        (near_miss.term, near_miss.places, near_miss.wording)
        for near_miss in near_misses.told
        if (near_miss.records or 0) >= threshold
        and (near_miss.places == (MENTIONS_FILTER,) or in_scope >= threshold)
    }
    return NearMisses(
        threshold,
        near_misses.complete,
        tuple(NearMissCount(*key, None, None) for key in sorted(keys)),
    )


def _redact_youngest(
    name: str, old: QuestionAnswer, new: QuestionAnswer, policy: Policy
) -> int | str | None:
    """The youngest age, unless the people who may have it are few, or their number is withheld."""
    age = old.facts[name]
    if policy.youngest == "give":
        return age
    if not isinstance(age, int):  # "nobody has an age" would tell 0 from a few
        return WITHHELD if policy.rounding or None in new.table.total.counts else age
    of_periods = [
        fact
        for fact in old.facts
        if split_fact_name(fact)[0] == _YOUNGEST and split_fact_name(fact)[1] is not None
    ]
    index = of_periods.index(name) if name in of_periods else None
    bands = [row for row in old.table.rows if _contains_age(row, age)]
    band = bands[0] if bands else None
    groups = {old.table.total.key, *(row.key for row in bands)}
    numbers = [
        (before, after)
        for old_row, new_row in zip(old.table.rows_and_total, new.table.rows_and_total, strict=True)
        if old_row.key in groups
        for column, before, after in zip(
            old.table.columns, old_row.counts, new_row.counts, strict=True
        )
        if split_column_key(column.key)[1] == index
    ]
    if all(
        after is not None and count_or_zero(before) >= policy.minimum_group
        for before, after in numbers
    ):
        return age
    if policy.rounding and any(count_or_zero(after) < policy.minimum_group for _, after in numbers):
        return WITHHELD
    if policy.youngest == "band" and band and band.kind == "asked":
        return _describe_band(band)
    return WITHHELD


def _describe_band(row: Row) -> str:
    """An age band in a sentence: "aged 12 to 15", also if its label is another."""
    label = row.label if row.label.startswith("Aged ") else describe_ages(*_list_ages(row)[0])
    return label[:1].lower() + label[1:]


def _list_ages(row: Row) -> list[Interval]:
    """The ages of an age band, by their first and last."""
    return [
        interval
        for condition in parse_conditions(row.means)
        if isinstance(condition, AgeCondition)
        for interval in condition.intervals
    ]


def _contains_age(row: Row, age: int) -> bool:
    """Whether a row is an age band that contains an age."""
    return any(first <= age <= last for first, last in _list_ages(row))
