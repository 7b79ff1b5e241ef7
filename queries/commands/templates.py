"""TODO: say what queries.commands.templates is for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

templates_app = typer.Typer(help="The templates of letters and reports.", no_args_is_help=True)


@templates_app.command("init")
def init_templates(
    folder: Annotated[Path, typer.Argument(help="The folder for them.")] = Path("my-templates"),
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Copy the templates into a folder, to make them your own.

    Example: foidex templates init my-templates
    """
    from queries.documents.content.templates import copy_templates

    for path in copy_templates(folder, force=force):
        print(path)
    print("\nEdit them, delete those you keep as they are, and say in foidex.toml:\n")
    print(f'[templates]\nfolder = "{folder.as_posix()}"')
