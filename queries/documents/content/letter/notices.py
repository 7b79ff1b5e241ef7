"""Letters that answer nothing yet, or again: acknowledgement, clarification, extension, review.

They use the letterhead of every letter (``letter.*``), with words of their own in ``letters/``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from indexer.config.model import ForceSettings
from indexer.errors import RequestError
from queries.documents.content.context import DocumentContext, DocumentSettings
from queries.documents.content.letter.greeting import build_recipient
from queries.documents.content.letter.marks import describe_draft
from queries.documents.content.letter.parts import split_paragraphs
from queries.documents.content.letter.sections import (
    find_words,
    merge_commissioner,
    render_review_rights,
)
from queries.documents.content.letter.text_blocks import parse_text_blocks
from queries.documents.content.number_check import ExpectedNumbers, collect_text_numbers
from queries.documents.content.templates import EscapeMode, render_template
from queries.layout.printable import strip_unprintable
from queries.request.letter_spec import LetterSpec
from queries.request.reader import Request
from queries.request.working_days import add_working_days
from queries.spec.act import Act, load_acts
from queries.tables.period import format_long_date

NoticeKind = Literal["acknowledgement", "clarification", "extension", "review"]

NOTICE_KINDS: Final[tuple[NoticeKind, ...]] = get_args(NoticeKind)

#: The keys under letter: without which a kind of letter cannot be written, and an example of each.
_NEEDS: Final[dict[NoticeKind, dict[str, str]]] = {
    "acknowledgement": {"received": "2026-01-31"},
    "clarification": {"received": "2026-01-31", "clarification": "Which years do you mean?"},
    "extension": {"received": "2026-01-31", "extension": "{sections: [31]}"},
    "review": {"review": "{received: 2026-01-31, outcome: upheld, reasons: ...}"},
}


class NoticeSubject(Struct, frozen=True):
    """What the letterhead prints of a request: its reference and its title."""

    reference: str
    title: str


class NoticeOrigin(Struct, frozen=True):
    """When a letter is of, in place of where numbers come from."""

    run_at: datetime


def build_notice_context(
    request: Request, kind: NoticeKind, settings: DocumentSettings
) -> DocumentContext:
    """What all documents of a letter of a kind are made from.

    Raises RequestError if the request lacks what the letter must say, and ConfigurationError for a
    template that is wrong.
    """
    act = load_acts()[request.act]
    _require_keys(request, kind)
    force = strip_unprintable(settings.force)
    letter = strip_unprintable(request.letter)
    rights = render_review_rights(force, settings.templates) if kind == "extension" else ()
    names = _build_common_names(
        request, msgspec.structs.replace(force, review=rights), settings.day
    )
    words = {
        **_collect_words(letter, act),
        "act": act,
        "commissioner": merge_commissioner(act, force),
        "complaint": find_words("complaint", act, settings.templates),
        "force": force,
        "received": names["received"],
    }
    text = render_template(f"letters/{kind}.j2", EscapeMode.TEXT, settings.templates, words)
    names["body"] = parse_text_blocks(text)
    return DocumentContext(
        settings=settings,
        names=names,
        expected=ExpectedNumbers({}, collect_text_numbers(msgspec.to_builtins(request))),
        run_at=_start_of_day(settings.day),
    )


def _start_of_day(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def find_notice_obstacle(request: Request, kind: NoticeKind) -> str:
    """Why the Act of a request knows no letter of a kind; empty if it does."""
    act = load_acts()[request.act]
    if kind != "extension" or act.extension:
        return ""
    return (
        f"the {act.title} gives no more time to weigh the public interest, so there is no letter "
        "for it. Answer within the time."
    )


def list_missing_keys(request: Request, kind: NoticeKind) -> list[str]:
    """The keys under letter: that a letter of a kind needs and the request does not have."""
    return [key for key in _NEEDS[kind] if not getattr(request.letter, key)]


def _require_keys(request: Request, kind: NoticeKind) -> None:
    """Raise RequestError, with the lines to add, for what a letter of a kind must say."""
    if obstacle := find_notice_obstacle(request, kind):
        raise RequestError(f"{request.reference}: {obstacle}")
    missing = list_missing_keys(request, kind)
    if missing:
        lines = "\n".join(f"  {key}: {_NEEDS[kind][key]}" for key in missing)
        raise RequestError(
            f"{request.reference}: a letter of the kind {kind} needs {' and '.join(missing)}. Add "
            f"to the request, with your own words and dates:\n\nletter:\n{lines}"
        )


def find_due_date(letter: LetterSpec, act: Act) -> date | None:
    """The last day for the answer; None if the letter does not say when the request came."""
    start = letter.clarification_date or letter.received
    return None if start is None else add_working_days(start, act.answer_days, act.holidays)


def _collect_words(letter: LetterSpec, act: Act) -> dict[str, Any]:
    """The dates and the officer's words of any kind of letter; empty where there are none."""
    due = find_due_date(letter, act)
    extension, review = letter.extension, letter.review
    until = extension.until if extension else None
    if due and extension and not until:
        until = add_working_days(due, act.extension_days, act.holidays)
    return {
        "due": format_long_date(due) if due else "",
        "clarified_on": format_long_date(letter.clarification_date)
        if letter.clarification_date
        else "",
        "clarification": split_paragraphs(letter.clarification),
        "extension_sections": [act.cite_section(name) for name in extension.sections]
        if extension
        else [],
        "extension_reason": split_paragraphs(extension.reason) if extension else (),
        "until": format_long_date(until) if until else "",
        "review_received": format_long_date(review.received) if review else "",
        "review_outcome": review.outcome if review else "",
        "review_reasons": split_paragraphs(review.reasons) if review else (),
    }


def _build_common_names(request: Request, force: ForceSettings, day: date) -> dict[str, Any]:
    """The names of a letterhead, for a letter without figures."""
    letter = strip_unprintable(request.letter)
    empty: dict[str, Any] = dict.fromkeys(
        (
            "clarified",
            "sections",
            "notice",
            "questions",
            "coverage",
            "damage",
            "set_aside",
            "annex",
            "public_annex",
            "letter_annex",
            "body",
        ),
        (),
    )
    silent = dict.fromkeys(
        ("clarified_on", "outcome_words", "parts_covered", "withheld", "rounded", "left_out"), ""
    )
    return {
        **empty,
        **silent,
        "answer": NoticeSubject(
            strip_unprintable(request.reference), strip_unprintable(request.title)
        ),
        "provenance": NoticeOrigin(_start_of_day(day)),
        "counted": False,
        "draft": describe_draft(force),
        "force": force,
        "day": day,
        "letter": msgspec.to_builtins(letter),
        "recipient": build_recipient(letter),
        "received": format_long_date(letter.received) if letter.received else "",
        "asked": split_paragraphs(letter.request_text),
        "scope_words": "",
        "noun": request.noun,
        "outcome": "answered",
    }
