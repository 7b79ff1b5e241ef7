"""The page of the wording check."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from indexer.session import Session
from queries.answering.audit_fields import request_fields
from queries.lint.check import check_wording
from queries.lint.findings import format_offence_changes, format_wording_check
from queries.request.reader import Request
from queries.spec.term_book import load_configured_term_book
from queries.workbench.tasks import TaskResult
from queries.workbench.visit import Visit, redirect


def show_wording(visit: Visit) -> Response:
    """What the wording check found, or that it runs."""
    file = visit.open_file()
    task = visit.workbench.tasks.find(f"wording {file.name}")
    return visit.render("wording.html", file=file, task=task)


def check_wording_again(visit: Visit) -> Response:
    """Start the wording check."""
    file = visit.open_file()
    start_wording_check(visit, file.name)
    return redirect(f"/requests/{file.name}/wording")


def start_wording_check(visit: Visit, name: str) -> None:
    """Check the wording of a request file in the background. Raises RequestError."""
    work = partial(_check_wording, visit.session, visit.read_request(name))
    visit.workbench.tasks.start(f"wording {name}", visit.person.name, work)


def _check_wording(session: Session, request: Request) -> TaskResult:
    book = load_configured_term_book(session.settings)
    alias = session.settings.index.alias
    with session.run("lint") as run, session.client() as client:
        run.add_fields(**request_fields(request))
        check = check_wording(client, alias, request, book, contexts=False)
        run.write(generation=check.generation, records=None)
    text = f"{format_offence_changes(request)}\n{format_wording_check(check)}".strip()
    return TaskResult(tuple(text.split("\n")))
