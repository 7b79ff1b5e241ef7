"""What documents say of a review: whole documents as agreed, and each sentence where it belongs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from docx import Document
from msgspec.structs import replace
from openpyxl import load_workbook

from queries.answer.types import Answer
from queries.answering.reviewed_numbers import attach_reviews
from queries.api import to_review_rows
from queries.disclosure.policy import Policy
from queries.disclosure.release import protect_answer
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.review_text import view_reviews
from queries.documents.document_set import render_documents
from queries.documents.formats.charts import draw_ranges
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_typst
from queries.documents.formats.report import render_report_html, render_report_text
from queries.documents.formats.workbook import render_workbook
from queries.layout.csv_text import format_reviews_csv
from queries.review.result import Elusion, ReviewResult
from queries.review.summary import summarise_review
from queries.review.types import Stratum
from tests.support.answers import FORCE
from tests.support.paths import ROOT
from tests.support.rendered import rendered
from tests.support.reviews import (
    U,
    count_answer,
    decide,
    decide_first,
    draw_records,
    make_review,
    review_by_offence,
    review_simply,
)

GOLDEN = ROOT / "tests" / "data" / "golden"

DAY = date(2026, 1, 5)

ELUSION = Elusion("without a mention", 5_000, 300, 0, 0, 48)


def answer_with(*reviews: ReviewResult, **counts: int) -> Answer:
    return attach_reviews(count_answer(**counts), reviews)


def read_letter(answer: Answer) -> str:
    """The letter in one line, without its annex."""
    return " ".join(
        rendered(render_letter_text, answer, FORCE, DAY).partition("Annex: ")[0].split()
    )


@pytest.mark.parametrize(
    ("renderer", "ending"),
    [
        (render_letter_text, "letter.txt"),
        (render_letter_html, "letter.html"),
        (render_report_text, "report.txt"),
        (render_report_html, "report.html"),
        (render_letter_typst, "letter.typ"),
    ],
)  # fmt: skip
def test_a_reviewed_answer_is_as_it_was_agreed(
    renderer: Callable[..., str], ending: str, request: pytest.FixtureRequest
) -> None:
    """Rewrite the golden files with --regolden, and read every change."""
    by_offence = replace(review_by_offence(120, 60), elusion=(ELUSION,))
    text = rendered(renderer, answer_with(by_offence), FORCE, DAY)
    path = GOLDEN / f"reviewed.{ending}"
    if request.config.getoption("--regolden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_a_sample_is_stated_with_its_range() -> None:
    letter = read_letter(answer_with(review_simply()))
    assert "we read a random sample of 360 of the 1,144." in letter
    assert (
        "Of the 360, 180 were relevant and 180 were not. From this we estimate that between 522 "
        "and 622 of the 1,144 are relevant (95% confidence interval)." in letter
    )
    assert (
        "A second person read 72 of these records without seeing the first decision, and agreed on "
        "69 (96%)." in letter
    )


def test_records_that_were_all_read_are_no_estimate() -> None:
    review = summarise_review(
        all_read := make_review(Stratum("", 7, 7), second_share=0),
        drawn := draw_records(all_read),
        decide_first(drawn, 0),
    )
    letter = read_letter(answer_with(review, violence=5, theft=2))
    assert "so we read all of them." in letter
    assert "None of the 7 was relevant." in letter
    assert "estimate" not in letter
    assert "confidence" not in letter


def test_what_is_not_decided_is_stated() -> None:
    review = make_review(second_share=0)
    drawn = draw_records(review)
    decisions = decide_first(drawn[:350], 180)
    decisions[0] = decide(drawn[0], U)
    decisions[2] = decide(drawn[2], U, content_hash="another text")
    letter = read_letter(answer_with(summarise_review(review, drawn, decisions)))
    assert (
        "There is no decision on the others: 1 on which the readers were not sure or did not "
        "agree, 1 changed or removed since we read them and 10 that nobody has read yet." in letter
    )


def test_a_row_is_named_and_the_words_miss_little() -> None:
    review = replace(review_simply(population=800), number="Q1:Violence", elusion=(ELUSION,))
    letter = read_letter(answer_with(review))
    assert "The figure of 800 (Q1, Violence, Offences) counts every record" in letter
    assert (
        "We also read a random sample of 300 of the 5,000 records that do not mention the words we "
        "searched for. None was relevant, so we estimate that no more than 48 of the 5,000 are "
        "relevant (95% confidence)." in letter
    )


def test_a_published_letter_does_not_say_what_is_withheld() -> None:
    published = protect_answer(answer_with(review_simply(3)), Policy(threshold=5)).answer
    letter = read_letter(published)
    assert (
        "We are not giving how many of the 360 were relevant, because that number or the rest is "
        "too small." in letter
    )
    assert "[c] means that we are not giving this number." in letter
    assert "357" not in letter
    assert "confidence" not in letter
    (view,) = view_reviews(published)
    for method in (view.method, view.public_method):
        assert "inverted" not in " ".join(method)
        assert "Relevant: [c]. Not relevant: [c]." in " ".join(method)


def test_a_published_letter_says_why_it_has_no_estimate() -> None:
    policy = Policy(rounding=10)
    published = protect_answer(answer_with(review_by_offence(120, 60)), policy).answer
    assert "We are not giving an estimate for all 1,140" in read_letter(published)


def test_the_annex_has_what_a_statistician_needs() -> None:
    report = rendered(render_report_html, answer_with(review_simply()), FORCE, DAY)
    for text in (
        "HMAC-SHA-256",
        "a seed",
        "hypergeometric",
        "both relevant 35",
        "kappa 0.92 (0.82",
    ):
        assert text in report


def test_the_word_letter_and_the_workbook_have_the_review() -> None:
    answer = answer_with(review_by_offence(120, 60))
    context = build_document_context(answer, DocumentSettings(FORCE, DAY))
    document = Document(io.BytesIO(render_letter_docx(context)))
    words = " ".join(paragraph.text for paragraph in document.paragraphs)
    assert "between 514 and 629 of the 1,144 are relevant" in words
    sheet = load_workbook(io.BytesIO(render_workbook(context)))["Records read"]
    rows = [tuple(cell.value for cell in row[1:]) for row in sheet.iter_rows(min_row=2)]
    assert rows == [
        ("Assault with injury (8N)", 800, 250, 120, 130, 0, 342, 426),
        ("Other theft (49)", 344, 110, 60, 50, 0, 160, 214),
        ("All", 1_144, 360, 180, 180, 0, 514, 629),
    ]


def test_a_workbook_without_reviews_has_no_sheet_for_them() -> None:
    context = build_document_context(count_answer(), DocumentSettings(FORCE, DAY))
    assert load_workbook(io.BytesIO(render_workbook(context))).sheetnames == ["Notes", "Q1"]


def test_the_chart_of_a_review_has_a_line_from_the_least_to_the_most() -> None:
    review = answer_with(review_by_offence(120, 60)).reviews[0]
    drawing = ET.fromstring(draw_ranges(review, "A <chart>", "Q1"))
    bars = [float(node.attrib["width"]) for node in drawing.iter() if node.tag.endswith("rect")]
    counted = max(bars)
    lines = [node.attrib["d"] for node in drawing.iter() if "nofill" in node.get("class", "")]
    spans = []
    for line in lines:
        ends = [float(number) for number in re.findall(r"-?\d+\.\d+", line)[::2]]
        spans.append((max(ends) - min(ends)) / counted)
    assert sorted(spans) == pytest.approx(
        sorted((high - low) / 1_144 for low, high in [(514, 629), (342, 426), (160, 214)]),
        abs=0.001,
    )


def test_a_range_that_is_withheld_is_not_drawn() -> None:
    published = protect_answer(answer_with(review_simply(3)), Policy(threshold=5)).answer
    assert draw_ranges(published.reviews[0], "A chart", "Q1") == ""


def test_the_letter_says_how_many_were_to_be_read_twice_and_were_not() -> None:
    both = replace(review_simply(), not_read_twice=7)
    assert "A second person was to read 7 more of these records, and did not." in read_letter(
        answer_with(both)
    )
    alone = replace(review_by_offence(120, 60), not_read_twice=72)
    letter = read_letter(answer_with(alone))
    assert "A second person was to read 72 of these records too, and did not." in letter
    assert "we cannot say how often two people would agree" in letter


def test_the_letter_says_what_is_not_decided_beside_a_number_and_what_is_withheld() -> None:
    undecided = Elusion("near misses", 50, 20, 2, 3, 19)
    letter = read_letter(answer_with(replace(review_simply(), elusion=(undecided,))))
    assert (
        "Of these, 2 were relevant, and there is no decision on 3, which we take to be relevant "
        "here, so we estimate that no more than 19 of the 50 are relevant" in letter
    )
    withheld = Elusion("near misses", None, 0, None, 0, None)
    letter = read_letter(answer_with(replace(review_simply(), elusion=(withheld,))))
    assert "We are not giving what we found, because small numbers could be worked out" in letter


def test_reviews_are_tidy_rows_and_a_file_of_the_set() -> None:
    review = replace(review_by_offence(120, 60), elusion=(replace(ELUSION, name="others"),))
    answer = answer_with(review)
    rows = to_review_rows(answer)
    assert [(row["records"], row["stratum"][:8], row["sampled"]) for row in rows] == [
        ("mentions", "", 360), ("mentions", "Assault ", 250), ("mentions", "Other th", 110),
        ("without a mention", "", 300),
    ]  # fmt: skip
    assert (rows[3]["population"], rows[3]["low"], rows[3]["high"]) == (5_000, None, 48)
    total = answer.reviews[0].total
    assert total.range
    assert (rows[0]["low"], rows[0]["high"]) == (total.range.low, total.range.high)
    documents = render_documents(answer, DocumentSettings(FORCE, DAY))
    (path,) = [path for path in documents if path.endswith(".reviews.csv")]
    lines = [*csv.DictReader(io.StringIO(documents[path].decode()))]
    assert [line["relevant"] for line in lines] == ["180", "120", "60", "0"]
    assert [line["withheld"] for line in lines] == ["False"] * 4
    published = protect_answer(answer_with(review_simply(3)), Policy(threshold=5)).answer
    (line,) = csv.DictReader(io.StringIO(format_reviews_csv(published.reviews)))
    assert (line["population"], line["sampled"]) == ("1144", "360")
    assert {line["relevant"], line["not_relevant"], line["low"], line["high"]} == {"[c]"}
