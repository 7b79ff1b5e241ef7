"""A new request as a form: what its fields hold, what is wrong with them, and the file they make.

The form covers what most letters ask. Everything else can be written into the file afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import yaml

from queries.documents.document_set import slugify_reference

#: The fields of the form, each empty at first.
FIELDS: Final = (
    "reference",
    "title",
    "to",
    "received",
    "from",
    "until",
    "terms",
    "codes",
    "keywords",
    "bands",
)

#: The box of a letter without figures.
NO_FIGURES: Final = "no_figures"

#: What can be counted, by the name of its box.
TABLES: Final = {
    "by_offence": "a table of the offences",
    "by_month": "a table of the months",
    "by_outcome": "a table of the outcomes",
    "youngest": "the age of the youngest victim",
    NO_FIGURES: "nothing: the letter gives no figures, because all of it is refused",
}

_BAND: Final = re.compile(
    r"(?:(\d{1,3})\s*(?:-|to)\s*(\d{1,3})|(under|over)\s+(\d{1,3}))", re.IGNORECASE
)


def read_form(values: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The request that the fields of a form describe, and what is wrong, by field."""
    problems: dict[str, str] = {}
    text = {name: values.get(name, "").strip() for name in FIELDS}
    for name, words in (("reference", "reference"), ("title", "subject")):
        if not text[name]:
            problems[name] = f"Enter the {words} of the request"
    days = {
        name: _read_day(name, text[name], problems)
        for name in ("received", "from", "until")
        if text[name]
    }
    if ("from" in days) != ("until" in days):
        problems["until" if "from" in days else "from"] = "Enter both days of the period"
    start, end = days.get("from"), days.get("until")
    if start and end and end < start:
        problems["until"] = "The last day must not be before the first"
    bands = _read_bands(text["bands"], problems)
    request: dict[str, Any] = {"reference": text["reference"], "title": text["title"]}
    if start and end:
        request["period"] = {"from": start, "to": end}
    if terms := _split_lines(text["terms"]):
        request["mentions"] = terms
    if codes := [line.split(" - ")[0].strip() for line in _split_lines(text["codes"])]:
        request["offences"] = [{"codes": [code]} for code in codes]
    letter = {"to": text["to"], "received": days.get("received")}
    if any(letter.values()):
        request["letter"] = {name: value for name, value in letter.items() if value}
    questions = _list_questions(values, _split_lines(text["keywords"]), bands)
    if not questions and not values.get(NO_FIGURES):
        problems["by_offence"] = "Choose at least one thing to count"
    return request | ({"questions": questions} if questions else {}), problems


def format_request(request: Mapping[str, Any]) -> str:
    """A request as the text of its file."""
    return yaml.safe_dump(dict(request), sort_keys=False, allow_unicode=True, width=100)


def name_request_file(reference: str) -> str:
    """The name of the file of a request."""
    return f"{slugify_reference(reference)}.yaml"


def _read_day(name: str, text: str, problems: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems[name] = "Enter a day, such as 2018-07-31"
        return None


def _split_lines(text: str) -> list[str]:
    return [line for line in (line.strip() for line in text.splitlines()) if line]


def _read_bands(text: str, problems: dict[str, str]) -> list[dict[str, int]]:
    bands = []
    for line in _split_lines(text.replace(",", "\n")):
        match = _BAND.fullmatch(line)
        if match is None:
            problems["bands"] = "Enter age bands such as 0 to 11, under 18 or over 64, one a line"
            return []
        low, high, side, limit = match.groups()
        if side is None:
            bands.append({"from": int(low), "to": int(high)})
        elif side.lower() == "under":
            bands.append({"to": int(limit) - 1})
        else:
            bands.append({"from": int(limit) + 1})
    return bands


def _list_questions(
    values: Mapping[str, str], keywords: list[str], bands: list[dict[str, int]]
) -> list[dict[str, Any]]:
    questions: list[dict[str, Any]] = []
    if values.get("by_offence"):
        questions.append({"kind": "offences"})
    if keywords:
        questions.append({"kind": "keywords", "keywords": keywords})
    if values.get("by_month"):
        questions.append({"kind": "by", "by": "month"})
    if values.get("by_outcome"):
        questions.append({"kind": "by", "by": "outcome"})
    if bands or values.get("youngest"):
        people: dict[str, Any] = {"kind": "victims"}
        if bands:
            people["bands"] = bands
        if values.get("youngest"):
            people["youngest"] = True
        questions.append(people)
    return [{"id": f"Q{number}", **question} for number, question in enumerate(questions, 1)]
