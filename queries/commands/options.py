"""What several commands take: options, formats, and the files they name."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.session import get_session

if TYPE_CHECKING:
    from queries.request.reader import Request
    from queries.spec.term_book import TermBook


def build_request_from_options(terms: list[str] | None, **option_values: Any) -> Request:
    from queries.request.adhoc import AdhocOptions, build_adhoc_request

    return build_adhoc_request(
        terms or [],
        AdhocOptions(**option_values),
        book=load_term_book(),
        categories=get_session().settings.categories,
    )


class ReportFormat(StrEnum):
    """What ``replay`` and ``estimate`` print."""

    TEXT = "text"
    JSON = "json"


TermsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Words to find, in any spelling of spaces and hyphens.", show_default=False
    ),
]

OffenceOption = Annotated[
    list[str] | None, typer.Option("--offence", help="Only this code and all below it; repeatable.")
]

PeriodOption = Annotated[
    list[str] | None,
    typer.Option(
        "--period",
        metavar="PERIOD",
        help="2017/18, 2017 or 2017-04-01..2017-06-30; several stand side by side.",
    ),
]

WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FIELD=VALUE",
        help="Only records whose outcome, offence_group, sex or category is this; repeatable.",
    ),
]

CoTermOption = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="TERM", help="Only where this is in the same record."),
]

DistanceOption = Annotated[
    int | None,
    typer.Option(
        "--near", min=0, max=100, help="Only where --with is at most this many words away."
    ),
]

AliasOption = Annotated[
    list[str] | None, typer.Option("--alias", metavar="TERM", help="Another name of the one term.")
]

ExactOption = Annotated[
    bool, typer.Option("--exact", help="Only as written, without the variants.")
]


def _parse_day_option(text: str | date) -> date:
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f'"{text[:60]}" is not a day (expected YYYY-MM-DD)') from None


StartOption = Annotated[
    date | None,
    typer.Option("--from", parser=_parse_day_option, metavar="DATE", help="First day, included."),
]

EndOption = Annotated[
    date | None,
    typer.Option("--to", parser=_parse_day_option, metavar="DATE", help="Last day, included."),
]


def _parse_override_reason(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("holds half a character. Type it as UTF-8 text.") from None
    if not text.strip():
        raise typer.BadParameter("is blank. Say why a rule is set aside, or leave the option out.")
    return text


OverrideReasonOption = Annotated[
    str | None,
    typer.Option(
        "--override",
        parser=_parse_override_reason,
        metavar="REASON",
        help="Why a rule is set aside; it is recorded.",
    ),
]


def load_term_book() -> TermBook:
    """The term book of this force. Raises ConfigurationError."""
    from queries.spec.term_book import load_configured_term_book

    return load_configured_term_book(get_session().settings)


def load_request(path: Path) -> Request:
    """A request file, read as this force has set. Raises RequestError."""
    from queries.request.reader import read_configured_request

    return read_configured_request(path, get_session().settings)
