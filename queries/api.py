"""The Python interface, for notebooks: ask, and get tidy rows. Everything else is internal.

from queries import api

answer = api.answer("request.yaml")
rows = api.to_rows(answer)  # for pandas.DataFrame(rows) or polars.DataFrame(rows)
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TypedDict

import msgspec

from indexer.errors import RequestError
from indexer.session import Session
from queries.answer.types import Answer
from queries.answering.service import AnswerOptions, answer_request
from queries.disclosure.publisher import build_publisher
from queries.documents.content.context import DocumentSettings
from queries.documents.document_set import write_document_set
from queries.request.reader import read_configured_request, request_from_answer

__all__ = ["CountRow", "Record", "answer", "publish", "read_answer", "to_rows", "write"]


class CountRow(TypedDict):
    """One number. ``kind`` is "asked" for rows asked for, else "none", "unknown", "other" or
    "total"; ``count`` is None where it is not given."""

    question: str
    row: str
    codes: str
    kind: str
    column: str
    count: int | None


#: The earlier name of ``CountRow``.
Record = CountRow


def answer(
    request: Path | str, config: Path | str | None = None, *, near_misses: bool = False
) -> Answer:
    """Answer a request file from the live generation; ``near_misses`` looks for these, too.

    ``config`` is a foidex.toml; without it FOIDEX_CONFIG or the one in the working folder is read.
    Raises RequestError for a request that is wrong, and FoidexError as the command does.
    """
    session = _open_session(config)
    options = AnswerOptions(near_misses=near_misses)
    return answer_request(
        session, lambda: read_configured_request(Path(request), session.settings), options
    )


def read_answer(path: Path | str) -> Answer:
    """Read an answer that was written as JSON. Raises RequestError."""
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Answer)
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror}).") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RequestError(f"{path}: is no answer of foidex: {error}.") from None


def publish(answer: Answer, config: Path | str | None = None, override: str = "") -> Answer:
    """The answer as it may be published, recorded in the ledger, as ``foidex answer --publish``.

    It is recorded when it is returned, as nobody knows here what becomes of it.
    ``override`` is the reason to set a rule aside. Raises DisclosureError where it would give a
    number away.
    """
    publisher = build_publisher(_open_session(config).settings, override)
    return publisher.publish(
        answer, publisher.policy(request_from_answer(answer.request).disclosure)
    ).answer


def to_rows(answer: Answer) -> list[CountRow]:
    """Every number of the tables as a record of its own, totals too, in the tables' order."""
    return [
        CountRow(
            question=question.id,
            row=row.label,
            codes=", ".join(row.codes),
            kind=row.kind,
            column=column.label,
            count=count,
        )
        for question in answer.questions
        for row in (*question.table.rows, question.table.total)
        for column, count in zip(question.table.columns, row.counts, strict=True)
    ]


def write(
    answer: Answer, folder: Path | str, config: Path | str | None = None, day: date | None = None
) -> tuple[str, ...]:
    """Write the whole set of documents, as ``foidex answer --out`` does; the names of the files.

    ``day`` is the day the letters bear, today if left out. Raises OutputError, and
    ConfigurationError for a template that is wrong.
    """
    settings = _open_session(config).settings
    # a letter bears the day of the desk
    document_settings = DocumentSettings(
        settings.force,
        day or date.today(),  # noqa: DTZ011
        settings.own_templates,
        settings.disclosure.flag,
    )
    return write_document_set(answer, Path(folder), document_settings).files


def _open_session(config: Path | str | None) -> Session:
    session = Session()
    session.quiet = True
    session.config = Path(config) if config else None
    return session
