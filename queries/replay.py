"""An answer asked again: the same numbers, or exactly which records moved them, and why.

Asks the generation that answered, where it is kept, and the live one. What the records were is told
by the answer's basis, else by the generation that answered. Says in ``doubts`` where the answer is
not as it was made.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import elasticsearch
import msgspec
from elasticsearch import Elasticsearch
from msgspec import Struct

from indexer import generations
from indexer.errors import MovedError, RequestError
from queries import basis as bases
from queries import execute, membership, movement, numbers, trace
from queries import request as requests
from queries.answer import FORMAT, Answer
from queries.basis import Basis
from queries.facts import Facts, Traced
from queries.movement import Mover, Now, Reason, Then
from queries.numbers import Moved, Place
from queries.request import Request


class Number(Struct, frozen=True):
    """A number by its place, and what an answer calls it."""

    place: Place
    label: str


class Record(Struct, frozen=True):
    """A record that counts otherwise: why, the numbers it left and entered, and those that it
    counts another number of times in, or that may have moved with it."""

    crime_ref: str
    reasons: tuple[Reason, ...]
    left: tuple[Number, ...]
    entered: tuple[Number, ...]
    changed: tuple[Number, ...]


class Replay(Struct, frozen=True):
    """What a replay found.

    ``kept`` says whether the generation that answered is, which is not ``known`` to a user who may
    ask the live one alone; ``forgotten`` is how many of its records were forgotten since. ``then``
    are the numbers that it gives otherwise today, ``moved`` those that the live one does.
    ``movers`` are the records that moved them; None where they cannot be named, and ``nameless``
    says why. ``unexplained`` are numbers that moved by another amount than the records do.
    """

    reference: str
    generation: str
    built_at: datetime
    version: str
    kept: bool
    known: bool
    basis: Literal["kept", "not kept", "missing", "wrong"]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    then: tuple[Moved, ...]
    live: str
    live_built_at: datetime
    moved: tuple[Moved, ...]
    movers: tuple[Record, ...] | None
    nameless: str
    unexplained: tuple[Moved, ...]
    forgotten: int = 0

    @property
    def error(self) -> MovedError | None:
        """What the command fails with; None where nothing moved and nothing is in doubt."""
        said = []
        if self.moved:
            by = "" if self.movers is None else f", by {counted(len(self.movers), 'record')}"
            said.append(f"{counted(len(self.moved), 'number')} moved{by}")
        if self.then:
            said.append(f"{len(self.then):,} differ on the generation that answered")
        if self.doubts:
            said.append("the answer is not as it was made")
        return MovedError(f"{self.reference}: {'; '.join(said)}.") if said else None


def counted(number: int, what: str) -> str:
    """A number with its noun: "1 record", "1,234 records"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


class _Kept(NamedTuple):
    """What is left of the answer's time: its basis, and ``there``, what the generation that
    answered says today; and whether that is ``known``."""

    basis: Basis | None
    there: Answer | None
    known: bool


class _Source(NamedTuple):
    """The generation that answered: whether it is kept, whether that is ``known`` to this user, how
    many records were forgotten since, and what in it does not fit the answer."""

    kept: bool
    known: bool = True
    forgotten: int = 0
    doubts: tuple[str, ...] = ()


def read(path: Path) -> Answer:
    """Read an answer from its JSON file. Raises RequestError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise RequestError(
            f"{path}: cannot be read ({error.strerror}). Name an answer's JSON file."
        ) from None
    try:
        raw: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise RequestError(
            f"{path}: is not JSON. Name what foidex answer --format json printed."
        ) from None
    given = raw.get("format") if isinstance(raw, dict) else None
    if given != FORMAT:
        said = f'is of the format "{str(given)[:40]}"' if given else "is no answer"
        raise RequestError(
            f"{path}: {said}; this foidex replays {FORMAT}. Name what foidex answer --format json "
            "printed, and replay it with the version that made it."
        )
    try:
        answer = msgspec.convert(raw, Answer)
    except msgspec.ValidationError as error:
        raise RequestError(
            f"{path}: is not an answer as foidex makes one ({error}). Use the file as it was made."
        ) from None
    if answer.disclosure is not None:
        raise RequestError(
            f"{path}: is a published answer, in which numbers may be withheld. Replay the one that "
            "was answered without --publish."
        )
    return answer


def request_of(answer: Answer, path: Path) -> Request:
    """The request that an answer holds. Raises RequestError, also where the two do not fit."""
    try:
        request = requests.again(answer.request)
        request.scope  # noqa: B018 - reads every term
        numbers.of(answer)
    except RequestError as error:
        raise RequestError(f"{path}: {error}") from None
    except (ValueError, IndexError):
        raise RequestError(
            f"{path}: has a table whose rows and columns do not fit. Use the file as it was made."
        ) from None
    if [one.id for one in request.questions] != [one.id for one in answer.questions]:
        raise RequestError(
            f"{path}: answers other questions than its request asks. Use the file as it was made."
        )
    return request


def replay(  # noqa: PLR0913 - what to ask, and where what was kept is
    client: Elasticsearch, alias: str, answer: Answer, request: Request, folder: Path, most: int
) -> Replay:
    """Ask again, and compare. ``folder`` is the audit folder, ``most`` the most records in scope.

    Raises as ``execute.answer``.
    """
    provenance = answer.provenance
    doubts = _doubts(answer)
    source = _source(client, alias, answer)
    kept = source.kept
    doubts += source.doubts
    basis, state, wrong = _basis(answer, folder)
    doubts += wrong
    then: list[Moved] = []
    live = execute.answer(client, alias, request)
    there = _as_it_answers(client, answer, live, request) if kept else None
    if there:
        then = numbers.moved(answer, there)
    moved = numbers.moved(answer, live)
    notes, changed = _compared(answer, live)
    notes += _notes(source)
    doubts += changed
    movers: list[Mover] | None = []
    nameless = ""
    unexplained: list[Moved] = []
    if moved:
        movers, unexplained, nameless = _movers(
            client, alias, answer, live, request, moved, _Kept(basis, there, source.known), most
        )
    return Replay(
        reference=answer.reference,
        generation=provenance.generation,
        built_at=provenance.built_at,
        version=provenance.version,
        kept=kept,
        known=source.known,
        basis=state,
        doubts=tuple(doubts),
        notes=tuple(notes),
        then=tuple(then),
        live=live.provenance.generation,
        live_built_at=live.provenance.built_at,
        moved=tuple(moved),
        movers=None if movers is None else _records(movers, answer, live),
        nameless=nameless,
        unexplained=tuple(unexplained),
        forgotten=source.forgotten,
    )


def _doubts(answer: Answer) -> list[str]:
    """What in the answer's own file does not fit together."""
    provenance = answer.provenance
    if numbers.hashed(provenance.query) != provenance.query_hash:
        return [
            "The query in the answer is not the one whose hash it holds: the file was changed "
            "after it was made."
        ]
    return []


def _source(client: Elasticsearch, alias: str, answer: Answer) -> _Source:
    """The generation that answered, so far as this user may see it."""
    provenance = answer.provenance
    try:
        one = generations.named(client, alias, provenance.generation)
    except elasticsearch.AuthorizationException:
        return _Source(kept=False, known=False)
    if one is None:
        return _Source(kept=False)
    if (one.built_at, one.mapping_hash) == (provenance.built_at, provenance.mapping_hash):
        # It is sealed, so it holds fewer records than it did only where some were forgotten.
        return _Source(kept=True, forgotten=provenance.records - one.records)
    doubt = (
        f"{one.name} is here, but was built at another time or with another mapping than the "
        "answer says: the answer is of another index, or was changed after it was made."
    )
    return _Source(kept=False, doubts=(doubt,))


def _notes(source: _Source) -> list[str]:
    """What a person must know of the generation that answered, to read the rest."""
    notes = []
    if not source.known:
        notes.append(
            "This user may ask the live generation alone. To ask the one that answered, replay as "
            "a user with the role foidex_auditor (README.md has the roles)."
        )
    return notes


def _basis(
    answer: Answer, folder: Path
) -> tuple[Basis | None, Literal["kept", "not kept", "missing", "wrong"], list[str]]:
    """The answer's basis, what became of it, and what is wrong with it or the answer's numbers."""
    digest = answer.provenance.basis
    if digest is None:
        return None, "not kept", []
    try:
        found = bases.read(folder, digest)
    except RequestError as error:
        return None, "wrong", [f"The basis cannot be used: {error}"]
    if found is None:
        return None, "missing", []
    head, provenance = found.head, answer.provenance
    if (head.generation, head.query_hash) != (provenance.generation, provenance.query_hash):
        return None, "wrong", ["The basis that the answer names is that of another answer."]
    added = membership.sums(one.counts for one in found.records.values())
    said = numbers.of(answer)
    labels = numbers.labels(answer)
    wrong = [place for place in head.places if said.get(place) != added.get(place, 0)]
    return (
        found,
        "kept",
        [
            f"{labels.get(place, 'A number that is not there')}: the answer says "
            f"{said.get(place)}, its basis {added.get(place, 0)}. The answer was changed after it "
            "was made."
            for place in wrong
        ],
    )


def _compared(answer: Answer, live: Answer) -> tuple[list[str], list[str]]:
    """What differs between then and now besides the numbers: notes, and doubts."""
    was, now = answer.provenance, live.provenance
    notes = []
    doubts = []
    if was.version != now.version:
        notes.append(f"foidex {was.version} answered; this is foidex {now.version}.")
    if was.mapping_hash != now.mapping_hash:
        notes.append("The live generation was built with another mapping, or other categories.")
    if was.query_hash != now.query_hash:
        if was.version != now.version:
            notes.append(
                "The request is another query now: the matching rule or the table changed."
            )
        else:
            doubts.append(
                "The request in the answer gives another query than the one that was sent, by the "
                "same version of foidex: the request was changed, or foidex was."
            )
    return notes, doubts


def _movers(  # noqa: PLR0913 - both sides, and what is left of one
    client: Elasticsearch,
    alias: str,
    answer: Answer,
    live: Answer,
    request: Request,
    moved: list[Moved],
    kept: _Kept,
    most: int,
) -> tuple[list[Mover] | None, list[Moved], str]:
    """The records that moved the numbers; or None, and why they cannot be named."""
    provenance = answer.provenance
    if kept.basis is None and kept.there is None:
        return (
            None,
            [],
            (
                f"{provenance.generation}, which answered, "
                f"{'was pruned' if kept.known else 'is not shown to this user'}, and "
                + (
                    "no basis was kept"
                    if provenance.basis is None
                    else "the basis is not in the audit folder, or not as it was"
                )
                + ": what the records were then is not known."
            ),
        )
    if max(answer.scope.of_any_status, live.scope.of_any_status) > most and kept.basis is None:
        return (
            None,
            [],
            (
                f"more than {most:,} records are in scope, and no basis was kept. Raise "
                "basis_records in [audit] of foidex.toml and replay again."
            ),
        )
    scope = request.scope
    mentions = membership.of_mentions(scope)
    now = _traced(client, live, request, alias)
    # What is live is asked through the alias, which is all that some users may ask.
    through = alias if provenance.generation == live.provenance.generation else None
    if kept.basis:
        then = kept.basis.records
    else:
        assert kept.there
        then = _traced(client, kept.there, request, through)
    gone = [one for one in then if one not in now]
    come = [one for one in now if one not in then]
    outside: dict[str, Any] = {}
    if kept.there:
        outside.update(trace.named(client, provenance.generation, come, mentions, through))
    elif kept.basis and kept.basis.near is not None:
        outside.update(kept.basis.near)
    before = Then(
        then,
        outside,
        complete=kept.there is not None,
        narrow=bool(kept.basis and kept.basis.near is not None),
    )
    left: dict[str, Facts] = trace.named(client, live.provenance.generation, gone, mentions, alias)
    if kept.there and (unknown := [one for one in gone if one not in left]):
        # A full refresh knows no tombstone; the generation that answered tells what was forgotten.
        here = trace.named(client, provenance.generation, unknown, mentions, through)
        left |= {name: one for name, one in here.items() if one.forgotten}
    after = Now(now, left)
    found = movement.movers(before, after, moved, scope, provenance.built_at.date())
    return found, movement.unexplained(before, after, moved), ""


def _as_it_answers(client: Elasticsearch, answer: Answer, live: Answer, request: Request) -> Answer:
    """The answer that the generation gives today, whose rows and forms are to be traced.

    Of the live one it is at hand, and was asked through the alias.
    """
    name = answer.provenance.generation
    return live if name == live.provenance.generation else execute.answer(client, name, request)


def _traced(
    client: Elasticsearch, answer: Answer, request: Request, through: str | None
) -> dict[str, Traced]:
    asked = membership.of(request, answer)
    name = answer.provenance.generation
    found = list(trace.in_scope(client, name, request.scope, asked, through))
    bases.require_sums(asked, found, answer)
    return {one.facts.crime_ref: one for one in found}


def _records(movers: list[Mover], answer: Answer, live: Answer) -> tuple[Record, ...]:
    called = numbers.labels(live) | numbers.labels(answer)

    def named(places: tuple[Place, ...]) -> tuple[Number, ...]:
        return tuple(Number(place, called[place]) for place in places)

    return tuple(
        Record(one.crime_ref, one.reasons, named(one.left), named(one.entered), named(one.changed))
        for one in movers
    )
