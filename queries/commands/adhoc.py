"""The commands that take terms: count and find."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.errors import RequestError
from indexer.session import session
from queries.commands import options
from queries.commands.options import (
    Aliases,
    Codes,
    Company,
    Exact,
    From,
    Near,
    Periods,
    Terms,
    To,
    Where,
)

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from queries.request import Request

app = typer.Typer()


class Unit(StrEnum):
    """What a table counts."""

    OFFENCES = "offences"
    VICTIMS = "victims"


class Listing(StrEnum):
    """How ``find`` prints: in blocks at a terminal and one a line into a pipe, or for programs."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


class CountFormat(StrEnum):
    """What ``count`` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def _fields(incomplete: str) -> list[str]:
    """What --by may be, for the shell's completion."""
    from queries import adhoc, fields

    known = (adhoc.TERM, *fields.names(session().settings.categories))
    return [name for name in known if name.startswith(incomplete)]


@app.command()
def count(
    terms: Terms = None,
    codes: Codes = None,
    start: From = None,
    end: To = None,
    periods: Periods = None,
    where: Where = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            autocompletion=_fields,
            help="Break the number down by term, offence, offence_group, month, quarter, "
            "calendar_year, financial_year, status, outcome, sex or a category; twice for a table "
            "of rows by columns.",
        ),
    ] = None,
    unit: Annotated[
        Unit | None, typer.Option("--count", help="What --by counts, where both could be.")
    ] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Which of the terms are mentioned together.")
    ] = False,
    company: Company = None,
    near: Near = None,
    aliases: Aliases = None,
    exact: Exact = False,
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
    from queries import adhoc, execute, logged, render
    from queries.answer import to_json
    from queries.explain import explain as in_words

    def read() -> Request:
        return _asked(
            terms,
            codes=codes or (),
            start=start,
            end=end,
            periods=periods or (),
            where=where or (),
            by=by or (),
            unit=unit.value if unit else None,
            overlap=overlap,
            company=company or (),
            near=near,
            aliases=aliases or (),
            exact=exact,
        )

    if explain:
        print(in_words(read()), end="")
        return
    if show_query:
        print(execute.to_json(read()))
        return
    with session().run("count") as run:
        asked = read()
        run.about(**logged.typed(asked))
        with session().client() as client:
            found = adhoc.count(client, session().settings.index.alias, asked)
        run.write(**logged.counted(found))
        match form:
            case CountFormat.JSON:
                print(to_json(found))
            case CountFormat.CSV:
                print(adhoc.as_csv(found), end="")
                for said in (*found.notes, render.left_out(found.left_out)):
                    print(said, end="\n" if said else "", file=sys.stderr)
            case CountFormat.TABLE:
                print(adhoc.table(found), end="")


def _asked(terms: list[str] | None, **given: Any) -> Request:
    from queries import adhoc

    return adhoc.request(
        terms or [],
        adhoc.Options(**given),
        book=options.book(),
        categories=session().settings.categories,
    )


@app.command()
def find(
    terms: Terms = None,
    codes: Codes = None,
    start: From = None,
    end: To = None,
    periods: Periods = None,
    where: Where = None,
    company: Company = None,
    near: Near = None,
    aliases: Aliases = None,
    exact: Exact = False,
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
    most: Annotated[
        int, typer.Option(min=1, max=1_000, help="Mentions of each term to show in a record.")
    ] = 3,
    form: Annotated[Listing, typer.Option("--format", help="What to print.")] = Listing.TABLE,
) -> None:
    """List the records behind a number, each with the words that put it there.

    Example: foidex find livestream --offence 22B --mask

    Example: foidex find --request request.yaml --row Q2:Snapchat --column 22B

    Example: foidex find TikTok --period 2019/20 --refs-only | sort
    """
    from queries import evidence, execute, listing, locate, logged

    with session().run("find") as run:
        if request:
            if terms:
                raise RequestError("--request says what to find, and so do terms. Keep one.")
            asked = options.request(request)
            run.about(**logged.asked(asked), asked={"row": row, "column": column})
            located = (
                locate.behind(asked, *locate.parse(row), column)
                if row
                else locate.whole(asked.scope)
            )
        else:
            if row or column:
                raise RequestError(
                    "--row and --column are of a request file. Name it with --request."
                )
            asked = _asked(
                terms,
                codes=codes or (),
                start=start,
                end=end,
                periods=periods or (),
                where=where or (),
                company=company or (),
                near=near,
                aliases=aliases or (),
                exact=exact,
            )
            run.about(**logged.typed(asked))
            located = locate.whole(asked.scope)
        look = None if refs_only else evidence.Look(width, sentences, most, mask)
        with session().client() as client:
            # How many there will be is logged before the first of them is printed.
            alias = session().settings.index.alias
            name, number = execute.counted(client, alias, located.query)
            run.write(generation=name, records=number)
            hits = evidence.find(client, alias, located, look, of=name)
            if refs_only:
                for hit in hits:
                    print(hit.crime_ref)
                return
            listing.write(hits, listing.Format(form))
    if sys.stdout.isatty():
        print(f"{number:,} {'record' if number == 1 else 'records'}.", file=sys.stderr)
    if row and not number:
        print("The row is named as the answer has it, if the answer has it.", file=sys.stderr)
