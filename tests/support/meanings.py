"""What a letter means, and how a draft is held against it: values alone, no words of the rules.

A number is what its part counts, whichever way a request file says it: days, codes, terms, victims,
and how it is broken down. A draft may differ from what is meant only if it asks about it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from indexer.records.offences import load_offence_table
from queries.drafting.draft import Confirmation, Draft, DraftPart
from queries.drafting.request_mapping import build_request_mapping

Days = tuple[tuple[date, date], ...]

#: The keys of a request file that say an aspect of what is counted.
KEYS = {
    "days": ("period", "periods"),
    "terms": ("mentions",),
    "codes": ("offences",),
    "victim": ("where", "where/victim"),
}


@dataclass(frozen=True)
class Population:
    """The records that a number counts. ``terms`` are sets of which a record has one term each;
    ``codes`` are empty for every offence; ``victim`` is a condition as a request file has it.
    """

    days: Days
    terms: frozenset[frozenset[str]] = frozenset()
    codes: frozenset[str] = frozenset()
    victim: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class MeantPart:
    """A part by its words. ``breakdown`` is "" for one number. Without ``population`` the part
    cannot be counted; ``unclear`` if no draft can be sure of it."""

    number: str
    words: str
    population: Population | None
    breakdown: str = ""
    unclear: bool = False
    withdrawn: bool = False


@dataclass(frozen=True)
class MeantLetter:
    """A letter as a file, with its parts as they are meant in the end. ``changes`` are the
    sentences of a later mail that change something; ``statements`` are the words for each aspect of
    what is counted, and ``tags`` say how the letter was made."""

    ending: str
    content: bytes
    parts: tuple[MeantPart, ...]
    statements: tuple[tuple[str, str], ...] = ()
    changes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """What is wrong with a draft and is not asked."""

    kind: str
    number: str
    meant: Any = None
    drafted: Any = field(default=None, compare=False)


def merge_days(days: Iterable[tuple[date, date]]) -> Days:
    """Spans of days, those that touch as one."""
    merged: list[tuple[date, date]] = []
    for first, last in sorted(set(days)):
        if merged and first <= merged[-1][1] + timedelta(days=1):
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return tuple(merged)


def join_terms(*sets: Iterable[str]) -> frozenset[frozenset[str]]:
    """Sets of terms, without those that another one includes."""
    terms = {frozenset(names) for names in sets if names}
    return frozenset(names for names in terms if not any(other < names for other in terms))


def find_faults(meant: MeantLetter, draft: Draft) -> list[Fault]:
    """What a draft has otherwise than its letter means, and does not ask about."""
    mapping = build_request_mapping(draft)
    pairs = list(_pair_parts(meant, draft))
    faults = [fault for pair in pairs for fault in _compare(meant, draft, mapping, *pair)]
    paired = {part.number for _, part in pairs if part}
    invented = [part for part in draft.parts if part.number not in paired and part.fields]
    return faults + [
        Fault("invented", part.number, None, part.text)
        for part in invented
        if not any(
            entry.part == part.number or (not entry.part and overlaps(entry.sentence, part.text))
            for entry in draft.confirmations
        )
    ]


def _pair_parts(meant: MeantLetter, draft: Draft) -> Iterator[tuple[MeantPart, DraftPart | None]]:
    free = list(draft.parts)
    for part in meant.parts:
        words = fold(part.words)
        fitting = [entry for entry in free if words in fold(entry.text)]
        fitting += [entry for entry in free if entry.number.casefold() == part.number.casefold()]
        match = fitting[0] if fitting else None
        if match:
            free.remove(match)
        yield part, match


def _compare(
    meant: MeantLetter,
    draft: Draft,
    mapping: dict[str, Any],
    part: MeantPart,
    drafted: DraftPart | None,
) -> Iterator[Fault]:
    if drafted is None:
        if not (part.withdrawn or _is_part_asked(draft, part)):
            yield Fault("dropped", part.number, part.words)
        return
    if _is_asked_generally(meant, draft.confirmations, part, drafted):
        return
    if part.withdrawn != drafted.withdrawn:
        kind = "not taken back" if part.withdrawn else "taken back"
        yield Fault(kind, part.number, part.words, drafted)
    if part.withdrawn or drafted.withdrawn or not drafted.fields:
        return
    if part.population is None or part.unclear:
        yield Fault("not asked", part.number, part.words, drafted.fields)
        return
    population, breakdown = read_question(mapping, drafted.fields)
    for aspect in KEYS:
        expected, found = getattr(part.population, aspect), getattr(population, aspect)
        if expected != found and not _is_aspect_asked(meant, draft, drafted, aspect, found):
            yield Fault(aspect, part.number, expected, found)
    if not _is_same_breakdown(part.breakdown, breakdown, mapping):
        yield Fault("breakdown", part.number, part.breakdown, breakdown)


def _is_part_asked(draft: Draft, part: MeantPart) -> bool:
    """Whether something is asked about a part that is only in another one, or in none."""
    holders = [entry.number for entry in draft.parts if fold(part.words) in fold(entry.text)]
    return any(
        entry.part in holders if entry.part else overlaps(entry.sentence, part.words)
        for entry in draft.confirmations
    )


def _is_asked_generally(
    meant: MeantLetter, confirmations: Iterable[Confirmation], part: MeantPart, drafted: DraftPart
) -> bool:
    """Whether a question is about a part, about what a later mail says, or about words that limit
    the request and are in no record."""
    limit = fold(dict(meant.statements).get("limit", "?"))
    return any(
        entry.part == drafted.number
        or (not entry.part and overlaps(entry.sentence, part.words))
        or any(overlaps(entry.sentence, change) for change in meant.changes)
        or (not entry.part and bool(limit) and limit in fold(entry.sentence))
        for entry in confirmations
    )


def _is_aspect_asked(
    meant: MeantLetter, draft: Draft, drafted: DraftPart, aspect: str, found: Any
) -> bool:
    """Whether a question is about an aspect of what is counted, here or where it was taken from."""
    is_given = any(
        entry.part == other.number.casefold()
        and other.population
        and getattr(other.population, aspect) == found
        for entry in draft.confirmations
        for other in meant.parts
    )
    words = dict(meant.statements).get(aspect, "")
    return is_given or _is_asked(drafted, draft.confirmations, KEYS[aspect], words)


def _is_asked(
    part: DraftPart, confirmations: Iterable[Confirmation], keys: tuple[str, ...], words: str
) -> bool:
    """Whether a confirmation can change an aspect of the request, or anything of a part; or leaves
    the words open that say the aspect."""
    for entry in confirmations:
        changed = [key for choice in entry.choices for key in choice.changes]
        if any(key in keys or key.startswith(f"questions/{part.number}/") for key in changed):
            return True
        if not entry.part and not changed and words and fold(words) in fold(entry.sentence):
            return True
    return False


def _is_same_breakdown(meant: str, drafted: str, mapping: dict[str, Any]) -> bool:
    if meant == drafted:
        return True
    if drafted.endswith("each term"):
        return meant == drafted.removesuffix("each term").removesuffix(" x ")
    return meant.endswith("year") and drafted == "" and "periods" in mapping


def read_question(mapping: dict[str, Any], fields: dict[str, Any]) -> tuple[Population, str]:
    """What a question of a draft counts, and how it breaks it down."""
    within = fields.get("within", {})
    days = _read_days(within) or _read_days(mapping)
    sides = [fields.get(side) for side in ("rows", "columns")]
    keywords = fields.get("keywords") or [
        entry for side in sides if isinstance(side, dict) for entry in side.get("keywords", ())
    ]
    terms = join_terms(
        _read_terms(mapping.get("mentions", ())),
        _read_terms(within.get("mentions", ())),
        _read_terms(keywords),
    )
    codes = _read_codes(mapping) & _read_codes(within) or _read_codes(mapping) | _read_codes(within)
    victim = {
        **mapping.get("where", {}).get("victim", {}),
        **within.get("where", {}).get("victim", {}),
    }
    return Population(days, terms, codes, write_victim(victim)), _read_breakdown(fields)


def write_victim(victim: dict[str, Any]) -> frozenset[tuple[str, str]]:
    """A condition on victims that can be compared."""
    return frozenset((key, str(entry)) for key, entry in victim.items())


def _read_days(mapping: dict[str, Any]) -> Days:
    periods = [mapping["period"]] if "period" in mapping else mapping.get("periods", [])
    return merge_days(
        (date.fromisoformat(entry["from"]), date.fromisoformat(entry["to"])) for entry in periods
    )


def _read_terms(entries: Iterable[Any]) -> set[str]:
    names: set[str] = set()
    for entry in entries:
        term = {"term": entry} if isinstance(entry, str) else entry
        required = [one if isinstance(one, str) else str(one) for one in term.get("with", ())]
        for spelling in (term["term"], *term.get("aliases", ())):
            names.add("&".join([spelling.casefold(), *sorted(required)]))
    return names


def _read_codes(mapping: dict[str, Any]) -> frozenset[str]:
    canonical = load_offence_table().canonical
    return frozenset(
        canonical(code) for row in mapping.get("offences", ()) for code in row["codes"]
    )


def _read_breakdown(fields: dict[str, Any]) -> str:
    kind = fields["kind"]
    if kind == "offences":
        return ""
    if kind == "by":
        return f"{fields['by']}"
    if kind == "keywords":
        return "each term" if len(fields["keywords"]) > 1 else ""
    if kind in ("victims", "suspects") and set(fields) <= {"kind", "bands", "within"}:
        return f"{kind} " + write_bands(fields.get("bands", ()))
    if kind == "cross":
        sides = [fields["rows"], fields["columns"]]
        names = [side for side in sides if isinstance(side, str)]
        keywords = [
            side["keywords"] for side in sides if not isinstance(side, str) and "keywords" in side
        ]
        if len(names) == 2 or (names and keywords):
            return " x ".join(
                [*sorted(names), *("each term" for terms in keywords if len(terms) > 1)]
            )
    return str({key: entry for key, entry in fields.items() if key != "within"})


def write_bands(bands: Iterable[dict[str, int]]) -> str:
    """Age bands in one text: "0-11 12-15 16-"."""
    return " ".join(f"{band.get('from', 0)}-{band.get('to', '')}" for band in bands)


def fold(text: str) -> str:
    """A text by its letters and digits alone."""
    return re.sub(r"[\W_]+", " ", text.casefold()).strip()


def overlaps(sentence: str, words: str) -> bool:
    """Whether a text is a part of the other."""
    first, second = fold(sentence), fold(words)
    return bool(first and second) and (first in second or second in first)
