"""What a wording check found, as types, and as text for a person.

No input or output. Every count is of records that count (status recorded); none changes an answer.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from queries.answer.types import NearMissCount, SpellingCount
from queries.request.reader import Request

LINT_FORMAT: Final = "foidex-lint/1"


class NearMiss(Struct, frozen=True):
    """Wording near a term that the request does not ask for: the records that hold it, in any of
    its own hyphen and spacing variants, and those that counting it would add."""

    wording: str
    kind: str
    records: int
    added: int


class SampleContext(Struct, frozen=True):
    """A mention in one record, with the text around it."""

    crime_ref: str
    before: str
    match: str
    after: str


class WordingSuggestion(Struct, frozen=True):
    """``with`` company, or an ``alias``, that a term could be given, with the records that the term
    would then have, in scope."""

    kind: str
    value: str
    records: int


class SampleCoverage(
    Struct,
    frozen=True,
    rename={
        "uncounted_read": "without_read",
        "uncounted_total": "without_of",
        "counted_read": "beside_read",
        "counted_total": "beside_of",
    },
):
    """Where near misses were looked for: how many records were read, of how many that may hold one.

    ``without`` the term, or anything like it that is asked for, where a near miss adds records; and
    ``beside`` it, where it does not.
    """

    uncounted_read: int
    uncounted_total: int
    counted_read: int
    counted_total: int

    @property
    def is_complete(self) -> bool:
        """Whether every record was read."""
        return (self.uncounted_read, self.counted_read) == (
            self.uncounted_total,
            self.counted_total,
        )


class TermCheck(Struct, frozen=True, rename={"coverage": "looked", "unintended": "unmeant"}):
    """One term of the request. ``places`` are "mentions", or the questions that ask for it.

    A mention is counted in the period and offences, a question's term in the whole scope.
    ``in_index`` is of the whole index, and only asked where the term has no record in scope.
    ``unmeant`` are forms that were found and counted, though nobody wrote the term so.
    """

    term: str
    places: tuple[str, ...]
    records: int
    in_index: int | None
    near_misses: tuple[NearMiss, ...]
    more_near_misses: int
    coverage: SampleCoverage
    unintended: tuple[SpellingCount, ...]
    everyday: bool
    contexts: tuple[SampleContext, ...]
    suggestions: tuple[WordingSuggestion, ...]


class WordingAnnex(Struct, frozen=True):
    """What the annex of an answer may say of wording that was not counted."""

    near_misses_not_counted: tuple[NearMissCount, ...]


class WordingCheck(Struct, frozen=True):
    """The wording of a request against one generation. ``records`` are those of its period and
    offences, ``in_scope`` those that also mention what it asks for."""

    generation: str
    built_at: datetime
    records: int
    in_scope: int
    offences_without_records: tuple[str, ...]
    terms: tuple[TermCheck, ...]
    annex: WordingAnnex


class LintReport(Struct, frozen=True):
    """A request that is right, and, where there was an index to ask, its wording."""

    file: str
    reference: str
    request: dict[str, Any]
    wording: WordingCheck | None
    format: str = field(default=LINT_FORMAT)


def make_lint_report(request: Request, file: str, wording: WordingCheck | None) -> LintReport:
    """The result of a check."""
    return LintReport(file, request.reference, msgspec.to_builtins(request), wording)


def collect_annex(terms: tuple[TermCheck, ...]) -> WordingAnnex:
    """The near misses of every term, one after another."""
    return WordingAnnex(
        tuple(
            NearMissCount(finding.term, finding.places, miss.wording, miss.records, miss.added)
            for finding in terms
            for miss in finding.near_misses
        )
    )


def lint_schema() -> dict[str, Any]:
    """The JSON Schema of a wording check."""
    return msgspec.json.schema(LintReport)


def format_request_outline(request: Request, file: str) -> str:
    """What a request asks for, as it was read."""
    scope = request.scope
    lines = [f"{file}: {request.reference} is right.", f"Period      {scope.periods_in_words}"]
    lines += [f"Offence     {', '.join(row.codes)}  {row.label}" for row in scope.offences]
    lines += [f"Mention     {', '.join(request.wordings(mention))}" for mention in scope.mentions]
    lines += [
        f"{question.id:<11} {question.__struct_config__.tag}" for question in request.questions
    ]
    return "\n".join(lines) + "\n"


def format_wording_check(check: WordingCheck) -> str:
    """The findings for a person, a line each, grouped by term."""
    lines = [
        f"In {check.generation}: {_format_record_count(check.records)} of this period and these offences, "
        f"{check.in_scope:,} in scope."
    ]
    if check.offences_without_records:
        codes = ", ".join(check.offences_without_records)
        lines.append(f"No record of the period has an offence of: {codes}.")
    quiet: dict[str, list[str]] = defaultdict(list)
    for finding in check.terms:
        if details := list(_format_term_findings(finding)):
            lines += [
                "",
                f'"{finding.term}" ({", ".join(finding.places)}): {_format_term_count(finding)}',
            ]
            lines += [f"  {line}" for line in details]
        else:
            number = finding.records if finding.in_index is None else finding.in_index
            quiet[_describe_state(finding)].append(
                f"{finding.term} {number:,}" if number else finding.term
            )
    lines += [
        line for state, names in quiet.items() for line in ("", f"{state}: {', '.join(names)}.")
    ]
    return "\n".join(lines) + "\n"


def _describe_state(finding: TermCheck) -> str:
    """What is said of a term that nothing else is said of."""
    if finding.in_index is None:
        return "As written, with no near miss"
    if finding.in_index:
        return "None in scope, but in the whole index"
    return "None in the whole index (check how they are written)"


def _format_term_findings(finding: TermCheck) -> Iterator[str]:
    for miss in finding.near_misses:
        yield (
            f"near miss  {miss.wording} {miss.records:,} ({miss.kind}): not asked for, not "
            f"counted; would add {miss.added:,}"
        )
    if finding.more_near_misses:
        yield f"near miss  and {finding.more_near_misses:,} rarer wordings"
    coverage = finding.coverage
    if coverage.uncounted_read < coverage.uncounted_total:
        yield (
            f"near miss  looked for in {coverage.uncounted_read:,} of {coverage.uncounted_total:,} records "
            "that may hold one and do not mention it: there may be others"
        )
    if finding.near_misses and coverage.counted_read < coverage.counted_total:
        yield (
            f"near miss  looked for in {coverage.counted_read:,} of the {coverage.counted_total:,} records "
            "that count already"
        )
    if finding.unintended:
        forms = ", ".join(f"{form.form} {form.records:,}" for form in finding.unintended)
        yield (
            f"form       {forms}: counted, and perhaps not meant; variants: none leaves it out, "
            "with: [...] wants company"
        )
    if finding.everyday and finding.records:
        yield "everyday   is also an everyday word, or means other things"
    for context in finding.contexts:
        yield f"           {context.crime_ref}: {context.before}[{context.match}]{context.after}"
    for suggestion in finding.suggestions:
        yield _format_suggestion(finding, suggestion)


def _format_suggestion(finding: TermCheck, suggestion: WordingSuggestion) -> str:
    key = "with" if suggestion.kind == "with" else "aliases"
    spec = (
        f"{{term: {quote_yaml_term(finding.term)}, {key}: [{quote_yaml_term(suggestion.value)}]}}"
    )
    if suggestion.kind == "with":
        return f"with       {spec} would leave {suggestion.records:,} of {finding.records:,}"
    return f"alias      {spec} would make it {suggestion.records:,}"


def quote_yaml_term(written: str) -> str:
    """A term as a request file has it."""
    if re.fullmatch(r"\w[\w -]*", written):
        return written
    return "'{}'".format(written.replace("'", "''"))


def _format_term_count(finding: TermCheck) -> str:
    if finding.in_index is None:
        return _format_record_count(finding.records)
    return f"none in scope, {_format_record_count(finding.in_index)} in the whole index"


def _format_record_count(number: int) -> str:
    return "1 record" if number == 1 else f"{number:,} records"
