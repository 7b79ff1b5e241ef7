"""How the figures were made stands in every letter, in the same plain words."""

from __future__ import annotations

import io
import re
from datetime import date

import docx
import msgspec
import pytest

from indexer.records.damage.kinds import TextDamage
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
    sections = context.names["public_annex"]
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
