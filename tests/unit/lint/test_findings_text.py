"""What a wording check prints: each term and each form once, and cautions that need no index."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from queries.answer.types import SpellingCount
from queries.lint.findings import (
    NearMiss,
    SampleCoverage,
    TermCheck,
    WordingAnnex,
    WordingCheck,
    WordingSuggestion,
    format_request_outline,
    format_wording_check,
    make_lint_report,
)
from queries.request.reader import parse_request
from queries.spec.term_spec import TermSpec
from queries.spec.yaml_text import parse_yaml


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
        wording=TermSpec(term),
    )


def write_check(*terms: TermCheck) -> str:
    check = WordingCheck(
        generation="crimes-1",
        built_at=datetime(2026, 1, 2, tzinfo=UTC),
        records=20,
        in_scope=10,
        offences_without_records=(),
        terms=terms,
        annex=WordingAnnex(()),
    )
    return format_wording_check(check)


def test_a_term_of_two_places_and_plain_spaced_forms_are_said_once() -> None:
    text = write_check(
        check_term("e-scooter", "mentions", 335),
        check_term("e-scooter", "Q1", 335),
        check_term("Snapchat", "mentions", 9, ("snap chat", 2)),
        check_term("Snapchat", "Q1", 9, ("snap chat", 1)),
        check_term("TikTok", "Q1", 7, ("tik tok", 3)),
        check_term("WeChat", "Q1", 5, ("we chat", 1)),
    )
    assert "As written, with no near miss: e-scooter 335, Snapchat 9, TikTok 7." in text
    assert text.count("perhaps not intended") == 1
    assert "we chat 1: counted, and perhaps not intended" in text
    assert "Counted as well, written with a space: snap chat 2, tik tok 3." in " ".join(
        text.split()
    )


SPECS = [
    "{term: Snapchat, with: [live stream]}",
    "{term: Snapchat, variants: none, aliases: [snap, face book], with: [{term: live stream, within: 5}, o'clock]}",
    "{term: 'M&S'}",
]


@pytest.mark.parametrize("written", SPECS)
@pytest.mark.parametrize("kind", ["alias", "with"])
def test_a_suggested_line_is_the_whole_term_and_can_be_pasted(written: str, kind: str) -> None:
    (spec,) = msgspec.convert(parse_yaml(f"[{written}]", "x").value, list[TermSpec], strict=False)
    finding = msgspec.structs.replace(
        check_term("x", "Q1", 5),
        wording=spec,
        suggestions=(WordingSuggestion(kind, "o'neil", 9),),
    )
    (line,) = [line for line in write_check(finding).split("\n") if "{term" in line]
    pasted = line[line.index("{") : line.rindex("}") + 1]
    request = parse_request(
        "reference: R\ntitle: T\nquestions: [{id: Q1, kind: offences}]\n"
        f"mentions: [{pasted}, {written}]\n"
    )
    changed, original = request.scope.mentions
    names = [term.written for term in changed.aliases]
    required = [entry.words for entry in changed.cooccurrences]
    assert (changed.term, changed.exact) == (original.term, original.exact)
    old_names = [term.written for term in original.aliases]
    old_required = [entry.words for entry in original.cooccurrences]
    added = ("o'neil",) if kind == "alias" else ()
    assert names == [*old_names, *added]
    added = () if kind == "alias" else ('"o\'neil"',)
    assert required == [*old_required, *added]


def test_near_misses_of_a_required_term_are_under_its_own_heading() -> None:
    spec = TermSpec("Snapchat", cooccurrences=("live stream",))
    main = msgspec.structs.replace(check_term("x", "Q1", 5), wording=spec)
    quiet = msgspec.structs.replace(main, required="live stream")
    miss = NearMiss("live streams", "another ending", 4, 3)
    text = write_check(main, quiet, msgspec.structs.replace(quiet, near_misses=(miss,)))
    assert text.split("\n")[-5:] == [
        '"live stream", required with "Snapchat" (Q1): 5 records',
        "  near miss  live streams 4 (another ending): not what is required, not counted; would add 3",
        "",
        "As written, with no near miss: x 5.",
        "",
    ]
    assert text.count("required with") == 1


@pytest.mark.parametrize(
    ("where", "people"),
    [
        ("{victim: {age: {to: 17}}}", ["victim"]),
        ("{suspect: {age: {to: 17}, sex: [M]}}", ["suspect"]),
        ("{victim: {sex: [F]}}", []),
    ],
)
def test_that_no_unknown_age_is_within_an_age_is_a_caution(where: str, people: list[str]) -> None:
    """An age that the source gives as a range, such as 10-15, is unknown. It is said once."""
    request = parse_request(
        "reference: R\ntitle: T\nquestions: [{id: Q1, kind: offences}, {id: Q2, kind: offences, "
        f"within: {{where: {where}}}}}]\nwhere: {where}\n"
    )
    cautions = make_lint_report(request, "request.yaml", None).cautions
    assert [caution.split(".")[0] for caution in cautions] == [
        f"where: chooses offences by the age of a {person}" for person in people
    ]
    assert all("unknown age meets no age" in caution for caution in cautions)


@pytest.mark.parametrize(
    ("term", "script"),
    [
        ("ไลน์", "Thai"),
        ("ໄລນ໌", "Lao"),
        ("ឡាញ", "Khmer"),
        ("လိုင်း", "Burmese"),
        ("ライン", "katakana"),
        ("카카오톡", "Korean"),
        ("微信", None),
        ("らいん", None),
        ("Café", None),
        ("Λάιν", None),
    ],
)
def test_a_term_that_no_longer_text_is_searched_for_is_a_caution(
    term: str, script: str | None
) -> None:
    """The tokenizer of the index takes what stands between two spaces for one word in these."""
    for place in (f"mentions: [{term}]", f"mentions: [{{term: x, aliases: [{term}]}}]"):
        request = parse_request(
            f"reference: R\ntitle: T\nquestions: [{{id: Q1, kind: offences}}]\n{place}\n"
        )
        cautions = make_lint_report(request, "request.yaml", None).cautions
        assert [caution.split(".")[0] for caution in cautions] == (
            [f'"{term}" is {script}'] if script else []
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
