"""What all pages share: the session, the request files, who is signed in, tasks and templates."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final, Literal

import jinja2
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse

from indexer.resources import find_data_folder
from indexer.session import Session
from queries.layout.prose import format_timestamp
from queries.reviewing.store.database import DatabaseKeeper
from queries.tables.period import format_long_date
from queries.workbench.access.people import (
    SESSION_COOKIE,
    FormTokens,
    Person,
    ProxySignIn,
    Sessions,
    SignInLinks,
    Visits,
)
from queries.workbench.access.protection import RateLimit
from queries.workbench.audit_lines import log_sign_in
from queries.workbench.error_text import adapt_advice
from queries.workbench.files.drafts import Drafts
from queries.workbench.files.letter_folder import forget_letters
from queries.workbench.files.remembered import Remembered
from queries.workbench.files.request_files import RequestFolder
from queries.workbench.files.request_lines import RequestLine
from queries.workbench.metrics import Metrics
from queries.workbench.tasks import Tasks

_LINK_SECONDS: Final = 15 * 60

_SIGN_IN_ATTEMPTS: Final = 20

_LETTERS_AT_ONCE: Final = 2

#: Characters that HTML does not allow, and what stands for each on a page.
_CONTROL_CHARACTERS: Final = dict.fromkeys(
    [*range(9), 0x0B, *range(0x0E, 0x20), *range(0x7F, 0xA0)], "\N{REPLACEMENT CHARACTER}"
)


class Workbench:
    """The state of one served workbench. ``proxy`` is set if a proxy signs people in."""

    def __init__(self, session: Session, proxy: ProxySignIn | None = None) -> None:
        settings = session.settings
        self.session = session
        self.proxy = proxy
        self.requests = RequestFolder(settings.folder / settings.workbench.folder)
        self.lines: Remembered[RequestLine] = Remembered()
        self.states: Remembered[str] = Remembered()
        self.review_database = DatabaseKeeper()
        # The hashes of texts that changed since a review was drawn, by its name.
        self.changed_texts: Remembered[dict[str, str]] = Remembered()
        # What waits for a person in a review, by the names of both.
        self.waiting_works: Remembered[Literal["read", "settle", ""]] = Remembered()
        self.links = SignInLinks(_LINK_SECONDS)
        self.sessions = Sessions(settings.workbench.idle_minutes * 60)
        self.sign_in_limit = RateLimit(_SIGN_IN_ATTEMPTS, 60)
        self.tasks = Tasks()
        self.metrics = Metrics(self.tasks)
        self.drafts = Drafts(settings.workbench.draft_days * 24 * 3600)
        forget_letters(settings.home)
        self.letter_slots = threading.BoundedSemaphore(_LETTERS_AT_ONCE)
        self.form_tokens = FormTokens()
        # Prints a new link where foidex serve was started, if that is how people sign in.
        self.print_link: Callable[[], None] | None = None
        self._visits = Visits(settings.workbench.idle_minutes * 60)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(find_data_folder("templates") / "workbench"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=_show_control_characters,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["day"] = format_long_date
        self._templates.filters["iso_day"] = _format_iso_day
        self._templates.filters["iso_moment"] = _format_iso_moment
        self._templates.filters["moment"] = format_timestamp
        self._templates.filters["advice"] = adapt_advice

    def find_person(self, request: HTTPConnection) -> Person | None:
        """Who sends a request, None if nobody is signed in."""
        if self.proxy is not None:
            return self.proxy.find(request.headers)
        return self.sessions.find(request.cookies.get(SESSION_COOKIE, ""))

    def note_visit(self, person: Person) -> None:
        """Log that the proxy signed someone in, once for each time that they come.

        Raises OutputError if that cannot be logged.
        """
        if self.proxy is not None and self._visits.begin(person.name):
            log_sign_in(self.session.for_person(person.name))

    def render(
        self, template: str, person: Person | None, status: int = 200, /, **values: Any
    ) -> HTMLResponse:
        """A page from its template."""
        text = self._templates.get_template(template).render(
            person=person,
            force=self.session.settings.force.name,
            can_sign_out=self.proxy is None,
            **values,
        )
        return HTMLResponse(text, status)


def _show_control_characters(value: object) -> object:
    """Text for a page. What is markup already, or no text, stays as it is."""
    return value.translate(_CONTROL_CHARACTERS) if type(value) is str else value


def _format_iso_moment(timestamp: str) -> str:
    return format_timestamp(datetime.fromisoformat(timestamp))


def _format_iso_day(timestamp: str) -> str:
    return format_long_date(date.fromisoformat(timestamp[:10]))
