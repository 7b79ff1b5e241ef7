"""TODO: say what queries.tables.field_filter is for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from elasticsearch.dsl.query import Nested, Query
from elasticsearch.dsl.query import Terms as AreTerms

from indexer.errors import RequestError
from indexer.records.categories import CATEGORIES_FIELD, Categories, label_category
from indexer.records.offences import load_offence_table
from indexer.suggestions import suggest_name
from queries.answer.condition import (
    Condition,
    OffenceGroupCondition,
    OfVictim,
    build_category_condition,
    build_field_condition,
    build_offence_condition,
)
from queries.tables.field_values import (
    OUTCOME_NUMBERS,
    SEX_LABELS,
    describe_outcome,
    format_field_value,
    parse_field_value,
    parse_integer_value,
    require_choice,
)
from queries.tables.scope import FieldFilter

# -- conditions --------------------------------------------------------------------------------


def build_field_filter(name: str, values: Sequence[str], categories: Categories) -> FieldFilter:
    """Records whose field has one of the values. Raises RequestError."""
    field_names = ("outcome", "offence_group", "sex", *categories)
    if name not in field_names:
        hint = suggest_name(name, field_names)
        raise RequestError(
            f'where: knows no field "{name[:60]}".{hint} The fields are {", ".join(field_names)}, and '
            "what foidex.toml declares under [categories]."
        )
    if name in categories:
        heading = label_category(name, categories[name])
        typed_values: Any = [parse_field_value(name, text, categories[name]) for text in values]
        query: Query = AreTerms(**{f"{CATEGORIES_FIELD}.{name}": typed_values})
        many = categories[name].many
        means: Condition = build_category_condition(
            name, map(format_field_value, typed_values), many=many
        )
    elif name == "outcome":
        heading = "Outcome"
        numbers = [parse_integer_value(name, text, OUTCOME_NUMBERS) for text in values]
        query = AreTerms(outcome=numbers)
        means = build_field_condition(name, map(str, numbers))
        values = [describe_outcome(number) for number in numbers]
    elif name == "sex":
        heading = "Sex of a victim"
        by_label = {label.casefold(): sex for sex, label in SEX_LABELS.items()}
        listed = [
            by_label.get(text.casefold())
            or require_choice(name, text, (*SEX_LABELS, *SEX_LABELS.values()))
            for text in values
        ]
        query = Nested(path="victims", query=AreTerms(victims__sex=listed))
        means = OfVictim(build_field_condition(name, listed))
        values = [SEX_LABELS[sex] for sex in listed]
    else:
        heading = "Offence group"
        groups = tuple(dict.fromkeys(load_offence_table().groups.values()))
        selected_groups = {require_choice(name, text, groups) for text in values}
        codes = [
            code for code, group in load_offence_table().groups.items() if group in selected_groups
        ]
        query = AreTerms(offence_path=sorted(codes))
        means = (
            OffenceGroupCondition(*selected_groups)
            if len(selected_groups) == 1
            else build_offence_condition(codes)
        )
    words = f"the {_lower_first(heading)} is {' or '.join(values)}"
    return FieldFilter(name, words, query, means)


def _lower_first(heading: str) -> str:
    """A heading within a sentence; what starts as an acronym stays."""
    return heading if heading[:2].isupper() else heading[:1].lower() + heading[1:]
