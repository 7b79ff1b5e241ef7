"""The command ``forget``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.commands.backups import find_repository
from indexer.commands.shared import ListFormat, print_json
from indexer.errors import RequestError
from indexer.session import get_session

if TYPE_CHECKING:
    from indexer.audit.log import AuditRun


def run_forget(
    crime_ref: Annotated[str, typer.Argument(help="The reference of one record.")],
    undo: Annotated[
        bool, typer.Option("--undo", help="Let the source bring the erased record back.")
    ] = False,
    form: Annotated[ListFormat, typer.Option("--format", help="What to print.")] = ListFormat.TABLE,
) -> None:
    """Erase one record from every generation and from rejects, and keep it out.

    It also prints what was found, what was removed, and what may still contain the record. A
    record that was forgotten before is no error; for one that is nowhere it exits with 3.

    Example: foidex forget 41/0012345/17 --format json > statement.json
    """
    from indexer.index.lock import hold_lock
    from indexer.jobs.erasure_statement import format_statement
    from indexer.jobs.forget import ErasureScope, check_reference, erase_record, readmit_record

    settings = get_session().settings
    alias = settings.index.alias
    with (
        _log_erasure(crime_ref, alias, undo=undo) as run,
        get_session().client() as client,
        hold_lock(client, alias, settings.refresh.lease_seconds, "forget") as lock,
    ):
        check_reference(crime_ref)
        needs_repository = not undo and (settings.backup.repository or settings.server.url is None)
        repository = find_repository(client) if needs_repository else None
        run.begin()  # nothing is refused from here on, and nothing is removed without a log entry
        if undo:
            undone = readmit_record(client, alias, crime_ref, lock)
            run.write(records=int(bool(undone)))
            generation_names = ", ".join(undone)
            print(
                f"It may come back with the next refresh; it was forgotten from {generation_names}."
                if undone
                else "It was not forgotten in any generation, so nothing was changed."
            )
            return
        scope = ErasureScope(
            alias,
            settings.home / "rejects",
            settings.source.reference_name,
            repository,
        )
        statement = erase_record(client, scope, crime_ref, lock)
        exit_code = RequestError.exit_code if statement.is_unknown else 0
        run.write(exit_code, records=int(statement.was_present))
    if form is ListFormat.JSON:
        print_json(statement)
    else:
        print("\n".join(format_statement(statement)))
    if statement.is_unknown:
        raise RequestError(
            f"no generation and no file of rejects has a record {crime_ref}, so nothing was "
            "changed. Check the reference."
        )


@contextmanager
def _log_erasure(reference: str, alias: str, *, undo: bool) -> Iterator[AuditRun]:
    """A run of ``forget`` for the audit log, with the mark of the reference."""
    with get_session().run("forget --undo" if undo else "forget") as run:
        run.add_erased_reference(reference, alias)
        yield run
