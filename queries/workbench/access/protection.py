"""Refuses what no page of ours would send, and tells the browser to do the same. ASGI middleware.

A request that changes something must come from our own page: browsers say so in Sec-Fetch-Site or
Origin. A host name that is not ours is refused, because another name could be pointed here.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Collection
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: The largest form, in bytes: a request file is far smaller.
MAX_BODY_BYTES: Final = 2_000_000

#: What is taken of someone who is not signed in: the few bytes of signing in, or a form that was
#: filled in before the session ended, which is shown again.
SIGN_IN_BYTES: Final = 10_000

MAX_UNSIGNED_BYTES: Final = 100_000

#: The largest form with a letter in it.
MAX_LETTER_BYTES: Final = 25_000_000

#: Makes the page that says why a request was refused: its status, heading and sentence.
MakeRefusal = Callable[[int, str, str], Response]

#: What this machine is called in an address of its own.
LOCAL_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")

#: How long a browser may take for a body: at least so many seconds, and longer for a large one.
BODY_SECONDS: Final = 30.0

_LEAST_BYTES_PER_SECOND: Final = 100_000

_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

_FETCHED_FROM_ELSEWHERE: Final = "This page is opened by a person, and not fetched by another page."

_HEADERS: Final = {
    # No script at all: every page works without, so none that got in would run.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SecurityHeaders:
    """Adds the headers that keep a page to itself; pages are not kept in any cache."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class SameOriginOnly:
    """Refuses other hosts, and requests to change something that come from another site."""

    def __init__(self, app: ASGIApp, hosts: Collection[str], make_refusal: MakeRefusal) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._make_refusal = make_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and (refusal := self._find_refusal(scope)):
            response = self._make_refusal(403, "This was refused", refusal)
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _find_refusal(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host = find_single(headers, "host")
        if not host or host not in self._hosts:
            return "This address is not one of the workbench. Open the link that foidex printed."
        if scope["method"] in _SAFE_METHODS:
            return _FETCHED_FROM_ELSEWHERE if _is_fetched_from_elsewhere(headers) else ""
        is_ours = _is_sent_by_us(headers, host)
        return "" if is_ours else "This form was sent by another site. Nothing was changed."


def find_single(headers: Headers, name: str) -> str | None:
    """The value of a header, None if it is not there, and empty if it is there twice: of two, a
    browser may have sent the one."""
    values = headers.getlist(name)
    return (values[0] if len(values) == 1 else "") if values else None


def _is_fetched_from_elsewhere(headers: Headers) -> bool:
    """Whether a page is opened by another one. A link to it may be followed from anywhere; but no
    page of another site may fetch it as an image or show it in a frame, nor a browser open it
    beforehand: opening a record reserves and logs it."""
    is_followed = headers.get("sec-fetch-mode") in (None, "navigate") and headers.get(
        "sec-fetch-dest"
    ) in (None, "document")
    is_foreign = find_single(headers, "sec-fetch-site") not in (None, "same-origin", "none")
    return (is_foreign and not is_followed) or "sec-purpose" in headers


def _is_sent_by_us(headers: Headers, host: str) -> bool:
    """Whether a form was sent by a page of ours, as the browser says."""
    site = find_single(headers, "sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    scheme, _, rest = (find_single(headers, "origin") or "").partition("://")
    # Without TLS it is served on this machine alone.
    is_scheme_ours = scheme == "https" or (scheme == "http" and _is_local(host))
    return is_scheme_ours and rest == host


def _is_local(host: str) -> bool:
    return host.rpartition(":")[0] in LOCAL_NAMES


class BodyLimit:
    """Refuses a body that is too large, even one that does not say how large it is, or too slow.

    ``find_limit`` says how many bytes a request may have, by who sends it. ``seconds`` is how long
    it may take, and one that may be large may take longer.
    """

    def __init__(
        self,
        app: ASGIApp,
        find_limit: Callable[[HTTPConnection], int],
        make_refusal: MakeRefusal,
        seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._find_limit = find_limit
        self._make_refusal = make_refusal
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on once its body is there and within the limit, or refuse it."""
        if scope["type"] != "http" or scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        max_bytes = self._find_limit(HTTPConnection(scope))
        declared = Headers(scope=scope).get("content-length", "")
        size = int(declared) if declared.isdecimal() and len(declared) < 19 else 0
        refusal: Response | None = None
        body: bytes | None = None
        try:
            async with asyncio.timeout(self._seconds + max_bytes / _LEAST_BYTES_PER_SECOND):
                body = None if size > max_bytes else await _read_body(receive, max_bytes)
        except TimeoutError:
            refusal = self._refuse_slow_body()
        except ConnectionError:
            return  # the browser went away
        if body is None:
            await (refusal or self._refuse_body(max_bytes))(scope, receive, send)
            return
        unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_read_body() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, receive_read_body, send)

    def _refuse_slow_body(self) -> Response:
        return self._make_refusal(
            408,
            "This took too long",
            "What you sent did not arrive in time. Nothing was changed. Go back: what you typed is "
            "still there. Send it again.",
        )

    def _refuse_body(self, max_bytes: int) -> Response:
        return self._make_refusal(
            413,
            "This is too large",
            f"The workbench takes {max_bytes // 1_000:,} kB here. Nothing was changed. Go back: "
            "what you typed is still there. Make it shorter, then send it again.",
        )


async def _read_body(receive: Receive, max_bytes: int) -> bytes | None:
    """A body, None if it is larger than it may be. Raises ConnectionError if it breaks off."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionError
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > max_bytes:
            return None
        if not message.get("more_body"):
            return b"".join(chunks)


class RateLimit:
    """At most so many attempts in so many seconds, of everybody together."""

    def __init__(
        self, attempts: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._attempts = attempts
        self._seconds = seconds
        self._clock = clock
        self._times: deque[float] = deque()

    def allow(self) -> bool:
        """Whether another attempt is allowed, which it then counts."""
        now = self._clock()
        while self._times and now - self._times[0] > self._seconds:
            self._times.popleft()
        if len(self._times) >= self._attempts:
            return False
        self._times.append(now)
        return True
