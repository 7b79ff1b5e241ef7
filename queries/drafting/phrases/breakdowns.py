"""Finds by what a part wants its numbers apart, and other words that make its kind."""

from __future__ import annotations

import re
from typing import Final

_FIELD: Final = r"(?:by:?|per|according to|split by|each|every|for each|in each|for every|grouped by)\s+(?:the\s+|their\s+)?"

#: By the name of the field of a request file; "year" is decided by the periods of the request.
_STILL_OPEN: Final = r"\b(?:still|currently) (?:open|under investigation|being investigated)\b"

#: That an investigation goes on, of which the status of a record says nothing.
STILL_OPEN: Final = re.compile(_STILL_OPEN, re.IGNORECASE)

_BREAKDOWNS: Final[dict[str, re.Pattern[str]]] = {
    "day": re.compile(rf"\b{_FIELD}(?:calendar )?day\b|\bdaily\b|\bday by day\b", re.IGNORECASE),
    "month": re.compile(
        rf"\b{_FIELD}(?:calendar )?months?\b|\bmonthly\b|\bmonth[- ]by[- ]month\b|\bmonth and\b|"
        r"\bevery month\b",
        re.IGNORECASE,
    ),
    "quarter": re.compile(
        rf"\b{_FIELD}quarters?\b|\bquarterly\b|\bquarter[- ]by[- ]quarter\b", re.IGNORECASE
    ),
    "year": re.compile(
        rf"\b{_FIELD}(?:of (?:the|these|those) )?(?:(?:last|past|previous|two|three|four|five|six)\s+)*"
        r"(?:complete |full )?(?:financial |calendar |calender |tax |fiscal )?years?\b|"
        r"\b(?:annual|yearly|year[- ]by[- ]year|year[- ]on[- ]year|annually)\b|"
        r"\byears? (?:along|across|down) the\b",
        re.IGNORECASE,
    ),
    "offence_group": re.compile(
        r"\b(?:offence|crime) groups?\b|\bgroups? of offences?\b", re.IGNORECASE
    ),
    "offence": re.compile(
        r"\b(?:by|per|according to|into) (?:the |their )?(?:home office )?(?:type of )?(?:offence|crime)s?\b(?! group)"
        r"|\b(?:types?|kinds?|sorts?|categor(?:y|ies)|nature) of (?:the )?(?:offence|crime)s?\b"
        r"|\b(?:offence|crime) (?:types?|categor(?:y|ies)|classifications?|codes? (?:that|they))\b"
        r"|\b(?:which|what) (?:recorded |individual )?(?:offence|crime)s?(?! groups?| types?)\b"
        r"|\bbroken down (?:by|into) (?:the )?(?:offence|crime)s?\b(?! group)"
        r"|\bfor each (?:offence|crime)\b(?! group)",
        re.IGNORECASE,
    ),
    "outcome": re.compile(
        r"\boutcomes?\b|\bdisposals?\b|\b(?:how|whether) (?:it|they|each(?: one)?|these|those|the (?:cases|crimes|offences))"
        r"(?: \w+)? (?:was|were|has been|have been|been) (?:resolved|concluded|dealt with|finalised|closed)\b"
        r"|\bhow (?:was|were) (?:it|they|each|these|those) (?:\w+ )?(?:resolved|concluded|dealt with|finalised)\b"
        r"|\b(?:led to|resulted in|resulting in|leading to|ended (?:in|with)|received|were given) (?:a |an )?(?:charge|caution|summons|no further action)\w*\b"
        r"|\bcharged or summonsed\b|\bno further action\b|\bNFA\b|\bwere charged\b|\bcharges? (?:were )?brought\b",
        re.IGNORECASE,
    ),
    "status": re.compile(
        rf"\bby (?:the )?(?:case )?status\b|{_STILL_OPEN}|\bcase status\b",
        re.IGNORECASE,
    ),
    "sex": re.compile(
        r"\b(?:sex|gender)(?:es|s)?\b(?!\w| offen)|\b(?:fe)?males? (?:and|or|versus)|\b(?:men|boys|girls|women) (?:and|or)\b"
        r"|\b(?:was|were) (?:fe)?males?\b|\bhow many (?:were )?(?:men|women|boys|girls|males|females)\b",
        re.IGNORECASE,
    ),
}

YOUNGEST: Final = re.compile(r"\byoungest\b|\bminimum age\b|\blowest age\b", re.IGNORECASE)

LINKED: Final = re.compile(
    r"\b(?:link(?:ed)?|connect(?:ed|ion)?|associat(?:ed|ion)|relat(?:ed|ion)|attached|tied)\b"
    r"(?:\s+[\w-]+){0,5}?\s+(?:to|with)\b",
    re.IGNORECASE,
)

OVERLAP: Final = re.compile(
    r"\b(?:more than one|two or more|at least two|several|both|a combination|multiple|all) of\b"
    r"|\b(?:name|mention|contain|includ|refer)\w*\s+(?:to\s+)?both\b"
    r"|\b(?:name|mention|contain|refer)\w*\s+(?:to\s+)?(?:more than one|two or more|at least two)\b"
    r"|\"\s+together\b|\bin the same (?:record|report|crime|narrative|offence)s?\b",
    re.IGNORECASE,
)

SEPARATELY: Final = re.compile(
    r"\b(?:separate(?:ly)?|individual(?:ly)?|respectively|in turn)\b|\bone (?:figure|number|total) for each\b"
    r"|\b(?:figure|number|total|count|row|line)s? (?:\w+ )?for (?:each|every)\b|\bfor each (?:\w+ )?(?:word|term|app|keyword|platform|site|phrase|name)"
    r"|\beach (?:counted|one|word|term|app|keyword|platform|site|phrase|of (?:them|these|those|the))\b|\brefer to each\b"
    r"|\b(?:per|by) (?:word|term|keyword|app|platform|phrase|site)\b|\bwords? down the\b",
    re.IGNORECASE,
)

EACH_TERM: Final = re.compile(
    r"\b(?:for|per|by|of) (?:each|every)(?: of (?:the|these|those))? (?:\w+ )?(?:words?|terms?|apps?|key ?words?|platforms?|sites?|websites?|phrases?|names?|services?|networks?)\b"
    r"|\b(?:per|by) (?:word|term|keyword|app|platform|phrase|site|website)\b",
    re.IGNORECASE,
)

#: "Also include an offence of": another offence beside that of the record.
OTHER_OFFENCE: Final = re.compile(
    r"\b(?:also|additionally)\s+(?:includ|involv|contain|ha[sdv]|record|resulted in)\w*\b[^.;]{0,40}?\b(?:offences?|crimes?)\b",
    re.IGNORECASE,
)

SUSPECTS: Final = re.compile(r"\b(?:suspects?|offenders?|perpetrators?|accused)\b", re.IGNORECASE)

VICTIMS: Final = re.compile(
    r"\b(?:victims?|complainants?|aggrieved|injured part(?:y|ies))\b", re.IGNORECASE
)

AGES: Final = re.compile(r"\bages?\b|\baged\b|\bhow old\b", re.IGNORECASE)

LATEST_YEAR: Final = re.compile(
    r"\b(?:most recent|latest|last|final)\b(?: \w+){0,5}? years?\b(?:\s*,?\s*only\b)?|\bsame most recent year\b",
    re.IGNORECASE,
)

COUNTS: Final = re.compile(
    r"\bhow many\b|\bnumbers? of\b|\bthe (?:total|number|count|figure|amount|volume)\b|\bnumber\b|\btotals?\b"
    r"|\bcount of\b|\bfigures?\b|\bstatistics\b|\bincidence\b",
    re.IGNORECASE,
)

NO_WISH: Final = re.compile(
    r"\b(?:do not|don't|dont|not|no longer|never)\b(?: \w+){0,2} (?:ask|asking|need|want|require|interested|after|looking)\b",
    re.IGNORECASE,
)


#: What a table may have a row for, as a letter lists it behind "by".
_LISTED: Final = (
    r"(?:(?:the|their|victim|recorded|financial|calendar) )*(?:days?|dates?|months?|quarters?|years?|sex|gender"
    r"|ages?|outcomes?|status|(?:offence|crime)(?: (?:types?|groups?|codes?))?)\b"
)

_BY_LIST: Final = re.compile(rf"\bby {_LISTED}(?:(?:,| and|, and| &)\s*{_LISTED})+", re.IGNORECASE)

_LIST_JOINT: Final = re.compile(r"(?:,\s*and|,|\band|&)\s+", re.IGNORECASE)


def find_breakdowns(text: str) -> list[str]:
    """The fields by which a text wants its numbers, in the order of the list of fields."""
    text = _repeat_by(text)
    names = [name for name, pattern in _BREAKDOWNS.items() if pattern.search(text)]
    if "offence_group" in names and "offence" in names:
        without_groups = _BREAKDOWNS["offence_group"].sub(" ", text)
        if not _BREAKDOWNS["offence"].search(without_groups):
            names.remove("offence")
    return names


def _repeat_by(text: str) -> str:
    """The text with "by" before each of a list: "by sex and by month" for "by sex and month"."""
    return _BY_LIST.sub(lambda by_list: _LIST_JOINT.sub(r"\g<0>by ", by_list[0]), text)


def cover_breakdowns(text: str) -> str:
    """The text without the words of ``find_breakdowns`` and of the other patterns here."""
    text = _repeat_by(text)
    patterns = (
        *_BREAKDOWNS.values(), YOUNGEST, LINKED, OVERLAP, SEPARATELY, LATEST_YEAR,
    )  # fmt: skip
    for pattern in patterns:
        text = pattern.sub(" ", text)
    return text
