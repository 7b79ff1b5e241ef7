"""The program ``foidex``: its commands, and what every one of them has in common.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from indexer.cli import app as indexer_app
from indexer.errors import FoidexError, OutputError
from indexer.overrides import Override
from indexer.session import session
from queries.commands import adhoc, later, requests

_EXIT_CODES = """
Exit codes: 0 done; 1 a fault in foidex; 2 a wrong command line; 3 a request, term or code refused;
4 records refused; 5 the server; 6 a generation not verified; 7 a number may be inexact; 8 nothing
loaded yet; 9 the embedded server; 10 configuration; 11 a result could not be written; 12 another
refresh is running; 13 the live generation is too old; 14 a replay gives other numbers; 15 a release
was refused; 16 a number changed since the last run; 17 the doctor found a problem; 18 the audit log
is not as written; 19 a backup.
"""


@contextmanager
def _written_out() -> Iterator[None]:
    """Write the result to its end.

    Raises OutputError, without a message where the reader of a pipe has enough.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # not of the output
            raise
        # What is left goes nowhere, also when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise OutputError from None
        raise OutputError(
            f"the result cannot be written ({error.strerror}). Send it elsewhere."
        ) from None


class Program(TyperGroup):
    """The commands. A result that cannot be written is told apart from every other fault."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the command line, which may print a help text. Raises OutputError."""
        with _written_out():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Raises FoidexError."""
        with _written_out():
            return super().invoke(ctx)


app = typer.Typer(
    name="foidex",
    cls=Program,
    help="Answers Freedom of Information requests over crime records with numbers you can defend.",
    epilog=_EXIT_CODES.replace("\n", " ").strip(),
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(indexer_app)
for commands in (requests, adhoc, later):
    app.add_typer(commands.app)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - what an option calls
    if wanted:
        import importlib.metadata

        print(importlib.metadata.version("foidex"))
        raise typer.Exit


@app.callback()
def options(
    config: Annotated[Path | None, typer.Option(help="The foidex.toml to use.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options of every command."""
    del version
    session().config = config
    session().quiet = quiet


@app.command()
def refresh(
    full: Annotated[
        bool, typer.Option("--full/--incremental", help="Build anew, or change the live one.")
    ] = True,
    check: Annotated[
        bool, typer.Option("--check", help="Only read and check the configuration and the source.")
    ] = False,
    allow: Annotated[
        list[Override] | None,
        typer.Option(help="Promote although this check fails; it is recorded. Repeatable."),
    ] = None,
    reject_invalid: Annotated[
        bool, typer.Option("--reject-invalid", help="The same as --allow rejects.")
    ] = False,
) -> None:
    """Refresh the index from the source of foidex.toml: build, verify, promote, prune.

    Example: foidex --config /etc/foidex/foidex.toml refresh --incremental
    """
    from queries import nightly

    overrides = {*(allow or ()), *([Override.REJECTS] if reject_invalid else [])}
    if check:
        nightly.check(session(), "full" if full else "incremental")
    else:
        nightly.run(session(), "full" if full else "incremental", frozenset(overrides))


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="The folder for its files.")] = Path("foidex-demo"),
) -> None:
    """Show the whole job on sample data, from nothing."""
    from queries import demo as demonstration

    demonstration.run(session(), out)


def _require_output() -> None:
    """Raise OutputError where standard output is closed, and send messages nowhere without a place
    for them: print would take them to standard output."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        raise OutputError("standard output is closed, so no result can be written. Open it.")


class _StoppedError(BaseException):
    """A signal asked us to stop: what is under way is undone on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number


def _stop(number: int, _: object) -> None:
    raise _StoppedError(number)


def main() -> None:
    """Run the program. An expected error is one message and its exit code, never a traceback."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        _require_output()
        try:
            app()
        finally:  # also for a help text, which no command prints
            with _written_out():
                pass
    except FoidexError as error:
        if str(error):
            print(f"foidex: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except _StoppedError as stopped:
        print("foidex: stopped.", file=sys.stderr)
        sys.exit(stopped.exit_code)
