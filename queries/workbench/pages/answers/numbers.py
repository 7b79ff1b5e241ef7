"""The page of the numbers, each with its records behind it."""

from __future__ import annotations

from functools import partial
from urllib.parse import urlencode

from msgspec import Struct
from starlette.responses import Response

from indexer.errors import RequestError
from queries.answer.types import Answer
from queries.answering.audit_fields import request_fields
from queries.answering.texts.release_texts import has_text_lists
from queries.documents.content.context import (
    DocumentSettings,
    QuestionView,
    make_document_settings,
)
from queries.documents.document_set import format_small_number_warning, view_questions
from queries.layout.printed_table import list_printed_columns
from queries.request.reader import Request, request_from_answer
from queries.workbench.files.answer_sets import find_answer_set, read_set_answer
from queries.workbench.pages.answers.chosen_reviews import (
    list_offered_reviews,
    read_chosen_reviews,
)
from queries.workbench.pages.answers.counting import AnswerWork, write_answer
from queries.workbench.visit import Visit, redirect


class ShownCell(Struct, frozen=True):
    """A number as printed, and the address of its records, empty if it has none to show."""

    text: str
    column: str
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


def show_answer(visit: Visit) -> Response:
    """The numbers, each with its records behind it, or that they are being counted."""
    file = visit.open_file()
    task = visit.workbench.tasks.find(f"answer {file.name}")
    answer_set = find_answer_set(visit.workbench.requests, file.name, "answer")
    answer = read_set_answer(answer_set) if answer_set else None
    settings = make_document_settings(visit.session.settings)
    tables: list[ShownTable] = []
    if answer:
        tables = list_tables(file.name, answer, settings)
    warning = format_small_number_warning(answer, settings) if answer else ""
    current = _read_current_request(visit, file.name)
    return visit.render(
        "answer.html",
        file=file,
        task=task,
        answer=answer,
        tables=tables,
        answer_set=answer_set,
        reviews=list_offered_reviews(visit, answer.reference) if answer else [],
        chosen=[review.name for review in answer.reviews] if answer else [],
        warning=warning,
        is_changed=answer is not None and _is_changed(current, answer),
        can_count=current is not None,
        has_texts=current is not None and has_text_lists(current),
    )


def list_tables(file_name: str, answer: Answer, settings: DocumentSettings) -> list[ShownTable]:
    """The tables of an answer as its documents print them. Raises ConfigurationError."""
    return [_make_table(file_name, view) for view in view_questions(answer, settings)]


def start_answer(visit: Visit) -> Response:
    """Count, with the results of the reviews that were chosen, and write the own documents."""
    file = visit.open_file()
    request = visit.parse_request(file.text, file.name)
    work = AnswerWork(file.name, lambda: request, read_chosen_reviews(visit))
    task = partial(write_answer, visit, "answer", work)
    visit.workbench.tasks.start(f"answer {file.name}", visit.person.name, task)
    return redirect(f"/requests/{file.name}/answer")


def _read_current_request(visit: Visit, name: str) -> Request | None:
    try:
        return visit.read_request(name)
    except RequestError:
        return None


def _is_changed(current: Request | None, answer: Answer) -> bool:
    """Whether the request asks for something else than when it was counted."""
    if current is None:
        return True
    counted = request_from_answer(answer.request)
    return bool(request_fields(current)["request"] != request_fields(counted)["request"])


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
            cells.append(ShownCell(column.format_cell(row, table), column.label, address))
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
