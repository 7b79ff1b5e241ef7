"""The pages that write request files: a new one by form, and the text of one."""

from __future__ import annotations

from starlette.responses import Response

from indexer.errors import RequestError
from queries.workbench.files.request_files import EditConflictError, RequestFile
from queries.workbench.forms.request_form import (
    FIELDS,
    TABLES,
    format_request,
    name_request_file,
    read_form,
)
from queries.workbench.visit import Visit, redirect


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
