"""What every kind of question has: a table to ask for, its answer, and the records behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from elasticsearch.dsl import aggs
from elasticsearch.dsl.query import Query
from msgspec import Meta, Struct

from queries.answer import Form, QuestionAnswer, Table, TermFound
from queries.fields import Axis
from queries.grid import Grid
from queries.problems import Problem
from queries.scope import Mention, Scope, counted_query
from queries.spec import ScopeSpec

Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,19}$")]


class Question(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", kw_only=True):
    """A question of a request. A kind says what to ask and how to read what comes back.

    ``text`` is the question as the requester put it, for the letter, ``within`` a narrower scope
    than the request's. ``build`` and ``parse`` do no input or output; ``parse`` reads only what
    ``build`` asked for. Aggregations run over the records that ``filters`` lets through. The scope
    they are given is already the narrower one. Rows, columns and counted facts say what they mean,
    and the table which relations hold among its numbers whatever the records are: what is withheld
    depends on it.
    """

    id: Identifier
    text: str = ""
    within: ScopeSpec | None = None

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """What is wrong beyond the types."""
        del scope
        yield from ()

    def seen(self, scope: Scope) -> Scope:
        """The scope of the request as this question narrows it."""
        if self.within is None:
            return scope
        return scope.narrowed(self.within.scope_with(scope.categories))

    def filters(self, scope: Scope) -> list[Query]:
        """What a record in the request's scope must satisfy to be asked about."""
        narrower = self.within.scope_with(scope.categories).filters() if self.within else []
        every = any(axis.every_status for axis in self.grid(self.seen(scope)).axes)
        return narrower if every else [counted_query(), *narrower]

    def mentions(self, scope: Scope) -> tuple[Mention, ...]:
        """The terms it asks for itself, of its table and of its narrower scope."""
        own = self.within.scope_with(scope.categories).mentions if self.within else ()
        axes = self.grid(self.seen(scope)).axes
        return (*own, *(mention for axis in axes for mention in axis.mentions))

    def grid(self, scope: Scope) -> Grid:
        """The table."""
        raise NotImplementedError

    def build(self, scope: Scope) -> dict[str, aggs.Agg[Any]]:
        """The aggregations to ask for, by a name of the question's own."""
        grid = self.grid(scope)
        mentions = [mention for axis in grid.axes for mention in axis.mentions]
        return {**grid.build(), **(terms_asked(mentions) if mentions else {})}

    def parse(self, found: dict[str, Any], scope: Scope) -> QuestionAnswer:
        """The answer, from the aggregations' bodies and ``doc_count``, the records asked about."""
        grid = self.grid(scope)
        table = grid.read(found)
        return self.answered(table, found, scope, notes=_overlaps(grid, table))

    def where(self, row: str, column: str | None, scope: Scope) -> Query:
        """The records asked about that are behind a row, or a cell. Raises RequestError."""
        return self.grid(scope).where(row, column)

    def side_by_side(self, scope: Scope) -> bool:
        """Whether several periods are columns of the table."""
        return len(scope.periods) > 1

    def answered(
        self, table: Table, found: dict[str, Any], scope: Scope, **more: Any
    ) -> QuestionAnswer:
        """The answer with a table."""
        mentions = [mention for axis in self.grid(scope).axes for mention in axis.mentions]
        return QuestionAnswer(
            id=self.id,
            kind=str(self.__struct_config__.tag),
            text=self.text,
            table=table,
            terms=terms_found(mentions, found) if mentions else (),
            **more,
        )


def _overlaps(grid: Grid, table: Table) -> tuple[str, ...]:
    """Why rows or columns add up to more than their total, where they do."""
    rows, *columns = grid.axes
    unit = table.columns[0].label.lower()[:-1]
    notes: list[str] = []
    if not rows.partition:
        notes += overlap_note(table, _because(rows, unit))
    if columns and not columns[0].partition:
        total, *asked = [count or 0 for count in table.total.counts]
        if sum(asked) > total:
            notes.append(
                f"The columns add up to {sum(asked):,}, more than the total of {total:,}, because "
                f"{_because(columns[0], unit)}. The total counts each once."
            )
    return tuple(notes)


def _because(axis: Axis, unit: str) -> str:
    if axis.mentions:
        return "a record may mention several of them"
    return f"one {unit} may belong to several of them"


def bucketed(queries: Iterable[Query]) -> aggs.Filters:
    """One bucket a query, named "0", "1", ..."""
    return aggs.Filters(filters={str(number): query for number, query in enumerate(queries)})


def counts(found: dict[str, Any]) -> list[int]:
    """The counts of ``bucketed``, in order."""
    buckets = found["buckets"]  # which the server sorts by name: "10" before "2"
    return [buckets[name]["doc_count"] for name in sorted(buckets, key=int)]


def terms_asked(mentions: Iterable[Mention]) -> dict[str, aggs.Agg[Any]]:
    """A bucket for each mention, and for each form of each spelling of it, in order."""
    asked = tuple(mentions)
    forms = (
        mention.form_query(term, form)
        for mention in asked
        for term in mention.spellings
        for form in term.forms
    )
    return {"mentions": bucketed(one.query() for one in asked), "forms": bucketed(forms)}


def terms_found(mentions: Iterable[Mention], found: dict[str, Any]) -> tuple[TermFound, ...]:
    """Each mention with its records and the forms found, from what ``terms_asked`` brought."""
    each_form = iter(counts(found["forms"]))
    return tuple(
        _term_found(mention, held, each_form)
        for mention, held in zip(mentions, counts(found["mentions"]), strict=True)
    )


def _term_found(mention: Mention, records: int, each_form: Iterator[int]) -> TermFound:
    forms = {" ".join(form): next(each_form) for term in mention.spellings for form in term.forms}
    most_first = sorted(forms.items(), key=lambda item: (-item[1], item[0]))
    return TermFound(
        wordings=(mention.term.written,),
        records=records,
        forms=tuple(Form(form, held) for form, held in most_first if held),
        exact=mention.exact,
        aliases=tuple(alias.written for alias in mention.aliases),
        company=tuple(other.words for other in mention.company),
        means=(mention.means,),
    )


def overlap_note(table: Table, what: str) -> tuple[str, ...]:
    """Why the rows of a table add up to more than its total, where they do."""
    summed = sum(row.counts[0] or 0 for row in table.rows)
    total = table.total.counts[0] or 0
    if summed <= total:
        return ()
    return (
        f"The rows add up to {summed:,}, more than the total of {total:,}, because {what}. "
        "The total counts each once.",
    )
