"""A folder of requests answered one after another, each into a folder of its own."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from indexer.errors import ChangedError, FoidexError, RequestError
from indexer.session import Session
from queries import asking, outputs
from queries import request as requests
from queries.answer import Answer
from queries.asking import PLAIN, Wanted
from queries.disclosure.ledger import Prepared
from queries.disclosure.policy import Policy
from queries.outputs import Desk, Written
from queries.publication import Press
from queries.request import Request

_PATTERNS = ("*.yaml", "*.yml")


class Done(Struct, frozen=True):
    """A request file, and what became of it: what was written, or what went wrong."""

    path: Path
    reference: str
    written: Written | None = None
    error: FoidexError | None = None


def run(  # noqa: PLR0913 - what a run is given
    session: Session,
    folder: Path,
    out: Path,
    desk: Desk,
    *,
    force: bool,
    wanted: Wanted = PLAIN,
    press: Press | None = None,
) -> None:
    """Answer every request file of a folder, with a line each on standard output; with ``press``
    the answers are published.

    One that fails does not keep the others from their answers. Raises RequestError where there is
    no request; at the end a FoidexError with the highest exit code of those that failed, else
    ChangedError where a number changed.
    """
    paths = sorted(path for pattern in _PATTERNS for path in folder.glob(pattern))
    if not paths:
        raise RequestError(f"{folder}: holds no request (*.yaml). Name another folder.")
    read = {path: _read(path, session) for path in paths}
    names = Counter(
        outputs.slug(found.reference).lower()
        for found in read.values()
        if isinstance(found, Request)
    )
    done = []
    for path, found in read.items():
        one = (
            _answer(
                session,
                path,
                found,
                out,
                desk,
                force=force,
                wanted=wanted,
                alone=names,
                press=press,
            )
            if isinstance(found, Request)
            else Done(path, path.name, error=found)
        )
        _tell(one)
        done.append(one)
    _conclude(done)


def _read(path: Path, session: Session) -> Request | FoidexError:
    try:
        return requests.of_force(path, session.settings)
    except FoidexError as error:
        return error


def _answer(  # noqa: PLR0913 - one request of a run
    session: Session,
    path: Path,
    found: Request,
    out: Path,
    desk: Desk,
    *,
    force: bool,
    wanted: Wanted,
    alone: Counter[str],
    press: Press | None,
) -> Done:
    name = outputs.slug(found.reference)
    try:
        if alone[name.lower()] > 1:
            raise RequestError(
                f"{path}: another request here has the same reference, or one that gives the same "
                f"folder, {name}. Change one."
            )
        policy = press.policy(found.disclosure) if press else None
        with (
            asking.giving(session, lambda: found, wanted) as answered,
            ready(answered, press, policy) as given,
        ):
            written = outputs.write(
                given.answer, out / name, desk, force=force, record=given.record
            )
            _warn(given.answer, desk)
    except FoidexError as error:
        return Done(path, found.reference, error=error)
    return Done(path, found.reference, written)


@contextmanager
def ready(answer: Answer, press: Press | None, policy: Policy | None) -> Iterator[Prepared]:
    """The answer as it is given: with ``press`` as it may be published, to be recorded before
    anything is given away. What changed since it last was goes to standard error.

    Raises as ``Press.prepared``.
    """
    if press is None or policy is None:
        yield Prepared(answer)
        return
    with press.prepared(answer, policy) as found:
        for line in found.changes:
            print(
                f"{answer.reference}: changed since it was last published: {line}.",
                file=sys.stderr,
            )
        yield found


def one(given: Prepared, out: Path, desk: Desk, *, force: bool) -> None:
    """Write the documents of one answer. Raises as ``outputs.write``, and ChangedError."""
    written = outputs.write(given.answer, out, desk, force=force, record=given.record)
    _say(given.answer.reference, written)
    _warn(given.answer, desk)
    if written.changes:
        raise ChangedError("a number changed since the last run. The documents have the new ones.")


def _warn(answer: Answer, desk: Desk) -> None:
    if said := outputs.warning(answer, desk):
        print(f"{answer.reference}: {said}", file=sys.stderr)


def _tell(one: Done) -> None:
    if one.error is not None:
        print(f"{one.reference}: failed")
        print(f"foidex: {one.error}", file=sys.stderr, flush=True)
    elif one.written is not None:
        _say(one.reference, one.written)


def _say(reference: str, written: Written) -> None:
    """Say on standard output what was written and what changed."""
    changed = written.changes
    what = (
        "nothing to compare with"
        if changed is None
        else f"{len(changed)} {'number' if len(changed) == 1 else 'numbers'} changed"
    )
    print(f"{reference}: {len(written.files)} files written, {what}")
    for change in changed or ():
        print(f"  {change}")


def _conclude(done: list[Done]) -> None:
    if failed := [one.error for one in done if one.error is not None]:
        error = FoidexError(
            f"{len(failed)} of {len(done)} requests could not be answered, as told above."
        )
        error.exit_code = max(one.exit_code for one in failed)
        raise error
    if changed := [one for one in done if one.written and one.written.changes]:
        raise ChangedError(
            f"numbers of {len(changed)} of {len(done)} requests changed since the last run."
        )
