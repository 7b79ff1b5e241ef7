"""Ask a request for good: with a line in the audit log, and the basis that a replay will need."""

from __future__ import annotations

from collections.abc import Callable

from indexer.session import Session
from queries import basis, execute, logged
from queries.answer import Answer
from queries.request import Request


def answer(session: Session, read: Callable[[], Request], *, keep: bool = True) -> Answer:
    """The answer to a request that ``read`` reads, logged before anything of it is given away.

    ``keep`` keeps its basis. Raises as ``execute.answer``, as ``read``, and OutputError where the
    log cannot be written.
    """
    settings = session.settings
    with session.run("answer") as run:
        found = read()
        run.about(**logged.asked(found))
        with session.client() as client:
            answered = execute.answer(client, settings.index.alias, found)
            if keep:
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
    return answered
