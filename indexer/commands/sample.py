"""The command ``sample``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from indexer.commands.shared import parse_path, require_new_file
from indexer.errors import OutputError


def run_sample(
    number: Annotated[int, typer.Argument(min=1, max=100_000_000, help="How many records.")],
    seed: Annotated[int, typer.Option(help="Chooses the filler sentences.")] = 0,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--out",
            parser=parse_path,
            help="A file to write. By default standard output.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Write synthetic records as JSON Lines. The same arguments give the same records.

    Example: foidex sample 20000 --out sample.jsonl
    """
    from indexer.files import open_file

    if output_file is None:
        write_sample(sys.stdout.buffer.write, number, seed)
        return
    require_new_file(output_file, force=force)
    try:
        with open(output_file, "wb", opener=open_file) as file:
            write_sample(file.write, number, seed)
    except OSError as error:
        raise OutputError(
            f"{output_file}: cannot be written ({error.strerror}). Choose another file."
        ) from None


def write_sample(write: Callable[[bytes], object], number: int, seed: int) -> None:
    """Pass the JSON line of each record to ``write``."""
    import msgspec

    from indexer.records.sample import generate_practice_records

    for record in generate_practice_records(number, seed):
        write(msgspec.json.encode(record) + b"\n")
