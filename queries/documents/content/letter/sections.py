"""The sections of the Act that a letter relies on, in words, and the rights of the requester.

The words are templates in ``sections/``; those of an act that differ are in ``sections/ACT/``.
What only the force can know is the officer's words, from the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from pathlib import Path
from typing import Any, Final

import jinja2
import msgspec
from msgspec import Struct

from indexer.config.model import CommissionerSettings, ForceSettings
from queries.answer.types import Answer, ReadingLimit
from queries.documents.content.letter.parts import name_parts, split_paragraphs
from queries.documents.content.letter.text_blocks import TextBlock, parse_text_blocks
from queries.documents.content.letter.withheld import (
    describe_withheld,
    find_exemption,
    is_refused_in_part,
    list_withheld_parts,
)
from queries.documents.content.templates import EscapeMode, get_environment, render_template
from queries.layout.prose import capitalise_sentence, format_count, join_list
from queries.request.letter_spec import LetterOutcome, LetterSpec, SectionSpec
from queries.spec.act import Act, load_acts
from queries.tables.period import Period

_OUTCOME_WORDS: Final[dict[LetterOutcome, str]] = {
    "answered": "",
    "part": "We have answered part of your request and refused the rest. This letter says why.",
    "refused": "We have refused your request. This letter says why.",
}

#: The same, if all that is refused is published elsewhere.
PUBLISHED_SECTION: Final = "published"

_PUBLISHED_WORDS: Final[dict[LetterOutcome, str]] = {
    "answered": "",
    "part": "We have answered part of your request. The rest is published already, and this letter "
    "says where.",
    "refused": "What you asked for is published already. This letter says where.",
}

#: The same, if the only refusal is that some numbers are withheld.
_WITHHELD_WORDS: Final = (
    "We have answered your request in part, because we withhold some of the figures. This letter "
    "says why."
)


class SectionView(Struct, frozen=True):
    """A section for its template, and then for the letter, with its ``heading`` and ``blocks``.

    ``reason``, ``public_interest``, ``locations`` and ``advice`` are the officer's paragraphs.
    ``partly`` says that the parts are answered but for some numbers.
    """

    name: str
    number: str
    title: str
    parts: tuple[str, ...]
    reason: tuple[str, ...]
    public_interest: tuple[str, ...]
    locations: tuple[str, ...]
    advice: tuple[str, ...]
    blocks: tuple[TextBlock, ...] = ()
    partly: bool = False

    @property
    def heading(self) -> str:
        """The section, what it is about, and the parts of the request that it concerns."""
        some = "some of " if self.partly else ""
        parts = f", for {some}{name_parts(self.parts)}" if self.parts else ""
        if not self.number:
            return f"{capitalise_sentence(self.title)}{parts}"
        return f"Section {self.number}: {self.title}{parts}"

    @property
    def parts_in_words(self) -> str:
        """The parts that it concerns: "parts 1 and 2"; empty if it names none."""
        return name_parts(self.parts) if self.parts else ""


class CostView(Struct, frozen=True):
    """The cost of reading the records, in words; ``hours`` is empty if their number is withheld,
    and ``fits`` if no period would be within the limit. ``scope_words`` say which records."""

    records: str
    minutes: str
    hours: str
    limit_records: str
    fits: str
    scope_words: str = ""


def build_section_names(
    answer: Answer, force: ForceSettings, templates: Path | None, scope_words: str
) -> dict[str, Any]:
    """The names of a letter for what it refuses, and for the rights of the requester.

    Raises ConfigurationError for a template that is wrong.
    """
    letter = msgspec.convert(answer.request["letter"], LetterSpec, strict=False)
    act = load_acts()[force.act]
    names: dict[str, Any] = {
        "act": act,
        "commissioner": merge_commissioner(act, force),
        "scope_words": scope_words,
        "cost": describe_cost(answer, scope_words),
        "noun": answer.noun,
        "force": force,
    }
    views = tuple(
        _render_section(_view_section(spec, act), act, templates, names) for spec in letter.sections
    )
    withheld = _render_withheld(answer, letter, templates, names)
    outcome = find_outcome(answer, letter, act)
    refuses = letter.refuses(act)
    return {
        **names,
        "outcome": outcome,
        "outcome_words": _describe_outcome(answer, letter, act, outcome),
        "sections": (*views, *withheld),
        "notice": _render_words("notice", act, templates, names) if refuses or withheld else (),
    }


def _describe_outcome(answer: Answer, letter: LetterSpec, act: Act, outcome: LetterOutcome) -> str:
    """What the letter says at its start of what it refuses; empty if it refuses nothing."""
    names = {act.find_section(spec.section) for spec in letter.sections}
    refusing = {name for name in names if name and act.sections[name].refuses}
    if refusing == {PUBLISHED_SECTION}:
        return _PUBLISHED_WORDS[outcome]
    if refusing:
        return _OUTCOME_WORDS[outcome]
    return _WITHHELD_WORDS if is_refused_in_part(answer) else ""


def _render_withheld(
    answer: Answer, letter: LetterSpec, templates: Path | None, names: Mapping[str, Any]
) -> tuple[SectionView, ...]:
    """The section that says why numbers are withheld, unless the officer's own sections do.

    Raises ConfigurationError if the force must say more for it.
    """
    if not is_refused_in_part(answer):
        return ()
    act, force = names["act"], names["force"]
    exemption = find_exemption(force, act)
    explained = {
        part
        for spec in letter.sections
        if act.find_section(spec.section) == exemption.name
        for part in spec.parts
    }
    withheld = list_withheld_parts(answer)
    parts = tuple(part for part in withheld if part not in explained)
    if withheld and not parts:
        return ()
    view = SectionView(
        name=exemption.name,
        number=exemption.number,
        title=exemption.title,
        parts=parts,
        reason=(),
        public_interest=exemption.public_interest,
        locations=(),
        advice=(),
        partly=True,
    )
    context = {**names, "section": view, "withheld_kinds": describe_withheld(answer)}
    blocks = _render_words("withheld", act, templates, context)
    return (msgspec.structs.replace(view, blocks=blocks),)


def render_review_rights(force: ForceSettings, templates: Path | None) -> tuple[str, ...]:
    """The paragraphs about review and complaint: the force's own, or the standard ones.

    Raises ConfigurationError for a template that is wrong.
    """
    if force.review:
        return force.review
    act = load_acts()[force.act]
    names = {"act": act, "commissioner": merge_commissioner(act, force), "force": force}
    return tuple(block.text for block in _render_words("review", act, templates, names))


def merge_commissioner(act: Act, force: ForceSettings) -> CommissionerSettings:
    """How to reach the commissioner: as the force says, and else as the act's data say."""
    settings, standard = force.commissioner, act.commissioner
    return CommissionerSettings(
        name=settings.name or standard.name,
        website=settings.website or standard.website,
        telephone=settings.telephone or standard.telephone,
        address=settings.address or standard.address,
    )


def find_outcome(answer: Answer, letter: LetterSpec, act: Act) -> LetterOutcome:
    """The outcome that the letter states, or that its parts and sections amount to."""
    if letter.outcome:
        return letter.outcome
    if not (letter.refuses(act) or answer.uncovered or is_refused_in_part(answer)):
        return "answered"
    return "part" if answer.questions else "refused"


def describe_refused_part(part_id: str, letter: LetterSpec, act: Act) -> str:
    """The sentence of a part that has no words of its own: the sections under which it is
    refused."""
    specs = [spec for spec in letter.sections if part_id in spec.parts or not spec.parts]
    numbers = [act.cite_section(spec.section) for spec in specs]
    names = {act.find_section(spec.section) for spec in specs}
    sections = f"section{'s' if len(numbers) > 1 else ''} {join_list(numbers)} of the {act.title}"
    if names == {PUBLISHED_SECTION}:
        return f"You can already get this elsewhere ({sections}). We say below where."
    if names and all(name and act.sections[name].denies for name in names):
        return (
            f"We neither confirm nor deny that we hold this, under {sections}. Our reasons are "
            "below."
        )
    return f"We have refused this part under {sections}. Our reasons are below."


def _view_section(spec: SectionSpec, act: Act) -> SectionView:
    name = act.find_section(spec.section) or ""
    section = act.sections[name]
    return SectionView(
        name=name,
        number=act.cite_section(spec.section),
        title=section.title,
        parts=spec.parts,
        reason=split_paragraphs(spec.reason),
        public_interest=split_paragraphs(spec.public_interest),
        locations=tuple(line.strip() for line in spec.location.splitlines() if line.strip()),
        advice=split_paragraphs(spec.advice),
    )


def _render_section(
    view: SectionView, act: Act, templates: Path | None, names: Mapping[str, Any]
) -> SectionView:
    blocks = _render_words(view.name, act, templates, {**names, "section": view})
    return msgspec.structs.replace(view, blocks=blocks)


def _render_words(
    name: str, act: Act, templates: Path | None, names: Mapping[str, Any]
) -> tuple[TextBlock, ...]:
    """The words of a name: those of the act, if it has its own."""
    file = find_words(name, act, templates)
    return parse_text_blocks(render_template(file, EscapeMode.TEXT, templates, names))


def find_words(name: str, act: Act, templates: Path | None) -> str:
    """The template of a name: the act's own, if it has one."""
    file = f"sections/{act.name}/{name}.j2"
    try:
        get_environment(EscapeMode.TEXT, templates).get_template(file)
    except jinja2.TemplateNotFound:
        return f"sections/{name}.j2"
    except jinja2.TemplateSyntaxError:
        pass  # reported when it is printed
    return file


def describe_cost(answer: Answer, scope_words: str = "") -> CostView | None:
    """The cost of reading records, if the letter relies on it. ``scope_words``: those in scope."""
    limit, records = answer.reading_limit, answer.records_to_read
    if not isinstance(limit, ReadingLimit):
        return None
    count = records if isinstance(records, int) else None
    question = answer.reading_question
    within = f", and of these only those {question.within}" if question and question.within else ""
    return CostView(
        records=f"more than {limit.max_records:,} records"
        if count is None
        else f"{count:,} record{'' if count == 1 else 's'}",
        minutes=_format_minutes(limit.minutes),
        hours="" if count is None else _format_hours(limit, count),
        limit_records=f"{limit.max_records:,}",
        fits=Period(limit.start, limit.end).words.removeprefix("from ") if limit.start else "",
        scope_words=f"{scope_words}{within}",
    )


def _format_minutes(minutes: float) -> str:
    return (
        format_count(int(minutes), "minute")
        if float(minutes).is_integer()
        else f"{minutes:g} minutes"
    )


def _format_hours(limit: ReadingLimit, records: int) -> str:
    """Whole hours, or tenths where whole ones would seem to be within the limit."""
    hours = limit.hours(records)
    if round(hours) > limit.limit_hours or hours <= limit.limit_hours:
        return format_count(round(hours), "hour")
    return f"{ceil(hours * 10) / 10:,} hours"
