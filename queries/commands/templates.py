"""The command ``templates init``: copies the templates of letters and reports to a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.commands.shared import parse_path

templates_app = typer.Typer(help="Copy the templates of letters and reports.", no_args_is_help=True)

TemplatesFolderArgument = Annotated[
    Path, typer.Argument(parser=parse_path, help="The folder for the templates.")
]

ReplaceOption = Annotated[bool, typer.Option("--force", help="Replace files that exist.")]


@templates_app.command("init")
def init_templates(
    folder: TemplatesFolderArgument = Path("my-templates"), force: ReplaceOption = False
) -> None:
    """Copy the templates into a folder, for you to change.

    Example: foidex templates init my-templates
    """
    from queries.documents.content.templates import copy_templates

    for path in copy_templates(folder, force=force):
        print(path)
    print("\nEdit them, delete those you do not change, and add to foidex.toml:\n")
    print(f'[templates]\nfolder = "{folder.as_posix()}"')
