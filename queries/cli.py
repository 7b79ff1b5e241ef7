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
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from indexer.cli import app as indexer_app
from indexer.errors import FoidexError, OutputError
from indexer.session import session
from indexer.verification import Override

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from indexer.audit import Log

_EXIT_CODES = """
Exit codes: 0 done; 1 a fault in foidex; 2 a wrong command line; 3 a request, term or code refused;
4 records refused; 5 the server; 6 a generation not verified; 7 a number may be inexact; 8 nothing
loaded yet; 9 the embedded server; 10 configuration; 11 a result could not be written; 12 another
refresh is running; 13 the live generation is too old; 14 a replay gives other numbers; 18 the audit
log is not as it was written.
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
audit_app = typer.Typer(no_args_is_help=True)
app.add_typer(audit_app, name="audit", help="Check or read the log of every query.")


class AnswerFormat(StrEnum):
    """What ``answer`` prints."""

    TEXT = "text"
    LETTER = "letter"
    HTML = "html"
    JSON = "json"


class ReportFormat(StrEnum):
    """What ``replay`` and ``estimate`` print."""

    TEXT = "text"
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

    found = requests.read(request, session().settings.categories)
    scope = found.scope
    print(f"{request}: {found.reference} is right.")
    print(f"Period      {scope.when}")
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
    keep_basis: Annotated[
        bool, typer.Option("--basis/--no-basis", help="Keep what a later replay needs.")
    ] = True,
) -> None:
    """Answer a request: a report to read, the letter, or the answer as JSON.

    Example: foidex answer request.yaml --format html > letter.html
    """
    from queries import basis, execute, logged, render
    from queries import request as requests
    from queries.answer import to_json

    with session().run("answer") as run:
        found = requests.read(request, session().settings.categories)
        run.about(**logged.asked(found))
        with session().client() as client:
            answered = execute.answer(client, session().settings.index.alias, found)
            if keep_basis:
                settings = session().settings
                answered, why_not = basis.keep(
                    client, answered, found, settings.audit_folder, settings.audit.basis_records
                )
                if why_not:
                    print(why_not, file=sys.stderr)
        if form is AnswerFormat.JSON:
            text = to_json(answered) + "\n"
        else:
            renderer = {
                AnswerFormat.TEXT: render.report_text,
                AnswerFormat.LETTER: render.letter_text,
                AnswerFormat.HTML: render.letter_html,
            }[form]
            text = renderer(answered, session().settings.force, date.today())  # noqa: DTZ011
        run.write(**logged.answered(answered))
        print(text, end="")


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
    from queries import adhoc, logged
    from queries.answer import to_json

    with session().run("count") as run:
        asked = adhoc.request(terms, codes or (), start, end)
        run.about(**logged.typed(asked))
        with session().client() as client:
            found = adhoc.count(
                client, session().settings.index.alias, asked, by_offence=by is By.OFFENCE
            )
        run.write(**logged.counted(found))
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
    from queries import adhoc, evidence, execute, logged

    with session().run("find") as run:
        asked = adhoc.request(terms, codes or (), start, end)
        run.about(**logged.typed(asked))
        with session().client() as client:
            # How many there will be is logged before the first of them is printed.
            name, number = execute.counted(client, session().settings.index.alias, asked.scope)
            run.write(generation=name, records=number)
            for hit in evidence.find(client, name, asked.scope):
                print(hit.crime_ref if refs_only else "\t".join(hit.fields))


@app.command()
def replay(
    answer: Annotated[Path, typer.Argument(help="An answer, as --format json printed it.")],
    form: Annotated[ReportFormat, typer.Option("--format", help="What to print.")] = (
        ReportFormat.TEXT
    ),
) -> None:
    """Ask an answer's request again: the same numbers, or which records moved them, and why.

    Exits with 14 where a number moved. The references it prints are as confidential as records.

    Example: foidex replay answer.json
    """
    from queries import logged, replay_text
    from queries import replay as replays
    from queries.answer import to_json

    settings = session().settings
    with session().run("replay") as run:
        given = replays.read(answer)
        request = replays.request_of(given, answer)
        run.about(**logged.asked(request))
        with session().client() as client:
            found = replays.replay(
                client,
                settings.index.alias,
                given,
                request,
                settings.audit_folder,
                settings.audit.basis_records,
            )
        text = replay_text.text(found) if form is ReportFormat.TEXT else to_json(found) + "\n"
        run.write(**logged.replayed(found, given))
        print(text, end="")
        if found.error:
            raise found.error


@app.command()
def estimate(
    request: Annotated[Path, typer.Argument(help="A request file.")],
    minutes: Annotated[
        float, typer.Option(min=0.01, max=1_000, help="Minutes it takes to read one record.")
    ] = 3,
    central: Annotated[
        bool, typer.Option("--central", help="The limit of central government, 24 hours.")
    ] = False,
    form: Annotated[ReportFormat, typer.Option("--format", help="What to print.")] = (
        ReportFormat.TEXT
    ),
) -> None:
    """Say how long reading the records would take against the limit of 18 hours, and what fits.

    Example: foidex estimate request.yaml --minutes 3
    """
    from fractions import Fraction

    from queries import estimate as estimates
    from queries import logged
    from queries import request as requests
    from queries.answer import to_json

    limit = estimates.CENTRAL_HOURS if central else estimates.LIMIT_HOURS
    with session().run("estimate") as run:
        asked = requests.read(request, session().settings.categories)
        run.about(**logged.asked(asked))
        cost = estimates.Cost(Fraction(str(minutes)), limit)
        with session().client() as client:
            found = estimates.estimate(client, session().settings.index.alias, asked, cost)
        run.write(generation=found.generation, records=found.total.records)
        is_text = form is ReportFormat.TEXT
        print(estimates.text(found) if is_text else f"{to_json(found)}\n", end="")


@audit_app.command(name="verify")
def audit_verify(
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="A head noted earlier: nothing was cut off.")
    ] = None,
) -> None:
    """Check that no line of the audit log was changed, removed, added or moved.

    Example: foidex audit verify
    """
    found = _audit_log().check((head or "").strip().lower())
    print(f"The chain of {found.lines:,} lines is whole. Head: {found.head}")
    if head:
        print(f"The head that was noted is that of line {found.noted:,}.")
    if found.torn:
        places = ", ".join(f"{place:,}" for place in found.torn)
        print(f"A crash cut short line {places}; the result of that run was never given.")


@audit_app.command(name="head")
def audit_head() -> None:
    """Print how many lines the audit log has and the hash of the last, to be noted elsewhere."""
    found = _audit_log().check()
    print(f"{found.lines} {found.head}")


@audit_app.command(name="show")
def audit_show(
    last: Annotated[int | None, typer.Option(min=1, help="Only so many, the newest.")] = None,
) -> None:
    """Print the audit log, one JSON line a run, oldest first.

    Example: foidex audit show --last 20
    """
    import msgspec

    for said in _audit_log().last(last):
        print(msgspec.json.encode(said).decode())


def _audit_log() -> Log:
    from indexer import audit

    return audit.Log(session().settings.audit_folder / audit.NAME)


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
