"""The commands that put records in: the server's, load and sample. Mounted by ``queries.cli``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from indexer.errors import OutputError
from indexer.progress import Progress
from indexer.session import session

app = typer.Typer()


@app.command()
def up() -> None:
    """Start the embedded server, unless it runs."""
    from indexer import embedded

    address = embedded.up(session().settings, session().progress)
    print(f"The embedded server runs at {address.shown}.")


@app.command()
def down() -> None:
    """Stop the embedded server."""
    from indexer import embedded

    stopped = embedded.down(session().settings, session().progress)
    print("The embedded server was stopped." if stopped else "No embedded server was running.")


@app.command()
def status() -> None:
    """Say which server is used and what the live generation holds."""
    from indexer import embedded, generations

    settings = session().settings
    if settings.server.url is None and embedded.running(settings) is None:
        print("No embedded server is running. Start it: foidex up")
        return
    with session().client() as client:
        print(f"Server      {session().address().shown}")
        live = generations.live(client, settings.index.alias)
        print(f"Generation  {live.name}, built {live.built_at:%Y-%m-%d %H:%M} UTC")
        print(f"Records     {live.indexed:,} indexed, {live.rejected:,} rejected")
        print(f"Sources     {', '.join(live.sources)}")
        if live.watermark:
            print(f"Newest      {live.watermark:%Y-%m-%d %H:%M} UTC")


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

    settings = session().settings
    with session().client() as client:
        loaded = refresh.load(
            client,
            settings.index,
            paths,
            settings.home / "rejects",
            session().progress,
            rejects_file=rejects,
            reject_invalid=reject_invalid,
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
    from indexer import sample as samples

    assert callable(write)
    for record in samples.generate(number, seed):
        write(msgspec.json.encode(record) + b"\n")


__all__ = ["Progress", "app"]
