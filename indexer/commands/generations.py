"""The commands ``generations``, ``rollback`` and ``prune``."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.commands.shared import ListFormat, print_json, print_table
from indexer.session import get_session

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from indexer.index.generations import Generation
    from indexer.index.lock import Lease


def run_generations(
    form: Annotated[ListFormat, typer.Option("--format", help="What to print.")] = ListFormat.TABLE,
) -> None:
    """List the generations, newest first, and show which one is live."""
    import msgspec

    from indexer.index.generations import find_live_name, list_verified, read_index_sizes

    alias = get_session().settings.index.alias
    with get_session().client() as client:
        live = find_live_name(client, alias)
        kept_generations = list_verified(client, alias)
        sizes = read_index_sizes(client, alias)
    if form is ListFormat.JSON:
        print_json(
            [
                {
                    **msgspec.to_builtins(generation),
                    "live": generation.name == live,
                    "bytes": sizes.get(generation.name, 0),
                }
                for generation in kept_generations
            ]
        )
        return
    table = [
        ("generation", "live", "mode", "records", "MB", "newest", "mapping and sources"),
        *(
            (
                generation.name,
                "yes" if generation.name == live else "no",
                generation.mode,
                f"{generation.records:,}",
                f"{sizes.get(generation.name, 0) / 1e6:,.1f}",
                f"{generation.watermark:%Y-%m-%d %H:%M}" if generation.watermark else "-",
                f"{generation.mapping_hash[:8]} {', '.join(generation.sources)}",
            )
            for generation in kept_generations
        ),
    ]
    print_table(table, "<<<>><<")


def run_rollback(
    generation: Annotated[
        str | None,
        typer.Argument(help="A generation that is kept. By default the one before the live one."),
    ] = None,
) -> None:
    """Make an earlier generation live again, in one step.

    Example: foidex rollback
    """
    from indexer.index.generations import roll_back_generation
    from indexer.index.lock import hold_lock

    settings = get_session().settings
    alias = settings.index.alias
    with get_session().run("rollback") as run:
        run.add_fields(arguments={"generation": generation})
        run.begin()
        with (
            get_session().client() as client,
            hold_lock(client, alias, settings.refresh.lease_seconds, "rollback") as lock,
        ):
            target, previous = roll_back_generation(
                client, alias, generation, partial(_apply_erasures, client, lock)
            )
        run.write(generation=target.name, records=target.records)
    outcome = f"{target.name} is live again, with {target.records:,} records."
    print(f"{outcome} {_describe_previous(previous)}")


def _describe_previous(names: tuple[str, ...]) -> str:
    if len(names) > 1:
        return f"The alias pointed at {', '.join(names[:-1])} and {names[-1]}."
    return f"{names[0]} is kept." if names else "None was live."


def _apply_erasures(client: Elasticsearch, lock: Lease, generation: Generation) -> Generation:
    """Forget in a generation what the others know to be forgotten, and say so."""
    from indexer.jobs.forget import apply_and_report_erasures

    alias = get_session().settings.index.alias
    say = partial(print, file=sys.stderr)
    return apply_and_report_erasures(client, alias, generation, lock, say)


def run_prune(
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="How many to keep. By default refresh.keep in foidex.toml."),
    ] = None,
    max_age_days: Annotated[
        int | None,
        typer.Option(
            min=1, help="Keep nothing older. By default refresh.max_age_days in foidex.toml."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be deleted.")
    ] = False,
    trust_clock: Annotated[
        bool,
        typer.Option("--trust-clock", help="Delete by age even if the clock seems to have jumped."),
    ] = False,
) -> None:
    """Delete old generations and old rejects. The live generation always stays.

    Example: foidex prune --keep 3 --max-age-days 30 --dry-run
    """
    from indexer.errors import GenerationError
    from indexer.index.generations import list_verified, prune_generations
    from indexer.index.lock import hold_lock_for_deletion
    from indexer.jobs.retention import expire_rejects, find_clock_doubt

    settings = get_session().settings
    alias = settings.index.alias
    number = keep or settings.refresh.keep
    days = max_age_days or settings.refresh.max_age_days
    with ExitStack() as stack:
        run = None if dry_run else stack.enter_context(get_session().run("prune"))
        if run:
            trust = {"trust_clock": True} if trust_clock else {}
            run.add_fields(arguments={"keep": number, "max_age_days": days, **trust})
            run.begin()
        client = stack.enter_context(get_session().client())
        with hold_lock_for_deletion(client, alias, settings.refresh.lease_seconds, "prune"):
            doubt = "" if trust_clock else find_clock_doubt(list_verified(client, alias), days)
            if doubt:
                raise GenerationError(f"{doubt}. If it is right: foidex prune --trust-clock")
            old = prune_generations(client, alias, number, max_age_days=days, dry_run=dry_run)
        if days:
            expired = expire_rejects(settings.home / "rejects", days, dry_run=dry_run)
            old += expired.deleted
            if expired.remark:
                print(expired.remark, file=sys.stderr)
        if run:
            run.write()
    verb = "Would delete" if dry_run else "Deleted"
    print(f"{verb} {', '.join(old)}." if old else f"Nothing to delete: at most {number} are kept.")
