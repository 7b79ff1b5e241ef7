"""A template of a force's own cannot print another number than the answer has."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import docx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.errors import ConfigurationError
from queries.answer.types import Column, Row, Table
from queries.documents.content.number_check import (
    ExpectedNumbers,
    ExtractedText,
    collect_expected_numbers,
    extract_plain_text,
    iter_table_rows,
    require_same_numbers,
)
from queries.documents.content.templates import copy_templates
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_typst
from queries.documents.formats.report import render_report_html, render_report_text
from queries.request.reader import parse_request
from tests.support.answers import FORCE, sample_answer, tabled, wide
from tests.support.fake_search import answer as answer_request
from tests.support.record_types import combine, multiply
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

ANSWER = sample_answer(1234)

DOCUMENTS: dict[str, Callable[..., Any]] = {
    "letter.txt.j2": render_letter_text,
    "letter.html.j2": render_letter_html,
    "letter.typ.j2": render_letter_typst,
    "report.txt.j2": render_report_text,
    "report.html.j2": render_report_html,
    "letter.docx": render_letter_docx,
}

#: What the shipped templates print a paragraph with, and a cell.
PARAGRAPH = {
    "letter.txt.j2": "\n\n{}\n\n",
    "letter.html.j2": "<p>{}</p>",
    "letter.typ.j2": "\n\n{}\n\n",
    "report.txt.j2": "\n\n{}\n\n",
    "report.html.j2": "<p>{}</p>",
}


def said(sentence: str) -> list[str]:
    """What is wrong with a sentence in a letter."""
    try:
        require_same_numbers(
            ExtractedText([sentence], []), collect_expected_numbers(ANSWER, FORCE), "letter.txt.j2"
        )
    except ConfigurationError as error:
        return str(error).splitlines()[1:-1]
    return []


def own(folder: Path, name: str, change: Callable[[str], str]) -> Path:
    """A folder in which a force changed one template, and the tables of web pages with it."""
    copy_templates(folder, force=False)
    path = folder / name
    if name.endswith(".docx"):
        document: Any = docx.Document(str(path))
        for cell in (cell for row in document.tables[0].rows for cell in row.cells):
            for run in cell.paragraphs[0].runs:
                run.text = change(run.text)
        for paragraph in document.paragraphs:
            if "recipient.closing" in paragraph.text:
                paragraph.text = change(paragraph.text)
        file = io.BytesIO()
        document.save(file)
        path.write_bytes(file.getvalue())
    else:
        path.write_text(change(path.read_text("utf-8")), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_number_that_a_template_was_left_with_is_told(name: str, tmp_path: Path) -> None:
    """ "There were 1,235 offences." stayed in it from another request."""
    anchor = {"report.txt.j2": "Where the numbers come from", "report.html.j2": "<footer>"}.get(name, "{{ recipient.closing }},")  # fmt: skip
    shape = PARAGRAPH.get(name, "{} ")
    folder = own(
        tmp_path / "own",
        name,
        lambda text: text.replace(anchor, shape.format("There were 1,235 offences.") + anchor),
    )
    with pytest.raises(ConfigurationError, match=r'(?s)own/.*"1,235 offences": .* not a number'):
        rendered(DOCUMENTS[name], ANSWER, FORCE, DAY, folder)
    folder = own(
        tmp_path / "right",
        name,
        lambda text: text.replace(anchor, shape.format("There were 1,234 offences.") + anchor),
    )
    assert rendered(DOCUMENTS[name], ANSWER, FORCE, DAY, folder)


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("letter.typ.j2", "letter.typ.j2"),
        ("letter.html.j2", "table.html.j2"),
        ("report.html.j2", "table.html.j2"),
        ("letter.docx", "letter.docx"),
    ],
)
def test_a_number_that_a_template_works_out_in_a_table_is_told(
    name: str, changed: str, tmp_path: Path
) -> None:
    """Every cell of a row is made one digit longer."""
    folder = own(tmp_path / "own", changed, lambda text: text.replace("{{ cell }}", "{{ cell }}0"))
    with pytest.raises(ConfigurationError, match=r'the row "Snapchat" has 1,2340, and in the ans'):
        rendered(
            DOCUMENTS[name],
            tabled(
                ANSWER,
                Table(
                    "Keyword",
                    (Column("n", "Offences"),),
                    (Row("0", "Snapchat", (1234,)), Row("1", "Skype", (7,))),
                    Row("total", "All", (1240,), "total"),
                ),
            ),
            FORCE,
            DAY,
            folder,
        )


def test_a_row_of_text_is_read_and_one_whose_label_takes_several_lines_is_left_alone() -> None:
    made = rendered(render_letter_text, tabled(ANSWER, wide(3, 3)), FORCE, DAY)
    read = extract_plain_text(made)
    assert ("Term 1", ["100", "101", "102"]) in read.rows
    wrong = made.replace(" 101 ", " 108 ")
    assert wrong != made
    with pytest.raises(ConfigurationError, match='row "Term 1" has 100, 108, 102'):
        require_same_numbers(
            extract_plain_text(wrong),
            collect_expected_numbers(tabled(ANSWER, wide(3, 3)), FORCE),
            "letter.txt.j2",
        )
    assert [*iter_table_rows(["----", "A label that ends with", "Term 1   9"])] == []


#: Two periods by months, and the same periods and three offences as columns of a wide table.
WRAPPED = """
reference: FOI/1
title: Made
periods: [{from: 2017-04-01, to: 2017-05-31}, {from: 2017-06-01, to: 2017-08-31}]
offences:
  - {codes: [22B], label: Rape of a female aged 16 and over}
  - {codes: [88/1], label: Sexual grooming}
  - {codes: [88E], label: Exposure and voyeurism}
questions:
  - {id: Q1, kind: by, by: month}
  - {id: Q2, kind: keywords, keywords: [alpha, beta], each_offence: true}
"""

#: Years as columns, beside a row that is called what the heads of the table are called.
NAMED = """
reference: FOI/1
title: Made
period: {from: 2016-01-01, to: 2017-12-31}
offences: [{codes: [22B], label: Offence}, {codes: [88/1], label: Other}]
questions:
  - id: Q1
    kind: cross
    rows: offence_row
    columns: {periods: [{from: 2016-01-01, to: 2016-12-31, label: '2016'}, {from: 2017-01-01, to: 2017-12-31, label: '2017'}]}
"""


@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("text", [WRAPPED, NAMED], ids=["wrapped", "named"])
def test_the_head_of_a_column_is_not_a_row(name: str, text: str) -> None:
    """A wrapped head stands in lines of its own, and "June 2017" may be one of them."""
    kinds = combine(recorded_on=["2017-04-05", "2017-06-05"], offence_code=["22B", "88/1", "88E"])
    records = multiply(kinds, [11, 12, 13, 14, 15, 16])
    made = answer_request(parse_request(text), records)
    assert rendered(DOCUMENTS[name], made, FORCE, DAY)


def test_a_number_above_the_first_rule_of_a_table_is_in_a_head() -> None:
    lines = ["June 2017  2017", "Row        2018", "----", "Row  9", "----", "Total  9"]
    assert [*iter_table_rows(lines)] == [("Row", ["9"]), ("Total", ["9"])]


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("Twelve (13) words were looked for.", '"Twelve (13)"'),
        ("We found one thousand two hundred and thirty-four (1,235).", "thirty-four (1,235)"),
        ("There were 8 victims.", '"8 victims"'),
        ("Of the 1,236 records none was read.", '"1,236 records"'),
        ("1235 crimes were recorded.", '"1235 crimes"'),
    ],
)
def test_a_wrong_number_is_told(sentence: str, wrong: str) -> None:
    (told,) = said(sentence)
    assert wrong in told


@pytest.mark.parametrize(
    "sentence",
    [
        "Twelve (12) words were looked for.",
        "We found one thousand two hundred and thirty-four (1,234) of them, or twenty-one (21).",
        "There were 1,234 offences, and in 20,000 records nothing.",
        "Section 40(2) and sections 18 and 20 offences; section 47 offences; the 1861 Act.",
        "The total is of the 2017/18 offences, that is, of 2018 offences.",
        "More than one offence may be recorded of two victims. Question two (2017).",
        "Reply within 20 working days, or call 0303 123 1113.",
        "Page one (see 3) of form (4).",
        "Two record systems were searched, in 2 parts.",
        "Q4.17 Offences by outcome and month, and Q4.18 Victims by sex.",
    ],
)
def test_what_cannot_be_told_to_be_wrong_is_left_alone(sentence: str) -> None:
    assert said(sentence) == []


def test_the_year_in_a_row_of_a_list_that_takes_two_lines_is_not_a_number_of_another_row() -> None:
    names = {"Recorded": [{"46"}], "Recorded; North; no suspect identified; 2022": [{"3"}]}
    expected = ExpectedNumbers(names, frozenset())
    line = ("Recorded", ["North", "no suspect", "2022"])
    require_same_numbers(ExtractedText([], [line]), expected, "report.txt.j2")
    for cells in (["47"], ["47", "2022"]):
        with pytest.raises(ConfigurationError, match='the row "Recorded" has 47'):
            require_same_numbers(ExtractedText([], [("Recorded", cells)]), expected, "x")


def test_a_number_of_the_request_or_of_the_forces_own_text_is_not_the_templates() -> None:
    force = msgspec.structs.replace(FORCE, caveat=("Last year there were 77 offences.",))
    read = ExtractedText(["Last year there were 77 offences."], [])
    require_same_numbers(read, collect_expected_numbers(ANSWER, force), "letter.txt.j2")
    with pytest.raises(ConfigurationError):
        require_same_numbers(read, collect_expected_numbers(ANSWER, FORCE), "letter.txt.j2")


@given(st.integers(0, 10_000_000))
def test_no_letter_of_ours_is_refused(records: int) -> None:
    answer = sample_answer(records)
    for name in ("letter.txt.j2", "letter.html.j2", "letter.typ.j2", "report.txt.j2"):
        assert rendered(DOCUMENTS[name], answer, FORCE, DAY)
