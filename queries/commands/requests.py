"""The commands that take a request file: lint, answer, estimate, and the templates."""

from __future__ import annotations

import sys
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.errors import NoIndexError
from indexer.session import session
from queries.commands import options
from queries.commands.options import ReportFormat

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from queries.answer import Answer
    from queries.disclosure.policy import Policy
    from queries.findings import Check
    from queries.outputs import Desk
    from queries.request import Request

app = typer.Typer()


class LintFormat(StrEnum):
    """What ``lint`` prints."""

    TEXT = "text"
    JSON = "json"


@app.command()
def lint(
    request: Annotated[Path, typer.Argument(help="A request file.", readable=False)],
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

    asked = options.request(request)
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
            checked = wording.check(client, alias, asked, options.book(), contexts=contexts)
            run.write(generation=checked.generation, records=checked.records)
            return checked
    except NoIndexError as error:
        print(f"foidex: only the file was checked, not its wording: {error}", file=sys.stderr)
        return None


class AnswerFormat(StrEnum):
    """What ``answer`` prints."""

    TEXT = "text"
    LETTER = "letter"
    HTML = "html"
    JSON = "json"


@app.command()
def answer(
    request: Annotated[Path | None, typer.Argument(help="A request file.", readable=False)] = None,
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
    override: options.Reason = None,
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
    press = publication.press(settings, override or "") if publish else None
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
        found = options.request(named)
        policies.extend([press.policy(found.disclosure)] if press else [])
        return found

    with (
        asking.giving(session(), read, wanted) as answered,
        batch.ready(answered, press, policies[0] if press else None) as given,
    ):
        if out:
            batch.one(given, out, desk, force=force)
            return
        text = _text(given.answer, form or AnswerFormat.TEXT, desk)
        given.record()
        print(text, end="")


def _text(answered: Answer, form: AnswerFormat, desk: Desk) -> str:
    """An answer in a format; of one that is not for publication, say that numbers are small."""
    from queries import outputs, render
    from queries.answer import to_json

    said = outputs.warning(answered, desk)
    if said and form is not AnswerFormat.TEXT:
        print(said, file=sys.stderr)
    given = (answered, desk.force, desk.day, desk.templates)
    match form:
        case AnswerFormat.JSON:
            return to_json(answered) + "\n"
        case AnswerFormat.LETTER:
            return render.letter_text(*given)
        case AnswerFormat.HTML:
            return render.letter_html(*given)
        case AnswerFormat.TEXT:
            return render.report_text(*given, outputs.small_numbers(answered, desk))


@app.command()
def estimate(
    request: Annotated[Path, typer.Argument(help="A request file.", readable=False)],
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
        asked = options.request(request)
        run.about(**logged.asked(asked))
        cost = estimates.Cost(Fraction(str(minutes)), limit)
        with session().client() as client:
            found = estimates.estimate(client, session().settings.index.alias, asked, cost)
        run.write(generation=found.generation, records=found.total.records)
        is_text = form is ReportFormat.TEXT
        print(estimates.text(found) if is_text else f"{to_json(found)}\n", end="")


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
