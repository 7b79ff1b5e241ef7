"""A list of records in a request: its fields, and what the force must allow."""

from __future__ import annotations

import pytest

from indexer.config.model import ListSettings
from indexer.errors import RequestError
from indexer.records.offences import load_offence_table
from queries.evidence.locate import locate_records
from queries.request.reader import parse_request
from tests.support.kinds import CATEGORIES

HEAD = "reference: R1\ntitle: T\nperiod: 2017/18\n"

TITLE = load_offence_table().title("88/1")

ALLOWED = ListSettings(references=True, days=True)


def parse_list(written: str, lists: ListSettings = ALLOWED) -> None:
    text = f"{HEAD}questions: [{{id: Q1, kind: list, {written}}}]"
    parse_request(text, "r.yaml", categories=CATEGORIES, lists=lists)


@pytest.mark.parametrize(
    "fields",
    [
        "[offence]",
        "[day, offence, outcome, district]",
        "[month, sex, {bands: [{to: 17}]}, team]",
        "[month, sex], count: suspects",
        "[offence], count: victims",
    ],
)
def test_a_list_has_fields_of_which_there_is_one_value(fields: str) -> None:
    parse_list(f"fields: {fields}")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("fields: []", ':4: "fields": expected at least 1 entry'),
        ("fields: [flag]", 'there may be several of "flag"'),
        ("fields: [{keywords: [a, b]}]", 'there may be several of "keyword"'),
        ("fields: [{bands: [{to: 9}, {from: 8}]}]", 'there may be several of "age of victim"'),
        ("fields: [mouth]", 'nothing is counted by "mouth". Did you mean "month"?'),
        ("fields: [narrative]", "needs a field beside narrative"),
        ("fields: [month, text]", "the text of a record is called narrative"),
        ("fields: [narrative, month, narrative]", 'the field "narrative" is listed twice'),
        ("fields: [sex, narrative]", "lists victims, who have no text"),
        ("fields: [month, outcome, month]", 'the field "month" is listed twice'),
        ("fields: [month], share: true", "a list has no percentages"),
        ("fields: [sex], references: true", "lists victims, who have no reference"),
        (
            "fields: [month], references: true, count: suspects",
            'a list with "count: suspects" lists suspects, who have no reference of their own. '
            "Leave out references: or count:.",
        ),
        ("fields: [sex, narrative], count: suspects", "lists suspects, who have no text"),
        ("fields: [month], count: offences", '"count": expected '),
    ],
)
def test_what_a_list_cannot_have_is_said(written: str, message: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_list(written)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("fields: [month], references: true", "references"),
        ("fields: [{by: day}]", "days"),
        ("fields: [month, narrative]", "narratives"),
    ],
)
def test_references_and_exact_days_are_for_the_force_to_allow(written: str, key: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_list(written, ListSettings())
    assert f"set {key} = true under [lists] in foidex.toml" in str(refused.value)
    parse_list(written, ListSettings(**{key: True}))


def test_a_line_is_named_by_its_key_or_by_what_is_printed() -> None:
    fields = "fields: [offence, month, outcome]"
    text = f"{HEAD}questions: [{{id: Q1, kind: list, {fields}}}]"
    request = parse_request(text, categories=CATEGORIES)
    names = (
        "88/1 | 2017-05-01 | 1",
        "88/1; May 2017; 1 Charged or summonsed",
        f"{TITLE} (88/1); May 2017; charged",
        f"{TITLE.upper()}; May 2017; 1",
    )
    queries = [locate_records(request, "Q1", name).query.to_dict() for name in names[:1]]
    for name in names:
        assert locate_records(request, "Q1", name).query.to_dict() == queries[0], name
    with pytest.raises(RequestError, match="named by its offence, month and outcome"):
        locate_records(request, "Q1", "88/1; May 2017")
