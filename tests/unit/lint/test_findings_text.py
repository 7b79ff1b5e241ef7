"""What a wording check prints: each term and each form once, and cautions that need no index."""

from __future__ import annotations

from datetime import UTC, datetime

from queries.answer.types import SpellingCount
from queries.lint.findings import (
    SampleCoverage,
    TermCheck,
    WordingAnnex,
    WordingCheck,
    format_request_outline,
    format_wording_check,
    make_lint_report,
)
from queries.request.reader import parse_request


def check_term(term: str, place: str, records: int, *forms: tuple[str, int]) -> TermCheck:
    return TermCheck(
        term=term,
        places=(place,),
        records=records,
        in_index=None,
        near_misses=(),
        more_near_misses=0,
        coverage=SampleCoverage(0, 0, 0, 0),
        unintended=tuple(SpellingCount(form, count) for form, count in forms),
        everyday=False,
        contexts=(),
        suggestions=(),
    )


def test_a_term_of_two_places_and_plain_spaced_forms_are_said_once() -> None:
    check = WordingCheck(
        generation="crimes-1",
        built_at=datetime(2026, 1, 2, tzinfo=UTC),
        records=20,
        in_scope=10,
        offences_without_records=(),
        terms=(
            check_term("e-scooter", "mentions", 335),
            check_term("e-scooter", "Q1", 335),
            check_term("Snapchat", "mentions", 9, ("snap chat", 2)),
            check_term("Snapchat", "Q1", 9, ("snap chat", 2)),
            check_term("TikTok", "Q1", 7, ("tik tok", 3)),
            check_term("WeChat", "Q1", 5, ("we chat", 1)),
        ),
        annex=WordingAnnex(()),
    )
    text = format_wording_check(check)
    assert "As written, with no near miss: e-scooter 335, Snapchat 9, TikTok 7." in text
    assert text.count("perhaps not intended") == 1
    assert "we chat 1: counted, and perhaps not intended" in text
    assert "Counted as well, written with a space: snap chat 2, tik tok 3." in " ".join(
        text.split()
    )


def test_a_criterion_is_a_caution_before_anything_is_counted() -> None:
    request = parse_request(
        "reference: R\ntitle: T\nquestions: [{id: Q1, kind: offences}]\n"
        "review: [{number: Q1, criterion: it was used}]\n"
    )
    outline = " ".join(format_request_outline(request, "request.yaml").split())
    assert "review: says when a record of Q1 is relevant." in outline
    (caution,) = make_lint_report(request, "request.yaml", None).cautions
    assert "the letter says that the records were not read" in caution
