"""The program ``foidex``: its commands, global options, and exit codes.

Results go to standard output, everything else to standard error.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from indexer.commands.shared import parse_path
from indexer.errors import FoidexError, OutputError, list_exit_codes
from indexer.session import get_session, start_session
from indexer.terminal import escape_controls, escape_line, may_forge_line
from queries.command_table import COMMANDS, LazyCommands, build_command
from queries.commands.option_errors import explain_option_errors


def _format_exit_codes() -> str:
    """The exit codes in one sentence, for the end of the help text."""
    return f"Exit codes: {'; '.join(f'{code} {text}' for code, text in list_exit_codes())}."


@contextmanager
def _flush_output() -> Iterator[None]:
    """Write the whole result to standard output.

    Raises OutputError; without a message where the reader of a pipe closed it.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # another file, not the output
            raise
        # Discard what is left, even what Python flushes when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise OutputError from None
        raise OutputError(
            f"the result cannot be written ({error.strerror}). Send it elsewhere."
        ) from None


class FoidexGroup(TyperGroup):
    """The commands. A result that cannot be written raises OutputError, whichever command it is; a
    wrong value of an option is explained in plain words."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()  # type: ignore[assignment]

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the command line, which may print a help text. Raises OutputError."""
        with _flush_output(), explain_option_errors():
            return super().make_context(*args, **kwargs)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name, or None."""
        del ctx
        return build_command(cmd_name) if cmd_name in COMMANDS else None

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of the commands, in the order of the help text."""
        del ctx
        return list(COMMANDS)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of each panel under its name."""
        del ctx
        width = max(map(len, COMMANDS))
        shown = [item for item in COMMANDS.items() if not item[1].hidden]
        for panel, items in groupby(shown, lambda item: item[1].panel):
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(width), entry.summary) for name, entry in items])

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Raises FoidexError."""
        with _flush_output(), explain_option_errors():
            return super().invoke(ctx)


app = typer.Typer(
    name="foidex",
    cls=FoidexGroup,
    help="Answers Freedom of Information requests over crime records with numbers you can defend.",
    epilog=_format_exit_codes(),
    no_args_is_help=True,
    rich_markup_mode=None,  # frames and colours would take twice the time of all the rest
    pretty_exceptions_show_locals=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(show_version: bool) -> None:  # noqa: FBT001 - what an option calls
    if show_version:
        import importlib.metadata

        print(importlib.metadata.version("foidex"))
        raise typer.Exit


@app.callback()
def set_global_options(
    config: Annotated[
        Path | None,
        typer.Option(parser=parse_path, help="The configuration file (foidex.toml) to use."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Show no progress; warnings stay.")
    ] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Set the options that come before the command."""
    del version
    get_session().config = config
    get_session().quiet = quiet


def _require_streams() -> None:
    """Raise OutputError where standard output is closed. Where standard error is closed, discard
    messages: print would send them to standard output. Where standard input is, it is empty.

    Their numbers are taken, too: else the next file would have one, and a process that is started
    would read or write that.
    """
    if sys.stdin is None:
        sys.stdin = open(_discard_stream(0), encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(_discard_stream(2), "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if sys.stdout is None:
        raise OutputError("standard output is closed, so no result can be written. Open it.")


def _set_encodings() -> None:
    """Write UTF-8 to a file or a pipe, whatever the system's encoding is: programs read it again.

    A terminal keeps its encoding, and characters that it lacks are replaced. Line ends stay those
    of the system.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.isatty():
            stream.reconfigure(errors="replace")
        else:  # only a name that is not text has what UTF-8 lacks
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


class _TerminatedError(BaseException):
    """A signal asked the program to stop; what is under way is undone on the way out."""

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
        _require_streams()
        try:
            app(args=None if argv is None else list(argv))
        finally:  # also flushes a help text, which no command prints
            with _flush_output():
                pass
    except FoidexError as error:
        if str(error):
            print(_format_error(error, sys.argv[1:] if argv is None else argv), file=sys.stderr)
        return error.exit_code
    except _TerminatedError as stopped:
        with suppress(OSError):  # the terminal is gone
            print("foidex: stopped.", file=sys.stderr)
        return stopped.exit_code
    except SystemExit as ended:  # how Typer ends every command
        return _exit_code(ended)
    return 0


def _discard_stream(number: int) -> int:
    """Open the null device as the standard stream of a number, or another if that is in use."""
    handle = os.open(os.devnull, os.O_RDWR)
    if handle == number:
        os.set_inheritable(handle, True)  # noqa: FBT003
        return handle
    try:
        os.fstat(number)
    except OSError:
        return os.dup2(handle, number)
    return handle


def _format_error(error: FoidexError, arguments: Sequence[str]) -> str:
    """An error as a terminal may show it. A name on the command line is on one line, as whoever
    delivers files can have chosen it."""
    message = f"foidex: {error}"
    for argument in arguments:
        if may_forge_line(argument):
            for text in (argument, str(Path(argument))):
                message = message.replace(text, escape_line(text))
    return escape_controls(message)


def _exit_code(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    return ended.code if isinstance(ended.code, int) else 1


def main() -> None:
    """Run the program as its own process, which a signal may stop."""
    _set_encodings()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _raise_terminated)
    # A terminal that is closed ends what runs in it, unless it was started with nohup.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _raise_terminated)
    sys.exit(run())
