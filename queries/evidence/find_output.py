"""Writes a list of records: for a terminal, a pipe, a spreadsheet or a program."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from queries.evidence.hits import Hit

_HEADER: Final = ("crime_ref", "recorded_on", "offence_code", "term", "before", "match", "after")


class HitFormat(StrEnum):
    """How records are listed. A table is coloured blocks at a terminal, and a line a record in a
    pipe."""

    TABLE = "table"
    JSONL = "jsonl"
    CSV = "csv"


def write_hits(hits: Iterable[Hit], form: HitFormat, stream: TextIO) -> int:
    """Write each record as soon as it is read, and return how many there were."""
    write_hit = _make_hit_writer(form, stream)
    number = 0
    for number, hit in enumerate(hits, start=1):  # noqa: B007 - returned after the loop
        write_hit(hit)
    return number


def _make_hit_writer(form: HitFormat, stream: TextIO) -> Callable[[Hit], object]:
    import msgspec

    match form:
        case HitFormat.JSONL:
            return lambda hit: stream.write(msgspec.json.encode(hit).decode() + "\n")
        case HitFormat.CSV:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(_HEADER)
            return lambda hit: writer.writerows(_make_hit_rows(hit))
        case HitFormat.TABLE if stream.isatty():
            return _make_block_printer(stream)
        case HitFormat.TABLE:
            return lambda hit: stream.write(_format_hit_line(hit) + "\n")


def _make_hit_rows(hit: Hit) -> list[list[str]]:
    """A row for each snippet, or one row for a record without snippets."""
    from queries.layout.csv_text import escape_formula

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


def _make_block_printer(stream: TextIO) -> Callable[[Hit], None]:
    """A writer for a terminal: a heading for each record, and below it each snippet."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(file=stream, highlight=False)

    def print_hit(hit: Hit) -> None:
        console.print(Text(f"{hit.crime_ref}  {hit.recorded_on}  {hit.offence_code}", style="bold"))
        for snippet in hit.snippets:
            line = Text.assemble(snippet.before, (snippet.match, "bold reverse"), snippet.after)
            console.print(Padding(line, (0, 0, 0, 2)))
        if hit.mention_count > len(hit.snippets) > 0:
            remaining = hit.mention_count - len(hit.snippets)
            notice = f"  and {remaining:,} more {'mention' if remaining == 1 else 'mentions'}"
            console.print(Text(notice, style="dim"))

    return print_hit
