"""The sections of the Act that a letter relies on, as fields of a form, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from queries.workbench.forms.file_text import REMOVED

SECTIONS: Final = "sections"


class LetterField(Struct, frozen=True):
    """A field of a section: the key that it gives in the request, its label and its hint."""

    key: str
    label: str
    hint: str
    is_long: bool = False


SECTION_FIELDS: Final = (
    LetterField("section", "Section of the Act", "As you would cite it: 12, 40(2), 31(1)(a)"),
    LetterField(
        "parts",
        "Parts that it is about",
        "Their names with commas. Leave empty for all parts that have no figures.",
    ),
    LetterField("reason", "Why it applies", "", is_long=True),
    LetterField(
        "public_interest",
        "How you weighed the public interest",
        "For and against, where the Act asks for that",
        is_long=True,
    ),
    LetterField("where", "Where it is published already", "One place a line", is_long=True),
    LetterField(
        "records_of",
        "For the cost limit: the part whose records would have to be read",
        "Leave empty for all records of the request",
    ),
    LetterField("minutes", "For the cost limit: minutes to read a record", "3 if left empty"),
    LetterField(
        "advice", "What the requester could ask for instead", "In your words", is_long=True
    ),
)


class SectionForm(Struct, frozen=True):
    """A section with the values of its fields; ``position`` is its place in the letter, from 0."""

    values: dict[str, str]
    position: int
    is_removed: bool = False

    def field(self, key: str) -> str:
        """The name of a field in the form."""
        return f"s{self.position}-{key}"


def show_sections(sections: Any) -> tuple[SectionForm, ...] | None:
    """The sections as ``parse_yaml`` reads them; None if the form cannot show one of them."""
    if not isinstance(sections, list):
        return None
    shown = [_show_section(position, section) for position, section in enumerate(sections)]
    readable = tuple(section for section in shown if section is not None)
    return readable if len(readable) == len(shown) else None


def add_section(sections: tuple[SectionForm, ...]) -> tuple[SectionForm, ...]:
    """The sections, and an empty one after them."""
    empty = {field.key: "" for field in SECTION_FIELDS}
    return (*sections, SectionForm(empty, len(sections)))


def fill_sections(
    sections: tuple[SectionForm, ...], sent: Mapping[str, str]
) -> tuple[SectionForm, ...]:
    """The sections with what was sent of them, and those that were added."""
    filled: list[SectionForm] = []
    while f"s{len(filled)}-section" in sent:
        section = SectionForm({}, len(filled))
        values = {
            field.key: sent.get(section.field(field.key), "").strip() for field in SECTION_FIELDS
        }
        filled.append(SectionForm(values, len(filled), section.field("remove") in sent))
    return (*filled, *sections[len(filled) :])


def read_sections(sections: tuple[SectionForm, ...]) -> tuple[Any, dict[str, str]]:
    """The sections as the request has them, REMOVED if there are none; and what is wrong."""
    stated = [
        section for section in sections if any(section.values.values()) and not section.is_removed
    ]
    problems = {
        section.field("section"): "Enter the section of the Act, or take it out"
        for section in stated
        if not section.values["section"]
    }
    return [_make_section(section) for section in stated] or REMOVED, problems


def _show_section(position: int, section: Any) -> SectionForm | None:
    if not isinstance(section, dict):
        return None
    values = {field.key: section.get(field.key, "") for field in SECTION_FIELDS}
    parts = values["parts"] or []
    if not section.keys() <= values.keys() or not isinstance(parts, list):
        return None
    values["parts"] = ", ".join(map(str, parts))
    if not all(isinstance(value, str) for value in values.values()):
        return None
    return SectionForm({key: value.strip() for key, value in values.items()}, position)


def _make_section(section: SectionForm) -> dict[str, Any]:
    values: dict[str, Any] = {key: value for key, value in section.values.items() if value}
    if "parts" in values:
        values["parts"] = [part.strip() for part in values["parts"].split(",") if part.strip()]
    return values
