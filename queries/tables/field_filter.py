"""Read ``where:``: a field and the values it may have, as a filter of a scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from elasticsearch.dsl.query import Nested, Query, Range
from elasticsearch.dsl.query import Terms as AreTerms

from indexer.errors import RequestError
from indexer.records.categories import CATEGORIES_FIELD, Categories, Category, label_category
from indexer.records.model import PEOPLE_LISTS, PeopleList
from indexer.records.noun import Noun
from indexer.records.offences import load_offence_table
from indexer.suggestions import suggest_name
from queries.answer.condition import (
    SEX_FIELDS,
    AgeCondition,
    Condition,
    FieldCondition,
    Interval,
    OffenceGroupCondition,
    OfPerson,
    OfVictim,
    build_age_condition,
    build_category_condition,
    build_field_condition,
    build_offence_condition,
    build_person_condition,
)
from queries.answer.types import ANY_STATUS
from queries.tables.field_values import (
    SEX_LABELS,
    SEX_WORDS,
    describe_ages,
    describe_outcome,
    format_field_value,
    parse_field_value,
    parse_outcome,
    require_choice,
)
from queries.tables.scope import FieldFilter, all_of

#: The filters of records by their people, and the list of each: one person must meet all that a
#: filter says.
PEOPLE_FILTERS: Final[dict[str, PeopleList]] = {
    people.singular: people for people in PEOPLE_LISTS.values()
}


def build_field_filter(name: str, values: Sequence[str], categories: Categories) -> FieldFilter:
    """The filter of records whose field has one of the values.

    Raises RequestError for an unknown field or a value that it cannot have.
    """
    if name in PEOPLE_FILTERS and name not in categories:
        raise RequestError(
            f"{name} takes an age, a sex or both, which one {name} must meet: "
            f"{name}: {{age: {{to: 17}}, sex: [F]}}. Correct it."
        )
    if name in categories:
        return _build_category_filter(name, values, categories[name])
    if name in _BUILT_IN_FIELDS:
        return _BUILT_IN_FIELDS[name](values)
    raise unknown_field_error(name, categories)


def list_where_fields(categories: Categories) -> tuple[str, ...]:
    """The names that ``where:`` knows."""
    return (*_BUILT_IN_FIELDS, *PEOPLE_FILTERS, *categories)


def unknown_field_error(name: str, categories: Categories) -> RequestError:
    """The error for a name that ``where:`` does not know, with the closest one that it does."""
    field_names = list_where_fields(categories)
    return RequestError(
        f'where: knows no field "{name[:60]}".{suggest_name(name, field_names)} The fields are '
        f"{', '.join(field_names)}, and what foidex.toml declares under [categories]."
    )


def build_person_filter(
    people: PeopleList, ages: Interval | None, sexes: Sequence[str]
) -> FieldFilter:
    """The filter of records of which one person of a list is of an age and of one of the sexes.

    Raises RequestError for a sex that there is not.
    """
    field = people.field
    queries: list[Query] = []
    conditions: list[Condition] = []
    words: list[str] = []
    if sexes:
        codes = _parse_sexes(sexes)
        terms: dict[str, Any] = {f"{field}.sex": codes}
        queries.append(AreTerms(**terms))
        conditions.append(build_field_condition(SEX_FIELDS[field], codes))
        words.append(" or ".join(SEX_WORDS[code] for code in codes))
    if ages:
        first, last = ages
        queries.append(Range(**{f"{field}.age": {"gte": first, "lte": last}}))
        conditions.append(build_age_condition(ages, people=people))
        words.append(describe_ages(first, last, "or").lower())
    return FieldFilter(
        people.singular,
        f"at least one {people.singular} was {' and '.join(words)}",
        Nested(path=field, query=all_of(queries)),
        build_person_condition(conditions, people),
    )


def describe_chosen_people(conditions: Iterable[Condition], unit: str) -> str:
    """Who the people are for whom records were chosen ("male and aged 17 or under"), where a table
    counts everybody of their list.

    ``conditions`` are those of the records, ``unit`` what the table counts; empty if no record was
    chosen by such a person.
    """
    people = PEOPLE_LISTS.get(ANY_STATUS.get(unit, unit))
    person_conditions = [
        condition
        for condition in conditions
        if isinstance(condition, OfPerson) and condition.people == people
    ]
    descriptions = [
        " and ".join(filter(None, (_describe_trait(part) for part in _sort_traits(condition))))
        for condition in person_conditions
    ]
    return ", or ".join(dict.fromkeys(filter(None, descriptions)))


def explain_chosen_people(
    conditions: Iterable[Condition], unit: str, noun: Noun
) -> tuple[str, ...]:
    """The note that a table counts everybody of a list, not only those for whom its records were
    chosen; nothing if no record was chosen by such a person."""
    words = describe_chosen_people(conditions, unit)
    if not words:
        return ()
    people = ANY_STATUS.get(unit, unit)
    return (f"All {people} of these {noun.plural} are counted, not only those who were {words}.",)


def _sort_traits(condition: OfPerson) -> list[Condition]:
    """The sex before the age."""
    return sorted(condition.parts, key=lambda part: (isinstance(part, AgeCondition), part.text))


def _describe_trait(condition: Condition) -> str:
    match condition:
        case FieldCondition(_, values):
            return " or ".join(words for sex, words in SEX_WORDS.items() if sex in values)
        case AgeCondition(intervals):
            return " or ".join(describe_ages(*ages, "or").lower() for ages in intervals)
    return ""


def _build_category_filter(name: str, values: Sequence[str], category: Category) -> FieldFilter:
    typed_values: Any = [parse_field_value(name, text, category) for text in values]
    condition = build_category_condition(
        name, map(format_field_value, typed_values), many=category.many
    )
    return FieldFilter(
        name,
        _describe_filter(label_category(name, category), values),
        AreTerms(**{f"{CATEGORIES_FIELD}.{name}": typed_values}),
        condition,
    )


def _build_outcome_filter(values: Sequence[str]) -> FieldFilter:
    numbers = list(dict.fromkeys(map(parse_outcome, values)))
    return FieldFilter(
        "outcome",
        _describe_filter("Outcome", list(map(describe_outcome, numbers))),
        AreTerms(outcome=numbers),
        build_field_condition("outcome", map(str, numbers)),
    )


def _parse_sexes(values: Sequence[str]) -> list[str]:
    """The codes of sexes by their codes or labels, each once. Raises RequestError."""
    by_label = {label.casefold(): sex for sex, label in SEX_LABELS.items()}
    sexes = [
        by_label.get(text.casefold())
        or require_choice("sex", text, (*SEX_LABELS, *SEX_LABELS.values()))
        for text in values
    ]
    return list(dict.fromkeys(sexes))


def _build_sex_filter(values: Sequence[str]) -> FieldFilter:
    sexes = _parse_sexes(values)
    return FieldFilter(
        "sex",
        _describe_filter("Sex of a victim", [SEX_LABELS[sex] for sex in sexes]),
        Nested(path="victims", query=AreTerms(victims__sex=sexes)),
        OfVictim(build_field_condition("sex", sexes)),
    )


def _build_offence_group_filter(values: Sequence[str]) -> FieldFilter:
    group_by_code = load_offence_table().groups
    known_groups = tuple(dict.fromkeys(group_by_code.values()))
    groups = {require_choice("offence_group", text, known_groups) for text in values}
    codes = [code for code, group in group_by_code.items() if group in groups]
    return FieldFilter(
        "offence_group",
        _describe_filter("Offence group", values),
        AreTerms(offence_path=sorted(codes)),
        OffenceGroupCondition(*groups) if len(groups) == 1 else build_offence_condition(codes),
    )


_BUILT_IN_FIELDS: Final[dict[str, Callable[[Sequence[str]], FieldFilter]]] = {
    "outcome": _build_outcome_filter,
    "offence_group": _build_offence_group_filter,
    "sex": _build_sex_filter,
}


def _describe_filter(heading: str, values: Sequence[str]) -> str:
    return f"the {_lower_first(heading)} is {' or '.join(values)}"


def _lower_first(heading: str) -> str:
    """A heading as part of a sentence; one that starts with an acronym stays as it is."""
    return heading if heading[:2].isupper() else heading[:1].lower() + heading[1:]
