"""Counts a request and writes its documents: the work behind two pages."""

from __future__ import annotations

from queries.answering.publishing import build_publisher
from queries.documents.content.context import make_document_settings
from queries.jobs.batch import AnswerJob, write_documents
from queries.request.reader import Request
from queries.workbench.files.answer_sets import AnswerKind, find_answer_folder
from queries.workbench.tasks import TaskResult
from queries.workbench.visit import Visit


def write_answer(
    visit: Visit, name: str, kind: AnswerKind, request: Request, reason: str = ""
) -> TaskResult:
    """The documents of an answer, written; what of them is new. Raises as ``AnswerJob``."""
    session = visit.session
    job = AnswerJob(
        session,
        make_document_settings(visit.session.settings),
        publisher=build_publisher(session, reason) if kind == "published" else None,
        permissions=session.settings.output.permissions,
    )
    folder = find_answer_folder(visit.workbench.requests, name, kind)
    with job.prepare_answer(lambda: request) as release:
        written = write_documents(job, release, folder)
    changes = tuple(f"changed: {change}" for change in (*release.changes, *(written.changes or ())))
    return TaskResult((f"{len(written.files)} documents written", *release.summary, *changes))
