"""One question of a request as fields of a form, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from queries.workbench.forms.file_text import REMOVED
from queries.workbench.forms.question_kinds import (
    COUNT_NAMES,
    FIELD_NAMES,
    KINDS_WITHOUT_SHARES,
    QUESTION_KINDS,
    SHARE_NAMES,
    SIDE_NAMES,
    QuestionField,
    QuestionKind,
)
from queries.workbench.forms.value_lines import (
    BANDS,
    CODES,
    CONDITIONS,
    OFFENCES,
    PERIODS,
    TERMS,
    LineError,
    LineStyle,
    MapStyle,
)

#: What every kind has, and what a question that is not counted has instead.
COMMON_FIELDS: Final = (
    QuestionField("text", "text", "The question in the requester's words"),
    QuestionField("note", "text", "What to know of the numbers"),
    QuestionField("not_covered", "text", "What of this part the numbers do not answer"),
)

_WITHIN: Final = QuestionField("within", "within", "Only some of these records")

_SHARE: Final = QuestionField("share", "share", "Per cent, beside each number")

_VALUE_NAMES: Final = FIELD_NAMES | COUNT_NAMES | SHARE_NAMES

#: What stays when a question gets another kind: one with figures, or one without.
_COMMON_KEYS: Final = {True: ("text", "note", "within"), False: ("text",)}

_UNCOUNTED: Final = QuestionField("not_covered", "text", "Why this is not answered")

_STYLES: Final[dict[str, LineStyle]] = {
    "terms": TERMS,
    "bands": BANDS,
    "codes": CODES,
    "fields": CODES,
}

_SIDE_STYLES: Final = {"keywords": TERMS, "bands": BANDS, "periods": PERIODS}

_SIDE_WORDS: Final = {"keywords": "words", "bands": "ages", "periods": "periods"}

#: The parts of a narrower scope, by their keys in the request; several periods are "periods".
_WITHIN_PARTS: Final[dict[str, LineStyle | MapStyle]] = {
    "periods": PERIODS,
    "mentions": TERMS,
    "offences": OFFENCES,
    "where": CONDITIONS,
}

#: The field of the lines of a side of a table, beside that of what it is.
_LINES: Final = "-lines"


class QuestionForm(Struct, frozen=True):
    """A question: its kind (empty for one that is not counted), and the values of its fields.

    ``position`` is its place in the file, from 0; ``hidden_keys`` are those that it does not show.
    """

    id: str
    kind: str
    values: dict[str, str]
    position: int
    hidden_keys: tuple[str, ...] = ()
    is_removed: bool = False

    def field(self, key: str) -> str:
        """The name of a field in the form."""
        return f"q{self.position}-{key}"

    @property
    def description(self) -> QuestionKind | None:
        """What its kind gives; None for a question that is not counted, or of an unknown kind."""
        return QUESTION_KINDS.get(self.kind)

    @property
    def fields(self) -> tuple[QuestionField, ...]:
        """The fields that are shown."""
        return tuple(
            field for field in _list_fields(self.kind) if _list_keys(field)[0] in self.values
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether it counts only some of the records of the request."""
        return any(self.values.get(key) for key in _list_keys(_WITHIN))


def show_question(position: int, question: Any) -> QuestionForm:
    """The form of a question as ``parse_yaml`` reads it."""
    if not isinstance(question, dict):
        return QuestionForm(f"question {position + 1}", "", {}, position, ("all of it",))
    kind = str(question.get("kind", ""))
    values: dict[str, str] = {}
    hidden_keys = []
    for field in _list_fields(kind):
        shown = _show_field(field, question.get(field.key, REMOVED))
        if shown is None:
            hidden_keys.append(field.key)
        else:
            values |= shown
    known_keys = {"id", "kind", *(field.key for field in _list_fields(kind))}
    hidden_keys += [key for key in question if key not in known_keys]
    return QuestionForm(str(question.get("id", "")), kind, values, position, tuple(hidden_keys))


def describe_question(form: QuestionForm) -> str:
    """What a question gives, in words: its kind, and what its fields say."""
    if form.description is None:
        return ""
    parts = [form.description.label]
    for field in form.fields:
        texts = [form.values.get(key, "").replace("\n", "; ") for key in _list_keys(field)]
        words = " ".join(
            _VALUE_NAMES.get(text, text) for text in texts if text and text not in SIDE_NAMES
        )
        if words and field not in COMMON_FIELDS:
            parts.append(field.label if field.style == "flag" else f"{field.label}: {words}")
    return ". ".join((*parts, *form.hidden_keys)) + "."


def read_question(
    form: QuestionForm, before: QuestionForm | None, original: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """The question that a form makes, and what is wrong, by field.

    ``original`` is the question in the file, whose form was ``before``; None for a new one.
    """
    if before and before.kind != form.kind:
        original, before = _keep_common(original, form.kind), None
    question = dict(original) if isinstance(original, dict) else _name_kind(form.id, form.kind)
    problems: dict[str, str] = {}
    for field in form.fields:
        if before and all(
            form.values.get(key) == before.values.get(key) for key in _list_keys(field)
        ):
            continue
        try:
            value = _read_field(field, form.values)
        except LineError as error:
            problems[form.field(error.part or field.key)] = str(error)
            continue
        if value is REMOVED:
            question.pop(field.key, None)
        else:
            question[field.key] = value
    if before is None:
        problems |= dict(_find_missing(form, question))
    return question, problems


def change_kind(question: QuestionForm, kind: str) -> QuestionForm:
    """A question of another kind: what every kind has stays, and the rest is empty."""
    changed = show_question(question.position, {"id": question.id, "kind": kind})
    hidden_keys = tuple(key for key in question.hidden_keys if key in _COMMON_KEYS[bool(kind)])
    values = {
        key: question.values.get(key, "")
        for key in changed.values
        if key.partition("-")[0] not in hidden_keys
    }
    return replace(changed, values=values, hidden_keys=hidden_keys)


def _keep_common(original: Any, kind: str) -> dict[str, Any]:
    """What a question of the file keeps when it gets another kind."""
    keys = _COMMON_KEYS[bool(kind)]
    common = {key: value for key, value in original.items() if key in keys}
    return _name_kind(original["id"], kind) | common


def _name_kind(name: str, kind: str) -> dict[str, Any]:
    return {"id": name} | ({"kind": kind} if kind else {})


def _find_missing(form: QuestionForm, question: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for field in form.fields:
        is_needed = field.style in ("terms", "codes", "field", "fields", "side")
        if is_needed and field.key not in question:
            yield form.field(field.key), f"Fill in: {field.label.lower()}"


def _list_fields(kind: str) -> tuple[QuestionField, ...]:
    description = QUESTION_KINDS.get(kind)
    if description is None:
        return (*COMMON_FIELDS[:1], _UNCOUNTED)
    shares = () if kind in KINDS_WITHOUT_SHARES else (_SHARE,)
    return (*COMMON_FIELDS[:1], *description.fields, *shares, *COMMON_FIELDS[1:], _WITHIN)


def _list_keys(field: QuestionField) -> tuple[str, ...]:
    """The keys of the values of a field."""
    if field.style == "within":
        return tuple(f"{field.key}-{part}" for part in _WITHIN_PARTS)
    return (field.key, field.key + _LINES) if field.style in ("side", "each") else (field.key,)


def _show_field(field: QuestionField, value: Any) -> dict[str, str] | None:
    """The values of a field, by their keys; None if it cannot be shown."""
    if field.style in ("side", "each"):
        return _show_side(field, value)
    if field.style == "within":
        return _show_within(field, value)
    if value is REMOVED:
        return {field.key: ""}
    if field.style == "flag":
        return {field.key: "on" if value == "true" else ""} if value in ("true", "false") else None
    if style := _STYLES.get(field.style):
        text = style.write_lines(value)
        return None if text is None else {field.key: text}
    is_shown = isinstance(value, str) and (field.style != "share" or value in SHARE_NAMES)
    return {field.key: value.strip()} if is_shown else None


def _show_side(field: QuestionField, value: Any) -> dict[str, str] | None:
    if value is REMOVED:
        return {field.key: "", field.key + _LINES: ""}
    if isinstance(value, str):
        return {field.key: value, field.key + _LINES: ""}
    if not isinstance(value, dict) or len(value) != 1:
        return None
    ((name, items),) = value.items()
    style = _SIDE_STYLES.get(name)
    text = style.write_lines(items) if style else None
    return None if text is None else {field.key: name, field.key + _LINES: text}


def _show_within(field: QuestionField, value: Any) -> dict[str, str] | None:
    if value is REMOVED:
        return dict.fromkeys(_list_keys(field), "")
    if not isinstance(value, dict) or not value.keys() <= {"period", *_WITHIN_PARTS}:
        return None
    parts = dict(value)
    if "period" in parts:
        parts["periods"] = [parts.pop("period")]
    shown = {
        f"{field.key}-{part}": style.write_lines(parts.get(part, []))
        for part, style in _WITHIN_PARTS.items()
    }
    known = {key: text for key, text in shown.items() if text is not None}
    return known if len(known) == len(shown) else None


def _read_within(field: QuestionField, values: dict[str, str]) -> Any:
    within: dict[str, Any] = {}
    for part, style in _WITHIN_PARTS.items():
        key = f"{field.key}-{part}"
        try:
            items: Any = style.read_lines(values[key])
        except LineError as error:
            raise LineError(str(error), key) from None
        if items and part == "periods" and len(items) == 1:
            within["period"] = items[0]
        elif items:
            within[part] = items
    return within or REMOVED


def _read_field(field: QuestionField, values: dict[str, str]) -> Any:
    if field.style == "within":
        return _read_within(field, values)
    text = values[field.key]
    if field.style == "flag":
        return "true" if text else REMOVED
    if field.style in ("side", "each") and text in SIDE_NAMES:
        items = _SIDE_STYLES[text].read_lines(values[field.key + _LINES])
        if not items:
            raise LineError(f"Write the {_SIDE_WORDS[text]} under it, one a line")
        return {text: items}
    if style := _STYLES.get(field.style):
        return style.read_lines(text) or REMOVED
    return text or REMOVED
