"""Ask a request for good: with a line in the audit log, and the basis that a replay will need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from msgspec import Struct

from indexer.session import Session
from indexer.settings import Disclosure
from queries import basis, execute, lint, logged
from queries.answer import Answer
from queries.request import Request

FEWEST: Final = 5  # records that must hold a near miss for it to be told, whatever the rule is


class Wanted(Struct, frozen=True):
    """What is wanted beside the numbers: the basis kept, and the near misses looked for."""

    basis: bool = True
    near_misses: bool = False


PLAIN: Final = Wanted()


def answer(
    session: Session,
    read: Callable[[], Request],
    wanted: Wanted = PLAIN,
    command: str = "answer",
) -> Answer:
    """The answer to a request that ``read`` reads, logged before it is given away.

    Raises as ``execute.answer``, as ``read``, and OutputError where the log cannot be written.
    """
    with giving(session, read, wanted, command) as answered:
        return answered


@contextmanager
def giving(
    session: Session,
    read: Callable[[], Request],
    wanted: Wanted = PLAIN,
    command: str = "answer",
) -> Iterator[Answer]:
    """The answer as ``answer`` has it, while it is given away: where that fails, a second line of
    the log says so."""
    settings = session.settings
    with session.run(command) as run:
        found = read()
        run.about(**logged.asked(found))
        with session.client() as client:
            answered = execute.answer(client, settings.index.alias, found)
            if wanted.near_misses:
                least = fewest(settings.disclosure)
                near = lint.near_misses(client, settings.index.alias, found, answered, least)
                answered = msgspec.structs.replace(answered, near_misses=near)
            if wanted.basis:
                answered, why_not = basis.keep(
                    client,
                    answered,
                    found,
                    settings.audit_folder,
                    settings.audit.basis_records,
                    settings.index.alias,
                )
                if why_not:
                    session.progress.say(why_not)
        run.write(**logged.answered(answered))
        yield answered


def fewest(rule: Disclosure) -> int:
    """The fewest records that must hold a near miss for an answer to tell it."""
    return max(FEWEST, rule.threshold, rule.rounding, rule.flag)
