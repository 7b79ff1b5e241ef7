"""The program ``foidex``: the commands that ask, and those of ``indexer.cli``.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import importlib.metadata
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from indexer.cli import app as indexer_app
from indexer.errors import FoidexError, OutputError
from indexer.session import session
from indexer.verification import Override

_EXIT_CODES = """
Exit codes: 0 done; 1 a fault in foidex; 2 a wrong command line; 3 a request, term or code refused;
4 records refused; 5 the server; 6 a generation not verified; 7 a number may be inexact; 8 nothing
loaded yet; 9 the embedded server; 10 configuration; 11 a result could not be written; 12 another
refresh is running; 13 the live generation is too old; 15 a release was refused.
"""


@contextmanager
def _written_out() -> Iterator[None]:
    """Write the result to its end.

    Raises OutputError, without a message where the reader of a pipe has enough.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # not of the output
            raise
        # What is left goes nowhere, also when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise OutputError from None
        raise OutputError(
            f"the result cannot be written ({error.strerror}). Send it elsewhere."
        ) from None


class Program(TyperGroup):
    """The commands. A result that cannot be written is told apart from every other fault."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the command line, which may print a help text. Raises OutputError."""
        with _written_out():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Raises FoidexError."""
        with _written_out():
            return super().invoke(ctx)


app = typer.Typer(
    name="foidex",
    cls=Program,
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


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - what an option calls
    if wanted:
        print(importlib.metadata.version("foidex"))
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[Path | None, typer.Option(help="The foidex.toml to use.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options of every command."""
    del version
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
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Withhold small numbers, and record it in the ledger."),
    ] = False,
    override: Annotated[
        str, typer.Option(metavar="REASON", help="Why a rule is set aside; it is recorded.")
    ] = "",
) -> None:
    """Answer a request: a report to read, the letter, or the answer as JSON.

    Without --publish the numbers are as they are, and the report names the small ones.

    Example: foidex answer request.yaml --publish --format html > letter.html
    """
    from queries import execute, render
    from queries import request as requests
    from queries.answer import to_json
    from queries.disclosure import ledger
    from queries.disclosure.policy import agreed
    from queries.disclosure.release import small

    if override and not publish:
        raise typer.BadParameter("goes with --publish", param_hint="--override")
    settings = session().settings
    found = requests.read(request)
    policy = agreed(settings.disclosure, found.disclosure, override) if publish else None
    with session().client() as client:
        answered = execute.answer(client, settings.index.alias, found)
    flagged = [] if policy else small(answered, settings.disclosure.flag)
    if policy:
        book = settings.disclosure.ledger
        path = settings.folder / book if book else None
        answered, changes = ledger.publish(answered, policy, path, override)
        if not path:
            print("No ledger is set in foidex.toml: not recorded.", file=sys.stderr)
        for line in changes:
            print(f"Changed since it was last published: {line}.", file=sys.stderr)
    elif flagged and form is not AnswerFormat.TEXT:
        print(f"Not for publication: {len(flagged)} numbers are small.", file=sys.stderr)
    if form is AnswerFormat.JSON:
        print(to_json(answered))
        return
    today = date.today()  # noqa: DTZ011
    match form:
        case AnswerFormat.TEXT:
            print(render.report_text(answered, settings.force, today, flagged), end="")
        case AnswerFormat.LETTER:
            print(render.letter_text(answered, settings.force, today), end="")
        case AnswerFormat.HTML:
            print(render.letter_html(answered, settings.force, today), end="")


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
def refresh(
    full: Annotated[
        bool, typer.Option("--full/--incremental", help="Build anew, or change the live one.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Only read and check the configuration and the source.")
    ] = False,
    allow: Annotated[
        list[Override] | None,
        typer.Option(help="Promote although this check fails; it is recorded. Repeatable."),
    ] = None,
    reject_invalid: Annotated[
        bool, typer.Option("--reject-invalid", help="The same as --allow rejects.")
    ] = False,
) -> None:
    """Refresh the index from the source of foidex.toml: build, verify, promote, prune.

    Example: foidex --config /etc/foidex/foidex.toml refresh --incremental
    """
    from queries import nightly

    overrides = {*(allow or ()), *([Override.REJECTS] if reject_invalid else [])}
    if check:
        nightly.check(session())
    else:
        nightly.run(session(), "full" if full else "incremental", frozenset(overrides))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder for its files.")] = Path("foidex-demo"),
) -> None:
    """Show the whole job on sample data, from nothing."""
    from queries import demo as demonstration

    demonstration.run(session(), out)


def _require_output() -> None:
    """Raise OutputError where standard output is closed, and send messages nowhere without a place
    for them: print would take them to standard output."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        raise OutputError("standard output is closed, so no result can be written. Open it.")


class _StoppedError(BaseException):
    """A signal asked us to stop: what is under way is undone on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def _stop(number: int, _: object) -> None:
    raise _StoppedError(number)


def main() -> None:
    """Run the program. An expected error is one message and its exit code, never a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        _require_output()
        try:
            app()
        finally:  # also for a help text, which no command prints
            with _written_out():
                pass
    except FoidexError as error:
        if str(error):
            print(f"foidex: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except _StoppedError as stopped:
        print("foidex: stopped.", file=sys.stderr)
        sys.exit(stopped.exit_code)
