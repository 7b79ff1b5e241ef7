"""The commands ``review export`` and ``review import``: decisions as a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from indexer.commands.shared import parse_path, require_new_file
from indexer.errors import OutputError, ReviewError
from indexer.session import get_session
from queries.commands.review.options import (
    NameArgument,
    find_review,
    make_audit_arguments,
    make_audit_fields,
    open_session_store,
    require_reviewing_user,
)

files_app = typer.Typer()

_MAX_FILE_BYTES: Final = 100_000_000

OutFileOption = Annotated[
    Path | None,
    typer.Option(
        "--out", parser=parse_path, metavar="FILE", help="Write it here, for its owner alone."
    ),
]

ReplaceFileOption = Annotated[bool, typer.Option("--force", help="Replace a file that exists.")]

DecisionFileArgument = Annotated[
    Path, typer.Argument(parser=parse_path, help="A file as foidex review export writes it.")
]


@files_app.command("export")
def export_decisions(
    name: NameArgument = None, out: OutFileOption = None, force: ReplaceFileOption = False
) -> None:
    """Write the draw and the decisions as CSV, from which anyone can check them.

    It has references, and no text. They are as confidential as the records.

    Example: foidex review export FOI2018-03922-Q1 --out review.csv
    """
    from indexer.files import write_file
    from queries.reviewing.decision_file import format_decisions

    require_new_file(out, force=force)
    with open_session_store() as store, get_session().run("review export") as run:
        stored = find_review(store, name)
        review = stored.review
        run.add_fields(**make_audit_fields(stored), arguments=make_audit_arguments(stored))
        population = store.list_population(review.name)
        text = format_decisions(store.read_state(review.name), population)
        run.write(generation=review.generation, records=len(population))
        if out is None:
            print(text, end="")
            return
        try:
            write_file(out, text.encode(), private=True)
        except OSError as error:
            raise OutputError(
                f"{out}: cannot be written ({error.strerror}). Name another file with --out."
            ) from None


@files_app.command("import")
def import_decisions(file: DecisionFileArgument, name: NameArgument = None) -> None:
    """Store decisions that were made elsewhere: all of a file, or none if a line is wrong.

    Example: foidex review import review.csv FOI2018-03922-Q1
    """
    from queries.reviewing.configured_store import require_reviewer
    from queries.reviewing.decision_file import choose_new_decisions, parse_rows
    from queries.reviewing.store.review_store import get_utc_now

    require_reviewing_user()
    settings = get_session().settings
    with open_session_store() as store, get_session().run("review import") as run:
        stored = find_review(store, name)
        run.add_fields(**make_audit_fields(stored), arguments=make_audit_arguments(stored))
        rows = parse_rows(_read_text(file), str(file))
        decisions = choose_new_decisions(
            rows, store.read_state(stored.review.name), str(file), get_utc_now()
        )
        for reviewer in sorted({decision.reviewer for decision in decisions}):
            require_reviewer(settings, reviewer)
        run.write(records=len(decisions))
        number = store.add_decisions(
            stored.review.name,
            lambda state: choose_new_decisions(rows, state, str(file), get_utc_now()),
        )
    print(f"{number:,} {'decision' if number == 1 else 'decisions'} imported.")


def _read_text(path: Path) -> str:
    """The text of a file. Raises ReviewError."""
    from indexer.files import open_named_input

    try:
        with open_named_input(path) as file:
            content = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ReviewError(
            f"{path}: cannot be read ({error.strerror}). Name a file that foidex review export "
            "wrote."
        ) from None
    if len(content) > _MAX_FILE_BYTES:
        raise ReviewError(f"{path}: is larger than {_MAX_FILE_BYTES:,} bytes. Name another file.")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ReviewError(
            f"{path}: is not UTF-8 text. Save it as CSV in UTF-8, with commas."
        ) from None
