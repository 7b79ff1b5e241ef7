"""The page of the records behind a number."""

from __future__ import annotations

from itertools import islice
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from queries.answer.covered_days import is_outside_coverage
from queries.answer.types import NOT_COVERED
from queries.answering.audit_fields import request_fields
from queries.evidence.hits import SnippetOptions, iter_hits
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
                hits = list(islice(pages, RECORDS_PER_PAGE))
    return visit.render(
        "records.html",
        file=file,
        question=question,
        row=row,
        column=column,
        number=number,
        hits=hits,
        review_address=f"/requests/{file.name}/review?"
        + urlencode({"question": question, "row": row, "column": column}),
        refreshed=name != answer.provenance.generation,
    )
