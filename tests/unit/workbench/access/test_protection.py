"""What is refused before any page is asked: a body that never ends keeps nobody waiting."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from queries.workbench.access.protection import BodyLimit


async def show_body(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await PlainTextResponse(message["body"])(scope, receive, send)


def refuse(status: int, heading: str, message: str) -> PlainTextResponse:
    return PlainTextResponse(f"{heading}: {message}", status)


def send_slowly(pause: float) -> list[Any]:
    """Send a body of two pieces, with a pause between them; the messages of the answer."""
    pieces = iter([b"a", b"b"])
    answered: list[Message] = []

    async def receive() -> Message:
        piece = next(pieces)
        if piece == b"b":
            await asyncio.sleep(pause)
        return {"type": "http.request", "body": piece, "more_body": piece == b"a"}

    async def send(message: Message) -> None:
        answered.append(message)

    scope: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    limited = BodyLimit(show_body, lambda _: 1_000, refuse, seconds=0.05)
    asyncio.run(limited(scope, receive, send))
    return answered


def test_a_body_that_takes_too_long_is_refused() -> None:
    start, *_, body = send_slowly(5)
    assert start["status"] == 408
    assert b"Send it again" in body["body"]


def test_a_body_in_time_is_passed_on_whole() -> None:
    start, body = send_slowly(0)
    assert (start["status"], body["body"]) == (200, b"ab")
