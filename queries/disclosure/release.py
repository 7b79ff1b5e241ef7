"""From an answer to the answer that may be published.

Pure. The published answer does not hold what is withheld: not in its tables, facts, notes, forms or
scope, so no rendering can print it. Every release is attacked before it is given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

import msgspec
from msgspec import Struct

from indexer.errors import DisclosureError
from queries import conditions, consistency
from queries.answer import (
    WITHHELD,
    Answer,
    Disclosure,
    Form,
    NearMisses,
    NotCounted,
    QuestionAnswer,
    Row,
    TermFound,
)
from queries.disclosure import certain, populations, suppression
from queries.disclosure.certain import Linear, Population, System
from queries.disclosure.policy import Policy
from queries.disclosure.populations import Cell
from queries.disclosure.reader import Bounds, Reader, Terms, given_away
from queries.periods import column_of
from queries.scope import MENTIONS

_YOUNGEST: Final = "youngest"
_WITHOUT_VICTIM: Final = "offences_without_victim"
NOTHING: frozenset[Population] = frozenset()


class Release(Struct, frozen=True):
    """A published answer, and what was assumed of its reader when it was attacked."""

    answer: Answer
    stated: tuple[Linear, ...]


def release(
    answer: Answer,
    policy: Policy,
    *,
    withheld_before: frozenset[Population] = NOTHING,
    public: frozenset[Population] = NOTHING,
) -> Release:
    """The answer as it may be published.

    ``withheld_before`` stay withheld; ``public`` are printed elsewhere, so that withholding them
    protects nothing. Raises InexactError where the answer contradicts itself, DisclosureError where
    it cannot be protected.
    """
    consistency.check(answer)
    cells = populations.cells(answer)
    counts = {cell.population: cell.number for cell in cells if cell.number is not None}
    stated = suppression.tightened(populations.stated(answer), counts)
    system = certain.joint(counts, stated)
    problem = _problem(cells, counts, system, policy)
    problem = msgspec.structs.replace(
        problem,
        must=problem.must | {one for one in withheld_before if counts.get(one)},
        may=problem.may - public,
    )
    hidden = _hidden(problem, policy) if policy.on or problem.must else NOTHING
    published = _published(answer, hidden, policy)
    _prove(published, system, policy, hidden | problem.always)
    return Release(published, stated)


def small(answer: Answer, level: int) -> list[str]:
    """The places of counts from 1 to ``level`` - 1, each with its count."""
    near = answer.near_misses.told if answer.near_misses else ()
    return [
        f"{cell.place}: {cell.number}"
        for cell in populations.cells(answer)
        if cell.number is not None and 0 < cell.number < level and ", term " not in cell.place
    ] + [
        f'annex, "{one.wording}", which no figure for "{one.term}" counts: {one.added}'
        for one in near
        if one.added is not None and 0 < one.added < level
    ]


def known(cells: Iterable[Cell], policy: Policy) -> dict[Population, Bounds]:
    """What a reader of published cells knows of each number by itself."""
    found: dict[Population, Bounds] = {}
    for cell in cells:
        bounds = known_of(cell.number, policy)
        if found.setdefault(cell.population, bounds) != bounds:
            raise DisclosureError(
                f"{cell.place}: is withheld in one place and printed in another. Please report it."
            )
    return found


def known_of(number: int | None, policy: Policy) -> Bounds:
    """What is known of a number by how it is printed."""
    if number is None:
        return _unknown(policy)
    if not policy.rounding:
        return Bounds(number, number)
    base = policy.rounding
    return Bounds(max(0, number - base // 2), number + (base - 1) // 2)


def _unknown(policy: Policy) -> Bounds:
    """A withheld number is not 0, as every 0 is printed; under rounding it may be anything."""
    return Bounds(0 if policy.rounding else 1, None)


def _rounded(number: int, base: int) -> int:
    return (number + base // 2) // base * base if base else number


def _problem(
    cells: list[Cell], counts: dict[Population, int], system: System, policy: Policy
) -> suppression.Problem:
    some = frozenset(one for one, number in counts.items() if number)
    return suppression.Problem(
        system=system,
        counts=counts,
        shown={one: known_of(_rounded(n, policy.rounding), policy) for one, n in counts.items()},
        withheld=_unknown(policy),
        must=frozenset(one for one, number in counts.items() if 0 < number < policy.threshold),
        may=some,
        width=policy.width,
        weights=dict(Counter(cell.population for cell in cells)),
        always=some if policy.rounding else NOTHING,
    )


def _hidden(problem: suppression.Problem, policy: Policy) -> frozenset[Population]:
    while True:
        hidden = suppression.choose(problem)
        more = _small_differences(problem, hidden, policy)
        if not more:
            return hidden
        problem = msgspec.structs.replace(problem, must=hidden | more)


def _small_differences(
    problem: suppression.Problem, hidden: frozenset[Population], policy: Policy
) -> frozenset[Population]:
    """What else to withhold, for a difference nobody printed that a reader knows to be small.

    It is of two populations, one within the other, or a piece that several leave between them.
    """
    counts = problem.counts
    near = [
        (inner, outer)
        for inner, outer in certain.nested(counts)
        if 0 < counts[outer] - counts[inner] < policy.threshold
    ]
    pieces = problem.system.helpers
    if not near and not pieces:
        return NOTHING
    reader = Reader(problem.system, problem.known(hidden))
    for terms, about in (
        *((suppression.difference(*pair), pair) for pair in near),
        *((((piece, 1),), _beside(piece, problem)) for piece in pieces),
    ):
        if is_small(reader.interval(terms), policy.threshold):
            may = problem.may - hidden
            free = [one for one in about if one in may]
            if not free and not _is_told(terms, problem, hidden | may, policy):
                free = _telling(reader, terms, problem, may)
            if free:
                return frozenset(free[:1])
            raise DisclosureError(
                f"a small number can be worked out from {about[0].words}, and all that tells it is "
                "already public. Ask for less, or record why it may go out: --override REASON."
            )
    return NOTHING


def _is_told(
    terms: Terms, problem: suppression.Problem, hidden: frozenset[Population], policy: Policy
) -> bool:
    """Whether a sum is known to be small even with all of these withheld."""
    reader = Reader(problem.system, problem.known(hidden))
    return is_small(reader.interval(terms), policy.threshold)


def _telling(
    reader: Reader, terms: Terms, problem: suppression.Problem, may: frozenset[Population]
) -> list[Population]:
    """The printed numbers that bound a sum, or where none does, all; the least first."""
    flipped = tuple((one, -coefficient) for one, coefficient in terms)
    extremes = [reader.least(terms), reader.least(flipped)]
    priced = {
        one
        for extreme in extremes
        for one, price in zip(reader.place, extreme.prices, strict=True)
        if abs(price) > suppression.PRICE
    }
    return sorted(priced & may or may, key=lambda one: (problem.counts[one], one.order))


def _beside(piece: Population, problem: suppression.Problem) -> list[Population]:
    """The printed numbers that a piece is related to, the least first."""
    together = {
        one
        for relation in problem.system.relations
        if any(part == piece for part, _ in relation.terms)
        for one, _ in relation.terms
        if one in problem.counts
    }
    return sorted(together, key=lambda one: (problem.counts[one], one.order))


def is_small(bounds: Bounds, threshold: int) -> bool:
    """Whether a number is known to be from 1 to the threshold - 1."""
    return bounds.low >= 1 and bounds.high is not None and bounds.high < threshold


def _prove(
    published: Answer, system: System, policy: Policy, wanted: frozenset[Population]
) -> None:
    """Attack what is published, as a reader finds it, number by number."""
    if not policy.on:
        return
    cells = populations.cells(published)
    places = {cell.population: cell.place for cell in cells}
    narrow = given_away(
        system, known(cells, policy), sorted(wanted, key=attrgetter("order")), policy.width
    )
    for one, found in narrow.items():
        raise DisclosureError(
            f"{places[one]}: would be known to lie from {found.low} to {found.high}. "
            "Nothing is published; please report it."
        )


def _published(answer: Answer, hidden: frozenset[Population], policy: Policy) -> Answer:
    """The answer without what is withheld."""

    def printed(cell: Cell) -> int | None:
        if cell.number is None or cell.population in hidden:
            return None
        return _rounded(cell.number, policy.rounding)

    found = populations.mapped(answer, printed)
    questions = tuple(
        _question(old, new, policy)
        for old, new in zip(answer.questions, found.questions, strict=True)
    )
    scope = msgspec.structs.replace(found.scope, terms=_terms(found.scope.terms))
    in_scope = known_of(scope.records, policy).low or 0
    return msgspec.structs.replace(
        found,
        scope=scope,
        questions=questions,
        # Whoever guesses the records could try the guess on the hash of a file of them.
        provenance=msgspec.structs.replace(found.provenance, basis=None),
        near_misses=_near_misses(found.near_misses, policy, in_scope),
        disclosure=Disclosure(
            threshold=policy.threshold,
            rounding=policy.rounding,
            youngest=policy.youngest,
            withheld=sum(
                count is None for one in questions for row in _rows(one) for count in row.counts
            ),
            overrides=policy.overrides,
        ),
    )


def _rows(question: QuestionAnswer) -> tuple[Row, ...]:
    return (*question.table.rows, question.table.total)


def _question(old: QuestionAnswer, new: QuestionAnswer, policy: Policy) -> QuestionAnswer:
    """The question with the notes, facts and forms that may stay."""
    counted = {figure.name for figure in new.figures}
    touched = (
        bool(policy.rounding)
        or any(None in row.counts for row in _rows(new))
        or any(new.facts[name] is None for name in counted)
    )
    facts: dict[str, int | str | None] = {}
    for name, value in new.facts.items():
        if name.split(" [")[0] == _YOUNGEST:
            facts[name] = _youngest(name, old, new, policy)
        elif name in counted or not touched:
            facts[name] = value
        else:  # a single value that may tell of what is withheld
            facts[name] = WITHHELD
    return msgspec.structs.replace(
        new,
        facts=facts,
        notes=_overlaps(new) if touched else new.notes,
        terms=_terms(new.terms),
    )


def _overlaps(question: QuestionAnswer) -> tuple[str, ...]:
    """The notes of a table that hold whatever its numbers are."""
    table = question.table
    apart = {
        one.over: True
        for one in table.relations
        if one.kind == "sum" and one.whole in (table.total.key, table.columns[0].key)
    }
    notes = []
    if "rows" not in apart:
        notes.append("Rows may overlap; the total counts each once.")
    elif any(column.unit == certain.PEOPLE for column in table.columns):
        notes.append("One person may be in several rows; the total counts each once.")
    if question.facts.get(_WITHOUT_VICTIM, 0) != 0:
        notes.append("Offences without a victim are in no row.")
    if "columns" not in apart and len({column.unit for column in table.columns}) < len(
        table.columns
    ):
        notes.append("Columns may overlap; the first counts each once.")
    return tuple(notes)


def _terms(terms: tuple[TermFound, ...]) -> tuple[TermFound, ...]:
    """The terms with the forms found, but not how many records have each."""
    return tuple(
        msgspec.structs.replace(
            term, forms=tuple(Form(name, None) for name in sorted(form.form for form in term.forms))
        )
        for term in terms
    )


def _near_misses(found: NearMisses | None, policy: Policy, in_scope: int) -> NearMisses | None:
    """The near misses that enough records hold, without their numbers, which nothing protects.

    That so many records of the scope hold a word tells that the scope has so many: it goes where
    ``in_scope``, which a reader knows to be the least, is fewer.
    """
    if found is None:
        return None
    least = max(found.least, policy.few)
    told = {
        (one.term, one.places, one.wording)
        for one in found.told
        if (one.records or 0) >= least and (one.places == (MENTIONS,) or in_scope >= least)
    }
    return NearMisses(
        least, found.complete, tuple(NotCounted(*one, None, None) for one in sorted(told))
    )


def _youngest(
    name: str, old: QuestionAnswer, new: QuestionAnswer, policy: Policy
) -> int | str | None:
    """The youngest age, unless those it may be of are few or withheld."""
    age = old.facts[name]
    if policy.youngest == "give":
        return age
    if not isinstance(age, int):  # that nobody has an age would tell a rounded 0 from a few
        return WITHHELD if policy.rounding else age
    named = [fact for fact in old.facts if fact.startswith(f"{_YOUNGEST} [")]
    place = named.index(name) if name in named else None
    band = next((row for row in old.table.rows if _holds(row, age)), None)
    groups = {old.table.total.key, band.key if band else ""}
    numbers = [
        (before, after)
        for one, other in zip(_rows(old), _rows(new), strict=True)
        if one.key in groups
        for column, before, after in zip(old.table.columns, one.counts, other.counts, strict=True)
        if column_of(column.key)[1] == place
    ]
    if all(after is not None and (before or 0) >= policy.few for before, after in numbers):
        return age
    if policy.rounding and any((after or 0) < policy.few for _, after in numbers):
        return WITHHELD
    if policy.youngest == "band" and band and band.kind == "asked":
        return band.label[:1].lower() + band.label[1:]
    return WITHHELD


def _holds(row: Row, age: int) -> bool:
    """Whether a row is of a band that an age is in."""
    return any(
        first <= age <= last
        for one in row.means
        if conditions.dimension(one) == "age"
        for first, last in conditions.intervals(one)
    )
