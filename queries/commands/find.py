"""TODO: say what queries.commands.find is for."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from indexer.errors import RequestError
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
    load_request,
)


class FindFormat(StrEnum):
    """How ``find`` prints: in blocks at a terminal and one a line into a pipe, or for programs."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def run_find_command(
    terms: TermsArgument = None,
    codes: OffenceOption = None,
    start: StartOption = None,
    end: EndOption = None,
    periods: PeriodOption = None,
    field_filters: WhereOption = None,
    co_terms: CoTermOption = None,
    max_distance: DistanceOption = None,
    aliases: AliasOption = None,
    exact: ExactOption = False,
    request: Annotated[
        Path | None, typer.Option(help="The records behind a number of this request file.")
    ] = None,
    row: Annotated[
        str | None,
        typer.Option(
            metavar="QUESTION:ROW", help="Which number of it: Q2:Snapchat; Q2 alone is its total."
        ),
    ] = None,
    column: Annotated[
        str, typer.Option(help="Its column, where the table has several, as the answer calls it.")
    ] = "",
    refs_only: Annotated[
        bool, typer.Option("--refs-only", help="Only the references, one a line.")
    ] = False,
    width: Annotated[
        int, typer.Option("--context", min=0, max=10_000, help="Characters to show on each side.")
    ] = 60,
    sentences: Annotated[
        int | None,
        typer.Option(min=0, max=100, help="Show the sentence instead, and so many on each side."),
    ] = None,
    mask: Annotated[
        bool, typer.Option("--mask", help="Hide numbers, addresses and names around the words.")
    ] = False,
    max_mentions: Annotated[
        int,
        typer.Option("--most", min=1, max=1_000, help="Mentions of each term to show in a record."),
    ] = 3,
    form: Annotated[FindFormat, typer.Option("--format", help="What to print.")] = FindFormat.TABLE,
) -> None:
    """List the records behind a number, each with the words that put it there.

    Example: foidex find livestream --offence 22B --mask

    Example: foidex find --request request.yaml --row Q2:Snapchat --column 22B

    Example: foidex find TikTok --period 2019/20 --refs-only | sort
    """
    from queries.answering.audit_fields import adhoc_request_fields, request_fields
    from queries.evidence.hits import SnippetOptions, iter_hits
    from queries.evidence.listing import HitFormat, write_hits
    from queries.evidence.locate import locate_records, locate_scope, parse_cell_name
    from queries.search.run import count_records

    with get_session().run("find") as run:
        if request:
            if terms:
                raise RequestError("--request says what to find, and so do terms. Keep one.")
            parsed_request = load_request(request)
            run.add_fields(
                **request_fields(parsed_request), arguments={"row": row, "column": column}
            )
            located = (
                locate_records(parsed_request, *parse_cell_name(row), column)
                if row
                else locate_scope(parsed_request.scope)
            )
        else:
            if row or column:
                raise RequestError(
                    "--row and --column are of a request file. Name it with --request."
                )
            parsed_request = build_request_from_options(
                terms,
                codes=codes or (),
                start=start,
                end=end,
                periods=periods or (),
                where=field_filters or (),
                company=co_terms or (),
                near=max_distance,
                aliases=aliases or (),
                exact=exact,
            )
            run.add_fields(**adhoc_request_fields(parsed_request))
            located = locate_scope(parsed_request.scope)
        snippet_options = (
            None if refs_only else SnippetOptions(width, sentences, max_mentions, mask)
        )
        with get_session().client() as client:
            # How many there will be is logged before the first of them is printed.
            alias = get_session().settings.index.alias
            name, number = count_records(client, alias, located.query)
            run.write(generation=name, records=number)
            hits = iter_hits(client, alias, located, snippet_options, generation_name=name)
            if refs_only:
                for hit in hits:
                    print(hit.crime_ref)
                return
            write_hits(hits, HitFormat(form))
    if sys.stdout.isatty():
        print(f"{number:,} {'record' if number == 1 else 'records'}.", file=sys.stderr)
    if row and not number:
        print("The row is named as the answer has it, if the answer has it.", file=sys.stderr)
