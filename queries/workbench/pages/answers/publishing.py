"""The page of publishing: what would be withheld, what was released before, and the release."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError, RequestError
from indexer.session import Session
from queries.answering.publishing import build_publisher, list_releases
from queries.answering.suggestions import ReleasePreview, preview_release
from queries.disclosure.differencing import LedgerEntry
from queries.documents.content.context import make_document_settings
from queries.documents.document_set import render_answer_text
from queries.request.reader import Request
from queries.workbench.files.answer_sets import AnswerSet, find_answer_set
from queries.workbench.files.request_files import RequestFile
from queries.workbench.pages.answers.chosen_reviews import (
    list_answered_reviews,
    list_offered_reviews,
    read_chosen_reviews,
)
from queries.workbench.pages.answers.counting import AnswerWork, write_answer
from queries.workbench.pages.answers.numbers import ShownTable, list_tables
from queries.workbench.tasks import Task, TaskResult
from queries.workbench.visit import Visit, redirect

#: How many releases of other requests the page lists.
OTHER_RELEASES: Final = 20


_PUBLISHED: Final = (
    "It was published by someone else since you opened the page. Look at what was published, and "
    "publish again only if that must be replaced."
)


class PreviewResult(Struct, frozen=True):
    """What publishing would do, with the results of ``reviews`` in the answer, and the ``letter``
    as it would go out."""

    preview: ReleasePreview
    reviews: tuple[str, ...]
    letter: str = ""


class EarlierReleases(Struct, frozen=True):
    """What the ledger holds: releases of this request and the newest of others, newest first.

    ``problem`` says why they are not known, if they are not. ``is_elsewhere`` says that the newest
    one of this request is not the one whose documents are here.
    """

    of_request: tuple[LedgerEntry, ...] = ()
    others: tuple[LedgerEntry, ...] = ()
    number: int = 0
    problem: str = ""
    is_elsewhere: bool = False


def show_publishing(visit: Visit) -> Response:
    """What publishing would withhold, what would give more, and what was published."""
    file = visit.open_file()
    request = visit.read_request(file.name)
    preview = visit.workbench.tasks.find(f"preview {file.name} {file.version}")
    chosen = (
        preview.result.reviews
        if preview and preview.result
        else list_answered_reviews(visit, file.name)
    )
    answer_set = find_answer_set(visit.workbench.requests, file.name, "published")
    task = visit.workbench.tasks.find(f"publish {file.name}")
    if preview and task and _is_published_since(preview, task):
        preview = None
    return visit.render(
        "publish.html",
        file=file,
        missing=visit.session.settings.force.missing_keys,
        preview=preview,
        tables=_list_previewed_tables(visit, file, preview),
        reviews=list_offered_reviews(visit, request.reference),
        chosen=chosen,
        releases=_find_releases(visit.session, request.reference, answer_set),
        task=task,
        answer_set=answer_set,
        once=visit.workbench.form_tokens.issue(),
    )


def _is_published_since(preview: Task, task: Task) -> bool:
    """Whether the task published after it was worked out what would be withheld."""
    if task.result is None or task.ended is None or preview.ended is None:
        return False
    return task.ended > preview.ended


def _list_previewed_tables(
    visit: Visit, file: RequestFile, preview: Task | None
) -> list[ShownTable]:
    """The tables as they would be released, if that was worked out."""
    answer = preview.result.preview.answer if preview and preview.result else None
    if answer is None:
        return []
    return list_tables(file.name, answer, make_document_settings(visit.session.settings))


def start_publishing(visit: Visit) -> Response:
    """Publish the answer: withhold small numbers, write the documents, record the release.

    With the button for a preview, say only what would be withheld. What is published is the request
    that the page showed, and a form that is sent again publishes nothing.
    """
    file = visit.open_file()
    request = visit.read_request(file.name)
    reviews = read_chosen_reviews(visit)
    if visit.form.get("do") != "publish":
        preview = partial(_preview_release, visit.session, request, reviews)
        name = f"preview {file.name} {file.version}"
        visit.workbench.tasks.start(name, visit.person.name, preview)
    elif not visit.workbench.form_tokens.was_used(visit.form.get("once", "")):
        if problem := _find_staleness(visit, file):
            return visit.render(
                "message.html", 409, heading="Nothing was published", message=problem
            )
        work = AnswerWork(file.name, request, reviews, visit.form.get("reason", "").strip())
        task = partial(_publish, visit, work, visit.form.get("published", ""))
        visit.workbench.tasks.start(f"publish {file.name}", visit.person.name, task)
    return redirect(f"/requests/{file.name}/publish")


def _publish(visit: Visit, work: AnswerWork, before: str) -> TaskResult:
    """Publish, unless someone else did since the page was shown."""
    if _find_run(visit, work.name) != before:
        raise RequestError(_PUBLISHED)
    return write_answer(visit, "published", work)


def _find_run(visit: Visit, file_name: str) -> str:
    """When the published documents of a request were made, empty if there are none."""
    answer_set = find_answer_set(visit.workbench.requests, file_name, "published")
    return answer_set.manifest.run_at if answer_set else ""


def _find_staleness(visit: Visit, file: RequestFile) -> str:
    """Why a form to publish is too old, empty if it is not; it is then used up."""
    if visit.form.get("version") != file.version:
        return (
            "The request was changed since you opened the page. Look at what would be withheld "
            "now, then publish it."
        )
    if visit.form.get("published", "") != _find_run(visit, file.name):
        return _PUBLISHED
    if not visit.workbench.form_tokens.redeem(visit.form.get("once", "")):
        return (
            "The page is too old, or the workbench was started again since you opened it. Open it "
            "again: it says what was published."
        )
    return ""


def _preview_release(session: Session, request: Request, reviews: tuple[str, ...]) -> PreviewResult:
    preview = preview_release(session, request, build_publisher(session), reviews)
    letter = ""
    if preview.answer is not None and not preview.open_texts:
        settings = make_document_settings(session.settings)
        letter = render_answer_text(preview.answer, settings, "letter")
    return PreviewResult(preview, reviews, letter)


def _find_releases(
    session: Session, reference: str, answer_set: AnswerSet | None
) -> EarlierReleases:
    try:
        entries = list_releases(session)
    except FoidexError as error:
        return EarlierReleases(problem=str(error))
    if entries is None:
        return EarlierReleases(problem="No server is running, so they are not known.")
    newest = entries[::-1]
    others = [entry for entry in newest if entry.reference != reference]
    of_request = tuple(entry for entry in newest if entry.reference == reference)
    return EarlierReleases(
        of_request,
        tuple(others[:OTHER_RELEASES]),
        len(others),
        is_elsewhere=_is_elsewhere(of_request, answer_set),
    )


def _is_elsewhere(releases: Sequence[LedgerEntry], answer_set: AnswerSet | None) -> bool:
    """Whether the newest release is not the one whose documents are here: they were written to
    another folder, or foidex was killed between recording it and putting them in their place."""
    if not releases or answer_set is None:
        return bool(releases)
    run_at = datetime.fromisoformat(answer_set.manifest.run_at).replace(microsecond=0)
    later = [entry for entry in releases if entry.released_at >= run_at]
    return len(later) > 1 or releases[0].generation != answer_set.manifest.generation
