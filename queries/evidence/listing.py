"""Records as they are listed: at a terminal, into a pipe, for a spreadsheet or a program."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final, TextIO

import msgspec

from queries.evidence.hits import Hit
from queries.layout.csv_text import escape_formula

_HEADER: Final = ("crime_ref", "recorded_on", "offence_code", "term", "before", "match", "after")


class HitFormat(StrEnum):
    """How records are printed: in blocks with colours at a terminal, one a line into a pipe."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def write_hits(hits: Iterable[Hit], form: HitFormat, output: TextIO | None = None) -> int:
    """Print every record as it comes; how many there were."""
    stream = output or sys.stdout
    number = 0
    writer: Any = csv.writer(stream, lineterminator="\n")
    if form is HitFormat.CSV:
        writer.writerow(_HEADER)
    printer = _make_block_printer(stream) if form is HitFormat.TABLE and stream.isatty() else None
    for number, hit in enumerate(hits, start=1):  # noqa: B007 - counted after
        if form is HitFormat.JSONL:
            stream.write(msgspec.json.encode(hit).decode() + "\n")
        elif form is HitFormat.CSV:
            writer.writerows(_make_hit_rows(hit))
        elif printer:
            printer(hit)
        else:
            stream.write(_format_hit_line(hit) + "\n")
    return number


def _make_hit_rows(hit: Hit) -> list[list[str]]:
    """A row for each mention shown, or one for a record without."""
    fields = [hit.crime_ref, hit.recorded_on, hit.offence_code]
    snippet_rows = [
        [snippet.term, snippet.before, snippet.match, snippet.after] for snippet in hit.snippets
    ] or [[""] * 4]
    return [list(map(escape_formula, [*fields, *cells])) for cells in snippet_rows]


def _format_hit_line(hit: Hit) -> str:
    contexts = " \u2026 ".join(
        f"{snippet.before}{snippet.match}{snippet.after}" for snippet in hit.snippets
    )
    return "\t".join(filter(None, (hit.crime_ref, hit.recorded_on, hit.offence_code, contexts)))


def _make_block_printer(stream: TextIO) -> Any:
    """A printer of records to a terminal: a heading, and below it each mention, marked."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=stream, highlight=False)

    def show(hit: Hit) -> None:
        console.print(Text(f"{hit.crime_ref}  {hit.recorded_on}  {hit.offence_code}", style="bold"))
        for snippet in hit.snippets:
            line = Text.assemble(snippet.before, (snippet.match, "bold reverse"), snippet.after)
            console.print(Padding(line, (0, 0, 0, 2)))
        if hit.mention_count > len(hit.snippets) > 0:
            remaining = hit.mention_count - len(hit.snippets)
            notice = f"  and {remaining:,} more {'mention' if remaining == 1 else 'mentions'}"
            console.print(Text(notice, style="dim"))

    return show
