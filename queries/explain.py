"""What a request counts, in words: for the person who must stand by the number. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from indexer import offences
from queries.fields import Axis
from queries.grid import Grid
from queries.questions import Question
from queries.request import Request
from queries.scope import Mention, Scope


def explain(request: Request) -> str:
    """The scope, each term with every way to write it that counts, and each table."""
    scope = request.scope
    lines = ["Counted are records whose status is recorded", *_scope(scope)]
    for question in request.questions:
        seen = question.seen(scope)
        lines += ["", f"{question.id}: {_grid(question.grid(seen))}", *_own(question, seen)]
    return "\n".join(lines) + "\n"


def _scope(scope: Scope) -> Iterator[str]:
    if scope.periods:
        yield f"  that were recorded {scope.when}, both days included"
    if scope.offences:
        table = offences.load()
        codes = dict.fromkeys(code for row in scope.offences for code in row.codes)
        yield "  of an offence of these codes, or of a code below one:"
        yield from (f"    {code}  {table.title(code)}" for code in codes)
    for condition in scope.conditions:
        yield f"  where {condition.words}"
    if scope.mentions:
        yield "  whose narrative has" + (" one of these:" if len(scope.mentions) > 1 else ":")
        for mention in scope.mentions:
            yield from _mention(mention)
    if not (scope.periods or scope.offences or scope.conditions or scope.mentions):
        yield "  whatever else they hold"


def _mention(mention: Mention) -> Iterator[str]:
    for term in mention.spellings:
        forms = ", ".join(" ".join(form) for form in term.forms)
        yield f'    "{term.written}": {forms}'
    for other in mention.company:
        where = (
            "anywhere in the same record"
            if other.within is None
            else f"at most {other.within} words (or punctuation marks) from it"
        )
        forms = ", ".join(" ".join(form) for form in other.term.forms)
        yield f'      only with "{other.term.written}" {where}: {forms}'
    if not any(term.compound for term in mention.spellings):
        yield "      spaces and dashes between words count alike; capitals do not matter"


def _grid(grid: Grid) -> str:
    sides = [_axis(axis) for axis in grid.axes]
    return f"{grid.unit} by {' and by '.join(sides)}"


def _axis(axis: Axis) -> str:
    heading = axis.heading.lower()
    if axis.buckets is None:
        return f"{heading}, a row for each that is found"
    return f"{heading} ({', '.join(one.label for one in axis.buckets)})"


def _own(question: Question, seen: Scope) -> Iterator[str]:
    """What the question's own terms are."""
    if question.within:
        yield "  among these alone:"
        yield from (f"  {line}" for line in _scope(question.within.scope_with(seen.categories)))
    for axis in question.grid(seen).axes:
        for mention in axis.mentions:
            yield from _mention(mention)
