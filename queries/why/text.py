"""Prints an explanation for a person at a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from queries.layout.prose import join_list
from queries.layout.text_table import wrap_paragraph
from queries.why.explanation import (
    ConditionCheck,
    CountedNumber,
    Passage,
    QuestionExplanation,
    RecordExplanation,
    TermFinding,
)

_MAX_ROWS_NAMED: Final = 12

_STATUS_CONDITION: Final = "its status is recorded"


def format_explanation(explanation: RecordExplanation) -> str:
    """The verdict first, then the scope, the number that was named, the questions and the terms."""
    lines = [_format_verdict(explanation), "", "The scope of the request:"]
    lines += map(_format_check, explanation.scope)
    lines += _format_counted(explanation.scope_counted)
    if number := explanation.number:
        verb = "counts" if number.counts else "does not count"
        lines += ["", f"The record {verb} in {number.number}:"]
        lines += map(_format_check, number.conditions)
    for question in explanation.questions if explanation.in_scope else ():
        lines += ["", *_format_question(question)]
    if explanation.terms:
        lines += ["", "The terms:", *_format_findings(explanation.terms)]
    return "\n".join(lines) + "\n"


def _format_verdict(explanation: RecordExplanation) -> str:
    start = f"{explanation.crime_ref} in {explanation.generation}:"
    failed = [check.condition for check in explanation.scope if not check.met]
    if not explanation.in_scope:
        failed = [condition for condition in failed if condition != _STATUS_CONDITION] or failed
        return f"{start} not in scope, because this is not so: {'; '.join(failed)}."
    numbers = len(explanation.scope_counted) + sum(
        len(question.counted) for question in explanation.questions
    )
    if failed:
        return f"{start} in scope, but left out of the counts because of its status."
    return f"{start} in scope, and counted in {numbers:,} number{'' if numbers == 1 else 's'}."


def _format_check(check: ConditionCheck) -> str:
    found = f" ({check.found})" if check.found else ""
    return f"  {'yes' if check.met else 'NO '}  {check.condition}{found}"


def _format_counted(counted: tuple[CountedNumber, ...]) -> Iterator[str]:
    for number in counted:
        yield f"    {number.counts:,} of {number.total:,}  {number.number}"


def _format_question(question: QuestionExplanation) -> Iterator[str]:
    heading = f"{question.question}: {question.text}" if question.text else question.question
    yield wrap_paragraph(heading)
    yield from (_format_check(check) for check in question.conditions if not check.met)
    yield from _format_counted(question.counted)
    if question.rows_without:
        named = list(question.rows_without[:_MAX_ROWS_NAMED])
        more = len(question.rows_without) - len(named)
        rest = f", and {more:,} more" if more else ""
        listed = ", ".join(named) + rest if more else join_list(named)
        yield wrap_paragraph(f"Not in: {listed}.", 4)


def _format_findings(findings: tuple[TermFinding, ...]) -> Iterator[str]:
    """The terms with something to show, then in one sentence those without."""
    distant = [one for one in findings if not one.mentioned and not one.passages]
    for finding in findings:
        if finding not in distant:
            places = ", ".join(place or "scope" for place in finding.places)
            yield wrap_paragraph(f"{finding.term} ({places}): {finding.reason}", 2)
            for passage in finding.passages:
                yield from _format_passage(passage)
    if distant:
        names = "; ".join(finding.term for finding in distant)
        yield wrap_paragraph(f"Not mentioned, and nothing close to them is: {names}.", 2)


def _format_passage(passage: Passage) -> Iterator[str]:
    yield f"    ... {passage.before}[{passage.words}]{passage.after} ..."
    if passage.cut:
        yield f"        {passage.note}; in the index: {passage.cut}"
