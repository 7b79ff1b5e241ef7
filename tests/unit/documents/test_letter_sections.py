"""A refusal says what section 17 asks, in every document and under either act."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from indexer.config.model import CommissionerSettings, ForceSettings
from indexer.errors import ConfigurationError
from queries.answer.types import Disclosure, ReadingLimit
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.document_set import render_documents
from queries.documents.formats.letter import render_letter_text
from tests.support.answers import FORCE, sample_answer
from tests.support.documents import extract_text
from tests.support.letters import SECTIONS, make_refusing_answer
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

SCOTTISH = msgspec.structs.replace(FORCE, act="scotland")

NUMBERS = {
    "uk": ("12(1)", "14(1)", "14(2)", "16(1)", "21(1)", "23(5)", "30(1)", "31(1)", "40(2)"),
    "scotland": (
        "12(1)",
        "14(1)",
        "14(2)",
        "15(1)",
        "25(1)",
        "18(1)",
        "34(1)",
        "35(1)",
        "38(1)(b)",
    ),
}


def read_letter(force: ForceSettings, *names: str, **options: object) -> str:
    answer = make_refusing_answer(*names, **options)  # type: ignore[arg-type]
    return " ".join(rendered(render_letter_text, answer, force, DAY).split())


@pytest.mark.parametrize("force", [FORCE, SCOTTISH], ids=["uk", "scotland"])
@pytest.mark.parametrize("name", SECTIONS)
def test_a_letter_gives_the_section_the_reasons_and_the_rights(
    force: ForceSettings, name: str
) -> None:
    letter = read_letter(force, name)
    number = NUMBERS[force.act][[*SECTIONS].index(name)]
    assert f"Section {number}: " in letter
    assert letter.count(f"ection {number}") >= 2, "the text cites the section too"
    for field, words in SECTIONS[name].items():
        if field == "public_interest" and (name, force.act) == ("neither_confirm_nor_deny", "uk"):
            assert "Openness" not in letter, "no public interest to weigh"
        elif field != "minutes":
            assert all(" ".join(line.split()) in letter for line in str(words).split("\n") if line)
    assert ("refusal notice" in letter) == (name != "advice")
    assert "review" in letter
    assert "The figures count" not in letter


def test_the_cost_of_reading_is_stated_with_what_would_fit() -> None:
    letter = read_letter(FORCE, "cost_limit")
    for phrase in (
        "We have refused your request. This letter says why.",
        "refusal notice under section 17 of the Freedom of Information Act 2000",
        "The limit for a police force is £450.",
        "at £25 an hour, so the limit is 18 hours of work.",
        'for offences recorded from 1 April 2017 to 31 March 2018, where the record mentions "live',
        "We found 1,234 records.",
        "Reading one record takes about three minutes. Reading them all would take about 62 hours.",
        "advice and help (section 16 of the Act)",
        "Within the limit we could read about 360 records.",
        "The records from 1 January 2018 to 31 March 2018 would fit.",
        "You could ask for one district.",
        "ico.org.uk/concerns, telephone 0303 123 1113",
    ):
        assert phrase in letter, phrase


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("30(3)", "if we held it, would be part of a criminal investigation"),
        ("31(3)", "be likely to harm the work of the police"),
        ("40(5B)(a)(i)", "something about a person"),
    ],
)
def test_a_letter_that_neither_confirms_nor_denies_does_not_say_what_is_held(
    section: str, words: str
) -> None:
    base = make_refusing_answer("law_enforcement")
    (spec,) = base.request["letter"]["sections"]
    denial = {"letter": {**base.request["letter"], "sections": [{**spec, "section": section}]}}
    answer = msgspec.structs.replace(base, request=denial)
    letter = " ".join(rendered(render_letter_text, answer, FORCE, DAY).split())
    assert f"Section {section}: neither confirming nor denying (" in letter
    assert f"Section {section} of the Act lets us do so" in letter
    assert words in letter
    assert "It would show where we do not patrol." in letter
    assert ("section 2(1)(b) of the Act" in letter) == ("40" not in section)
    for wrong in ("We hold", "holding the information back", "must not give"):
        assert wrong not in letter


def test_the_help_with_a_costly_request_uses_the_noun_of_the_force() -> None:
    base = make_refusing_answer("cost_limit")
    limit = ReadingLimit(3, 18, None, None)
    called = {**base.request, "noun": {"singular": "incident", "plural": "incidents"}}
    for request, words in ((base.request, "fewer offences"), (called, "fewer incidents")):
        answer = msgspec.structs.replace(base, request=request, reading_limit=limit)
        letter = " ".join(rendered(render_letter_text, answer, FORCE, DAY).split())
        assert f"You could ask about {words}, fewer words or a shorter time" in letter


@pytest.mark.parametrize(
    ("records", "words"),
    [
        (361, "about 18.1 hours"),
        (370, "about 18.5 hours"),
        (380, "about 19 hours"),
        (40_000, "about 2,000 hours"),
    ],
)
def test_hours_over_the_limit_are_never_rounded_to_it(records: int, words: str) -> None:
    assert words in read_letter(FORCE, "cost_limit", records=records)


def test_a_withheld_number_of_records_is_not_given_as_hours() -> None:
    answer = make_refusing_answer("cost_limit")
    hidden = msgspec.structs.replace(
        answer, scope=msgspec.structs.replace(answer.scope, records=None)
    )
    letter = " ".join(rendered(render_letter_text, hidden, FORCE, DAY).split())
    assert "We found more than 360 records." in letter
    assert "would take more than 18 hours" in letter


def test_the_scottish_act_has_its_own_numbers_limits_and_commissioner() -> None:
    letter = read_letter(SCOTTISH, "cost_limit", "law_enforcement")
    for phrase in (
        "refusal notice under section 16 of the Freedom of Information (Scotland) Act 2002",
        "The limit for a police force is £600.",
        "Section 35(1): law enforcement",
        "section 2(1)(b) of the Act",
        "within 40 working days",
        "Scottish Information Commissioner within six months: www.foi.scot/appeal",
        "01334 464610",
        "Court of Session",
    ):
        assert phrase in letter, phrase
    assert "Act 2000" not in letter
    assert "ico.org.uk" not in letter


def test_a_part_refused_names_its_section_and_the_section_its_part() -> None:
    letter = read_letter(FORCE, "personal_data", parts=("2a",), figures=True)
    assert "We have answered part of your request and refused the rest." in letter
    assert "This letter gives figures for parts Q1, Q2, Q3 and Q4 of your request." in letter
    assert "It gives none for part 2a." in letter
    assert (
        "2a What do the records say? We have refused this part under section 40(2) of the Freedom "
        "of Information Act 2000. Our reasons are below."
    ) in letter
    assert "Section 40(2): personal information, for part 2a" in letter


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "published",
            "You can already get this elsewhere (section 21(1) of the Freedom of Information Act "
            "2000). We say below where.",
        ),
        (
            "neither_confirm_nor_deny",
            "We neither confirm nor deny that we hold this, under section 23(5) of the Freedom of "
            "Information Act 2000. Our reasons are below.",
        ),
    ],
)
def test_a_part_is_not_called_refused_where_that_would_mislead(name: str, words: str) -> None:
    letter = read_letter(FORCE, name, parts=("2a",), figures=True)
    assert f"2a What do the records say? {words}" in letter
    both = read_letter(FORCE, name, "personal_data", parts=("2a",), figures=True)
    assert "We have refused this part under sections" in both


def test_every_document_of_the_set_holds_the_refusal() -> None:
    documents = render_documents(make_refusing_answer(*SECTIONS), DocumentSettings(FORCE, DAY))
    for path, content in documents.items():
        if path.endswith(".json"):
            continue
        text = " ".join(extract_text(path, content).split())
        for number in NUMBERS["uk"]:
            assert f"Section {number}" in text, path


def test_a_force_says_how_to_reach_the_commissioner_and_what_the_rights_are() -> None:
    commissioner = CommissionerSettings(telephone="0100", address=("A House", "A Town"))
    letter = read_letter(msgspec.structs.replace(FORCE, commissioner=commissioner), "vexatious")
    assert "ico.org.uk/concerns, telephone 0100, A House, A Town." in letter
    letter = read_letter(msgspec.structs.replace(FORCE, review=("Ask us again.",)), "vexatious")
    assert "Ask us again." in letter
    assert "Commissioner" not in letter


def test_an_answer_that_refuses_nothing_has_no_refusal_notice() -> None:
    names = build_document_context(sample_answer(3), DocumentSettings(FORCE, DAY)).names
    assert (names["outcome"], names["outcome_words"]) == ("answered", "")
    assert (names["notice"], names["sections"]) == ((), ())


def publish_partly(*, part: str = "Q2", exemption: str = "We rely on section 40(2).") -> str:
    """The published letter of an answer of whose parts one has a withheld number."""
    base = sample_answer(12)
    questions = tuple(
        msgspec.structs.replace(
            question,
            table=msgspec.structs.replace(
                question.table,
                rows=tuple(
                    msgspec.structs.replace(row, counts=(None,)) for row in question.table.rows
                ),
            ),
        )
        if question.id == part
        else question
        for question in base.questions
    )
    answer = msgspec.structs.replace(
        base, questions=questions, disclosure=Disclosure(5, 0, "withhold", withheld=4)
    )
    force = msgspec.structs.replace(FORCE, exemption=exemption)
    return " ".join(rendered(render_letter_text, answer, force, DAY).split())


def test_a_letter_that_withholds_a_number_is_a_refusal_notice_by_itself() -> None:
    letter = publish_partly()
    assert (
        "We have answered your request in part, because we withhold some of the figures." in letter
    )
    notice = letter[letter.index("Refusal notice") :]
    assert "a refusal notice under section 17 of the Freedom of Information Act 2000" in notice
    assert "Section 40(2): personal information, for some of part Q2" in notice
    assert "We have answered part Q2 in part. We give the figures, but not the numbers" in notice
    assert "would not expect us to make it public" in notice
    assert "internal review" in notice
    assert "Information Commissioner" in notice


def test_a_letter_that_gives_every_number_is_no_refusal() -> None:
    answer = msgspec.structs.replace(sample_answer(12), disclosure=Disclosure(5, 0, "withhold", 0))
    letter = rendered(render_letter_text, answer, FORCE, DAY)
    assert "Refusal notice" not in letter
    assert "in part" not in letter


def test_a_section_of_the_officer_is_not_said_twice() -> None:
    base = sample_answer(12)
    question = msgspec.structs.replace(
        base.questions[0], table=msgspec.structs.replace(base.questions[0].table, rows=())
    )
    total = msgspec.structs.replace(question.table.total, counts=(None,))
    table = msgspec.structs.replace(question.table, total=total)
    section = {"section": "40(2)", "parts": ["Q1"], "reason": "Our own reason."}
    letter = {**base.request["letter"], "sections": [section]}
    answer = msgspec.structs.replace(
        base,
        request={"letter": letter},
        questions=(msgspec.structs.replace(question, table=table),),
        disclosure=Disclosure(5, 0, "withhold", withheld=1),
    )
    force = msgspec.structs.replace(FORCE, exemption="We rely on section 40(2).")
    text = rendered(render_letter_text, answer, force, DAY)
    assert text.count("Section 40(2): ") == 1
    assert "Our own reason." in text


def test_an_exemption_without_standard_words_is_given_in_those_of_the_force() -> None:
    letter = publish_partly(exemption="Section 38 (health and safety) applies.")
    notice = letter[letter.index("Refusal notice") :]
    assert "Numbers withheld, for some of part Q2" in notice
    assert "Section 38 (health and safety) applies." in notice


def test_the_public_interest_of_withheld_numbers_is_never_invented() -> None:
    with pytest.raises(ConfigurationError, match=r"\[force\] exemption relies on section 31\(1\)"):
        publish_partly(exemption="We rely on section 31(1) of the Act.")


def test_what_is_published_elsewhere_is_not_called_refused() -> None:
    letter = read_letter(FORCE, "published")
    assert "What you asked for is published already. This letter says where." in letter
    assert "We have refused" not in letter
