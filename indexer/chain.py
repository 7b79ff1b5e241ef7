"""A chain of lines: each holds the SHA-256 of the whole line before it. Pure.

So no line can be changed, removed, added or moved without a break at the line after it. What the
last line says is held by noting its hash, the *head*, elsewhere. What a crash left of a line stays
where it is: the next line holds the hash of the last whole line, and under ``torn`` that of all
that stands between.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

START: Final = "0" * 64


class Link(Struct):
    """What the chain reads of a line: the hash of the whole line before, and of what is torn."""

    previous: str
    torn: str | None = None


class Checked(Struct, frozen=True):
    """What a check found.

    ``lines`` are the whole lines and ``head`` the hash of the last; ``torn`` are the places of
    those cut short; ``broken`` says what is wrong, and is empty where nothing is; ``noted`` is the
    number of the whole line whose hash was noted as the head.
    """

    lines: int
    head: str
    torn: tuple[int, ...]
    broken: tuple[str, ...]
    noted: int | None = None


def line(said: dict[str, Any], end: bytes) -> bytes:
    """The line that says something. ``end`` is the end of the chain from its last whole line on."""
    last, torn = last_whole(end)
    link = {"previous": digest(last), **({"torn": digest(torn)} if torn else {})}
    return msgspec.json.encode({**said, **link}) + b"\n"


def last_whole(end: bytes) -> tuple[bytes, bytes]:
    """The last whole line of some lines, b"" where there is none, and what follows it."""
    lines = io.BytesIO(end).readlines()
    for place in range(len(lines) - 1, -1, -1):
        if _link(lines[place]):
            return lines[place], b"".join(lines[place + 1 :])
    return b"", end


def digest(text: bytes) -> str:
    """The hash of a line, or of several, without the last one's end; of nothing, START."""
    bare = text.removesuffix(b"\n")
    return hashlib.sha256(bare).hexdigest() if bare else START


def check(lines: Iterable[bytes], noted: str = "") -> Checked:
    """Check a chain from its first line; ``noted`` is a head that was noted elsewhere."""
    whole, head, between = 0, START, b""
    torn: list[int] = []
    broken: list[str] = []
    found: int | None = 0 if noted == START else None
    for place, text in enumerate(lines, start=1):
        link = _link(text)
        if link is None:
            torn.append(place)
            between += text
            continue
        if link.previous != head:
            broken.append(
                f"line {place:,} does not hold the hash of "
                + ("the whole line before it" if whole else "a beginning")
                + ", so a line was changed, removed, added or moved there"
            )
        if link.torn != (digest(between) if between else None):
            broken.append(f"before line {place:,} stands what no crash left")
        whole, head, between = whole + 1, digest(text), b""
        if noted == head:
            found = whole
    if noted and found is None:
        broken.append(
            "no line has the hash that was noted, so the end was cut off, or changed, since then"
        )
    return Checked(whole, head, tuple(torn), tuple(broken), found)


def _link(text: bytes) -> Link | None:
    """The link of a line; None of one that is no whole line."""
    if not text.endswith(b"\n"):
        return None
    try:
        return msgspec.json.decode(text, type=Link)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
