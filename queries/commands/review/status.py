"""The command ``review status``: how far reviews are, and nothing of what was decided."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from indexer.commands.shared import print_json, print_table
from indexer.session import get_session
from indexer.terminal import escape_line
from queries.commands.options import ReportFormat, ReportFormatOption
from queries.commands.review.next_steps import format_seconds, list_next_steps
from queries.commands.review.options import (
    NameArgument,
    describe_records,
    find_review,
    make_audit_arguments,
    make_audit_fields,
    open_session_store,
)

if TYPE_CHECKING:
    from queries.reviewing.progress import ReviewerProgress, ReviewProgress
    from queries.reviewing.store.review_store import ReviewStore
    from queries.reviewing.store.rows import StoredReview
    from queries.reviewing.turns import ReviewState

status_app = typer.Typer()


@status_app.command("status")
def show_review_status(
    name: NameArgument = None, form: ReportFormatOption = ReportFormat.TEXT
) -> None:
    """Show how far a review is: readings, people, times, and texts that have changed.

    Without a name, and if there are several, it lists them.

    Example: foidex review status FOI2018-03922-Q1
    """
    with open_session_store() as store:
        reviews = store.list_reviews()
        if name is None and len(reviews) > 1:
            rows = [
                (one.review.name, one.review.number, one.created_at[:10], one.review.criterion)
                for one in reviews
            ]
            if form is ReportFormat.JSON:
                keys = ("name", "number", "created", "criterion")
                print_json([dict(zip(keys, row, strict=True)) for row in rows])
            else:
                print_table([("name", "number", "created", "relevant if"), *rows], "<<<<")
            return
        _show_progress(store, find_review(store, name), form)


def _show_progress(store: ReviewStore, stored: StoredReview, form: ReportFormat) -> None:
    import msgspec

    from queries.reviewing.reading import ReviewReader

    review = stored.review
    with get_session().run("review status") as run:
        run.add_fields(**make_audit_fields(stored), arguments=make_audit_arguments(stored))
        with get_session().client() as client:
            reader = ReviewReader(client, stored)
            reader.compare_texts(store)
        state, progress = reader.measure_progress(store)
        run.write(generation=reader.generation)
        if form is ReportFormat.JSON:
            print_json({"review": review, **msgspec.structs.asdict(progress)})
            return
        for line in _describe_progress(stored, state, progress):
            print(escape_line(line))


def _describe_progress(
    stored: StoredReview, state: ReviewState, progress: ReviewProgress
) -> Iterator[str]:
    review = stored.review
    number = f"{review.number} {review.column}".rstrip()
    records = describe_records(review, number)
    yield f"Review {review.name} of {records}, request {review.request_reference}."
    yield f"Relevant if: {review.criterion}"
    yield (
        f"{progress.sample:,} of {progress.population:,} records are in the sample, drawn from "
        f"{review.generation} with the seed {review.seed}."
    )
    yield (
        f"First readings: {progress.first_readings:,} of {progress.sample - len(progress.gone):,}. "
        f"Second readings: {progress.second_readings:,} of {progress.second_readings_due:,}. "
        f"Settled: {progress.settled:,}."
    )
    yield from map(_describe_reviewer, progress.reviewers)
    if progress.stale:
        yield f"Text changed since it was read: {', '.join(progress.stale)}"
    if progress.gone:
        yield f"No longer in the index: {', '.join(progress.gone)}"
    yield from list_next_steps(review.name, state, progress)


def _describe_reviewer(reviewer: ReviewerProgress) -> str:
    seconds = reviewer.median_seconds
    pace = "" if seconds is None else f", {format_seconds(seconds)} a record"
    return f"  {reviewer.reviewer}: {reviewer.readings:,} decisions{pace}"
