"""The process that makes one PDF, with limited memory and time, because a template may have a loop
that never ends.

Run as ``python typst_worker.py MEGABYTES SECONDS``. It reads a task in MessagePack from its input,
and writes what became of it, in MessagePack too. It imports little, so it starts quickly.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

#: Of the root: packages that a template imports. No other ones are used.
_PACKAGES: Final = "packages"

#: Typst has no setting that keeps it from downloading packages. Nobody listens there.
_NO_NETWORK: Final = dict.fromkeys(("ALL_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:1")


class TypstTask(Struct, frozen=True):
    """What to set: the source, and the folder and the fonts that it may use."""

    source: bytes
    root: str
    fonts: tuple[str, ...]
    ignore_system_fonts: bool
    timestamp: int


class TypstResult(Struct, frozen=True):
    """The PDF; or what is wrong with the source, in Typst's words."""

    pdf: bytes = b""
    error: str = ""
    diagnostic: str = ""
    hints: tuple[str, ...] = ()


def compile_task(task: TypstTask) -> TypstResult:
    """Set a source as PDF."""
    import typst

    packages = Path(task.root, _PACKAGES)
    try:
        pdf = typst.compile(  # type: ignore[call-overload]
            task.source,
            root=task.root,  # where images are; text, whatever the input is
            font_paths=list(task.fonts),
            ignore_system_fonts=task.ignore_system_fonts,
            format="pdf",
            pdf_standards=["ua-1"],
            timestamp=task.timestamp,
            package_path=packages,
            package_cache_path=packages,
        )
    except typst.TypstError as error:
        return TypstResult(
            error=error.message, diagnostic=error.diagnostic or "", hints=tuple(error.hints)
        )
    assert isinstance(pdf, bytes)
    return TypstResult(pdf=pdf)


if __name__ == "__main__":
    from indexer.process_limits import limit_process

    limit_process(*map(int, sys.argv[1:]))
    os.environ |= _NO_NETWORK
    result = compile_task(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=TypstTask))
    sys.stdout.buffer.write(msgspec.msgpack.encode(result))
