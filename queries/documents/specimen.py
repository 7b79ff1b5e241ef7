"""A made-up answer and request that give every template something to print.

They are for checking templates. No number is of any record.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from indexer.config.model import ForceSettings
from queries.answer.types import (
    Answer,
    Column,
    Disclosure,
    NotedSum,
    Provenance,
    QuestionAnswer,
    ReadingLimit,
    Row,
    ScopeAnswer,
    SpellingCount,
    Table,
    TermAnswer,
    UncoveredPart,
)
from queries.request.letter_spec import ExtensionSpec, LetterSpec, ReviewSpec, SectionSpec
from queries.request.reader import Request
from queries.spec.act import load_acts

_MOMENT: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)

_WORDS: Final = {
    "reason": "A specimen reason for relying on this section.",
    "public_interest": "A specimen of weighing the public interest.",
    "where": "www.example.org/specimen",
}


def build_specimen_answer(force: ForceSettings, *, refused: bool = False) -> Answer:
    """An answer with tables, notes, a part without figures, and each section of the force's Act.

    If ``refused``, it has no figures.
    """
    act = load_acts()[force.act]
    sections = tuple(
        SectionSpec(
            section=name,
            reason=_WORDS["reason"] if "reason" in section.needs else "",
            public_interest=_WORDS["public_interest"] if "public_interest" in section.needs else "",
            location=_WORDS["where"] if "where" in section.needs else "",
        )
        for name, section in act.sections.items()
    )
    letter = LetterSpec(
        to="Dear specimen requester",
        received=date(2026, 1, 2),
        request_text="A specimen of the request, in two paragraphs.\n\nThe second paragraph.",
        clarified="A specimen of the clarification.",
        sections=sections,
    )
    part = UncoveredPart("3c)", "A part without figures?", "A specimen: we do not hold this.", 2)
    return Answer(
        reference="SPECIMEN/1",
        title="A specimen request",
        request={"letter": msgspec.to_builtins(letter)},
        scope=ScopeAnswer(
            records=7_321,
            left_out={"cancelled": 17},
            period_from=date(2025, 4, 1),
            period_to=date(2026, 3, 31),
            offences=(Row("0", "Specimen offence", (7_321,), codes=("22B",)),),
            terms=(TermAnswer(("specimen",), 7_321, (SpellingCount("specimen", 7_321),)),),
        ),
        questions=() if refused else _build_questions(),
        provenance=_build_provenance(),
        disclosure=Disclosure(
            threshold=5, rounding=0, youngest="withhold", withheld=0 if refused else 1
        ),
        written_uncovered=(part,),
        reading_limit=ReadingLimit(3, act.limit_hours, date(2026, 1, 1), date(2026, 1, 31)),
    )


def _build_questions() -> tuple[QuestionAnswer, ...]:
    columns = (Column("offences", "Offences"), Column("in_a", "North"), Column("in_b", "South"))
    crossed = Table(
        "Month",
        columns,
        (Row("0", "May", (4_011, 2_011, 2_000)), Row("1", "June", (3_310, None, 3_306))),
        Row("total", "All offences asked about", (7_321, 2_015, 5_306), "total"),
        across="District",
    )
    counted = Table(
        "Keyword",
        (Column("offences", "Offences"),),
        (Row("0", "Alpha", (6_101,)), Row("1", "Beta", (5_102,))),
        Row("total", "All offences asked about", (7_321,), "total"),
    )
    noted = NotedSum(11_203, 7_321)
    return (
        QuestionAnswer(
            "1",
            "cross",
            "How many in each month and district?",
            crossed,
            note="A specimen of a note.",
            not_covered="A specimen of what the figures do not cover.",
        ),
        QuestionAnswer(
            "2b",
            "keywords",
            "Which words are mentioned?",
            counted,
            within="recorded in May",
            notes=(f"The rows {noted.text}, because of the specimen.",),
            sums=(noted,),
        ),
    )


def _build_provenance() -> Provenance:
    hexadecimal = "0" * 64
    return Provenance(
        generation="specimen",
        built_at=_MOMENT,
        watermark=_MOMENT,
        records=90_210,
        rejected=0,
        sources=("specimen.jsonl",),
        mapping_hash=hexadecimal,
        query_hash=hexadecimal,
        query=_NO_QUERY,
        run_at=_MOMENT,
        took_ms=1,
        version="specimen",
    )


_NO_QUERY: Final[dict[str, Any]] = {}


def build_specimen_request(force: ForceSettings) -> Request:
    """A request whose letters of every kind have something to say."""
    act = load_acts()[force.act]
    qualified = next(
        name for name, section in act.sections.items() if "public_interest" in section.needs
    )
    return Request(
        reference="SPECIMEN/1",
        title="A specimen request",
        questions=(),
        act=force.act,
        letter=LetterSpec(
            to="Dear specimen requester",
            received=date(2026, 1, 2),
            request_text="A specimen of the request.",
            clarification="A specimen of what we ask.",
            extension=ExtensionSpec((qualified,), "A specimen of why it takes longer."),
            review=ReviewSpec(date(2026, 2, 2), "part", "A specimen of what the review found."),
        ),
    )
