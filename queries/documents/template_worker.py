"""The process that fills in a force's templates, with limited memory and processor time.

What a template does in one step, such as printing a list that holds itself doubled forty times,
cannot be ended from within. Run as ``python -m queries.documents.template_worker MEGABYTES
SECONDS``. It reads a function with its arguments from its input, and writes what became of them;
both are pickled, because the two ends are one program. When its time is up, it writes to its error
output in which templates it was.
"""

from __future__ import annotations

import faulthandler
import importlib
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Callable
from math import ceil
from typing import Any, Final

from msgspec import Struct

from indexer.errors import FoidexError
from indexer.process_limits import limit_process

#: For the system to end a process that does not end by itself when its time is up.
_GRACE_SECONDS: Final = 5


class TemplateOutcome(Struct, frozen=True):
    """What a function returned; or the error that it raised; or the report of a fault."""

    value: Any = None
    error: FoidexError | None = None
    fault: str = ""


def call_function(function: Callable[..., Any], arguments: tuple[Any, ...]) -> TemplateOutcome:
    """Call a function; what goes wrong in it is part of the outcome."""
    try:
        return TemplateOutcome(value=function(*arguments))
    except FoidexError as error:
        return TemplateOutcome(error=error.with_traceback(None))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, the caller reports it as a fault of ours
        return TemplateOutcome(fault=traceback.format_exc())


def main(arguments: list[str]) -> int:
    """Read the task and write its outcome; returns the exit code."""
    megabytes, seconds = map(int, arguments)
    if hasattr(signal, "SIGXCPU"):  # not on Windows
        faulthandler.register(signal.SIGXCPU, chain=True)
    function, values = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from foidex itself
    used_seconds = ceil(time.process_time())  # by the imports
    limit_process(megabytes, used_seconds + seconds, grace_seconds=_GRACE_SECONDS)
    outcome = call_function(function, values)
    sys.stdout.buffer.write(pickle.dumps(outcome))
    sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    # By its name, so that what is pickled is of this module and not of "__main__".
    os._exit(importlib.import_module("queries.documents.template_worker").main(sys.argv[1:]))
