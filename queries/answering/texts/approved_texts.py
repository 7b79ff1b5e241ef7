"""Puts the texts of a list into an answer, if a person has approved or refused each of them."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from typing import Final

import msgspec
from elasticsearch import Elasticsearch

from indexer.errors import ReviewError
from indexer.session import Session
from queries.answer.types import Answer, QuestionAnswer, TextApprovals
from queries.answering.texts.release_texts import (
    find_least_records,
    has_text_lists,
    list_text_questions,
    read_release_texts,
)
from queries.request.reader import Request
from queries.reviewing.approvals import ApprovalKey, ApprovalState, choose_holding
from queries.reviewing.configured_store import open_configured_store
from queries.search.exactness import alias_moved_error

_HASH_BYTES: Final = 16


def attach_approved_texts(
    session: Session, client: Elasticsearch, answer: Answer, request: Request
) -> Answer:
    """The answer with the masked texts of its lists.

    Raises ReviewError unless each text was approved or refused as it is now, DisclosureError where
    numbers are rounded, and as ``read_release_texts``.
    """
    if not has_text_lists(request):
        return answer
    alias = session.settings.index.alias
    min_records = find_least_records(session.settings, request)
    states: dict[str, ApprovalState] = {}
    with open_configured_store(session.settings, session.progress) as store:
        for question in list_text_questions(request):
            release = read_release_texts(client, alias, request, question, min_records)
            if release.generation != answer.provenance.generation:
                raise alias_moved_error(alias)
            key = ApprovalKey(alias, request.reference, question.id)
            states[question.id] = choose_holding(release.texts, store.approvals.read_last(key))
    _require_decisions(request, states)
    questions = tuple(
        _add_texts(question, states[question.id], min_records)
        if question.id in states
        else question
        for question in answer.questions
    )
    return msgspec.structs.replace(answer, questions=questions)


def require_approved_texts(session: Session, answer: Answer, request: Request) -> None:
    """Raise ReviewError if an answer that was made before has other texts than those approved now.

    Raises as ``attach_approved_texts``.
    """
    if not any(row.texts for question in answer.questions for row in question.table.rows):
        return
    with session.client() as client:
        attached = attach_approved_texts(session, client, _remove_texts(answer), request)
    if [question.table for question in attached.questions] != [
        question.table for question in answer.questions
    ]:
        raise ReviewError(
            f"{answer.reference}: its texts are not those that are approved now. Answer the "
            "request again."
        )


def _remove_texts(answer: Answer) -> Answer:
    questions = (
        msgspec.structs.replace(
            question,
            table=msgspec.structs.replace(
                question.table,
                rows=tuple(msgspec.structs.replace(row, texts=()) for row in question.table.rows),
            ),
        )
        for question in answer.questions
    )
    return msgspec.structs.replace(answer, questions=tuple(questions))


def _require_decisions(request: Request, states: Mapping[str, ApprovalState]) -> None:
    open_numbers = {name: state.open for name, state in states.items() if state.open}
    if not open_numbers:
        return
    parts = [
        f"{name}: {number:,} of {len(states[name].texts):,}"
        for name, number in open_numbers.items()
    ]
    options = " ".join(f"--question {shlex.quote(name)}" for name in open_numbers)
    raise ReviewError(
        f"{request.reference}: texts are given only after a person has read and approved each of "
        f"them, as it is now, and some are still to be read ({'; '.join(parts)}). Read them: "
        f"foidex review approve REQUEST {options}, with the name of the request file."
    )


def _add_texts(question: QuestionAnswer, state: ApprovalState, min_records: int) -> QuestionAnswer:
    texts_by_line: dict[str, list[str | None]] = {}
    for text in state.texts:
        decision = state.decisions[text.reference]
        shown = text.mask(decision.hidden) if decision.is_approved else None
        texts_by_line.setdefault(text.line, []).append(shown)
    rows = tuple(
        msgspec.structs.replace(row, texts=_order_texts(texts_by_line.get(row.key, [])))
        for row in question.table.rows
    )
    times = sorted(decision.approved_at for decision in state.decisions.values())
    return msgspec.structs.replace(
        question,
        table=msgspec.structs.replace(question.table, rows=rows),
        approvals=TextApprovals(
            approved=state.approved,
            refused=state.refused,
            min_records=min_records,
            first_at=times[0] if times else "",
            last_at=times[-1] if times else "",
        ),
    )


def _order_texts(texts: list[str | None]) -> tuple[str | None, ...]:
    """In an order that says nothing of references or dates: by a hash, those withheld last."""
    shown = sorted((text for text in texts if text is not None), key=_hash_text)
    return (*shown, *(text for text in texts if text is None))


def _hash_text(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_HASH_BYTES).digest()
