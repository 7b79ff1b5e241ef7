"""Parts that have several tables, codes as they were asked for, ages that nobody has, the records
that would have to be read for one part, and the signature."""

from __future__ import annotations

import io
import re
from datetime import date
from typing import Any

import msgspec
import pytest
from docx import Document

from indexer.errors import RequestError
from queries.answer.types import Answer, ReadingLimit
from queries.answering.service import require_cost_over_limit
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.document_set import render_documents
from queries.documents.formats.letter import render_letter_text
from queries.layout.csv_text import format_table_csv
from queries.request.reader import parse_request
from tests.support.answers import FORCE
from tests.support.documents import extract_text
from tests.support.fake_search import answer
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

SETTINGS = DocumentSettings(FORCE, DAY)


def ask(text: str, number: int = 12) -> Answer:
    """The answer to a request about records of two codes, each with a victim."""
    records = [
        {
            "crime_ref": f"R{n}",
            "recorded_on": "2017-05-05",
            "offence_code": ("71/1", "88/1")[n % 2],
            "narrative": "alpha" if n % 3 else "beta",
            "victims": [{"age": 9 + n}],
            "suspects": [],
        }
        for n in range(number)
    ]
    return answer(parse_request(f"reference: R\ntitle: T\nperiod: 2017/18\n{text}"), records)


def read_letter(own: Answer) -> str:
    return " ".join(rendered(render_letter_text, own, FORCE, DAY).split())


def test_a_part_of_several_tables_is_named_once() -> None:
    own = ask(
        "questions:\n- {id: Q1, kind: cross, rows: {keywords: [alpha]}, columns: offence,"
        " for_each: {keywords: [alpha, beta]}, not_covered: Not all of it.}\n"
        "- {id: '2', not_covered: Not held.}\n- {id: '2.1', kind: offences}"
    )
    assert [question.part for question in own.questions] == ["Q1", "Q1", ""]
    letter = read_letter(own)
    assert "gives figures for part 2.1 and some of part Q1 of your request" in letter
    assert "Q1.1 and" not in letter


def test_which_part_a_table_is_of_is_nothing_that_a_file_can_say() -> None:
    with pytest.raises(RequestError, match="is not a key of a request"):
        ask("questions: [{id: 1, kind: cross, rows: sex, columns: offence, table_of: Q1}]")


def test_a_range_of_codes_stands_as_it_was_asked_for_and_whole_in_the_annex() -> None:
    own = ask(
        "offences: [{codes: [71/1-71/16, 88/2], label: Some}, {codes: [88/1], label: Other}]\n"
        "questions:\n- {id: Q1, kind: offences, text: 'How many?'}\n"
        "- {id: Q2, kind: keywords, keywords: [alpha], each_offence: true}\n"
        "- {id: Q3, kind: offences, within: {offences: [{codes: [71/1-71/16], label: Few}]}}"
    )
    for path, content in render_documents(own, SETTINGS).items():
        if not path.endswith(("letter.txt", "letter.pdf")):
            continue
        text = " ".join(extract_text(path, content).replace("\u200b", "").split())
        letter, _, annex = text.partition("Annex: how the figures were made")
        assert "Some (71/1 to 71/16, 88/2)" in letter, path
        assert "under the codes 71/1 to 71/16, 88/2 and 88/1" in letter, path
        assert "Few (71/1 to 71/16)" in letter, path
        assert not re.search(r"71/5\b", letter), path
        assert "71/5, 71/6" in annex
    table = format_table_csv(own.questions[0].table)
    assert "71/5, 71/6" in table


def test_ages_that_bands_leave_to_nobody_have_no_row() -> None:
    own = ask(
        "questions:\n- {id: Q1, kind: victims, bands: [{to: 17}, {from: 18}]}\n"
        "- {id: Q2, kind: cross, rows: offence, columns: {bands: [{to: 17}, {from: 18}]}}\n"
        "- {id: Q3, kind: victims, bands: [{to: 17}]}"
    )
    assert [row.key for row in own.questions[0].table.rows] == ["#0", "#1", "other", "unknown"]
    first, second, third = build_document_context(own, SETTINGS).names["questions"]
    labels = [line.label for line in first.full_table.lines]
    assert labels == ["Aged 17 and under", "Aged 18 and over", "Age not known", "All victims"]  # fmt: skip
    assert second.full_table.heads == ("Victims", "Aged 17 and under", "Aged 18 and over", "Age not known")  # fmt: skip
    assert "Any other known age" in [line.label for line in third.full_table.lines]
    assert "Any other known age" not in format_table_csv(own.questions[1].table)


COST = (
    "questions:\n- {id: '1', kind: offences, within: {mentions: [alpha]}}\n"
    "- {id: '2', text: 'In which was it used?'}\n- {id: '3', kind: victims}\n"
    "letter: {sections: [{section: 12, parts: ['2'], minutes: 200, records_of: '%s'}]}"
)


def test_the_cost_limit_may_be_about_the_records_of_one_part() -> None:
    own = ask(COST % 1)
    assert isinstance(own.reading_limit, ReadingLimit)
    assert (own.records_to_read, own.scope.records) == (8, 12)
    letter = read_letter(own)
    assert 'and of these only those mentioning "alpha". We found 8 records.' in letter
    assert "would take about 27 hours" in letter
    assert "Section 12(1): the cost limit, for part 2" in letter or "for part 2" in letter
    require_cost_over_limit(own)
    few = msgspec.structs.replace(own.reading_limit, minutes=100)
    with pytest.raises(RequestError, match="reading 8 records at 100 minutes"):
        require_cost_over_limit(msgspec.structs.replace(own, reading_limit=few))


@pytest.mark.parametrize(
    ("part", "message"),
    [("2", 'there is no part "2" with figures'), ("3", "records_of: 3 does not count the records")],
)
def test_a_part_whose_records_would_be_read_counts_records(part: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        ask(COST % part)
    assert message in str(refused.value)


def test_only_the_cost_limit_has_records_to_read() -> None:
    with pytest.raises(RequestError, match="is for the cost limit alone"):
        ask(
            "questions: [{id: 1, kind: offences}, {id: 2}]\nletter: {sections: [{section: 14, "
            "reason: x, parts: ['2'], records_of: '1'}]}"
        )


def test_the_signature_stands_with_the_last_paragraph() -> None:
    documents: dict[str, Any] = render_documents(
        ask("questions: [{id: 1, kind: offences}]"), SETTINGS
    )
    (word,) = (content for path, content in documents.items() if path.endswith("letter.docx"))
    paragraphs = Document(io.BytesIO(word)).paragraphs
    (ending,) = (entry for entry in paragraphs if "\nYours" in entry.text)
    assert ending.text.startswith("If you are still unhappy")
    assert ending.text.endswith(f"{SETTINGS.force.signatory}\n{SETTINGS.force.unit}")
    assert ending.paragraph_format.keep_together, "no page is broken within a paragraph"
