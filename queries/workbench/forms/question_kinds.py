"""The kinds of question as a form shows them: their fields, and an example of the table of each."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

#: How a field of a question is filled in.
FieldStyle = Literal[
    "terms", "bands", "codes", "flag", "text", "field", "fields", "side", "each", "count", "within",
    "share",
]  # fmt: skip


class QuestionField(Struct, frozen=True):
    """A field of a question: the key that it gives in the request, its label and its hint."""

    key: str
    style: FieldStyle
    label: str
    hint: str = ""


class QuestionKind(Struct, frozen=True):
    """A kind of question: what it is called, what it gives, and an example of its table."""

    name: str
    label: str
    gives: str
    fields: tuple[QuestionField, ...]
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


_PEOPLE_FIELDS: Final = (
    QuestionField("bands", "bands", "Ages that are counted together"),
    QuestionField("youngest", "flag", "The age of the youngest"),
    QuestionField("youngest_sex", "flag", "The sex of the youngest"),
)

_COUNT: Final = QuestionField("count", "count", "What is counted")

QUESTION_KINDS: Final = {
    kind.name: kind
    for kind in (
        QuestionKind(
            "offences",
            "A table of the offences",
            "A row for each offence of the request; without any, for each code found.",
            (),
            ("Offence", "Records"),
            (("Meeting a child (88/1)", "12"), ("Stalking (8Q)", "40"), ("Total", "52")),
        ),
        QuestionKind(
            "keywords",
            "How many mention each word",
            "A row for each word, and one for none of them.",
            (
                QuestionField("keywords", "terms", "Words"),
                QuestionField("each_offence", "flag", "A column for each offence"),
                QuestionField("present", "flag", "Leave out words that no record mentions"),
            ),
            ("Word", "Records"),
            (("Facebook", "31"), ("Snapchat", "18"), ("None of these", "9"), ("Total", "52")),
        ),
        QuestionKind(
            "overlap",
            "Which words are mentioned together",
            "A row for each word, alone and with each of the others.",
            (QuestionField("keywords", "terms", "Words, at least two"),),
            ("Word", "Only this", "With another", "With Snapchat"),
            (("Facebook", "25", "6", "6"), ("Snapchat", "12", "6", "-")),
        ),
        QuestionKind(
            "by",
            "A table by month, outcome or another field",
            "A row for each value of the field.",
            (QuestionField("by", "field", "Count by"), _COUNT),
            ("Month", "Records"),
            (("April 2017", "4"), ("May 2017", "7"), ("Total", "11")),
        ),
        QuestionKind(
            "cross",
            "A table of two things",
            "Rows by columns. Totals count each record once.",
            (
                QuestionField("rows", "side", "Rows"),
                QuestionField("columns", "side", "Columns"),
                QuestionField("for_each", "each", "A table of its own for each"),
                _COUNT,
            ),
            ("Word", "2017", "2018", "Total"),
            (("Facebook", "14", "17", "31"), ("Snapchat", "8", "10", "18")),
        ),
        QuestionKind(
            "victims",
            "Victims by age",
            "A row for each group of ages, for other ages, and for ages that are not known.",
            _PEOPLE_FIELDS,
            ("Age", "Victims"),
            (("0 to 11", "9"), ("12 to 15", "21"), ("Age not known", "3"), ("Total", "33")),
        ),
        QuestionKind(
            "suspects",
            "Suspects by age",
            "The same of the suspects that records name.",
            _PEOPLE_FIELDS,
            ("Age", "Suspects"),
            (("Under 18", "5"), ("18 and over", "22"), ("Age not known", "8"), ("Total", "35")),
        ),
        QuestionKind(
            "linked",
            "How many are linked to another offence",
            "A row for each code, of the records that are linked to it.",
            (QuestionField("codes", "codes", "Codes of the linked offences"),),
            ("Linked offence", "Records"),
            (("Possessing images (86/2)", "6"), ("Not linked to these", "46")),
        ),
        QuestionKind(
            "list",
            "A list of records by their fields",
            "A line for each combination, with how many records share it, or their texts too.",
            (QuestionField("fields", "fields", "Fields of a line, one a line, such as month"),),
            ("Offence", "Month", "Records"),
            (("Stalking (8Q)", "May 2017", "2"), ("Stalking (8Q)", "June 2017", "5")),
        ),
    )
}

#: The kinds whose lines are no parts of a total.
KINDS_WITHOUT_SHARES: Final = ("list",)

#: What a question may be changed into: a kind, or a part of the letter without figures.
ALL_KINDS: Final = {kind.name: kind.label for kind in QUESTION_KINDS.values()} | {
    "": "No figures: say why"
}

#: What a number is a share of, by the value of the key.
SHARE_NAMES: Final = {
    "": "None",
    "true": "Of the total of its column",
    "row": "Of the total of its row",
}

#: What the fields to count by are called. A category of the force is called by its own name.
FIELD_NAMES: Final = {
    "day": "day",
    "month": "month",
    "quarter": "quarter",
    "calendar_year": "calendar year",
    "financial_year": "financial year",
    "offence": "offence code",
    "offence_row": "row of offences of this request",
    "offence_group": "offence group",
    "status": "status",
    "outcome": "outcome",
    "sex": "sex of the victim",
}

#: What a side of a table may be beside a field, by the key of the request.
SIDE_NAMES: Final = {
    "keywords": "words, as below",
    "bands": "ages of victims, as below",
    "periods": "periods, as below",
}

#: What a table may be made for each of, beside a field.
EACH_NAMES: Final = {
    "": "No: one table",
    "keywords": "word, as below",
    "periods": "period, as below",
}

#: What a table counts, by the value of the key.
COUNT_NAMES: Final = {
    "": "Records; victims where sex or ages are asked",
    "offences": "Offences, of which one person fits",
    "victims": "Victims",
    "suspects": "Suspects",
}
