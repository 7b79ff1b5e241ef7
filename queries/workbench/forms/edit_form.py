"""A request as a form: the values of its fields, and the changes that a form that was sent makes.

A part that the form cannot show as it is has no field, and is left as it is. A field that comes
back as it was shown changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from queries.workbench.forms.confirm_boxes import CONFIRM, ConfirmBox, read_confirm, show_confirm
from queries.workbench.forms.file_text import REMOVED
from queries.workbench.forms.letter_sections import (
    SECTIONS,
    SectionForm,
    add_section,
    fill_sections,
    read_sections,
    show_sections,
)
from queries.workbench.forms.question_fields import (
    QuestionForm,
    change_kind,
    read_question,
    show_question,
)
from queries.workbench.forms.question_kinds import ALL_KINDS
from queries.workbench.forms.value_lines import (
    CONDITIONS,
    LISTS,
    OFFENCES,
    PERIODS,
    TERMS,
    LineError,
    LineStyle,
    MapStyle,
)

#: The keys of a request that are one line of text, and those of its letter.
_TEXT_KEYS: Final[tuple[str, ...]] = ("reference", "title")

_LETTER_KEYS: Final[tuple[str, ...]] = ("to", "received", "outcome")

_LINE_KEYS: Final[dict[str, LineStyle | MapStyle]] = {
    "mentions": TERMS,
    "offences": OFFENCES,
    "where": CONDITIONS,
    "lists": LISTS,
}

_PERIODS: Final = "periods"

#: What stays as it is, in words, by its key.
_KEPT: Final = {
    "where": "other conditions (where)",
    "lists": "lists of words (lists)",
    "disclosure": "the rule for publication (disclosure)",
    CONFIRM: "what is to be confirmed (confirm)",
    "review": "when a record is relevant (review)",
    "periods": "the periods",
    "mentions": "the words that a record must mention (mentions)",
    "offences": "the offences",
}


class EditForm(Struct, frozen=True):
    """The fields of a request with their values, its questions, and what the form does not show."""

    values: dict[str, str]
    questions: tuple[QuestionForm, ...]
    hidden_keys: tuple[str, ...] = ()
    confirm: tuple[ConfirmBox, ...] = ()
    sections: tuple[SectionForm, ...] = ()


class FormChanges(Struct, frozen=True):
    """What a form changes in a request file, and what is wrong with it, by field."""

    keys: dict[str, Any]
    questions: dict[int, Any]
    problems: dict[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return not (self.keys or self.questions)


def show_request(request: Mapping[str, Any]) -> EditForm:
    """The form of a request, whose values are as ``parse_yaml`` reads them."""
    values = {key: _show_text(request.get(key)) for key in _TEXT_KEYS}
    letter = request.get("letter")
    letter = letter if isinstance(letter, dict) else {}
    values |= {key: _show_text(letter.get(key)) for key in _LETTER_KEYS}
    shown = {_PERIODS: _show_periods(request)}
    shown |= {key: style.write_lines(request.get(key, [])) for key, style in _LINE_KEYS.items()}
    values |= {key: text for key, text in shown.items() if text is not None}
    written = request.get("questions")
    questions = [
        show_question(position, question)
        for position, question in enumerate(written if isinstance(written, list) else [])
    ]
    confirm = show_confirm(request.get(CONFIRM, []))
    known_keys = {*_TEXT_KEYS, *_LINE_KEYS, "period", _PERIODS, "letter", "questions"}
    known_keys |= {CONFIRM} if confirm is not None else set()
    hidden_keys = [key for key in request if key not in known_keys]
    hidden_keys += [key for key, text in shown.items() if text is None]
    sections = show_sections(letter.get(SECTIONS, []))
    shown_keys = {*_LETTER_KEYS, *([] if sections is None else [SECTIONS])}
    rest = [key for key in letter if key not in shown_keys]
    words = [_KEPT.get(key, key) for key in hidden_keys]
    words += [f"of the letter: {', '.join(rest)}"] if rest else []
    words += [
        f"of {form.id}: {', '.join(form.hidden_keys)}" for form in questions if form.hidden_keys
    ]
    return EditForm(values, tuple(questions), tuple(words), confirm or (), sections or ())


def fill_form(form: EditForm, sent: Mapping[str, str]) -> EditForm:
    """The form with what was sent in its fields, and the questions that were added."""
    values = {key: sent.get(key, value).strip() for key, value in form.values.items()}
    questions = [_fill_question(question, sent) for question in form.questions]
    confirm = tuple(replace(box, is_ticked=box.field in sent) for box in form.confirm)
    return EditForm(
        values,
        (*questions, *_list_added(form, sent)),
        form.hidden_keys,
        confirm,
        fill_sections(form.sections, sent),
    )


def _fill_question(question: QuestionForm, sent: Mapping[str, str]) -> QuestionForm:
    """A question with what was sent of it, which may be of another kind by now."""
    if sent.get(question.field("id")) != question.id:  # another one had its place
        return question
    kind = sent.get(question.field("kind"), "")
    if kind != question.kind:
        if kind not in ALL_KINDS:
            return question
        question = change_kind(question, kind)
    values = {key: sent.get(question.field(key), "").strip() for key in question.values}
    return replace(question, values=values, is_removed=question.field("remove") in sent)


def read_changes(
    request: Mapping[str, Any], form: EditForm, sent: Mapping[str, str]
) -> FormChanges:
    """What a form that was sent changes in a request, whose own form is ``form``."""
    keys: dict[str, Any] = {}
    questions: dict[int, Any] = {}
    problems: dict[str, str] = {}
    filled = fill_form(form, sent)
    changed = {key: value for key, value in filled.values.items() if value != form.values[key]}
    for key in [key for key in _TEXT_KEYS if key in changed]:
        keys[key] = changed[key]
        if not changed[key]:
            problems[key] = f"Enter the {'subject' if key == 'title' else key} of the request"
    letter: dict[str, Any] = {key: changed[key] for key in _LETTER_KEYS if key in changed}
    if filled.sections != form.sections:
        letter[SECTIONS], wrong = read_sections(filled.sections)
        problems |= wrong
    if letter:
        keys["letter"] = _change_letter(request, letter)
    for key in [key for key in (_PERIODS, *_LINE_KEYS) if key in changed]:
        _read_lines(key, changed[key], keys, problems)
    if any(box.is_ticked for box in filled.confirm):
        keys[CONFIRM] = read_confirm(request[CONFIRM], sent)
    for number, question in enumerate(filled.questions):
        before = form.questions[number] if number < len(form.questions) else None
        if question.is_removed:
            questions[question.position] = REMOVED
        elif before is None or (question.kind, question.values) != (before.kind, before.values):
            original = request["questions"][question.position] if before else None
            value, wrong = read_question(question, before, original)
            questions[question.position] = value
            problems |= wrong
    return FormChanges(keys, questions, problems)


def add_question(form: EditForm, kind: str) -> EditForm:
    """The form with an empty question of a kind after the others."""
    used = {question.id for question in form.questions}
    number = next(number for number in range(1, len(used) + 2) if f"Q{number}" not in used)
    position = max((question.position for question in form.questions), default=-1) + 1
    question = show_question(position, {"id": f"Q{number}", "kind": kind})
    return replace(form, questions=(*form.questions, question))


def change_question(form: EditForm, position: int, kind: str) -> EditForm:
    """The form with another kind of the question at a place; what every kind has stays."""
    questions = [
        change_kind(question, kind) if question.position == position else question
        for question in form.questions
    ]
    return replace(form, questions=tuple(questions))


def add_letter_section(form: EditForm) -> EditForm:
    """The form with an empty section of the letter after the others."""
    return replace(form, sections=add_section(form.sections))


def _show_text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _show_periods(request: Mapping[str, Any]) -> str | None:
    if "period" in request:
        return PERIODS.write_lines([request["period"]])
    return PERIODS.write_lines(request.get(_PERIODS, []))


def _read_lines(key: str, text: str, keys: dict[str, Any], problems: dict[str, str]) -> None:
    try:
        values: Any = _LINE_KEYS.get(key, PERIODS).read_lines(text)
    except LineError as error:
        problems[key] = str(error)
        return
    if key != _PERIODS:
        keys[key] = values or REMOVED
        return
    keys["period"] = values[0] if len(values) == 1 else REMOVED
    keys[_PERIODS] = values if len(values) > 1 else REMOVED


def _change_letter(request: Mapping[str, Any], changed: Mapping[str, Any]) -> Any:
    letter = request.get("letter")
    merged = {**(letter if isinstance(letter, dict) else {}), **changed}
    return {
        key: value for key, value in merged.items() if value and value is not REMOVED
    } or REMOVED


def _list_added(form: EditForm, sent: Mapping[str, str]) -> Iterator[QuestionForm]:
    position = max((question.position for question in form.questions), default=-1) + 1
    names = {question.id for question in form.questions}
    while f"q{position}-kind" in sent:
        kind, name = sent[f"q{position}-kind"], sent.get(f"q{position}-id", "")
        question = show_question(position, {"id": name[:20], "kind": kind})
        values = {key: sent.get(question.field(key), "").strip() for key in question.values}
        if question.field("remove") not in sent and name not in names:
            yield QuestionForm(question.id, question.kind, values, position)
        position += 1
