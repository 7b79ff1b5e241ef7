"""The page of publishing: what would be withheld, what was released before, and the release."""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError
from indexer.session import Session
from queries.answering.publishing import build_publisher, list_releases
from queries.answering.suggestions import ReleasePreview, preview_release
from queries.disclosure.differencing import LedgerEntry
from queries.request.reader import Request
from queries.workbench.files.answer_sets import find_answer_set
from queries.workbench.pages.answers.chosen_reviews import (
    list_answered_reviews,
    list_offered_reviews,
    read_chosen_reviews,
)
from queries.workbench.pages.answers.counting import AnswerWork, write_answer
from queries.workbench.visit import Visit, redirect

#: How many releases of other requests the page lists.
OTHER_RELEASES: Final = 20


class PreviewResult(Struct, frozen=True):
    """What publishing would do, with the results of ``reviews`` in the answer."""

    preview: ReleasePreview
    reviews: tuple[str, ...]


class EarlierReleases(Struct, frozen=True):
    """What the ledger holds: releases of this request and the newest of others, newest first.

    ``problem`` says why they are not known, if they are not.
    """

    of_request: tuple[LedgerEntry, ...] = ()
    others: tuple[LedgerEntry, ...] = ()
    number: int = 0
    problem: str = ""


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
    return visit.render(
        "publish.html",
        file=file,
        missing=visit.session.settings.force.missing_keys,
        preview=preview,
        reviews=list_offered_reviews(visit, request.reference),
        chosen=chosen,
        releases=_find_releases(visit.session, request.reference),
        task=visit.workbench.tasks.find(f"publish {file.name}"),
        answer_set=find_answer_set(visit.workbench.requests, file.name, "published"),
        once=visit.workbench.form_tokens.issue(),
    )


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
    elif visit.form.get("version") != file.version:
        return visit.render(
            "message.html",
            409,
            heading="Nothing was published",
            message="The request was changed since you opened the page. Look at what would be "
            "withheld now, then publish it.",
        )
    elif visit.workbench.form_tokens.redeem(visit.form.get("once", "")):
        work = AnswerWork(file.name, request, reviews, visit.form.get("reason", "").strip())
        task = partial(write_answer, visit, "published", work)
        visit.workbench.tasks.start(f"publish {file.name}", visit.person.name, task)
    return redirect(f"/requests/{file.name}/publish")


def _preview_release(session: Session, request: Request, reviews: tuple[str, ...]) -> PreviewResult:
    preview = preview_release(session, request, build_publisher(session), reviews)
    return PreviewResult(preview, reviews)


def _find_releases(session: Session, reference: str) -> EarlierReleases:
    try:
        entries = list_releases(session)
    except FoidexError as error:
        return EarlierReleases(problem=str(error))
    if entries is None:
        return EarlierReleases(problem="No server is running, so they are not known.")
    newest = entries[::-1]
    others = [entry for entry in newest if entry.reference != reference]
    return EarlierReleases(
        tuple(entry for entry in newest if entry.reference == reference),
        tuple(others[:OTHER_RELEASES]),
        len(others),
    )
