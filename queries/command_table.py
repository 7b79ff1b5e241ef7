"""The commands of the program: where each is, and what the help text says of it.

A command is imported when it is run, or when its own help is asked for: a help text that imported
all of them would take as long again as everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer

_ANSWER: Final = "Answer requests"
_EXPLORE: Final = "Look closer"
_INDEX: Final = "Index records"
_OPERATE: Final = "Operate"


class CommandEntry(NamedTuple):
    """The panel of the help text that shows a command, what it says, and the function or the app
    that is the command, as "module:name"."""

    panel: str
    summary: str
    place: str
    hidden: bool = False


#: Every command, in the order of the help text.
COMMANDS: Final[dict[str, CommandEntry]] = {
    "draft": CommandEntry(
        _ANSWER,
        "Draft a request file from a letter, and mark what is not certain.",
        "queries.commands.draft:draft_app",
    ),
    "answer": CommandEntry(
        _ANSWER,
        "Answer a request: print a report, the letter or JSON, or write every document.",
        "queries.commands.answer:answer_app",
    ),
    "lint": CommandEntry(
        _ANSWER,
        "Check a request file, and its wording against the index.",
        "queries.commands.lint:lint_app",
    ),
    "estimate": CommandEntry(
        _ANSWER,
        "Compare the time to read the records with the limit of 18 hours, and show what would fit.",
        "queries.commands.estimate:estimate_app",
    ),
    "letter": CommandEntry(
        _ANSWER,
        "Write a letter before or after the answer: its dates are worked out, its words are yours.",
        "queries.commands.letter:letter_app",
    ),
    "replay": CommandEntry(
        _ANSWER,
        "Answer the request of an old answer again, and explain every number that changed.",
        "queries.commands.replay:replay_app",
    ),
    "review": CommandEntry(
        _ANSWER,
        "Read hits, or a random sample of them, and decide which are relevant; approve texts.",
        "queries.commands.review.app:review_app",
    ),
    "templates": CommandEntry(
        _ANSWER,
        "Copy and check the templates of letters.",
        "queries.commands.templates:templates_app",
    ),
    "count": CommandEntry(
        _EXPLORE,
        "Count the records that mention any of the terms, and list the spellings found.",
        "queries.commands.explore.count:count_app",
    ),
    "find": CommandEntry(
        _EXPLORE,
        "List the records behind a number, each with the words that matched.",
        "queries.commands.explore.find:find_app",
    ),
    "why": CommandEntry(
        _EXPLORE,
        "Say why one record counts in a request, or which condition it does not meet.",
        "queries.commands.explore.why:why_app",
    ),
    "offences": CommandEntry(
        _EXPLORE,
        "Look up offence codes by words.",
        "queries.commands.explore.offences:offences_app",
    ),
    "refresh": CommandEntry(
        _INDEX,
        "Refresh the index from the source in foidex.toml: build, verify, make live, prune.",
        "queries.commands.operate.refresh:refresh_app",
    ),
    "inspect": CommandEntry(
        _INDEX,
        "Show what files are, and which of our fields their columns may be.",
        "indexer.commands.source.inspect:run_inspect",
    ),
    "load": CommandEntry(
        _INDEX,
        "Build a generation from files, verify it and make it the live one.",
        "indexer.commands.load:run_load",
    ),
    "generations": CommandEntry(
        _INDEX,
        "List the generations, newest first, and show which one is live.",
        "indexer.commands.generations:run_generations",
    ),
    "rollback": CommandEntry(
        _INDEX,
        "Make an earlier generation live again, in one step.",
        "indexer.commands.generations:run_rollback",
    ),
    "prune": CommandEntry(
        _INDEX,
        "Delete old generations and old rejects.",
        "indexer.commands.generations:run_prune",
    ),
    "backup": CommandEntry(
        _INDEX,
        "Back up the live generation into the server's snapshot repository.",
        "indexer.commands.backups:run_backup",
    ),
    "backups": CommandEntry(
        _INDEX,
        "List the backups, newest first, or delete one.",
        "indexer.commands.backups:run_backups",
    ),
    "restore": CommandEntry(
        _INDEX,
        "Restore a generation from a backup.",
        "indexer.commands.backups:run_restore",
    ),
    "forget": CommandEntry(
        _INDEX,
        "Erase one record from every generation and from rejects, and keep it out.",
        "indexer.commands.forget:run_forget",
    ),
    "up": CommandEntry(
        _OPERATE,
        "Start the embedded server if it is not running.",
        "indexer.commands.server:run_up",
    ),
    "down": CommandEntry(
        _OPERATE,
        "Stop the embedded server.",
        "indexer.commands.server:run_down",
    ),
    "status": CommandEntry(
        _OPERATE,
        "Show which server is used and what the live generation contains.",
        "indexer.commands.server:run_status",
    ),
    "doctor": CommandEntry(
        _OPERATE,
        "Find problems that stop foidex from working here, or soon will.",
        "queries.commands.operate.doctor:run_doctor",
    ),
    "sample": CommandEntry(
        _OPERATE,
        "Write synthetic records as JSON Lines.",
        "indexer.commands.sample:run_sample",
    ),
    "audit": CommandEntry(
        _OPERATE,
        "Check, read or archive the log of every query.",
        "indexer.commands.audit:audit_app",
    ),
    "serve": CommandEntry(
        _OPERATE,
        "Serve the workbench: requests, answers and documents in a browser, on this machine.",
        "queries.commands.operate.serve:serve_app",
    ),
    "demo": CommandEntry(
        _OPERATE,
        "Demonstrate the whole job on sample data, from loading records to the letters.",
        "queries.commands.operate.demo:demo_app",
    ),
    "erase": CommandEntry(
        _INDEX,
        "The same as forget.",
        "indexer.commands.forget:run_forget",
        hidden=True,
    ),
}


class LazyCommands(Mapping[str, Any]):
    """Every command by its name, built when it is looked up."""

    def __getitem__(self, name: str) -> Any:
        return build_command(name)

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def build_command(name: str) -> Any:
    """Import a command, and read its options. Raises KeyError for a name that is none."""
    program = typer.Typer(rich_markup_mode=None)
    add_command(program, name)
    return typer.main.get_group(program).commands[name]


def add_command(program: typer.Typer, name: str) -> None:
    """Import a command, and add it to an app. Raises KeyError for a name that is none."""
    entry = COMMANDS[name]
    module, _, attribute = entry.place.partition(":")
    command = getattr(import_module(module), attribute)
    if not isinstance(command, typer.Typer):
        text = entry.summary if entry.hidden else None
        options: dict[str, Any] = {"rich_help_panel": entry.panel, "hidden": entry.hidden}
        program.command(name, help=text, **options)(command)
    elif any(info.name == name for info in command.registered_commands):
        program.add_typer(command)
    else:  # a group of commands
        program.add_typer(command, name=name, rich_help_panel=entry.panel)
