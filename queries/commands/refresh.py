"""The command ``refresh``."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.jobs.overrides import CheckOverride
from indexer.session import get_session


def run_refresh_command(
    full: Annotated[
        bool,
        typer.Option(
            "--full/--incremental", help="Build a new generation, or change the live one."
        ),
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Only read and check the configuration and the source.")
    ] = False,
    allow: Annotated[
        list[CheckOverride] | None,
        typer.Option(help="Promote although this check fails; it is recorded. Repeatable."),
    ] = None,
    reject_invalid: Annotated[
        bool, typer.Option("--reject-invalid", help="The same as --allow rejects.")
    ] = False,
) -> None:
    """Refresh the index from the source of foidex.toml: build, verify, promote, prune.

    Example: foidex --config /etc/foidex/foidex.toml refresh --incremental
    """
    from queries.jobs.nightly_refresh import check_configured_source, run_nightly_refresh

    overrides = {*(allow or ()), *([CheckOverride.REJECTS] if reject_invalid else [])}
    if check:
        check_configured_source(get_session(), "full" if full else "incremental")
    else:
        run_nightly_refresh(get_session(), "full" if full else "incremental", frozenset(overrides))
