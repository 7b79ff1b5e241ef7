"""What a reviewer sees of a record, and the keys with which they decide.

On a terminal one key is a decision; from a pipe, the first letter of each line is.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import typer
from msgspec import Struct

from indexer.terminal import escape_line
from queries.evidence.masking import mask_identifiers
from queries.review.types import Verdict

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from queries.evidence.hits import MentionSnippet

VERDICT_KEYS: Final = {
    "r": Verdict.RELEVANT,
    "n": Verdict.NOT_RELEVANT,
    "u": Verdict.UNSURE,
}

WHOLE_KEY: Final = "w"

BACK_KEY: Final = "b"

QUIT_KEY: Final = "q"

_KEY_WORDS: Final = {
    "r": "relevant",
    "n": "not relevant",
    "u": "unsure",
    WHOLE_KEY: "whole text",
    BACK_KEY: "back",
    QUIT_KEY: "quit",
}

#: Ctrl-C, where a terminal gives it as a character.
_INTERRUPT: Final = "\x03"


class RecordView(Struct, frozen=True, kw_only=True):
    """What is shown of a turn: the first of its records, and what to know of it.

    ``snippets`` are the first of its ``mentions``. ``twins`` are the references of the other
    records with the same text. ``text`` is the whole text, where no part of it is shown. ``notes``
    are sentences above the keys.
    """

    heading: str
    criterion: str
    reference: str
    recorded_on: str
    offence_code: str
    snippets: Sequence[MentionSnippet]
    mentions: int
    text: str = ""
    twins: Sequence[str] = ()
    notes: Sequence[str] = ()


class Screen:
    """Prints records and reads keys. ``mask`` hides what may identify a person in whole texts."""

    def __init__(self, *, mask: bool) -> None:
        from rich.console import Console

        self._mask = mask
        self._is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._console: Console = Console(highlight=False, markup=False, emoji=False)

    def show_record(self, view: RecordView) -> None:
        """Print a record around its mentions, with the criterion above it."""
        from rich.text import Text

        self._print("")
        self._print(view.heading, "dim")
        self._print(f"Relevant if: {view.criterion}", "italic")
        self._print("")
        title = f"{view.reference}  {view.recorded_on}  {view.offence_code}"
        self._print(escape_line(title), "bold")
        for snippet in view.snippets:
            line = Text.assemble(snippet.before, (snippet.match, "bold reverse"), snippet.after)
            self._print_indented(line)
        if view.mentions > len(view.snippets):
            rest = view.mentions - len(view.snippets)
            self._print(f"  and {rest:,} more {'mention' if rest == 1 else 'mentions'}", "dim")
        if view.text:
            self.show_text(view.text)
        if view.twins:
            self._print(_describe_twins(view.twins), "bold")
        for note in view.notes:
            self._print(note, "bold")

    def show_text(self, text: str) -> None:
        """Print a whole text, indented on lines that the terminal wraps, too."""
        from rich.text import Text

        shown = mask_identifiers(text) if self._mask else text
        self._print("")
        for line in shown.splitlines():
            self._print_indented(Text(escape_line(line)))

    def _print_indented(self, line: Text) -> None:
        """Print a line, and indent what the terminal wraps of it. Elsewhere nothing is cut off."""
        from rich.padding import Padding
        from rich.text import Text

        if self._is_terminal:
            self._console.print(Padding(line, (0, 0, 0, 2)))
        else:
            self._console.print(Text.assemble("  ", line), soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line."""
        self._print(text)

    def show_heading(self, heading: str, title: str, lines: Sequence[str]) -> None:
        """Print what stands above a whole text: a heading, the record, and lines about it."""
        self._print("")
        self._print(escape_line(heading), "dim")
        self._print("")
        self._print(escape_line(title), "bold")
        for line in lines:
            self._print(escape_line(line))

    def read_line(self, prompt: str) -> str:
        """A line that is typed, without the spaces around it; the end of the input is a blank
        one."""
        self._print(prompt)
        sys.stdout.flush()
        return sys.stdin.readline().strip()

    def read_key(self, keys: Sequence[str], key_words: Mapping[str, str] = _KEY_WORDS) -> str:
        """One of the keys, each a small letter. The end of the input is QUIT_KEY."""
        words = "   ".join(f"{key} {key_words[key]}" for key in keys)
        while True:
            self._print("")
            self._print(words, "dim")
            key = self._read_letter()
            if key in keys:
                return key
            self._print(f"Press one of {', '.join(keys)}.")

    def _read_letter(self) -> str:
        sys.stdout.flush()
        if not self._is_terminal:
            line = sys.stdin.readline()
            return line.strip()[:1].lower() if line else QUIT_KEY
        try:
            letter = typer.getchar()
        except KeyboardInterrupt:
            letter = _INTERRUPT
        except EOFError:
            return QUIT_KEY
        if letter == _INTERRUPT:  # as if the terminal had sent it while no key was read
            signal.raise_signal(signal.SIGINT)
        return letter.lower()

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(line, style=style or None, soft_wrap=not self._is_terminal)


def _describe_twins(references: Sequence[str]) -> str:
    number = len(references)
    shown = ", ".join(map(escape_line, references[:5]))
    more = f" and {number - 5:,} more" if number > 5 else ""
    return (
        f"The same text is in {number:,} other {'record' if number == 1 else 'records'} "
        f"({shown}{more}). One decision is for all of them."
    )


def describe_verdicts(verdicts: Mapping[str, Verdict]) -> str:
    """Verdicts with what each is: "First reading: relevant. Second reading: unsure."."""
    return " ".join(f"{name}: {verdict.value}." for name, verdict in verdicts.items())
