"""Counts an ad hoc request, and formats the result as text or CSV."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime
from typing import Final

import msgspec
from elasticsearch import Elasticsearch
from msgspec import UNSET, Struct

from indexer.records.coverage import Coverage
from queries.answer.types import Answer, Count, SpellingCount, Table
from queries.answering.build import compute_answer
from queries.layout.coverage_text import describe_coverage, warn_about_inferred
from queries.layout.csv_text import escape_formula, format_table_csv
from queries.layout.printed_table import shorten_total
from queries.layout.prose import describe_left_out, format_number, format_timestamp
from queries.layout.text_table import align_rows, format_text_table, wrap_paragraph
from queries.lint.scope_damage import ScopeDamage, count_scope_damage, has_scope_damage
from queries.lint.unused_values import find_unused_values
from queries.request.reader import Request
from queries.search.exactness import alias_moved_error
from queries.search.sealed import SealedGeneration
from queries.tables.scope import Scope

_TOTAL_LABEL: Final = "each record once"

#: Where nothing is asked for but the number of records.
_ALL_LABEL: Final = "all records"

_MAX_LABEL_WIDTH: Final = 60


class AdhocTermCount(Struct, frozen=True):
    """A term as typed, the number of records that mention it, and its spellings in them."""

    term: str
    records: Count
    forms: tuple[SpellingCount, ...]


class AdhocCount(Struct, frozen=True):
    """The result of an ad hoc count.

    ``records`` counts each record once, however many of the terms it mentions; ``left_out`` has the
    records in scope that do not count, by status; ``table`` is the breakdown, if there is one.
    ``coverage_notes`` say what of the days asked about the records do not cover. ``damage`` counts
    the records of the period and offences, whatever they mention, whose text is damaged; None if an
    earlier version built the generation. ``unused_values`` are the values of categories asked for
    that no record has, in words.
    """

    terms: tuple[AdhocTermCount, ...]
    records: Count
    left_out: dict[str, Count]
    period_from: date | None
    period_to: date | None
    offences: tuple[str, ...]
    table: Table | None
    notes: tuple[str, ...]
    generation: str
    built_at: datetime
    watermark: datetime | None
    coverage: Coverage | None = None
    coverage_notes: tuple[str, ...] = ()
    damage: ScopeDamage | None = None
    unused_values: tuple[str, ...] = ()

    @property
    def exclusions(self) -> str:
        """What is left out because of its status, in a sentence."""
        by_status = self.table is not None and self.table.is_by_status
        return describe_left_out(self.left_out, by_status=by_status)


def count_adhoc_request(client: Elasticsearch, alias: str, request: Request) -> AdhocCount:
    """Count the records in the live generation of an alias. Raises as ``compute_answer``."""
    answer = compute_answer(client, alias, request)
    damage = _count_damage(client, alias, request, answer)
    scope = request.scope
    question = answer.questions[0] if answer.questions else None
    return AdhocCount(
        terms=_list_term_counts(answer, request, scope),
        records=answer.scope.records,
        left_out=answer.scope.left_out,
        period_from=scope.period.start,
        period_to=scope.period.end,
        offences=tuple(code for row in scope.offences for code in row.codes),
        table=question.table if question else None,
        notes=question.notes if question else (),
        generation=answer.provenance.generation,
        built_at=answer.provenance.built_at,
        watermark=answer.provenance.watermark,
        coverage=answer.coverage,
        coverage_notes=_write_coverage_notes(answer),
        damage=damage,
        unused_values=_find_unused_values(client, alias, request, answer),
    )


def _count_damage(
    client: Elasticsearch, alias: str, request: Request, answer: Answer
) -> ScopeDamage | None:
    """The damaged records in scope, of the answer's own generation; a search only if any are."""
    damage = answer.provenance.damage
    if damage is UNSET:
        return None
    if not has_scope_damage(damage):
        return ScopeDamage(0, {}, damage.cut)
    sealed = _seal_generation(client, alias, answer)
    counted = count_scope_damage(sealed, msgspec.structs.replace(request.scope, mentions=()))
    if counted and not answer.asks_about_terms:
        return msgspec.structs.replace(counted, without_text=0)
    return counted


def _find_unused_values(
    client: Elasticsearch, alias: str, request: Request, answer: Answer
) -> tuple[str, ...]:
    """The values of ``where`` that no record has; a search only if there may be any."""
    if not request.scope.field_filters:
        return ()
    return find_unused_values(_seal_generation(client, alias, answer), [request.scope])


def _seal_generation(client: Elasticsearch, alias: str, answer: Answer) -> SealedGeneration:
    """The answer's own generation. Raises GenerationError if another one is live by now."""
    sealed = SealedGeneration(client, alias)
    if sealed.generation.name != answer.provenance.generation:
        raise alias_moved_error(alias)
    return sealed


def _write_coverage_notes(answer: Answer) -> tuple[str, ...]:
    """What of the days asked about is not covered, and whether the coverage was inferred."""
    notes = describe_coverage(answer)
    warning = warn_about_inferred(answer.coverage)
    return (*notes, warning) if notes and warning else notes


def _list_term_counts(answer: Answer, request: Request, scope: Scope) -> tuple[AdhocTermCount, ...]:
    """The count of each term as typed, even if two of them are the same term."""
    by_key = {
        mention.key: term for mention, term in zip(scope.mentions, answer.scope.terms, strict=True)
    }
    return tuple(
        AdhocTermCount(mention.term.written, by_key[mention.key].records, by_key[mention.key].forms)
        for mention in request.every_mention
    )


def format_adhoc_text(adhoc_count: AdhocCount) -> str:
    """The count as aligned text, for a person."""
    lines = [*map(wrap_paragraph, adhoc_count.coverage_notes)]
    if adhoc_count.table:
        table = shorten_total(adhoc_count.table)
        lines += [format_text_table(table), *map(wrap_paragraph, adhoc_count.notes)]
    else:
        lines += _format_term_rows(adhoc_count)
    for term in adhoc_count.terms:
        forms = ", ".join(f"{form.form} {format_number(form.records)}" for form in term.forms)
        lines.append(f"  {term.term}: {forms or 'no spelling found'}")
    if exclusions := adhoc_count.exclusions:
        lines.append(exclusions)
    lines.append(f"From {adhoc_count.generation}, built {format_timestamp(adhoc_count.built_at)}.")
    return "\n".join(lines) + "\n"


def _format_term_rows(adhoc_count: AdhocCount) -> list[str]:
    counts = [(term.term, term.records) for term in adhoc_count.terms]
    if not counts:
        counts.append((_ALL_LABEL, adhoc_count.records))
    width = min(_MAX_LABEL_WIDTH, max(len(label) for label, _ in [*counts, (_TOTAL_LABEL, 0)]))
    if len(counts) != 1:
        counts.append((_TOTAL_LABEL, adhoc_count.records))
    rows = [(label, format_number(count)) for label, count in counts]
    return align_rows(rows, (f"<{width}", ">9"))


def format_adhoc_csv(adhoc_count: AdhocCount) -> str:
    """The count as CSV: the rows of the table, or a row for each term, and the total."""
    if adhoc_count.table:
        return format_table_csv(adhoc_count.table)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["term", "records"])
    rows.writerows([escape_formula(term.term), term.records] for term in adhoc_count.terms)
    rows.writerow([_TOTAL_LABEL, adhoc_count.records])
    return text.getvalue()
