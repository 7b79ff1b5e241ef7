"""What all pages share: the session, the request files, who is signed in, tasks and templates."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from typing import Any, Final

import jinja2
from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from indexer.config.model import WorkbenchRole
from indexer.errors import FoidexError
from indexer.resources import find_data_folder
from indexer.session import Session
from queries.layout.prose import format_timestamp
from queries.tables.period import format_long_date
from queries.workbench.drafts import Drafts
from queries.workbench.people import (
    SESSION_COOKIE,
    FormTokens,
    Person,
    ProxySignIn,
    Sessions,
    SignInLinks,
)
from queries.workbench.protection import MAX_BODY_BYTES, RateLimit
from queries.workbench.request_files import RequestFolder
from queries.workbench.tasks import Tasks

_LINK_SECONDS: Final = 15 * 60

_SIGN_IN_ATTEMPTS: Final = 20

#: What each role may do, for the page that refuses.
ROLE_DUTIES: Final[dict[WorkbenchRole, str]] = {
    "reader": "see requests and published documents",
    "reviewer": "write requests, answer them, and read records",
    "publisher": "publish answers",
    "administrator": "everything",
}


class Workbench:
    """The state of one served workbench. ``proxy`` is set if a proxy signs people in."""

    def __init__(self, session: Session, proxy: ProxySignIn | None = None) -> None:
        settings = session.settings
        self.session = session
        self.proxy = proxy
        self.requests = RequestFolder(settings.folder / settings.workbench.folder)
        self.links = SignInLinks(_LINK_SECONDS)
        self.sessions = Sessions(settings.workbench.idle_minutes * 60)
        self.sign_in_limit = RateLimit(_SIGN_IN_ATTEMPTS, 60)
        self.tasks = Tasks()
        self.drafts = Drafts()
        self.form_tokens = FormTokens()
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(find_data_folder("templates") / "workbench"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["day"] = format_long_date
        self._templates.filters["iso_day"] = _format_iso_day
        self._templates.filters["moment"] = format_timestamp

    def find_person(self, request: HTTPConnection) -> Person | None:
        """Who sends a request, None if nobody is signed in."""
        if self.proxy is not None:
            return self.proxy.find(request.headers)
        return self.sessions.find(request.cookies.get(SESSION_COOKIE, ""))

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


class Upload(Struct, frozen=True):
    """A file that was sent with a form."""

    name: str
    content: bytes


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


Page = Callable[[Visit], Response]


def make_endpoint(
    workbench: Workbench, role: WorkbenchRole, page: Page, *, takes_file: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of a page that needs a role. It runs in a thread, as all our functions wait.

    A form may hold a file only if the page takes one, and only of someone who has the role.
    """

    async def endpoint(request: Request) -> Response:
        person = workbench.find_person(request)
        if person is None:
            return workbench.render("signed_out.html", None, 401, by_proxy=bool(workbench.proxy))
        form: dict[str, str] = {}
        upload = None
        if request.method == "POST":
            max_files = 1 if takes_file and person.may(role) else 0
            async with request.form(
                max_files=max_files, max_fields=300, max_part_size=MAX_BODY_BYTES
            ) as fields:
                for name, value in fields.items():
                    if isinstance(value, str):
                        form[name] = value
                    else:
                        upload = Upload(value.filename or "", await value.read())
        visit = Visit(workbench, person, request.path_params, request.query_params, form, upload)
        return await run_in_threadpool(_run_page, visit, role, page)

    async def guarded_endpoint(request: Request) -> Response:
        try:
            return await endpoint(request)
        except HTTPException:
            raise
        except Exception as error:  # noqa: BLE001 - no traceback, which may quote a form
            logging.getLogger("uvicorn.error").error("a page failed: %s", type(error).__name__)  # noqa: TRY400
            return workbench.render(
                "message.html",
                workbench.find_person(request),
                500,
                heading="Something went wrong",
                message="foidex could not make this page. Go back and try again; if it happens "
                "again, tell whoever looks after the workbench.",
            )

    return guarded_endpoint


def _run_page(visit: Visit, role: WorkbenchRole, page: Page) -> Response:
    if refusal := visit.refuse(role):
        return refusal
    try:
        return page(visit)
    except FoidexError as error:
        return visit.render("message.html", 400, heading="This did not work", message=str(error))


def _format_iso_day(timestamp: str) -> str:
    return format_long_date(date.fromisoformat(timestamp[:10]))


def redirect(path: str) -> RedirectResponse:
    """Go on to a page, so that sending the form again is not what a refresh does."""
    return RedirectResponse(path, 303)
