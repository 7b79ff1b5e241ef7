"""The page of the records behind a number."""

from __future__ import annotations

from itertools import islice
from typing import Final
from urllib.parse import urlencode

from msgspec.structs import replace
from starlette.responses import Response

from queries.answer.covered_days import is_outside_coverage
from queries.answer.types import NOT_COVERED, Answer
from queries.answering.audit_fields import request_fields
from queries.evidence.hits import MAX_START, SnippetOptions, drop_repeated, iter_hits
from queries.evidence.locate import locate_records
from queries.request.reader import request_from_answer
from queries.search.run import count_records
from queries.workbench.files.answer_sets import find_answer_set, read_set_answer
from queries.workbench.pages.reviews.opening import is_number
from queries.workbench.visit import Visit, redirect

#: How many records a page lists.
RECORDS_PER_PAGE: Final = 100


def show_records(visit: Visit) -> Response:
    """The records behind a number, masked, with the words that matched. It is logged first."""
    file = visit.open_file()
    question, row = visit.query.get("question", ""), visit.query.get("row", "")
    column = visit.query.get("column", "")
    answer_set = find_answer_set(visit.workbench.requests, file.name, "answer")
    if answer_set is None:
        return redirect(f"/requests/{file.name}")
    answer = read_set_answer(answer_set)
    request = request_from_answer(answer.request)
    session = visit.session
    alias = session.settings.index.alias
    start = 0
    place = urlencode({"question": question, "row": row, "column": column})
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
                start = _find_start(visit.query.get("page", ""), number)
                hits_from_start = iter_hits(
                    client,
                    alias,
                    records,
                    SnippetOptions(mask=True),
                    generation_name=name,
                    start=start,
                )
                hits = [
                    replace(hit, snippets=drop_repeated(hit.snippets))
                    for hit in islice(hits_from_start, RECORDS_PER_PAGE)
                ]
    return visit.render(
        "records.html",
        file=file,
        question=question,
        place=_name_place(answer, question, row, column),
        number=number,
        hits=hits,
        start=start,
        pages=_list_pages(start, number, f"/requests/{file.name}/records?{place}"),
        can_list=MAX_START + RECORDS_PER_PAGE,
        review_address=f"/requests/{file.name}/review?{place}",
        refreshed=name != answer.provenance.generation,
    )


def _find_start(page: str, number: int) -> int:
    """How many records stand before a page, which the address names; the last page there is."""
    wanted = (int(page) - 1) * RECORDS_PER_PAGE if is_number(page) and int(page) else 0
    last = max(0, number - 1) // RECORDS_PER_PAGE * RECORDS_PER_PAGE
    return min(wanted, last, MAX_START)


def _list_pages(start: int, number: int, address: str) -> list[tuple[str, str]]:
    """The pages before and after one, each with its words and its address."""
    page = start // RECORDS_PER_PAGE + 1
    pages = [("Previous records", page - 1)] if start else []
    if start + RECORDS_PER_PAGE < number and start < MAX_START:
        pages.append(("Next records", page + 1))
    return [(words, f"{address}&page={neighbour}") for words, neighbour in pages]


def _name_place(answer: Answer, question: str, row: str, column: str) -> str:
    """A row and a column of a question as the table prints them."""
    table = next((part.table for part in answer.questions if part.id == question), None)
    if table is None:  # one of several tables of a question
        return ", ".join(filter(None, (row, column)))
    labels = [line.label for line in table.rows_and_total if line.key == row] or [row]
    if len(table.columns) > 1:
        labels += [part.label for part in table.columns if part.key == column] or [column]
    return ", ".join(filter(None, labels))
