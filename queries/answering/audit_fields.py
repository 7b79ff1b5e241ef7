"""The audit log's fields for a query: enough to know who asked what and got which numbers.

What is typed on a command line is logged in full, as it is recorded nowhere else. A request file
is logged by its reference and its hash, which anybody who has the answer can compute again.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from queries.answer.cells import hash_json, hash_numbers
from queries.answer.types import Answer
from queries.answering.adhoc import AdhocCount
from queries.request.reader import Request
from queries.tables.period import Period


def request_fields(request: Request) -> dict[str, Any]:
    """The fields for a request read from a file."""
    return {"reference": request.reference, "request": hash_json(msgspec.to_builtins(request))}


def adhoc_request_fields(request: Request) -> dict[str, Any]:
    """The fields for a request typed as terms and options."""
    fields = {
        "terms": msgspec.to_builtins(request.mentions),
        "offences": [code for row in request.scope.offences for code in row.codes],
        "periods": [_format_period_days(period) for period in request.every_period],
        "where": msgspec.to_builtins(request.where),
        "tables": msgspec.to_builtins(request.questions),
    }
    return {"arguments": {name: value for name, value in fields.items() if value}}


def _format_period_days(period: Period) -> str:
    days = (
        day.isoformat() if day and day not in (date.min, date.max) else ""
        for day in (period.start, period.end)
    )
    return "..".join(days)


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The fields for an answer: its generation, the hash of its numbers, and its records."""
    return {
        "generation": answer.provenance.generation,
        "numbers": hash_numbers(answer),
        "records": answer.scope.records,
    }


def count_fields(count: AdhocCount) -> dict[str, Any]:
    """The fields for an ad hoc count: its generation, the hash of its numbers, and its records."""
    counts = msgspec.to_builtins(count)
    for name in ("generation", "built_at", "watermark", "coverage", "coverage_notes"):
        del counts[name]
    return {
        "generation": count.generation,
        "numbers": hash_json(counts),
        "records": count.records,
    }
