"""The program ``foidex``: its commands, global options, and exit codes.

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

from indexer.commands.audit import audit_app
from indexer.commands.backups import run_backup, run_backups, run_restore
from indexer.commands.doctor import run_doctor
from indexer.commands.forget import run_forget
from indexer.commands.generations import run_generations, run_prune, run_rollback
from indexer.commands.load import run_load
from indexer.commands.sample import run_sample
from indexer.commands.server import run_down, run_status, run_up
from indexer.commands.shared import parse_path
from indexer.commands.source.inspect import run_inspect
from indexer.errors import FoidexError, OutputError, list_exit_codes
from indexer.session import get_session, start_session
from indexer.terminal import escape_controls
from queries.commands.answer import answer_app
from queries.commands.estimate import estimate_app
from queries.commands.explore.count import count_app
from queries.commands.explore.find import find_app
from queries.commands.explore.offences import offences_app
from queries.commands.explore.why import why_app
from queries.commands.letter import letter_app
from queries.commands.lint import lint_app
from queries.commands.operate.demo import demo_app
from queries.commands.operate.refresh import refresh_app
from queries.commands.operate.serve import serve_app
from queries.commands.option_errors import explain_option_errors
from queries.commands.options import ANSWER_PANEL, INDEX_PANEL, OPERATE_PANEL
from queries.commands.replay import replay_app
from queries.commands.review.app import review_app
from queries.commands.templates import templates_app


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


# More characters than the first sentence of any help text has.
_WHOLE_SENTENCE: Final = 200


class FoidexGroup(TyperGroup):
    """The commands. A result that cannot be written raises OutputError, whichever command it is; a
    wrong value of an option is explained in plain words."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the command line, which may print a help text. Raises OutputError."""
        with _flush_output(), explain_option_errors():
            return super().make_context(*args, **kwargs)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands of each panel under its name."""
        panels: dict[str, list[tuple[str, str]]] = {}
        names = [name for name in self.list_commands(ctx) if not self.commands[name].hidden]
        for name in names:
            command = self.commands[name]
            panel = getattr(command, "rich_help_panel", None)
            title = panel if isinstance(panel, str) else "Commands"
            panels.setdefault(title, []).append((name, command.get_short_help_str(_WHOLE_SENTENCE)))
        for title, rows in panels.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(name.ljust(max(map(len, names))), text) for name, text in rows]
                )

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


def _group_commands(panel: str, commands: dict[str, Callable[..., None]]) -> typer.Typer:
    """Commands that are plain functions, as an app; its commands are shown in one panel."""
    group = typer.Typer()
    for name, command in commands.items():
        group.command(name, rich_help_panel=panel)(command)
    return group


_INDEX_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "inspect": run_inspect,
    "load": run_load,
    "generations": run_generations,
    "rollback": run_rollback,
    "prune": run_prune,
    "backup": run_backup,
    "backups": run_backups,
    "restore": run_restore,
    "forget": run_forget,
}

_OPERATING_COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "up": run_up,
    "down": run_down,
    "status": run_status,
    "doctor": run_doctor,
    "sample": run_sample,
}

# In the order of the help text. Apps without a name add their commands to the program.
app.add_typer(answer_app)
app.add_typer(lint_app)
app.add_typer(estimate_app)
app.add_typer(letter_app)
app.add_typer(replay_app)
app.add_typer(review_app, name="review", rich_help_panel=ANSWER_PANEL)
app.add_typer(templates_app, name="templates", rich_help_panel=ANSWER_PANEL)
app.add_typer(count_app)
app.add_typer(find_app)
app.add_typer(why_app)
app.add_typer(offences_app)
app.add_typer(refresh_app)
app.add_typer(_group_commands(INDEX_PANEL, _INDEX_COMMANDS))
app.add_typer(_group_commands(OPERATE_PANEL, _OPERATING_COMMANDS))
app.add_typer(audit_app, name="audit", rich_help_panel=OPERATE_PANEL)
app.add_typer(serve_app)
app.add_typer(demo_app)
app.command("erase", hidden=True, help="The same as forget.")(run_forget)


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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
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


def _require_stdout() -> None:
    """Raise OutputError where standard output is closed. Where standard error is closed, discard
    messages: print would send them to standard output."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        raise OutputError("standard output is closed, so no result can be written. Open it.")


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
        _require_stdout()
        try:
            app(args=None if argv is None else list(argv))
        finally:  # also flushes a help text, which no command prints
            with _flush_output():
                pass
    except FoidexError as error:
        if str(error):
            print(escape_controls(f"foidex: {error}"), file=sys.stderr)
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
    """Run the program as its own process, which a signal may stop."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, _raise_terminated)
    sys.exit(run())
