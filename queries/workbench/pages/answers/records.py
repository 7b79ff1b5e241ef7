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
from queries.evidence.hits import SnippetOptions, drop_repeated, iter_hits
from queries.evidence.locate import locate_records
from queries.request.reader import request_from_answer
from queries.search.run import count_records
from queries.workbench.files.answer_sets import find_answer_set, read_set_answer
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
                hits = [
                    replace(hit, snippets=drop_repeated(hit.snippets))
                    for hit in islice(pages, RECORDS_PER_PAGE)
                ]
    return visit.render(
        "records.html",
        file=file,
        question=question,
        place=_name_place(answer, question, row, column),
        number=number,
        hits=hits,
        review_address=f"/requests/{file.name}/review?"
        + urlencode({"question": question, "row": row, "column": column}),
        refreshed=name != answer.provenance.generation,
    )


def _name_place(answer: Answer, question: str, row: str, column: str) -> str:
    """A row and a column of a question as the table prints them."""
    table = next((part.table for part in answer.questions if part.id == question), None)
    if table is None:  # one of several tables of a question
        return ", ".join(filter(None, (row, column)))
    labels = [line.label for line in table.rows_and_total if line.key == row] or [row]
    if len(table.columns) > 1:
        labels += [part.label for part in table.columns if part.key == column] or [column]
    return ", ".join(filter(None, labels))
