"""The command ``refresh``: refreshes the index from the source in foidex.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from indexer.commands.load import WorkersOption
from indexer.jobs.overrides import CheckOverride
from indexer.session import get_session
from indexer.terminal import escape_controls
from queries.commands.options import INDEX_PANEL

if TYPE_CHECKING:
    from indexer.jobs.refresh import RefreshMode, RefreshResult

refresh_app = typer.Typer()

FullOption = Annotated[
    bool,
    typer.Option(
        "--full/--incremental", help="Build a new generation, or change a copy of the live one."
    ),
]

CheckOption = Annotated[
    bool, typer.Option("--check", help="Only read and check the configuration and the source.")
]

AllowOption = Annotated[
    list[CheckOverride] | None,
    typer.Option(
        help="Make the generation live even if this check fails. It is recorded. Repeatable."
    ),
]

RejectInvalidOption = Annotated[
    bool, typer.Option("--reject-invalid", help="The same as --allow rejects.")
]


@refresh_app.command("refresh", rich_help_panel=INDEX_PANEL)
def run_refresh_command(
    full: FullOption = True,
    check: CheckOption = False,
    allow: AllowOption = None,
    reject_invalid: RejectInvalidOption = False,
    workers: WorkersOption = None,
) -> None:
    """Refresh the index from the source in foidex.toml: build, verify, make live, prune.

    Example: foidex --config /etc/foidex/foidex.toml refresh --incremental
    """
    from queries.jobs.nightly_refresh import UnwrittenOutputsError, run_nightly_refresh

    get_session().workers = workers
    mode: RefreshMode = "full" if full else "incremental"
    overrides = frozenset({*(allow or ()), *([CheckOverride.REJECTS] if reject_invalid else [])})
    if check:
        _check_source(mode, overrides)
        return
    try:
        result = run_nightly_refresh(get_session(), mode, overrides)
    except UnwrittenOutputsError as error:
        _print_summary(error.refresh)  # of records that are live
        raise
    _print_summary(result)


def _print_summary(result: RefreshResult) -> None:
    from indexer.jobs.summary import summarise_refresh

    settings = get_session().settings
    for line in summarise_refresh(result, settings.audit_folder, settings.index.alias):
        print(escape_controls(line))


def _check_source(mode: RefreshMode, overrides: frozenset[CheckOverride]) -> None:
    from indexer.errors import SourceError
    from queries.jobs.nightly_refresh import (
        check_configured_source,
        explain_refused_rejects,
        summarise_source_check,
    )

    tally = check_configured_source(get_session(), mode, overrides)
    settings = get_session().settings
    repair = settings.source.repaired_kinds
    refusal = ""
    if CheckOverride.REJECTS not in overrides:
        refusal = explain_refused_rejects(tally, settings)
    for line in summarise_source_check(tally, repair, is_refused=bool(refusal)):
        print(escape_controls(line))
    if refusal:
        raise SourceError(refusal)
