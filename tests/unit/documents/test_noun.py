"""What a force calls its records is what every document calls them."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import openpyxl
import pytest
from docx import Document

from indexer.config.loader import load_settings
from indexer.errors import ConfigurationError
from indexer.records.noun import OFFENCE, Noun
from queries.answer.types import Answer
from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
from queries.documents.content.number_check import (
    ExtractedText,
    collect_expected_numbers,
    require_same_numbers,
)
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.workbook import render_workbook
from queries.evidence.locate import locate_records
from queries.request.reader import Request, parse_request, read_configured_request
from tests.support.answers import FORCE
from tests.support.fake_search import answer
from tests.support.rendered import TEXT_RENDERERS, rendered

INCIDENT = Noun("incident", "incidents")

REQUEST = """
reference: FOI/1
title: Made
period: 2017/18
questions:
- {id: Q1, kind: offences}
- {id: Q2, kind: keywords, keywords: [alpha]}
- {id: Q3, kind: keywords, keywords: [alpha, beta, gamma], within: {where: {outcome: [1]}}}
- {id: Q4, kind: by, by: month, within: {mentions: [alpha]}}
- {id: Q5, kind: by, by: sex, count: offences}
- {id: Q6, kind: cross, rows: outcome, columns: sex}
- {id: Q7, kind: overlap, keywords: [alpha, beta]}
- {id: Q8, kind: victims}
- {id: Q9, kind: by, by: outcome, within: {mentions: [nothing]}}
- {id: Q10, kind: keywords, keywords: [delta]}
"""

DAY = date(2018, 8, 15)


def read(noun: Noun = INCIDENT) -> Request:
    return msgspec.structs.replace(parse_request(REQUEST), noun=noun)


def count(noun: Noun = INCIDENT) -> Answer:
    """The answer over a dozen records, some without a victim."""
    words = ["alpha", "alpha beta", "beta", ""]
    records = [
        {
            "crime_ref": f"R{number}",
            "recorded_on": "2017-05-05",
            "offence_code": "22B",
            "narrative": words[number % 4],
            "outcome": 1 + number % 2,
            "victims": [{"age": 9, "sex": sex} for sex in "FM"[: number % 3]],
        }
        for number in range(12)
    ]
    return answer(read(noun), records)


@pytest.mark.parametrize("publish", [False, True], ids=["whole", "published"])
@pytest.mark.parametrize("renderer", TEXT_RENDERERS)
def test_documents_use_the_noun_of_the_force(
    renderer: Callable[..., str], *, publish: bool
) -> None:
    found = count()
    found = protect_answer(found, Policy(threshold=3)).answer if publish else found
    words = " ".join(rendered(renderer, found, FORCE, DAY).split())
    assert "incident" in words
    assert "All incidents" in words
    for wrong in ("offences", "an offence", "Offences", "crime record"):
        assert wrong not in words, words[words.index(wrong) - 80 :][:160]


def test_the_word_letter_and_the_workbook_use_it_too() -> None:
    found = count()
    letter = Document(io.BytesIO(rendered(render_letter_docx, found, FORCE, DAY)))
    words = " ".join(paragraph.text for paragraph in letter.paragraphs)
    assert "We searched the incident records that" in words
    assert "This part counts only incidents mentioning" in words
    assert "offences" not in words
    book = openpyxl.load_workbook(io.BytesIO(rendered(render_workbook, found, FORCE, DAY)))
    cells = [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "All incidents" in cells
    assert not any("offences" in cell for cell in cells)


def test_the_numbers_are_the_same_and_their_rows_are_found_by_the_noun() -> None:
    mine, usual = count(), count(OFFENCE)
    for question, other in zip(mine.questions, usual.questions, strict=True):
        rows = zip(question.table.rows_and_total, other.table.rows_and_total, strict=True)
        assert all(row.counts == usual_row.counts for row, usual_row in rows)
    by_noun = locate_records(read(), "Q1", "All incidents asked about", "Incidents").query
    assert by_noun == locate_records(read(), "Q1").query


def test_a_number_of_incidents_that_the_answer_does_not_have_is_refused() -> None:
    expected = collect_expected_numbers(count(), FORCE)
    with pytest.raises(ConfigurationError, match="977 incidents"):
        require_same_numbers(ExtractedText(["We found 977 incidents."], []), expected, "letter")


def test_the_noun_is_set_in_the_configuration(tmp_path: Path) -> None:
    config, request = tmp_path / "foidex.toml", tmp_path / "request.yaml"
    config.write_text('[records]\nnoun = {singular = "incident", plural = "incidents"}\n')
    request.write_text(REQUEST)
    settings = load_settings({}, config)
    assert read_configured_request(request, settings).noun == INCIDENT
    assert load_settings({}, None).records.noun == OFFENCE


@pytest.mark.parametrize(
    ("noun", "message"),
    [
        ('"incident"', "records.noun"),
        ('{singular = "incident"}', "plural"),
        (
            '{singular = "Incident", plural = "incidents"}',
            "a word in small letters, such as incident",
        ),
        ('{singular = "", plural = "incidents"}', "records.noun.singular"),
    ],
)
def test_a_noun_that_cannot_be_used_is_one_message(tmp_path: Path, noun: str, message: str) -> None:
    config = tmp_path / "foidex.toml"
    config.write_text(f"[records]\nnoun = {noun}\n")
    with pytest.raises(ConfigurationError) as refused:
        load_settings({}, config)
    assert message in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
