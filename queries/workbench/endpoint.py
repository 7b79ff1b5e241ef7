"""The endpoint of a page: who may see it, what its form holds, and what is shown if it fails."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from indexer.config.model import WorkbenchRole
from indexer.errors import FoidexError
from queries.workbench.access.protection import MAX_BODY_BYTES
from queries.workbench.audit_lines import log_refused_role, log_refused_sign_in
from queries.workbench.error_text import describe_error, is_fault_of_machine
from queries.workbench.files.request_files import MissingError
from queries.workbench.site import Workbench
from queries.workbench.visit import Upload, Visit

Page = Callable[[Visit], Response]

Endpoint = Callable[[Request], Awaitable[Response]]

_MAX_FIELDS: Final = 2_000

#: Fields that no reader of a form has typed.
_UNTYPED: Final = frozenset(
    {
        *("version", "once", "preview", "do", "token", "references", "shown_at", "settle"),
        *("reopened", "before", "record", "hidden", "shown", "last", "own", "answer"),
    }
)

#: Endings of the names of fields that a form holds for itself.
_UNTYPED_ENDINGS: Final = ("-kind", "-id")


class PageAddress(Struct, frozen=True):
    """A page: its address as a pattern, the role that it needs, and whether it takes a file."""

    path: str
    role: WorkbenchRole
    takes_file: bool = False


def make_endpoint(workbench: Workbench, address: PageAddress, page: Page) -> Endpoint:
    """The endpoint of a page. It runs in a thread, as all our functions wait.

    A form may hold a file only if the page takes one, and only of someone who has the role.
    """

    async def endpoint(request: Request) -> Response:
        person = workbench.find_person(request)
        if person is None:
            return await _show_signed_out(workbench, request)
        form: dict[str, str] = {}
        upload = None
        if request.method == "POST":
            max_files = 1 if address.takes_file and person.may(address.role) else 0
            async with request.form(
                max_files=max_files, max_fields=_MAX_FIELDS, max_part_size=MAX_BODY_BYTES
            ) as fields:
                for name, value in fields.items():
                    if isinstance(value, str):
                        form[name] = value.replace("\r\n", "\n")  # as a browser sends lines
                    else:
                        upload = Upload(value.filename or "", await value.read())
        visit = Visit(workbench, person, request.path_params, request.query_params, form, upload)
        return await run_in_threadpool(_run_page, visit, address, page)

    return guard_endpoint(workbench, endpoint)


def guard_endpoint(workbench: Workbench, endpoint: Endpoint) -> Endpoint:
    """An endpoint that shows a page whatever fails, and no traceback, which may quote a form."""

    async def guarded_endpoint(request: Request) -> Response:
        try:
            return await endpoint(request)
        except HTTPException:
            raise
        except FoidexError as error:
            message = describe_error(error)
            logging.getLogger("uvicorn.error").error("a page failed: %s", type(error).__name__)  # noqa: TRY400
        except Exception as error:  # noqa: BLE001 - as above
            message = (
                "foidex could not make this page. Go back and try again; if it happens again, tell "
                "whoever looks after the workbench."
            )
            logging.getLogger("uvicorn.error").error("a page failed: %s", type(error).__name__)  # noqa: TRY400
        return workbench.render(
            "message.html",
            workbench.find_person(request),
            500,
            heading="Something went wrong",
            message=message,
        )

    return guarded_endpoint


async def _show_signed_out(workbench: Workbench, request: Request) -> Response:
    """Say that nobody is signed in. A form that was sent is shown, to be sent again."""
    if workbench.proxy is not None:
        workbench.metrics.count_refused_sign_in()
    if workbench.proxy is not None and workbench.sign_in_limit.allow():
        reason = "no person of the proxy"
        await run_in_threadpool(log_refused_sign_in, workbench.session, reason)
    fields: dict[str, str] = {}
    if request.method == "POST" and not request.headers.get("content-type", "").startswith(
        "multipart/"
    ):
        async with request.form(max_files=0, max_fields=_MAX_FIELDS) as form:
            fields = {name: value for name, value in form.items() if isinstance(value, str)}
    typed = {
        name: _label_field(name)
        for name, value in fields.items()
        if value and name not in _UNTYPED and not name.endswith(_UNTYPED_ENDINGS)
    }
    return workbench.render(
        "signed_out.html",
        None,
        401,
        by_proxy=bool(workbench.proxy),
        can_ask=workbench.print_link is not None,
        address=request.url.path,
        fields=fields if typed else {},
        typed=typed,
    )


def _label_field(name: str) -> str:
    """What a field is called where a form of any page is shown again."""
    question, _, rest = name.partition("-")
    if rest and question.startswith("q") and question[1:].isdecimal():
        return f"Question {int(question[1:]) + 1}, {rest.replace('-', ' ')}"
    return name.replace("_", " ").capitalize()


def _run_page(visit: Visit, address: PageAddress, page: Page) -> Response:
    if refusal := visit.refuse(address.role):
        visit.workbench.metrics.count_refused_role()
        log_refused_role(visit.session, address.path, address.role)
        return refusal
    visit.workbench.note_visit(visit.person)
    try:
        return page(visit)
    except MissingError as error:
        return visit.render("message.html", 404, heading="Page not found", message=str(error))
    except FoidexError as error:
        status = 400
        if is_fault_of_machine(error):
            status = 500
            logging.getLogger("uvicorn.error").error("a page failed: %s", type(error).__name__)  # noqa: TRY400
        return visit.render(
            "message.html", status, heading="This did not work", message=describe_error(error)
        )
