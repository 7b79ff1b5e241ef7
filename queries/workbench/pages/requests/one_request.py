"""The page of one request: what it asks, what is wrong with it, what was done with it."""

from __future__ import annotations

from starlette.responses import Response

from indexer.errors import FoidexError
from queries.answering.texts.release_texts import has_text_lists
from queries.workbench.files.answer_sets import ANSWER_KINDS, find_answer_set
from queries.workbench.visit import Visit


def show_request(visit: Visit) -> Response:
    """One request: what it asks, what is wrong with it, and what was done with it."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    request, problem = None, ""
    try:
        request = visit.read_request(file.name)
    except FoidexError as error:
        problem = str(error)
    requests = visit.workbench.requests
    sets = {kind: find_answer_set(requests, file.name, kind) for kind in ANSWER_KINDS}
    return visit.render(
        "request.html",
        file=file,
        request=request,
        problem=problem,
        due=visit.find_due_date(request) if request else None,
        today=visit.today,
        sets=sets,
        has_texts=request is not None and has_text_lists(request),
        versions=requests.list_versions(file.name),
        wording_task=visit.workbench.tasks.find(f"wording {file.name}"),
        answer_task=visit.workbench.tasks.find(f"answer {file.name}"),
    )
