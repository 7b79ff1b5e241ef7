"""What a letter relies on: sections by number or name, and fields that only the force can fill."""

from __future__ import annotations

import msgspec
import pytest

from indexer.errors import RequestError
from queries.answering.audit_fields import request_fields
from queries.request.reader import Request, parse_request, request_from_answer
from queries.spec.act import ActName, load_acts

HEAD = "reference: R1\ntitle: T\n"

COUNTED = "questions: [{id: 1, kind: offences}]\n"


def read(letter: str, questions: str = "", act: ActName = "uk") -> Request:
    return parse_request(f"{HEAD}{questions}letter: {letter}", "r.yaml", act=act)


@pytest.mark.parametrize(
    ("act", "written", "name"),
    [
        ("uk", "12", "cost_limit"),
        ("uk", "12(1)", "cost_limit"),
        ("uk", "cost_limit", "cost_limit"),
        ("uk", "14", "vexatious"),
        ("uk", "14(2)", "repeated"),
        ("uk", "23(5)", "neither_confirm_nor_deny"),
        ("uk", "30(1)(a)(i)", "investigations"),
        ("uk", "31(1)(a) and (b)", "law_enforcement"),
        ("uk", "40(2)", "personal_data"),
        ("uk", "30(3)", "deny_investigations"),
        ("uk", "31(3)", "deny_law_enforcement"),
        ("uk", "40(5B)(a)(i)", "deny_personal_data"),
        ("uk", "31", "law_enforcement"),
        ("uk", "section 12(1)", "cost_limit"),
        ("uk", "s.31(1)(a)", "law_enforcement"),
        ("uk", "neither confirm nor deny", "neither_confirm_nor_deny"),
        ("uk", "23(1)", None),
        ("uk", "30(2)(b)", None),
        ("uk", "40(5)", None),
        ("uk", "14(3)", None),
        ("uk", "99", None),
        ("uk", "1", None),
        ("scotland", "12", "cost_limit"),
        ("scotland", "18", "neither_confirm_nor_deny"),
        ("scotland", "38(1)(b)", "personal_data"),
        ("scotland", "23(5)", None),
    ],
)
def test_a_section_is_known_by_its_number_and_its_name(
    act: ActName, written: str, name: str | None
) -> None:
    assert load_acts()[act].find_section(written) == name


def test_a_letter_cites_a_section_without_the_word_before_its_number() -> None:
    act = load_acts()["uk"]
    assert act.cite_section("Section 31(1)(a)") == "31(1)(a)"
    assert act.cite_section("s12") == "12(1)"


def test_a_section_without_a_text_is_reported_once_with_what_to_do() -> None:
    with pytest.raises(RequestError) as refused:
        read('{sections: [{section: "24"}]}')
    (line,) = str(refused.value).splitlines()
    assert 'no standard text for section "24"' in line
    assert "write your own words under not_covered: of the part." in line


def test_both_acts_have_a_text_for_the_same_things() -> None:
    uk, scotland = (load_acts()[name] for name in ("uk", "scotland"))
    # Section 18 of the Scottish act is for all information that would be exempt.
    denials = {name for name in uk.sections if name.startswith("deny_")}
    assert set(uk.sections) - denials == set(scotland.sections)


def test_a_section_that_neither_confirms_nor_denies_is_called_so() -> None:
    for act in load_acts().values():
        for name, section in act.sections.items():
            is_called_so = section.title.startswith("neither confirming nor denying")
            assert section.denies is is_called_so, name


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ("{section: 14}", "reason"),
        ("{section: 16}", "reason"),
        ("{section: 21}", "where"),
        ("{section: 30}", "public_interest"),
        ("{section: 31, reason: x}", "public_interest"),
        ("{section: 31, public_interest: x}", "reason"),
        ('{section: 30, public_interest: " "}', "public_interest"),
    ],
)
def test_what_only_the_force_can_say_is_asked_for_and_never_invented(
    section: str, field: str
) -> None:
    with pytest.raises(RequestError, match=rf':3: section .* needs "{field}"'):
        read(f"{{sections: [{section}]}}")


@pytest.mark.parametrize(
    ("letter", "questions", "message"),
    [
        ("{sections: [{section: 99}]}", "", 'no standard text for section "99"'),
        ("{sections: [{section: cost_limt}]}", "", 'Did you mean "cost_limit"?'),
        ("{sections: [{section: 12, parts: [2]}]}", COUNTED, 'there is no part "2"'),
        ("{sections: [{section: 12}, {section: 12}]}", "", "stands twice"),
        ("{sections: [{section: 12, reasn: x}]}", "", 'Did you mean "reason"?'),
        ("{sections: [{section: 12, minutes: 0}]}", "", '"minutes"'),
        ("{outcome: answered, sections: [{section: 12}]}", "", "Write part or refused."),
        ("{outcome: part, sections: [{section: 12}]}", "", "Write refused."),
        ("{outcome: refused, sections: [{section: 12}]}", COUNTED, "Write part."),
        ("{outcome: part}", COUNTED, "nothing says what is not answered"),
        ("{outcome: refusd, sections: [{section: 12}]}", "", "answered or part or refused"),
        ("{to: A}", "", 'lacks "questions", and no section'),
        ("{sections: [{section: 16, reason: x}]}", "", 'lacks "questions", and no section'),
        ("{to: A}", "questions: []\n", 'lacks "questions", and no section'),
    ],
)
def test_what_is_wrong_with_a_letter_is_said_with_its_line(
    letter: str, questions: str, message: str
) -> None:
    with pytest.raises(RequestError) as refused:
        read(letter, questions)
    assert message in str(refused.value)
    assert str(refused.value).startswith("r.yaml:")


def test_a_refusal_alone_is_a_request() -> None:
    request = read("{outcome: refused, sections: [{section: 12, minutes: 2.5}]}")
    assert (request.questions, request.uncovered) == ((), ())
    assert request.reading_cost is not None
    assert request.reading_cost.max_records == 18 * 60 / 2.5
    assert request_from_answer(msgspec.to_builtins(request)) == request


def test_a_refusal_that_an_answer_holds_has_the_hash_of_its_request() -> None:
    request = read("{outcome: refused, sections: [{section: 12}]}")
    saved = msgspec.json.decode(msgspec.json.encode(request))
    assert request_fields(request_from_answer(saved)) == request_fields(request)


def test_a_part_that_a_section_is_about_needs_no_words_of_its_own() -> None:
    questions = "questions: [{id: 1, kind: offences}, {id: 2, text: 'Which?'}]\n"
    for sections in ("[]", "[{section: 40, parts: [1]}]", "[{section: 16, reason: Ask us.}]"):
        with pytest.raises(
            RequestError, match=r'lacks "kind".*not_covered:, or name its id under parts'
        ):
            read(f"{{sections: {sections}}}", questions)
    for section in ("{section: 40, parts: [2]}", "{section: 40}"):
        request = read(f"{{sections: [{section}]}}", questions)
        assert [(part.id, part.not_covered) for part in request.uncovered] == [("2", "")], section


def test_the_limit_is_that_of_the_act() -> None:
    limits = {act: read("{sections: [{section: 12}]}", act=act) for act in ("uk", "scotland")}
    hours = {act: cost.limit for act, request in limits.items() if (cost := request.reading_cost)}
    assert hours == {"uk": 18, "scotland": 40}


@pytest.mark.parametrize(
    "letter",
    [
        "{received: 9999-12-30}",
        "{received: 2018-07-12, clarified: 9999-12-31}",
        "{received: 2018-07-12, clarified_on: 3000-01-01}",
        "{received: 2018-07-12, extension: {sections: [31], reason: x, until: 9999-12-31}}",
        "{review: {received: 9999-12-31, outcome: upheld, reasons: x}}",
    ],
)
def test_a_day_with_no_days_after_it_is_one_message(letter: str) -> None:
    """The last day for the answer is so many working days later."""
    with pytest.raises(RequestError, match=r"is after 2999-12-31\. Correct the year\."):
        read(letter, COUNTED)
    assert read("{received: 2999-12-31}", COUNTED).letter.received
