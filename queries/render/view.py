"""What the templates need worked out: rows found, prose, tables in parts, the method annex."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

import jinja2
import msgspec
from msgspec import Struct

from indexer.settings import Force
from queries.answer import Answer, QuestionAnswer, Row, ScopeAnswer, TermFound
from queries.render import phrases, tables, templates
from queries.render.tables import Part
from queries.render.templates import Form
from queries.scope import Period, in_words

_T = TypeVar("_T")
# What XML cannot hold, and so neither Word nor a spreadsheet.
_UNPRINTABLE: Final = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class QuestionView(Struct, frozen=True):
    """A question with what its sentences and its table need.

    ``found`` are the rows asked for that are not zero, ``absent`` is how many are; ``whole`` is the
    table, ``parts`` and ``wide_parts`` the same cut to fit A4 upright and on its side; ``columns``
    says at length what the columns are.
    """

    answer: QuestionAnswer
    found: tuple[Row, ...]
    absent: int
    several: bool
    tabled: bool
    whole: Part
    parts: tuple[Part, ...]
    wide_parts: tuple[Part, ...]
    columns: tuple[str, ...]
    prose: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """What the first column counts, in the singular."""
        return self.answer.table.columns[0].label.lower().removesuffix("s")

    @property
    def total(self) -> int | None:
        """The total of the first column."""
        return self.answer.table.total.counts[0]

    @property
    def title(self) -> str:
        """The question's id, with its text if it has one."""
        return f"{self.answer.id}. {self.answer.text}" if self.answer.text else self.answer.id


class Section(Struct, frozen=True):
    """A part of the method annex: a heading, then paragraphs and items in their order."""

    heading: str
    blocks: tuple[Block, ...]


class Block(Struct, frozen=True):
    """A paragraph, or an item of a list."""

    text: str
    item: bool


def names(
    answer: Answer, force: Force, day: date, own: Path | None, small: Sequence[str] = ()
) -> dict[str, Any]:
    """The names a template may use. ``small`` are the places of small numbers, to be thought of
    before anything is published. Raises ConfigurationError for a phrase that is wrong."""
    answer = printable(answer)
    force = printable(force)
    letter = answer.request["letter"]
    found = {
        "answer": answer,
        "scope": answer.scope,
        "period": when(answer.scope),
        "wordings": [one for term in answer.scope.terms for one in worded(term)],
        "terms": _terms(answer),
        "forms": _forms(answer),
        "near_misses": phrases.near_misses(answer.near_misses),
        "left_out": " ".join(
            filter(None, (phrases.left_out(answer.scope.left_out), _unfinished(answer)))
        ),
        "questions": [_view(answer, question, own) for question in answer.questions],
        "disclosure": answer.disclosure,
        "withheld": _why_withheld(answer, force),
        "rounded": phrases.rounded(answer.disclosure),
        "small": tuple(small),
        "provenance": answer.provenance,
        "force": force,
        "day": day,
        "letter": letter,
        "received": in_words(date.fromisoformat(letter["received"])) if letter["received"] else "",
        "asked": _paragraphs(letter["asked"]),
        "clarified": _paragraphs(letter["clarified"]),
    }
    return found | {"annex": tuple(_sections(templates.render("annex.j2", Form.TEXT, own, found)))}


def _why_withheld(answer: Answer, force: Force) -> str:
    """What a withheld number is, and what lets the force withhold it."""
    said = phrases.withheld(answer.disclosure, any_is=_withheld(answer))
    return f"{said} {force.exemption}".strip() if said else ""


def _unfinished(answer: Answer) -> str:
    """That the records end before what is asked about does."""
    provenance = answer.provenance
    newest = (provenance.watermark or provenance.built_at).date()
    end = answer.scope.period_to
    if end is None or end <= newest:
        return ""
    return f"The records held were last changed on {in_words(newest)}, before {in_words(end)}."


def _withheld(answer: Answer) -> bool:
    """Whether anything printed is withheld."""
    disclosure, scope = answer.disclosure, answer.scope
    return disclosure is not None and (
        disclosure.withheld > 0 or None in (scope.records, *scope.left_out.values())
    )


def _view(answer: Answer, question: QuestionAnswer, own: Path | None) -> QuestionView:
    table = question.table
    asked = [row for row in table.rows if row.kind == "asked"]
    found = tuple(row for row in asked if row.counts[0] != 0)
    # Where numbers are rounded a 0 need not be none, so sentences would not be true.
    rounded = answer.disclosure is not None and answer.disclosure.rounding > 0
    prosaic = not rounded and _has_prose(question.kind, own)
    view = QuestionView(
        answer=question,
        found=found,
        absent=len(asked) - len(found),
        several=len(asked) > 1,
        tabled=not prosaic
        or sum(row.kind != "none" for row in table.rows) > 1
        or len(table.columns) > 1,
        whole=tables.whole(table),
        parts=tables.parts(table, tables.PORTRAIT, tables.LABELS),
        wide_parts=tables.parts(table, tables.LANDSCAPE, tables.LABELS),
        columns=tuple(
            f"{column.label}: {column.description}"
            for column in table.columns
            if column.description
        ),
    )
    if not prosaic:
        return view
    name = f"questions/{question.kind}.j2"
    prose = templates.render(name, Form.TEXT, own, {"question": view})
    lines = tuple(" ".join(line.split()) for line in prose.splitlines() if line.strip())
    return msgspec.structs.replace(view, prose=lines)


def _has_prose(kind: str, own: Path | None) -> bool:
    """Whether a kind of question has sentences of its own; its table does without."""
    try:
        templates.environment(Form.TEXT, own).get_template(f"questions/{kind}.j2")
    except jinja2.TemplateNotFound:
        return False
    except jinja2.TemplateSyntaxError:
        return True  # said where it is printed
    return True


def _every_term(answer: Answer) -> list[TermFound]:
    return [*answer.scope.terms, *(term for one in answer.questions for term in one.terms)]


def _forms(answer: Answer) -> list[str]:
    """A line for each term that was found, with its forms."""
    lines = [
        f"{phrases.listed(worded(term), 'or')}: {_forms_of(term)}"
        for term in _every_term(answer)
        if term.forms
    ]
    return list(dict.fromkeys(lines))


def worded(term: TermFound) -> list[str]:
    """The wordings of a term, each with what else was asked of it."""
    more = [f'or "{alias}"' for alias in term.aliases]
    more += [f"with {other}" for other in term.company]
    more += ["exactly so written"] if term.exact else []
    said = f" ({', '.join(more)})" if more else ""
    return [f'"{one}"{said}' for one in term.wordings]


def when(scope: ScopeAnswer) -> str:
    """The periods and codes of an answer, and what its records' fields must be, in words."""
    if len(scope.periods) > 1:
        said = f"in {phrases.listed([one.label for one in scope.periods])}"
    else:
        said = Period(scope.period_from, scope.period_to).words
    codes = list(dict.fromkeys(code for row in scope.offences for code in row.codes))
    if codes:
        said += f" under the code{'s' if len(codes) > 1 else ''} {phrases.listed(codes)}"
    return f"{said}, where {phrases.listed([*scope.conditions])}" if scope.conditions else said


def _forms_of(term: TermFound) -> str:
    return ", ".join(
        form.form if form.records is None else f"{form.form} {phrases.number(form.records)}"
        for form in term.forms
    )


class TermView(Struct, frozen=True):
    """A term as the annex tells it. Texts are empty where there is nothing to say."""

    wordings: str
    forms: str
    exact: bool
    aliases: str
    company: str


def _terms(answer: Answer) -> list[TermView]:
    found = [
        TermView(
            wordings=phrases.listed([f'"{one}"' for one in term.wordings], "or"),
            forms=_forms_of(term),
            exact=term.exact,
            aliases=phrases.listed([f'"{one}"' for one in term.aliases], "or"),
            company=phrases.listed([*term.company]),
        )
        for term in _every_term(answer)
    ]
    return list(dict.fromkeys(found))


def _paragraphs(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def _sections(text: str) -> Iterator[Section]:
    """The annex: "# " starts a section, "- " an item; every other line is a paragraph."""
    heading, blocks = "", list[Block]()
    for line in (" ".join(line.split()) for line in text.splitlines()):
        if line.startswith("# "):
            if blocks:
                yield Section(heading, tuple(blocks))
            heading, blocks = line[2:], []
        elif line:
            blocks.append(Block(line.removeprefix("- "), item=line.startswith("- ")))
    if blocks:
        yield Section(heading, tuple(blocks))


def printable(value: _T) -> _T:
    """The value without characters that no document can hold."""
    cleaned: _T = _printable(value)
    return cleaned


def _printable(value: Any) -> Any:
    match value:
        case str():
            return _UNPRINTABLE.sub("", value)
        case dict():
            return {_printable(key): _printable(held) for key, held in value.items()}
        case tuple() | list():
            return type(value)(map(_printable, value))
        case Struct():
            fields = value.__struct_fields__
            return msgspec.structs.replace(
                value, **{name: _printable(getattr(value, name)) for name in fields}
            )
        case _:
            return value
