"""Every kind of question on a real server: against the naive counter, and by hand on small tables."""

from __future__ import annotations

import json
import re
from collections import Counter as Tally
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from indexer.config.field_map import FieldMap
from indexer.config.model import IndexSettings, ListSettings
from indexer.errors import RequestError
from indexer.index.generations import discard_generation, find_live_name
from indexer.jobs.refresh import LoadOptions, load_files
from indexer.records.categories import Category
from indexer.server.address import ServerAddress
from indexer.server.server_errors import translate_client_errors
from queries.answer.condition import OffenceCondition
from queries.answer.condition_text import parse_conditions
from queries.answer.types import Answer, Column, QuestionAnswer, Row, count_or_zero
from queries.answering.build import compute_answer
from queries.evidence.locate import locate_records
from queries.request.reader import Request, parse_request, read_request
from queries.tables.period_columns import ALL_PERIODS, ALL_YEARS, split_column_key
from tests.support.counter import Days, Naive, Record, Table, days
from tests.support.examples import examples
from tests.support.paths import ROOT
from tests.support.server import EVERY_DAY, SILENT

DECLARED: dict[str, dict[str, Any]] = {
    "district": {"values": ["North", "South", "unknown"]},
    "ward": {},
    "flag": {"many": True},
    "priority": {"type": "integer"},
    "grades": {"type": "integer", "many": True},
    "online": {"type": "boolean"},
}

CATEGORIES = {name: msgspec.convert(one, Category) for name, one in DECLARED.items()}

# -- random records --------------------------------------------------------------------------------

CODES = ["21", "22B", "022A", "88/01", "88-2", "88/3", "88E", "071/17", "71/1", "08602", "8N", "46"]

SAID = [
    "live stream", "Live-Stream", "livestreaming", "live streams", "Snap Chat", "snapchat", "Hinge", "hinges",
    "app", "App", "apps", "Facebook", "FB", "face book", "We-Chat", "wechat", "we chat", "Musical.ly", "musical",
    "seen", "on the", "a",
]  # fmt: skip

JOINTS = [
    " ",
    " ",
    " ",
    " ",
    ". ",
    ", (",
    "\n\n",
    " \u2013 ",
    "_",
    "'s ",
    "'s, ",
    ' "',
    "",
    "/",
    "' '",
    "...\n\n (",
]

entry = st.lists(
    st.builds(str.__add__, st.sampled_from(SAID), st.sampled_from(JOINTS)), max_size=7
).map("".join)

WORDS = st.sampled_from(["a", "b", "b2", "b10", "unknown", "Not recorded", "=a", "#0", "in_a"])

NUMBERS = st.sampled_from([-3, 0, 2, 10])


def people(reference: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                reference: st.sampled_from("ABCDEF"),
                "age": st.none() | st.sampled_from([0, 11, 12, 15, 16, 17, 18, 40, 120]),
                "sex": st.sampled_from("FMXU"),
            },
        ),
        max_size=3,
        unique_by=lambda person: person.get(reference, id(person)),  # each is in a record once
    )


record = st.fixed_dictionaries(
    {
        "recorded_on": st.dates(date(2016, 12, 1), date(2019, 6, 1)).map(date.isoformat),
        "offence_code": st.sampled_from(CODES),
        "narrative": entry | st.lists(entry, max_size=3),
    },
    optional={
        "status": st.sampled_from(["recorded", "cancelled", "transferred"]),
        "outcome": st.sampled_from([1, 8, 18, None]),
        "victims": people("victim_ref"),
        "suspects": people("suspect_ref"),
        "linked": st.lists(
            st.fixed_dictionaries({"offence_code": st.sampled_from(CODES)})
            | st.fixed_dictionaries({"crime_ref": st.integers(0, 40).map("R{}".format)}),
            max_size=2,
        ),
        "district": st.sampled_from(["North", "South", "unknown", None]),
        "ward": WORDS,
        "flag": st.lists(WORDS, max_size=3),
        "priority": NUMBERS | st.none(),
        "grades": st.lists(NUMBERS, max_size=3),
        "online": st.booleans() | st.none(),
    },
)  # fmt: skip

referenced = st.booleans().flatmap(
    lambda whole: st.lists(record, min_size=1, max_size=40).map(
        lambda found: [_named(n, one, whole=whole) for n, one in enumerate(found)]
    )
)


def _named(number: int, one: Record, *, whole: bool) -> Record:
    """With its reference; where ``whole``, every person has one too."""
    if whole:
        for kind, reference in (("victims", "victim_ref"), ("suspects", "suspect_ref")):
            for index, person in enumerate(one.get(kind, [])):
                person.setdefault(reference, f"G{index}")
    return {"crime_ref": f"R{number}", **one}


# -- random requests -------------------------------------------------------------------------------


def _text(value: Any) -> Any:
    """Numbers and booleans as the words a request writes."""
    return str(value)


WITHIN = st.integers(0, 8).map(_text)

TERMS = st.one_of(
    st.sampled_from(["live stream", "livestreaming", "Snapchat", "Musical.ly", "Facebook", "app", "WeChat", "Hinge"]),
    st.sampled_from([
        {"term": "WeChat", "variants": "none"},
        {"term": "We-Chat", "variants": "none"},
        {"term": "Facebook", "aliases": ["FB"]},
        {"term": "Facebook", "aliases": ["FB", "Facebook app"]},
        {"term": "Hinge", "with": ["app"]},
        {"term": "Snapchat", "with": ["live stream", "seen"]},
    ]),
    st.builds(
        lambda term, other, within: {**term, "with": [{"term": other, "within": within}]},
        st.sampled_from([{"term": "Hinge"}, {"term": "app"}, {"term": "Snapchat"}, {"term": "live-stream"},
                         {"term": "WeChat", "variants": "none"}, {"term": "Facebook", "aliases": ["FB", "Facebook app"]}]),
        st.sampled_from(["app", "seen", "Snapchat", "live stream", "Hinge"]),
        WITHIN,
    ),
    st.builds(lambda a, b: {"term": "Hinge", "with": [{"term": "app", "within": a}, "seen", {"term": "on the", "within": b}]}, WITHIN, WITHIN),
)  # fmt: skip


def _label(term: Any) -> str:
    return term if isinstance(term, str) else str(term["term"])


def terms(least: int, most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(TERMS, min_size=least, max_size=most, unique_by=_label)


PERIODS: list[Any] = [
    "2017/18", "2018/19", "2017", "2018", {"from": "2017-04-01", "to": "2017-09-30", "label": "first half"},
    {"from": "2017-09-15", "to": "2018-04-30"}, {"from": "2018-02-01", "to": "2018-02-28"},
]  # fmt: skip

periods = st.lists(st.sampled_from(PERIODS), min_size=1, max_size=3, unique_by=str)

OFFENCES = st.sampled_from(
    [
        [{"codes": ["22B"]}, {"codes": ["88/1", "88/2"]}],
        [{"codes": ["22"]}, {"codes": ["22B"]}, {"codes": ["71"]}],
        [{"codes": ["88A"]}, {"codes": ["88"]}, {"codes": ["21"]}, {"codes": ["86/2"]}],
    ]
)

WHERE = st.sampled_from(
    [
        {}, {}, {}, {}, {"outcome": ["1", "18"]}, {"offence_group": ["Sexual offences"]}, {"sex": ["F", "X"]},
        {"district": ["North"], "online": ["true"]}, {"flag": ["a", "unknown"]}, {"ward": ["Not recorded"]},
        {"victim": {"age": {"to": "15"}, "sex": ["F"]}}, {"victim": {"age": {"from": "12"}}},
        {"suspect": {"age": {"to": "15"}, "sex": ["F"]}}, {"suspect": {"sex": ["M"]}, "victim": {"age": {"from": "12"}}},
        {"victim": {"sex": ["M", "U"]}, "sex": ["F", "X"]}, {"priority": ["2", "-3"]}, {"grades": ["10"], "outcome": ["1", "8"]},
    ]
)  # fmt: skip

FIELDS = [
    "offence", "offence_group", "day", "month", "quarter", "calendar_year", "financial_year", "status", "outcome", "sex",
    *DECLARED,
]  # fmt: skip

BANDS = st.sampled_from(
    [
        [{"to": "11"}, {"from": "12", "to": "15"}, {"from": "16"}],
        [{"from": "16", "to": "17"}, {"to": "0"}, {"from": "18", "to": "18"}],
        [
            {"to": "17", "label": "Children"},
            {"from": "12", "to": "17", "label": "Teenagers"},
            {"from": "16"},
        ],
        [
            {"from": "11", "to": "40", "label": "b2"},
            {"from": "40", "to": "120"},
            {"label": "Any age"},
        ],
    ]
)

#: Fields of a list: of each there is one value.
LISTED = st.lists(
    st.sampled_from(
        [
            "offence", "offence_group", "day", "month", "quarter", "calendar_year", "status", "outcome",
            "sex", "district", "priority", "online",
            {"bands": [{"to": "11"}, {"from": "12", "to": "15"}, {"from": "16"}]},
        ]
    ),
    min_size=1,
    max_size=4,
    unique_by=str,
)  # fmt: skip


@st.composite
def scopes(draw: st.DrawFn, outer: dict[str, Any] | None = None) -> dict[str, Any]:
    """A scope; within an outer one its periods are of that one's."""
    found: dict[str, Any] = {}
    choice = draw(st.sampled_from(["none", "period", "periods"]))
    if choice != "none":
        chosen = draw(periods)
        if outer is not None:
            wider = [
                days(one)
                for one in ([outer["period"]] if "period" in outer else outer.get("periods", []))
            ]
            chosen = [one for one in chosen if not wider or _held(days(one), wider)]
        if chosen and choice == "period":
            found["period"] = chosen[0]
        elif chosen:
            found["periods"] = chosen
    if draw(st.integers(0, 2)) == 0:
        found["mentions"] = draw(terms(1, 3))
    if draw(st.booleans()):
        found["offences"] = draw(OFFENCES)
    if where := draw(WHERE):
        found["where"] = where
    return found if outer is None else _drop_impossible(found, outer)


def _drop_impossible(inner: dict[str, Any], outer: dict[str, Any]) -> dict[str, Any]:
    """A scope without what a request refuses because no record of the outer one can be it."""
    where = inner.get("where", {})
    if "offence_group" in where and not _is_possible({"where": where}, outer):
        where = {}
    rows = [
        row
        for row in inner.get("offences", [])
        if _is_possible({"offences": [row], "where": where}, outer)
    ]
    kept = {key: part for key, part in inner.items() if key not in ("offences", "where")}
    return kept | ({"offences": rows} if rows else {}) | ({"where": where} if where else {})


def _is_possible(inner: dict[str, Any], outer: dict[str, Any]) -> bool:
    question = {"id": "Q", "kind": "offences", "within": inner}
    request = {"reference": "R", "title": "T", "questions": [question]}
    try:
        parse_request(json.dumps(request | outer), categories=CATEGORIES)
    except RequestError:
        return False
    return True


def _held(period: Days, wider: list[Days]) -> bool:
    return any(one.start <= period.start and period.end <= one.end for one in wider)


@st.composite
def sides(draw: st.DrawFn, *, rows: bool) -> Any:
    """One side of a table, and whether it needs rows of offences."""
    kind = draw(st.sampled_from(["field", "field", "by", "keywords", "bands", "periods"]))
    if kind in ("field", "by"):
        name = draw(st.sampled_from([*FIELDS, "offence_row"] if rows else FIELDS))
        return name if kind == "field" else {"by": name}
    return {kind: draw({"keywords": terms(1, 3), "bands": BANDS, "periods": periods}[kind])}


def _of_victims(side: Any) -> bool:
    return side in ("sex", {"by": "sex"}) or (isinstance(side, dict) and "bands" in side)


@st.composite
def questions(  # noqa: C901 - a case each
    draw: st.DrawFn, scope: dict[str, Any], number: int
) -> dict[str, Any]:
    found: dict[str, Any] = {"id": f"Q{number}"}
    if draw(st.integers(0, 2)) == 0:
        found["within"] = draw(scopes(scope))
    rows = bool({**scope, **found.get("within", {})}.get("offences"))
    found["kind"] = kind = draw(
        st.sampled_from(["offences", "keywords", "linked", "victims", "suspects", "by", "by", "cross", "cross", "cross", "overlap", "list"])
    )  # fmt: skip
    if kind == "keywords":
        found |= {
            "keywords": draw(terms(1, 5)),
            "each_offence": draw(st.booleans()),
            "present": draw(st.booleans()),
        }
    elif kind == "linked":
        found["codes"] = draw(st.sampled_from([["86/2"], ["86/2", "88A", "22"]]))
    elif kind in ("victims", "suspects"):
        found |= {"bands": draw(BANDS | st.just([])), "youngest": draw(st.booleans())}
        found["youngest_sex"] = found["youngest"] and draw(st.booleans())
    elif kind == "overlap":
        found["keywords"] = draw(terms(2, 4))
    elif kind == "list":
        found["fields"] = draw(LISTED)
        found["references"] = not any(map(_of_victims, found["fields"])) and draw(st.booleans())
    elif kind == "by":
        found["by"] = draw(st.sampled_from([*FIELDS, "offence_row"] if rows else FIELDS))
    elif kind == "cross":
        found |= {"rows": draw(sides(rows=rows)), "columns": draw(sides(rows=rows))}
    if kind in ("by", "cross"):
        both = kind == "cross" and _of_victims(found["rows"]) and _of_victims(found["columns"])
        count = draw(
            st.sampled_from([None, "victims", "suspects", *([] if both else ["offences"])])
        )
        if count:
            found["count"] = count
    return found


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    scope = draw(scopes())
    asked = [draw(questions(scope, number)) for number in range(draw(st.integers(1, 4)))]
    return {"reference": "R", "title": "T", **scope, "questions": asked}


# -- the comparison --------------------------------------------------------------------------------


def told(row: Row) -> str:
    """What the naive counter calls a row."""
    if row.values:  # of a list, in which an offence has its code after its title
        return "; ".join(re.sub(r".* \(([\w/]+)\)$", r"\1", value) for value in row.values)
    return ", ".join(sorted(row.codes)) or row.label


def told_columns(found: QuestionAnswer) -> list[str]:
    """As the naive counter calls them: rows of offences by their codes, the column over all periods
    by what it counts."""
    return [told_column(column) for column in found.table.columns]


def told_column(column: Column) -> str:
    bucket, period = split_column_key(column.key)
    codes = ", ".join(
        ", ".join(sorted(condition.codes))
        for condition in parse_conditions(column.means)
        if "#" in bucket and isinstance(condition, OffenceCondition)
    )
    if period is not None:
        return f"@{codes}, {column.label.rpartition(', ')[2]}" if codes else f"@{column.label}"
    if column.label in (ALL_YEARS, ALL_PERIODS):
        return column.key.capitalize()
    label = column.label
    for head in (ALL_YEARS, ALL_PERIODS):
        label = label.removesuffix(f", {head.lower()}")
    return codes or label


def same(found: QuestionAnswer, naive: Table) -> None:
    """Every number of an answer is the naive counter's."""
    columns = told_columns(found)
    assert columns[0] == naive.columns[0]
    assert Tally(columns) == Tally(naive.columns)
    rows = [told(row) for row in found.table.rows]
    assert Tally(rows) == Tally(naive.rows[:-1])
    for row in (*found.table.rows, found.table.total):
        name = None if row.kind == "total" else told(row)
        assert dict(zip(columns, row.counts, strict=True)) == {
            column: naive.number(name, column) for column in columns
        }, name
    assert found.facts == naive.facts


def behind(client: Elasticsearch, index: str, queries: list[Any]) -> list[set[str]]:
    """The references of the records of each query."""
    found: list[set[str]] = []
    for start in range(0, len(queries), 100):
        aggregations = {
            f"q{number}": {
                "filter": query.to_dict(),
                "aggs": {"refs": {"terms": {"field": "crime_ref", "size": 1000}}},
            }
            for number, query in enumerate(queries[start : start + 100])
        }
        body = msgspec.json.decode(msgspec.json.encode({"size": 0, "aggs": aggregations}))
        answered = client.search(index=index, body=body)["aggregations"]
        for number in range(len(aggregations)):
            buckets = answered[f"q{number}"]["refs"]["buckets"]
            found.append({bucket["key"] for bucket in buckets})
    return found


def located(asked: Request, found: QuestionAnswer, naive: Table) -> list[tuple[Any, set[str]]]:
    """The query and the right records of every number, named by keys, and by labels."""
    table = found.table
    labels = Tally(row.label.casefold() for row in table.rows)
    keys = {row.key for row in table.rows} | {"total", "unknown", "not recorded"}
    pairs = []
    for row in (*table.rows, table.total):
        mine = None if row.kind == "total" else told(row)
        for column, called in zip(table.columns, told_columns(found), strict=True):
            right = naive.references(mine, called)
            pairs.append((locate_records(asked, found.id, row.key, column.key).query, right))
            plain = labels[row.label.casefold()] == 1 and row.label.casefold() not in keys
            if plain and not row.label.startswith(("=", "#")):
                names = [row.label]
                if row.codes:  # as documents print them
                    names.append(f"{row.label} ({', '.join(row.codes)})")
                pairs += [
                    (locate_records(asked, found.id, name, column.key).query, right)
                    for name in names
                ]
    return pairs


# A load takes its time, so a failure is told as it is found: to make it smaller would take minutes.
@settings(
    max_examples=examples(5, long=15),
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(referenced, st.lists(requests(), min_size=4, max_size=8))
def test_every_number_is_the_naive_counters_and_has_its_records(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path, written: list[Record], wanted: list[dict[str, Any]]
) -> None:  # fmt: skip
    load_declared(client, index, tmp_path, written)
    pairs: list[tuple[Any, set[str], Any]] = []
    for one in wanted:
        naive = Naive(written, one, DECLARED)
        asked = parse_request(json.dumps(one, default=_text).replace("true", '"true"').replace("false", '"false"').replace('""', '"'), "request", categories=CATEGORIES, lists=ListSettings(references=True, days=True))  # fmt: skip
        answer = compute_answer(client, index.alias, asked)
        assert answer.scope.left_out == naive.left_out
        for question, found in zip(one["questions"], answer.questions, strict=True):
            table = naive.answer(question)
            same(found, table)
            pairs += [(*pair, (found.id, question)) for pair in located(asked, found, table)]
    every = behind(client, index.alias, [query for query, _, _ in pairs])
    for (_, right, of), references in zip(pairs, every, strict=True):
        assert references == right, of


def load_declared(
    client: Elasticsearch, index: IndexSettings, folder: Path, written: list[Record]
) -> None:
    """Load records of the declared categories in the place of those that were there."""
    path = folder / "records.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in written))
    before = find_live_name(client, index.alias)
    fields = FieldMap(categories=CATEGORIES)
    load_files(
        client, index, [path], folder / "rejects", SILENT, LoadOptions(fields, covers=EVERY_DAY)
    )
    if before:
        discard_generation(client, index.alias, before)


# -- by hand ---------------------------------------------------------------------------------------

DATA = ROOT / "tests" / "data"

HARASSMENT, ASSAULT, SHOPLIFTING, THEFT, BURGLARY = (
    "Harassment", "Assault with injury", "Shoplifting", "Other theft", "Burglary Residential",
)  # fmt: skip

#: What other forces were asked, over the 25 records of small.jsonl: the columns after the first, the
#: rows and the total, counted by eye.
BY_EYE: dict[str, dict[str, tuple[list[str], dict[str, list[int]], list[int]]]] = {
    "e-scooter": {
        "Q1": ([], {SHOPLIFTING: [1], THEFT: [2], BURGLARY: [1]}, [4]),
        "Q2": ([], {"e-scooter": [4], "None of these": [0]}, [4]),
    },
    "tiktok": {
        "Q1": (
            ["2020/21", "2021/22", "2022/23"],
            {HARASSMENT: [5, 1, 2, 2], ASSAULT: [3, 1, 1, 1], SHOPLIFTING: [1, 0, 1, 0], THEFT: [2, 1, 0, 1]},
            [11, 3, 4, 4],
        ),
        "Q2": ([], {HARASSMENT: [2], ASSAULT: [1], THEFT: [1]}, [4]),
        "Q3": ([], {"2020/21": [3], "2021/22": [4], "2022/23": [4]}, [11]),
    },
    "terms-by-year": {
        "Q1": (
            ["2020/21", "2021/22", "2022/23"],
            {"TikTok": [11, 3, 4, 4], "Hinge": [4, 0, 4, 0], "Omegle": [0, 0, 0, 0], "None of these": [7, 0, 7, 0]},
            [22, 3, 15, 4],
        ),
    },
    "sex-by-age": {
        "Q1": (
            ["Aged 11 and under", "Aged 12 to 15", "Aged 16 and over", "Any other known age", "Age not known"],
            {
                "Female": [6, 2, 1, 2, 0, 1],
                "Male": [4, 0, 2, 2, 0, 0],
                "Neither": [0, 0, 0, 0, 0, 0],
                "Unknown sex": [1, 0, 0, 1, 0, 0],
                "Sex not recorded": [1, 0, 0, 1, 0, 0],
            },
            [12, 2, 3, 6, 0, 1],
        ),
    },
    "hinge": {
        "Q1": ([], {'Hinge (with "App")': [2], "None of these": [13]}, [15]),
        "Q2": ([], {'Hinge (with "App" within 5 words)': [1], "None of these": [14]}, [15]),
    },
    "age-bands": {
        "Q1": (
            [],
            {"Aged 16 to 25": [3], "Aged 26 and over": [3], "Any other known age": [5], "Age not known": [1]},
            [12],
        ),
    },
    "youngest": {"Q1": ([], {"Age known": [1], "Age not known": [0]}, [1])},
    "month-status-offence": {
        "Q1": (
            [],
            {
                "April 2021": [2], "May 2021": [1], "June 2021": [3], "July 2021": [0], "August 2021": [3],
                "September 2021": [0], "October 2021": [1], "November 2021": [1], "December 2021": [1],
                "January 2022": [1], "February 2022": [1], "March 2022": [1],
            },
            [15],
        ),
        "Q2": ([], {"Recorded": [15], "Cancelled": [1], "Transferred": [1]}, [17]),
        "Q3": ([], {BURGLARY: [3], SHOPLIFTING: [2], THEFT: [4], HARASSMENT: [5], ASSAULT: [1]}, [15]),
    },
}  # fmt: skip


def small() -> list[Record]:
    lines = (DATA / "small.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def shown(found: QuestionAnswer) -> tuple[list[str], dict[str, list[int]], list[int]]:
    return (
        [column.label for column in found.table.columns[1:]],
        {row.label: [*map(count_or_zero, row.counts)] for row in found.table.rows},
        [*map(count_or_zero, found.table.total.counts)],
    )


def test_what_other_forces_were_asked_counts_as_by_eye(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(small())
    answers: dict[str, Answer] = {}
    for name, right in BY_EYE.items():
        asked = read_request(DATA / "requests" / f"{name}.yaml")
        answers[name] = compute_answer(client, index.alias, asked)
        found = {one.id: shown(one) for one in answers[name].questions}
        assert found == right, name
    (youngest,) = answers["youngest"].questions
    assert youngest.facts == {
        "offences": 1,
        "offences_without_victim": 0,
        "victims_without_reference": 1,
        "youngest": 9,
    }
    assert answers["tiktok"].scope.left_out == {"cancelled": 1, "transferred": 1}
    first, _ = answers["e-scooter"].questions
    assert {form.form for term in answers["e-scooter"].scope.terms for form in term.forms} == {
        "electric scooter", "e scooter", "escooter",
    }  # fmt: skip
    assert not first.notes


#: reference, day, code, outcome, district, flags, narrative, victims' (reference, age, sex)
TWELVE: list[tuple[Any, ...]] = [
    ("A", "2017-03-31", "22B", None, "North", [],         "Snapchat",                    []),
    ("B", "2017-04-01", "22B", 1,    "North", ["x"],      "Snap chat, and Kik.",         [("V1", 11, "F")]),
    ("C", "2017-06-30", "22B", 18,   "South", ["x", "y"], "Snapchat; Kik; Omegle",       [("V1", 12, "F"), ("V2", 12, "M")]),
    ("D", "2017-07-01", "88/1", 18,  "South", [],         "Kik",                         [("V3", None, "F")]),
    ("E", "2017-12-31", "88/2", None, None,   ["y"],      "Kik (the app) and Omegle.",   [("V4", 40, None)]),
    ("F", "2018-01-01", "71/17", 1,  "North", [],         "Facebook",                    []),
    ("G", "2018-03-31", "71/17", 8,  "North", ["x"],      "By FB. Then on an app.",      [("V5", 15, "M")]),
    ("H", "2018-04-01", "86/2", None, "South", [],        "Face-book's new app",         [("V5", 16, "M")]),
    ("I", "2018-09-30", "46", 8,     None,    ["x"],      "Nothing of note.",            []),
    ("J", "2019-03-31", "46", 1,     "North", ["y"],      "Omegle, Snapchat",            [("V6", 0, "X")]),
    ("K", "2019-04-01", "22B", 1,    "North", [],         "Snapchat",                    []),
    ("L", "2017-08-01", "22B", 1,    "North", ["x"],      "Snapchat",                    [("V7", 9, "F")]),
]  # fmt: skip

CANCELLED = "L"

SUSPECTS: dict[str, list[tuple[str, int | None, str]]] = {
    "B": [("S1", 17, "M")], "C": [("S1", 17, "M"), ("S2", 30, "F")], "G": [("S3", None, "M")],
    "J": [("S2", 31, "F")], "L": [("S4", 9, "M")],
}  # fmt: skip


def twelve() -> list[Record]:
    found = []
    for ref, day, code, outcome, district, flag, narrative, victims in TWELVE:
        held = [{"victim_ref": one, "age": age, "sex": sex} for one, age, sex in victims]
        accused = [{"suspect_ref": one, "age": age, "sex": sex} for one, age, sex in SUSPECTS.get(ref, [])]  # fmt: skip
        status = "cancelled" if ref == CANCELLED else "recorded"
        found.append(
            {"crime_ref": ref, "recorded_on": day, "offence_code": code, "outcome": outcome, "district": district,
             "flag": flag, "narrative": narrative, "victims": held, "suspects": accused, "status": status,
             "linked": [{"crime_ref": "H"}] if ref == "G" else []}
        )  # fmt: skip
    return found


TWO_YEARS = "periods: [2017/18, 2018/19]\n"  # B to J, and L, which is cancelled

HAND: list[tuple[str, str, list[str], dict[str, list[int]], list[int]]] = [
    (TWO_YEARS, "kind: offences", ["2017/18", "2018/19"],
     {"22B": [2, 2, 0], "88/1": [1, 1, 0], "88/2": [1, 1, 0], "71/17": [2, 2, 0], "86/2": [1, 0, 1], "46": [2, 0, 2]},
     [9, 6, 3]),
    ("offences: [{codes: [22]}, {codes: [88A]}, {codes: [88/1]}]\nperiod: 2017\n", "kind: offences", [],
     {"22": [3], "88A": [2], "88/1": [1]}, [5]),
    (TWO_YEARS, "kind: linked, codes: [86/2, 22B]", ["2017/18", "2018/19"],
     {"86/2": [1, 1, 0], "22B": [0, 0, 0], "No such link": [8, 5, 3]}, [9, 6, 3]),
    ("period: 2017/18\n", "kind: by, by: quarter", [],
     {"April to June 2017": [2], "July to September 2017": [1], "October to December 2017": [1],
      "January to March 2018": [2]}, [6]),
    (TWO_YEARS, "kind: by, by: calendar_year", [], {"2017": [4], "2018": [4], "2019": [1]}, [9]),
    ("", "kind: by, by: financial_year", [], {"2016/17": [1], "2017/18": [6], "2018/19": [3], "2019/20": [1]}, [11]),
    (TWO_YEARS, "kind: by, by: offence_group", ["2017/18", "2018/19"],
     {"Sexual offences": [6, 6, 0], "Miscellaneous crimes": [1, 0, 1], "Theft offences": [2, 0, 2]}, [9, 6, 3]),
    (TWO_YEARS, "kind: by, by: outcome", ["2017/18", "2018/19"],
     {"1 Charged or summonsed": [3, 2, 1], "8 Community resolution": [2, 1, 1],
      "18 Investigation complete, no suspect identified": [2, 2, 0], "Not recorded": [2, 1, 1]}, [9, 6, 3]),
    (TWO_YEARS, "kind: by, by: district, within: {period: 2017/18}", [],
     {"North": [3], "South": [2], "unknown": [0], "Not recorded": [1]}, [6]),
    (TWO_YEARS, "kind: by, by: flag", ["2017/18", "2018/19"],
     {"x": [4, 3, 1], "y": [3, 2, 1], "Not recorded": [3, 2, 1]}, [9, 6, 3]),
    (TWO_YEARS, "kind: by, by: sex", ["2017/18", "2018/19"],
     {"Female": [3, 3, 0], "Male": [3, 2, 1], "Neither": [1, 0, 1], "Unknown sex": [0, 0, 0],
      "Sex not recorded": [1, 1, 0]}, [8, 6, 2]),
    (TWO_YEARS, "kind: by, by: sex, count: offences", ["2017/18", "2018/19"],
     {"Female": [3, 3, 0], "Male": [3, 2, 1], "Neither": [1, 0, 1], "Unknown sex": [0, 0, 0],
      "Sex not recorded": [1, 1, 0], "No victim recorded": [2, 1, 1]}, [9, 6, 3]),
    (TWO_YEARS, "kind: by, by: district, count: victims", ["2017/18", "2018/19"],
     {"North": [3, 2, 1], "South": [4, 3, 1], "unknown": [0, 0, 0], "Not recorded": [1, 1, 0]}, [8, 6, 2]),
    (TWO_YEARS, "kind: cross, rows: {keywords: [Snapchat, Kik, {term: Facebook, aliases: [FB]}]}, columns: district",
     ["North", "South", "unknown", "Not recorded"],
     {"Snapchat": [3, 2, 1, 0, 0], "Kik": [4, 1, 2, 0, 1], "Facebook": [3, 2, 1, 0, 0], "None of these": [1, 0, 0, 0, 1]},
     [9, 4, 3, 0, 2]),
    (TWO_YEARS, "kind: cross, rows: sex, columns: {bands: [{to: 11}, {from: 12, to: 15}]}",
     ["Aged 11 and under", "Aged 12 to 15", "Any other known age", "Age not known"],
     {"Female": [3, 1, 1, 0, 1], "Male": [3, 0, 2, 1, 0], "Neither": [1, 1, 0, 0, 0], "Unknown sex": [0, 0, 0, 0, 0],
      "Sex not recorded": [1, 0, 0, 1, 0]}, [8, 2, 3, 2, 1]),
    ("", "kind: cross, rows: {bands: [{to: 11}]}, columns: {periods: [2017, 2018]}, count: offences", ["2017", "2018"],
     {"Aged 11 and under": [2, 1, 0], "Any other known age": [4, 2, 2], "Age not known": [1, 1, 0],
      "No victim recorded": [4, 1, 2]}, [11, 5, 4]),
    ("", "kind: overlap, keywords: [Snapchat, Kik, Omegle]",
     ["Only one of these", "With another", "With Snapchat", "With Kik", "With Omegle"],
     {"Snapchat": [5, 2, 3, 5, 2, 2], "Kik": [4, 1, 3, 2, 4, 2], "Omegle": [3, 0, 3, 2, 2, 3],
      "Any of these": [7, 3, 4, 5, 4, 3], "Two or more of these": [4, 0, 4, 3, 3, 3], "All of these": [1, 0, 1, 1, 1, 1],
      "None of these": [4, 0, 0, 0, 0, 0]}, [11, 3, 4, 5, 4, 3]),
    ("where: {flag: [x, y], outcome: [1, 18]}\n", "kind: keywords, keywords: [Snapchat, Kik]", [],
     {"Snapchat": [3], "Kik": [2], "None of these": [0]}, [3]),
    ("where: {victim: {age: {to: 15}, sex: [F]}}\n", "kind: by, by: district", [],
     {"North": [1], "South": [1], "unknown": [0], "Not recorded": [0]}, [2]),
    ("where: {victim: {sex: [M], age: {from: 12, to: 12}}}\n", "kind: by, by: sex", [],
     {"Female": [1], "Male": [1], "Neither": [0], "Unknown sex": [0], "Sex not recorded": [0]}, [2]),
    ("where: {victim: {age: {from: 11, to: 11}, sex: [M]}}\n", "kind: by, by: sex", [],
     {"Female": [0], "Male": [0], "Neither": [0], "Unknown sex": [0], "Sex not recorded": [0]}, [0]),
    ("", "kind: keywords, keywords: [{term: Facebook, with: [{term: app, within: 4}]}, {term: Kik, with: [app]}]", [],
     {'Facebook (with "app" within 4 words)': [1], 'Kik (with "app")': [1], "None of these": [9]}, [11]),
    ("", "kind: keywords, keywords: [{term: Facebook, with: [{term: app, within: 3}]}]", [],
     {'Facebook (with "app" within 3 words)': [0], "None of these": [11]}, [11]),
    ("", "kind: keywords, keywords: [{term: FB, with: [{term: app, within: 4}]}, {term: Face-book, variants: none}]", [],
     {'FB (with "app" within 4 words)': [1], "Face-book (exactly so written)": [1], "None of these": [9]}, [11]),
    ("period: 2017/18\n", "kind: victims, bands: [{to: 15, label: Under 16}, {from: 12, to: 12}, {from: 15}]",
     ["Different people"],
     {"Under 16": [4, 3], "Aged 12": [2, 2], "Aged 15 and over": [2, 2], "Any other known age": [0, 0],
      "Age not known": [1, 1]}, [6, 5]),
    (TWO_YEARS, "kind: victims, bands: [{to: 11}]",
     ["Different people, all years", "Victims, 2017/18", "Different people, 2017/18", "Victims, 2018/19", "Different people, 2018/19"],
     {"Aged 11 and under": [2, 2, 1, 1, 1, 1], "Any other known age": [5, 4, 4, 4, 1, 1],
      "Age not known": [1, 1, 1, 1, 0, 0]}, [8, 6, 6, 5, 2, 2]),
    (TWO_YEARS, "kind: suspects, bands: [{to: 17}, {from: 18}]",
     ["Different people, all years", "Suspects, 2017/18", "Different people, 2017/18", "Suspects, 2018/19", "Different people, 2018/19"],
     {"Aged 17 and under": [2, 1, 2, 1, 0, 0], "Aged 18 and over": [2, 1, 1, 1, 1, 1],
      "Any other known age": [0, 0, 0, 0, 0, 0], "Age not known": [1, 1, 1, 1, 0, 0]}, [5, 3, 4, 3, 1, 1]),
]  # fmt: skip


def test_each_kind_counts_twelve_records_as_by_hand(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    load_declared(client, index, tmp_path, twelve())
    for scope, question, columns, rows, total in HAND:
        text = f"reference: R\ntitle: T\n{scope}questions:\n- {{id: Q1, {question}}}\n"
        asked = parse_request(text, "request", categories=CATEGORIES)
        (found,) = compute_answer(client, index.alias, asked).questions
        assert [column.label for column in found.table.columns[1:]] == columns, question
        assert {told(row): list(row.counts) for row in found.table.rows} == rows, question
        assert list(found.table.total.counts) == total, question


def test_a_table_for_each_value_counts_as_by_hand_and_its_records_are_found(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    load_declared(client, index, tmp_path, twelve())
    text = (
        "reference: R\ntitle: T\nperiod: {from: 2017-04-01, to: 2019-03-31}\nquestions:\n"
        "- {id: Q1, kind: cross, rows: {keywords: [Snapchat, Kik]}, columns: district, "
        "for_each: financial_year}\n"
        "- {id: Q2, kind: cross, rows: sex, columns: {bands: [{to: 11}]}, for_each: district}\n"
    )
    request = parse_request(text, "request", categories=CATEGORIES)
    answers = {one.id: one for one in compute_answer(client, index.alias, request).questions}
    assert [*answers] == ["Q1.1", "Q1.2", "Q2.1", "Q2.2", "Q2.3"]
    assert {told(row): list(row.counts) for row in answers["Q1.1"].table.rows} == {
        "Snapchat": [2, 1, 1, 0, 0], "Kik": [4, 1, 2, 0, 1], "None of these": [2, 2, 0, 0, 0],
    }  # fmt: skip
    assert {told(row): list(row.counts) for row in answers["Q1.2"].table.rows} == {
        "Snapchat": [1, 1, 0, 0, 0], "Kik": [0, 0, 0, 0, 0], "None of these": [2, 0, 1, 0, 1],
    }  # fmt: skip
    assert list(answers["Q2.2"].table.total.counts) == [4, 0, 3, 1]
    found = locate_records(request, "Q1.1", "Kik", "South").query
    assert behind(client, index.alias, [found]) == [{"C", "D"}]


def test_an_answer_says_why_its_rows_add_up_to_more(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    load_declared(client, index, tmp_path, twelve())
    questions = [
        "{id: Q1, kind: keywords, keywords: [Snapchat, Kik, Omegle]}",
        "{id: Q2, kind: by, by: flag}",
        "{id: Q3, kind: by, by: sex, count: offences}",
        "{id: Q4, kind: cross, rows: district, columns: {keywords: [Snapchat, Kik]}}",
        "{id: Q5, kind: by, by: offence}",
    ]
    text = "reference: R\ntitle: T\nquestions:\n- " + "\n- ".join(questions)
    answers = compute_answer(
        client, index.alias, parse_request(text, "r", categories=CATEGORIES)
    ).questions
    once = "The total counts each once."
    assert [one.notes for one in answers] == [
        (
            "The rows add up to 16, more than the total of 11, because a record may mention several "
            f"of them. {once}",
        ),
        (
            "The rows add up to 12, more than the total of 11, because one offence may belong to "
            f"several of them. {once}",
        ),
        (
            "The rows add up to 12, more than the total of 11, because one offence may belong to "
            f"several of them. {once}",
        ),
        (
            "The columns add up to 13, more than the total of 11, because a record may mention "
            f"several of them. {once}",
        ),
        (),
    ]


def test_a_table_of_more_cells_than_the_server_gives_is_refused_in_words(
    client: Elasticsearch, server: ServerAddress, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(small())
    rows, columns = ([f"{side}{n:03}" for n in range(300)] for side in ("row", "column"))
    cross = {"id": "Q1", "kind": "cross", "rows": {"keywords": rows}, "columns": {"keywords": columns}}  # fmt: skip
    asked = parse_request(json.dumps({"reference": "R", "title": "T", "questions": [cross]}))
    refused = pytest.raises(RequestError, match="a table of 90,601 cells is too large")
    with refused, translate_client_errors(server):
        compute_answer(client, index.alias, asked)
