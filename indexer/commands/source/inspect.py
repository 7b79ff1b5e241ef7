"""The command ``inspect``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.commands.shared import parse_path
from indexer.session import get_session
from indexer.terminal import escape_line


def run_inspect(
    files: Annotated[
        list[Path],
        typer.Argument(
            parser=parse_path,
            help="CSV, XLSX, XLS, XLSB, ODS, JSON, or a zip of CSVs.",
            metavar="FILE...",
        ),
    ],
    write: Annotated[
        bool,
        typer.Option("--write", help="Write the profile into foidex.toml; what is there stays."),
    ] = False,
    show_values: Annotated[
        bool,
        typer.Option("--show-values", help="Show values of the file, not only their shapes."),
    ] = False,
) -> None:
    """Show what files are, and which of our fields their columns may be.

    Example: foidex inspect extract.xlsx --write
    """
    from indexer.config.loader import CONFIG_FILE_NAME
    from indexer.inspection.inspect_files import inspect_files, require_one_layout
    from indexer.inspection.profile_writer import write_profile
    from indexer.inspection.screen import describe_inspection

    settings = get_session().settings
    inspection = inspect_files(files, settings.categories)
    target = settings.file or Path(CONFIG_FILE_NAME)
    written = None
    try:
        if write:
            written = write_profile(target, inspection, require_one_layout(inspection))
    finally:  # what the files are helps whoever reads why nothing was written, too
        undecided = written.undecided if written else None
        for line in describe_inspection(inspection, show_values=show_values, undecided=undecided):
            print(escape_line(line))
    if written is None:
        return
    print()
    print(f"{target}: {_count_keys(len(written.added))} written.")
    if written.is_undecided:
        print('Decide what says DECIDE there, and then run "foidex refresh --check".')
    else:
        print('Read it, and then run "foidex refresh --check".')


def _count_keys(number: int) -> str:
    if not number:
        return "no key of [source] was missing, and none was"
    return "1 key of [source] was" if number == 1 else f"{number} keys of [source] were"
