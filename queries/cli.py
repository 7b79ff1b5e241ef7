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
from indexer.errors import FoidexError, NoIndexError, OutputError, RequestError
from indexer.session import session
from indexer.verification import Override

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from indexer.audit import Log
    from queries.answer import Answer
    from queries.disclosure.policy import Policy
    from queries.findings import Check
    from queries.outputs import Desk
    from queries.request import Request
    from queries.termbook import Book

_EXIT_CODES = """
Exit codes: 0 done; 1 a fault in foidex; 2 a wrong command line; 3 a request, term or code refused;
4 records refused; 5 the server; 6 a generation not verified; 7 a number may be inexact; 8 nothing
loaded yet; 9 the embedded server; 10 configuration; 11 a result could not be written; 12 another
refresh is running; 13 the live generation is too old; 14 a replay gives other numbers; 15 a release
was refused; 16 a number changed since the last run; 17 the doctor found a problem; 18 the audit log
is not as written; 19 a backup.
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


class Unit(StrEnum):
    """What a table counts."""

    OFFENCES = "offences"
    VICTIMS = "victims"


class Listing(StrEnum):
    """How ``find`` prints: in blocks at a terminal and one a line into a pipe, or for programs."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


class ReportFormat(StrEnum):
    """What ``replay`` and ``estimate`` print."""

    TEXT = "text"
    JSON = "json"


class CountFormat(StrEnum):
    """What ``count`` prints."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Terms = Annotated[
    list[str] | None,
    typer.Argument(
        help="Words to find, in any spelling of spaces and hyphens.", show_default=False
    ),
]
Codes = Annotated[
    list[str] | None, typer.Option("--offence", help="Only this code and all below it; repeatable.")
]
Periods = Annotated[
    list[str] | None,
    typer.Option(
        "--period",
        metavar="PERIOD",
        help="2017/18, 2017 or 2017-04-01..2017-06-30; several stand side by side.",
    ),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="FIELD=VALUE",
        help="Only records whose outcome, offence_group, sex or category is this; repeatable.",
    ),
]
Company = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="TERM", help="Only where this is in the same record."),
]
Near = Annotated[
    int | None, typer.Option(min=0, max=100, help="Only where --with is at most so many words off.")
]
Aliases = Annotated[
    list[str] | None, typer.Option("--alias", metavar="TERM", help="Another name of the one term.")
]
Exact = Annotated[bool, typer.Option("--exact", help="Only as written, without the variants.")]


def _fields(incomplete: str) -> list[str]:
    """What --by may be, for the shell's completion."""
    from queries import adhoc, fields

    known = (adhoc.TERM, *fields.names(session().settings.categories))
    return [name for name in known if name.startswith(incomplete)]


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


def _book() -> Book:
    from queries import termbook

    return termbook.of(session().settings)


def _request(path: Path) -> Request:
    from queries import request as requests

    return requests.of_force(path, session().settings)


class LintFormat(StrEnum):
    """What ``lint`` prints."""

    TEXT = "text"
    JSON = "json"


@app.command()
def lint(
    request: Annotated[Path, typer.Argument(help="A request file.")],
    offline: Annotated[
        bool, typer.Option("--offline", help="Check the file alone, and ask no server.")
    ] = False,
    context: Annotated[
        bool,
        typer.Option("--context/--no-context", help="Show everyday words in records."),
    ] = True,
    form: Annotated[LintFormat, typer.Option("--format", help="What to print.")] = LintFormat.TEXT,
) -> None:
    """Check a request file, and its wording against the index: what it nearly asks for, what is
    found that may not be meant. It starts no server, and changes nothing that is counted.

    Example: foidex lint request.yaml
    """
    from queries import findings
    from queries.answer import to_json

    asked = _request(request)
    if form is LintFormat.TEXT:
        print(findings.outline(asked, str(request)), end="", flush=True)
    found = None if offline else _wording(asked, contexts=context)
    if form is LintFormat.JSON:
        print(to_json(findings.lint(asked, str(request), found)))
    elif found:
        print(f"\n{findings.text(found)}", end="")


def _wording(asked: Request, *, contexts: bool) -> Check | None:
    """The wording check, where there is an index to ask; else say why there is none."""
    from queries import lint as wording
    from queries import logged

    if not session().running():
        print(
            "foidex: no server is running, so only the file was checked, not its wording. "
            "Start it: foidex up",
            file=sys.stderr,
        )
        return None
    try:
        with session().run("lint") as run, session().client() as client:
            run.about(**logged.asked(asked))
            alias = session().settings.index.alias
            checked = wording.check(client, alias, asked, _book(), contexts=contexts)
            run.write(generation=checked.generation, records=checked.records)
            return checked
    except NoIndexError as error:
        print(f"foidex: only the file was checked, not its wording: {error}", file=sys.stderr)
        return None


@app.command()
def answer(
    request: Annotated[Path | None, typer.Argument(help="A request file.")] = None,
    form: Annotated[
        AnswerFormat | None, typer.Option("--format", help="What to print; text if left out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write every document into this folder instead.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--all", metavar="FOLDER", help="Answer every request file of a folder."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace files foidex did not write, too.")
    ] = False,
    keep_basis: Annotated[
        bool, typer.Option("--basis/--no-basis", help="Keep what a later replay needs.")
    ] = True,
    near_misses: Annotated[
        bool,
        typer.Option(
            "--near-misses",
            help="Tell wording near the terms that is not counted, too; takes longer.",
        ),
    ] = False,
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Withhold small numbers, and record it in the ledger."),
    ] = False,
    override: Annotated[
        str, typer.Option(metavar="REASON", help="Why a rule is set aside; it is recorded.")
    ] = "",
) -> None:
    """Answer a request: print a report, the letter or JSON, or write every document.

    Without --publish the numbers are as they are, and the report names the small ones.

    Example: foidex answer request.yaml --out answer

    Example: foidex answer request.yaml --publish --out published
    """
    from queries import asking, batch, outputs, publication

    wrong = {
        "name one request file, or a folder of them with --all.": (request is None)
        == (folder is None),
        "--all and --force need --out.": out is None and (folder or force),
        "--out writes every format. Leave out --format.": out is not None and form is not None,
        "--override goes with --publish.": override and not publish,
    }
    for message in filter(wrong.get, wrong):
        raise typer.BadParameter(message)
    settings = session().settings
    today = date.today()  # noqa: DTZ011
    desk = outputs.Desk(settings.force, today, settings.own_templates, settings.disclosure.flag)
    press = publication.press(settings, override) if publish else None
    if press and not press.ledger:
        print("No ledger is set in foidex.toml: not recorded.", file=sys.stderr)
    wanted = asking.Wanted(keep_basis, near_misses)
    if folder and out:
        batch.run(session(), folder, out, desk, force=force, wanted=wanted, press=press)
        return
    assert request is not None
    named = request
    policies: list[Policy] = []

    def read() -> Request:
        found = _request(named)
        policies.extend([press.policy(found.disclosure)] if press else [])
        return found

    answered = asking.answer(session(), read, wanted)
    with batch.ready(answered, press, policies[0] if press else None) as given:
        if out:
            batch.one(given, out, desk, force=force)
            return
        text = _text(given.answer, form or AnswerFormat.TEXT, desk)
        given.record()
        print(text, end="")


def _text(answered: Answer, form: AnswerFormat, desk: Desk) -> str:
    """An answer in a format; of one that is not for publication, say that numbers are small."""
    from queries import render
    from queries.answer import to_json
    from queries.disclosure.release import small

    flagged = [] if answered.disclosure else small(answered, desk.flag)
    if flagged and form is not AnswerFormat.TEXT:
        print(f"Not for publication: {len(flagged)} numbers are small.", file=sys.stderr)
    given = (answered, desk.force, desk.day, desk.templates)
    match form:
        case AnswerFormat.JSON:
            return to_json(answered) + "\n"
        case AnswerFormat.LETTER:
            return render.letter_text(*given)
        case AnswerFormat.HTML:
            return render.letter_html(*given)
        case AnswerFormat.TEXT:
            return render.report_text(*given, flagged)


templates_app = typer.Typer(help="The templates of letters and reports.", no_args_is_help=True)
app.add_typer(templates_app, name="templates")


@templates_app.command("init")
def templates_init(
    folder: Annotated[Path, typer.Argument(help="The folder for them.")] = Path("my-templates"),
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Copy the templates into a folder, to make them your own.

    Example: foidex templates init my-templates
    """
    from queries.render import templates

    for path in templates.copy(folder, force=force):
        print(path)
    print("\nEdit them, delete those you keep as they are, and say in foidex.toml:\n")
    print(f'[templates]\nfolder = "{folder.as_posix()}"')


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
                if left_out := render.left_out(found.left_out):
                    print(left_out, file=sys.stderr)
            case CountFormat.TABLE:
                print(adhoc.table(found), end="")


def _asked(terms: list[str] | None, **options: Any) -> Request:
    from queries import adhoc

    return adhoc.request(
        terms or [],
        adhoc.Options(**options),
        book=_book(),
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
            asked = _request(request)
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
    from queries.answer import to_json

    limit = estimates.CENTRAL_HOURS if central else estimates.LIMIT_HOURS
    with session().run("estimate") as run:
        asked = _request(request)
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
        nightly.check(session(), "full" if full else "incremental")
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
