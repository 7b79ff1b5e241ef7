"""The page of a record that is read: decide, go back, settle what readers disagree on."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import ReviewError
from queries.evidence.hits import MentionSnippet, SnippetOptions, drop_repeated
from queries.evidence.population import OpenedRecord
from queries.review.types import Reading, Verdict
from queries.reviewing.progress import measure_progress
from queries.reviewing.store.review_store import Judgement, TurnLostError
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.turns import ReviewState, Turn, choose_turn, format_time
from queries.workbench.error_text import describe_error
from queries.workbench.pages.answers.chosen_reviews import describe_number
from queries.workbench.pages.reviews.opening import (
    OpenReview,
    is_number,
    make_audit_arguments,
    make_audit_fields,
    make_review_address,
    open_review,
)
from queries.workbench.visit import Visit, WayOn, redirect

#: The buttons of a record: the key that presses each, and its words.
VERDICTS: Final = (
    (Verdict.RELEVANT, "r", "Relevant"),
    (Verdict.NOT_RELEVANT, "n", "Not relevant"),
    (Verdict.UNSURE, "u", "Unsure"),
)

_SNIPPETS: Final = SnippetOptions(sentences=1, max_mentions=5)

_MAX_SECONDS: Final = 3_600


class ShownRecord(Struct, frozen=True, kw_only=True):
    """A record that is read: what of it is shown, and ``before`` if its decision is changed."""

    record: OpenedRecord
    references: tuple[str, ...]
    snippets: tuple[MentionSnippet, ...]
    text: str
    notes: tuple[str, ...]
    settle: bool
    shown_at: int
    before: str = ""


def show_next_record(visit: Visit) -> Response:
    """The next record of this reader, reserved for them and logged before it is shown."""
    settle = "settle" in visit.query
    with open_review(visit) as review:
        turn, state = review.store.claim_in_state(
            review.name, visit.person.name, review.reader.current_hashes, settle=settle
        )
        if turn is None:
            return redirect(make_review_address(review.name))
        return _show_turn(visit, review, turn, state)


def decide_record(visit: Visit) -> Response:
    """Store a decision, which is on the disk before the next record is shown; or go back."""
    settle = visit.form.get("settle") == "yes"
    with open_review(visit) as review:
        before = _read_number(visit.form.get("before", ""))
        if visit.form.get("do") == "back":
            return _go_back(visit, review, before)
        verdict = next(
            (verdict for verdict, _, _ in VERDICTS if verdict.value == visit.form.get("verdict")),
            None,
        )
        if verdict is None:
            raise ReviewError("Choose relevant, not relevant or unsure.")
        problem = _store_decision(visit, review, verdict, settle=settle)
        if problem and not _is_stored(visit, review, verdict, settle=settle):
            return visit.render(
                "message.html", 409, heading="Your decision was not stored", message=problem
            )
    return redirect(f"{make_review_address(review.name)}/read{'?settle' if settle else ''}")


def _go_back(visit: Visit, review: OpenReview, before: int | None) -> Response:
    try:
        number, turn = review.store.reopen(review.name, visit.person.name, before)
    except ReviewError as error:
        return visit.render(
            "message.html",
            409,
            heading="There is nothing to go back to",
            message=describe_error(error),
            way_on=WayOn(f"{make_review_address(review.name)}/read", "Read the next record"),
        )
    state = review.store.read_state(review.name)
    return _show_turn(visit, review, turn, state, str(number))


def _store_decision(visit: Visit, review: OpenReview, verdict: Verdict, *, settle: bool) -> str:
    """Store the decision of a form. Why it was not stored; empty if it was."""
    turn = _find_turn(visit, review, settle=settle)
    opened = None if turn is None else review.reader.open_turn(turn)
    if turn is None or opened is None:
        return (
            "The record was changed, or it was read by someone else meanwhile. Go on with the next "
            f"one of the review {review.name}."
        )
    hashes = {record.reference: record.content_hash for record in opened}
    judgement = Judgement(verdict, _measure_seconds(visit), hashes)
    try:
        review.store.decide(turn, judgement, review.reader.current_hashes)
    except TurnLostError as error:
        return str(error)
    return ""


def _is_stored(visit: Visit, review: OpenReview, verdict: Verdict, *, settle: bool) -> bool:
    """Whether this reader decided so already, as when a form is sent twice."""
    decisions = review.store.read_state(review.name).decisions
    references = [one for one in visit.form.get("references", "").split("\n") if one]
    readings = (Reading.SETTLING,) if settle else (Reading.FIRST, Reading.SECOND)
    return bool(references) and any(
        all(
            (decision := decisions.get((reference, reading))) is not None
            and (decision.reviewer, decision.verdict) == (visit.person.name, verdict)
            for reference in references
        )
        for reading in readings
    )


def _find_turn(visit: Visit, review: OpenReview, *, settle: bool) -> Turn | None:
    """The turn that a form was shown for; None if this reader has another one by now."""
    if reopened := visit.form.get("reopened", ""):
        before = _read_number(visit.form.get("before", ""))
        number, turn = review.store.reopen(review.name, visit.person.name, before)
        same = str(number) == reopened
    else:
        claimed = _find_claimed(visit, review, settle=settle)
        if claimed is None:
            return None
        turn, same = claimed, True
    return turn if same and "\n".join(turn.references) == visit.form.get("references") else None


def _find_claimed(visit: Visit, review: OpenReview, *, settle: bool) -> Turn | None:
    """The turn that is reserved for this reader. Nothing is reserved by looking."""
    state = review.store.read_state(review.name)
    now = format_time(datetime.now(UTC))
    turn = choose_turn(state, visit.person.name, now, review.reader.current_hashes, settle=settle)
    reserved = {
        (claim.reference, claim.reading)
        for claim in state.claims
        if claim.reviewer == visit.person.name and claim.is_live(now)
    }
    if turn is None or not {(one, turn.reading) for one in turn.references} <= reserved:
        return None
    return turn


def _show_turn(
    visit: Visit, review: OpenReview, turn: Turn, state: ReviewState, reopened: str = ""
) -> Response:
    opened = review.reader.open_turn(turn)
    if opened is None:
        review.store.release(turn)
        raise ReviewError("The index was refreshed at this moment. Open the next record again.")
    settle = turn.reading is Reading.SETTLING
    _log_records(visit, review.stored, opened, settle=settle)
    record = opened[0]
    _, snippets = review.reader.find_snippets(record.narrative, _SNIPPETS)
    shown = ShownRecord(
        record=record,
        references=turn.references,
        snippets=drop_repeated(snippets),
        text="".join(record.narrative.segments),
        notes=tuple(review.reader.make_notes(turn, state)),
        settle=settle,
        shown_at=int(time.time()),
        before=visit.form.get("before", "") if reopened else "",
    )
    return visit.render(
        "read_record.html",
        stored=review.stored,
        progress=measure_progress(state, review.reader.current_hashes),
        shown=shown,
        reopened=reopened,
        place=describe_number(review.stored.review),
        can_go_back=any(decision.reviewer == visit.person.name for decision in state.history),
        verdicts=VERDICTS,
    )


def _log_records(
    visit: Visit, stored: StoredReview, opened: list[OpenedRecord], *, settle: bool
) -> None:
    for record in opened:
        with visit.session.run("review settle" if settle else "review next") as run:
            run.add_fields(**make_audit_fields(stored))
            run.add_opened_reference(record.reference, **make_audit_arguments(stored))
            run.write(generation=record.generation, records=1)


def _read_number(text: str) -> int | None:
    """A number of a form, None if the field is empty. Raises ReviewError."""
    text = text.strip()
    if not text:
        return None
    if not is_number(text):
        raise ReviewError(f'"{text[:20]}" is not a number of records.')
    return int(text)


def _measure_seconds(visit: Visit) -> int | None:
    shown_at = visit.form.get("shown_at", "")
    if not (shown_at.isascii() and shown_at.isdecimal() and len(shown_at) < 12):
        return None
    seconds = int(time.time()) - int(shown_at)
    return seconds if 0 <= seconds <= _MAX_SECONDS else None
