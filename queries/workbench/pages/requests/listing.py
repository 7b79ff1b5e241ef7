"""The list of requests with their deadlines, the most urgent first."""

from __future__ import annotations

from datetime import date

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError, OutputError
from queries.workbench.files.answer_sets import find_answer_set
from queries.workbench.visit import Visit


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


def _make_line(visit: Visit, name: str) -> RequestLine:
    try:
        request = visit.read_request(name)
    except FoidexError:
        return RequestLine(name, name, state="cannot be read", problem=True)
    letter = request.letter
    return RequestLine(
        name,
        request.reference,
        request.title,
        letter.received if letter else None,
        visit.find_due_date(request),
        _find_state(visit, name),
    )


def _find_state(visit: Visit, name: str) -> str:
    requests = visit.workbench.requests
    try:
        if find_answer_set(requests, name, "published"):
            return "published"
        return "answered" if find_answer_set(requests, name, "answer") else "not answered"
    except OutputError:  # one set that cannot be read does not take the list away
        return "documents cannot be read"
