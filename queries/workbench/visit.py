"""One request to a page by someone who may see it: what it says, and the pages that answer it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from msgspec import Struct
from starlette.responses import HTMLResponse, RedirectResponse

from indexer.config.model import WorkbenchRole
from indexer.errors import FoidexError
from indexer.session import Session
from queries.documents.content.letter.notices import find_due_date
from queries.request.reader import Request, parse_configured_request
from queries.spec.act import load_acts
from queries.spec.term_book import TermBook, load_configured_term_book
from queries.workbench.access.people import Person
from queries.workbench.files.request_files import RequestFile
from queries.workbench.site import Workbench

#: What each role may do, for the page that refuses.
ROLE_DUTIES: Final[dict[WorkbenchRole, str]] = {
    "reader": "see requests and published documents",
    "reviewer": "write requests, answer them, and read records",
    "publisher": "publish answers",
    "administrator": "everything",
}


class Upload(Struct, frozen=True):
    """A file that was sent with a form."""

    name: str
    content: bytes


class WayOn(Struct, frozen=True):
    """Where a page that refuses leads on to, and in which words."""

    address: str
    words: str


class Visit(Struct, frozen=True):
    """One request to a page by someone who may see it: what its address and its form say."""

    workbench: Workbench
    person: Person
    parameters: Mapping[str, str]
    query: Mapping[str, str]
    form: Mapping[str, str]
    upload: Upload | None = None

    @property
    def session(self) -> Session:
        """The session of this person, whom the audit log names."""
        return self.workbench.session.for_person(self.person.name)

    @property
    def today(self) -> date:
        """The day of the office."""
        return date.today()  # noqa: DTZ011 - deadlines and letters have the day of the office

    def open_file(self) -> RequestFile:
        """The request file that the address names. Raises RequestError."""
        return self.workbench.requests.read(self.parameters["file"])

    def read_request(self, name: str, book: TermBook | None = None) -> Request:
        """A request file as a request, with the term book of the force. Raises RequestError."""
        return self.parse_request(self.workbench.requests.read(name).text, name, book)

    def parse_request(self, text: str, name: str, book: TermBook | None = None) -> Request:
        """The text of a request file as a request. Raises RequestError."""
        settings = self.session.settings
        return parse_configured_request(
            text, name, settings, book or load_configured_term_book(settings)
        )

    def find_reference(self, name: str) -> str:
        """The reference of a request file, empty if it cannot be read as a request."""
        try:
            return self.read_request(name).reference
        except FoidexError:
            return ""

    def find_due_date(self, request: Request) -> date | None:
        """The last day for the answer to a request, None if it does not say when it came."""
        act = load_acts()[self.session.settings.force.act]
        return find_due_date(request.letter, act) if request.letter else None

    def render(self, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """A page for this person."""
        return self.workbench.render(template, self.person, status, **values)

    def refuse(self, role: WorkbenchRole) -> HTMLResponse | None:
        """The page that says that something needs a role, None if this person has it."""
        if self.person.may(role):
            return None
        return self.render(
            "message.html",
            403,
            heading="You may not do this",
            message=f"This needs the role of {role}, who may {ROLE_DUTIES[role]}. Yours is "
            f"{self.person.role}. Ask whoever looks after the workbench.",
        )


def redirect(path: str) -> RedirectResponse:
    """Go on to a page, so that sending the form again is not what a refresh does."""
    return RedirectResponse(path, 303)
