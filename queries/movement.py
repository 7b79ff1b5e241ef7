"""Which records moved the numbers of an answer, and why: what they were then, and are now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, Literal

from msgspec import Struct

from indexer.records import DELETED
from queries.facts import Facts, Near, Traced
from queries.membership import Counts
from queries.numbers import Moved, Place
from queries.scope import MENTIONS, OFFENCES, PERIOD, Scope

Kind = Literal[
    "added", "deleted", "forgotten", "status", "code", "date", "wording", "victims", "links",
    "outcome", "category", "unknown", "rule",
]  # fmt: skip

# How a condition of the scope begins, now and in older bases, and what changed in a record that now
# satisfies it.
_CONDITIONS: Final[dict[str, Kind]] = {
    "the sex of a victim is ": "victims",
    "the outcome is ": "outcome",
    "Sex of a victim: ": "victims",
    "Outcome: ": "outcome",
}


class Reason(Struct, frozen=True):
    """Why a record counts otherwise, in a word and in words."""

    kind: Kind
    text: str


class Mover(Struct, frozen=True):
    """A record that counts otherwise: why, and the numbers it left, entered, or counts another
    number of times in."""

    crime_ref: str
    reasons: tuple[Reason, ...]
    left: tuple[Place, ...] = ()
    entered: tuple[Place, ...] = ()
    changed: tuple[Place, ...] = ()


class Then(Struct, frozen=True):
    """What is known of the records of the answer.

    ``outside`` are those not in scope then: what they were, or what they lacked; ``complete`` is
    whether a record that is not in it was not held, ``narrow`` whether all that lacked one thing
    are in it.
    """

    traced: Mapping[str, Traced]
    outside: Mapping[str, Facts | Near]
    complete: bool
    narrow: bool


class Now(Struct, frozen=True):
    """What is known of the records today; ``outside`` are those that were in scope and are not."""

    traced: Mapping[str, Traced]
    outside: Mapping[str, Facts]


def movers(
    then: Then, now: Now, moved: Sequence[Moved], scope: Scope, built_on: date
) -> list[Mover]:
    """Every record that counts otherwise, by reference. ``built_on`` is when what was asked then
    was built."""
    derived = [one.place for one in moved if is_derived(one.place)]
    found = []
    for reference in sorted({*then.traced, *now.traced}):
        before, after = then.traced.get(reference), now.traced.get(reference)
        was = before.counts if before else {}
        is_now = after.counts if after else {}
        differs = [place for place in {**was, **is_now} if was.get(place) != is_now.get(place)]
        also = [
            place
            for place in derived
            if _asked_about(place, was, is_now) and _may_move(place, differs, before, after)
        ]
        if not differs and not also:
            continue
        reasons = _reasons(reference, then, now, scope, built_on)
        left = tuple(place for place in differs if place not in is_now)
        entered = tuple(place for place in differs if place not in was)
        changed = tuple(place for place in differs if place in was and place in is_now)
        found.append(Mover(reference, tuple(reasons), left, entered, (*changed, *also)))
    return found


def unexplained(then: Then, now: Now, moved: Iterable[Moved]) -> list[Moved]:
    """The numbers that moved by another amount than the records do."""
    added: Counts = {}
    for sign, side in ((-1, then.traced), (1, now.traced)):
        for one in side.values():
            for place, number in one.counts.items():
                added[place] = added.get(place, 0) + sign * number
    return [
        one
        for one in moved
        if not is_derived(one.place)
        and _number(one.now) - _number(one.was) != added.get(one.place, 0)
    ]


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def is_derived(place: Place) -> bool:
    """Whether a number is no sum over records: a fact, or a count of different people."""
    return place.part == "fact" or place.column.startswith("people")


def _asked_about(place: Place, was: Counts, is_now: Counts) -> bool:
    """Whether the record counts, then or now, where a derived number is found: in the row of
    people, in the question of a fact."""
    return any(_beside(one, place) for one in (*was, *is_now))


def _may_move(
    place: Place, differs: list[Place], before: Traced | None, after: Traced | None
) -> bool:
    """Whether a record may have moved a derived number."""
    victims = bool(before and after and before.facts.victims != after.facts.victims)
    return victims or any(_beside(one, place) for one in differs)


def _beside(one: Place, derived: Place) -> bool:
    if one.question != derived.question:
        return False
    return derived.part == "fact" or (one.part, one.row) == (derived.part, derived.row)


def _reasons(reference: str, then: Then, now: Now, scope: Scope, built_on: date) -> list[Reason]:
    after = now.traced[reference].facts if reference in now.traced else now.outside.get(reference)
    before = (
        then.traced[reference].facts if reference in then.traced else then.outside.get(reference)
    )
    if after is None:
        return [Reason("deleted", "deleted or forgotten: no longer held")]
    if after.status == DELETED:
        day = f"{after.deleted_at:%Y-%m-%d %H:%M} UTC" if after.deleted_at else "a day not known"
        if after.forgotten:
            return [Reason("forgotten", f"forgotten on {day}, with foidex forget")]
        return [Reason("deleted", f"deleted, as of {day}")]
    if before is None:
        return [_newcomer(after, then, built_on)]
    if isinstance(before, Facts) and before.status == DELETED:
        gone = "forgotten" if before.forgotten else "deleted"
        return [Reason("added", f"added again: it was {gone}")]
    found = [*_plain(before, after, scope)]
    if isinstance(before, Near):
        found += _lacked(before, after, scope, found)
    else:
        found += _hashed(before, after, scope)
    if not found:
        text = "nothing in it differs: foidex counts it otherwise than it did then"
        found.append(Reason("rule", text))
    return found


def _newcomer(after: Facts, then: Then, built_on: date) -> Reason:
    if then.complete or date.fromisoformat(after.recorded_on) > built_on:
        return Reason("added", "added: it was not held then")
    if then.narrow:
        return Reason(
            "added",
            "added since; or it was held then, and more than one thing kept it out of scope",
        )
    return Reason("unknown", "came into scope since: added or changed, and nothing kept says which")


def _plain(before: Facts | Near, after: Facts, scope: Scope) -> Iterable[Reason]:
    """What the fields that are kept whole tell."""
    if before.status != after.status:
        yield Reason("status", f"status {before.status} -> {after.status}")
    if before.offence_code != after.offence_code:
        yield Reason("code", f"offence code {before.offence_code} -> {after.offence_code}")
    if before.recorded_on != after.recorded_on:
        was, is_now = (_within(one.recorded_on, scope) for one in (before, after))
        said = {
            (True, False): ", out of the period",
            (False, True): ", into the period",
        }.get((was, is_now), "")
        yield Reason("date", f"recorded on {before.recorded_on} -> {after.recorded_on}{said}")


def _within(day: str, scope: Scope) -> bool:
    when = date.fromisoformat(day)
    return not scope.periods or any(
        (one.start or date.min) <= when <= (one.end or date.max) for one in scope.periods
    )


def _hashed(before: Facts, after: Facts, scope: Scope) -> Iterable[Reason]:
    """What the hashes, and the terms mentioned, tell."""
    if before.narrative != after.narrative:
        yield Reason("wording", f"wording changed{_terms(before.says, after.says, scope)}")
    if before.victims != after.victims:
        yield Reason("victims", "victims changed")
    if before.linked != after.linked:
        yield Reason("links", "links changed")
    if before.outcome != after.outcome:
        yield Reason("outcome", f"outcome {_said(before.outcome)} -> {_said(after.outcome)}")
    if before.categories != after.categories:
        yield Reason("category", "a category changed")


def _said(outcome: int | None) -> str:
    return "none" if outcome is None else str(outcome)


def _terms(was: Sequence[int], is_now: Sequence[int], scope: Scope) -> str:
    lost = [scope.mentions[one].label for one in was if one not in is_now]
    won = [scope.mentions[one].label for one in is_now if one not in was]
    said = [
        f"{verb} {' or '.join(chr(34) + one + chr(34) for one in terms)}"
        for verb, terms in (("no longer mentions", lost), ("now mentions", won))
        if terms
    ]
    return f": it {' and '.join(said)}" if said else ""


def _lacked(before: Near, after: Facts, scope: Scope, found: list[Reason]) -> Iterable[Reason]:
    """What the record lacked then and has now tells, where no field that is kept whole does."""
    if before.lacks == MENTIONS:
        yield Reason("wording", f"wording changed{_terms((), after.says, scope)}")
    elif before.lacks not in (PERIOD, OFFENCES) and not any(one.kind == "code" for one in found):
        kinds = (kind for begun, kind in _CONDITIONS.items() if before.lacks.startswith(begun))
        kind: Kind = next(kinds, "category")
        yield Reason(kind, f'changed in what the request asks for ("{before.lacks}")')
