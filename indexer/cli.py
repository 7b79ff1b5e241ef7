"""The commands that put records in: the server's, load and sample. Mounted by ``queries.cli``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.errors import ConfigurationError, OutputError, StaleError, UnsoundError
from indexer.progress import Progress
from indexer.session import session

if TYPE_CHECKING:  # slow to import, and not needed to print a help text
    from elasticsearch import Elasticsearch

    from indexer.audit import Run

app = typer.Typer()


@app.command()
def up(
    fetch_only: Annotated[
        bool, typer.Option("--fetch-only", help="Fetch and unpack the server, and start nothing.")
    ] = False,
) -> None:
    """Start the embedded server, unless it runs."""
    from indexer import embedded

    if fetch_only:
        folder = embedded.fetch(session().settings, session().progress)
        print(f"The embedded server is in {folder}.")
        return
    address = embedded.up(session().settings, session().progress)
    print(f"The embedded server runs at {address.shown}.")


@app.command()
def down() -> None:
    """Stop the embedded server."""
    from indexer import embedded

    stopped = embedded.down(session().settings, session().progress)
    print("The embedded server was stopped." if stopped else "No embedded server was running.")


@app.command()
def status(
    max_age: Annotated[
        str | None,
        typer.Option(metavar="AGE", help="Exit with 13 if the live generation is older: 26h, 2d."),
    ] = None,
) -> None:
    """Say which server is used and what the live generation holds.

    Example: foidex status --max-age 26h
    """
    from datetime import UTC, datetime

    from indexer import embedded, generations

    settings = session().settings
    limit = _age(max_age) if max_age else None
    if settings.server.url is None and embedded.running(settings) is None and limit is None:
        print("No embedded server is running. Start it: foidex up")
        return
    with session().client() as client:
        print(f"Server      {session().address().shown}")
        live = generations.live(client, settings.index.alias)
    age = datetime.now(UTC) - live.built_at
    print(f"Generation  {live.name}, {live.mode}, built {live.built_at:%Y-%m-%d %H:%M} UTC")
    print(f"Records     {live.records:,} held, {live.rejected:,} rejected when it was built")
    print(f"Sources     {', '.join(live.sources)}")
    if live.watermark:
        print(f"Newest      {live.watermark:%Y-%m-%d %H:%M} UTC")
    if limit is not None and age > limit:
        raise StaleError(
            f"{live.name} was built {age.total_seconds() / 3600:.1f} hours ago, more than "
            f"{max_age}. See why the refresh did not run or was not promoted."
        )


class DoctorFormat(StrEnum):
    """What ``doctor`` prints."""

    TEXT = "text"
    JSON = "json"


@app.command()
def doctor(
    form: Annotated[
        DoctorFormat, typer.Option("--format", help="What to print.")
    ] = DoctorFormat.TEXT,
) -> None:
    """Look for what keeps foidex from working here, or soon will. Changes and starts nothing.

    Example: foidex doctor --format json
    """
    from indexer import doctor as doctors

    found = doctors.examine(session())
    if form is DoctorFormat.JSON:
        _print_json(found)
    else:
        print(doctors.text(found), end="")
    if not doctors.sound(found):
        raise UnsoundError("there are problems; each is told with its remedy.")


def _age(text: str) -> timedelta:
    found = re.fullmatch(r"(\d+)([mhd])", text)
    if not found:
        raise typer.BadParameter("is not an age (expected 90m, 26h or 2d)", param_hint="--max-age")
    unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2]]
    return timedelta(**{unit: int(found[1])})


class ListFormat(StrEnum):
    """What ``generations`` prints."""

    TABLE = "table"
    JSON = "json"


@app.command(name="generations")
def list_generations(
    form: Annotated[ListFormat, typer.Option("--format", help="What to print.")] = ListFormat.TABLE,
) -> None:
    """List the generations that are kept, newest first, and which is live."""
    import msgspec

    from indexer import generations

    alias = session().settings.index.alias
    with session().client() as client:
        live = generations.live_name(client, alias)
        kept = generations.everything(client, alias)
        sizes = generations.sizes(client, alias)
    rows = [
        {**msgspec.to_builtins(one), "live": one.name == live, "bytes": sizes.get(one.name, 0)}
        for one in kept
    ]
    if form is ListFormat.JSON:
        _print_json(rows)
        return
    width = max([len(one.name) for one in kept], default=10)
    print(
        f"{'generation':<{width}}  live  mode         records     MB  newest            "
        "mapping   from"
    )
    for one, row in zip(kept, rows, strict=True):
        newest = f"{one.watermark:%Y-%m-%d %H:%M}" if one.watermark else "-"
        print(
            f"{one.name:<{width}}  {'yes' if row['live'] else 'no':<4}  {one.mode:<11}  "
            f"{one.records:>7,}  {row['bytes'] / 1e6:>5.1f}  {newest:<16}  {one.mapping_hash[:8]}  "
            f"{', '.join(one.sources)}"
        )


@app.command()
def rollback(
    generation: Annotated[
        str | None, typer.Argument(help="A kept generation; else the one before the live one.")
    ] = None,
) -> None:
    """Make an earlier generation live again, in one step.

    Example: foidex rollback
    """
    from indexer import generations, lease

    settings = session().settings
    alias = settings.index.alias
    with (
        session().client() as client,
        lease.held(client, alias, settings.refresh.lease_seconds),
    ):
        back, was = generations.rollback(client, alias, generation)
    print(f"{back.name} is live again, with {back.records:,} records. {was} is kept.")


@app.command()
def prune(
    keep: Annotated[
        int | None, typer.Option(min=1, help="How many to keep; else refresh.keep of foidex.toml.")
    ] = None,
    max_age_days: Annotated[
        int | None,
        typer.Option(min=1, help="Keep nothing older; else refresh.max_age_days of foidex.toml."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be deleted.")
    ] = False,
) -> None:
    """Delete old generations, and old rejects; the live generation always stays.

    Example: foidex prune --keep 3 --max-age-days 30 --dry-run
    """
    from indexer import generations, lease, retention

    settings = session().settings
    alias = settings.index.alias
    number = keep or settings.refresh.keep
    days = max_age_days or settings.refresh.max_age_days
    with (
        session().client() as client,
        lease.held(client, alias, settings.refresh.lease_seconds),
    ):
        old = generations.prune(client, alias, number, max_age_days=days, dry_run=dry_run)
    if days:
        old += retention.expire_rejects(settings.home / "rejects", days, dry_run=dry_run)
    verb = "Would delete" if dry_run else "Deleted"
    print(f"{verb} {', '.join(old)}." if old else f"Nothing to delete: at most {number} are kept.")


def _repository(client: Elasticsearch) -> str:
    """The name of the repository, which is there for the embedded server. Raises FoidexError."""
    from indexer import backups, embedded

    settings = session().settings
    if settings.backup.repository:
        return settings.backup.repository
    if settings.server.url is not None:
        raise ConfigurationError(
            "where backups go is not set. Register a snapshot repository at the server, and name "
            "it in foidex.toml: [backup] repository."
        )
    return backups.register(client, settings.home / embedded.BACKUPS)


@app.command()
def backup(
    to: Annotated[str | None, typer.Option(help="Its name; else the alias and the time.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All kept generations, not the live one alone.")
    ] = False,
) -> None:
    """Back up the live generation into the server's repository.

    Example: foidex backup --to before-the-move
    """
    from indexer import backups, lease

    settings = session().settings
    alias = settings.index.alias
    days = settings.refresh.max_age_days
    with (
        session().client() as client,
        lease.held(client, alias, settings.refresh.lease_seconds),
    ):
        repository = _repository(client)
        made = backups.take(client, alias, repository, to, everything=everything)
        old = backups.expire(client, alias, repository, days) if days else []
    print(f"{made.name} holds {', '.join(made.generations)}, {made.records:,} records live.")
    if old:
        print(f"Deleted as older than {days} days: {', '.join(old)}.")


@app.command(name="backups")
def list_backups(
    delete: Annotated[
        str | None, typer.Option(metavar="NAME", help="Delete this one from the repository.")
    ] = None,
    form: Annotated[ListFormat, typer.Option("--format", help="What to print.")] = ListFormat.TABLE,
) -> None:
    """List the backups, newest first, or delete one.

    Example: foidex backups --delete before-the-move
    """
    from indexer import backups

    alias = session().settings.index.alias
    with session().client() as client:
        repository = _repository(client)
        if delete is not None:
            backups.delete(client, alias, repository, delete)
            print(f"{delete} was deleted.")
            return
        known = backups.listed(client, alias, repository)
    if form is ListFormat.JSON:
        _print_json(known)
        return
    width = max([len(one.name) for one in known], default=6)
    print(f"{'backup':<{width}}  taken             whole    records  generations")
    for one in known:
        whole = "yes" if one.whole else "no"
        print(
            f"{one.name:<{width}}  {one.taken_at:%Y-%m-%d %H:%M}  {whole:<5}  {one.records:>9,}  "
            f"{', '.join(one.generations)}"
        )


@app.command()
def restore(
    name: Annotated[
        str | None, typer.Argument(help="A backup; else the newest.", show_default=False)
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All it holds, not what was live alone.")
    ] = False,
) -> None:
    """Bring a generation back from a backup; nothing that is there is written over.

    Example: foidex restore before-the-move
    """
    from indexer import backups, lease, retention

    settings = session().settings
    alias = settings.index.alias
    with (
        session().client() as client,
        lease.held(client, alias, settings.refresh.lease_seconds),
    ):
        repository = _repository(client)
        found = backups.find(client, alias, repository, name)
        back, promoted = backups.restore(
            client, settings.index, repository, found, everything=everything
        )
        returned = retention.returned(client, alias, [one.name for one in back])
    for one in back:
        print(f"{one.name} is back, with {one.records:,} records.")
    print(
        f"{found.live} is live."
        if promoted
        else f"What was live stays so. To change it: foidex rollback {found.live}"
    )
    for reference in returned:
        print(
            f"{reference} was forgotten, and came back: foidex forget {reference}", file=sys.stderr
        )


@app.command()
def forget(
    crime_ref: Annotated[str, typer.Argument(help="The reference of one record.")],
    undo: Annotated[
        bool, typer.Option("--undo", help="Let the source bring back one that was forgotten.")
    ] = False,
    form: Annotated[ListFormat, typer.Option("--format", help="What to print.")] = ListFormat.TABLE,
) -> None:
    """Remove one record from every generation, from their files, and from rejects, and keep it out;
    say what was found, what is removed, and what still holds it.

    Example: foidex forget 41/0012345/17 --format json > statement.json
    """
    from indexer import lease, retention

    settings = session().settings
    alias = settings.index.alias
    with (
        _forgetting(crime_ref, undo=undo) as run,
        session().client() as client,
        lease.held(client, alias, settings.refresh.lease_seconds) as lock,
    ):
        retention.check(crime_ref)
        asked = not undo and (settings.backup.repository or settings.server.url is None)
        repository = _repository(client) if asked else None
        run.begin()  # all that may be refused is behind us, and nothing is removed unlogged
        if undo:
            undone = retention.take_back(client, alias, crime_ref, lock)
            run.write(records=int(bool(undone)))
            where = ", ".join(undone)
            print(
                f"It may come back with the next refresh; it was forgotten from {where}."
                if undone
                else "It was not forgotten in any generation, so nothing was changed."
            )
            return
        statement = retention.forget(
            client,
            alias,
            crime_ref,
            settings.home / "rejects",
            settings.source.fields.get("crime_ref", "crime_ref"),
            repository,
            lock,
        )
        run.write(records=int(statement.found))
    if form is ListFormat.JSON:
        _print_json(statement)
    else:
        print("\n".join(retention.told(statement)))
    if statement.unheard_of:
        print("It was nowhere. Check the reference.", file=sys.stderr)


@contextmanager
def _forgetting(reference: str, *, undo: bool) -> Iterator[Run]:
    """The run of ``forget`` that the audit log is to hold, with the mark of the reference."""
    with session().run("forget --undo" if undo else "forget") as run:
        run.forgets(reference)
        yield run


@app.command()
def load(
    paths: Annotated[
        list[Path],
        typer.Argument(help="JSON Lines (.jsonl, .jsonl.gz), crimes.csv, or its folder."),
    ],
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected records go; else a file in the home folder.")
    ] = None,
    reject_invalid: Annotated[
        bool, typer.Option("--reject-invalid", help="Promote also when records were rejected.")
    ] = False,
) -> None:
    """Build a generation from files, verify it and make it the live one.

    Example: foidex load crimes.jsonl
    """
    from indexer import refresh
    from indexer.fieldmap import FieldMap

    settings = session().settings
    with session().client() as client:
        loaded = refresh.load(
            client,
            settings.index,
            paths,
            settings.home / "rejects",
            session().progress,
            fields=FieldMap(categories=settings.categories),
            rejects_file=rejects,
            reject_invalid=reject_invalid,
            lease_seconds=settings.refresh.lease_seconds,
        )
    for line in refresh.summary(loaded):
        print(line)


@app.command()
def sample(
    number: Annotated[int, typer.Argument(min=1, max=100_000_000, help="How many records.")],
    seed: Annotated[int, typer.Option(help="Chooses the filling sentences.")] = 0,
    out: Annotated[Path | None, typer.Option(help="A file to write; else standard output.")] = None,
) -> None:
    """Write synthetic records as JSON Lines, the same for the same arguments.

    Example: foidex sample 20000 --out sample.jsonl
    """
    if out is None:
        write_sample(sys.stdout.buffer.write, number, seed)
        return
    try:
        with out.open("wb") as file:
            write_sample(file.write, number, seed)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror}). Name another.") from None


def write_sample(write: object, number: int, seed: int) -> None:
    """Pass each record's line to ``write``."""
    import msgspec

    from indexer import sample as samples

    assert callable(write)
    for record in samples.generate(number, seed):
        write(msgspec.json.encode(record) + b"\n")


def _print_json(found: object) -> None:
    import msgspec

    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())


__all__ = ["Progress", "app"]
