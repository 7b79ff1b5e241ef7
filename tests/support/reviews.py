"""Reviews made by arithmetic: the records drawn, and decisions on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction

from queries.answer.types import (
    Answer,
    Column,
    Provenance,
    QuestionAnswer,
    Relation,
    Row,
    ScopeAnswer,
    SpellingCount,
    Table,
    TermAnswer,
)
from queries.review.draw import draw_stratum
from queries.review.result import ReviewResult
from queries.review.summary import summarise_review
from queries.review.types import Decision, DrawnRecord, Reading, Review, Stratum, Verdict

R, N, U = Verdict.RELEVANT, Verdict.NOT_RELEVANT, Verdict.UNSURE


def make_review(*strata: Stratum, by: str = "", second_share: float = 0.2) -> Review:
    """A review of Q1:total; of one stratum of 1,144 records and 360 read, unless others are named."""
    return Review(
        name="contact",
        request_reference="FOI2018/03922",
        request_hash="0" * 64,
        number="Q1:total",
        criterion="the app was used to make contact",
        seed="a seed",
        generation="crimes-20260101-000000",
        confidence=0.95,
        second_share=second_share,
        strata=strata or (Stratum("", 1_144, 360),),
        by=by,
    )


def draw_records(review: Review) -> list[DrawnRecord]:
    """The records of a review; those of a stratum are called by its name and a number."""
    records: list[DrawnRecord] = []
    for stratum in review.strata:
        references = [f"{stratum.name or 'SYN'}-{n:05}" for n in range(stratum.population)]
        hashes = {reference: f"hash of {reference}" for reference in references}
        share = Fraction(str(review.second_share))
        records += draw_stratum(references, hashes, stratum, review.seed, share)
    return records


def decide(
    record: DrawnRecord,
    verdict: Verdict,
    reading: Reading = Reading.FIRST,
    reviewer: str = "",
    content_hash: str = "",
) -> Decision:
    """A decision on a record; each reading is by a person of its own, unless one is named."""
    return Decision(
        reference=record.reference,
        reading=reading,
        verdict=verdict,
        reviewer=reviewer or f"reviewer {reading}",
        decided_at="2026-01-02T03:04:05Z",
        content_hash=content_hash or record.content_hash,
    )


def decide_first(records: Iterable[DrawnRecord], relevant: int) -> list[Decision]:
    """First readings of all records: the first ``relevant`` are relevant, the others not."""
    return [decide(record, R if index < relevant else N) for index, record in enumerate(records)]


def decide_strata(records: Iterable[DrawnRecord], relevant: Mapping[str, int]) -> list[Decision]:
    """First readings of all records: so many of each stratum are relevant."""
    return [
        decide(record, R if record.position <= relevant[record.stratum] else N)
        for record in records
    ]


def count_answer(violence: int = 800, theft: int = 344) -> Answer:
    """An answer of one question by offence, to a request for one term."""
    total = violence + theft
    rows = (
        Row("0", "Violence", (violence,), codes=("8N",), means=("offence:8N",)),
        Row("1", "Theft", (theft,), codes=("49",), means=("offence:49",)),
    )
    table = Table(
        "Offence",
        (Column("offences", "Offences"),),
        rows,
        Row("total", "All offences asked about", (total,), "total"),
        relations=(Relation("sum", "total", ("0", "1")),),
    )
    means = ("term:snapchat",)
    letter = {"to": "Dear requester", "received": "2018-07-12", "asked": "", "clarified": ""}
    return Answer(
        reference="FOI/1",
        title="Messages",
        request={"letter": letter},
        scope=ScopeAnswer(
            records=total,
            left_out={},
            period_from=date(2017, 4, 1),
            period_to=date(2018, 3, 31),
            offences=rows,
            terms=(TermAnswer(("Snapchat",), total, (SpellingCount("snapchat", total),), means=means),),
        ),
        questions=(QuestionAnswer("Q1", "offences", "How many?", table),),
        provenance=Provenance("crimes-20260101-000000", datetime(2026, 1, 1, 3, tzinfo=UTC), None, 20_000, 0, ("crimes.jsonl",), "ab" * 32, "cd" * 32, {"query": {}}, datetime(2026, 1, 2, 9, 30, tzinfo=UTC), 8, "0.1.0"),
    )  # fmt: skip


def review_simply(relevant: int = 180, sample: int = 360, population: int = 1_144) -> ReviewResult:
    """A review of a simple random sample: the first so many are relevant. A fifth is read twice,
    and every twentieth of these differently."""
    review = make_review(Stratum("", population, sample))
    drawn = draw_records(review)
    decisions = decide_first(drawn, relevant)
    verdicts = {decision.reference: decision.verdict for decision in decisions}
    twice = [record for record in drawn if record.second_reading]
    for place, record in enumerate(twice):
        verdict = verdicts[record.reference]
        decisions.append(decide(record, verdict, Reading.SECOND))
        if place % 20 == 19:
            other = N if verdict is R else R
            decisions[-1] = decide(record, other, Reading.SECOND)
            decisions.append(decide(record, verdict, Reading.SETTLING))
    return summarise_review(review, drawn, decisions)


def review_by_offence(violence: int, theft: int) -> ReviewResult:
    """A review by offence: 250 of 800 and 110 of 344 are read, so many are relevant."""
    review = make_review(Stratum("8N", 800, 250), Stratum("49", 344, 110), by="offence")
    drawn = draw_records(review)
    decisions = decide_strata(drawn, {"8N": violence, "49": theft})
    return summarise_review(review, drawn, decisions)
