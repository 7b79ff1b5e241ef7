"""The pages of request files: the list with its deadlines, a new one by form, one request, edit."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError, OutputError, RequestError
from queries.documents.content.letter.notices import find_due_date
from queries.request.reader import Request, read_configured_request
from queries.spec.act import load_acts
from queries.workbench.answer_sets import find_answer_set
from queries.workbench.request_files import EditConflictError, RequestFile
from queries.workbench.request_form import (
    FIELDS,
    TABLES,
    format_request,
    name_request_file,
    read_form,
)
from queries.workbench.site import Visit, redirect

__all__ = [
    "create_request",
    "list_requests",
    "save_request",
    "show_editor",
    "show_new_request",
    "show_request",
]


class RequestLine(Struct, frozen=True):
    """A request in the list. ``problem`` is set if its file cannot be read as a request."""

    name: str
    reference: str
    title: str = ""
    received: date | None = None
    due: date | None = None
    state: str = ""
    problem: bool = False

    def days_left(self, today: date) -> int | None:
        """Days until it is due, negative afterwards. None if it has no deadline or is published."""
        return None if self.due is None or self.state == "published" else (self.due - today).days


def list_requests(visit: Visit) -> Response:
    """The requests, the most urgent first."""
    lines = [_make_line(visit, name) for name in visit.workbench.requests.list_names()]
    lines.sort(key=lambda line: (line.state == "published", line.due or date.max, line.reference))
    return visit.render("requests.html", lines=lines, today=visit.today)


def show_new_request(visit: Visit) -> Response:
    """The empty form of a new request."""
    values = dict.fromkeys(FIELDS, "") | {"by_offence": "on"}
    return visit.render("new_request.html", values=values, tables=TABLES, problems={})


def create_request(visit: Visit) -> Response:
    """Make a request file from the form, or show the form again with what is wrong."""
    request, problems = read_form(visit.form)
    values = {name: visit.form.get(name, "") for name in (*FIELDS, *TABLES)}
    if problems:
        return visit.render(
            "new_request.html", 422, values=values, tables=TABLES, problems=problems
        )
    name = name_request_file(request["reference"])
    try:
        visit.workbench.requests.create(name, format_request(request))
    except RequestError as error:
        problems = {"reference": str(error)}
        return visit.render(
            "new_request.html", 422, values=values, tables=TABLES, problems=problems
        )
    return redirect(f"/requests/{name}")


def show_request(visit: Visit) -> Response:
    """One request: what it asks, what is wrong with it, and what was done with it."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    request, problem = _read_request(visit, visit.workbench.requests.file_path(file.name))
    act = load_acts()[visit.session.settings.force.act]
    due = find_due_date(request.letter, act) if request and request.letter else None
    sets = {
        kind: find_answer_set(visit.workbench, file.name, kind) for kind in ("answer", "published")
    }
    return visit.render(
        "request.html",
        file=file,
        request=request,
        problem=problem,
        due=due,
        today=visit.today,
        sets=sets,
        versions=visit.workbench.requests.list_versions(file.name),
        wording_task=visit.workbench.tasks.find(f"wording {file.name}"),
        answer_task=visit.workbench.tasks.find(f"answer {file.name}"),
    )


def show_editor(visit: Visit) -> Response:
    """The text of a request file, to be changed."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    return visit.render("edit_request.html", file=file, text=file.text, conflict=None)


def save_request(visit: Visit) -> Response:
    """Save the text, even if it is not yet a request: what is wrong is said on the next page."""
    name = visit.parameters["file"]
    text = visit.form.get("text", "").replace("\r\n", "\n")
    try:
        visit.workbench.requests.save(name, text, visit.form.get("version", ""))
    except EditConflictError as error:
        return visit.render(
            "edit_request.html",
            409,
            file=RequestFile(name, text, error.current.version),
            text=text,
            conflict=error.current,
        )
    return redirect(f"/requests/{name}")


def _make_line(visit: Visit, name: str) -> RequestLine:
    request, _ = _read_request(visit, visit.workbench.requests.file_path(name))
    if request is None:
        return RequestLine(name, name, state="cannot be read", problem=True)
    act = load_acts()[visit.session.settings.force.act]
    letter = request.letter
    return RequestLine(
        name,
        request.reference,
        request.title,
        letter.received if letter else None,
        find_due_date(letter, act) if letter else None,
        _find_state(visit, name),
    )


def _find_state(visit: Visit, name: str) -> str:
    try:
        if find_answer_set(visit.workbench, name, "published"):
            return "published"
        return "answered" if find_answer_set(visit.workbench, name, "answer") else "not answered"
    except OutputError:  # one set that cannot be read does not take the list away
        return "documents cannot be read"


def _read_request(visit: Visit, path: Path) -> tuple[Request | None, str]:
    try:
        return read_configured_request(path, visit.session.settings), ""
    except FoidexError as error:
        return None, str(error).replace(str(path), path.name)
