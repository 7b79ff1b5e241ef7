"""The workbench as an application: which page answers which address, and what protects them all."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from indexer.config.model import WorkbenchRole
from indexer.resources import find_data_folder
from queries.workbench.access.loopback import is_loopback
from queries.workbench.access.people import SESSION_COOKIE
from queries.workbench.access.protection import (
    MAX_BODY_BYTES,
    MAX_LETTER_BYTES,
    MAX_UNSIGNED_BYTES,
    SIGN_IN_BYTES,
    BodyLimit,
    SameOriginOnly,
    SecurityHeaders,
)
from queries.workbench.endpoint import Page, PageAddress, guard_endpoint, make_endpoint
from queries.workbench.metrics import METRICS_TYPE, CountRequests
from queries.workbench.pages import index_state, letters, sign_in
from queries.workbench.pages.answers import (
    documents,
    numbers,
    publishing,
    records,
    replaying,
    wording,
)
from queries.workbench.pages.requests import (
    editing,
    form_editing,
    listing,
    one_request,
    other_letters,
    versions,
)
from queries.workbench.pages.reviews import overview, reading, starting, texts
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
    ("/requests/{file}/form", "GET", "reviewer", form_editing.show_form),
    ("/requests/{file}/form", "POST", "reviewer", form_editing.submit_form),
    ("/requests/{file}/edit", "GET", "reviewer", editing.show_editor),
    ("/requests/{file}/edit", "POST", "reviewer", editing.save_request),
    ("/requests/{file}/letters", "GET", "reviewer", other_letters.show_other_letters),
    ("/requests/{file}/letters", "POST", "reviewer", other_letters.save_other_letters),
    (
        "/requests/{file}/letters/{kind}/{format}",
        "GET",
        "reviewer",
        other_letters.send_other_letter,
    ),
    ("/requests/{file}/versions", "GET", "reviewer", versions.show_versions),
    ("/requests/{file}/versions/{version}", "GET", "reviewer", versions.show_version),
    ("/requests/{file}/wording", "GET", "reviewer", wording.show_wording),
    ("/requests/{file}/wording", "POST", "reviewer", wording.check_wording_again),
    ("/requests/{file}/answer", "GET", "reviewer", numbers.show_answer),
    ("/requests/{file}/answer", "POST", "reviewer", numbers.start_answer),
    ("/requests/{file}/records", "GET", "reviewer", records.show_records),
    ("/requests/{file}/replay", "GET", "reviewer", replaying.show_replays),
    ("/requests/{file}/replay", "POST", "reviewer", replaying.start_replay),
    ("/requests/{file}/publish", "GET", "publisher", publishing.show_publishing),
    ("/requests/{file}/publish", "POST", "publisher", publishing.start_publishing),
    (documents.DOCUMENT_PATH, "GET", "reader", documents.send_document),
    ("/requests/{file}/texts", "GET", "reviewer", texts.show_texts),
    ("/requests/{file}/texts/{question}", "GET", "reviewer", texts.show_text),
    ("/requests/{file}/texts/{question}", "POST", "reviewer", texts.decide_text),
    ("/requests/{file}/review", "GET", "reviewer", starting.show_start),
    ("/requests/{file}/review", "POST", "reviewer", starting.start_review),
    ("/reviews", "GET", "reviewer", overview.list_reviews),
    ("/reviews/{review}", "GET", "reviewer", overview.show_review),
    ("/reviews/{review}/end-second-readings", "GET", "reviewer", overview.show_ending),
    ("/reviews/{review}/end-second-readings", "POST", "reviewer", overview.end_second_readings),
    ("/reviews/{review}/export", "GET", "reviewer", overview.export_decisions),
    ("/reviews/{review}/read", "GET", "reviewer", reading.show_next_record),
    ("/reviews/{review}/read", "POST", "reviewer", reading.decide_record),
    ("/index", "GET", "reader", index_state.show_index),
)


#: What is sent to these addresses by someone who is not signed in is a few bytes.
OPEN_PATHS: Final = ("/sign-in", "/sign-in/link", "/sign-out")

#: What is said of a request that no page answers, by its status: a heading and a sentence.
_REFUSALS: Final = {
    400: (
        "This form could not be read",
        "Nothing was changed. Go back, check what you filled in, and send it again.",
    ),
    404: ("Page not found", "Check the address, or start from the list of requests."),
    405: (
        "This page cannot be opened so",
        "It is reached by a button. Start from the list of requests.",
    ),
}


def build_workbench_app(workbench: Workbench, hosts: Collection[str]) -> Starlette:
    """The application. ``hosts`` are the names, with ports, under which browsers reach it."""

    def make_refusal(status: int, heading: str, message: str) -> Response:
        return workbench.render("message.html", None, status, heading=heading, message=message)

    def find_limit(connection: HTTPConnection) -> int:
        path = connection.scope["path"]
        person = workbench.find_person(connection)
        if person is not None:
            sends_letter = path == LETTER_PATH and person.may("reviewer")
            return MAX_LETTER_BYTES if sends_letter else MAX_BODY_BYTES
        if path in (LETTER_PATH, *OPEN_PATHS):
            return SIGN_IN_BYTES
        ended = workbench.sessions.has_ended(connection.cookies.get(SESSION_COOKIE, ""))
        return MAX_BODY_BYTES if ended else MAX_UNSIGNED_BYTES

    async def show_refusal(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 400
        heading, message = _REFUSALS.get(status, _REFUSALS[400])
        person = workbench.find_person(request)
        return workbench.render("message.html", person, status, heading=heading, message=message)

    app = Starlette(
        routes=[*_make_open_routes(workbench), *_make_routes(workbench)],
        middleware=[
            Middleware(CountRequests, metrics=workbench.metrics),
            Middleware(SecurityHeaders),
            Middleware(SameOriginOnly, hosts=hosts, make_refusal=make_refusal),
            Middleware(BodyLimit, find_limit=find_limit, make_refusal=make_refusal),
        ],
        exception_handlers={HTTPException: show_refusal},
    )
    # Another address than the one that was asked for would be one without TLS behind a proxy.
    app.router.redirect_slashes = False
    return app


def _make_open_routes(workbench: Workbench) -> Iterator[Route]:
    """What is there without signing in."""
    pages = (
        ("/sign-in", "GET", sign_in.show_sign_in),
        ("/sign-in", "POST", sign_in.submit_sign_in),
        ("/sign-in/link", "POST", sign_in.ask_for_link),
        ("/sign-out", "POST", sign_in.sign_out),
    )
    for path, method, page in pages:
        endpoint = guard_endpoint(workbench, partial(page, workbench))
        yield Route(path, endpoint, methods=[method])
    yield Route("/style.css", _send_style, methods=["GET"])
    yield Route("/health", _report_health, methods=["GET"])
    yield Route("/metrics", partial(_report_metrics, workbench), methods=["GET"])


def _make_routes(workbench: Workbench) -> Iterator[Route]:
    for path, method, role, page in PAGES:
        address = PageAddress(path, role, takes_file=path == LETTER_PATH)
        yield Route(path, make_endpoint(workbench, address, page), methods=[method])


async def _send_style(_: Request) -> Response:
    return FileResponse(
        find_data_folder("templates") / "workbench" / "style.css",
        media_type="text/css",
        headers={"Cache-Control": "max-age=300"},
    )


async def _report_health(_: Request) -> Response:
    return PlainTextResponse("ok\n")


async def _report_metrics(workbench: Workbench, request: Request) -> Response:
    """The counts, for a program on this machine, or one that knows the secret of the proxy.

    A person whom the proxy signs in is not shown them.
    """
    proxy, client = workbench.proxy, request.client
    is_near = client is not None and is_loopback(client.host)
    if proxy is None:
        may_see = is_near
    else:
        names_nobody = not request.headers.getlist(proxy.user_header)
        may_see = names_nobody and (is_near or proxy.knows_secret(request.headers))
    if not may_see:
        raise HTTPException(404)
    return Response(workbench.metrics.format(), media_type=METRICS_TYPE)
