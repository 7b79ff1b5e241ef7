"""The commands that take terms: count and find."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.session import get_session
from queries.commands.options import (
    AliasOption,
    CoTermOption,
    DistanceOption,
    EndOption,
    ExactOption,
    OffenceOption,
    PeriodOption,
    StartOption,
    TermsArgument,
    WhereOption,
    build_request_from_options,
)

if TYPE_CHECKING:
    from queries.request.reader import Request


class UnitOption(StrEnum):
    """What a table counts."""

    OFFENCES = "offences"
    VICTIMS = "victims"


class CountFormat(StrEnum):
    """What ``count`` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def _complete_field_names(incomplete: str) -> list[str]:
    """What --by may be, for the shell's completion."""
    from queries.request.adhoc import TERM_AXIS
    from queries.tables.fields import list_field_names

    field_names = (TERM_AXIS, *list_field_names(get_session().settings.categories))
    return [name for name in field_names if name.startswith(incomplete)]


def run_count_command(
    terms: TermsArgument = None,
    codes: OffenceOption = None,
    start: StartOption = None,
    end: EndOption = None,
    periods: PeriodOption = None,
    field_filters: WhereOption = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            autocompletion=_complete_field_names,
            help="Break the number down by term, offence, offence_group, month, quarter, "
            "calendar_year, financial_year, status, outcome, sex or a category; twice for a table "
            "of rows by columns.",
        ),
    ] = None,
    unit: Annotated[
        UnitOption | None, typer.Option("--count", help="What --by counts, where both could be.")
    ] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Which of the terms are mentioned together.")
    ] = False,
    co_terms: CoTermOption = None,
    max_distance: DistanceOption = None,
    aliases: AliasOption = None,
    exact: ExactOption = False,
    form: Annotated[
        CountFormat, typer.Option("--format", help="What to print.")
    ] = CountFormat.TABLE,
    explain: Annotated[
        bool, typer.Option("--explain", help="Say in words what would be counted, and stop.")
    ] = False,
    show_query: Annotated[
        bool, typer.Option("--show-query", help="Print the query as JSON, and stop.")
    ] = False,
) -> None:
    """Count the records that mention any of the terms, and say which forms were found.

    Example: foidex count "live stream" Snapchat --offence 22B --from 2017-04-01 --to 2018-03-31

    Example: foidex count TikTok Snapchat --by term --by financial_year --format csv

    Example: foidex count Hinge --with app --near 5 --period 2019/20 --period 2020/21

    Example: foidex count --by sex --offence 22B
    """
    from queries.answer.types import format_json
    from queries.answering.adhoc import count_adhoc_request, format_adhoc_csv, format_adhoc_text
    from queries.answering.audit_fields import adhoc_request_fields, count_fields
    from queries.answering.build import format_request_body
    from queries.evidence.explain import explain_request
    from queries.layout.prose import describe_left_out

    def read() -> Request:
        return build_request_from_options(
            terms,
            codes=codes or (),
            start=start,
            end=end,
            periods=periods or (),
            where=field_filters or (),
            by=by or (),
            unit=unit.value if unit else None,
            overlap=overlap,
            company=co_terms or (),
            near=max_distance,
            aliases=aliases or (),
            exact=exact,
        )

    if explain:
        print(explain_request(read()), end="")
        return
    if show_query:
        print(format_request_body(read()))
        return
    with get_session().run("count") as run:
        request = read()
        run.add_fields(**adhoc_request_fields(request))
        with get_session().client() as client:
            result = count_adhoc_request(client, get_session().settings.index.alias, request)
        run.write(**count_fields(result))
        match form:
            case CountFormat.JSON:
                print(format_json(result))
            case CountFormat.CSV:
                print(format_adhoc_csv(result), end="")
                for message in (*result.notes, describe_left_out(result.left_out)):
                    print(message, end="\n" if message else "", file=sys.stderr)
            case CountFormat.TABLE:
                print(format_adhoc_text(result), end="")
