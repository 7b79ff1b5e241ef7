"""Rendering: the words of numbers, tables, and letters compared whole."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest
from jsonschema import Draft202012Validator

from indexer.records.damage.kinds import TextDamage
from queries.answer.types import (
    Row,
    TermAnswer,
    build_answer_schema,
    format_json,
)
from queries.documents.content.context import DocumentSettings, build_document_context
from queries.documents.content.letter.notices import NOTICE_KINDS, build_notice_context
from queries.documents.formats.letter import render_letter_html, render_letter_text
from queries.documents.formats.pdf import render_letter_typst
from queries.documents.formats.report import render_report_html, render_report_text
from queries.documents.specimen import build_specimen_answer, build_specimen_request
from queries.layout.prose import format_count
from queries.layout.table_parts import LABEL_ROOM, LANDSCAPE_ROOM, PORTRAIT_ROOM, split_table
from queries.layout.text_table import PAGE_WIDTH, wrap_paragraph
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, to_mention
from tests.support.answers import FORCE, hostile, sample_answer, tabled, wide
from tests.support.paths import ROOT
from tests.support.rendered import rendered

GOLDEN = ROOT / "tests" / "data" / "golden"


@pytest.mark.parametrize("records", [0, 1, 1234], ids=["none", "one", "many"])
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
def test_outputs_are_as_they_were_agreed(
    records: int, renderer: object, ending: str, request: pytest.FixtureRequest
) -> None:
    """Rewrite the golden files with --regolden, and read every change."""
    assert callable(renderer)
    text = rendered(renderer, sample_answer(records), FORCE, date(2018, 8, 15))
    path = GOLDEN / f"{records}.{ending}"
    if request.config.getoption("--regolden"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "renderer", [render_letter_text, render_letter_html, render_letter_typst, render_report_html]
)
def test_every_document_says_that_text_was_repaired_or_is_damaged(
    renderer: Callable[..., str],
) -> None:
    answer = sample_answer(100)
    damage = TextDamage(
        repair=("html",), damaged=2, kinds={"control": 2}, repaired=7, repaired_kinds={"html": 7}
    )
    provenance = msgspec.structs.replace(answer.provenance, damage=damage)
    damaged = msgspec.structs.replace(answer, provenance=provenance)
    sentences = ("text was repaired before counting in 7 of the", "Text is damaged in 2 of the")
    day = date(2018, 8, 15)
    for sentence in sentences:
        assert sentence in " ".join(rendered(renderer, damaged, FORCE, day).split())
        assert sentence not in " ".join(rendered(renderer, answer, FORCE, day).split())


def test_a_report_in_text_says_of_damage_in_paragraphs_of_their_own() -> None:
    answer = sample_answer(100)
    damage = TextDamage(repair=("html",), repaired=7, repaired_kinds={"html": 7})
    provenance = msgspec.structs.replace(answer.provenance, damage=damage)
    damaged = msgspec.structs.replace(answer, provenance=provenance)
    lines = rendered(render_report_text, damaged, FORCE, date(2018, 8, 15)).split("\n")
    (place,) = [number for number, line in enumerate(lines) if "Damaged text was" in line]
    assert lines[place - 1].startswith("  foidex ")
    assert lines[place].startswith("  Damaged text was repaired before counting in 7 of the ")


@pytest.mark.parametrize("renderer", [render_letter_typst, render_report_html])
def test_the_annex_names_the_kinds_of_wording_that_were_searched_for(
    renderer: Callable[..., str],
) -> None:
    """An answer of the first format was searched for two kinds only."""
    answer = sample_answer(1)
    first_kinds = "We searched for similar wording (another ending, a spelling mistake"
    first = msgspec.structs.replace(answer, format="foidex-answer/1")
    assert f"{first_kinds}) and found none" in rendered(renderer, first, FORCE, date(2018, 8, 15))
    text = rendered(renderer, answer, FORCE, date(2018, 8, 15))
    assert f"{first_kinds}, letters written apart, a missing space, other accents or " in text
    assert "punctuation, or a term broken across two pages) and found none" in text


@pytest.mark.parametrize(
    ("renderer", "ending"),
    [
        (render_letter_text, "letter.txt"),
        (render_letter_html, "letter.html"),
        (render_report_html, "report.html"),
        (render_letter_typst, "letter.typ"),
    ],
)  # fmt: skip
def test_a_wide_table_is_as_it_was_agreed(
    renderer: Callable[..., str], ending: str, request: pytest.FixtureRequest
) -> None:
    """A kind of question without sentences: 23 rows, 24 columns, counts not given."""
    text = rendered(renderer, tabled(sample_answer(1234), wide(23, 24)), FORCE, date(2018, 8, 15))
    path = GOLDEN / f"wide.{ending}"
    if request.config.getoption("--regolden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("columns", [1, 5, 24])
def test_every_column_of_a_cut_table_stands_once_and_in_order(columns: int) -> None:
    table = wide(23, columns)
    for room in (PORTRAIT_ROOM, LANDSCAPE_ROOM):
        parts = split_table(table, room)
        assert [head for part in parts for head in part.heads] == [
            column.label for column in table.columns
        ]
        for place, row in enumerate((*table.rows, table.total)):
            cells = [cell for part in parts for cell in part.lines[place].cells]
            assert cells == ["[c]" if count is None else f"{count:,}" for count in row.counts]
            assert {part.lines[place].label for part in parts} == {row.label}


def test_a_part_of_a_table_fits_its_room() -> None:
    for part in split_table(wide(23, 24), PORTRAIT_ROOM):
        assert sum(2 + len(head) for head in part.heads) <= PORTRAIT_ROOM


def test_the_columns_of_a_period_stay_together() -> None:
    keys = [name if at is None else f"{name}@{at}" for at in (None, 0, 1, 2) for name in "abc"]
    table = wide(5, len(keys))
    columns = (
        msgspec.structs.replace(column, key=key)
        for column, key in zip(table.columns, keys, strict=True)
    )
    table = msgspec.structs.replace(table, columns=tuple(columns))
    assert [part.last for part in split_table(table, 40)] == [3, 6, 9, 12]
    assert [part.last for part in split_table(table, 80)] == [6, 12]
    # Less than one of them takes: cut where it must be.
    assert [part.last for part in split_table(table, 25)] == [2, 4, 6, 8, 10, 12]


def test_figures_have_the_room_they_need_beside_short_labels() -> None:
    table = msgspec.structs.replace(wide(4, 8), rows=wide(4, 8).rows[1:])
    for part in split_table(table, PORTRAIT_ROOM, LABEL_ROOM):
        labels, *figures = part.shares
        assert labels >= max(len(line.name) for line in part.lines)
        assert sum(part.shares) <= PORTRAIT_ROOM + LABEL_ROOM
        for place, head in enumerate(part.heads):
            cells = (line.cells[place] for line in part.lines)
            assert figures[place] > max(map(len, (*head.split(), *cells)))


def test_what_records_must_have_is_said_in_a_sentence() -> None:
    base = sample_answer(1)
    term = TermAnswer(("account",), 1, (), company=('"device" within 12 words', '"phone"'))
    conditions = ("the district is North or South", "the outcome is 14")
    scope = msgspec.structs.replace(base.scope, conditions=conditions, terms=(term,))
    answer = msgspec.structs.replace(base, scope=scope)
    said = (
        "recorded from 1 April 2017 to 31 March 2018, where the district is North or South and the "
        'outcome is 14, and where the record mentions "account" (only if it also mentions "device" within '
        '12 words and "phone")'
    )
    for renderer in (render_letter_text, render_report_text):
        assert said in " ".join(rendered(renderer, answer, FORCE, date(2018, 8, 15)).split())


def test_the_codes_that_are_counted_are_named() -> None:
    base = sample_answer(1)
    rows = (Row("0", "One", (1,), codes=("22B", "21")), Row("1", "Two", (0,), codes=("88/1",)))
    answer = msgspec.structs.replace(base, scope=msgspec.structs.replace(base.scope, offences=rows))
    for renderer in (render_letter_text, render_letter_html, render_report_text):
        text = " ".join(rendered(renderer, answer, FORCE, date(2018, 8, 15)).split())
        assert (
            "recorded from 1 April 2017 to 31 March 2018 under the codes 22B, 21 and 88/1" in text
        )


@pytest.mark.parametrize(
    ("changed", "told"), [(date(2018, 3, 30), True), (date(2018, 3, 31), False)]
)
def test_records_that_end_before_the_period_does_are_told(changed: date, told: bool) -> None:  # noqa: FBT001
    base = sample_answer(1)
    next_day = changed + timedelta(days=1)  # in the zone of the source, an hour ahead
    watermark = datetime(
        next_day.year, next_day.month, next_day.day, 0, 30, tzinfo=timezone(timedelta(hours=1))
    )
    provenance = msgspec.structs.replace(base.provenance, watermark=watermark)
    answer = msgspec.structs.replace(base, provenance=provenance)
    said = (
        "The records we hold were last updated on 30 March 2018, before the end of the period "
        "(31 March 2018)."
    )
    for renderer in (render_letter_text, render_letter_html, render_report_text):
        assert (
            said in " ".join(rendered(renderer, answer, FORCE, date(2018, 8, 15)).split())
        ) == told


def test_a_term_in_company_is_named_with_it() -> None:
    wording = TermSpec(
        "Hinge", cooccurrences=(CooccurrenceSpec("app", 1), "phone"), variants="none"
    )
    label = to_mention(wording).label
    assert label == 'Hinge (with "app" within 1 word, with "phone", exactly so written)'


def test_a_line_is_not_broken_where_a_variant_is_written() -> None:
    lines = wrap_paragraph(" ".join(["live-streaming"] * 40)).splitlines()
    assert not any(line.endswith("-") for line in lines)


def test_html_escapes_what_the_force_and_the_requester_wrote() -> None:
    text = rendered(render_letter_html, sample_answer(1), FORCE, date(2018, 8, 15))
    assert "Example &lt;Constabulary&gt;" in text
    assert "A &lt;request&gt; &amp; its answer" in text


def test_text_keeps_to_the_page() -> None:
    for renderer in (render_letter_text, render_report_text):
        text = rendered(renderer, sample_answer(1234), FORCE, date(2018, 8, 15))
        text += rendered(renderer, tabled(sample_answer(1), wide(60, 30)), FORCE, date(2018, 8, 15))
        text += rendered(renderer, hostile(sample_answer(1)), FORCE, date(2018, 8, 15))
        assert max(map(len, text.splitlines())) <= PAGE_WIDTH


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "no offences"), (1, "one offence"), (10, "ten offences"), (11, "11 offences"), (1234, "1,234 offences")],
)  # fmt: skip
def test_numbers_and_their_nouns_agree(value: int, words: str) -> None:
    assert format_count(value, "offence") == words


def test_the_published_schema_is_that_of_the_code() -> None:
    published = msgspec.json.decode((ROOT / "queries" / "answer.schema.json").read_bytes())
    assert published == msgspec.json.decode(msgspec.json.encode(build_answer_schema()))


def test_an_answer_keeps_to_its_schema() -> None:
    Draft202012Validator.check_schema(build_answer_schema())
    Draft202012Validator(build_answer_schema()).validate(
        msgspec.json.decode(format_json(sample_answer(1234)))
    )


def test_every_kind_of_question_has_its_template() -> None:
    from queries.questions import load_question_kinds

    folder = ROOT / "templates" / "questions"
    assert {path.name.removesuffix(".j2") for path in folder.glob("*.j2")} == set(
        load_question_kinds()
    )


def test_templates_do_no_arithmetic_and_no_sorting() -> None:
    for path in (ROOT / "templates").rglob("*.j2"):
        tags = re.findall(r"{[{%].*?[%}]}", path.read_text(encoding="utf-8"), re.DOTALL)
        code = " ".join(re.sub(r'"[^"]*"', "", tag) for tag in tags)
        assert not re.search(r"\| *(?:sort|sum|round|batch)\b| [*/+-] | // ", code), path


@pytest.mark.parametrize("act", ["uk", "scotland"])
@pytest.mark.parametrize(
    "kind", ["refusal", "part", "acknowledgement", "clarification", "extension", "review"]
)
def test_letters_that_are_not_only_figures_are_as_they_were_agreed(
    kind: str, act: str, request: pytest.FixtureRequest
) -> None:
    if (kind, act) == ("extension", "scotland"):
        return  # there is no such letter
    settings = DocumentSettings(msgspec.structs.replace(FORCE, act=act), date(2026, 1, 6))
    if kind in {"refusal", "part"}:
        answer = build_specimen_answer(settings.force, refused=kind == "refusal")
        context = build_document_context(answer, settings)
    else:
        assert kind in NOTICE_KINDS
        specimen = build_specimen_request(settings.force)
        context = build_notice_context(specimen, kind, settings)
    text = render_letter_text(context)
    path = GOLDEN / f"{kind}.{act}.letter.txt"
    if request.config.getoption("--regolden"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_golden_folder_holds_nothing_else() -> None:
    # Three answers, a wide table, a reviewed answer, a list with texts, and letters before and
    # after an answer.
    files = [path for path in Path(GOLDEN).iterdir() if path.is_file()]
    assert len(files) == 3 * 5 + 4 + 5 + 4 + 2 * 6 - 1
