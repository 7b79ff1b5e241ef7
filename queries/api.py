"""The Python interface, for notebooks: answers as tidy rows. Everything else is internal.

from queries import api

answer = api.answer("request.yaml")
rows = api.to_rows(answer)  # for pandas.DataFrame(rows) or polars.DataFrame(rows)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal, TypedDict

from indexer.errors import OutputError
from indexer.session import Session
from queries.answer.answer_file import read_answer_file
from queries.answer.shares import list_share_columns
from queries.answer.types import NOT_COVERED, Answer, Count, Row, Table
from queries.answering.audit_fields import answer_fields
from queries.answering.publishing import build_publisher, note_fields
from queries.answering.service import AnswerOptions, answer_request
from queries.answering.texts.approved_texts import require_approved_texts
from queries.documents.content.context import make_document_settings
from queries.documents.document_set import write_document_set
from queries.request.reader import read_configured_request, request_from_answer
from queries.review.review_rows import ReviewRow, list_review_rows

__all__ = [
    "CountRow",
    "Record",
    "ReviewRow",
    "answer",
    "publish",
    "read_answer",
    "to_review_rows",
    "to_rows",
    "write",
]


class CountRow(TypedDict):
    """One number of a table.

    ``kind`` is "asked" for a row that the request asks for, or else "none", "unknown", "other" or
    "total". ``count`` is None where there is no number; ``status`` says whether it is "counted",
    "withheld" or "not covered" by the records. ``share`` is the number as whole per cent of its
    column's or its row's total, if the question asks for shares and both numbers are given.
    """

    question: str
    row: str
    codes: str
    kind: str
    column: str
    count: int | None
    status: Literal["counted", "withheld", "not covered"]
    share: int | None


#: The earlier name of ``CountRow``.
Record = CountRow


def answer(
    request: Path | str,
    config: Path | str | None = None,
    *,
    near_misses: bool = False,
    reviews: Sequence[str] = (),
) -> Answer:
    """Answer a request file from the live generation; ``near_misses`` searches for these, too.

    ``reviews`` are the names of reviews whose results are added.

    ``config`` is a foidex.toml; by default FOIDEX_CONFIG or the one in the working folder is read.
    Raises RequestError for an invalid request, and another FoidexError as ``foidex answer`` does.
    """
    session = _open_session(config)
    options = AnswerOptions(near_misses=near_misses, reviews=tuple(reviews))
    return answer_request(
        session, lambda: read_configured_request(Path(request), session.settings), options
    )


def read_answer(path: Path | str) -> Answer:
    """Read an answer from a JSON file that foidex wrote. Raises RequestError."""
    return read_answer_file(Path(path))


def publish(answer: Answer, config: Path | str | None = None, override: str = "") -> Answer:
    """The answer as it may be published, recorded in the ledger, as ``foidex answer --publish``.

    It is recorded even if you do not use it. ``override`` is the reason to set a rule aside. Raises
    DisclosureError where the release would reveal a withheld number, and ReviewError where it has
    texts that are not those approved now.
    """
    session = _open_session(config)
    request = request_from_answer(answer.request)
    require_approved_texts(session, answer, request)
    publisher = build_publisher(session, override)
    policy = publisher.policy(request.disclosure)
    with session.run("publish") as run, publisher.prepare_release(answer, policy) as release:
        head = release.record()
        run.write(**answer_fields(release.answer), **(note_fields(head) if head else {}))
        return release.answer


def to_rows(answer: Answer) -> list[CountRow]:
    """Every number of the tables as a row, including totals, in the order of the tables."""
    return [
        CountRow(
            question=question.id,
            row=row.label,
            codes=", ".join(row.codes),
            kind=row.kind,
            column=column.label,
            count=count if isinstance(count, int) else None,
            status=_describe_status(count),
            share=_get_share(question.table, row, index),
        )
        for question in answer.questions
        for row in (*question.table.rows, question.table.total)
        for index, (column, count) in enumerate(
            zip(question.table.columns, row.counts, strict=True)
        )
    ]


def to_review_rows(answer: Answer) -> list[ReviewRow]:
    """What reviews found, as a row for each number, stratum, and sample beside a number."""
    return list_review_rows(answer.reviews)


def _get_share(table: Table, row: Row, index: int) -> int | None:
    column = list_share_columns(table).get(index)
    share = column.compute(row, table) if column else None
    return share if isinstance(share, int) else None


def _describe_status(count: Count) -> Literal["counted", "withheld", "not covered"]:
    if count is None:
        return "withheld"
    return "counted" if isinstance(count, int) else NOT_COVERED


def write(
    answer: Answer, folder: Path | str, config: Path | str | None = None, day: date | None = None
) -> tuple[str, ...]:
    """Write all documents, as ``foidex answer --out`` does, and return the names of the files.

    ``day`` is the date of the letters, today by default. Raises OutputError, also for a folder
    without a name, which would be the working folder, and ConfigurationError
    for an invalid template.
    """
    if not str(folder).strip():
        raise OutputError("the name of the folder is empty. Name a folder.")
    settings = _open_session(config).settings
    document_settings = make_document_settings(settings, day)
    return write_document_set(answer, Path(folder), document_settings).files


def _open_session(config: Path | str | None) -> Session:
    session = Session()
    session.quiet = True
    session.config = Path(config) if config else None
    return session
