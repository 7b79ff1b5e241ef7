"""The Python interface, for notebooks: ask, and get tidy rows. Everything else is internal.

from queries import api

found = api.answer("request.yaml")
rows = api.to_rows(found)  # for pandas.DataFrame(rows) or polars.DataFrame(rows)
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TypedDict

import msgspec

from indexer.errors import RequestError
from indexer.session import Session
from queries import asking, outputs, publication
from queries import request as requests
from queries.answer import Answer

__all__ = ["Record", "answer", "publish", "read_answer", "to_rows", "write"]


class Record(TypedDict):
    """One number. ``kind`` is "asked" for rows asked for, else "none", "unknown", "other" or
    "total"; ``count`` is None where it is not given."""

    question: str
    row: str
    codes: str
    kind: str
    column: str
    count: int | None


def answer(
    request: Path | str, config: Path | str | None = None, *, near_misses: bool = False
) -> Answer:
    """Answer a request file from the live generation; ``near_misses`` looks for these, too.

    ``config`` is a foidex.toml; without it FOIDEX_CONFIG or the one in the working folder is read.
    Raises RequestError for a request that is wrong, and FoidexError as the command does.
    """
    session = _session(config)
    wanted = asking.Wanted(near_misses=near_misses)
    return asking.answer(
        session, lambda: requests.of_force(Path(request), session.settings), wanted
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
    press = publication.press(_session(config).settings, override)
    return press.publish(answer, press.policy(requests.again(answer.request).disclosure)).answer


def to_rows(answer: Answer) -> list[Record]:
    """Every number of the tables as a record of its own, totals too, in the tables' order."""
    return [
        Record(
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
    settings = _session(config).settings
    # a letter bears the day of the desk
    desk = outputs.Desk(
        settings.force,
        day or date.today(),  # noqa: DTZ011
        settings.own_templates,
        settings.disclosure.flag,
    )
    return outputs.write(answer, Path(folder), desk).files


def _session(config: Path | str | None) -> Session:
    session = Session()
    session.quiet = True
    session.config = Path(config) if config else None
    return session
