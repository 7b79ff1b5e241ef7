"""The command ``offences``: looks up offence codes by words."""

from __future__ import annotations

from typing import Annotated

import typer

from indexer.session import get_session
from queries.commands.options import EXPLORE_PANEL

offences_app = typer.Typer()

WordsArgument = Annotated[
    list[str],
    typer.Argument(
        help="Words of a title, a name that the public uses, or a code.", show_default=False
    ),
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]

LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Most codes to list.")]


@offences_app.command("offences", rich_help_panel=EXPLORE_PANEL)
def run_offences_command(
    words: WordsArgument, limit: LimitOption = 20, as_json: JsonOption = False
) -> None:
    """Look up offence codes by words.

    It knows titles, codes and names that the public uses, and says plainly where a name is a flag
    and not an offence. It needs no server.

    Example: foidex offences upskirting

    Example: foidex offences knife crime

    Example: foidex offences 88E --json
    """
    from indexer.records.offences.lookup import find_offences
    from queries.answer.types import format_json
    from queries.layout.offence_text import format_offence_lookup

    offences = get_session().settings.offences
    lookup = find_offences(" ".join(words), limit)
    table = offences.table if offences.scheme == "own" else None
    text = f"{format_json(lookup)}\n" if as_json else format_offence_lookup(lookup, table)
    print(text, end="")
