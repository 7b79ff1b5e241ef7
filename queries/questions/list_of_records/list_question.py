"""Kind ``list``: its fields, what they may be, and what a list is called."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from indexer.config.model import ListSettings
from indexer.errors import RequestError
from queries.answer.types import QuestionAnswer
from queries.questions.base import Question
from queries.questions.list_of_records.combinations import CombinationQuery
from queries.spec.problem import Problem
from queries.spec.scope_spec import AxisSpec, parse_axis_spec
from queries.tables.axis_type import Axis
from queries.tables.scope import Scope
from queries.tables.table_query import TableQuery, TableUnit, find_counted_people

_MAX_FIELDS: Final = 8

#: The most rows of a list. A longer one is an extract, which nobody can check line by line.
MAX_ROWS: Final = 1_000

#: The field of exact days, which a force must allow.
DAY_FIELD: Final = "day"


#: The field of the texts of records, masked and approved one by one.
TEXT_FIELD: Final = "narrative"

#: What else a person may call the text of a record.
_TEXT_NAMES: Final = ("narratives", "text", "mo")

_OTHER_NAME: Final = (
    "the text of a record is called narrative. It is given only masked, and only after a person "
    "has read it and approved it by name: write narrative, or leave the field out."
)

_TEXT_ALONE: Final = (
    "a list of texts needs a field beside narrative, by which its lines are grouped. Add one, such "
    "as offence."
)

_FORBIDDEN_TEXT: Final = (
    "a list gives texts of records only if the force allows it, and then only masked, each after a "
    "person has read it and approved it by name. Leave narrative out; or, if your force has "
    "decided so, set narratives = true under [lists] in foidex.toml."
)

_FORBIDDEN: Final = (
    "a list gives {what} only if the force allows it: anyone who knows of one record can find its "
    "line by them. Leave them out; or, if your force has decided so, set {key} = true under "
    "[lists] in foidex.toml."
)


class ListQuestion(Question, frozen=True, tag="list"):
    """A row for each combination of ``fields`` that occurs, with the number of its records.

    Each field is the name of a field, or age bands. With a field of people, the victims are listed,
    or whom ``count`` names; with ``count``, people are listed by any fields. ``references`` gives
    the references of the records of each row, and the field ``narrative`` their texts, masked and
    approved.
    """

    fields: Annotated[tuple[str | AxisSpec, ...], Meta(min_length=1, max_length=_MAX_FIELDS)]
    references: bool = False
    count: Literal["victims", "suspects"] | None = None

    @property
    def has_texts(self) -> bool:
        """Whether it gives the texts of records."""
        return TEXT_FIELD in self.fields

    @property
    def grouping_fields(self) -> tuple[str | AxisSpec, ...]:
        """The fields by which records are put into lines."""
        return tuple(field for field in self.fields if field != TEXT_FIELD)

    def problems(self, scope: Scope) -> Iterator[Problem]:
        """Fields that there are not, that stand twice, or of which a record may have several."""
        headings: list[str] = []
        yield from self._find_text_problems()
        if self.count and (self.references or self.has_texts):
            yield Problem(".count", self._refuse_details(f'a list with "count: {self.count}"'))
        for number, field in enumerate(self.fields):
            path = f".fields[{number}]"
            if field in (TEXT_FIELD, *_TEXT_NAMES):
                continue
            if problems := [*parse_axis_spec(field).problems(scope)]:
                for problem in problems:
                    inner = "" if isinstance(field, str) else problem.path
                    yield Problem(f"{path}{inner}", problem.message)
                continue
            axis = self._build_axis(field, scope)
            if axis.level == "victim" and not self.count and (self.references or self.has_texts):
                yield Problem(path, self._refuse_details(f'a list with "{axis.heading.lower()}"'))
            if not axis.partition:
                yield Problem(
                    path,
                    f"a list has one value for each field, and there may be several of "
                    f'"{axis.heading.lower()}", or none. Use a cross for it, or narrow the list '
                    "with within:.",
                )
            if axis.heading in headings:
                yield Problem(path, f'the field "{axis.heading.lower()}" is listed twice.')
            headings.append(axis.heading)
        if self.share:
            yield Problem(".share", "a list has no percentages. Leave share: out, or use a cross.")

    def _refuse_details(self, subject: str) -> str:
        """Why a list of people gives neither references nor texts."""
        detail = "reference" if self.references else "text"
        return (
            f"{subject} lists {self.count or 'victims'}, who have no {detail} of their own. "
            f"Leave out {'references:' if self.references else 'narrative'} or "
            f"{'count:' if self.count else 'the field'}."
        )

    def _find_text_problems(self) -> Iterator[Problem]:
        if not self.grouping_fields:
            yield Problem(".fields", _TEXT_ALONE)
        for number, field in enumerate(self.fields):
            if field in _TEXT_NAMES:
                yield Problem(f".fields[{number}]", _OTHER_NAME)
            elif field == TEXT_FIELD in self.fields[:number]:
                yield Problem(f".fields[{number}]", 'the field "narrative" is listed twice.')

    def list_forbidden(self, allowed: ListSettings) -> Iterator[Problem]:
        """What of it the force does not allow: references, exact days, and texts."""
        if self.references and not allowed.references:
            yield Problem(".references", _FORBIDDEN.format(what="references", key="references"))
        for number, field in enumerate(self.fields):
            if field == TEXT_FIELD:
                if not allowed.narratives:
                    yield Problem(f".fields[{number}]", _FORBIDDEN_TEXT)
            elif parse_axis_spec(field).by == DAY_FIELD and not allowed.days:
                yield Problem(
                    f".fields[{number}]",
                    _FORBIDDEN.format(what="exact days", key="days") + " Or list the month.",
                )

    def has_period_columns(self, scope: Scope) -> bool:
        """Never: a list has a field for time."""
        del scope
        return False

    def table_query(self, scope: Scope) -> TableQuery:
        """The combinations."""
        axes = tuple(self._build_axis(field, scope) for field in self.grouping_fields)
        of_victims = any(axis.level == "victim" for axis in axes)
        unit: TableUnit = self.count or ("victims" if of_victims else "offences")
        first, *rest = (axis.heading for axis in axes)
        heading = "; ".join([first, *(heading[:1].lower() + heading[1:] for heading in rest)])
        return CombinationQuery(
            Axis(heading, None),
            None,
            unit,
            fields=axes,
            references=self.references,
        )

    def parse(self, response: dict[str, Any], table_query: TableQuery) -> QuestionAnswer:
        """Read the rows. Raises RequestError if there are too many to list."""
        table = table_query.parse_response(response)
        listed = sum(len(row.references) or 1 for row in table.rows)
        if listed > MAX_ROWS:
            raise RequestError(
                f"{self.id}: the list would have {listed:,} lines, and the most is {MAX_ROWS:,}. "
                "Choose fewer fields, longer periods (month instead of day), or fewer records "
                "with within:."
            )
        return self.make_answer(table, response, table_query)

    def _build_axis(self, field: str | AxisSpec, scope: Scope) -> Axis:
        """The axis of a field; of dates, only those that occur. Raises RequestError."""
        spec = parse_axis_spec(field)
        people = find_counted_people(self.count)
        return spec.axis(msgspec.structs.replace(scope, periods=()) if spec.by else scope, people)
