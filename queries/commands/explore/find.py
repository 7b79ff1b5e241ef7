"""The command ``find``: lists the records behind a number."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from indexer.commands.shared import parse_path
from indexer.errors import RequestError
from indexer.session import get_session
from queries.commands.options import (
    EXPLORE_PANEL,
    AliasOption,
    ColumnOption,
    CoTermOption,
    DistanceOption,
    EndOption,
    ExactOption,
    MaskOption,
    OffenceOption,
    PeriodOption,
    RowOption,
    StartOption,
    TermsArgument,
    WhereOption,
    build_request_from_options,
    load_request,
)
from queries.evidence.find_output import HitFormat

if TYPE_CHECKING:
    from indexer.audit.log import AuditRun
    from queries.evidence.hits import SnippetOptions
    from queries.evidence.locate import RecordQuery
    from queries.request.adhoc import AdhocOptions

find_app = typer.Typer()

RequestOption = Annotated[
    Path | None,
    typer.Option(
        parser=parse_path,
        help="Show the records behind a number of this request file.",
    ),
]

ReferencesOption = Annotated[
    bool, typer.Option("--refs-only", help="Only the references, one on each line.")
]

ContextWidthOption = Annotated[
    int,
    typer.Option("--context", min=0, max=10_000, help="Characters to show on each side."),
]

SentencesOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=100,
        help="Show the sentence instead, and this many on each side.",
    ),
]

MaxMentionsOption = Annotated[
    int,
    typer.Option(
        "--most", min=1, max=1_000, help="How many mentions of each term to show in a record."
    ),
]

HitFormatOption = Annotated[HitFormat, typer.Option("--format", help="What to print.")]


class _CellChoice(NamedTuple):
    """A number of a request file: without a row, the whole scope."""

    request_path: Path | None
    row: str | None
    column: str


@find_app.command("find", rich_help_panel=EXPLORE_PANEL)
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
    request: RequestOption = None,
    row: RowOption = None,
    column: ColumnOption = "",
    refs_only: ReferencesOption = False,
    width: ContextWidthOption = 60,
    sentences: SentencesOption = None,
    mask: MaskOption = False,
    max_mentions: MaxMentionsOption = 3,
    form: HitFormatOption = HitFormat.TABLE,
) -> None:
    """List the records behind a number, each with the words that matched.

    Example: foidex find livestream --offence 22B --mask

    Example: foidex find --request request.yaml --row Q2:Snapchat --column 22B

    Example: foidex find TikTok --period 2019/20 --refs-only | sort
    """
    from queries.evidence.hits import SnippetOptions
    from queries.request.adhoc import AdhocOptions

    options = AdhocOptions(
        codes=codes or (),
        start=start,
        end=end,
        periods=periods or (),
        field_filters=field_filters or (),
        cooccurrences=co_terms or (),
        max_distance=max_distance,
        aliases=aliases or (),
        exact=exact,
    )
    cell = _CellChoice(request, row, column)
    snippets = None if refs_only else SnippetOptions(width, sentences, max_mentions, mask)
    number = _list_records(terms or (), options, cell, snippets, form)
    if number is None:
        return
    if sys.stdout.isatty() and not refs_only:
        print(f"{number:,} {'record' if number == 1 else 'records'}.", file=sys.stderr)
    if row and not number and not refs_only:
        print("If the row should exist, name it as the answer does.", file=sys.stderr)


def _list_records(
    terms: Sequence[str],
    options: AdhocOptions,
    cell: _CellChoice,
    snippets: SnippetOptions | None,
    form: HitFormat,
) -> int | None:
    """Print the records, and return how many there are; None if their days are not covered.

    Without snippets, print references.
    """
    from queries.answer.covered_days import is_outside_coverage
    from queries.answer.types import NOT_COVERED
    from queries.evidence.find_output import write_hits
    from queries.evidence.hits import iter_hits
    from queries.layout.coverage_text import format_coverage_days
    from queries.search.run import count_records

    with get_session().run("find") as run:
        records = (
            _locate_request_cell(run, cell, terms)
            if cell.request_path
            else _locate_terms(run, cell, terms, options)
        )
        with get_session().client() as client:
            # The number of records is logged before the first of them is printed.
            alias = get_session().settings.index.alias
            searched, number = count_records(client, alias, records.query)
            generation_name = searched.generation.name
            if searched.coverage and is_outside_coverage(searched.coverage, records.conditions):
                run.write(generation=generation_name, records=NOT_COVERED)
                print(
                    f"The records cover {format_coverage_days(searched.coverage)}, and this number "
                    "is of other days: it is not covered, so there are no records to list.",
                    file=sys.stderr,
                )
                return None
            run.write(generation=generation_name, records=number)
            hits = iter_hits(client, alias, records, snippets, generation_name=generation_name)
            if snippets is None:
                for hit in hits:
                    print(hit.crime_ref)
            else:
                write_hits(hits, form, sys.stdout)
    return number


def _locate_request_cell(run: AuditRun, cell: _CellChoice, terms: Sequence[str]) -> RecordQuery:
    from queries.answering.audit_fields import request_fields
    from queries.evidence.locate import locate_records, locate_scope, parse_cell_name

    if terms:
        raise RequestError("terms and --request both say what to find. Keep one of the two.")
    assert cell.request_path is not None
    request = load_request(cell.request_path)
    run.add_fields(**request_fields(request), arguments={"row": cell.row, "column": cell.column})
    if cell.column and not cell.row:
        raise RequestError("--column names a column of a table. Name its row, too, with --row.")
    if cell.row:
        return locate_records(request, *parse_cell_name(cell.row), cell.column)
    return locate_scope(request.scope)


def _locate_terms(
    run: AuditRun, cell: _CellChoice, terms: Sequence[str], options: AdhocOptions
) -> RecordQuery:
    from queries.answering.audit_fields import adhoc_request_fields
    from queries.evidence.locate import locate_scope

    if cell.row or cell.column:
        raise RequestError("--row and --column need a request file. Name it with --request.")
    request = build_request_from_options(terms, options)
    run.add_fields(**adhoc_request_fields(request))
    return locate_scope(request.scope)
