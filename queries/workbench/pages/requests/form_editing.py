"""The page that changes a request by form: what it asks, offences found by words, its questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError, RequestError
from indexer.records.offences.lookup import OffenceLookup, find_offences
from queries.spec.yaml_text import parse_yaml
from queries.workbench.error_text import describe_error
from queries.workbench.files.request_files import EditConflictError, MissingError, RequestFile
from queries.workbench.forms.edit_form import (
    EditForm,
    FormChanges,
    add_letter_section,
    add_question,
    change_question,
    fill_form,
    read_changes,
    show_request,
)
from queries.workbench.forms.file_text import change_text
from queries.workbench.forms.letter_sections import SECTION_FIELDS
from queries.workbench.forms.question_kinds import (
    ALL_KINDS,
    COUNT_NAMES,
    EACH_NAMES,
    FIELD_NAMES,
    QUESTION_KINDS,
    SHARE_NAMES,
    SIDE_NAMES,
)
from queries.workbench.forms.value_lines import CONDITIONS, LISTS, OFFENCES, PERIODS, TERMS
from queries.workbench.pages.answers.wording import start_wording_check
from queries.workbench.saving import save_file
from queries.workbench.visit import Visit, redirect

_TAKE = "take-"

_CHANGE = "change-"

#: The buttons that save.
_SAVING = ("save", "check")

_UNCOUNTED = "no figures"

#: What can be added: a question of a kind, or a part without figures.
ADDED_KINDS: Final = {
    **{name: kind.label for name, kind in QUESTION_KINDS.items()},
    _UNCOUNTED: "A part without figures, and why",
}

_MAX_CODES = 30


def show_form(visit: Visit) -> Response:
    """The form of a request. One that cannot be read as a file of keys is changed as text."""
    file = visit.open_file()
    try:
        request = _read_values(file)
    except RequestError:
        return redirect(f"/requests/{file.name}/edit")
    return _render(visit, file, show_request(request))


def submit_form(visit: Visit) -> Response:
    """Save the form, or show it again: with offences that were looked up, or one more question."""
    file = visit.open_file()
    request = _read_values(file)
    form = show_request(request)
    filled = fill_form(form, visit.form)
    if visit.form.get("version", "") != file.version and not _is_saved(visit, request, form):
        return _show_conflict(visit, file, filled)
    action = _find_action(visit.form)
    if action == "find":
        words = visit.form.get("find_words", "").strip()
        lookup = find_offences(words[:200], _MAX_CODES) if words else None
        return _render(visit, file, filled, FormOutcome(lookup=lookup))
    if action in _SAVING:
        return _save(visit, file, read_changes(request, form, visit.form), filled)
    return _render(visit, file, _extend_form(filled, action, visit.form))


def _extend_form(form: EditForm, action: str, sent: Mapping[str, str]) -> EditForm:
    """The form with what a button adds to it or changes in it; nothing is saved."""
    kind = sent.get("new_kind", "")
    match action:
        case "take":
            return _take_offences(form, sent)
        case "add" if kind in ADDED_KINDS:
            return add_question(form, "" if kind == _UNCOUNTED else kind)
        case "section":
            return add_letter_section(form)
    position = action.removeprefix(_CHANGE)
    kind = sent.get(f"q{position}-new_kind", _UNCOUNTED)
    if position.isdecimal() and kind in ALL_KINDS:
        return change_question(form, int(position), kind)
    return form


def _find_action(form: Mapping[str, str]) -> str:
    """What a form asks for. The key Enter looks an offence up if words of one are there."""
    action = form.get("do", "save")
    if action != "enter":
        return action
    return "find" if form.get("find_words", "").strip() else "save"


def _is_saved(visit: Visit, request: Mapping[str, Any], form: EditForm) -> bool:
    """Whether the request says already what is sent, as when a form is sent twice."""
    if _find_action(visit.form) not in _SAVING:
        return False
    changes = read_changes(request, form, visit.form)
    return changes.is_empty and not changes.problems


def _save(visit: Visit, file: RequestFile, changes: FormChanges, filled: EditForm) -> Response:
    if changes.problems:
        return _render(visit, file, filled, FormOutcome(422, changes.problems))
    try:
        if not changes.is_empty:
            text = change_text(file.text, changes.keys, changes.questions)
            save_file(visit, file.name, text, file.version, visit.find_reference(file.name))
    except MissingError:
        raise
    except EditConflictError as error:
        return _show_conflict(visit, error.current, filled)
    except FoidexError as error:
        return _render(visit, file, filled, FormOutcome(422, general=describe_error(error)))
    if visit.form.get("do") != "check":
        return redirect(f"/requests/{file.name}")
    try:
        start_wording_check(visit, file.name)
    except RequestError:  # it is saved, and its page says what is wrong and leads on
        return redirect(f"/requests/{file.name}")
    return redirect(f"/requests/{file.name}/wording")


def _read_values(file: RequestFile) -> Mapping[str, Any]:
    value = parse_yaml(file.text, file.name).value
    if not isinstance(value, dict):
        raise RequestError(f"{file.name}: is not a list of keys, such as title: and questions:.")
    return value


#: What the letter says of the whole request, by the value of the key.
OUTCOME_NAMES: Final = {
    "": "As its parts say",
    "answered": "Answered in full",
    "part": "Answered in part",
    "refused": "Refused",
}


class FormOutcome(Struct, frozen=True):
    """What came of a form: what is wrong by field and in all, offences that were looked up, and
    what someone else saved meanwhile."""

    status: int = 200
    problems: Mapping[str, str] = {}
    general: str = ""
    lookup: OffenceLookup | None = None
    conflict: RequestFile | None = None


_FINE: Final = FormOutcome()


def _render(
    visit: Visit, file: RequestFile, form: EditForm, outcome: FormOutcome = _FINE
) -> Response:
    values = {**form.values, "find_words": visit.form.get("find_words", ""), "new_kind": ""}
    for question in form.questions:
        values |= {question.field(key): value for key, value in question.values.items()}
        values[question.field("new_kind")] = question.kind
        values[question.field("remove")] = "on" if question.is_removed else ""
    for section in form.sections:
        values |= {section.field(key): value for key, value in section.values.items()}
        values[section.field("remove")] = "on" if section.is_removed else ""
    categories = {name: name for name in visit.session.settings.categories}
    names = {"": "Choose"} | FIELD_NAMES | categories
    return visit.render(
        "edit_form.html",
        outcome.status,
        file=file,
        form=form,
        values=values,
        problems=outcome.problems,
        general=outcome.general,
        lookup=outcome.lookup,
        conflict=outcome.conflict,
        typed=_list_typed(visit.form) if outcome.conflict else [],
        kinds=QUESTION_KINDS,
        kind_names={"": "Choose"} | ADDED_KINDS,
        all_kinds=ALL_KINDS,
        shares=SHARE_NAMES,
        section_fields=SECTION_FIELDS,
        outcomes=OUTCOME_NAMES,
        field_names=names,
        sides=names | SIDE_NAMES,
        each=names | EACH_NAMES,
        counts=COUNT_NAMES,
        hints={
            "periods": PERIODS.hint,
            "terms": TERMS.hint,
            "offences": OFFENCES.hint,
            "where": CONDITIONS.hint,
            "lists": LISTS.hint,
        },
    )


def _show_conflict(visit: Visit, current: RequestFile, filled: EditForm) -> Response:
    return _render(visit, current, filled, FormOutcome(409, conflict=current))


def _list_typed(form: Mapping[str, str]) -> list[tuple[str, str]]:
    names = ("version", "do", "find_words", "new_kind")
    return [
        (name, value)
        for name, value in form.items()
        if value.strip() and name not in names and not name.endswith(("-kind", "-id"))
    ]


def _take_offences(form: EditForm, sent: Mapping[str, str]) -> EditForm:
    """The form with the ticked offences as further lines."""
    codes = [name.removeprefix(_TAKE) for name in sent if name.startswith(_TAKE)]
    lines = [f"{code}: {sent.get(f'title-{code}', '')}".removesuffix(": ") for code in codes]
    before = form.values.get("offences")
    if before is None:
        return form
    text = "\n".join(filter(None, [before, *lines]))
    return EditForm(form.values | {"offences": text}, form.questions, form.hidden_keys)
