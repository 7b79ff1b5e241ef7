"""The command ``demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from indexer.session import get_session


def run_demo_command(
    folder: Annotated[Path, typer.Option("--out", help="The folder for its files.")] = Path(
        "foidex-demo"
    ),
) -> None:
    """Show the whole job on sample data, from nothing."""
    from queries.commands.demo_steps import run_demo

    run_demo(get_session(), folder)
