"""Explains one record: asks the server which conditions it meets, and reads the rest from it.

The numbers are those of the answer, and the server decides every condition with the queries that
counted them, so an explanation cannot disagree with the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from elasticsearch import Elasticsearch
from elasticsearch.dsl.query import Query
from elasticsearch.dsl.query import Term as IsTerm
from msgspec import Struct

from indexer.errors import RequestError
from indexer.index.paging import open_point_in_time
from indexer.records.model import DELETED, EXCLUDING_LOCATIONS
from queries.answer.cells import Cell, list_cells
from queries.answer.types import Answer
from queries.answering.build import compute_answer
from queries.evidence.locate import parse_cell_name
from queries.evidence.membership import CellCounts, build_membership
from queries.evidence.trace import trace_record
from queries.matching.highlight import NARRATIVE_FIELDS, narrative_from_source
from queries.matching.term import Term, build_term_query
from queries.questions.base import build_filters_agg, parse_filter_counts
from queries.questions.prepared import PreparedQuestion, prepare_question
from queries.request.reader import Request
from queries.search.exactness import alias_moved_error
from queries.search.run import LiveSearch, build_count_body
from queries.tables.scope import Mention, any_of
from queries.why.explanation import (
    ConditionCheck,
    CountedNumber,
    NumberExplanation,
    QuestionExplanation,
    RecordExplanation,
    TermFinding,
)
from queries.why.number import list_number_checks
from queries.why.record_checks import (
    Document,
    RecordCheck,
    build_status_check,
    list_question_checks,
    list_scope_checks,
)
from queries.why.term_words import NarrativeWords, explain_absence, explain_presence

_SOURCE: Final = (
    "crime_ref", "recorded_on", "offence_code", "status", "outcome", "victims", "suspects",
    "categories", "place", *NARRATIVE_FIELDS,
)  # fmt: skip


# Numbers of terms are explained with the terms.
_TERM_PARTS: Final = ("term", "form")


class ExplanationOptions(Struct, frozen=True):
    """The number to explain, if one is named as ``find`` names it, and whether to mask what may
    identify a person in the words that are shown."""

    row: str | None = None
    column: str = ""
    mask: bool = False


DEFAULT_OPTIONS: Final = ExplanationOptions()


def explain_record(
    client: Elasticsearch,
    alias: str,
    request: Request,
    reference: str,
    options: ExplanationOptions = DEFAULT_OPTIONS,
) -> RecordExplanation:
    """Why a record of the live generation counts in a request, or does not.

    Raises RequestError if there is no such record or number, and as ``compute_answer``.
    """
    with open_point_in_time(client, alias):
        pass  # This needs the privilege to read whole records, which a publisher's role lacks.
    answer = compute_answer(client, alias, request)
    explainer = _RecordExplainer(client, alias, request, answer, options)
    return explainer.explain(reference)


class _Verdicts:
    """Which queries a record matches, each asked once."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self._met: list[bool] = []

    def add(self, query: Query) -> int:
        """Ask about a query; returns its number."""
        self.queries.append(query)
        return len(self.queries) - 1

    def read(self, aggregation: dict[str, Any]) -> None:
        """Read which of them the record matches."""
        self._met = [count > 0 for count in parse_filter_counts(aggregation)]

    def is_met(self, number: int) -> bool:
        """Whether the record matches a query, by its number."""
        return self._met[number]


class _AskedCheck(Struct, frozen=True):
    """A check, and the number of its query."""

    check: RecordCheck
    number: int


class _AskedTerm(Struct, frozen=True):
    """A term, the questions it is asked in, and the numbers of its queries: the whole mention, its
    spellings alone, and the terms that must be with it."""

    mention: Mention
    places: tuple[str, ...]
    number: int
    alone: int
    company: tuple[int, ...]


class _RecordExplainer:
    """Explains records for one request and its answer."""

    def __init__(
        self,
        client: Elasticsearch,
        alias: str,
        request: Request,
        answer: Answer,
        options: ExplanationOptions,
    ) -> None:
        self.client = client
        self.alias = alias
        self.request = request
        self.answer = answer
        self.options = options
        self.verdicts = _Verdicts()
        self.prepared = [prepare_question(one, request.scope) for one in request.questions]
        self.scope_checks = self._ask(list_scope_checks(request.scope))
        self.status_check = self._ask([build_status_check()])
        self.question_checks = [self._ask(list_question_checks(one)) for one in self.prepared]
        self.terms = [self._ask_term(*entry) for entry in self._list_places().items()]
        self.number_checks = self._ask(
            list_number_checks(request, *parse_cell_name(options.row), options.column)
            if options.row
            else []
        )

    def explain(self, reference: str) -> RecordExplanation:
        """Raises RequestError if there is no such record."""
        document = self._read_record(reference)
        generation = self.answer.provenance.generation
        membership = build_membership(self.request, self.answer)
        traced = trace_record(self.client, generation, reference, membership, self.alias)
        scope = self._judge(self.scope_checks, document)
        in_scope = all(check.met for check in scope)
        counts = traced.counts if traced and in_scope else {}
        words = NarrativeWords(narrative_from_source(document), mask=self.options.mask)
        return RecordExplanation(
            crime_ref=document["crime_ref"],
            generation=generation,
            in_scope=in_scope,
            scope=(*self._judge(self.status_check, document), *scope),
            scope_counted=self._list_counted("", counts),
            terms=tuple(self._explain_term(asked, words) for asked in self.terms),
            questions=tuple(
                self._explain_question(prepared, checks, document, counts)
                for prepared, checks in zip(self.prepared, self.question_checks, strict=True)
            ),
            number=self._explain_number(document, in_scope=in_scope),
        )

    def _ask(self, checks: Iterable[RecordCheck]) -> list[_AskedCheck]:
        return [_AskedCheck(check, self.verdicts.add(check.query)) for check in checks]

    def _list_places(self) -> dict[Mention, tuple[str, ...]]:
        """Each term of the request, and the questions that ask for it; "" is the scope."""
        places: dict[Mention, tuple[str, ...]] = dict.fromkeys(self.request.scope.mentions, ("",))
        for prepared in self.prepared:
            for mention in dict.fromkeys(prepared.mentions):
                places[mention] = (*places.get(mention, ()), prepared.question.id)
        return places

    def _ask_term(self, mention: Mention, places: tuple[str, ...]) -> _AskedTerm:
        alone = any_of([build_term_query(term) for term in mention.spellings])
        return _AskedTerm(
            mention,
            places,
            self.verdicts.add(mention.query()),
            self.verdicts.add(alone),
            tuple(self.verdicts.add(build_term_query(co.term)) for co in mention.cooccurrences),
        )

    def _read_record(self, reference: str) -> Document:
        """The record, with every query answered. Raises RequestError."""
        body = build_count_body(
            IsTerm(crime_ref=reference), {"checks": build_filters_agg(self.verdicts.queries)}
        )
        body |= {"size": 1, "_source": list(_SOURCE)}
        result = LiveSearch(self.client, self.alias).run_search(body)
        if result.generation.name != self.answer.provenance.generation:
            raise alias_moved_error(self.alias)
        hits = result.body["hits"]["hits"]
        if not hits:
            raise RequestError(
                f'there is no record with the reference "{reference[:60]}" in '
                f"{result.generation.name}. References are compared exactly, capitals and spaces "
                "included; if the record is newer than the index, refresh first."
            )
        document: Document = hits[0]["_source"]
        if document["status"] == DELETED:
            erased = document["place"] in EXCLUDING_LOCATIONS
            raise RequestError(
                f'the record "{reference[:60]}" was '
                f"{'erased by foidex forget' if erased else 'deleted at its source'}, so it counts "
                "nowhere and there is no text to explain."
            )
        self.verdicts.read(result.body["aggregations"]["checks"])
        return document

    def _judge(
        self, checks: Sequence[_AskedCheck], document: Document
    ) -> tuple[ConditionCheck, ...]:
        return tuple(
            ConditionCheck(
                asked.check.words,
                self.verdicts.is_met(asked.number),
                self._describe_mentioned(asked.check.mentions)
                or asked.check.describe_found(document),
            )
            for asked in checks
        )

    def _describe_mentioned(self, mentions: Sequence[Mention]) -> str:
        if not mentions:
            return ""
        mentioned = [
            asked.mention.label
            for asked in self.terms
            if asked.mention in mentions and self.verdicts.is_met(asked.number)
        ]
        return f"mentions {', '.join(mentioned)}" if mentioned else "mentions none of them"

    def _explain_term(self, asked: _AskedTerm, words: NarrativeWords) -> TermFinding:
        mention, is_met = asked.mention, self.verdicts.is_met
        if is_met(asked.alone):
            reason = explain_presence(words.find_mentions(mention))
            if not is_met(asked.number):
                reason = f"{reason} {self._explain_company(asked)}"
            passages = words.show_mentions(mention)
        else:
            passages = words.show_close_words(mention, self._list_requested_terms())
            reason = "Not mentioned. These words are close, and do not count:"
            if not passages:
                reason, passages = explain_absence(words, mention)
        return TermFinding(mention.label, asked.places, is_met(asked.number), reason, passages)

    def _explain_company(self, asked: _AskedTerm) -> str:
        """Why a term that is in the text does not count: what must be with it is not."""
        pairs = list(zip(asked.mention.cooccurrences, asked.company, strict=True))
        absent = [co.words for co, number in pairs if not self.verdicts.is_met(number)]
        if absent:
            quoted = " and ".join(co.term.written for co, _ in pairs if co.words in absent)
            return f'It does not count without "{quoted}", which the narrative does not mention.'
        needed = " and ".join(co.words for co, _ in pairs)
        return f"It does not count: {needed} is also mentioned, but nowhere as close as that."

    def _list_requested_terms(self) -> list[Term]:
        return [term for asked in self.terms for term in asked.mention.spellings]

    def _explain_question(
        self,
        prepared: PreparedQuestion,
        checks: Sequence[_AskedCheck],
        document: Document,
        counts: CellCounts,
    ) -> QuestionExplanation:
        question = prepared.question.id
        counted_rows = {key.row for key in counts if key.question == question and key.part == "row"}
        (answered,) = (one for one in self.answer.questions if one.id == question)
        rows_without = tuple(
            row.label for row in answered.table.rows if row.key not in counted_rows
        )
        conditions = self._judge(checks, document)
        is_asked = bool(counts) and all(check.met for check in conditions)
        return QuestionExplanation(
            question,
            prepared.question.text,
            conditions,
            self._list_counted(question, counts),
            rows_without if is_asked else (),
        )

    def _list_counted(self, question: str, counts: CellCounts) -> tuple[CountedNumber, ...]:
        return tuple(
            CountedNumber(_name_cell(cell), counts[cell.key], cell.value)
            for cell in list_cells(self.answer)
            if cell.key.question == question
            and cell.key.part not in _TERM_PARTS
            and cell.key in counts
            and isinstance(cell.value, int)
        )

    def _explain_number(self, document: Document, *, in_scope: bool) -> NumberExplanation | None:
        if not self.options.row:
            return None
        conditions = (
            ConditionCheck("it is in the scope of the request", in_scope),
            *self._judge(self.number_checks, document),
        )
        name = self.options.row + (f", {self.options.column}" if self.options.column else "")
        return NumberExplanation(name, all(check.met for check in conditions), conditions)


def _name_cell(cell: Cell) -> str:
    """The name of a number within its question."""
    return cell.location.removeprefix(f"{cell.key.question}, ").removeprefix("scope, ")
