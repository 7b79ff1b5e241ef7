"""The program ``foidex``: its commands, and what every one of them has in common.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from indexer.commands.backups import run_backup, run_backups, run_restore
from indexer.commands.doctor import run_doctor
from indexer.commands.forget import run_forget
from indexer.commands.generations import run_generations, run_prune, run_rollback
from indexer.commands.load import run_load
from indexer.commands.sample import run_sample
from indexer.commands.server import run_down, run_status, run_up
from indexer.errors import FoidexError, OutputError
from indexer.session import get_session, start_session
from queries.commands.answer import run_answer_command
from queries.commands.audit import audit_app
from queries.commands.count import run_count_command
from queries.commands.demo import run_demo_command
from queries.commands.estimate import run_estimate_command
from queries.commands.find import run_find_command
from queries.commands.lint import run_lint_command
from queries.commands.refresh import run_refresh_command
from queries.commands.replay import run_replay_command
from queries.commands.templates import templates_app

_EXIT_CODES = """
Exit codes: 0 done; 1 a fault in foidex; 2 a wrong command line; 3 a request, term or code refused;
4 records refused; 5 the server; 6 a generation not verified; 7 a number may be inexact; 8 nothing
loaded yet; 9 the embedded server; 10 configuration; 11 a result could not be written; 12 another
refresh is running; 13 the live generation is too old; 14 a replay gives other numbers; 15 a release
was refused; 16 a number changed since the last run; 17 the doctor found a problem; 18 the audit log
is not as written; 19 a backup.
"""


@contextmanager
def _flush_output() -> Iterator[None]:
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


class FoidexGroup(TyperGroup):
    """The commands. A result that cannot be written is told apart from every other fault."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the command line, which may print a help text. Raises OutputError."""
        with _flush_output():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Raises FoidexError."""
        with _flush_output():
            return super().invoke(ctx)


app = typer.Typer(
    name="foidex",
    cls=FoidexGroup,
    help="Answers Freedom of Information requests over crime records with numbers you can defend.",
    epilog=_EXIT_CODES.replace("\n", " ").strip(),
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In the order of the help text; each command is a plain function of its own file.
_COMMANDS: Final[tuple[tuple[str, Callable[..., None]], ...]] = (
    ("refresh", run_refresh_command),
    ("demo", run_demo_command),
    ("up", run_up),
    ("down", run_down),
    ("status", run_status),
    ("doctor", run_doctor),
    ("generations", run_generations),
    ("rollback", run_rollback),
    ("prune", run_prune),
    ("backup", run_backup),
    ("backups", run_backups),
    ("restore", run_restore),
    ("forget", run_forget),
    ("load", run_load),
    ("sample", run_sample),
    ("lint", run_lint_command),
    ("answer", run_answer_command),
    ("estimate", run_estimate_command),
    ("count", run_count_command),
    ("find", run_find_command),
    ("replay", run_replay_command),
)
for name, command in _COMMANDS:
    app.command(name)(command)
app.add_typer(templates_app, name="templates")
app.add_typer(audit_app, name="audit", help="Check or read the log of every query.")
app.command("erase", hidden=True, help="The same as forget.")(run_forget)


def _print_version(show_version: bool) -> None:  # noqa: FBT001 - what an option calls
    if show_version:
        import importlib.metadata

        print(importlib.metadata.version("foidex"))
        raise typer.Exit


@app.callback()
def set_global_options(
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
    get_session().config = config
    get_session().quiet = quiet


def _require_stdout() -> None:
    """Raise OutputError where standard output is closed, and send messages nowhere without a place
    for them: print would take them to standard output."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        raise OutputError("standard output is closed, so no result can be written. Open it.")


class _TerminatedError(BaseException):
    """A signal asked us to stop: what is under way is undone on the way out."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal_number)
        self.exit_code = 128 + signal_number


def _raise_terminated(signal_number: int, _: object) -> None:
    raise _TerminatedError(signal_number)


def run(argv: Sequence[str] | None = None) -> int:
    """Run one command line in this process and return its exit code.

    ``argv`` is without the program's name; None takes that of the process. An expected error is
    one message on standard error, never a traceback.
    """
    start_session()
    try:
        _require_stdout()
        try:
            app(args=None if argv is None else list(argv))
        finally:  # for a help text too, which no command prints
            with _flush_output():
                pass
    except FoidexError as error:
        if str(error):
            print(f"foidex: {error}", file=sys.stderr)
        return error.exit_code
    except _TerminatedError as stopped:
        print("foidex: stopped.", file=sys.stderr)
        return stopped.exit_code
    except SystemExit as ended:  # how Typer ends every command
        return _exit_code(ended)
    return 0


def _exit_code(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    return ended.code if isinstance(ended.code, int) else 1


def main() -> None:
    """Run the program as a process of its own, which a signal may stop."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _raise_terminated)
    sys.exit(run())
