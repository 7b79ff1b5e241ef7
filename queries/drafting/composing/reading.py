"""What each rule finds in a part of a letter, and in the words that hold for all parts."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from queries.drafting.composing.offence_rows import find_offence_rows
from queries.drafting.draft import DraftOffence
from queries.drafting.phrases.bands import Band, find_bands
from queries.drafting.phrases.breakdowns import AGES, VICTIMS, YOUNGEST, find_breakdowns
from queries.drafting.phrases.gaps import Gap, find_gaps
from queries.drafting.phrases.named_offences import NamedOffence, find_named_offences
from queries.drafting.phrases.periods import PeriodPhrase, find_periods
from queries.drafting.phrases.terms import TermPhrase, cover_terms, find_terms
from queries.drafting.structure.numbering import LetterPassage
from queries.drafting.structure.parts import LetterPart
from queries.drafting.structure.roles import is_asking

_CLAUSE_END: Final = re.compile(
    r"[;?]|\.\s|\n|,?\s+and\s+(?=(?:also\s+)?(?:how|what|which|the number|number|copies|a copy|whether)\b)",
    re.IGNORECASE,
)

_TAKEN_BACK: Final = re.compile(
    r"\W*(?:please\s+)?(?:drop|withdraw|delete|ignore|remove|forget|i no longer|no longer|i withdraw)\b",
    re.IGNORECASE,
)

_OF_THESE: Final = re.compile(
    r"\bof (?:these|those|them|the (?:offences|crimes|records|cases))\b", re.IGNORECASE
)

_BRACKETS: Final = re.compile(r"\([^()]*\)")

_VICTIM_SEX: Final = re.compile(
    r"\b(?:female|male) (?:victims?|complainants?)\b|\b(?:victims?|complainants?) (?:was|were|is|are) (?:a )?(?:female|male|girls?|boys?|women|woman|men|man)\b(?! (?:and|or))",
    re.IGNORECASE,
)

_BANDS: Final = re.compile(r"\bbands?\b|\bbrackets?\b", re.IGNORECASE)


class PartReading(Struct, frozen=True):
    """A part, and what the rules find in its own words and its list. ``lead`` are the words above
    it that hold for some parts alone: what they name is the part's, unless it names its own."""

    part: LetterPart
    periods: tuple[PeriodPhrase, ...] = ()
    rows: tuple[DraftOffence, ...] = ()
    named: tuple[NamedOffence, ...] = ()
    terms: TermPhrase = TermPhrase()
    victim: dict[str, Any] = {}
    bands: tuple[Band, ...] = ()
    breakdowns: tuple[str, ...] = ()
    gaps: tuple[Gap, ...] = ()
    has_count: bool = True
    is_taken_back: bool = False
    lead: str = ""

    @property
    def is_gap(self) -> bool:
        """Whether no clause of the part can be counted."""
        return bool(self.gaps) and not self.has_count


class ContextReading(Struct, frozen=True):
    """A passage that holds for all parts, and what the rules find in it."""

    text: str
    periods: tuple[PeriodPhrase, ...] = ()
    rows: tuple[DraftOffence, ...] = ()
    named: tuple[NamedOffence, ...] = ()
    terms: TermPhrase = TermPhrase()
    victim: dict[str, Any] = {}
    is_behind: bool = False


def read_part(part: LetterPart, request_day: date | None) -> PartReading:
    """What the rules find in a part."""
    text = part.text
    is_ages = bool(AGES.search(text) or _BANDS.search(text))
    items = [] if is_ages else part.items
    listed = "\n".join((text, *part.items)) if is_ages else text
    gaps = find_gaps(cover_terms(text))
    rows = find_offence_rows(text, items)
    return PartReading(
        part=part,
        periods=tuple(find_periods(text, request_day)),
        rows=tuple(rows),
        named=() if rows else tuple(find_named_offences(text)),
        terms=find_terms(text, _list_term_items(part.items)),
        victim=_read_victim(text),
        bands=tuple(find_bands(listed) or _find_led_bands(listed, part.stem)),
        breakdowns=tuple(find_breakdowns(text) or _find_led_breakdowns(part)),
        gaps=tuple(gaps),
        has_count=not gaps or _has_countable_clause(text) or _has_count_beside(text, gaps),
        is_taken_back=bool(_TAKEN_BACK.match(text)),
    )


def _find_led_bands(text: str, stem: str) -> list[Band]:
    """The age bands of a text that only the words above it make some, and those above. A single one
    there is a condition on victims."""
    above = find_bands(stem)
    together = find_bands(f"{text}\n{stem}")
    return [band for band in together if band not in above] if len(above) == 1 else together


def add_lead(
    reading: PartReading, common_lines: Collection[str], request_day: date | None
) -> PartReading:
    """A reading with what the words above its part name, but for lines that hold for all parts."""
    lines = [line for line in reading.part.stem.split("\n") if line not in common_lines]
    if not any(lines):
        return reading
    lead = "\n".join(lines)
    above = read_part(LetterPart(reading.part.number, lead), request_day)
    has_offences = reading.rows or reading.named
    return replace(
        reading,
        lead=lead,
        periods=reading.periods or above.periods,
        rows=reading.rows if has_offences else above.rows,
        named=reading.named if has_offences else above.named,
        terms=reading.terms if reading.terms.terms else above.terms,
    )


def _find_led_breakdowns(part: LetterPart) -> list[str]:
    """The breakdowns of a part that only the words above it make some: "by:" and then "gender"."""
    lead = part.stem.split("\n")[-1]
    of_lead = find_breakdowns(lead)
    return [name for name in find_breakdowns(f"{lead} {part.text}") if name not in of_lead]


def read_context(passage: LetterPassage, request_day: date | None) -> ContextReading:
    """What the rules find in a passage."""
    return ContextReading(
        text="\n".join((passage.text, *passage.items)),
        periods=tuple(find_periods(passage.text, request_day)),
        rows=tuple(find_offence_rows(passage.text, passage.items)),
        named=tuple(find_named_offences(passage.text)),
        terms=find_terms(passage.text, _list_term_items(passage.items)),
        victim=_read_victim(passage.text),
        is_behind=passage.is_behind,
    )


def _read_victim(text: str) -> dict[str, Any]:
    """What a text says that a victim must be: an age band, a sex, or both; brackets only describe."""
    plain = _BRACKETS.sub(" ", text)
    if not VICTIMS.search(plain):
        return {}
    bands = find_bands(plain)
    victim: dict[str, Any] = {"age": bands[0].fields} if len(bands) == 1 else {}
    if match := _VICTIM_SEX.search(plain):
        words = match[0].casefold()
        victim["sex"] = ["F"] if re.search(r"female|girl|woman|women", words) else ["M"]
    return victim


def _list_term_items(items: Sequence[str]) -> tuple[str, ...]:
    """The items that may be terms: no codes, and no ages."""
    return tuple(
        item
        for item in items
        if not find_offence_rows("", [item]) and not find_bands(f"aged {item}")
    )


def _has_count_beside(text: str, gaps: Sequence[Gap]) -> bool:
    """Whether a text asks for a count beside what is not counted: the youngest and the oldest, the
    number and the percentage with each outcome."""
    if YOUNGEST.search(text):
        return True
    is_share = all(gap.kind == "percentages" for gap in gaps) and bool(find_breakdowns(text))
    return is_share and bool(_OF_THESE.search(text))


def _has_countable_clause(text: str) -> bool:
    """Whether a clause of a text asks for what no rule of gaps finds in it."""
    clauses = [clause for clause in _CLAUSE_END.split(text) if clause and clause.strip()]
    return any(
        is_asking(clause) and not find_gaps(clause) and len(clause.split()) > 2
        for clause in clauses
    )
