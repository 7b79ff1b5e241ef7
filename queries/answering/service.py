"""Ask a request for good: with a line in the audit log, and the basis that a replay will need."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import msgspec
from msgspec import Struct

from indexer.config.model import DisclosureSettings
from indexer.session import Session
from queries.answer.types import Answer
from queries.answering.audit_fields import answer_fields, request_fields
from queries.answering.build import compute_answer
from queries.evidence.basis import save_basis
from queries.lint.check import collect_near_misses
from queries.request.reader import Request

MIN_NEAR_MISS_RECORDS: Final = (
    5  # records that must hold a near miss for it to be told, whatever the rule is
)


class AnswerOptions(Struct, frozen=True):
    """What is wanted beside the numbers: the basis kept, and the near misses looked for."""

    basis: bool = True
    near_misses: bool = False


DEFAULT_OPTIONS: Final = AnswerOptions()


def answer_request(
    session: Session,
    read: Callable[[], Request],
    options: AnswerOptions = DEFAULT_OPTIONS,
    command: str = "answer",
) -> Answer:
    """The answer to a request that ``read`` reads, logged before it is given away.

    Raises as ``execute.answer``, as ``read``, and OutputError where the log cannot be written.
    """
    with logged_answer(session, read, options, command) as answer:
        return answer


@contextmanager
def logged_answer(
    session: Session,
    read: Callable[[], Request],
    options: AnswerOptions = DEFAULT_OPTIONS,
    command: str = "answer",
) -> Iterator[Answer]:
    """The answer as ``answer`` has it, while it is given away: where that fails, a second line of
    the log says so."""
    settings = session.settings
    with session.run(command) as run:
        request = read()
        run.add_fields(**request_fields(request))
        with session.client() as client:
            answer = compute_answer(client, settings.index.alias, request)
            if options.near_misses:
                threshold = near_miss_threshold(settings.disclosure)
                near_misses = collect_near_misses(
                    client, settings.index.alias, request, answer, threshold
                )
                answer = msgspec.structs.replace(answer, near_misses=near_misses)
            if options.basis:
                answer, reason = save_basis(
                    client,
                    answer,
                    request,
                    settings.audit_folder,
                    settings.audit.basis_records,
                    settings.index.alias,
                )
                if reason:
                    session.progress.say(reason)
        run.write(**answer_fields(answer))
        yield answer


def near_miss_threshold(rule: DisclosureSettings) -> int:
    """The fewest records that must hold a near miss for an answer to tell it."""
    return max(MIN_NEAR_MISS_RECORDS, rule.threshold, rule.rounding, rule.flag)
