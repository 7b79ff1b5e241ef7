"""The page of publishing: what would be withheld, and the release."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from indexer.session import Session
from queries.answering.publishing import build_publisher
from queries.answering.suggestions import preview_release
from queries.request.reader import Request
from queries.workbench.files.answer_sets import find_answer_set
from queries.workbench.pages.answers.counting import write_answer
from queries.workbench.tasks import TaskResult
from queries.workbench.visit import Visit, redirect


def show_publishing(visit: Visit) -> Response:
    """What publishing would withhold, and what was published."""
    file = visit.open_file()
    visit.read_request(file.name)
    return visit.render(
        "publish.html",
        file=file,
        missing=visit.session.settings.force.missing_keys,
        preview=visit.workbench.tasks.find(f"preview {file.name} {file.version}"),
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
    if visit.form.get("do") != "publish":
        work = partial(_preview_release, visit.session, request)
        name = f"preview {file.name} {file.version}"
        visit.workbench.tasks.start(name, visit.person.name, work)
    elif visit.form.get("version") != file.version:
        return visit.render(
            "message.html",
            409,
            heading="Nothing was published",
            message="The request was changed since you opened the page. Look at what would be "
            "withheld now, then publish it.",
        )
    elif visit.workbench.form_tokens.redeem(visit.form.get("once", "")):
        reason = visit.form.get("reason", "").strip()
        work = partial(write_answer, visit, file.name, "published", request, reason)
        visit.workbench.tasks.start(f"publish {file.name}", visit.person.name, work)
    return redirect(f"/requests/{file.name}/publish")


def _preview_release(session: Session, request: Request) -> TaskResult:
    return TaskResult(tuple(preview_release(session, request, build_publisher(session))))
