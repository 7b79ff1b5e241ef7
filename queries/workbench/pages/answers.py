"""The pages of answers: the wording check, the numbers and their records, documents, publishing."""

from __future__ import annotations

import mimetypes
from functools import partial
from itertools import islice
from typing import Final, cast
from urllib.parse import urlencode

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import RequestError
from indexer.session import Session
from queries.answer.answer_file import read_answer_file
from queries.answer.covered_days import is_outside_coverage
from queries.answer.types import NOT_COVERED, Answer
from queries.answering.audit_fields import request_fields
from queries.answering.publishing import build_publisher
from queries.answering.suggestions import preview_release
from queries.documents.content.context import (
    QuestionView,
    build_document_context,
    make_document_settings,
)
from queries.documents.document_set import format_small_number_warning
from queries.evidence.hits import SnippetOptions, iter_hits
from queries.evidence.locate import locate_records
from queries.jobs.batch import AnswerJob, write_documents
from queries.layout.printed_table import list_printed_columns
from queries.lint.check import check_wording
from queries.lint.findings import format_offence_changes, format_wording_check
from queries.request.reader import Request, read_configured_request, request_from_answer
from queries.search.run import count_records
from queries.spec.term_book import load_configured_term_book
from queries.workbench.answer_sets import (
    AnswerKind,
    find_answer_folder,
    find_answer_set,
    read_document,
)
from queries.workbench.site import Visit, redirect

#: How many records a page lists.
RECORDS_PER_PAGE: Final = 100

#: Documents that a browser shows; every other one is saved.
_SHOWN: Final = {".txt": "text/plain; charset=utf-8"}


class ShownCell(Struct, frozen=True):
    """A number as printed, and the address of its records, empty if it has none to show."""

    text: str
    address: str = ""


class ShownRow(Struct, frozen=True):
    """A row of a table."""

    label: str
    cells: tuple[ShownCell, ...]


class ShownTable(Struct, frozen=True):
    """A table of an answer, with what stands around it."""

    id: str
    text: str
    prose: tuple[str, ...]
    heading: str
    columns: tuple[str, ...]
    rows: tuple[ShownRow, ...]
    notes: tuple[str, ...]


class TaskResult(Struct, frozen=True):
    """What a task reports: lines for the officer."""

    lines: tuple[str, ...]


def show_wording(visit: Visit) -> Response:
    """What the wording check found, or that it runs."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    task = visit.workbench.tasks.find(f"wording {file.name}")
    return visit.render("wording.html", file=file, task=task)


def check_wording_again(visit: Visit) -> Response:
    """Start the wording check."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    request = _read_request(visit, file.name)
    visit.workbench.tasks.start(
        f"wording {file.name}", visit.person.name, partial(_check_wording, visit.session, request)
    )
    return redirect(f"/requests/{file.name}/wording")


def show_answer(visit: Visit) -> Response:
    """The numbers, each with its records behind it, or that they are being counted."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    task = visit.workbench.tasks.find(f"answer {file.name}")
    answer_set = find_answer_set(visit.workbench, file.name, "answer")
    answer = read_answer_file(answer_set.answer_path) if answer_set else None
    settings = make_document_settings(visit.session.settings)
    tables: list[ShownTable] = []
    if answer:
        context = build_document_context(answer, settings)
        tables = [_make_table(file.name, view) for view in context.names["questions"]]
    warning = format_small_number_warning(answer, settings) if answer else ""
    return visit.render(
        "answer.html",
        file=file,
        task=task,
        answer=answer,
        tables=tables,
        answer_set=answer_set,
        warning=warning,
        is_changed=answer is not None and _is_changed(visit, file.name, answer),
    )


def start_answer(visit: Visit) -> Response:
    """Count, and write the officer's own documents."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    work = partial(_write_answer, visit, file.name, "answer", _read_request(visit, file.name))
    visit.workbench.tasks.start(f"answer {file.name}", visit.person.name, work)
    return redirect(f"/requests/{file.name}/answer")


def show_records(visit: Visit) -> Response:
    """The records behind a number, masked, with the words that matched. It is logged first."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    question, row = visit.query.get("question", ""), visit.query.get("row", "")
    column = visit.query.get("column", "")
    answer_set = find_answer_set(visit.workbench, file.name, "answer")
    if answer_set is None:
        return redirect(f"/requests/{file.name}")
    answer = read_answer_file(answer_set.answer_path)
    request = request_from_answer(answer.request)
    session = visit.session
    alias = session.settings.index.alias
    with session.run("find") as run:
        run.add_fields(
            **request_fields(request), arguments={"row": f"{question}:{row}", "column": column}
        )
        records = locate_records(request, question, row, column)
        with session.client() as client:
            searched, number = count_records(client, alias, records.query)
            name = searched.generation.name
            if searched.coverage and is_outside_coverage(searched.coverage, records.conditions):
                run.write(generation=name, records=NOT_COVERED)
                number, hits = 0, []
            else:
                run.write(generation=name, records=number)
                options = SnippetOptions(mask=True)
                pages = iter_hits(client, alias, records, options, generation_name=name)
                hits = list(islice(pages, RECORDS_PER_PAGE))
    return visit.render(
        "records.html",
        file=file,
        question=question,
        number=number,
        hits=hits,
        review_address=f"/requests/{file.name}/review?"
        + urlencode({"question": question, "row": row, "column": column}),
        refreshed=name != answer.provenance.generation,
    )


def send_document(visit: Visit) -> Response:
    """A document to save. A page of it is never shown as one of ours."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    kind = visit.parameters["kind"]
    find_answer_folder(visit.workbench, file.name, kind)
    answer_set = find_answer_set(visit.workbench, file.name, cast("AnswerKind", kind))
    name = visit.parameters["document"]
    if answer_set is None:
        return redirect(f"/requests/{file.name}")
    if kind == "answer" and (refusal := visit.refuse("reviewer")):
        return refusal
    content = read_document(answer_set, name)
    ending = "." + name.rpartition(".")[2]
    shown = _SHOWN.get(ending)
    media_type = shown or mimetypes.guess_type(name)[0] or "application/octet-stream"
    disposition = "inline" if shown else "attachment"
    file_name = name.rpartition("/")[2]
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f'{disposition}; filename="{file_name}"'},
    )


def show_publishing(visit: Visit) -> Response:
    """What publishing would withhold, and what was published."""
    file = visit.workbench.requests.read(visit.parameters["file"])
    _read_request(visit, file.name)
    return visit.render(
        "publish.html",
        file=file,
        missing=visit.session.settings.force.missing_keys,
        preview=visit.workbench.tasks.find(f"preview {file.name} {file.version}"),
        task=visit.workbench.tasks.find(f"publish {file.name}"),
        answer_set=find_answer_set(visit.workbench, file.name, "published"),
        once=visit.workbench.form_tokens.issue(),
    )


def start_publishing(visit: Visit) -> Response:
    """Publish the answer: withhold small numbers, write the documents, record the release.

    With the button for a preview, say only what would be withheld. What is published is the request
    that the page showed, and a form that is sent again publishes nothing.
    """
    file = visit.workbench.requests.read(visit.parameters["file"])
    request = _read_request(visit, file.name)
    if visit.form.get("do") != "publish":
        work = partial(_preview_release, visit.session, request)
        name = f"preview {file.name} {file.version}"
        visit.workbench.tasks.start(name, visit.person.name, work)
    elif visit.form.get("version") != file.version:
        return visit.render(
            "message.html",
            409,
            heading="Nothing was published",
            message="The request was changed since you opened the page. Look at what would be "
            "withheld now, then publish it.",
        )
    elif visit.workbench.form_tokens.redeem(visit.form.get("once", "")):
        reason = visit.form.get("reason", "").strip()
        work = partial(_write_answer, visit, file.name, "published", request, reason)
        visit.workbench.tasks.start(f"publish {file.name}", visit.person.name, work)
    return redirect(f"/requests/{file.name}/publish")


def _read_request(visit: Visit, name: str) -> Request:
    path = visit.workbench.requests.file_path(name)
    return read_configured_request(path, visit.session.settings)


def _is_changed(visit: Visit, name: str, answer: Answer) -> bool:
    """Whether the request asks for something else than when it was counted."""
    try:
        current = _read_request(visit, name)
    except RequestError:
        return True
    counted = request_from_answer(answer.request)
    return bool(request_fields(current)["request"] != request_fields(counted)["request"])


def _check_wording(session: Session, request: Request) -> TaskResult:
    book = load_configured_term_book(session.settings)
    alias = session.settings.index.alias
    with session.run("lint") as run, session.client() as client:
        run.add_fields(**request_fields(request))
        check = check_wording(client, alias, request, book, contexts=False)
        run.write(generation=check.generation, records=None)
    text = f"{format_offence_changes(request)}\n{format_wording_check(check)}".strip()
    return TaskResult(tuple(text.split("\n")))


def _write_answer(
    visit: Visit, name: str, kind: AnswerKind, request: Request, reason: str = ""
) -> TaskResult:
    session = visit.session
    job = AnswerJob(
        session,
        make_document_settings(visit.session.settings),
        publisher=build_publisher(session, reason) if kind == "published" else None,
        permissions=session.settings.output.permissions,
    )
    folder = find_answer_folder(visit.workbench, name, kind)
    with job.prepare_answer(lambda: request) as release:
        written = write_documents(job, release, folder)
    changes = tuple(f"changed: {change}" for change in (*release.changes, *(written.changes or ())))
    return TaskResult((f"{len(written.files)} documents written", *release.summary, *changes))


def _preview_release(session: Session, request: Request) -> TaskResult:
    return TaskResult(tuple(preview_release(session, request, build_publisher(session))))


def _make_table(file_name: str, view: QuestionView) -> ShownTable:
    question, table = view.answer, view.answer.table
    columns = list_printed_columns(table) if view.counted else []
    rows = []
    for row in table.rows_and_total if view.counted else ():
        cells = []
        for column in columns:
            number = column.get_value(row, table)
            has_records = column.shares is None and isinstance(number, int) and number > 0
            query = {
                "question": question.id,
                "row": row.key,
                # The only column needs no name, so a review is called as on the command line.
                "column": table.columns[column.index].key if len(table.columns) > 1 else "",
            }
            address = f"/requests/{file_name}/records?{urlencode(query)}" if has_records else ""
            cells.append(ShownCell(column.format_cell(row, table), address))
        codes = f" ({', '.join(row.codes)})" if row.codes else ""
        rows.append(ShownRow(row.label + codes, tuple(cells)))
    return ShownTable(
        question.id,
        question.text or view.subject,
        view.prose,
        table.heading,
        tuple(column.label for column in columns),
        tuple(rows),
        (*question.notes, *view.note),
    )
