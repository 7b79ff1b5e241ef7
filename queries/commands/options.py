"""What several commands take: options, formats, and the files they name."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.session import session

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from queries.request import Request
    from queries.termbook import Book


class ReportFormat(StrEnum):
    """What ``replay`` and ``estimate`` print."""

    TEXT = "text"
    JSON = "json"


Terms = Annotated[
    list[str] | None,
    typer.Argument(
        help="Words to find, in any spelling of spaces and hyphens.", show_default=False
    ),
]
Codes = Annotated[
    list[str] | None, typer.Option("--offence", help="Only this code and all below it; repeatable.")
]
Periods = Annotated[
    list[str] | None,
    typer.Option(
        "--period",
        metavar="PERIOD",
        help="2017/18, 2017 or 2017-04-01..2017-06-30; several stand side by side.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FIELD=VALUE",
        help="Only records whose outcome, offence_group, sex or category is this; repeatable.",
    ),
]
Company = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="TERM", help="Only where this is in the same record."),
]
Near = Annotated[
    int | None, typer.Option(min=0, max=100, help="Only where --with is at most so many words off.")
]
Aliases = Annotated[
    list[str] | None, typer.Option("--alias", metavar="TERM", help="Another name of the one term.")
]
Exact = Annotated[bool, typer.Option("--exact", help="Only as written, without the variants.")]


def _day(text: str | date) -> date:
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f'"{text[:60]}" is not a day (expected YYYY-MM-DD)') from None


From = Annotated[
    date | None, typer.Option("--from", parser=_day, metavar="DATE", help="First day, included.")
]
To = Annotated[
    date | None, typer.Option("--to", parser=_day, metavar="DATE", help="Last day, included.")
]


def _reason(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("holds half a character. Type it as UTF-8 text.") from None
    if not text.strip():
        raise typer.BadParameter("is blank. Say why a rule is set aside, or leave the option out.")
    return text


Reason = Annotated[
    str | None,
    typer.Option(
        "--override",
        parser=_reason,
        metavar="REASON",
        help="Why a rule is set aside; it is recorded.",
    ),
]


def book() -> Book:
    """The term book of this force. Raises ConfigurationError."""
    from queries import termbook

    return termbook.of(session().settings)


def request(path: Path) -> Request:
    """A request file, read as this force has set. Raises RequestError."""
    from queries import request as requests

    return requests.of_force(path, session().settings)
