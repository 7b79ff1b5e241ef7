"""How the figures were made stands in every letter, in the same plain words."""

from __future__ import annotations

import io
import re
from datetime import date

import docx
import msgspec
import pytest

from indexer.records.damage.kinds import TextDamage
from queries.answer.types import SpellingCount, TermAnswer
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.number_check import extract_markup_text
from queries.documents.document_set import render_documents
from queries.documents.formats.report import render_report_text
from queries.request.reader import parse_request
from tests.support.answers import FORCE, sample_answer
from tests.support.documents import extract_text
from tests.support.fake_search import answer

SETTINGS = DocumentSettings(FORCE, date(2018, 8, 15))

HEADING = "Annex: how the figures were made"


def read_words(path: str, content: bytes) -> str:
    """What a reader of a letter sees."""
    if path.endswith("docx"):
        return "\n".join(line.text for line in docx.Document(io.BytesIO(content)).paragraphs)
    if path.endswith("html"):
        return "\n".join(extract_markup_text(content.decode()).prose)
    return extract_text(path, content)


def squeeze(text: str) -> str:
    """The text without spaces, places where a word may break, and marks of a list."""
    return re.sub(r"[\s\u200b\u2022\u2023-]", "", text)


@pytest.fixture(scope="module")
def letters() -> dict[str, str]:
    """What each letter of an answer says, by its format."""
    answer = sample_answer(1234)
    damage = TextDamage(
        repair=("html",), damaged=2, kinds={"control": 2}, repaired=7, repaired_kinds={"html": 7}
    )
    provenance = msgspec.structs.replace(answer.provenance, damage=damage)
    damaged = msgspec.structs.replace(answer, provenance=provenance)
    return {
        path.rpartition(".")[2]: read_words(path, content)
        for path, content in render_documents(damaged, SETTINGS).items()
        if ".letter." in path
    }


@pytest.mark.parametrize("form", ["txt", "html", "docx", "pdf"])
def test_every_letter_has_the_whole_annex(letters: dict[str, str], form: str) -> None:
    context = build_document_context(sample_answer(1234), SETTINGS)
    annex = squeeze(letters[form].partition(HEADING)[2])
    sections = context.names["letter_annex"]
    assert len(sections) == 5
    for section in sections:
        assert squeeze(section.heading) in annex
        for block in section.blocks:
            assert squeeze(block.text) in annex, block.text
    assert squeeze("found as live stream 1,234") in annex
    assert annex.count(squeeze("text was repaired before counting in 7 of the")) == 1


@pytest.mark.parametrize("form", ["txt", "html", "docx", "pdf"])
def test_a_letter_names_a_reference_and_nothing_of_the_inside(
    letters: dict[str, str], form: str
) -> None:
    text = " ".join(letters[form].split())
    assert "please quote FOI/1 and cdcdcdcd." in text
    for inside in ("crimes-1", "cdcdcdcdc", "abababab", "mapping", "Index:", "HMAC"):
        assert inside not in text, inside


def test_what_a_letter_says_before_its_annex_is_said_once() -> None:
    """The workbook, which says nothing before, has all of it."""
    names = build_document_context(sample_answer(9), SETTINGS).names
    letter, workbook = (
        " ".join(block.text for section in names[name] for block in section.blocks)
        for name in ("letter_annex", "public_annex")
    )
    assert names["left_out"]
    assert names["left_out"] not in letter
    assert names["left_out"] in workbook


def test_words_that_were_found_as_they_are_stand_together() -> None:
    terms = (
        TermAnswer(("Skype",), None, (SpellingCount("skype", None),)),
        TermAnswer(
            ("Tik Tok",), None, (SpellingCount("tik tok", None), SpellingCount("tiktok", None))
        ),
        TermAnswer(("Yubo",), None, (SpellingCount("yubo", None),)),
        TermAnswer(("Kik",), None, ()),
        TermAnswer(("Bebo",), None, ()),
        TermAnswer(("steam",), None, (SpellingCount("steam", None),), exact=True),
        TermAnswer(("xbox",), 12, (SpellingCount("xbox", 12),)),
    )
    base = sample_answer(9)
    answer = msgspec.structs.replace(base, scope=msgspec.structs.replace(base.scope, terms=terms))
    annex = build_document_context(answer, SETTINGS).names["letter_annex"]
    lines = [block.text for section in annex for block in section.blocks]
    assert '"Skype"; "Yubo": found as written here.' in lines
    assert '"Tik Tok": found as tik tok, tiktok.' in lines
    assert '"Kik"; "Bebo": withheld.' in lines
    assert '"steam", as written: found as steam.' in lines
    assert '"xbox": found as xbox 12.' in lines


def test_the_report_has_what_an_auditor_needs() -> None:
    report = render_report_text(build_document_context(sample_answer(1234), SETTINGS))
    for inside in ("crimes-1", "cdcdcdcdcdcdcdcd", "abababababababab"):
        assert inside in report


def test_a_letter_without_figures_has_no_annex() -> None:
    refusal = msgspec.structs.replace(sample_answer(12), questions=())
    for path, content in render_documents(refusal, SETTINGS).items():
        if ".letter." in path:
            assert "Annex" not in read_words(path, content)


def test_a_term_of_the_scope_and_of_a_question_stands_once() -> None:
    """Found in the same forms, it has the wordings that the scope gives it."""
    request = parse_request(
        "reference: R\ntitle: T\nperiod: 2018\nmentions: [e-scooter, escooter]\n"
        "questions: [{id: Q1, kind: keywords, keywords: [e-scooter, helmet]}]\n"
    )
    record = {"recorded_on": "2018-05-01", "offence_code": "22B", "narrative": "An e-scooter."}
    counted = answer(request, [{"crime_ref": "R1", **record}])
    terms = build_document_context(counted, SETTINGS).names["terms"]
    assert [term.wordings for term in terms] == ['"e-scooter" or "escooter"', '"helmet"']


def test_a_term_that_is_found_otherwise_in_some_parts_names_them() -> None:
    """The tables of a question for each year count other records."""
    base = sample_answer(9)
    year_terms = [TermAnswer(("Kik",), n, (SpellingCount("kik", n),)) for n in (3, 4, 4)]
    questions = tuple(
        msgspec.structs.replace(base.questions[0], id=f"1.{number}", terms=(term,))
        for number, term in enumerate(year_terms, 1)
    )
    answer = msgspec.structs.replace(base, questions=questions)
    terms = build_document_context(answer, SETTINGS).names["terms"]
    assert [(term.wordings, term.forms) for term in terms[1:]] == [
        ('"Kik" in part 1.1', "kik 3"),
        ('"Kik" in parts 1.2 and 1.3', "kik 4"),
    ]
    single = msgspec.structs.replace(answer, questions=questions[1:])
    assert build_document_context(single, SETTINGS).names["terms"][1].wordings == '"Kik"'
