"""The command ``load``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.commands.shared import parse_path
from indexer.jobs.overrides import CheckOverride
from indexer.session import get_session
from indexer.terminal import escape_controls

if TYPE_CHECKING:
    from indexer.config.model import Settings
    from indexer.config.profile import SourceProfile

WorkersOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=64,
        help="Processes that prepare the records of a large load. By default half of the "
        "processors.",
    ),
]

PathsArgument = Annotated[
    list[Path],
    typer.Argument(
        parser=parse_path,
        help="JSON Lines (.jsonl, .jsonl.gz), crimes.csv, or the folder that contains it; with a "
        "profile in foidex.toml, files of any kind.",
    ),
]

ProfileOption = Annotated[
    bool,
    typer.Option(
        "--profile/--no-profile",
        help="Read the files by [source.profile] of foidex.toml, if it has one.",
    ),
]


def run_load(
    paths: PathsArgument,
    rejects: Annotated[
        Path | None,
        typer.Option(
            parser=parse_path,
            help="File for rejected records. By default a file in the home folder.",
        ),
    ] = None,
    reject_invalid: Annotated[
        bool,
        typer.Option(
            "--reject-invalid", help="Make the generation live even if records were rejected."
        ),
    ] = False,
    allow: Annotated[
        list[CheckOverride] | None,
        typer.Option(
            help="Make the generation live even if this check fails. It is recorded. Repeatable."
        ),
    ] = None,
    profile: ProfileOption = True,
    workers: WorkersOption = None,
) -> None:
    """Build a generation from files, verify it and make it the live one.

    Example: foidex load crimes.jsonl
    """
    from indexer.config.field_map import FieldMap
    from indexer.jobs.refresh import LoadOptions, load_files
    from indexer.jobs.summary import summarise_refresh

    settings = get_session().settings
    with get_session().run("load") as run:
        run.add_fields(arguments={"reject_invalid": reject_invalid, "allow": sorted(allow or ())})
        run.begin()
        used_profile = _check_files(paths, rejects, settings, with_profile=profile)
        with get_session().client() as client:
            loaded = load_files(
                client,
                settings.index,
                paths,
                settings.home / "rejects",
                get_session().progress,
                LoadOptions(
                    FieldMap(categories=settings.categories),
                    rejects,
                    reject_invalid,
                    settings.refresh.lease_seconds,
                    settings.records.covers,
                    settings.source.repaired_kinds,
                    frozenset(allow or ()),
                    earliest=settings.records.earliest,
                    profile=used_profile,
                    workers=workers,
                ),
            )
        run.write(generation=loaded.generation.name, records=loaded.generation.records)
    for line in summarise_refresh(loaded, settings.audit_folder, settings.index.alias):
        print(escape_controls(line))


def _check_files(
    paths: list[Path], rejects: Path | None, settings: Settings, *, with_profile: bool
) -> SourceProfile | None:
    """The profile of the settings, if it is to be used and there is one.

    Raises SourceError, before a server is started, for a path that cannot be read, and for a file
    of rejects that foidex.toml names for something else.
    """
    from indexer.config.decided_profile import require_decided_profile
    from indexer.sources import check_paths

    profile = require_decided_profile(settings) if with_profile else None
    check_paths(paths, profile)
    if rejects and not rejects.is_dir():
        _refuse_used_file(rejects, settings, tables=profile is not None)
    return profile


def _refuse_used_file(rejects: Path, settings: Settings, *, tables: bool) -> None:
    """Raise SourceError where rejected records would replace a file that foidex.toml names."""
    from indexer.config.output_paths import find_file_use
    from indexer.errors import SourceError
    from indexer.loading.rejects import list_rejects_files

    for file in list_rejects_files(rejects, tables=tables):
        if file.exists() and (use := find_file_use(settings, file)):
            raise SourceError(
                f"{file}: is {use}, and rejected records would be written over it. Choose another "
                "file with --rejects."
            )
