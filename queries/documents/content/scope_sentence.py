"""The sentence that says what every figure of an answer counts: periods, codes and words."""

from __future__ import annotations

from typing import Final

from indexer.records.noun import OFFENCE, Noun
from queries.answer.types import PeriodAnswer, ScopeAnswer, TermAnswer
from queries.documents.content.asked_codes import CodeNames
from queries.layout.prose import join_list
from queries.tables.period import Period

NO_NAMES: CodeNames = {}

_IN: Final = "in "


def list_wordings(term: TermAnswer) -> list[str]:
    """The wordings of a term, each with its aliases, required terms and exactness."""
    qualifiers = [f'or "{alias}"' for alias in term.aliases]
    qualifiers += ["exactly as written"] if term.exact else []
    if term.company:
        qualifiers.append(f"only if it also mentions {join_list([*term.company])}")
    suffix = f" ({', '.join(qualifiers)})" if qualifiers else ""
    return [f'"{wording}"{suffix}' for wording in term.wordings]


def describe_scope(scope: ScopeAnswer, names: CodeNames = NO_NAMES) -> str:
    """The periods and codes of an answer, and the conditions on its records' fields, in words.

    ``names`` are codes as the request names them.
    """
    if len(scope.periods) > 1:
        description = _join_phrases([_describe_period(period) for period in scope.periods])
    else:
        description = Period(scope.period_from, scope.period_to).words
    rows = (names.get(row.codes, row.codes) for row in scope.offences)
    codes = list(dict.fromkeys(code for row in rows for code in row))
    if codes:
        description += f" under the code{_plural(codes)} {join_list(codes)}"
    return (
        f"{description}, where {join_list([*scope.conditions])}"
        if scope.conditions
        else description
    )


def _join_phrases(phrases: list[str]) -> str:
    """Phrases as a list; years that all begin with "in" say it once."""
    if all(phrase.startswith(_IN) for phrase in phrases):
        return _IN + join_list([phrase.removeprefix(_IN) for phrase in phrases])
    return join_list(phrases)


def _plural(codes: list[str]) -> str:
    return "s" if len(codes) > 1 or " to " in codes[0] else ""


def _describe_period(period: PeriodAnswer) -> str:
    return Period(period.start, period.end, period.label).phrase


def describe_counted_records(
    scope: ScopeAnswer, noun: Noun = OFFENCE, names: CodeNames = NO_NAMES
) -> str:
    """What every figure counts: "offences recorded in 2017/18, where the record mentions ...".

    ``names`` are codes as the request names them.
    """
    wordings = [wording for term in scope.terms for wording in list_wordings(term)]
    if not wordings:
        return f"{noun.plural} recorded {describe_scope(scope, names)}"
    clause = "and where" if scope.conditions else "where"
    return (
        f"{noun.plural} recorded {describe_scope(scope, names)}, {clause} the record mentions "
        f"{join_list(wordings, 'or')}"
    )
