"""Fills in a force's own templates in a process with limits; the templates of foidex need none."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, ParamSpec, TypeVar, cast

from indexer.errors import ConfigurationError
from queries.documents.template_worker import TemplateOutcome

#: What all documents of an answer may take together. A PDF has a process and limits of its own.
MAX_MEGABYTES: Final = 4096

MAX_SECONDS: Final = 120

_MAX_WAIT_SECONDS: Final = 1_800

_WORKER: Final = "queries.documents.template_worker"

#: A line of the trace that a process writes when its time is up, if it is in a template.
_TEMPLATE_LINE: Final = re.compile(r'File "(.+?\.j2|<template>)", line ')

_Arguments = ParamSpec("_Arguments")
_Value = TypeVar("_Value")


def run_with_limits(
    templates: Path | None,
    function: Callable[_Arguments, _Value],
    *arguments: _Arguments.args,
    **options: _Arguments.kwargs,
) -> _Value:
    """Call a function that fills in templates, and return what it does.

    If ``templates``, a force's own folder, is not None, a process of its own calls it: the function
    is one of a module, and what goes in and out can be pickled. Raises what the function raises,
    and ConfigurationError if the templates take too much memory or time.
    """
    if templates is None:
        return function(*arguments, **options)
    assert not options, "a process gets no named arguments"
    command = [sys.executable, "-P", "-m", _WORKER, str(MAX_MEGABYTES), str(MAX_SECONDS)]
    try:
        completed = subprocess.run(  # noqa: S603 - our own program
            command,
            input=pickle.dumps((function, arguments)),
            capture_output=True,
            timeout=_MAX_WAIT_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise _make_limit_error(templates, error) from None
    outcome: TemplateOutcome = pickle.loads(completed.stdout)  # noqa: S301 - from foidex itself
    if outcome.error is not None:
        raise outcome.error
    if outcome.fault:
        raise RuntimeError(outcome.fault)
    return cast(_Value, outcome.value)


def _make_limit_error(templates: Path, error: subprocess.SubprocessError) -> ConfigurationError:
    """The message about templates that take too much, with the innermost one if it is known."""
    trace = getattr(error, "stderr", None) or b""
    line = _TEMPLATE_LINE.search(trace.decode(errors="replace"))
    name = line[1].replace("<template>", str(templates / "letter.docx")) if line else templates
    return ConfigurationError(
        f"{name}: filling in takes more than {MAX_SECONDS} seconds or {MAX_MEGABYTES:,} MB, so a "
        "loop or a macro may never end, or a value is too large. Correct the template."
    )
