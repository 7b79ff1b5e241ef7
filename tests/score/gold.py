"""What a right draft of a letter holds, and how its words, codes and parts are compared."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from indexer.records.offences import load_offence_table
from indexer.records.offences.ranges import list_codes
from queries.drafting.phrases.plain_text import plain_text

#: A term as it is compared: its words, the terms that it needs beside it, and how near.
TermKey = tuple[str, tuple[tuple[str, int | None], ...]]

_ANY_LETTER: Final = "[0-9][0-9].*"


def list_letters(folder: Path) -> list[tuple[Path, dict[str, Any]]]:
    """The letters of a folder, each with its gold, in order."""
    golds = sorted(folder.glob("*.gold.json"))
    entries = [json.loads(path.read_text(encoding="utf-8")) for path in golds]
    return [(folder / gold["file"], gold) for gold in entries]


def fold_words(text: str) -> str:
    """Words as they are compared: plain characters, one space, no capitals."""
    return " ".join(plain_text(text).casefold().split())


def fold_part(number: str) -> str:
    """The number of a part as it is compared: letters and digits, without a leading q."""
    return re.sub(r"[^a-z0-9]", "", number.casefold()).removeprefix("q")


def fold_codes(codes: list[str]) -> set[str]:
    """Codes in their canonical form, ranges as their codes."""
    table = load_offence_table()
    return {code for written in codes for code in list_codes(table, written)}


def fold_term(term: Any) -> TermKey:
    """A term as a request file or a gold file has it, as it is compared."""
    if isinstance(term, str):
        return fold_words(term), ()
    required = tuple(
        (fold_words(entry), None)
        if isinstance(entry, str)
        else (fold_words(entry["term"]), entry.get("within"))
        for entry in term.get("with", ())
    )
    return fold_words(term["term"]), required


def list_term_words(terms: list[Any]) -> set[str]:
    """The words of some terms and of their other names."""
    words = set()
    for term in terms:
        words.add(fold_term(term)[0])
        if isinstance(term, dict):
            words |= {fold_words(alias) for alias in term.get("aliases", ())}
    return words


def list_gold_days(gold: dict[str, Any]) -> set[frozenset[tuple[str, str]]]:
    """The sets of days that are right."""
    right = gold.get("periods") or ([gold["period"]] if gold.get("period") else [])
    return {_fold_days(right), *(_fold_days(days) for days in gold.get("period_accept", ()))}


def _fold_days(periods: Any) -> frozenset[tuple[str, str]]:
    listed = periods if isinstance(periods, list) else [periods]
    return frozenset((period["from"], period["to"]) for period in listed)
