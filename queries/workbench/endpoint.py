"""The endpoint of a page: who may see it, what its form holds, and what is shown if it fails."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from indexer.config.model import WorkbenchRole
from indexer.errors import FoidexError
from queries.workbench.access.protection import MAX_BODY_BYTES
from queries.workbench.site import Workbench
from queries.workbench.visit import Upload, Visit

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
