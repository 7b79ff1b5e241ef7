"""Signing in by the link that foidex printed, and signing out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from queries.workbench.access.people import SESSION_COOKIE
from queries.workbench.site import Workbench
from queries.workbench.visit import redirect


async def show_sign_in(workbench: Workbench, request: Request) -> Response:
    """Ask for a press of a button: a link that a program opens in advance is not used up by it."""
    return workbench.render("sign_in.html", None, token=request.query_params.get("token", ""))


async def submit_sign_in(workbench: Workbench, request: Request) -> Response:
    """Use up a link and start a session."""
    if workbench.proxy is not None or not workbench.sign_in_limit.allow():
        return workbench.render(
            "message.html",
            None,
            429,
            heading="You cannot sign in now",
            message="There were too many attempts. Wait a minute, then open the link again.",
        )
    async with request.form(max_files=0, max_fields=5) as form:
        token = form.get("token", "")
    person = workbench.links.redeem(token) if isinstance(token, str) else None
    if person is None:
        return workbench.render(
            "message.html",
            None,
            403,
            heading="This link does not work any more",
            message="Each link signs one person in once, within 15 minutes. Stop foidex serve and "
            "start it again to get a new one.",
        )
    response = redirect("/")
    response.set_cookie(
        SESSION_COOKIE,
        workbench.sessions.start(person),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


def sign_out(workbench: Workbench, request: Request) -> Response:
    """End the session."""
    workbench.sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    response = workbench.render("signed_out.html", None, by_proxy=bool(workbench.proxy))
    response.delete_cookie(SESSION_COOKIE)
    return response
