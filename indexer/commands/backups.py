"""The commands ``backup``, ``backups`` and ``restore``."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.commands.shared import ListFormat, print_json, print_table
from indexer.errors import ConfigurationError
from indexer.session import get_session

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

    from indexer.index.backups import Restoration
    from indexer.index.generations import Generation
    from indexer.index.lock import Lease


def find_repository(client: Elasticsearch) -> str:
    """The name of the backup repository; that of the embedded server is registered if needed.

    Raises ConfigurationError or BackupError.
    """
    from indexer.index.backups import register_repository
    from indexer.server.embedded.home import BACKUPS_FOLDER

    settings = get_session().settings
    if settings.backup.repository:
        return settings.backup.repository
    if settings.server.url is not None:
        raise ConfigurationError(
            "no repository for backups is set. Register a snapshot repository at the server, and "
            "name it in foidex.toml: [backup] repository."
        )
    return register_repository(client, settings.home / BACKUPS_FOLDER)


def run_backup(
    to: Annotated[
        str | None, typer.Option(help="Its name. By default the alias and the time.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every generation that is kept, not only the live one.")
    ] = False,
) -> None:
    """Back up the live generation into the server's snapshot repository.

    Example: foidex backup --to before-the-move
    """
    from indexer.index.backups import expire_backups, take_backup
    from indexer.index.generations import list_verified
    from indexer.index.lock import hold_lock
    from indexer.jobs.retention import find_clock_doubt

    settings = get_session().settings
    alias = settings.index.alias
    days = settings.refresh.max_age_days
    with get_session().run("backup") as run:
        run.add_fields(arguments={"to": to, "all": everything})
        run.begin()
        with (
            get_session().client() as client,
            hold_lock(client, alias, settings.refresh.lease_seconds, "backup"),
        ):
            repository = find_repository(client)
            backup = take_backup(client, alias, repository, to, everything=everything)
            doubt = find_clock_doubt(list_verified(client, alias), days)
            old = expire_backups(client, alias, repository, days) if days and not doubt else []
        run.write(generation=backup.live, records=backup.records)
    print(
        f"{backup.name} holds {', '.join(backup.generations)}; the live one has "
        f"{backup.records:,} records."
    )
    if doubt:
        print(f"Warning: {doubt}. If it is right, delete old ones by hand: foidex backups --delete")
    if old:
        print(f"Deleted as older than {days} days: {', '.join(old)}.")


def run_backups(
    delete: Annotated[
        str | None, typer.Option(metavar="NAME", help="Delete this backup from the repository.")
    ] = None,
    form: Annotated[ListFormat, typer.Option("--format", help="What to print.")] = ListFormat.TABLE,
) -> None:
    """List the backups, newest first, or delete one.

    Example: foidex backups --delete before-the-move
    """
    from indexer.index.backups import delete_backup, read_backups
    from indexer.index.lock import hold_lock_for_deletion

    settings = get_session().settings
    alias = settings.index.alias
    if delete is not None:
        with get_session().run("backups --delete") as run:
            run.add_fields(arguments={"backup": delete})
            run.begin()
            with (
                get_session().client() as client,
                hold_lock_for_deletion(
                    client, alias, settings.refresh.lease_seconds, "deletion of a backup"
                ),
            ):
                delete_backup(client, alias, find_repository(client), delete)
            run.write()
        print(f"{delete} was deleted.")
        return
    with get_session().client() as client:
        repository = find_repository(client)
        backup_list = read_backups(client, alias, repository)
    if form is ListFormat.JSON:
        print_json(backup_list)
        return
    if not backup_list:
        print(f'There is no backup of {alias} in the repository "{repository}".', file=sys.stderr)
    table = [
        ("backup", "taken", "complete", "records", "generations"),
        *(
            (
                backup.name,
                f"{backup.taken_at:%Y-%m-%d %H:%M}",
                "yes" if backup.complete else "no",
                f"{backup.records:,}",
                ", ".join(backup.generations),
            )
            for backup in backup_list
        ),
    ]
    print_table(table, "<<<><")


def run_restore(
    name: Annotated[
        str | None, typer.Argument(help="A backup. By default the newest.", show_default=False)
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="Every generation in the backup, not only the one that was live."
        ),
    ] = False,
    unverified: Annotated[
        bool,
        typer.Option(
            "--unverified",
            help="Do not compare the records with those that the generation was sealed with.",
        ),
    ] = False,
) -> None:
    """Restore a generation from a backup. Nothing that exists is overwritten.

    Example: foidex restore before-the-move
    """
    from indexer.index.backups import find_backup, restore_backup
    from indexer.index.lock import hold_lock
    from indexer.jobs.forget import find_returned_references

    settings = get_session().settings
    alias = settings.index.alias
    with get_session().run("restore") as run:
        run.add_fields(arguments={"backup": name, "all": everything, "unverified": unverified})
        run.begin()
        with (
            get_session().client() as client,
            hold_lock(client, alias, settings.refresh.lease_seconds, "restore") as lock,
        ):
            repository = find_repository(client)
            backup = find_backup(client, alias, repository, name)
            restoration = restore_backup(
                client,
                settings.index,
                repository,
                backup,
                everything=everything,
                verify=partial(_verify_restored, client, lock, unverified=unverified),
            )
            returned_references = find_returned_references(
                client, alias, [generation.name for generation in restoration.restored]
            )
            known_erasures = _count_known_erasures(client, alias)
        run.write(generation=backup.live, records=backup.records)
    _print_restoration(restoration)
    print(
        f"{backup.live} is live."
        if restoration.live == backup.live
        else f"What was live stays live. To change it: foidex rollback {backup.live}"
    )
    _print_returned_records(returned_references, known_erasures)


def _print_returned_records(references: list[str], known_erasures: int | None) -> None:
    """Name the forgotten records that came back, as far as generations or the audit log know."""
    from indexer.jobs.summary import describe_older_backup

    settings = get_session().settings
    if known_erasures is not None and (
        told := describe_older_backup(settings.audit_folder, settings.index.alias, known_erasures)
    ):
        print(told, file=sys.stderr)
    for reference in references:
        print(
            f"{reference} was forgotten, and came back: foidex forget {reference}", file=sys.stderr
        )


def _count_known_erasures(client: Elasticsearch, alias: str) -> int | None:
    """How many erasures the generations know of; None if this user may not look."""
    import elasticsearch

    from indexer.index.erasures import collect_erasure_tombstones

    try:
        return len(collect_erasure_tombstones(client, alias))
    except elasticsearch.AuthorizationException:
        return None


def _verify_restored(
    client: Elasticsearch, lock: Lease, generation: Generation, *, unverified: bool
) -> Generation:
    """Compare a restored generation with what it was sealed with, then forget in it what the others
    know to be forgotten; returns it as it then is. A user may lack the right to write to it; what
    came back is printed afterwards."""
    import elasticsearch

    from indexer.jobs.forget import apply_and_report_erasures
    from indexer.jobs.verification import require_content

    progress = get_session().progress
    if not unverified:
        progress.say(f"Comparing the records of {generation.name}.")
        require_content(client, generation)
    alias = get_session().settings.index.alias
    say = partial(print, file=sys.stderr)
    with suppress(elasticsearch.AuthorizationException):
        return apply_and_report_erasures(client, alias, generation, lock, say)
    return generation


def _print_restoration(restoration: Restoration) -> None:
    for generation in restoration.restored:
        print(f"{generation.name} is back, with {generation.records:,} records.")
    for name in restoration.present:
        print(f"{name} exists already, with the same content.")
    for name in restoration.uncompared:
        print(
            f"{name} exists already, and was left as it is. The backup does not say what it held, "
            "so they were not compared."
        )
    for name in restoration.different:
        print(
            f"{name} exists already with another content than in the backup, and was left as it "
            "is. A record may have been erased since: foidex forget.",
            file=sys.stderr,
        )
