"""The workbench as an application: which page answers which address, and what protects them all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from indexer.config.model import WorkbenchRole
from indexer.resources import find_data_folder
from queries.workbench.access.protection import BodyLimit, SameOriginOnly, SecurityHeaders
from queries.workbench.endpoint import Page, make_endpoint
from queries.workbench.pages import index_state, letters, reviews, sign_in
from queries.workbench.pages.answers import documents, numbers, publishing, records, wording
from queries.workbench.pages.requests import editing, listing, one_request
from queries.workbench.site import Workbench

#: The page that takes the file of a letter.
LETTER_PATH: Final = "/letters/new"

#: Every page: its address, how it is asked for, the role that it needs, and its function.
PAGES: tuple[tuple[str, str, WorkbenchRole, Page], ...] = (
    ("/", "GET", "reader", listing.list_requests),
    ("/requests/new", "GET", "reviewer", editing.show_new_request),
    ("/requests/new", "POST", "reviewer", editing.create_request),
    (LETTER_PATH, "GET", "reviewer", letters.show_letter_form),
    (LETTER_PATH, "POST", "reviewer", letters.draft_from_letter),
    ("/letters/{draft}", "GET", "reviewer", letters.show_confirmations),
    ("/letters/{draft}", "POST", "reviewer", letters.save_confirmed),
    ("/requests/{file}", "GET", "reader", one_request.show_request),
    ("/requests/{file}/edit", "GET", "reviewer", editing.show_editor),
    ("/requests/{file}/edit", "POST", "reviewer", editing.save_request),
    ("/requests/{file}/wording", "GET", "reviewer", wording.show_wording),
    ("/requests/{file}/wording", "POST", "reviewer", wording.check_wording_again),
    ("/requests/{file}/answer", "GET", "reviewer", numbers.show_answer),
    ("/requests/{file}/answer", "POST", "reviewer", numbers.start_answer),
    ("/requests/{file}/records", "GET", "reviewer", records.show_records),
    ("/requests/{file}/publish", "GET", "publisher", publishing.show_publishing),
    ("/requests/{file}/publish", "POST", "publisher", publishing.start_publishing),
    ("/requests/{file}/documents/{kind}/{document:path}", "GET", "reader", documents.send_document),
    ("/requests/{file}/review", "GET", "reviewer", reviews.show_start),
    ("/requests/{file}/review", "POST", "reviewer", reviews.start_review),
    ("/reviews", "GET", "reviewer", reviews.list_reviews),
    ("/reviews/{review}", "GET", "reviewer", reviews.show_review),
    ("/reviews/{review}/read", "GET", "reviewer", reviews.show_next_record),
    ("/reviews/{review}/read", "POST", "reviewer", reviews.decide_record),
    ("/index", "GET", "reader", index_state.show_index),
)


def build_workbench_app(workbench: Workbench, hosts: Collection[str]) -> Starlette:
    """The application. ``hosts`` are the names, with ports, under which browsers reach it."""

    async def show_sign_in(request: Request) -> Response:
        return await sign_in.show_sign_in(workbench, request)

    async def submit_sign_in(request: Request) -> Response:
        return await sign_in.submit_sign_in(workbench, request)

    async def sign_out(request: Request) -> Response:
        return sign_in.sign_out(workbench, request)

    routes = [
        Route("/sign-in", show_sign_in, methods=["GET"]),
        Route("/sign-in", submit_sign_in, methods=["POST"]),
        Route("/sign-out", sign_out, methods=["POST"]),
        Route("/style.css", _send_style, methods=["GET"]),
        Route("/health", _report_health, methods=["GET"]),
        *(
            Route(
                path,
                make_endpoint(workbench, role, page, takes_file=path == LETTER_PATH),
                methods=[method],
            )
            for path, method, role, page in PAGES
        ),
    ]

    async def show_missing(request: Request, error: Exception) -> Response:
        del error
        return workbench.render(
            "message.html",
            workbench.find_person(request),
            404,
            heading="Page not found",
            message="Check the address, or start from the list of requests.",
        )

    return Starlette(
        routes=routes,
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(SameOriginOnly, hosts=hosts),
            Middleware(
                BodyLimit,
                letter_path=LETTER_PATH,
                is_signed_in=lambda connection: workbench.find_person(connection) is not None,
            ),
        ],
        exception_handlers={404: show_missing},
    )


async def _send_style(_: Request) -> Response:
    return FileResponse(
        find_data_folder("templates") / "workbench" / "style.css",
        media_type="text/css",
        headers={"Cache-Control": "max-age=300"},
    )


async def _report_health(_: Request) -> Response:
    return PlainTextResponse("ok\n")
