"""Counts a request and writes its documents: the work behind two pages."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from queries.answer.types import Answer
from queries.answering.publishing import build_publisher
from queries.answering.service import AnswerOptions
from queries.documents.content.context import make_document_settings
from queries.documents.document_set import WriteOptions
from queries.documents.manifest import MANIFEST_NAME
from queries.jobs.batch import AnswerJob, write_documents
from queries.request.reader import Request
from queries.workbench.files.answer_sets import AnswerKind, find_answer_folder
from queries.workbench.files.counted_answers import make_keeper
from queries.workbench.tasks import TaskResult
from queries.workbench.visit import Visit


class AnswerWork(Struct, frozen=True):
    """What to count: what ``read`` reads from the file ``name``, with the results of ``reviews``.

    If it is published, ``reason`` is why a rule is set aside, if one is, and ``require_previewed``
    raises unless the answer is the one that was previewed.
    """

    name: str
    read: Callable[[], Request]
    reviews: tuple[str, ...] = ()
    reason: str = ""
    require_previewed: Callable[[Answer], None] | None = None


def write_answer(visit: Visit, kind: AnswerKind, work: AnswerWork) -> TaskResult:
    """Write the documents of an answer, and say what of them is new.

    The answer as it was counted is kept to be replayed. Raises as ``AnswerJob``.
    """
    session = visit.session
    job = AnswerJob(
        session,
        make_document_settings(session.settings),
        AnswerOptions(reviews=work.reviews),
        build_publisher(session, work.reason) if kind == "published" else None,
        # If a request gets another reference, its counted answers are kept, so its own documents
        # follow it; what was published stays.
        WriteOptions(may_rename=kind == "answer", permissions=session.settings.output.permissions),
        keep=make_keeper(visit.workbench.requests, work.name, kind),
        require_previewed=work.require_previewed,
    )
    folder = find_answer_folder(visit.workbench.requests, work.name, kind)
    with job.prepare_answer(work.read) as release:
        written = write_documents(job, release, folder)
    changes = tuple(f"changed: {change}" for change in (*release.changes, *(written.changes or ())))
    number = len([name for name in written.files if name != MANIFEST_NAME])
    return TaskResult((f"{number} documents written", *release.summary, *changes))
