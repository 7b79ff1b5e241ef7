"""What every kind of question has, and what a kind may ask of the request it is part of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query
from msgspec import Meta, Struct

from queries import terms
from queries.answer import Form, QuestionAnswer, Relation, TermFound
from queries.problems import Problem
from queries.scope import Mention, Scope, all_of, apart

MAX_TERMS: Final = 500

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,19}$")]


class Question(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    """A question of a request. A kind says what to ask and how to read what comes back.

    ``text`` is the question as the requester put it, for the letter. ``build`` and ``parse`` do
    no input or output; ``parse`` reads only what ``build`` asked for. Aggregations run over the
    records in scope whose status counts. Rows and columns say what they mean, and the table which
    relations hold among its numbers whatever the records are: what is withheld depends on it.
    """

    id: Identifier
    text: str = ""

    PAGED: ClassVar[str | None] = None  # the path of a composite aggregation to read to its end

    def problems(self) -> Iterator[Problem]:
        """What is wrong beyond the types."""
        yield from ()

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """The aggregations to ask for, by a name of the question's own."""
        raise NotImplementedError

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """The answer, from the aggregations' bodies and ``doc_count``, the records in scope."""
        raise NotImplementedError


def bucketed(
    queries: Iterable[Query], inside: dict[str, Any] | None = None, other: str | None = None
) -> aggs.Filters:
    """One bucket a query, named "0", "1", ..., and ``other`` for what is in none of them."""
    filters = {str(number): query for number, query in enumerate(queries)}
    options: dict[str, Any] = {"aggs": inside} if inside else {}
    if other:
        options["other_bucket_key"] = other
    return aggs.Filters(filters=filters, **options)


def counts(found: dict[str, Any]) -> list[int]:
    """The counts of ``bucketed``, in order, without the other bucket."""
    buckets = found["buckets"]  # which the server sorts by name: "10" before "2"
    return [buckets[name]["doc_count"] for name in sorted(filter(str.isdigit, buckets), key=int)]


def forms_of(mentions: Iterable[Mention]) -> aggs.Filters:
    """A bucket for each form of each spelling of each mention, in order."""
    return bucketed(
        all_of([terms.form_query(term, form), *(terms.query(one) for one in mention.company)])
        for mention in mentions
        for term in mention.spellings
        for form in term.forms
    )


def terms_found(
    mentions: Iterable[Mention], records: Iterable[int], found: dict[str, Any]
) -> tuple[TermFound, ...]:
    """Each mention with its records and, from ``forms_of``, the forms found."""
    each_form = iter(counts(found))
    return tuple(
        _term_found(mention, held, each_form)
        for mention, held in zip(mentions, records, strict=True)
    )


def _term_found(mention: Mention, records: int, each_form: Iterator[int]) -> TermFound:
    forms = {" ".join(form): next(each_form) for term in mention.spellings for form in term.forms}
    most_first = sorted(forms.items(), key=lambda item: (-item[1], item[0]))
    return TermFound(
        wordings=(mention.label,),
        records=records,
        forms=tuple(Form(form, held) for form, held in most_first if held),
        exact=mention.exact,
        aliases=tuple(alias.written for alias in mention.aliases),
        company=tuple(other.written for other in mention.company),
        means=mention.means,
    )


def adding_up(codes: Sequence[Sequence[str]]) -> Literal["sum", "union"]:
    """How rows of codes make up their total: no offence is in two of them, or some may be."""
    return "sum" if apart(codes) else "union"


def beside_none(keys: Iterable[str], none: str, total: str) -> tuple[Relation, ...]:
    """Rows that may overlap, and the row of what is in none of them, make up the total."""
    keys = tuple(keys)
    return (
        *(Relation("at_most", total, (key, none)) for key in keys),
        Relation("at_least", total, (*keys, none)),
    )


def overlap_note(rows: Iterable[int], total: int, what: str) -> tuple[str, ...]:
    """Why rows add up to more than their total, where they do."""
    summed = sum(rows)
    if summed <= total:
        return ()
    return (
        f"The rows add up to {summed:,}, more than the total of {total:,}, because {what}. "
        "The total counts each once.",
    )
