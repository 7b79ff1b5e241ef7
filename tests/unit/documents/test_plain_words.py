"""Tables and sentences of letters in words that the public knows; the answer keeps its own."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import docx
import msgspec
import pytest
from elasticsearch.dsl.query import MatchAll

from indexer.records.noun import OFFENCE, Noun
from queries.answer.types import Answer, Column, NotedSum, QuestionAnswer, Row, Table, TermAnswer
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.letter.notes import describe_overlaps
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.request.reader import parse_request
from queries.tables.axis_type import Bucket
from tests.support.answers import FORCE, sample_answer
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

CHARGED, NO_SUSPECT = "1 Charged or summonsed", "18 Investigation complete, no suspect"


def make_table(heading: str, labels: tuple[str, ...], **options: Any) -> Table:
    rows = tuple(Row(f"#{n}", label, (n + 1,)) for n, label in enumerate(labels))
    total = Row("total", "All offences asked about", (3,), "total")
    return Table(heading, (Column("offences", "Offences"),), rows, total, **options)


def ask(table: Table, noun: Noun = OFFENCE, **options: Any) -> Answer:
    question = QuestionAnswer("1", "by", "How many?", table, **options)
    base = sample_answer(3)
    request = {**base.request, "noun": msgspec.to_builtins(noun)}
    return msgspec.structs.replace(base, questions=(question,), request=request)


def read_letter(answer: Answer) -> str:
    return " ".join(rendered(render_letter_text, answer, FORCE, DAY).split())


def test_an_outcome_has_its_name_alone_and_its_number_in_the_annex() -> None:
    answer = ask(make_table("Outcome", (CHARGED, NO_SUSPECT, "Not recorded")))
    letter, _, annex = read_letter(answer).partition("Annex: ")
    assert "Charged or summonsed 1" in letter
    assert CHARGED not in letter
    assert NO_SUSPECT not in letter
    assert "- Charged or summonsed: 1" in annex
    assert "- Investigation complete, no suspect: 18" in annex
    assert answer.questions[0].table.rows[0].label == CHARGED


def test_outcomes_of_one_name_keep_their_numbers() -> None:
    letter = read_letter(ask(make_table("Outcome", ("1 Charged", "2 Charged"))))
    assert "1 Charged" in letter.partition("Annex: ")[0]
    assert "2 Charged" in letter.partition("Annex: ")[0]


def test_a_label_of_another_heading_keeps_its_number() -> None:
    table = make_table("District", ("7 Example Road", "North"))
    assert "7 Example Road 1" in read_letter(ask(table))


def test_the_third_sex_is_named_and_the_total_is_short() -> None:
    letter = read_letter(ask(make_table("Sex of victim", ("Female", "Neither"))))
    assert "Neither female nor male" in letter
    assert "All offences 3" in letter
    assert "asked about" not in letter


@pytest.mark.parametrize(
    ("noun", "heading", "sentence"),
    [
        (OFFENCE, "Offence", "We counted three offences. The table shows them by type of offence."),
        (
            Noun("incident", "incidents"),
            "Type of incident",
            "We counted three incidents. The table shows them by type of incident.",
        ),
        (
            Noun("call", "calls", "call type"),
            "Call type",
            "We counted three calls. The table shows them by call type.",
        ),
    ],
)
def test_what_a_force_counts_names_its_codes_too(noun: Noun, heading: str, sentence: str) -> None:
    table = make_table("Offence", ("Collision", "Nuisance"))
    column = Column("offences", noun.plural.capitalize())
    table = msgspec.structs.replace(table, columns=(column,))
    letter = read_letter(ask(table, noun))
    assert f"{heading} {noun.plural.capitalize()} ---" in letter
    assert sentence in letter
    assert f"played a part in the {noun.singular}, and" in letter
    if noun != OFFENCE:
        assert "offence" not in letter.lower().replace("all offences", "")


def test_codes_that_narrow_a_question_read_well() -> None:
    within = "recorded in 2017; of Road incidents (R), or of Public safety (S); mentioning alpha"
    letter = read_letter(ask(make_table("Month", ("May",)), within=within))
    assert "; of the types Road incidents (R) and Public safety (S); mentioning alpha." in letter
    within = "of Road incidents (R)"
    letter = read_letter(ask(make_table("Month", ("May",)), within=within))
    assert "This part counts only offences of the type Road incidents (R)." in letter


def test_victims_are_not_said_to_be_of_victims() -> None:
    columns = (Column("victims", "Victims", unit="victims"), Column("a", "Aged 17 and under"))
    rows = (Row("F", "Female", (3, 2)),)
    total = Row("total", "All victims asked about", (3, 2), "total")
    table = Table("Sex of victim", columns, rows, total, across="Age of victim")
    answer = ask(table)
    question = msgspec.structs.replace(answer.questions[0], kind="cross")
    letter = read_letter(msgspec.structs.replace(answer, questions=(question,)))
    assert "We counted three victims. The table shows them by sex and age." in letter


def test_records_that_mention_no_word_are_not_the_answer() -> None:
    columns = (Column("offences", "Offences"), Column("in_2017", "2017"))
    rows = (Row("#0", "alpha", (1, 1)), Row("none", "None of these", (2, 2), "none"))
    total = Row("total", "All offences asked about", (3, 3), "total")
    table = Table("Keyword", columns, rows, total, across="Year")
    answer = ask(table)
    question = msgspec.structs.replace(answer.questions[0], kind="cross")
    letter = read_letter(msgspec.structs.replace(answer, questions=(question,)))
    assert (
        "We looked at three offences. The table shows which of the words they mention, by year."
    ) in letter


def test_words_that_go_together_are_a_condition() -> None:
    base = sample_answer(3)
    term = TermAnswer(("Hinge",), 3, (), company=('"app"',))
    answer = msgspec.structs.replace(base, scope=msgspec.structs.replace(base.scope, terms=(term,)))
    assert 'the record mentions "Hinge" (only if it also mentions "app").' in read_letter(answer)


def test_the_note_on_sums_says_which_side_of_which_table() -> None:
    rows, columns = NotedSum(5, 3), NotedSum(7, 3)
    base = ask(make_table("Month", ("May",)))

    def question(name: str, side: str, noted: NotedSum) -> QuestionAnswer:
        note = f"The {side} {noted.text}, because of a reason. The total counts each once."
        return msgspec.structs.replace(base.questions[0], id=name, notes=(note,), sums=(noted,))

    parts = (question("1", "rows", rows), question("2", "rows", rows))
    assert describe_overlaps(msgspec.structs.replace(base, questions=parts)).startswith(
        "The rows of the tables of parts 1 and 2 add up to more than the total, because"
    )
    parts = (question("1", "rows", rows), question("2", "columns", columns))
    assert describe_overlaps(msgspec.structs.replace(base, questions=parts)).startswith(
        "The rows of the table of part 1 and the columns of the table of part 2 add up to more"
    )


def test_the_sheets_of_the_report_use_the_same_words() -> None:
    answer = ask(make_table("Outcome", (CHARGED,)))
    names = build_document_context(answer, DocumentSettings(FORCE, DAY)).names
    assert names["outcomes"] == ("Charged or summonsed: 1",)
    assert names["questions"][0].full_table.lines[0].label == "Charged or summonsed"


def test_no_line_ends_between_a_day_and_its_month() -> None:
    """A date is one word for whatever breaks lines; text letters are broken by foidex itself."""
    answer = sample_answer(3)
    html = rendered(render_letter_html, answer, FORCE, DAY)
    assert "15\u00a0August 2018" in html
    assert "from 1\u00a0April 2017 to 31\u00a0March 2018" in html
    assert "\u00a0" not in rendered(render_letter_text, answer, FORCE, DAY)
    document = docx.Document(io.BytesIO(rendered(render_letter_docx, answer, FORCE, DAY)))
    assert any("1\u00a0April 2017" in paragraph.text for paragraph in document.paragraphs)


def test_a_required_word_stands_without_brackets_and_its_row_is_found() -> None:
    bucket = Bucket("#0", 'Hinge (with "app" within 5 words)', MatchAll(), ())
    assert bucket.is_called('hinge with "app" within 5 words')
    assert bucket.is_called('Hinge (with "app" within 5 words)')
    table = make_table("Keyword", (bucket.label, "WeChat (exactly so written)"))
    letter = read_letter(ask(table))
    assert 'Hinge with "app" within 5 words' in letter
    assert "WeChat (exactly so written)" in letter


def test_a_total_is_found_as_it_is_printed() -> None:
    request = parse_request("reference: R\ntitle: T\nquestions: [{id: Q1, kind: offences}]")
    table_query = request.questions[0].table_query(request.scope)
    for name in ("total", "All offences", "all offences asked about"):
        assert table_query.is_total(name), name
    assert not table_query.is_total("All victims")
