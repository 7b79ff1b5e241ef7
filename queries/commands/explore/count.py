"""The command ``count``: counts the records that mention any of some terms."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.session import get_session
from queries.commands.options import (
    EXPLORE_PANEL,
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
    from queries.answering.adhoc import AdhocCount
    from queries.request.adhoc import AdhocOptions

count_app = typer.Typer()


class UnitOption(StrEnum):
    """What a table counts."""

    OFFENCES = "offences"
    VICTIMS = "victims"
    SUSPECTS = "suspects"


class CountFormat(StrEnum):
    """What ``count`` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def _complete_field_names(incomplete: str) -> list[str]:
    """The values of --by, for the shell's completion."""
    from queries.request.adhoc import TERM_AXIS
    from queries.tables.field_axes import list_field_names

    field_names = (TERM_AXIS, *list_field_names(get_session().settings.categories))
    return [name for name in field_names if name.startswith(incomplete)]


ByOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD",
        autocompletion=_complete_field_names,
        help="Break the number down by term, offence, offence_group, month, quarter, "
        "calendar_year, financial_year, status, outcome, sex or a category. Give it twice for a "
        "table of rows by columns.",
    ),
]

CountUnitOption = Annotated[
    UnitOption | None, typer.Option("--count", help="What --by counts, if several are possible.")
]

OverlapOption = Annotated[
    bool, typer.Option("--overlap", help="Show which of the terms are mentioned together.")
]

CountFormatOption = Annotated[CountFormat, typer.Option("--format", help="What to print.")]

ExplainOption = Annotated[
    bool, typer.Option("--explain", help="Say in words what would be counted, then stop.")
]

ShowQueryOption = Annotated[
    bool, typer.Option("--show-query", help="Print the query as JSON, then stop.")
]


@count_app.command("count", rich_help_panel=EXPLORE_PANEL)
def run_count_command(
    terms: TermsArgument = None,
    codes: OffenceOption = None,
    start: StartOption = None,
    end: EndOption = None,
    periods: PeriodOption = None,
    field_filters: WhereOption = None,
    by: ByOption = None,
    unit: CountUnitOption = None,
    overlap: OverlapOption = False,
    co_terms: CoTermOption = None,
    max_distance: DistanceOption = None,
    aliases: AliasOption = None,
    exact: ExactOption = False,
    form: CountFormatOption = CountFormat.TABLE,
    explain: ExplainOption = False,
    show_query: ShowQueryOption = False,
) -> None:
    """Count the records that mention any of the terms, and list the spellings found.

    Example: foidex count "live stream" Snapchat --offence 22B --from 2017-04-01 --to 2018-03-31

    Example: foidex count TikTok Snapchat --by term --by financial_year --format csv

    Example: foidex count Hinge --with app --near 5 --period 2019/20 --period 2020/21

    Example: foidex count --by sex --offence 22B
    """
    from queries.request.adhoc import AdhocOptions

    options = AdhocOptions(
        codes=codes or (),
        start=start,
        end=end,
        periods=periods or (),
        field_filters=field_filters or (),
        by=by or (),
        unit=unit.value if unit else None,
        overlap=overlap,
        cooccurrences=co_terms or (),
        max_distance=max_distance,
        aliases=aliases or (),
        exact=exact,
    )
    if explain:
        _print_explanation(terms or (), options)
    elif show_query:
        _print_query(terms or (), options)
    else:
        _count_records(terms or (), options, form)


def _print_explanation(terms: Sequence[str], options: AdhocOptions) -> None:
    from queries.evidence.explain import explain_request

    print(explain_request(build_request_from_options(terms, options)), end="")


def _print_query(terms: Sequence[str], options: AdhocOptions) -> None:
    from queries.answering.build import format_request_body

    print(format_request_body(build_request_from_options(terms, options)))


def _count_records(terms: Sequence[str], options: AdhocOptions, form: CountFormat) -> None:
    from queries.answering.adhoc import count_adhoc_request
    from queries.answering.audit_fields import adhoc_request_fields, count_fields

    with get_session().run("count") as run:
        request = build_request_from_options(terms, options)
        run.add_fields(**adhoc_request_fields(request))
        with get_session().client() as client:
            result = count_adhoc_request(client, get_session().settings.index.alias, request)
        run.write(**count_fields(result))
        _print_count(result, form)


def _print_count(result: AdhocCount, form: CountFormat) -> None:
    from queries.answer.types import format_json
    from queries.answering.adhoc import format_adhoc_csv, format_adhoc_text
    from queries.lint.unused_values import describe_unused_values

    match form:
        case CountFormat.JSON:
            print(format_json(result))
        case CountFormat.CSV:
            for note in result.coverage_notes:
                print(note, file=sys.stderr)
            print(format_adhoc_csv(result), end="")
            for message in (*result.notes, result.exclusions):
                print(message, end="\n" if message else "", file=sys.stderr)
        case CountFormat.TABLE:
            print(format_adhoc_text(result), end="")
    if form is not CountFormat.JSON and result.damage and result.damage.note:
        print(result.damage.note, file=sys.stderr)
    if form is not CountFormat.JSON and (unused := describe_unused_values(result.unused_values)):
        print(unused, file=sys.stderr)
