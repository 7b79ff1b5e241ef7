"""Tables that are wider than a page: turned where that helps, with heads as wide as may be."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date

import docx
import msgspec
import pytest

from queries.answer.types import NOT_COVERED, Answer, Column, NotedSum, QuestionAnswer, Row, Table
from queries.documents.content.context import (
    DocumentContext,
    DocumentSettings,
    build_document_context,
)
from queries.documents.content.letter.table_words import print_plain_words
from queries.documents.formats.docx import render_letter_docx
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_typst
from queries.documents.formats.report import render_report_text
from queries.layout.printed_table import turn_table
from queries.layout.table_parts import LABEL_ROOM, PORTRAIT_ROOM, split_table
from queries.layout.text_table import format_text_table
from tests.support.answers import FORCE, sample_answer

Renderer = Callable[[DocumentContext], str]

SETTINGS = DocumentSettings(FORCE, date(2018, 8, 15))

OFFENCES = (
    "Taking, permitting to be taken or making indecent photographs of children",
    "Meeting a female child following sexual grooming",
    "Engage in sexual communication with a child",
    "Exposure and voyeurism",
    "Assault with injury",
    "Burglary in a dwelling",
    "Other theft",
)


def make_cross(columns: int = 7, heading: str = "Keyword") -> Table:
    """Three words by offences; each number tells its place."""
    heads = [Column("offences", "Offences")]
    heads += [
        Column(f"c{n}", OFFENCES[n % 7] + " " * (n // 7), f"{n}A") for n in range(1, columns + 1)
    ]
    rows = tuple(
        Row(f"r{row}", label, tuple(100 * row + place for place in range(columns + 1)))
        for row, label in enumerate(("TikTok", "Snapchat", "Discord"), 1)
    )
    total = Row("total", "All offences asked about", tuple(range(900, 901 + columns)), "total")
    return Table(heading, tuple(heads), rows, total, across="Offence")


def ask(*tables: Table, kind: str = "cross", notes: tuple[str, ...] = ()) -> Answer:
    questions = tuple(
        QuestionAnswer(str(number), kind, "How many?", table, notes=notes)
        for number, table in enumerate(tables, 1)
    )
    return msgspec.structs.replace(sample_answer(3), questions=questions)


def map_counts(table: Table) -> dict[frozenset[str], object]:
    """Each number by the names of its row and column, whichever is which."""
    return {
        frozenset({row.key, column.key}): count
        for row in table.rows
        for column, count in zip(table.columns[1:], row.counts[1:], strict=True)
    }


def test_a_turned_table_has_every_number_in_its_place() -> None:
    table = make_cross()
    turned = turn_table(table)
    assert map_counts(turned) == map_counts(table)
    assert turned.total.counts == (900, 100, 200, 300)
    assert [row.counts[0] for row in turned.rows] == list(table.total.counts[1:])
    assert (turned.heading, turned.across) == ("Offence", "Keyword")
    again = turn_table(turned)
    assert [row.counts for row in again.rows_and_total] == [
        row.counts for row in table.rows_and_total
    ]


def test_a_table_too_wide_for_a_page_is_turned_with_what_its_notes_say() -> None:
    answer = ask(make_cross(), notes=("The rows add up to 9, more than the columns.",))
    (question,) = print_plain_words(answer).questions
    assert [column.label for column in question.table.columns] == [
        "Offences", "TikTok", "Snapchat", "Discord",
    ]  # fmt: skip
    assert question.table.rows[0].codes == ("1A",)
    assert question.notes == ("The columns add up to 9, more than the rows.",)
    (view,) = build_document_context(answer, SETTINGS).names["questions"]
    assert len(view.parts) == 1
    assert answer.questions[0].table.heading == "Keyword"


@pytest.mark.parametrize(
    ("table", "kind"),
    [(make_cross(2), "cross"), (make_cross(), "keywords")],
    ids=["fits", "has sentences about its rows"],
)
def test_other_tables_stay_as_they_are(table: Table, kind: str) -> None:
    (question,) = print_plain_words(ask(table, kind=kind)).questions
    assert question.table.heading == "Keyword"


def test_the_note_on_sums_follows_a_turned_table() -> None:
    noted = NotedSum(9_000, 900)
    base = ask(make_cross(), make_cross(), notes=(f"The rows {noted.text}, because of a reason.",))
    questions = tuple(
        msgspec.structs.replace(question, sums=(noted,)) for question in base.questions
    )
    answer = msgspec.structs.replace(base, questions=questions)
    letter = " ".join(render_letter_text(build_document_context(answer, SETTINGS)).split())
    assert "The columns of the tables of parts 1 and 2 add up to more" in letter


def test_codes_of_the_same_columns_are_given_once() -> None:
    answer = ask(make_cross(), make_cross(), kind="keywords")
    source = render_letter_typst(build_document_context(answer, SETTINGS))
    assert source.count("Key: ") == 1


def test_heads_in_text_use_the_room_beside_short_labels() -> None:
    columns = tuple(
        Column(name, label)
        for name, label in (
            ("victims", "Victims"),
            ("a", "11 and under"),
            ("b", "12 to 15"),
            ("c", "16 and over"),
            ("d", "Age not known"),
        )
    )
    rows = (Row("F", "Female", (1, 2, 3, 4, 5)), Row("M", "Male", (1, 2, 3, 4, 5)))
    total = Row("total", "All victims", (2, 4, 6, 8, 10), "total")
    head = format_text_table(Table("Sex", columns, rows, total)).splitlines()[0]
    for column in columns:
        assert column.label in head


def test_a_cell_that_is_not_covered_takes_one_line_in_word() -> None:
    columns = tuple(Column(f"c{n}", f"{2000 + n}/{n + 1:02}") for n in range(3))
    rows = (Row("r", "A label that is long enough for two lines", (NOT_COVERED, 1, 2)),) * 2
    total = Row("total", "All offences asked about", (NOT_COVERED, 2, 4), "total")
    answer = ask(Table("Offence", columns, rows, total), kind="new")
    document = docx.Document(
        io.BytesIO(render_letter_docx(build_document_context(answer, SETTINGS)))
    )
    (table,) = document.tables
    # A letter takes 2 mm, or 72,000 EMU.
    assert table.rows[1].cells[1].width >= len(NOT_COVERED) * 72_000


def test_what_belongs_together_stays_on_a_page() -> None:
    context = build_document_context(ask(make_cross()), SETTINGS)
    source = render_letter_typst(context)
    assert "#set table.cell(breakable: false)" in source
    assert '#block(breakable: false, above: 1.6em)[\n== #"Where the figures come from";' in source
    document = docx.Document(io.BytesIO(render_letter_docx(context)))
    items = [
        line for line in document.paragraphs if line.style and line.style.name == "List Bullet"
    ]
    assert items[-2].paragraph_format.keep_with_next
    assert not items[-1].paragraph_format.keep_with_next
    (name,) = (line for line in document.paragraphs if FORCE.signatory in line.text)
    assert name.paragraph_format.keep_together
    assert not name.paragraph_format.keep_with_next


@pytest.mark.parametrize(
    "renderer",
    [render_letter_text, render_letter_html, render_letter_typst, render_report_text],
)
def test_columns_with_long_names_are_headed_by_their_codes(renderer: Renderer) -> None:
    """A head of ten lines helps nobody; the names are in a key below the table."""
    table = make_cross(2)
    long_name, short_name = f"{OFFENCES[0]} or pseudo-photographs", "Other theft"
    columns = (
        table.columns[0],
        Column("c1", long_name, "86/2"),
        Column("c2", short_name, "49, 50"),
    )
    answer = ask(msgspec.structs.replace(table, columns=columns), kind="keywords")
    words = " ".join(renderer(build_document_context(answer, SETTINGS)).split())
    assert f"Key: Code 86/2 ({long_name}); Codes 49, 50 ({short_name})." in words
    assert words.count(long_name) == 1
    assert answer.questions[0].table.columns[1].label == long_name
    short = ask(
        msgspec.structs.replace(table, columns=(columns[0], columns[2], columns[2])),
        kind="keywords",
    )
    words = renderer(build_document_context(short, SETTINGS))
    assert "Code 49" not in words
    assert "Key" not in words.replace("Keyword", "")


@pytest.mark.parametrize(
    ("rows", "label", "is_whole"),
    [(12, "May", True), (19, "May", True), (20, "May", False), (12, OFFENCES[0] * 3, False)],
)
def test_a_table_of_half_a_page_stays_on_one_page_by_its_lines(
    *, rows: int, label: str, is_whole: bool
) -> None:
    """The months of a year are kept whole, and 12 rows of names of several lines are not."""
    total = Row("total", "All offences", (99,), "total")
    lines = tuple(Row(f"r{row}", label, (row,)) for row in range(rows))
    table = Table("Day", (Column("offences", "Offences"),), lines, total)
    (part,) = split_table(table, PORTRAIT_ROOM, LABEL_ROOM)
    assert part.whole is is_whole
    letter = render_letter_docx(build_document_context(ask(table, kind="new"), SETTINGS))
    (printed,) = docx.Document(io.BytesIO(letter)).tables
    kept = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in printed.rows]
    assert all(kept[:-1]) is is_whole
