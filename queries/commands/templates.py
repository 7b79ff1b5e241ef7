"""The commands ``templates init`` and ``templates check``: copy the templates, and check them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from indexer.commands.shared import parse_path, print_path
from queries.commands.options import configure_documents

templates_app = typer.Typer(help="Copy and check the templates of letters.", no_args_is_help=True)

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
        print_path(path)
    print("\nEdit them, delete those you do not change, and add to foidex.toml:\n")
    name = folder.as_posix()
    text = json.dumps(name, ensure_ascii=not name.isprintable())  # TOML has the same escapes
    print(f"[templates]\nfolder = {text}")


@templates_app.command("check")
def check_force_templates() -> None:
    """Render every kind of letter with your templates, and say what they leave out.

    It needs no server. The letters are of a made-up answer, and nothing is written.

    Example: foidex templates check
    """
    from indexer.errors import ConfigurationError
    from queries.documents.template_check import check_templates

    faults = []
    for finding in check_templates(configure_documents()):
        problem = finding.error or (
            f"leaves out {'; '.join(finding.missing)}" if finding.missing else ""
        )
        print(f"{finding.template}, {finding.kind}: {problem or 'complete'}")
        if problem:
            faults.append(finding)
    if faults:
        number = len(faults)
        raise ConfigurationError(
            f"{number} {'letter is' if number == 1 else 'letters are'} not complete. Put the names "
            "back that templates/README.md lists, or delete your copy of the template."
        )
