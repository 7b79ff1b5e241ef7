"""A published set of documents: no hidden number stands in any of them, in any form."""

from __future__ import annotations

import json
import random
import re
import time
from datetime import date
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from indexer.config.model import ForceSettings
from indexer.errors import OutputError
from queries.answer.shares import list_share_columns
from queries.answer.types import (
    WITHHELD,
    Answer,
    build_answer_schema,
    count_or_zero,
    format_json,
)
from queries.api import to_rows
from queries.disclosure.attack.constraints import Population
from queries.disclosure.policy import Policy
from queries.disclosure.populations import list_printed_cells
from queries.disclosure.release import protect_answer
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import WriteOptions, render_documents, write_document_set
from tests.support.documents import extract_text
from tests.support.fake_search import answer
from tests.support.kinds import QUESTIONS, SCOPES, asking, weighted_records

DESK = DocumentSettings(ForceSettings(), date(2018, 8, 15), flag=5)


@cache
def whole() -> Answer:
    # Not those of many rows, which take minutes to protect together.
    long = ("by: team", "by: month", "fields: [offence", "fields: [financial", "fields: [day")
    questions = [one for one in QUESTIONS if not any(part in one for part in long)]
    return answer(asking(questions, SCOPES[1]), weighted_records())


@cache
def published() -> Answer:
    """The answer with some numbers of each table withheld, and what would give them away."""
    dice = random.Random(7)
    cells = list_printed_cells(whole())
    hidden: set[Population] = set()
    for question in whole().questions:
        own = [one for one in cells if one.location.startswith(f"{question.id}, ") and one.number]
        hidden |= {cell.population for cell in dice.sample(own, min(3, len(own)))}
    return protect_answer(
        whole(), Policy(threshold=5), withheld_before=dict.fromkeys(hidden, 1)
    ).answer


def secrets() -> set[int]:
    """The numbers that are withheld and printed nowhere; sums of notes and counts of forms."""
    pairs = list(zip(list_printed_cells(whole()), list_printed_cells(published()), strict=True))
    printed = {after.number for _, after in pairs}
    found = {before.number for before, after in pairs if after.number is None}
    for old, new in zip(whole().questions, published().questions, strict=True):
        found |= {count_or_zero(form.records) for term in old.terms for form in term.forms}
        if old.notes != new.notes:
            told = " ".join(old.notes).replace(",", "")
            found |= {int(number) for number in re.findall(r"\d{5,}", told)}
    return {number for number in found - printed if number}


@cache
def documents() -> dict[str, str]:
    made = render_documents(published(), DESK)
    return {name: extract_text(name, held) for name, held in made.items()}


def numbers(text: str) -> set[int]:
    """Every number in a text, with or without commas; all of ours have five digits or more."""
    found = re.findall(r"\d{1,3}(?:,\d{3})+(?!\d)|\d+", text)
    return {int(one.replace(",", "")) for one in found}


def test_no_document_of_a_published_set_holds_a_hidden_number() -> None:
    assert len(secrets()) > 50
    for name, text in documents().items():
        assert not numbers(text) & secrets(), name


def test_the_officers_own_set_does_hold_them() -> None:
    """So that the search above would find one."""
    counts = {cell.number for cell in list_printed_cells(whole()) if cell.number}
    for name, held in render_documents(whole(), DESK).items():
        assert numbers(extract_text(name, held)) & counts, name
    assert secrets() <= numbers(format_json(whole()))


@pytest.mark.parametrize(
    "name",
    ["report.txt", "report.html", "letter.txt", "letter.html", "letter.docx", "letter.pdf", "xlsx"],
)
def test_every_document_marks_what_is_withheld_and_says_so(name: str) -> None:
    text = " ".join(documents()[f"FOI-1.{name}"].split())
    assert WITHHELD in text
    assert "means that we are not giving this number. It is less than" in text
    assert "Not for publication" not in text
    assert "None" not in text.replace("None of these", "").replace("None:", "").replace("None.", "")


def test_rows_and_tables_have_no_number_where_it_is_withheld() -> None:
    disclosure = published().disclosure
    assert disclosure
    assert disclosure.withheld > 50
    rows = to_rows(published())
    assert sum(one["count"] is None for one in rows) == disclosure.withheld
    tables = [text for name, text in documents().items() if name.endswith(".csv")]
    shares = [
        column.compute(row, question.table)
        for question in published().questions
        for column in list_share_columns(question.table).values()
        for row in question.table.rows_and_total
    ]
    assert None in shares
    marks = sum(text.count(WITHHELD) for text in tables)
    assert marks == disclosure.withheld + shares.count(None)


def test_a_published_answer_meets_the_schema() -> None:
    found = json.loads(documents()["FOI-1.answer.json"])
    jsonschema.Draft202012Validator(build_answer_schema()).validate(found)
    assert found["disclosure"]["threshold"] == 5


def test_the_two_sets_never_take_each_others_place(tmp_path: Path) -> None:
    write_document_set(published(), tmp_path, DESK)
    assert json.loads((tmp_path / "manifest.json").read_bytes())["for_publication"] is True
    with pytest.raises(
        OutputError, match="contains a set that may be published, and the new one is"
    ):
        write_document_set(whole(), tmp_path, DESK)
    write_document_set(whole(), tmp_path, DESK, WriteOptions(force=True))
    assert json.loads((tmp_path / "manifest.json").read_bytes())["for_publication"] is False
    for name in ("FOI-1.report.txt", "FOI-1.report.html"):
        assert "Not for publication" in (tmp_path / name).read_text("utf-8")


def test_the_officers_report_names_small_numbers() -> None:
    few = [one | {"weight": 1} for one in weighted_records()[:8]]
    asked = answer(asking(["{kind: by, by: district}"]), few)
    made = {name: extract_text(name, held) for name, held in render_documents(asked, DESK).items()}
    for name in ("FOI-1.report.txt", "FOI-1.report.html"):
        assert "Small numbers to check before you publish anything" in made[name]
        assert re.search(r"Q1, \w+, Offences: [1-4]\b", made[name])
    assert "Small numbers" not in made["FOI-1.letter.txt"]


def test_a_table_of_many_terms_by_years_is_quickly_protected() -> None:
    """23 terms by 5 years, many numbers small; the release is proved before it is given."""
    terms = [f"{first}{second}word" for first in "abcde" for second in "klmno"][:23]
    dice = random.Random(3)
    many = [
        {
            "crime_ref": f"R{number}",
            "recorded_on": f"{dice.randrange(2014, 2019)}-06-01",
            "offence_code": "22B",
            "narrative": " ".join(one for place, one in enumerate(terms) if dice.random() < 0.3 / (place + 1)),
        }
        for number in range(500)
    ]  # fmt: skip
    question = f"{{kind: cross, rows: {{keywords: [{', '.join(terms)}]}}, columns: financial_year}}"
    scope = "period: {from: 2014-04-01, to: 2019-03-31}"
    asked = answer(asking([question], scope), many)
    start = time.process_time()
    found = protect_answer(asked, Policy(threshold=5)).answer
    assert time.process_time() - start < 10
    assert found.disclosure
    assert found.disclosure.withheld > 20
