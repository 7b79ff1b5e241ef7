"""The commands ``review next`` and ``review settle``: records are read, one key a decision."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from indexer.session import get_session
from queries.commands.options import MaskOption
from queries.commands.review.options import (
    NameArgument,
    find_review,
    open_session_store,
    require_reviewing_user,
)

reading_app = typer.Typer()

ShownSentencesOption = Annotated[
    int, typer.Option(min=0, max=100, help="Sentences to show on each side of the words.")
]

_MAX_MENTIONS: Final = 5


@reading_app.command("next")
def read_next_records(
    name: NameArgument = None, mask: MaskOption = False, sentences: ShownSentencesOption = 1
) -> None:
    """Read the next record and decide: r relevant, n not relevant, u unsure, b back, q quit.

    One key is a decision. Without a terminal, each line of the input is one.

    Example: foidex review next FOI2018-03922-Q1 --mask
    """
    _read_turns(name, mask=mask, sentences=sentences, settle=False)


@reading_app.command("settle")
def settle_conflicts(
    name: NameArgument = None, mask: MaskOption = False, sentences: ShownSentencesOption = 1
) -> None:
    """Decide where two readers disagree, or are unsure. It shows what both decided.

    Example: foidex review settle FOI2018-03922-Q1
    """
    _read_turns(name, mask=mask, sentences=sentences, settle=True)


def _read_turns(name: str | None, *, mask: bool, sentences: int, settle: bool) -> None:
    from queries.commands.review.loop import LoopOptions, ReadingLoop
    from queries.commands.review.screen import Screen
    from queries.evidence.hits import SnippetOptions
    from queries.reviewing.reading import ReviewReader

    reviewer = require_reviewing_user()
    snippets = SnippetOptions(sentences=sentences, max_mentions=_MAX_MENTIONS, mask=mask)
    options = LoopOptions(reviewer, snippets, settle)
    with open_session_store() as store:
        stored = find_review(store, name)
        with get_session().client() as client:
            reader = ReviewReader(client, stored)
            ReadingLoop(store, stored, reader, Screen(mask=mask), options).run()
