"""Options and arguments that several commands share, and the files that they name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from indexer.commands.shared import parse_path
from indexer.errors import RequestError
from indexer.session import get_session

if TYPE_CHECKING:
    from queries.documents.content.context import DocumentSettings
    from queries.request.adhoc import AdhocOptions
    from queries.request.reader import Request
    from queries.spec.term_book import TermBook

# The panels of ``foidex --help``, in the order in which it shows them.
ANSWER_PANEL: Final = "Answer requests"

EXPLORE_PANEL: Final = "Look closer"

INDEX_PANEL: Final = "Index records"

OPERATE_PANEL: Final = "Operate"


class ReportFormat(StrEnum):
    """The formats of a report: text for a person, JSON for a program."""

    TEXT = "text"
    JSON = "json"


RequestArgument = Annotated[
    Path, typer.Argument(parser=parse_path, help="A request file.", readable=False)
]

ReportFormatOption = Annotated[ReportFormat, typer.Option("--format", help="What to print.")]

TermsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Terms to find, however they are written with spaces and hyphens.",
        show_default=False,
    ),
]

OffenceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--offence",
        help="Only this offence code, or those of a range such as 19C-19K, with every code below. "
        "Repeatable.",
    ),
]


def _check_period_option(text: str) -> str:
    from queries.request.adhoc import parse_adhoc_period

    try:
        parse_adhoc_period(text)
    except RequestError as error:
        raise typer.BadParameter(str(error)) from None
    return text


PeriodOption = Annotated[
    list[str] | None,
    typer.Option(
        "--period",
        parser=_check_period_option,
        metavar="PERIOD",
        help="2017/18, 2017 or 2017-04-01..2017-06-30. Several are shown side by side.",
    ),
]


def _check_where_option(text: str) -> str:
    from queries.request.adhoc import parse_field_condition

    try:
        parse_field_condition(text)
    except RequestError as error:
        raise typer.BadParameter(str(error)) from None
    return text


WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        parser=_check_where_option,
        metavar="FIELD=VALUE",
        help="Only records with this outcome, offence_group, sex or category, or such a victim or "
        'suspect: "victim={age: {to: 17}, sex: [F]}". Repeatable.',
    ),
]

CoTermOption = Annotated[
    list[str] | None,
    typer.Option(
        "--with", metavar="TERM", help="Only records that also mention this term. Repeatable."
    ),
]

DistanceOption = Annotated[
    int | None,
    typer.Option(
        "--near", min=0, max=100, help="Only where the --with term is at most this many words away."
    ),
]

AliasOption = Annotated[
    list[str] | None,
    typer.Option("--alias", metavar="TERM", help="Another name of the (single) term. Repeatable."),
]

RowOption = Annotated[
    str | None,
    typer.Option(
        metavar="QUESTION:ROW",
        help="Which number: Q2:Snapchat for a row, Q2 for the total of Q2.",
    ),
]

ColumnOption = Annotated[
    str, typer.Option(help="The column, if the table has several, as the answer names it.")
]

MaskOption = Annotated[
    bool, typer.Option("--mask", help="Hide numbers, addresses and names around the words.")
]

ExactOption = Annotated[
    bool, typer.Option("--exact", help="Only the exact wording, without spelling variants.")
]


def parse_day_option(text: str | date) -> date:
    """A day of the command line, as YYYY-MM-DD. Raises BadParameter."""
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f'"{text[:60]}" is not a date (expected YYYY-MM-DD)') from None


StartOption = Annotated[
    date | None,
    typer.Option("--from", parser=parse_day_option, metavar="DATE", help="First day, included."),
]

EndOption = Annotated[
    date | None,
    typer.Option("--to", parser=parse_day_option, metavar="DATE", help="Last day, included."),
]


def _parse_override_reason(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise typer.BadParameter("is not valid UTF-8 text. Type it as UTF-8.") from None
    if not text.strip():
        raise typer.BadParameter(
            "is blank. Say why the rule is set aside, or leave the option out."
        )
    return text


OverrideReasonOption = Annotated[
    str | None,
    typer.Option(
        "--override",
        parser=_parse_override_reason,
        metavar="REASON",
        help="Why a rule is set aside. The reason is recorded.",
    ),
]


def load_term_book() -> TermBook:
    """Load the term book that foidex.toml names, or the default. Raises ConfigurationError."""
    from queries.spec.term_book import load_configured_term_book

    return load_configured_term_book(get_session().settings)


def load_request(path: Path) -> Request:
    """Read a request file with the term book and categories of foidex.toml. Raises RequestError."""
    from queries.request.reader import read_configured_request

    return read_configured_request(path, get_session().settings)


def configure_documents(day: date | None = None) -> DocumentSettings:
    """What documents need besides the answer; ``day`` is the date of the letters, or today."""
    from queries.documents.content import context

    return context.make_document_settings(get_session().settings, day)


def build_request_from_options(terms: Sequence[str], options: AdhocOptions) -> Request:
    """Build a request from terms and options of the command line. Raises RequestError."""
    from queries.request.adhoc import build_adhoc_request

    settings = get_session().settings
    return build_adhoc_request(
        terms,
        options,
        book=load_term_book(),
        categories=settings.categories,
        noun=settings.records.noun,
    )
