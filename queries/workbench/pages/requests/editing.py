"""The pages that write request files: a new one by form, and the text of one."""

from __future__ import annotations

from starlette.responses import Response

from indexer.errors import FoidexError
from queries.workbench.error_text import describe_error
from queries.workbench.files.request_files import EditConflictError, MissingError, RequestFile
from queries.workbench.forms.request_form import (
    FIELDS,
    TABLES,
    format_request,
    name_request_file,
    read_form,
)
from queries.workbench.saving import create_file, save_file
from queries.workbench.visit import Visit, redirect


def show_new_request(visit: Visit) -> Response:
    """The empty form of a new request."""
    values = dict.fromkeys(FIELDS, "") | {"by_offence": "on"}
    return visit.render("new_request.html", values=values, tables=TABLES, problems={})


def create_request(visit: Visit) -> Response:
    """Make a request file from the form, or show the form again with what is wrong."""
    request, problems = read_form(visit.form)
    values = {name: visit.form.get(name, "") for name in (*FIELDS, *TABLES)}
    name = name_request_file(request["reference"])
    if not problems:
        text = format_request(request)
        try:
            create_file(visit, name, text, request["reference"])
        except FoidexError as error:
            if not _is_there(visit, name, text):
                problems = {"reference": describe_error(error)}
    if problems:
        return visit.render(
            "new_request.html", 422, values=values, tables=TABLES, problems=problems
        )
    if "questions" in request:
        return redirect(f"/requests/{name}")
    return redirect(f"/requests/{name}/form#letter")  # what the letter says instead


def _is_there(visit: Visit, name: str, text: str) -> bool:
    """Whether there is this very request already, as when a form is sent twice."""
    try:
        return visit.workbench.requests.read(name).text == text
    except FoidexError:
        return False


def show_editor(visit: Visit) -> Response:
    """The text of a request file, to be changed."""
    file = visit.open_file()
    return visit.render("edit_request.html", file=file, text=file.text, conflict=None, problem="")


def save_request(visit: Visit) -> Response:
    """Save the text, even if it is not yet a request: what is wrong is said on the next page.

    A text that cannot be saved is shown again, and beside it what someone else saved meanwhile.
    """
    name = visit.parameters["file"]
    text = visit.form.get("text", "")
    version = visit.form.get("version", "")
    conflict, problem = None, ""
    try:
        save_file(visit, name, text, version, visit.find_reference(name))
    except MissingError:
        raise
    except EditConflictError as error:
        conflict, version = error.current, error.current.version
    except FoidexError as error:
        problem = describe_error(error)
    else:
        return redirect(f"/requests/{name}")
    return visit.render(
        "edit_request.html",
        409 if conflict else 422,
        file=RequestFile(name, text, version),
        text=text,
        conflict=conflict,
        problem=problem,
    )
