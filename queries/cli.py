"""The program ``foidex``: the commands that ask, and those of ``indexer.cli``.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from indexer.cli import app as indexer_app
from indexer.errors import FoidexError, OutputError
from indexer.session import session

_EXIT_CODES = """
Exit codes: 0 done; 1 a fault in foidex; 2 a wrong command line; 3 a request, term or code refused;
4 records refused; 5 the server; 6 a generation not verified; 7 a number may be inexact; 8 nothing
loaded yet; 9 the embedded server; 10 configuration; 11 a result could not be written.
"""

app = typer.Typer(
    name="foidex",
    help="Answers Freedom of Information requests over crime records with numbers you can defend.",
    epilog=_EXIT_CODES.replace("\n", " ").strip(),
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(indexer_app)


class AnswerFormat(StrEnum):
    """What ``answer`` prints."""

    TEXT = "text"
    LETTER = "letter"
    HTML = "html"
    JSON = "json"


class CountFormat(StrEnum):
    """What ``count`` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class By(StrEnum):
    """What ``count`` breaks its number down by."""

    OFFENCE = "offence"


Terms = Annotated[
    list[str], typer.Argument(help="Words to find, in any spelling of spaces and hyphens.")
]
Codes = Annotated[
    list[str] | None, typer.Option("--offence", help="Only this code and all below it; repeatable.")
]


def _day(text: str | date) -> date:
    if isinstance(text, date):
        return text
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("is not a day (expected YYYY-MM-DD)") from None


From = Annotated[
    date | None, typer.Option("--from", parser=_day, metavar="DATE", help="First day, included.")
]
To = Annotated[
    date | None, typer.Option("--to", parser=_day, metavar="DATE", help="Last day, included.")
]


@app.callback()
def options(
    config: Annotated[Path | None, typer.Option(help="The foidex.toml to use.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options of every command."""
    if version:
        print(importlib.metadata.version("foidex"))
        raise typer.Exit
    session().config = config
    session().quiet = quiet


@app.command()
def lint(request: Annotated[Path, typer.Argument(help="A request file.")]) -> None:
    """Check a request file, without asking any server.

    Example: foidex lint request.yaml
    """
    from queries import request as requests

    found = requests.read(request)
    scope = found.scope
    print(f"{request}: {found.reference} is right.")
    print(f"Period      {scope.period.words}")
    for row in scope.offences:
        print(f"Offence     {', '.join(row.codes)}  {row.label}")
    for mention in scope.mentions:
        print(f"Mention     {', '.join(found.wordings(mention))}")
    for question in found.questions:
        print(f"{question.id:<11} {question.__struct_config__.tag}")


@app.command()
def answer(
    request: Annotated[Path, typer.Argument(help="A request file.")],
    form: Annotated[
        AnswerFormat, typer.Option("--format", help="What to print.")
    ] = AnswerFormat.TEXT,
) -> None:
    """Answer a request: a report to read, the letter, or the answer as JSON.

    Example: foidex answer request.yaml --format html > letter.html
    """
    from queries import execute, render
    from queries import request as requests
    from queries.answer import to_json

    found = requests.read(request)
    with session().client() as client:
        answered = execute.answer(client, session().settings.index.alias, found)
    if form is AnswerFormat.JSON:
        print(to_json(answered))
        return
    renderer = {
        AnswerFormat.TEXT: render.report_text,
        AnswerFormat.LETTER: render.letter_text,
        AnswerFormat.HTML: render.letter_html,
    }[form]
    print(renderer(answered, session().settings.force, date.today()), end="")  # noqa: DTZ011


@app.command()
def count(
    terms: Terms,
    codes: Codes = None,
    start: From = None,
    end: To = None,
    by: Annotated[By | None, typer.Option(help="Break the number down.")] = None,
    form: Annotated[
        CountFormat, typer.Option("--format", help="What to print.")
    ] = CountFormat.TABLE,
) -> None:
    """Count the records that mention any of the terms, and say which forms were found.

    Example: foidex count "live stream" Snapchat --offence 22B --from 2017-04-01 --to 2018-03-31
    """
    from queries import adhoc
    from queries.answer import to_json

    asked = adhoc.request(terms, codes or (), start, end)
    with session().client() as client:
        found = adhoc.count(
            client, session().settings.index.alias, asked, by_offence=by is By.OFFENCE
        )
    match form:
        case CountFormat.JSON:
            print(to_json(found))
        case CountFormat.CSV:
            print(adhoc.as_csv(found), end="")
        case CountFormat.TABLE:
            print(adhoc.table(found), end="")


@app.command()
def find(
    terms: Terms,
    codes: Codes = None,
    start: From = None,
    end: To = None,
    refs_only: Annotated[
        bool, typer.Option("--refs-only", help="Only the references, one a line.")
    ] = False,
) -> None:
    """List the records behind a count: reference, date and offence code.

    Example: foidex find livestream --refs-only
    """
    from queries import adhoc, evidence

    asked = adhoc.request(terms, codes or (), start, end)
    with session().client() as client:
        for hit in evidence.find(client, session().settings.index.alias, asked.scope):
            print(hit.crime_ref if refs_only else "\t".join(hit.fields))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder for its files.")] = Path("foidex-demo"),
) -> None:
    """Show the whole job on sample data, from nothing."""
    from queries import demo as demonstration

    demonstration.run(session(), out)


def main() -> None:
    """Run the program. An expected error is one message and its exit code, never a traceback."""
    try:
        app()
    except FoidexError as error:
        print(f"foidex: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has enough; let nothing be written to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(OutputError.exit_code)
    except KeyboardInterrupt:
        print("foidex: stopped.", file=sys.stderr)
        sys.exit(130)
