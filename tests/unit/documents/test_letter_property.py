"""Over random answers: no letter holds a bare word, an unfilled field or a number of its own."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.answer.types import (
    NOT_COVERED,
    Answer,
    Column,
    Disclosure,
    NotedSum,
    QuestionAnswer,
    ReadingLimit,
    Row,
    Table,
    UncoveredPart,
)
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.number_check import extract_plain_text
from queries.documents.formats.letter import render_letter_text
from queries.documents.formats.report import render_report_text
from queries.spec.act import load_acts
from queries.tables.period import Period
from queries.tables.period_columns import merge_period_columns
from tests.support.answers import FORCE, sample_answer
from tests.support.examples import examples
from tests.support.letters import LIMIT, SECTIONS

DAY = date(2018, 8, 15)

YEARS = (
    Period(date(2017, 1, 1), date(2017, 12, 31), "2017"),
    Period(date(2018, 1, 1), date(2018, 12, 31), "2018"),
)

NAMES = ("Snapchat", "Skype", "Omegle", "Discord", "Steam", "Twitch", "Yubo", "Tumblr")

COUNTS = st.one_of(st.sampled_from([0, 1, 2, None, NOT_COVERED]), st.integers(0, 5_000))

#: What no prose may hold, each with why.
FAULTS: Final = {
    r"\b(?:None(?! of\b)|nan|NaN|Undefined|True|False)\b": "a value of the program",
    r"\{\{|\}\}|\{%|\[force\.": "a field that is not filled",
    r"\b[a-z]+_[a-z_]+\b": "a bare identifier",
    r"\b([A-Za-z]+) \1\b": "a doubled word",
    r"\b(?:in|of|from|for|by) (?:in|of|from|for|by|to)\b": "two prepositions",
    r"\b(?:[Oo]ne|1) (?:offences|victims|records|hours|minutes|figures)\b": "a plural of one",
    r"\b(?:[Nn]o|[Tt]wo|[Tt]hree|\d\d+) (?:offence|victim|record|hour|minute)\b(?!')": "a singular",
    r"\b[Oo]ne (?:offence|victim|record)s? (?:are|mention)\b": "a plural verb of one",
    r"(?<!of the )(?<!number of )\b(?:offences|victims|records) (?:is|mentions|was)\b": "a singular verb of many",
    r"\bwithheld number of\b": "a withheld number as a quantity",
    r" [,.;]|\.\.|,,|\(\)|  ": "punctuation that stands alone",
}


def make_rows(draw: st.DrawFn, columns: int) -> tuple[Row, ...]:
    labels = draw(st.lists(st.sampled_from(NAMES), max_size=8, unique=True))
    rows = [
        Row(str(n), label, tuple(draw(COUNTS) for _ in range(columns)), codes=("86/2",))
        for n, label in enumerate(labels)
    ]
    rows += [Row("none", "None of these", (draw(COUNTS),) * columns, "none")] * draw(st.booleans())
    return tuple(rows)


@st.composite
def questions(draw: st.DrawFn, number: int) -> QuestionAnswer:
    kind = draw(
        st.sampled_from(
            ["by", "cross", "keywords", "linked", "offences", "overlap", "victims", "new"]
        )
    )
    unit = "Victims" if kind == "victims" else "Offences"
    columns = (Column(unit.lower(), unit), *((Column("in_a", "North"),) if kind == "cross" else ()))
    total = Row("total", "All", tuple(draw(COUNTS) for _ in columns), "total")
    table = Table(
        "Month",
        columns,
        make_rows(draw, len(columns)),
        total,
        across="Sex" if len(columns) > 1 else "",
    )
    whole = total.counts[0] if isinstance(total.counts[0], int) else 7
    some = st.sampled_from([None, whole, min(1, whole)])
    every_fact: dict[str, dict[str, Any]] = {
        "linked": {"linked": draw(some)},
        "overlap": {"any": draw(some), "several": draw(st.sampled_from([None, 0, min(1, whole)]))},
        "victims": {"youngest": draw(st.sampled_from([None, 0, 1, 15, "[c]", "12 to 15"]))},
    }
    if not any(row.kind == "asked" and row.counts[0] not in (0, NOT_COVERED) for row in table.rows):
        every_fact["linked"] = {"linked": 0}
    sums = (NotedSum(7_001, 5_001),) * draw(st.integers(0, 2))
    question = QuestionAnswer(
        id=draw(st.sampled_from([f"Q{number}", str(number), f"{number})", f"({number})"])),
        kind=kind,
        text=draw(st.sampled_from(["", "How many?"])),
        table=table,
        facts=every_fact.get(kind, {}),
        notes=tuple(f"The rows {noted.text}, because of overlaps." for noted in sums),
        sums=sums,
        note=draw(st.sampled_from(["", "A note of ours."])),
        not_covered=draw(st.sampled_from(["", "We hold no dates."])),
    )
    if kind in ("by", "offences", "keywords") and draw(st.booleans()):
        return merge_period_columns(question, (question, question), YEARS)
    return question


@st.composite
def answers(draw: st.DrawFn) -> tuple[Answer, str]:
    """An answer with any parts and sections, and the act."""
    act = draw(st.sampled_from(["uk", "scotland"]))
    count = draw(st.integers(0, 3))
    asked = tuple(draw(questions(number)) for number in range(1, count + 1))
    uncovered = tuple(
        UncoveredPart(f"{9 - n}", draw(st.sampled_from(["", "Which?"])), draw(st.sampled_from(["", "Not held."])), n)
        for n in range(draw(st.integers(0 if count else 1, 2)))
    )  # fmt: skip
    names = draw(st.lists(st.sampled_from([*SECTIONS]), unique=True, max_size=3))
    ids = [part.id for part in uncovered]
    sections = [
        {"section": name, "parts": draw(st.sampled_from([[], ids])), **SECTIONS[name]}
        for name in names
        or (["cost_limit"] if any(not part.not_covered for part in uncovered) else [])
    ]
    base = sample_answer(draw(st.sampled_from([0, 1, 370, 1234])))
    published = Disclosure(5, 0, "withhold", 1) if draw(st.booleans()) else None
    hours = load_acts()[act].limit_hours
    return msgspec.structs.replace(
        base,
        request={"letter": {**base.request["letter"], "sections": sections}},
        questions=asked,
        written_uncovered=uncovered,
        disclosure=published,
        reading_limit=msgspec.structs.replace(LIMIT, limit_hours=hours)
        if any(section["section"] == "cost_limit" for section in sections)
        else msgspec.UNSET,
    ), act


def list_numbers(value: object) -> set[int]:
    """Every number of an answer or a setting, and how many rows of each kind there are."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    text = text if isinstance(value, str) else text.replace(",", ", ")
    return {int(digits.replace(",", "")) for digits in re.findall(r"\d[\d,]*\d|\d", text)}


def list_allowed_numbers(answer: Answer, act: str) -> set[int]:
    force = msgspec.structs.replace(FORCE, act=act)
    numbers = list_numbers(answer) | list_numbers(force) | list_numbers(load_acts()[act])
    numbers |= {DAY.day, DAY.year, *range(10)}
    numbers |= {len(question.table.rows) for question in answer.questions}
    records = answer.scope.records
    if isinstance(answer.reading_limit, ReadingLimit) and isinstance(records, int):
        hours = answer.reading_limit.hours(records)
        numbers |= {
            answer.reading_limit.max_records,
            round(hours),
            int(hours),
            int(hours * 10) % 10,
        }
    return numbers


@given(answers())
@settings(max_examples=examples(40))
def test_no_letter_holds_what_a_person_would_not_write(drawn: tuple[Answer, str]) -> None:
    answer, act = drawn
    force = msgspec.structs.replace(FORCE, act=act)
    context = build_document_context(answer, DocumentSettings(force, DAY, None, 5))
    for render in (render_letter_text, render_report_text):
        prose = [" ".join(part.split()) for part in extract_plain_text(render(context)).prose]
        for paragraph in prose:
            # Provenance, lists of small numbers and labels of the requester are not sentences.
            sentences = re.sub(r" ?\([^)]*[^0-9)][^)]*\)", "", paragraph).replace(
                "None of these", ""
            )
            sentences = re.sub(r"One of the [\w, ]*?offences\b", "That offence", sentences)
            if sentences.startswith(("generation", "FOI/1", "scope, ")) or re.fullmatch(
                r"\S+ .{0,40}", sentences
            ):
                continue
            for pattern, fault in FAULTS.items():
                assert not re.search(pattern, sentences), (fault, paragraph)
    allowed = list_allowed_numbers(answer, act)
    letter = render_letter_text(context)
    for paragraph in extract_plain_text(letter).prose:
        assert list_numbers(paragraph) <= allowed, (list_numbers(paragraph) - allowed, paragraph)
