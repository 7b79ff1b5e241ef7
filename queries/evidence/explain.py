"""Explains in words what a request counts, for the person who must defend the number. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from indexer.records.offences import load_offence_table
from queries.questions.prepared import PreparedQuestion, prepare_question
from queries.request.reader import Request
from queries.tables.axis_type import Axis
from queries.tables.scope import Mention, Scope
from queries.tables.table_query import TableQuery


def explain_request(request: Request) -> str:
    """The scope, each term with every spelling that counts, and each table."""
    scope = request.scope
    lines = ["Counts the records with the status recorded", *_explain_scope(scope)]
    for question in request.questions:
        prepared = prepare_question(question, scope)
        lines += [
            "",
            f"{question.id}: {_explain_table(prepared.table_query)}",
            *_explain_question_terms(prepared),
        ]
    return "\n".join(lines) + "\n"


def _explain_scope(scope: Scope) -> Iterator[str]:
    if scope.periods:
        yield f"  that were recorded {scope.periods_in_words}, both days included"
    if scope.offences:
        table = load_offence_table()
        codes = dict.fromkeys(code for row in scope.offences for code in row.codes)
        yield "  with an offence of one of these codes, or of a code below one:"
        yield from (f"    {code}  {table.title(code)}" for code in codes)
    for condition in scope.field_filters:
        yield f"  where {condition.words}"
    if scope.mentions:
        yield "  whose narrative mentions" + (" one of these:" if len(scope.mentions) > 1 else ":")
        for mention in scope.mentions:
            yield from _explain_mention(mention)
    if not (scope.periods or scope.offences or scope.field_filters or scope.mentions):
        yield "  without any other condition"


def _explain_mention(mention: Mention) -> Iterator[str]:
    for term in mention.spellings:
        forms = ", ".join(" ".join(form) for form in term.forms)
        yield f'    "{term.written}": {forms}'
    for co_term in mention.cooccurrences:
        proximity = (
            "anywhere in the same record"
            if co_term.max_distance is None
            else f"at most {co_term.max_distance} words (or punctuation marks) from it"
        )
        forms = ", ".join(" ".join(form) for form in co_term.term.forms)
        yield f'      only with "{co_term.term.written}" {proximity}: {forms}'
    if not any(term.compound for term in mention.spellings):
        yield "      with spaces or hyphens between words, and in upper or lower case"


def _explain_table(table_query: TableQuery) -> str:
    sides = [_explain_axis(axis) for axis in table_query.axes]
    return f"{table_query.unit} by {' and by '.join(sides)}"


def _explain_axis(axis: Axis) -> str:
    heading = axis.heading.lower()
    if axis.buckets is None:
        return f"{heading}, with a row for each one found"
    return f"{heading} ({', '.join(bucket.label for bucket in axis.buckets)})"


def _explain_question_terms(prepared: PreparedQuestion) -> Iterator[str]:
    """The narrower scope of a question, and the terms of its table."""
    if prepared.narrowing:
        yield "  only among the records:"
        yield from (f"  {line}" for line in _explain_scope(prepared.narrowing))
    for mention in prepared.table_query.mentions:
        yield from _explain_mention(mention)
