"""The command ``demo``: shows the whole job on sample data."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from indexer.commands.shared import parse_path
from indexer.session import get_session
from queries.commands.options import OPERATE_PANEL

demo_app = typer.Typer()

DemoFolderOption = Annotated[
    Path, typer.Option("--out", parser=parse_path, help="The folder for its files.")
]

_RULE: Final = "=" * 78


@demo_app.command("demo", rich_help_panel=OPERATE_PANEL)
def run_demo_command(folder: DemoFolderOption = Path("foidex-demo")) -> None:
    """Demonstrate the whole job on sample data, from loading records to the letters."""
    from queries.jobs.demo import run_demo

    for report in run_demo(get_session(), folder):
        print(f"{_RULE}\n{report}")
    _print_next_steps(folder)


def _print_next_steps(folder: Path) -> None:
    program = os.path.relpath(sys.argv[0]) if os.path.sep in sys.argv[0] else sys.argv[0]
    command = f"{program} --config {folder / 'foidex.toml'}"
    print(_RULE)
    print(f"The files are in {folder}/:")
    print("  reference.yaml, five-years.yaml   the two requests")
    print("  *.letter.txt, *.letter.html       the letters")
    print("  *.answer.json                     the numbers, with where they come from")
    print("\nTry next:")
    print(f'  {command} count "live stream" Snapchat --by offence')
    print(f"  {command} find livestream --offence 22B --refs-only")
    print(f"  {command} answer {folder}/reference.yaml --format letter")
    print(f"  {command} serve")
    print(f"\nThe server keeps running. To stop it: {program} down")
