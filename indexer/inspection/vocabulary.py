"""The words by which columns and their values are recognised, and nothing else.

A word that is missing here only means that a person is asked.
"""

from __future__ import annotations

import re
from typing import Final

#: Names of columns, as folded words, that may be a field. The first field that fits is taken.
FIELD_NAMES: Final = {
    "crime_ref": re.compile(
        r"(crime|occurrence|incident|record|case|log|event|investigation)? ?"
        r"(no|number|num|ref|reference|ref no|reference no|reference number|id|urn|crn)"
    ),
    "recorded_on": re.compile(r".*\b(recorded|rec|reported|created|crimed)\b.*|.*\bdate\b.*"),
    "offence_code": re.compile(
        r"(.*\b(ho|home office|offence|offense|crime|cjs)\b.*\b(code|class|classification)\b.*)"
        r"|ho|code|offence|class|offence classification"
    ),
    "narrative": re.compile(
        r".*\b(mo|modus operandi|summary|narrative|notes?|log|text|update|details?|circumstances"
        r"|synopsis|comments?|body|description)\b.*"
    ),
    "status": re.compile(r".*\b(status|stat|state)\b.*"),
    "outcome": re.compile(r".*\b(outcome|disposal)\b.*"),
    "victims.victim_ref": re.compile(
        r".*\b(vic|victim|v|persons?|people|complainants?)\b.*\b(id|ref|reference|no|number|urn)\b"
    ),
    "victims.age": re.compile(r".*\bage\b.*"),
    "victims.sex": re.compile(r".*\b(sex|gender)\b.*"),
    "suspects.suspect_ref": re.compile(
        r".*\b(susp|suspects?)\b.*\b(id|ref|reference|no|number|urn)\b"
    ),
    "suspects.age": re.compile(r"(?=.*\b(susp|suspects?)\b).*\bage\b.*"),
    "suspects.sex": re.compile(r"(?=.*\b(susp|suspects?)\b).*\b(sex|gender)\b.*"),
    "linked.crime_ref": re.compile(r".*\b(links?|linked|related|associated)\b.*"),
    "updated_at": re.compile(r"(last )?(updated|modified|changed)( (at|on|date|time))?"),
}

#: Days of something else than the recording.
OTHER_DAY: Final = re.compile(
    r"(?!.*\b(recorded|rec|reported|created|crimed)\b).*\b(offence|offense|committed|occurred|occurrence|from|start)\b.*"
)

#: The parts of a code in two columns.
CLASS_NAME: Final = re.compile(r".*\bclass\b")

SUBCLASS_NAME: Final = re.compile(r".*\b(sub ?class|sub ?code|sub)\b")

TITLE_NAME: Final = re.compile(r".*\b(title|desc|description)\b.*")

#: Columns about other people than victims.
OTHER_PEOPLE: Final = re.compile(
    r".*\b(suspects?|susp|offenders?|accused|perpetrators?|defendants?|officers?|oic|witness(es)?)\b.*"
)

#: Columns that say whose age, sex or reference they hold, whether of victims or of others.
NAMED_PEOPLE: Final = re.compile(
    rf"{OTHER_PEOPLE.pattern}|.*\b(vic|victims?|v|complainants?|aggrieved|injured party|ip)\b.*"
)

#: Columns that hold what a list of people has.
PEOPLE_DATA: Final = re.compile(r".*\b(age|sex|gender)\b.*")

#: Columns that say what a person of a list is.
ROLE_NAME: Final = re.compile(r".*\b(role|type|capacity|involvement)\b")

#: Those of them that say nothing else, such as the type of an offence.
PERSON_ROLE_NAME: Final = re.compile(
    r".*\b(role|capacity|involvement)\b|.*\b(person|party|nominal|individual) type\b"
)

VICTIM_WORDS: Final = frozenset(
    {"victim", "vic", "complainant", "aggrieved", "injured party", "ip"}
)

SEX_WORDS: Final = {
    **dict.fromkeys(("f", "female", "woman", "girl"), "F"),
    **dict.fromkeys(("m", "male", "man", "boy"), "M"),
    **dict.fromkeys(("x", "other", "non-binary", "indeterminate"), "X"),
    **dict.fromkeys(
        ("u", "unknown", "not known", "n/k", "nk", "not stated", "not specified", "not recorded"),
        "U",
    ),
}

STATUS_WORDS: Final = {
    **dict.fromkeys(("recorded", "crime recorded", "crimed", "confirmed"), "recorded"),
    **dict.fromkeys(
        ("cancelled", "canceled", "no crime", "no-crime", "cancelled - no crime", "no crimed",
         "cancelled no crime"),
        "cancelled",
    ),
    **dict.fromkeys(("transferred", "transferred out", "transfer"), "transferred"),
}  # fmt: skip

#: Columns that say in which unit an age is, and ages that are not in years by their name.
UNIT_NAME: Final = re.compile(r".*\bage\b.*\b(units?|uom|measure|period|type)\b")

SMALL_UNIT_NAME: Final = re.compile(r".*\b(months?|mths?|weeks?|wks?|days?)\b.*")

UNIT_WORDS: Final = frozenset(
    f"{word}{ending}"
    for word in ("year", "yr", "month", "mth", "week", "wk", "day")
    for ending in ("", "s")
)

#: Words for an age that nobody knows.
UNKNOWN_WORDS: Final = frozenset(
    {"n/k", "nk", "n\\k", "not known", "unknown", "not stated", "not recorded", "unk", "n/a", "-",
     "?", "not specified"}
)  # fmt: skip

#: What programs write for no value. People do not, so they mean it in every column.
NULL_WORDS: Final = frozenset(
    {"NULL", "(NULL)", "[NULL]", "<NULL>", "null", "(null)", "<null>", "\\N"}
)


def fold_name(name: str) -> str:
    """The name of a column as words: "crime.offence.hoCode.sub" is "crime offence ho code sub"."""
    name = re.sub(r" \([0-9]+\)$", "", name)
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[^A-Za-z0-9]+", " ", spaced).lower().split())
