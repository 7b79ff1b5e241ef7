"""From what is found in a part to the fields of its question in a request file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from queries.drafting.composing.offence_rows import list_row_codes
from queries.drafting.composing.reading import PartReading
from queries.drafting.composing.scope import RequestScope
from queries.drafting.composing.term_sets import drop_same_terms, have_same_terms
from queries.drafting.draft import DraftTerm
from queries.drafting.phrases.breakdowns import (
    AGES,
    EACH_TERM,
    LATEST_YEAR,
    LINKED,
    OTHER_OFFENCE,
    OVERLAP,
    SEPARATELY,
    STILL_OPEN,
    SUSPECTS,
    VICTIMS,
    YOUNGEST,
)
from queries.drafting.phrases.periods import find_unread_days
from queries.drafting.phrases.terms import TermPhrase
from queries.drafting.request_mapping import write_term
from queries.layout.prose import join_list

_EACH_OFFENCE: Final = re.compile(
    r"\b(?:each|every|per) (?:of the )?(?:\w+ )?(?:offence|code)s?\b|\bfor each of the offences\b",
    re.IGNORECASE,
)

_ALONE: Final = re.compile(r"\b(?:alone|only|just|solely)\b", re.IGNORECASE)

_NARROWER: Final = re.compile(r"\b(?:alone|only|just|solely)\b|\bof the\b", re.IGNORECASE)

_PEOPLE_CHARGED: Final = re.compile(
    r"\b(?:how many|number of) (?:\w+ )?(?:people|persons|individuals|suspects|offenders|men|women|adults)\b",
    re.IGNORECASE,
)

_ASKS_OF_TERM: Final = re.compile(
    r"\b(?:how many|number)\b[^.?;]*?\b(?:mention|contain|refer|include|say)", re.IGNORECASE
)

_YEAR_FIELDS: Final = ("calendar_year", "financial_year")

_MAX_OVERLAP: Final = 30


_MORE_BREAKDOWNS: Final = (
    "The letter asks for more than two breakdowns at once; the first two are drafted."
)

#: "How many had a victim under 16": records, and not victims.
_RECORDS_WITH_PEOPLE: Final = re.compile(
    r"\b(?:how many|numbers? of|numbers?)\b(?:(?!victim|suspect|offender|complainant|people|age)[^.?;]){0,60}\b(?:an?|the|one|any) (?:\w+ )?(?:victim|suspect|offender|complainant|child|person)\b",
    re.IGNORECASE,
)

#: "Crimes with victims aged 16 and above", "offences where the victim was a child": likewise.
_RECORDS_OF_PEOPLE: Final = re.compile(
    r"\b(?:offences?|crimes?|incidents?|records|cases|reports|were there)\b[^.?;]{0,30}\b(?:with|where|whose|against|involving|in which)\b[^.?;]{0,20}\b(?:victims?|complainants?)\b",
    re.IGNORECASE,
)

_BOTH_SEXES: Final = re.compile(
    r"\b(?:females?|girls?|wom[ae]n)\b.*\b(?:males?|boys?|m[ae]n)\b|\b(?:males?|boys?|m[ae]n)\b.*\b(?:females?|girls?|wom[ae]n)\b",
    re.IGNORECASE | re.DOTALL,
)

_AGES_ONE_BY_ONE: Final = re.compile(
    r"\b\d{1,2},\s*\d{1,2}\b(?:,\s*\d{1,2})*,?\s+(?:or|and)\s+\d{1,2}\b"
)

_TIME_OF_DAY: Final = re.compile(
    r"\b\d{1,2}(?:[:.]\d\d)?\s*(?:am|pm)\b|\b\d{1,2}:\d\d\b|\bmidnight\b|\bnoon\b", re.IGNORECASE
)

_ASKED_NUMBER: Final = re.compile(
    r"\bhow many\b|\bnumbers? of\b|\bthe number (?=where|in which|with|that|who)", re.IGNORECASE
)

#: Days that hold for a part of what is asked alone.
_FOR_SOME_DAYS: Final = re.compile(
    r"\bfor (?:the )?(?:year |financial year |calendar year )?(?:19|20)\d\d(?: ?[/-] ?\d{2,4})? only\b",
    re.IGNORECASE,
)

#: What asks for a line for each record, and not for a number of them.
_WANTS_LIST: Final = re.compile(
    r"\b(?:dates?|days?|times?|offences?|codes?|outcomes?|status)\b[^.?;]{0,60}\bfor each(?: (?:one|crime|offence|record|incident|case))?\s*(?:[.;]|$)"
    r"|\b(?:a list|lists?|details?|particulars|a row|a line) (?:of|for) (?:all|each|every)\b"
    r"|\b(?:send|give|provide|list)\b[^.?;]{0,12}\ball (?:the )?(?:crimes|offences|records|incidents)\b",
    re.IGNORECASE,
)

#: What asks for a number of victims or suspects, and not of records.
_COUNTED_PEOPLE: Final = re.compile(
    r"\b(?:how many|numbers? of|total) (?:of )?(?:the |these |those )?(?:\w+ ){0,2}(?P<people>victims|complainants|suspects|offenders|perpetrators)\b",
    re.IGNORECASE,
)


class QuestionFields(Struct, frozen=True):
    """The fields of a question, and what of its part was left out, each in a sentence."""

    fields: dict[str, Any]
    doubts: tuple[str, ...] = ()


def build_question(
    reading: PartReading, scope: RequestScope, known_terms: Sequence[DraftTerm]
) -> QuestionFields:
    """The question of a part that can be counted. ``known_terms`` are those of earlier parts, which
    "those words" means."""
    doubts: list[str] = []
    fields = (
        _build_linked(reading, doubts)
        or _build_people(reading, scope, doubts)
        or _build_of_terms(reading, scope, known_terms, doubts)
        or _build_counts(reading, scope, doubts)
    )
    named_reading = replace(reading, terms=_add_named_terms(reading, known_terms))
    narrowing = _build_within(named_reading, scope, fields)
    if narrowing:
        fields["within"] = narrowing
    return QuestionFields(fields, (*doubts, *_list_doubts(reading, fields)))


def _list_doubts(reading: PartReading, fields: dict[str, Any]) -> list[str]:
    """What a part may ask for and its question does not have, each in a sentence."""
    text, kind, written = reading.part.text, fields["kind"], str(fields)
    unread_days = find_unread_days(text, reading.periods)
    terms = reading.terms
    has_several = len(_ASKED_NUMBER.findall(text)) > 1 and kind not in ("keywords", "overlap")
    lacks_ages = not any(name in written for name in ("bands", "age"))
    has_no_period = "period" not in fields.get("within", {})
    doubts = {
        _doubt_terms(reading, fields): True,
        "The letter asks for more than one number here, and this question has one.": has_several,
        "The letter names ages here, and this question does not count by them.": (
            reading.bands and lacks_ages
        ),
        "The letter lists ages one by one, and the bands may lack some of them.": (
            reading.bands and _AGES_ONE_BY_ONE.search(text)
        ),
        f"The letter names {join_list(unread_days)} here, and this question does not count by it.": (
            unread_days
        ),
        "The letter speaks of victims of one sex, and this question counts those of each.": (
            "sex" in reading.victim and "sex" in written and not _BOTH_SEXES.search(text)
        ),
        "A record's status is recorded, cancelled or transferred, and does not say whether an "
        "investigation goes on. The outcomes may be nearer.": STILL_OPEN.search(text),
        "The letter asks for records that have none of some words, and this question counts those that "
        "have them.": terms.has_neither and (terms.terms or kind != "keywords"),
        "The letter names a time of the day, which the records do not have.": (
            _TIME_OF_DAY.search(text)
        ),
        "The letter asks for something for some days only.": (
            _FOR_SOME_DAYS.search(text) and has_no_period
        ),
        "The letter may ask for a list of the records. This question counts them; kind: list has a "
        "line for each.": _WANTS_LIST.search(text),
    }
    return [sentence for sentence, holds in doubts.items() if sentence and holds]


def _doubt_terms(reading: PartReading, fields: dict[str, Any]) -> str:
    """A sentence on terms that a part wants apart or together, if its question does not have them
    so; empty if it has."""
    text = reading.part.text
    written = str(fields)
    if EACH_TERM.search(reading.part.whole_text) and "keywords" not in written:
        return "The letter asks for each term apart, and this question counts them together."
    if OVERLAP.search(text) and fields.get("kind") != "overlap":
        return (
            "The letter asks for records with several terms at once, and this question does not: its "
            "terms were not found together."
        )
    return ""


def _build_linked(reading: PartReading, doubts: list[str]) -> dict[str, Any] | None:
    is_linked = bool(LINKED.search(reading.part.text))
    if reading.rows and (is_linked or OTHER_OFFENCE.search(reading.part.text)):
        if not is_linked:
            doubts.append(
                "The letter asks for another offence in the same record. Records that are linked to "
                "one are counted."
            )
        return {"kind": "linked", "codes": list_row_codes(reading.rows)}
    return None


def _build_people(
    reading: PartReading, scope: RequestScope, doubts: list[str]
) -> dict[str, Any] | None:
    """A question about the ages of victims or suspects."""
    text, own_text = reading.part.whole_text, reading.part.text
    youngest = bool(YOUNGEST.search(own_text))
    counts_records = _RECORDS_WITH_PEOPLE.search(own_text) or _RECORDS_OF_PEOPLE.search(own_text)
    if reading.bands and counts_records:
        doubts.append(
            "The letter may ask for records with such a person, and this question counts people: two "
            "of one record are two."
        )
    is_about_people = bool(VICTIMS.search(text) or SUSPECTS.search(text) or AGES.search(text))
    if not youngest and not (is_about_people and (reading.bands or AGES.search(own_text))):
        return None
    kind = "suspects" if SUSPECTS.search(text) and not VICTIMS.search(text) else "victims"
    bands = [band.fields for band in reading.bands]
    if not bands and not youngest:
        doubts.append("The letter asks for ages and names no age bands.")
        return {"kind": kind}
    is_each = len(scope.offences) > 1 and (
        _EACH_OFFENCE.search(own_text)
        or "offence" in reading.breakdowns
        or re.search(r"\b(?:in|for) each\b", own_text)
    )
    further_fields = [name for name in reading.breakdowns if name not in ("year", "sex", "offence")]
    terms = reading.terms.terms
    if bands and kind == "victims" and terms and SEPARATELY.search(own_text):
        keywords = _write_terms(drop_same_terms(terms))
        return {"kind": "cross", "rows": {"keywords": keywords}, "columns": {"bands": bands}}
    if bands and not youngest:
        fields = _cross_bands(
            bands, further_fields, is_each=bool(is_each), sex="sex" in reading.breakdowns
        )
        if fields:
            return fields | ({"count": kind} if kind == "suspects" else {})
    if is_each:
        doubts.append("The letter asks for each offence, and this question counts all together.")
    if youngest and "sex" in reading.breakdowns:
        doubts.append("The sexes need a question of their own.")
    youngest_fields = {"youngest": True} if youngest else {}
    return {"kind": kind} | youngest_fields | ({"bands": bands} if bands else {})


def _cross_bands(
    bands: list[dict[str, int]], further_fields: Sequence[str], *, is_each: bool, sex: bool
) -> dict[str, Any] | None:
    """Age bands by sex, by offence or by another field; None if the bands stand alone."""
    sides = [*(["sex"] if sex else []), *(["offence_row"] if is_each else []), *further_fields]
    if not sides:
        return None
    question: dict[str, Any] = {"kind": "cross", "rows": sides[0], "columns": {"bands": bands}}
    return question | ({"for_each": "offence_row"} if "offence_row" in sides[1:] else {})


def _build_of_terms(
    reading: PartReading,
    scope: RequestScope,
    known_terms: Sequence[DraftTerm],
    doubts: list[str],
) -> dict[str, Any] | None:
    """A question with a row for each of some terms, or about terms together."""
    own_entries = _add_named_terms(reading, known_terms)
    terms = drop_same_terms(own_entries.terms, merge=own_entries.are_same)
    is_of_each = bool(EACH_TERM.search(reading.part.whole_text))
    is_each = bool(SEPARATELY.search(reading.part.text)) or is_of_each
    if (is_of_each or own_entries.refers or own_entries.has_neither) and not terms:
        terms = list(known_terms)
        if scope.mentions and not have_same_terms(terms, scope.mentions):
            doubts.append("The letter has several lists of terms; the last one is counted here.")
    is_overlap = bool(OVERLAP.search(reading.part.text)) and len(terms) > 1
    if is_overlap and (own_entries.refers or own_entries.terms):
        return {"kind": "overlap", "keywords": _write_terms(terms[:_MAX_OVERLAP])}
    is_home = scope.term_home == reading.part.number
    is_scope = have_same_terms(terms, scope.mentions)
    if not terms or (
        own_entries.terms
        and len(terms) < len(scope.mentions)
        and _is_narrowing(reading, scope, terms)
    ):
        return None
    if own_entries.has_neither and not own_entries.terms:
        return {"kind": "keywords", "keywords": _write_terms(terms)}
    refers_to_each = bool(re.search(r"\beach\b", reading.part.text, re.IGNORECASE)) or is_each
    if (
        (is_scope or is_home or not own_entries.terms)
        and not refers_to_each
        and not _asks_of_several(reading)
    ):
        return None
    return _cross_terms(reading, scope, terms, doubts)


def _add_named_terms(reading: PartReading, known_terms: Sequence[DraftTerm]) -> TermPhrase:
    """The terms of a part, with those of earlier parts that it names as the only ones."""
    if reading.terms.terms or not _ALONE.search(reading.part.text):
        return reading.terms
    return replace(reading.terms, terms=tuple(find_named_terms(reading.part.text, known_terms)))


def find_named_terms(text: str, known_terms: Sequence[DraftTerm]) -> list[DraftTerm]:
    """The terms that stand in a text as words, each once."""
    folded_text = text.casefold()
    named_terms = {
        term.term.casefold(): term
        for term in known_terms
        if re.search(rf"(?<!\w){re.escape(term.term.casefold())}(?!\w)", folded_text)
    }
    return list(named_terms.values())


def _asks_of_several(reading: PartReading) -> bool:
    """Whether a part asks "how many mention X, and how many mention Y"."""
    return len(_ASKS_OF_TERM.findall(reading.part.text)) > 1 and len(reading.terms.terms) > 1


def _is_narrowing(reading: PartReading, scope: RequestScope, terms: Sequence[DraftTerm]) -> bool:
    """Whether a part is only about some of the terms of the request: "for Tinder only"."""
    names = {term.term.casefold() for term in scope.mentions}
    return bool(_NARROWER.search(reading.part.text)) and all(
        term.term.casefold() in names for term in terms
    )


def _cross_terms(
    reading: PartReading, scope: RequestScope, terms: Sequence[DraftTerm], doubts: list[str]
) -> dict[str, Any]:
    keywords = _write_terms(terms)
    fields = list_fields(reading, scope)
    each_offence = bool(_EACH_OFFENCE.search(reading.part.text))
    if each_offence and "offence" in fields and len(scope.offences) > 1:
        fields.remove("offence")
    if not fields:
        question: dict[str, Any] = {"kind": "keywords", "keywords": keywords}
        return question | (
            {"each_offence": True} if each_offence and len(scope.offences) > 1 else {}
        )
    if len(fields) > 1:
        doubts.append(_MORE_BREAKDOWNS)
    if fields[0] in _YEAR_FIELDS:
        return {"kind": "cross", "rows": {"keywords": keywords}, "columns": fields[0]}
    return {"kind": "cross", "rows": fields[0], "columns": {"keywords": keywords}}


def _build_counts(reading: PartReading, scope: RequestScope, doubts: list[str]) -> dict[str, Any]:
    """A count by one field, by two, or by offence."""
    fields = list_fields(reading, scope)
    if "outcome" in fields and _PEOPLE_CHARGED.search(reading.part.text):
        doubts.append("The letter asks for people; the outcomes are those of records.")
    if "offence" in fields and len(fields) > 1 and len(scope.offences) > 1:
        fields[fields.index("offence")] = "offence_row"
    if len(fields) > 2:
        doubts.append(_MORE_BREAKDOWNS)
    text = reading.part.whole_text
    is_of_suspects = "sex" in fields and SUSPECTS.search(text) and not VICTIMS.search(text)
    count = {"count": "suspects"} if is_of_suspects else {}
    if len(fields) >= 2:
        return {"kind": "cross", "rows": fields[0], "columns": fields[1]} | count
    if len(fields) == 1:
        is_row_per_code = fields[0] == "offence" and bool(reading.rows)
        if fields[0] in _YEAR_FIELDS and reading.rows and len(reading.rows) > 1:
            return {"kind": "cross", "rows": "offence_row", "columns": fields[0]}
        if not is_row_per_code:
            return {"kind": "by", "by": fields[0]} | count
    if match := _COUNTED_PEOPLE.search(reading.part.text):
        doubts.append(
            "The letter asks for a number of people. They are counted in each record, so somebody "
            "who is in two records counts twice."
        )
        return {"kind": "suspects" if SUSPECTS.search(match["people"]) else "victims"}
    return {"kind": "offences"}


def list_fields(reading: PartReading, scope: RequestScope) -> list[str]:
    """The fields that a part is broken down by. Years that stand side by side as periods, and the
    one year of a request, are none."""
    fields = []
    for name in reading.breakdowns:
        if name != "year":
            fields.append(name)
        elif field := choose_year_field(reading.part.whole_text, scope):
            fields.append(field)
    return fields


def choose_year_field(text: str, scope: RequestScope) -> str | None:
    """The kind of year that a breakdown by year means; None if each period is a year already."""
    if len(scope.periods) != 1:
        return None if scope.periods else "calendar_year"
    [period] = scope.periods
    if (period.last - period.first).days <= 366:
        return None
    if re.search(r"\bfinancial|\bfiscal|\bf/?y\b", text, re.IGNORECASE):
        return "financial_year"
    if re.search(r"\bcalend[ae]r", text, re.IGNORECASE):
        return "calendar_year"
    return "financial_year" if (period.first.month, period.first.day) == (4, 1) else "calendar_year"


def _build_within(
    reading: PartReading, scope: RequestScope, fields: dict[str, Any]
) -> dict[str, Any]:
    """What holds for this part alone, within the scope of the request."""
    narrowing: dict[str, Any] = {}
    text = reading.part.text
    days = [
        {"from": first.isoformat(), "to": last.isoformat()}
        for first, last in _find_own_days(reading, scope)
    ]
    if days:
        narrowing |= {"period": days[0]} if len(days) == 1 else {"periods": days}
    codes = list_row_codes(reading.rows)
    known_codes = list_row_codes(scope.offences)
    is_home = scope.row_home == reading.part.number
    if codes and fields["kind"] != "linked" and not is_home and set(codes) != set(known_codes):
        if set(codes) <= set(known_codes):
            narrowing["offences"] = [
                {"codes": list(row.codes)} | ({"label": row.label} if row.label else {})
                for row in scope.offences
                if set(row.codes) & set(codes)
            ]
        else:
            narrowing["offences"] = [{"codes": list(row.codes)} for row in reading.rows]
    terms = reading.terms.terms
    uses_terms = "keywords" in str(fields)
    if terms and not uses_terms and not have_same_terms(terms, scope.mentions):
        is_home = scope.term_home == reading.part.number
        if not is_home and (_is_narrowing(reading, scope, terms) or not SEPARATELY.search(text)):
            narrowing["mentions"] = _write_terms(drop_same_terms(terms))
    return narrowing


def _find_own_days(reading: PartReading, scope: RequestScope) -> list[tuple[date, date]]:
    """The days that a part alone is about, if they are within those of the request."""
    days = {(phrase.first, phrase.last) for phrase in scope.periods}
    if LATEST_YEAR.search(reading.part.text) and len(days) > 1 and not reading.periods:
        return [max(days)]
    own_days = [(phrase.first, phrase.last) for phrase in reading.periods]
    is_inside = all(
        any(first <= own_first and own_last <= last for first, last in days)
        for own_first, own_last in own_days
    )
    return own_days if is_inside and set(own_days) != days else []


def _write_terms(terms: Sequence[DraftTerm]) -> list[Any]:
    return [write_term(term) for term in terms]
