"""Chain lines by hashes: each line holds the SHA-256 of the whole line before it.

So no line can be changed, removed, added or moved without a break at the line after it. The last
line is protected by noting its hash, the *head*, elsewhere. Part of a line, left by a crash, stays
where it is: the next line holds the hash of the last whole line, and as ``torn`` the hash of
everything between the two.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from msgspec import Struct

CHAIN_START: Final = "0" * 64


class ChainLink(Struct):
    """The hashes in a line: of the whole line before it, and of torn text between them."""

    previous: str
    torn: str | None = None


class Continuation(Struct, frozen=True, omit_defaults=True):
    """What the first line of a log says of the archive that it continues.

    ``number`` counts the archives from 1, ``lines`` the whole lines of this one, and ``head`` is
    the hash of the last of them. ``ledgers`` are the heads of ledgers that were noted last, one for
    each index, so that they outlive the archive.
    """

    file: str
    number: int
    lines: int
    head: str
    ledgers: tuple[dict[str, Any], ...] = ()


class ChainCheck(Struct, frozen=True):
    """The result of a check.

    ``line_count`` counts the whole lines, and ``head`` is the hash of the last. ``torn_lines`` are
    the numbers of lines cut short, counted from 1. ``breaks`` says what is wrong, and is empty if
    the chain is intact. ``noted_line`` is the number of the whole line whose hash is the noted
    head: 0 for the start of the chain, None if no head was noted or no line has it.
    """

    line_count: int
    head: str
    torn_lines: tuple[int, ...]
    breaks: tuple[str, ...]
    noted_line: int | None = None


def build_chain_line(fields: dict[str, Any], tail: bytes) -> bytes:
    """The next line of a chain, with these fields.

    ``tail`` is the end of the chain: its last whole line and all that follows.
    """
    last_line, torn_text = split_last_line(tail)
    link = {
        "previous": hash_line(last_line),
        **({"torn": hash_line(torn_text)} if torn_text else {}),
    }
    return msgspec.json.encode({**fields, **link}) + b"\n"


def split_last_line(tail: bytes) -> tuple[bytes, bytes]:
    """The last whole line (b"" if there is none), and the text that follows it."""
    lines = io.BytesIO(tail).readlines()
    for index in range(len(lines) - 1, -1, -1):
        if _parse_link(lines[index]):
            return lines[index], b"".join(lines[index + 1 :])
    return b"", tail


def hash_line(text: bytes) -> str:
    """The SHA-256 of a line or lines, without the last line end; CHAIN_START for no text."""
    bare = text.removesuffix(b"\n")
    return hashlib.sha256(bare).hexdigest() if bare else CHAIN_START


def extend_head(head: str, line: bytes) -> str:
    """The head of a chain of lines that do not contain hashes, after one more line."""
    return hashlib.sha256(head.encode() + line.rstrip(b"\n")).hexdigest()


def check_chain(lines: Iterable[bytes], noted_head: str = "") -> ChainCheck:
    """Check a chain from its first line on; ``noted_head`` is a head that was noted elsewhere.

    That no line has it is no break of this chain: it may be in another file.
    """
    count, head, torn_text = 0, CHAIN_START, bytearray()
    torn_lines: list[int] = []
    breaks: list[str] = []
    noted_line: int | None = 0 if noted_head == CHAIN_START else None
    for number, text in enumerate(lines, start=1):
        link = _parse_link(text)
        if link is None:
            torn_lines.append(number)
            torn_text += text
            continue
        if link.previous != head:
            breaks.append(
                f"line {number:,} does not hold the hash of "
                + ("the whole line before it" if count else "the start of a log")
                + ", so a line was changed, removed, added or moved there"
            )
        if link.torn != (hash_line(bytes(torn_text)) if torn_text else None):
            breaks.append(f"the torn text before line {number:,} is not what a crash left there")
        count, head, torn_text = count + 1, hash_line(text), bytearray()
        if noted_head == head:
            noted_line = count
    return ChainCheck(count, head, tuple(torn_lines), tuple(breaks), noted_line)


def _parse_link(text: bytes) -> ChainLink | None:
    """The link of a line, or None if it is not a whole line."""
    if not text.endswith(b"\n"):
        return None
    try:
        return msgspec.json.decode(text, type=ChainLink)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
