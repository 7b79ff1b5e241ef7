"""The pages of reviews: begin one, read and decide, settle disagreements, see how far it is."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final
from urllib.parse import quote

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import FoidexError, ReviewError
from queries.answering.audit_fields import request_fields
from queries.evidence.hits import MentionSnippet, SnippetOptions
from queries.evidence.population import OpenedRecord
from queries.request.reader import request_from_answer
from queries.review.types import Reading, Verdict
from queries.reviewing.configured_store import open_configured_store, require_reviewer
from queries.reviewing.prepare import ReviewOptions, prepare_review
from queries.reviewing.progress import ReviewProgress
from queries.reviewing.reading import ReviewReader, measure_live_progress
from queries.reviewing.store.review_store import Judgement, ReviewStore, TurnLostError
from queries.reviewing.store.rows import StoredReview
from queries.reviewing.turns import ReviewState, Turn, choose_turn, format_time
from queries.workbench.error_text import describe_error
from queries.workbench.files.answer_sets import find_answer_set, read_set_answer
from queries.workbench.visit import Visit, redirect

#: The buttons of a record: the key that presses each, and its words.
VERDICTS: Final = (
    (Verdict.RELEVANT, "r", "Relevant"),
    (Verdict.NOT_RELEVANT, "n", "Not relevant"),
    (Verdict.UNSURE, "u", "Unsure"),
)

_SNIPPETS: Final = SnippetOptions(sentences=1, max_mentions=5)

_READING_TITLES: Final = {Reading.FIRST: "First reading", Reading.SECOND: "Second reading"}

_MAX_SECONDS: Final = 3_600

_MAX_CRITERION: Final = 500


class ShownReview(Struct, frozen=True):
    """A review in the list, with how far it is."""

    stored: StoredReview
    progress: ReviewProgress


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


class _OpenReview(Struct, frozen=True):
    store: ReviewStore
    stored: StoredReview
    reader: ReviewReader

    @property
    def name(self) -> str:
        """Its name."""
        return self.stored.review.name


def list_reviews(visit: Visit) -> Response:
    """Every review, the newest first."""
    reviews = []
    with _open_store(visit) as store:
        if stored_reviews := store.list_reviews()[::-1]:  # a server is started only for these
            with visit.session.client() as client:
                for stored in stored_reviews:
                    _, progress = measure_live_progress(client, store, stored)
                    reviews.append(ShownReview(stored, progress))
    return visit.render("reviews.html", reviews=reviews)


def show_start(visit: Visit) -> Response:
    """The form that begins a review of a number."""
    return visit.render("new_review.html", **_start_values(visit, visit.query))


def start_review(visit: Visit) -> Response:
    """Begin a review of the records behind a number: all of them, or a random sample."""
    file = visit.open_file()
    values = _start_values(visit, visit.form)
    answer_set = find_answer_set(visit.workbench.requests, file.name, "answer")
    if answer_set is None:
        return redirect(f"/requests/{file.name}")
    options, problems = _read_options(visit)
    if problems:
        return visit.render("new_review.html", 422, **values | {"problems": problems})
    try:
        request = request_from_answer(read_set_answer(answer_set).request)
        session = visit.session
        with _open_store(visit) as store, session.run("review start") as run:
            arguments = {"row": options.number, "column": options.column}
            run.add_fields(**request_fields(request), arguments=arguments)
            with session.client() as client:
                alias = session.settings.index.alias
                stored, records = prepare_review(client, alias, request, options, visit.person.name)
            run.write(generation=stored.review.generation, records=len(records))
            store.create(stored, records)
    except FoidexError as error:
        return visit.render("new_review.html", 422, **values | {"general": describe_error(error)})
    return redirect(_address(stored.review.name))


def show_review(visit: Visit) -> Response:
    """How far a review is, and what is next."""
    with _open_review(visit) as review:
        _, progress = review.reader.measure_progress(review.store)
    return visit.render("review.html", stored=review.stored, progress=progress)


def show_next_record(visit: Visit) -> Response:
    """The next record of this reader, reserved for them and logged before it is shown."""
    settle = "settle" in visit.query
    with _open_review(visit) as review:
        turn = review.store.claim(
            review.name, visit.person.name, review.reader.current_hashes, settle=settle
        )
        if turn is None:
            return redirect(_address(review.name))
        return _show_turn(visit, review, turn)


def decide_record(visit: Visit) -> Response:
    """Store a decision, which is on the disk before the next record is shown; or go back."""
    settle = visit.form.get("settle") == "yes"
    with _open_review(visit) as review:
        before = _read_number(visit.form.get("before", ""))
        if visit.form.get("do") == "back":
            number, last_turn = review.store.reopen(review.name, visit.person.name, before)
            return _show_turn(visit, review, last_turn, str(number))
        turn = _find_turn(visit, review, settle=settle)
        opened = None if turn is None else review.reader.open_turn(turn)
        if turn is None or opened is None:
            return visit.render(
                "message.html",
                409,
                heading="Your decision was not stored",
                message="The record was changed, or it was read by someone else meanwhile. "
                f"Go on with the next one of the review {review.name}.",
            )
        verdict = next(
            (verdict for verdict, _, _ in VERDICTS if verdict.value == visit.form.get("verdict")),
            None,
        )
        if verdict is None:
            raise ReviewError("Choose relevant, not relevant or unsure.")
        hashes = {record.reference: record.content_hash for record in opened}
        judgement = Judgement(verdict, _measure_seconds(visit), hashes)
        try:
            review.store.decide(turn, judgement, review.reader.current_hashes)
        except TurnLostError as error:
            return visit.render(
                "message.html", 409, heading="Your decision was not stored", message=str(error)
            )
    return redirect(f"{_address(review.name)}/read{'?settle' if settle else ''}")


def _find_turn(visit: Visit, review: _OpenReview, *, settle: bool) -> Turn | None:
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
    return turn if same and "\n".join(turn.references) == _read_references(visit) else None


def _find_claimed(visit: Visit, review: _OpenReview, *, settle: bool) -> Turn | None:
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


def _read_references(visit: Visit) -> str:
    return visit.form.get("references", "").replace("\r\n", "\n")


def _show_turn(visit: Visit, review: _OpenReview, turn: Turn, reopened: str = "") -> Response:
    opened = review.reader.open_turn(turn)
    if opened is None:
        review.store.release(turn)
        raise ReviewError("The index was refreshed at this moment. Open the next record again.")
    settle = turn.reading is Reading.SETTLING
    _log_records(visit, review.stored, opened, settle=settle)
    state, progress = review.reader.measure_progress(review.store)
    record = opened[0]
    _, snippets = review.reader.find_snippets(record.narrative, _SNIPPETS)
    shown = ShownRecord(
        record=record,
        references=turn.references,
        snippets=snippets,
        text="".join(record.narrative.segments),
        notes=tuple(_list_notes(review, turn, state)),
        settle=settle,
        shown_at=int(time.time()),
        before=visit.form.get("before", "") if reopened else "",
    )
    return visit.render(
        "read_record.html",
        stored=review.stored,
        progress=progress,
        shown=shown,
        reopened=reopened,
        verdicts=VERDICTS,
    )


def _list_notes(review: _OpenReview, turn: Turn, state: ReviewState) -> Iterator[str]:
    reference = turn.references[0]
    if reference in review.reader.current_hashes:
        yield "The text has changed since the sample was drawn."
    if turn.is_change:  # this reader's own decision
        yield f"You decided: {state.decisions[reference, turn.reading].verdict.value}."
    if turn.reading is Reading.SETTLING:
        for reading, title in _READING_TITLES.items():
            if decision := state.decisions.get((reference, reading)):
                yield f"{title}, {decision.reviewer}: {decision.verdict.value}."


def _log_records(
    visit: Visit, stored: StoredReview, opened: list[OpenedRecord], *, settle: bool
) -> None:
    review = stored.review
    for record in opened:
        with visit.session.run("review settle" if settle else "review next") as run:
            run.add_fields(reference=review.request_reference, request=review.request_hash)
            run.add_opened_reference(
                record.reference, review=review.name, row=review.number, column=review.column
            )
            run.write(generation=record.generation, records=1)


@contextmanager
def _open_store(visit: Visit) -> Iterator[ReviewStore]:
    session = visit.session
    require_reviewer(session.settings, visit.person.name)
    with open_configured_store(session.settings, session.progress) as store:
        yield store


@contextmanager
def _open_review(visit: Visit) -> Iterator[_OpenReview]:
    with _open_store(visit) as store:
        stored = store.find(visit.parameters["review"])  # before a server is started for it
        with visit.session.client() as client:
            reader = ReviewReader(client, stored)
            reader.compare_texts(store.read_state(stored.review.name).records)
            yield _OpenReview(store, stored, reader)


def _start_values(visit: Visit, values: Mapping[str, str]) -> dict[str, object]:
    names = ("question", "row", "column", "criterion", "sample", "second")
    fields = {name: values.get(name, "") for name in names}
    fields["second"] = fields["second"] or "20"
    return {"file": visit.open_file(), "values": fields, "problems": {}, "general": ""}


def _read_options(visit: Visit) -> tuple[ReviewOptions, dict[str, str]]:
    """What the form says of a review, and what is wrong, by field."""
    form, problems = visit.form, {}
    criterion = " ".join(form.get("criterion", "").split())
    if not criterion:
        problems["criterion"] = "Say when a record is relevant"
    elif len(criterion) > _MAX_CRITERION:
        problems["criterion"] = f"Say it in {_MAX_CRITERION} characters or fewer"
    sample, second = form.get("sample", "").strip(), form.get("second", "").strip() or "0"
    if sample and (not _is_number(sample) or int(sample) == 0):
        problems["sample"] = "Enter a number of records, such as 100, or nothing to read them all"
    if not _is_number(second) or int(second) > 100:
        problems["second"] = "Enter a number from 0 to 100"
    options = ReviewOptions(
        number=f"{form.get('question', '')}:{form.get('row', '')}",
        column=form.get("column", ""),
        criterion=criterion,
        sample=int(sample) if sample and "sample" not in problems else None,
        second_share=Fraction(0 if "second" in problems else int(second), 100),
    )
    return options, problems


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _read_number(text: str) -> int | None:
    """A number of a form, None if the field is empty. Raises ReviewError."""
    text = text.strip()
    if not text:
        return None
    if not _is_number(text):
        raise ReviewError(f'"{text[:20]}" is not a number of records.')
    return int(text)


def _measure_seconds(visit: Visit) -> int | None:
    shown_at = visit.form.get("shown_at", "")
    if not (shown_at.isascii() and shown_at.isdecimal() and len(shown_at) < 12):
        return None
    seconds = int(time.time()) - int(shown_at)
    return seconds if 0 <= seconds <= _MAX_SECONDS else None


def _address(name: str) -> str:
    return f"/reviews/{quote(name, safe='')}"
