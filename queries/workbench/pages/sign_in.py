"""Signing in by the link that foidex printed, asking for a new one, and signing out."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from queries.workbench.access.people import SESSION_COOKIE
from queries.workbench.audit_lines import log_refused_sign_in, log_sign_in, log_sign_out
from queries.workbench.site import Workbench
from queries.workbench.visit import redirect


async def show_sign_in(workbench: Workbench, request: Request) -> Response:
    """Ask for a press of a button: a link that a program opens in advance is not used up by it."""
    return workbench.render("sign_in.html", None, token=request.query_params.get("token", ""))


async def submit_sign_in(workbench: Workbench, request: Request) -> Response:
    """Use up a link and start a session."""
    if workbench.proxy is not None or not workbench.sign_in_limit.allow():
        return _refuse_attempt(workbench)
    async with request.form(max_files=0, max_fields=5) as form:
        token = form.get("token", "")
    person = workbench.links.redeem(token) if isinstance(token, str) else None
    if person is None:
        workbench.metrics.count_refused_sign_in()
        await run_in_threadpool(log_refused_sign_in, workbench.session, "no such link")
        advice = (
            "Ask for a new one on the page that says that you are not signed in."
            if workbench.print_link
            else "Stop foidex serve and start it again to get a new one."
        )
        return workbench.render(
            "message.html",
            None,
            403,
            heading="This link does not work any more",
            message=f"Each link signs one person in once, within 15 minutes. {advice}",
        )
    await run_in_threadpool(log_sign_in, workbench.session.for_person(person.name))
    workbench.sessions.end(request.cookies.get(SESSION_COOKIE, ""))  # whoever was here before
    response = redirect("/")
    response.set_cookie(
        SESSION_COOKIE,
        workbench.sessions.start(person),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def ask_for_link(workbench: Workbench, request: Request) -> Response:
    """Print a new link where foidex serve was started. Only who sees that can use it."""
    del request
    if workbench.print_link is None or not workbench.sign_in_limit.allow():
        return _refuse_attempt(workbench)
    await run_in_threadpool(workbench.print_link)
    return workbench.render(
        "message.html",
        None,
        heading="A new link was printed",
        message="It is where foidex serve was started. Open it within 15 minutes. If another page "
        "holds what you typed, go back to it afterwards and send it again.",
    )


async def sign_out(workbench: Workbench, request: Request) -> Response:
    """End the session."""
    person = workbench.find_person(request)
    if person is not None:
        await run_in_threadpool(log_sign_out, workbench.session.for_person(person.name))
    workbench.sessions.end(request.cookies.get(SESSION_COOKIE, ""))
    response = workbench.render(
        "signed_out.html",
        None,
        by_proxy=bool(workbench.proxy),
        can_ask=workbench.print_link is not None,
        address="/",
        fields={},
        typed={},
    )
    response.delete_cookie(SESSION_COOKIE)
    return response


def _refuse_attempt(workbench: Workbench) -> Response:
    workbench.metrics.count_refused_sign_in()
    return workbench.render(
        "message.html",
        None,
        429,
        heading="You cannot sign in now",
        message="There were too many attempts. Wait a minute, then open the link again.",
    )
