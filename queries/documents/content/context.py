"""What the templates of an answer need, worked out once for all its documents.

Rows that are not zero, prose, tables cut into parts that fit a page, and the method annex.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import jinja2
import msgspec
from msgspec import Struct

from indexer.config.model import ForceSettings, Settings
from indexer.records.noun import OFFENCE, Noun
from queries.answer.cells import collect_scope_conditions
from queries.answer.present_rows import PRESENT_ONLY
from queries.answer.shares import explain_shares
from queries.answer.types import (
    NOT_COVERED,
    Answer,
    Count,
    QuestionAnswer,
    Row,
    Table,
    TermAnswer,
    UncoveredPart,
    has_marked_numbers,
    has_shortened_list,
    has_withheld_numbers,
)
from queries.disclosure.release import list_small_counts
from queries.documents.content.asked_codes import name_asked_codes, print_asked_codes
from queries.documents.content.letter.greeting import build_recipient
from queries.documents.content.letter.marks import describe_marks
from queries.documents.content.letter.notes import (
    describe_average,
    describe_overlaps,
    has_shared_note,
    select_own_notes,
)
from queries.documents.content.letter.parts import (
    describe_parts,
    format_part_title,
    make_uncovered_question,
    name_parts,
    split_paragraphs,
)
from queries.documents.content.letter.sections import (
    build_section_names,
    describe_refused_part,
    render_review_rights,
)
from queries.documents.content.letter.table_words import (
    list_outcome_numbers,
    name_records,
    print_plain_words,
)
from queries.documents.content.letter.text_blocks import TextSection, parse_text_sections
from queries.documents.content.list_texts import explain_texts, list_text_prose
from queries.documents.content.number_check import ExpectedNumbers, collect_expected_numbers
from queries.documents.content.review_text import describe_unread, list_review_prose, view_reviews
from queries.documents.content.scope_sentence import (
    describe_counted_records,
    describe_scope,
    list_wordings,
)
from queries.documents.content.templates import EscapeMode, get_environment, render_template
from queries.layout.coverage_text import (
    describe_coverage,
    describe_empty_months,
    describe_textless_months,
    explain_inferred,
    format_coverage_days,
)
from queries.layout.damage_text import describe_text_damage
from queries.layout.part_order import merge_parts
from queries.layout.printable import strip_unprintable
from queries.layout.printed_table import is_headed_by_code, omit_impossible
from queries.layout.prose import (
    describe_left_out,
    describe_near_misses,
    describe_overrides,
    explain_rounding,
    explain_unlisted,
    explain_withheld,
    format_number,
    join_list,
)
from queries.layout.table_parts import (
    LABEL_ROOM,
    LANDSCAPE_ROOM,
    PORTRAIT_ROOM,
    TablePart,
    build_single_part,
    split_table,
)
from queries.request.letter_spec import LetterSpec
from queries.spec.act import Act, load_acts
from queries.tables.axis_type import WORDS_HEADING
from queries.tables.period import format_long_date
from queries.tables.period_columns import WHOLE_HEADS


class DocumentSettings(Struct, frozen=True):
    """What documents need besides the answer.

    ``templates`` is the force's own folder of templates, if it has one. A report that is not for
    publication lists the numbers below ``flag``.
    """

    force: ForceSettings
    day: date
    templates: Path | None = None
    flag: int = 0


def make_document_settings(settings: Settings, day: date | None = None) -> DocumentSettings:
    """What documents need of a force's settings; ``day`` is the date of the letters, or today.

    Raises ConfigurationError if the force's folder of templates does not exist.
    """
    today = date.today()  # noqa: DTZ011 - a letter has the date of the office it is sent from
    return DocumentSettings(
        settings.force, day or today, settings.own_templates, settings.disclosure.flag
    )


class DocumentContext(Struct, frozen=True):
    """What all documents of one answer are made from, worked out once for the whole set.

    ``names`` are the names that a template may use; ``expected`` are the numbers that a document
    may print; ``run_at`` is the time that the files bear.
    """

    settings: DocumentSettings
    names: dict[str, Any]
    expected: ExpectedNumbers
    run_at: datetime


#: What the table of a kind shows, if "offences by" and its heading would not say it well.
_SUBJECTS: Final = {
    "linked": "{noun} linked to other offences",
    "offences": "{noun} recorded",
    "overlap": "{noun} that mention two or more of the words",
    "suspects": "Ages of suspects",
    "victims": "Ages of victims",
}


#: Kinds whose sentences do not name their rows, so that even one row is shown.
_ALWAYS_TABLED: Final = frozenset({"by", "cross", "list"})

#: A list of small numbers that is longer starts with a summary.
_LONG_LIST: Final = 20


_NO_DAYS_COVERED: Final = (
    "The records do not cover the days that this question is about, so there is no number to give."
)


class QuestionView(Struct, frozen=True):
    """A question with what its sentences and its table need.

    ``nonzero_rows`` are the requested rows that are not zero, and ``absent`` is the number of
    those that are. ``full_table`` is the table; ``parts`` and ``wide_parts`` are the same table cut
    to fit A4, portrait and landscape. ``columns`` describes the columns in full. ``note`` are
    paragraphs for below the table: what reading the records found, the texts of a list, and what
    the officer says.
    ``notes`` are those of the table, without what the letter says once for all tables. A part that
    is not ``counted`` has no table, and its sentences say why. ``average`` is how many there are
    on average in a calendar period, if the request asks for it.
    """

    answer: QuestionAnswer
    nonzero_rows: tuple[Row, ...]
    absent: int
    several: bool
    tabled: bool
    full_table: TablePart
    parts: tuple[TablePart, ...]
    wide_parts: tuple[TablePart, ...]
    columns: tuple[str, ...]
    prose: tuple[str, ...] = ()
    note: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    counted: bool = True
    noun: Noun = OFFENCE
    average: str = ""

    @property
    def found(self) -> tuple[Row, ...]:
        """The earlier name of ``nonzero_rows``, which templates of a force may use."""
        return self.nonzero_rows

    @property
    def whole(self) -> TablePart:
        """The earlier name of ``full_table``."""
        return self.full_table

    @property
    def unit(self) -> str:
        """What the first column counts, in the singular."""
        return (
            self.noun.singular if self.units == self.noun.plural else self.units.removesuffix("s")
        )

    @property
    def units(self) -> str:
        """What the first column counts, in the plural."""
        column = self.answer.table.columns[0]
        if column.label in WHOLE_HEADS:
            return self.noun.plural if column.key == "offences" else column.key
        return column.label.partition(",")[0].lower()

    @property
    def drawable(self) -> int:
        """How many rows a chart may draw: all but that of records in none of the others."""
        return sum(row.kind != "none" for row in self.answer.table.rows)

    @property
    def present_only(self) -> bool:
        """Whether terms that no record mentions were asked for and are not in the table."""
        return any(note.startswith(PRESENT_ONLY) for note in self.answer.notes)

    @property
    def total(self) -> Count:
        """The total of the first column."""
        return self.answer.table.total.counts[0]

    @property
    def title(self) -> str:
        """The question's id with its text, or else with what its table shows."""
        return format_part_title(self.answer.id, self.answer.text or self.subject)

    @property
    def caption(self) -> str:
        """What stands above its table: "Q1: Offences by keyword", "b) Ages of victims"."""
        name = self.answer.id
        return f"{name}{':' if name[-1:].isalnum() else ''} {self.subject}"

    @property
    def subject(self) -> str:
        """What the table shows: "Offences by keyword", "Victims by age and sex"."""
        if not self.counted:
            return ""
        if self.answer.kind in _SUBJECTS:
            return _SUBJECTS[self.answer.kind].format(noun=self.noun.plural.capitalize())
        return f"{self.units.capitalize()} by {self.sides}"

    @property
    def by_words(self) -> bool:
        """Whether one side of the table is the words that records mention."""
        return WORDS_HEADING in (self.answer.table.heading, self.answer.table.across)

    @property
    def other_side(self) -> str:
        """What the side of the table is that is not the words; empty if there is none."""
        table = self.answer.table
        heading = table.across if table.heading == WORDS_HEADING else table.heading
        return self._describe_side(heading) if heading else ""

    @property
    def side(self) -> str:
        """What the rows of the table are, in words: "keyword", "type of offence"; of a list, its
        fields."""
        table = self.answer.table
        return join_list([*map(self._describe_side, table.fields or (table.heading,))])

    @property
    def sides(self) -> str:
        """What the table is by, in words: "keyword", "type of offence and age of victim"."""
        across = self.answer.table.across
        return join_list([self.side, *([self._describe_side(across)] if across else [])])

    def _describe_side(self, heading: str) -> str:
        side = _lower_first(heading)
        if self.units != self.noun.plural:
            side = side.removesuffix(f" of {self.unit}")
        return f"type of {side}" if side == self.noun.singular else side


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def build_document_context(answer: Answer, settings: DocumentSettings) -> DocumentContext:
    """Work out once what the documents of an answer have in common.

    Raises ConfigurationError for a template of the method annex or of a question that is wrong.
    """
    printed_answer = print_plain_words(_omit_impossible_rows(print_asked_codes(answer)))
    return DocumentContext(
        settings=settings,
        names=_build_template_names(
            strip_unprintable(printed_answer), settings, list_outcome_numbers(answer)
        ),
        expected=collect_expected_numbers(printed_answer, settings.force),
        run_at=answer.provenance.run_at,
    )


def _omit_impossible_rows(answer: Answer) -> Answer:
    questions = tuple(
        msgspec.structs.replace(question, table=omit_impossible(question.table))
        for question in answer.questions
    )
    return msgspec.structs.replace(answer, questions=questions)


def list_small_numbers(answer: Answer, settings: DocumentSettings) -> list[str]:
    """The small numbers of an answer that is not for publication, each by its place."""
    return [] if answer.disclosure else list_small_counts(answer, settings.flag)


def summarise_small_numbers(answer: Answer, settings: DocumentSettings) -> tuple[str, ...]:
    """How many small numbers each part has, where the list of them is long; else nothing."""
    places = list_small_numbers(answer, settings)
    if len(places) <= _LONG_LIST:
        return ()
    ids = [question.id for question in answer.questions]
    owners = [
        next((name for name in ids if number.startswith(f"{name}, ")), "") for number in places
    ]
    counts = {name: owners.count(name) for name in (*ids, "")}
    lines = [f"{name or 'Elsewhere'}: {count:,}" for name, count in counts.items() if count]
    return (f"{len(places):,} in all", *lines)


def _build_template_names(
    answer: Answer, settings: DocumentSettings, outcomes: tuple[str, ...]
) -> dict[str, Any]:
    templates = settings.templates
    force = strip_unprintable(settings.force)
    force = msgspec.structs.replace(
        force,
        review=render_review_rights(force, templates),
        caveat=name_records(force.caveat, answer.noun),
    )
    letter, code_names = answer.request["letter"], name_asked_codes(answer)
    lone_date = _parse_lone_date(letter["clarified"])
    stated_date = letter.get("clarified_on")
    clarified_on = date.fromisoformat(stated_date) if stated_date else lone_date
    names = {
        "answer": answer,
        "scope": answer.scope,
        "period": describe_scope(answer.scope, code_names),
        "wordings": [wording for term in answer.scope.terms for wording in list_wordings(term)],
        "scope_words": describe_counted_records(answer.scope, answer.noun, code_names),
        "noun": answer.noun,
        "terms": _view_terms(answer),
        "forms": _list_spellings(answer),
        "outcomes": strip_unprintable(outcomes),
        "near_misses": describe_near_misses(answer.near_misses),
        "left_out": " ".join(
            filter(None, (_describe_left_out(answer), _describe_record_end(answer)))
        ),
        "coverage": describe_coverage(answer),
        "damage": describe_text_damage(answer),
        "coverage_days": format_coverage_days(answer.coverage) if answer.coverage else "",
        "coverage_inferred": explain_inferred(answer.coverage),
        "empty_months": _name_empty_months(answer),
        "questions": _view_parts(answer, templates, load_acts()[force.act]),
        "reviews": view_reviews(answer),
        "counted": bool(answer.questions),
        "body": (),
        "parts_covered": describe_parts(answer),
        "overlap_note": describe_overlaps(answer),
        **_describe_disclosure(answer, force),
        "small": tuple(list_small_numbers(answer, settings)),
        "small_by_part": summarise_small_numbers(answer, settings),
        "provenance": answer.provenance,
        "force": force,
        "day": settings.day,
        "letter": letter,
        "recipient": build_recipient(msgspec.convert(letter, LetterSpec, strict=False)),
        "received": format_long_date(date.fromisoformat(letter["received"]))
        if letter["received"]
        else "",
        "asked": split_paragraphs(letter["asked"]),
        "clarified": () if lone_date else split_paragraphs(letter["clarified"]),
        "clarified_on": format_long_date(clarified_on) if clarified_on else "",
    }
    names |= build_section_names(answer, force, templates, names["scope_words"])
    return names | _render_annexes(names, templates)


def _render_annexes(
    names: dict[str, Any], templates: Path | None
) -> dict[str, tuple[TextSection, ...]]:
    """How the figures were made: for the report, in short for the public, and for a letter without
    what it says before its annex."""
    annexes = {}
    for name in ("annex", "public_annex", "letter_annex"):
        context = {**names, "public": name != "annex", "in_letter": name == "letter_annex"}
        text = render_template("annex.j2", EscapeMode.TEXT, templates, context)
        annexes[name] = tuple(parse_text_sections(text))
    return annexes


def _parse_lone_date(text: str) -> date | None:
    """The date that a text consists of; None for any other text."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _describe_disclosure(answer: Answer, force: ForceSettings) -> dict[str, Any]:
    """What a letter says of the rule under which it was made, and the mark of one without."""
    return {
        "disclosure": answer.disclosure,
        "withheld": _explain_withholding(answer, force),
        "rounded": explain_rounding(answer.disclosure),
        "set_aside": describe_overrides(answer.disclosure),
        "draft": describe_marks(answer, force),
    }


def _explain_withholding(answer: Answer, force: ForceSettings) -> str:
    """What a withheld number or a hidden word is, and the exemption that the force relies on."""
    withheld = has_withheld_numbers(answer)
    marked = withheld and (has_marked_numbers(answer) or not has_shortened_list(answer))
    explanation = explain_withheld(answer.disclosure, any_withheld=marked)
    if withheld and has_shortened_list(answer):
        explanation = f"{explanation} {explain_unlisted(answer.disclosure)}".strip()
    explanation = f"{explanation} {explain_texts(answer)}".strip()
    return f"{explanation} {force.exemption}".strip() if explanation else ""


def _describe_left_out(answer: Answer) -> str:
    by_status = any(question.table.is_by_status for question in answer.questions)
    return describe_left_out(answer.scope.left_out, by_status=by_status)


def _describe_record_end(answer: Answer) -> str:
    """A sentence that says so if the records end before the period of the request does."""
    provenance = answer.provenance
    newest = (provenance.watermark or provenance.built_at).astimezone(UTC).date()
    end = answer.scope.period_to
    if end is None or end <= newest or (answer.coverage and answer.coverage.end < end):
        return ""
    return (
        f"The records we hold were last updated on {format_long_date(newest)}, before the end of "
        f"the period ({format_long_date(end)})."
    )


def _view_parts(answer: Answer, template_folder: Path | None, act: Act) -> list[QuestionView]:
    """All parts of the request, in the requester's order."""
    views = [_view_question(answer, question, template_folder) for question in answer.questions]
    return merge_parts(
        _say_notes_once(_say_columns_once(views)),
        [_view_uncovered(part, answer, act) for part in answer.uncovered],
        [part.position for part in answer.uncovered],
    )


def _name_empty_months(answer: Answer) -> str:
    """The months that the request is about and that have no record at all, or no text where it asks
    about terms."""
    conditions = collect_scope_conditions(answer.scope)
    sentences = [describe_empty_months(answer.coverage, conditions)]
    if answer.asks_about_terms:
        sentences.append(describe_textless_months(answer.coverage, conditions))
    return " ".join(filter(None, sentences))


def _view_uncovered(part: UncoveredPart, answer: Answer, act: Act) -> QuestionView:
    question = make_uncovered_question(part)
    letter = msgspec.convert(answer.request["letter"], LetterSpec, strict=False)
    return QuestionView(
        answer=question,
        noun=answer.noun,
        nonzero_rows=(),
        absent=0,
        several=False,
        tabled=False,
        full_table=build_single_part(question.table),
        parts=(),
        wide_parts=(),
        columns=(),
        prose=split_paragraphs(part.not_covered or describe_refused_part(part.id, letter, act)),
        counted=False,
    )


def _view_question(
    answer: Answer, question: QuestionAnswer, template_folder: Path | None
) -> QuestionView:
    table, shared = question.table, has_shared_note(answer)
    requested_rows = [row for row in table.rows if row.kind == "asked"]
    nonzero_rows = tuple(row for row in requested_rows if row.counts[0] not in (0, NOT_COVERED))
    zero_rows = [row for row in requested_rows if row.counts[0] == 0]
    # Where numbers are rounded a 0 need not be none, so sentences would not be true.
    rounded = answer.disclosure is not None and answer.disclosure.rounding > 0
    prosaic = not rounded and _has_prose(question.kind, template_folder)
    view = QuestionView(
        answer=question,
        noun=answer.noun,
        nonzero_rows=nonzero_rows,
        absent=len(zero_rows),
        several=len(requested_rows) > 1,
        tabled=not prosaic
        or sum(row.kind != "none" for row in table.rows) > 1
        or (len(table.columns) > 1 and bool(table.rows))
        or (question.kind in _ALWAYS_TABLED and _has_counted_rows(table)),
        full_table=build_single_part(table),
        parts=split_table(table, PORTRAIT_ROOM, LABEL_ROOM),
        wide_parts=split_table(table, LANDSCAPE_ROOM, LABEL_ROOM),
        columns=_describe_columns(table),
        note=(
            *list_review_prose(view_reviews(answer), question.id),
            *describe_unread(answer, question.id),
            *list_text_prose(question),
            *split_paragraphs(question.note),
            *split_paragraphs(question.not_covered),
        ),
        notes=select_own_notes(question, shared=shared),
        average=describe_average(answer, question),
    )
    if view.total == NOT_COVERED:
        return msgspec.structs.replace(view, prose=(_NO_DAYS_COVERED,))
    if not prosaic:
        return view
    name = f"questions/{question.kind}.j2"
    prose = render_template(name, EscapeMode.TEXT, template_folder, {"question": view})
    lines = tuple(" ".join(line.split()) for line in prose.splitlines() if line.strip())
    return msgspec.structs.replace(view, prose=lines)


def _has_counted_rows(table: Table) -> bool:
    """Whether a table has a row, and a total that is not none."""
    return bool(table.rows) and table.total.counts[0] != 0


def _describe_columns(table: Table) -> tuple[str, ...]:
    """A line that gives the codes of the columns, in brackets lest one be taken for a figure; or
    the names of columns that are headed by their codes."""
    described = [
        f"{column.label} ({column.description})" for column in table.columns if column.description
    ]
    kind = "Key" if any(map(is_headed_by_code, table.columns)) else "Codes"
    return (f"{kind}: {'; '.join(described)}.",) if described else ()


def _say_columns_once(views: list[QuestionView]) -> list[QuestionView]:
    """The views, of which only the first of several gives the codes of the same columns."""
    described: set[tuple[str, ...]] = set()
    shown_views = []
    for view in views:
        is_known = view.columns in described
        described.add(view.columns)
        shown_views.append(msgspec.structs.replace(view, columns=()) if is_known else view)
    return shown_views


def _say_notes_once(views: list[QuestionView]) -> list[QuestionView]:
    """The views, of which only the first gives a note that other tables of the same part of the
    request have too, or that says what a percentage is."""
    printed_keys: set[tuple[str, str]] = set()
    shown_views = []
    for view in views:
        part = view.answer.part
        keys = {note: ("", note) for note in explain_shares(view.answer.table)}
        keys = {note: (part, note) for note in view.notes if part} | keys
        notes = tuple(note for note in view.notes if keys.get(note) not in printed_keys)
        printed_keys |= set(keys.values())
        shown_views.append(msgspec.structs.replace(view, notes=notes))
    return shown_views


def _has_prose(kind: str, template_folder: Path | None) -> bool:
    """Whether a kind has a template of sentences; without one its table stands alone."""
    try:
        get_environment(EscapeMode.TEXT, template_folder).get_template(f"questions/{kind}.j2")
    except jinja2.TemplateNotFound:
        return False
    except jinja2.TemplateSyntaxError:
        return True  # reported when it is printed
    return True


def _collect_terms(answer: Answer) -> list[tuple[TermAnswer, str]]:
    """The terms of an answer, each with the parts that it is of, in words; "" for all of them.

    A term of several questions, or of the scope too, that was found in the same forms stands once,
    with the wordings of the first.
    """
    terms: dict[Any, TermAnswer] = {}
    parts: dict[Any, list[str]] = {}
    owned_terms = chain(
        (("", term) for term in answer.scope.terms),
        ((question.id, term) for question in answer.questions for term in question.terms),
    )
    for part, term in owned_terms:
        key = (term.means or term.wordings, term.forms)
        terms.setdefault(key, term)
        parts.setdefault(key, []).append(part)
    findings = Counter(means for means, _ in terms)
    return [
        (
            term,
            f" in {name_parts(parts[key])}" if findings[key[0]] > 1 and all(parts[key]) else "",
        )
        for key, term in terms.items()
    ]


def _list_spellings(answer: Answer) -> list[str]:
    """A line for each term that was found, with its spellings."""
    lines = [
        f"{join_list(list_wordings(term), 'or')}{parts_words}: {_format_spellings(term)}"
        for term, parts_words in _collect_terms(answer)
        if term.forms
    ]
    return list(dict.fromkeys(lines))


def _format_spellings(term: TermAnswer) -> str:
    return ", ".join(
        form.form if form.records is None else f"{form.form} {format_number(form.records)}"
        for form in term.forms
    )


def _is_found_as_written(term: TermAnswer) -> bool:
    """Whether a term without numbers was found in its wording alone, and is nothing but that."""
    wordings = [wording.casefold() for wording in term.wordings]
    forms = [form.form for form in term.forms if form.records is None]
    is_plain = not (term.exact or term.aliases or term.company)
    return is_plain and len(forms) == len(term.forms) and forms == wordings


class TermView(Struct, frozen=True):
    """A term as the annex describes it. A text is empty if there is nothing to say.

    ``withheld`` is true if the annex may not say whether the term occurs. ``as_written`` is true if
    it was found in its own wording alone, and nothing more is to be said of it.
    """

    wordings: str
    forms: str
    exact: bool
    aliases: str
    cooccurrences: str
    withheld: bool = False
    as_written: bool = False

    @property
    def company(self) -> str:
        """The earlier name of ``cooccurrences``, which templates of a force may use."""
        return self.cooccurrences


def _view_terms(answer: Answer) -> list[TermView]:
    is_rounded = answer.disclosure is not None and answer.disclosure.rounding > 0
    views = [
        TermView(
            wordings=join_list([f'"{wording}"' for wording in term.wordings], "or") + parts_words,
            forms=_format_spellings(term),
            exact=term.exact,
            aliases=join_list([f'"{alias}"' for alias in term.aliases], "or"),
            cooccurrences=join_list([*term.company]),
            withheld=not term.forms and (term.records is None or is_rounded),
            as_written=_is_found_as_written(term),
        )
        for term, parts_words in _collect_terms(answer)
    ]
    return list(dict.fromkeys(views))
