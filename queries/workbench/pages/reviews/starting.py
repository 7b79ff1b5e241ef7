"""The page that begins a review of the records behind a number, or of those beside it."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from starlette.responses import Response

from indexer.errors import FoidexError
from queries.answering.audit_fields import request_fields
from queries.request.criteria import find_criterion
from queries.request.reader import Request, request_from_answer
from queries.review.types import ReviewedRecords
from queries.reviewing.prepare import ReviewOptions, prepare_review
from queries.reviewing.start import warn_of_small_counts
from queries.workbench.error_text import describe_error
from queries.workbench.files.answer_sets import find_answer_set, read_set_answer
from queries.workbench.pages.answers.chosen_reviews import find_last_criterion
from queries.workbench.pages.reviews.opening import (
    is_number,
    make_review_address,
    open_review_store,
)
from queries.workbench.visit import Visit, redirect

#: Which records are read, by the value of the field, and in words.
RECORDS: Final = {
    "mentions": "Those that the number counts",
    "near misses": "Near misses: not counted, with wording near the words",
    "without a mention": "The others: not counted, and without any such wording",
}

_MAX_CRITERION: Final = 500


def show_start(visit: Visit) -> Response:
    """The form that begins a review of a number, with the criterion that is known already."""
    file = visit.open_file()
    answer_set = find_answer_set(visit.workbench.requests, file.name, "answer")
    if answer_set is None:
        return redirect(f"/requests/{file.name}")
    values = dict(visit.query)
    if not values.get("criterion"):
        request = request_from_answer(read_set_answer(answer_set).request)
        values["criterion"] = _find_known_criterion(visit, request)
    return visit.render("new_review.html", **_start_values(visit, values))


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
        store = open_review_store(visit)
        with session.run("review start") as run:
            arguments = {"row": options.number, "column": options.column}
            run.add_fields(**request_fields(request), arguments=arguments)
            with session.client() as client:
                alias = session.settings.index.alias
                stored, records = prepare_review(client, alias, request, options, visit.person.name)
            run.write(generation=stored.review.generation, records=len(records))
            store.create(stored, records)
    except FoidexError as error:
        return visit.render("new_review.html", 422, **values | {"general": describe_error(error)})
    return redirect(make_review_address(stored.review.name))


def _start_values(visit: Visit, values: Mapping[str, str]) -> dict[str, object]:
    names = ("question", "row", "column", "criterion", "sample", "second", "records")
    fields = {name: values.get(name, "") for name in names}
    fields["second"] = fields["second"] or "20"
    return {
        "file": visit.open_file(),
        "values": fields,
        "problems": {},
        "general": "",
        "records": RECORDS,
        "warning": warn_of_small_counts(visit.session.settings.disclosure.minimum_group),
    }


def _find_known_criterion(visit: Visit, request: Request) -> str:
    """The criterion that the request states, or that people already read this number by."""
    query = visit.query
    number, column = f"{query.get('question', '')}:{query.get('row', '')}", query.get("column", "")
    if stated := find_criterion(request.review, number, column):
        return stated
    return find_last_criterion(visit, request.reference, number, column)


def _read_options(visit: Visit) -> tuple[ReviewOptions, dict[str, str]]:
    """What the form says of a review, and what is wrong, by field."""
    form, problems = visit.form, {}
    criterion = " ".join(form.get("criterion", "").split())
    if not criterion:
        problems["criterion"] = "Say when a record is relevant"
    elif len(criterion) > _MAX_CRITERION:
        problems["criterion"] = f"Say it in {_MAX_CRITERION} characters or fewer"
    sample, second = form.get("sample", "").strip(), form.get("second", "").strip() or "0"
    if sample and (not is_number(sample) or int(sample) == 0):
        problems["sample"] = "Enter a number of records, such as 100, or nothing to read them all"
    if not is_number(second) or int(second) > 100:
        problems["second"] = "Enter a number from 0 to 100"
    records = form.get("records", "") or "mentions"
    if records not in RECORDS:
        problems["records"] = "Choose which records are read"
    options = ReviewOptions(
        number=f"{form.get('question', '')}:{form.get('row', '')}",
        column=form.get("column", ""),
        criterion=criterion,
        sample=int(sample) if sample and "sample" not in problems else None,
        records=ReviewedRecords("mentions" if "records" in problems else records),
        second_share=Fraction(0 if "second" in problems else int(second), 100),
    )
    return options, problems
