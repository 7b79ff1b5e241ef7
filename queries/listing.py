"""Records as they are listed: at a terminal, into a pipe, for a spreadsheet or a program."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, TextIO

import msgspec

from queries.evidence import Hit
from queries.render.spreadsheets import safe

_HEADER: Final = ("crime_ref", "recorded_on", "offence_code", "term", "before", "match", "after")


class Format(StrEnum):
    """How records are printed: in blocks with colours at a terminal, one a line into a pipe."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def write(hits: Iterable[Hit], form: Format, out: TextIO | None = None) -> int:
    """Print every record as it comes; how many there were."""
    stream = out or sys.stdout
    number = 0
    writer: Any = csv.writer(stream, lineterminator="\n")
    if form is Format.CSV:
        writer.writerow(_HEADER)
    printer = _blocks(stream) if form is Format.TABLE and stream.isatty() else None
    for number, hit in enumerate(hits, start=1):  # noqa: B007 - counted after
        if form is Format.JSONL:
            stream.write(msgspec.json.encode(hit).decode() + "\n")
        elif form is Format.CSV:
            writer.writerows(_rows(hit))
        elif printer:
            printer(hit)
        else:
            stream.write(_line(hit) + "\n")
    return number


def _rows(hit: Hit) -> list[list[str]]:
    """A row for each mention shown, or one for a record without."""
    fields = [hit.crime_ref, hit.recorded_on, hit.offence_code]
    shown = [[one.term, one.before, one.match, one.after] for one in hit.shown] or [[""] * 4]
    return [list(map(safe, [*fields, *cells])) for cells in shown]


def _line(hit: Hit) -> str:
    contexts = " \u2026 ".join(f"{one.before}{one.match}{one.after}" for one in hit.shown)
    return "\t".join(filter(None, (hit.crime_ref, hit.recorded_on, hit.offence_code, contexts)))


def _blocks(stream: TextIO) -> Any:
    """A printer of records to a terminal: a heading, and below it each mention, marked."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=stream, highlight=False)

    def show(hit: Hit) -> None:
        console.print(Text(f"{hit.crime_ref}  {hit.recorded_on}  {hit.offence_code}", style="bold"))
        for one in hit.shown:
            line = Text.assemble(one.before, (one.match, "bold reverse"), one.after)
            console.print(Padding(line, (0, 0, 0, 2)))
        if hit.found > len(hit.shown) > 0:
            more = hit.found - len(hit.shown)
            said = f"  and {more:,} more {'mention' if more == 1 else 'mentions'}"
            console.print(Text(said, style="dim"))

    return show
