"""Answers a request officially: logged in the audit log, with the evidence file for a replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from indexer.audit.log import AuditRun
from indexer.config.model import DisclosureSettings
from indexer.errors import RequestError
from indexer.session import Session
from queries.answer.types import Answer, ReadingLimit
from queries.answering.audit_fields import answer_fields, request_fields
from queries.answering.build import compute_answer
from queries.evidence.basis import save_basis
from queries.lint.check import collect_near_misses
from queries.request.reader import Request

# A near miss in fewer records is never listed, whatever the disclosure rule: a rare word may name
# a person.
MIN_NEAR_MISS_RECORDS: Final = 5


class AnswerOptions(Struct, frozen=True):
    """What to do beside counting: save the evidence file (``basis``), search for near misses, add
    the results of ``reviews``, by their names, and the ``texts`` of lists that give some."""

    basis: bool = True
    near_misses: bool = False
    reviews: tuple[str, ...] = ()
    texts: bool = True


DEFAULT_OPTIONS: Final = AnswerOptions()


def answer_request(
    session: Session,
    read: Callable[[], Request],
    options: AnswerOptions = DEFAULT_OPTIONS,
    command: str = "answer",
) -> Answer:
    """The answer to the request that ``read`` returns, logged as a run of ``command``.

    Raises as ``compute_answer`` and ``read``, and OutputError where the log cannot be written.
    """
    with session.run(command) as run:
        return answer_logged_request(session, run, read(), options)


def answer_logged_request(
    session: Session, run: AuditRun, request: Request, options: AnswerOptions = DEFAULT_OPTIONS
) -> Answer:
    """Answer a request within a run that is logged; its line is written before this returns.

    Raises as ``compute_answer``, UnconfirmedError if something of the request is still to be
    confirmed, ReviewError if a text that a list gives is still to be approved, and OutputError
    where the log cannot be written.
    """
    settings = session.settings
    alias = settings.index.alias
    run.add_fields(**request_fields(request))
    if options.reviews:
        run.add_fields(arguments={"reviews": [*options.reviews]})
    request.require_confirmed()
    with session.client() as client, session.progress.signs_of_life("Answering"):
        answer = compute_answer(client, alias, request)
        require_cost_over_limit(answer)
        if options.texts:
            from queries.answering.texts.approved_texts import attach_approved_texts

            answer = attach_approved_texts(session, client, answer, request)
        if options.reviews:
            from queries.answering.stored_reviews import attach_stored_reviews

            answer = attach_stored_reviews(session, client, answer, request, options.reviews)
        if options.near_misses:
            threshold = near_miss_threshold(settings.disclosure)
            near_misses = collect_near_misses(client, alias, request, answer, threshold)
            answer = msgspec.structs.replace(answer, near_misses=near_misses)
        if options.basis:
            answer, reason = save_basis(
                client,
                answer,
                request,
                settings.audit_folder,
                settings.audit.basis_records,
                alias,
            )
            if reason:
                session.progress.say(reason)
    run.write(**answer_fields(answer))
    return answer


def require_cost_over_limit(answer: Answer) -> None:
    """Raise RequestError if a letter relies on the cost limit and reading would be within it."""
    limit, records = answer.reading_limit, answer.records_to_read
    if not isinstance(limit, ReadingLimit) or not isinstance(records, int):
        return
    hours = limit.hours(records)
    if hours <= limit.limit_hours:
        raise RequestError(
            f"{answer.reference}: the letter relies on the cost limit, but reading "
            f"{records:,} records at {limit.minutes:g} minutes each takes {float(hours):,.1f} "
            f"hours, and the limit is {limit.limit_hours}. Answer the request, or say under "
            "letter: sections: how many minutes a record takes."
        )


def near_miss_threshold(rule: DisclosureSettings) -> int:
    """The fewest records a near miss must be in for an answer to list it."""
    return max(MIN_NEAR_MISS_RECORDS, rule.effective_threshold, rule.rounding, rule.flag)
