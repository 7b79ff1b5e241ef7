"""The list of requests with their deadlines, the most urgent first."""

from __future__ import annotations

import logging
from datetime import date
from functools import partial

from msgspec.structs import replace
from starlette.responses import Response

from indexer.errors import FoidexError, OutputError
from indexer.files import FileStamp, open_folder
from indexer.terminal import name_place
from queries.answering.texts.release_texts import has_text_lists
from queries.spec.term_book import TermBook, load_configured_term_book
from queries.workbench.access.people import Person
from queries.workbench.error_text import describe_error
from queries.workbench.files.answer_sets import find_answer_set, list_set_stamps
from queries.workbench.files.request_lines import RequestLine
from queries.workbench.pages.reviews.waiting import list_waiting_reviews
from queries.workbench.site import Workbench
from queries.workbench.visit import Visit


def list_requests(visit: Visit) -> Response:
    """The requests, the most urgent first. Only those that changed are read again."""
    lines = _read_lines(visit)
    lines.sort(key=lambda line: (line.state == "published", line.due or date.max, line.reference))
    unusable = visit.workbench.requests.list_unusable_names()
    return visit.render(
        "requests.html",
        lines=lines,
        today=visit.today,
        unusable=list(map(name_place, unusable)),
        waiting=list_waiting_reviews(visit),
        with_texts=[
            line for line in lines if line.waits_for_texts and visit.person.may("reviewer")
        ],
    )


def remember_requests(workbench: Workbench) -> None:
    """Read every request once, so that the first visitor of the list does not wait for that."""
    nobody = Person("", "reader")
    try:
        _read_lines(Visit(workbench, nobody, {}, {}, {}))
    except FoidexError:  # the page says it
        return


def _read_lines(visit: Visit) -> list[RequestLine]:
    workbench = visit.workbench
    stamps = workbench.requests.list_stamps()
    workbench.lines.keep(stamps)
    workbench.states.keep(stamps)
    book_stamp = _find_book_stamp(visit)
    book = _LateBook(visit)
    lines = []
    for name, stamp in stamps.items():
        line = workbench.lines.read(
            name, (stamp, book_stamp), partial(_make_line, visit, name, book)
        )
        sets = list_set_stamps(workbench.requests, name)
        state = workbench.states.read(name, sets, partial(_find_state, visit, name))
        lines.append(line if line.problem else replace(line, state=state))
    return lines


class _LateBook:
    """The term book of the force, read once for a list, if any request is read at all."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._book: TermBook | None = None

    def read(self) -> TermBook:
        """The term book. Raises ConfigurationError."""
        if self._book is None:
            self._book = load_configured_term_book(self._visit.session.settings)
        return self._book


def _find_book_stamp(visit: Visit) -> FileStamp | None:
    settings = visit.session.settings
    if settings.terms.book is None:
        return None
    path = settings.folder / settings.terms.book
    try:
        with open_folder(path.parent) as folder:
            return folder.find_stamp(path.name)
    except OSError:
        return None


def _make_line(visit: Visit, name: str, book: _LateBook) -> RequestLine:
    try:
        request = visit.read_request(name, book.read())
    except FoidexError as error:
        return RequestLine(name, name, state="cannot be read", problem=describe_error(error))
    except Exception as error:  # noqa: BLE001 - one file does not take the list away
        logging.getLogger("uvicorn.error").error(  # noqa: TRY400 - no traceback
            "a request cannot be read: %s", type(error).__name__
        )
        return RequestLine(name, name, state="cannot be read", problem="It cannot be read.")
    letter = request.letter
    return RequestLine(
        name,
        request.reference,
        request.title,
        letter.received if letter else None,
        visit.find_due_date(request),
        has_texts=has_text_lists(request),
    )


def _find_state(visit: Visit, name: str) -> str:
    requests = visit.workbench.requests
    try:
        if find_answer_set(requests, name, "published"):
            return "published"
        return "counted" if find_answer_set(requests, name, "answer") else "not answered"
    except OutputError:  # one set that cannot be read does not take the list away
        return "documents cannot be read"
