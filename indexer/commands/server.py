"""The commands ``up``, ``down`` and ``status``."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.errors import FoidexError, ServerError, StaleGenerationError
from indexer.session import get_session
from indexer.terminal import escape_line

if TYPE_CHECKING:
    from indexer.index.lock import LockDocument


def run_up(
    fetch_only: Annotated[
        bool,
        typer.Option("--fetch-only", help="Download and unpack the server without starting it."),
    ] = False,
) -> None:
    """Start the embedded server if it is not running."""
    from indexer.doctor.machine import check_private_files
    from indexer.server.embedded.process import fetch_embedded_server, start_embedded_server

    if fetch_only:
        folder = fetch_embedded_server(get_session().settings, get_session().progress)
        print(f"The embedded server is in {escape_line(str(folder))}.")
        return
    address = start_embedded_server(get_session().settings, get_session().progress)
    print(f"The embedded server runs at {address.redacted_urls}.")
    for finding in check_private_files(get_session().settings):
        print(escape_line(f"Warning: {finding.message} {finding.remedy}"), file=sys.stderr)


def run_down() -> None:
    """Stop the embedded server."""
    from indexer.server.embedded.process import stop_embedded_server

    settings = get_session().settings
    lock = _find_running_work()
    stopped = stop_embedded_server(settings, get_session().progress)
    print("The embedded server was stopped." if stopped else "No embedded server was running.")
    if lock:
        print(
            f"A {lock.work} by {lock.holder}, since {lock.since:%Y-%m-%d %H:%M:%S} UTC, had not "
            "ended. It has failed, unless it was dead already: run it again.",
            file=sys.stderr,
        )


def _find_running_work() -> LockDocument | None:
    """The lock of a run that changes the index on the embedded server; None if there is none, or
    the server does not answer."""
    from indexer.index.lock import read_lock
    from indexer.server.embedded.process import find_embedded_address

    settings = get_session().settings
    with suppress(FoidexError):
        if settings.server.url is None and find_embedded_address(settings):
            with get_session().client() as client:
                quick = client.options(request_timeout=3, max_retries=0)
                return read_lock(quick, settings.index.alias)
    return None


def run_status(
    max_age: Annotated[
        str | None,
        typer.Option(
            metavar="AGE",
            help="Exit with 13 if the live generation is older (26h, 2d), or of a time to come.",
        ),
    ] = None,
) -> None:
    """Show which server is used and what the live generation contains.

    It exits with 5 if no server can be used, and with 8 if nothing is loaded. If --max-age is
    given, it starts the embedded server, and exits with 5 if a part of the index is missing, and
    with 7 if records of it are.

    Example: foidex status --max-age 26h
    """
    from datetime import UTC, datetime

    from indexer.index.generations import (
        describe_future_build,
        read_live_generation,
        require_whole_generation,
    )
    from indexer.server.embedded.process import find_embedded_address

    settings = get_session().settings
    limit = _parse_max_age(max_age) if max_age else None
    if settings.server.url is None and find_embedded_address(settings) is None and limit is None:
        raise ServerError(
            "no embedded server is running. Start it with foidex up, or set FOIDEX_URL."
        )
    with get_session().client() as client:
        print(f"Server      {get_session().address().redacted_urls}")
        read = read_live_generation if limit is None else require_whole_generation
        live = read(client, settings.index.alias)
    age = datetime.now(UTC) - live.built_at
    print(f"Generation  {live.name}, {live.mode}, built {live.built_at:%Y-%m-%d %H:%M} UTC")
    print(f"Records     {live.records:,} held, {live.rejected:,} rejected when it was built")
    print(f"Sources     {', '.join(map(escape_line, live.sources))}")
    if live.watermark:
        print(f"Newest      {live.watermark:%Y-%m-%d %H:%M} UTC")
    if limit is not None and (fault := describe_future_build(live)):
        raise StaleGenerationError(
            f"{fault}, so its age is not known. Correct the clock that is wrong, then run a "
            "refresh."
        )
    if limit is not None and age > limit:
        raise StaleGenerationError(
            f"{live.name} was built {age.total_seconds() / 3600:.1f} hours ago, more than "
            f"{max_age}. Check why the refresh did not run or was not promoted."
        )


def _parse_max_age(text: str) -> timedelta:
    match = re.fullmatch(r"(\d{1,6})([mhd])", text)
    if not match:
        raise typer.BadParameter("is not an age (expected 90m, 26h or 2d)", param_hint="--max-age")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[match[2]]
    return timedelta(**{unit: int(match[1])})
