"""What the audit log says of a query: enough to know who asked what and got which numbers.

What is typed on a command line is logged as it is, for it stands nowhere else; a request file by
its reference and its hash, which ``replay`` and anybody who has the answer can work out again.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from queries import numbers
from queries.adhoc import Count
from queries.answer import Answer
from queries.replay import Replay
from queries.request import Request
from queries.scope import Period


def asked(request: Request) -> dict[str, Any]:
    """A request that was read from a file."""
    return {"reference": request.reference, "request": numbers.hashed(msgspec.to_builtins(request))}


def typed(request: Request) -> dict[str, Any]:
    """A request that was typed as terms and options."""
    said = {
        "terms": msgspec.to_builtins(request.mentions),
        "offences": [code for row in request.scope.offences for code in row.codes],
        "periods": [_period(one) for one in request.every_period],
        "where": msgspec.to_builtins(request.where),
        "tables": msgspec.to_builtins(request.questions),
    }
    return {"asked": {name: value for name, value in said.items() if value}}


def _period(period: Period) -> str:
    days = (
        day.isoformat() if day and day not in (date.min, date.max) else ""
        for day in (period.start, period.end)
    )
    return "..".join(days)


def answered(answer: Answer) -> dict[str, Any]:
    """An answer: its generation, and the hash of every number in it."""
    return {
        "generation": answer.provenance.generation,
        "numbers": numbers.digest(answer),
        "records": answer.scope.records,
    }


def replayed(found: Replay, answer: Answer) -> dict[str, Any]:
    """A replay: the live generation, the numbers replayed, and how many records it names."""
    return {
        "generation": found.live,
        "numbers": numbers.digest(answer),
        "records": len(found.movers or ()),
        "exit_code": found.error.exit_code if found.error else 0,
    }


def counted(count: Count) -> dict[str, Any]:
    """A count from the command line."""
    said = msgspec.to_builtins(count)
    for name in ("generation", "built_at", "watermark"):
        del said[name]
    return {
        "generation": count.generation,
        "numbers": numbers.hashed(said),
        "records": count.records,
    }
