"""A replay as the command and the workbench run it: logged, with the store of reviews asked too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from indexer.session import Session
from queries.answering.audit_fields import request_fields
from queries.replay.audit_fields import replay_fields
from queries.replay.compare import (
    Replay,
    ReplayContext,
    extract_request,
    read_unpublished_answer,
    replay_answer,
)
from queries.replay.stored_reviews import explain_stored_reviews


@contextmanager
def replay_logged_answer(session: Session, path: Path) -> Iterator[Replay]:
    """Answer the request of an answer's JSON file again, and compare.

    It is logged before its result is given; if what follows fails, another line says so.

    Raises RequestError for a file that cannot be replayed, OutputError where the log cannot be
    written, and as ``replay_answer``.
    """
    settings = session.settings
    with session.run("replay") as run:
        earlier_answer = read_unpublished_answer(path)
        request = extract_request(earlier_answer, path)
        run.add_fields(**request_fields(request))
        with session.client() as client:
            context = ReplayContext(
                client,
                settings.index.alias,
                settings.audit_folder,
                settings.audit.basis_records,
            )
            result = replay_answer(context, earlier_answer, request)
            review_notes = explain_stored_reviews(session, client, earlier_answer)
        result = replace(result, notes=(*result.notes, *review_notes))
        run.write(**replay_fields(result, earlier_answer))
        yield result
