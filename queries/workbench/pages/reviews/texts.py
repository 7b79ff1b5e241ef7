"""The pages of texts for release: each is shown masked, and approved or refused by name."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from indexer.errors import ReviewError
from queries.answering.audit_fields import request_fields
from queries.answering.texts.release_texts import (
    ReleaseTexts,
    find_least_records,
    list_text_questions,
    read_release_texts,
)
from queries.evidence.masking import Span, find_words
from queries.questions.list_of_records import ListQuestion
from queries.request.reader import Request
from queries.reviewing.approvals import (
    Approval,
    ApprovalKey,
    ApprovalState,
    ReleaseText,
    choose_holding,
    describe_decision,
)
from queries.reviewing.store.approval_store import (
    ApprovalLostError,
    ApprovalStore,
    format_spans,
    parse_spans,
)
from queries.workbench.pages.reviews.opening import open_review_store
from queries.workbench.visit import Visit, redirect

_MAX_WORDS_LENGTH: Final = 200

_SPANS: Final = re.compile(r"([0-9]{1,9}-[0-9]{1,9}( [0-9]{1,9}-[0-9]{1,9})*)?")


class ShownList(Struct, frozen=True):
    """A list that gives texts, how far they are, and why none can be given, if so."""

    name: str
    text: str
    state: ApprovalState


class _Remark(Struct, frozen=True):
    """What is said of what someone sent: a note, or a problem of the field of words."""

    note: str = ""
    problem: str = ""


class _OpenList(Struct, frozen=True):
    """A list whose texts are decided: where decisions are kept, and what it shows now."""

    store: ApprovalStore
    key: ApprovalKey
    request: Request
    release: ReleaseTexts

    def read_state(self) -> ApprovalState:
        """The decisions that hold now."""
        return choose_holding(self.release.texts, self.store.read_last(self.key))

    def find_text(self, reference: str) -> ReleaseText:
        """The text of a record. Raises ReviewError where the list does not show it."""
        for text in self.release.texts:
            if text.reference == reference:
                return text
        raise ReviewError("The list does not show this text any more. Go on with the next one.")


def show_texts(visit: Visit) -> Response:
    """The lists of a request that give texts, and how far the texts of each are."""
    file = visit.open_file()
    request = visit.parse_request(file.text, file.name)
    questions = list_text_questions(request)
    lists = []
    store = open_review_store(visit)
    with visit.session.run("review approvals") as run:
        run.add_fields(
            **request_fields(request),
            arguments={"questions": [question.id for question in questions]},
        )
        releases = [_read_release(visit, request, question) for question in questions]
        run.write(
            generation=releases[0].generation,
            records=sum(len(release.texts) for release in releases),
        )
        for question, release in zip(questions, releases, strict=True):
            key = _make_key(visit, request, question)
            state = choose_holding(release.texts, store.approvals.read_last(key))
            lists.append(ShownList(question.id, question.text or "", state))
    return visit.render("texts.html", file=file, lists=lists)


def show_text(visit: Visit) -> Response:
    """The next text that nobody has decided on, or one that is named; logged before it is shown."""
    opened = _open_list(visit)
    state = opened.read_state()
    reference = visit.query.get("record", "")
    text = opened.find_text(reference) if reference else next(state.list_open(), None)
    if text is None:
        return redirect(_make_address(visit))
    decision = state.decisions.get(text.reference)
    return _show_text(visit, opened, text, decision.hidden if decision else ())


def decide_text(visit: Visit) -> Response:
    """Approve or refuse a text as it was shown, hide more words of it, or go back."""
    form = visit.form
    opened = _open_list(visit)
    if form.get("do") == "back":
        return _go_back(visit, opened)
    text = opened.find_text(form.get("record", ""))
    hidden = _read_hidden(visit)
    if text.hash_shown(hidden) != form.get("shown"):
        raise ReviewError(
            "The text or its line was changed since it was shown. Nothing was stored. Read it "
            "again."
        )
    if form.get("do") == "hide":
        return _hide_words(visit, opened, text, hidden)
    if form.get("do") == "show":
        return _show_text(visit, opened, text, (), _Remark("Only what the mask hides is hidden."))
    if form.get("do") not in ("approve", "refuse"):
        raise ReviewError("Choose to approve or to refuse the text.")
    is_approved = form.get("do") == "approve"
    last = opened.store.read_last(opened.key).get(text.reference)
    kept = hidden if is_approved else ()
    decision = Approval(
        text.reference,
        text.content_hash,
        text.hash_shown(kept),
        kept,
        is_approved,
        visit.person.name,
        "",
    )
    if form.get("last", "") != _name_decision(last):
        return _answer_lost(visit, opened, decision)
    try:
        opened.store.decide(opened.key, text, last, decision)
    except ApprovalLostError:
        return _answer_lost(visit, opened, decision)
    return redirect(_make_address(visit, "read"))


def _answer_lost(visit: Visit, opened: _OpenList, decision: Approval) -> Response:
    """Go on if this very decision is stored, as when a form is sent twice; else say it is not."""
    last = opened.store.read_last(opened.key).get(decision.reference)
    if last is not None and replace(last, approved_at="", number=0) == decision:
        return redirect(_make_address(visit, "read"))
    return _say_lost(visit)


def _hide_words(
    visit: Visit, opened: _OpenList, text: ReleaseText, hidden: tuple[Span, ...]
) -> Response:
    words = visit.form.get("words", "").strip()[:_MAX_WORDS_LENGTH]
    spans = find_words(text.text, words)
    if not spans:
        remark = _Remark(problem="Type the words to hide as they stand in the text")
        return _show_text(visit, opened, text, hidden, remark)
    places = f"{len(spans):,} place{'' if len(spans) == 1 else 's'}"
    more = tuple(sorted({*hidden, *spans}))
    return _show_text(visit, opened, text, more, _Remark(f"Hidden in {places}."))


def _go_back(visit: Visit, opened: _OpenList) -> Response:
    """Show the text that this person decided on before the one that is shown."""
    before = visit.form.get("last", "") if visit.form.get("own") == "yes" else ""
    numbers = {
        decision.number: reference
        for reference, decision in opened.read_state().decisions.items()
        if decision.approved_by == visit.person.name
        and (not before.isdecimal() or decision.number < int(before))
    }
    if not numbers:
        return visit.render(
            "message.html",
            409,
            heading="There is nothing to go back to",
            message="There is no decision of yours before this. Go on with the next text.",
        )
    return redirect(
        f"{_make_address(visit, 'read')}?record={quote(numbers[max(numbers)], safe='')}"
    )


def _show_text(
    visit: Visit,
    opened: _OpenList,
    text: ReleaseText,
    hidden: tuple[Span, ...],
    remark: _Remark = _Remark(),  # noqa: B008 - it is frozen
) -> Response:
    with visit.session.run("review approve") as run:
        run.add_fields(**request_fields(opened.request))
        run.add_opened_reference(text.reference, question=opened.key.question)
        run.write(generation=opened.release.generation, records=1)
    last = opened.store.read_last(opened.key).get(text.reference)
    decided = last if last is not None and text.is_decided_by(last) else None
    return visit.render(
        "read_text.html",
        422 if remark.problem else 200,
        file=visit.open_file(),
        question=opened.key.question,
        state=opened.read_state(),
        text=text,
        pairs=[*zip(text.headings, text.values, strict=True)],
        masked=text.mask(hidden),
        hidden=format_spans(hidden),
        shown=text.hash_shown(hidden),
        last=_name_decision(last),
        is_own=last is not None and last.approved_by == visit.person.name,
        notes=[*filter(None, [describe_decision(last, decided, visit.person.name), remark.note])],
        values={"words": visit.form.get("words", "") if remark.problem else ""},
        problems={"words": remark.problem} if remark.problem else {},
    )


def _open_list(visit: Visit) -> _OpenList:
    request = visit.read_request(visit.open_file().name)
    (question,) = list_text_questions(request, (visit.parameters["question"],))
    store = open_review_store(visit)
    key = _make_key(visit, request, question)
    return _OpenList(store.approvals, key, request, _read_release(visit, request, question))


def _read_release(visit: Visit, request: Request, question: ListQuestion) -> ReleaseTexts:
    settings = visit.session.settings
    min_records = find_least_records(settings, request)
    with visit.session.client() as client:
        return read_release_texts(client, settings.index.alias, request, question, min_records)


def _make_key(visit: Visit, request: Request, question: ListQuestion) -> ApprovalKey:
    return ApprovalKey(visit.session.settings.index.alias, request.reference, question.id)


def _read_hidden(visit: Visit) -> tuple[Span, ...]:
    written = visit.form.get("hidden", "")
    if not _SPANS.fullmatch(written):
        raise ReviewError("The form is not as the page made it. Read the text again.")
    return parse_spans(written)


def _name_decision(decision: Approval | None) -> str:
    return "" if decision is None else str(decision.number)


def _make_address(visit: Visit, page: str = "") -> str:
    address = f"/requests/{visit.parameters['file']}/texts"
    return f"{address}/{quote(visit.parameters['question'], safe='')}" if page else address


def _say_lost(visit: Visit) -> Response:
    return visit.render(
        "message.html",
        409,
        heading="Your decision was not stored",
        message="This text was decided on since it was shown to you. Go back to the texts of the "
        "request, and look at it again.",
    )
