"""Coverage on a real server: every number, or "not covered", is that of a count of days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from indexer.config.model import IndexSettings
from indexer.index.generations import discard_generation, find_live_name
from indexer.jobs.refresh import LoadOptions, load_files
from indexer.records.coverage import CoverageSettings
from queries.answer.types import NOT_COVERED, QuestionAnswer
from queries.answering.build import compute_answer
from queries.evidence.basis import save_basis
from queries.request.reader import parse_request
from tests.support.counter import Days, days, unit_of_time
from tests.support.examples import examples
from tests.support.server import SILENT

FIRST = date(2016, 4, 1)

DAY = st.integers(0, 1000).map(lambda number: FIRST + timedelta(days=number))

SPAN = st.tuples(DAY, DAY).map(sorted).map(lambda ends: {"from": ends[0], "to": ends[1]})

RECORD = st.fixed_dictionaries(
    {
        "recorded_on": DAY.map(date.isoformat),
        "offence_code": st.sampled_from(["22B", "88/1"]),
        "narrative": st.sampled_from(["alpha", "beta", "alpha beta", "gamma"]),
        "status": st.sampled_from(["recorded", "recorded", "recorded", "cancelled"]),
    }
)

Record = dict[str, Any]

Holds = Callable[[Record], bool]


def set_of_days(*periods: Days) -> set[date]:
    return {
        period.start + timedelta(days=number)
        for period in periods
        for number in range((period.end - period.start).days + 1)
    }


class DayCounter:
    """Counts records by sets of days; knows nothing of conditions, queries or intervals."""

    def __init__(self, written: list[Record], covered: set[date]) -> None:
        self.written = written
        self.covered = covered

    def count(self, sets: list[set[date]], meets: Holds = lambda _: True) -> int | str:
        shared = set.intersection(*sets)
        if any(not one & self.covered for one in sets) or (shared and not shared & self.covered):
            return NOT_COVERED
        return len(
            [
                one
                for one in self.written
                if one["status"] == "recorded"
                and date.fromisoformat(one["recorded_on"]) in shared
                and meets(one)
            ]
        )


def table(found: QuestionAnswer) -> dict[str, list[Any]]:
    return {row.label: list(row.counts) for row in found.table.rows_and_total}


def cover(written: list[Record], declared: CoverageSettings) -> set[date]:
    """The days covered, as the documentation says."""
    recorded = [date.fromisoformat(one["recorded_on"]) for one in written]
    start, end = declared.start or min(recorded), declared.end or max(recorded)
    return set_of_days(Days(start, end, ""))


def says(word: str) -> Holds:
    return lambda record: word in record["narrative"].split()


@settings(
    max_examples=examples(12),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)
@given(
    written=st.lists(RECORD, min_size=1, max_size=25),
    ends=SPAN,
    declares=st.tuples(st.booleans(), st.booleans()),
    period=SPAN,
    other=SPAN,
    unit=st.sampled_from(["month", "quarter", "calendar_year", "financial_year"]),
    years=st.lists(st.sampled_from(["2015", "2016/17", "2017", "2017/18", "2019/20"]), min_size=2, max_size=3, unique=True),
)  # fmt: skip
def test_every_number_is_that_of_its_covered_days(
    client: Elasticsearch,
    index: IndexSettings,
    tmp_path: Path,
    written: list[Record],
    ends: dict[str, date],
    declares: tuple[bool, bool],
    period: dict[str, date],
    other: dict[str, date],
    unit: str,
    years: list[str],
) -> None:
    recorded = [date.fromisoformat(one["recorded_on"]) for one in written]
    declared = CoverageSettings(
        ends["from"] if declares[0] and (declares[1] or ends["from"] <= max(recorded)) else None,
        ends["to"] if declares[1] and (declares[0] or ends["to"] >= min(recorded)) else None,
    )
    held = [{"crime_ref": f"R{number}", **one} for number, one in enumerate(written)]
    replace_records(client, index, tmp_path, held, declared)
    naive = DayCounter(held, cover(held, declared))
    whole = Days(period["from"], period["to"], "")
    scope = set_of_days(whole)
    spans = {name: set_of_days(days(name)) for name in years}
    within = Days(max(whole.start, other["from"]), min(whole.end, other["to"]), "")
    narrower = (
        f"  - {{id: Q4, kind: by, by: {unit}, within: {{period: {{from: {within.start}, to: {within.end}}}}}}}\n"
        if within.start <= within.end
        else ""
    )
    asked = parse_request(
        f"reference: FOI/1\ntitle: T\nperiod: {{from: {whole.start}, to: {whole.end}}}\nquestions:\n"
        f"  - {{id: Q1, kind: by, by: {unit}}}\n"
        "  - {id: Q2, kind: keywords, keywords: [alpha, beta]}\n"
        f"  - {{id: Q3, kind: cross, rows: {{keywords: [alpha]}}, columns: {unit}}}\n" + narrower
    )
    answer = compute_answer(client, index.alias, asked)
    assert answer.scope.records == naive.count([scope])
    units = {
        one.label: set_of_days(one) for one in (unit_of_time(unit, day) for day in sorted(scope))
    }
    total = "All offences asked about"
    q1, q2, q3, *q4 = answer.questions
    assert table(q1) == {
        **{label: [naive.count([scope, own])] for label, own in units.items()},
        total: [naive.count([scope])],
    }
    assert table(q2) == {
        "alpha": [naive.count([scope], says("alpha"))],
        "beta": [naive.count([scope], says("beta"))],
        "None of these": [naive.count([scope], says("gamma"))],
        total: [naive.count([scope])],
    }
    assert table(q3)["alpha"] == [
        naive.count([scope], says("alpha")),
        *(naive.count([scope, own], says("alpha")) for own in units.values()),
    ]
    for narrow in q4:
        part = set_of_days(within)
        inside = {label: own for label, own in units.items() if own & part}
        assert table(narrow) == {
            **{label: [naive.count([scope, part, own])] for label, own in inside.items()},
            total: [naive.count([scope, part])],
        }
    # Kept record by record, the records add up to the numbers that are covered.
    save_basis(client, answer, asked, tmp_path / "audit", 1_000)
    beside = parse_request(
        f"reference: FOI/2\ntitle: T\nperiods: [{', '.join(years)}]\nquestions:\n"
        "  - {id: Q1, kind: keywords, keywords: [alpha]}\n"
    )
    every = set().union(*spans.values())
    assert table(compute_answer(client, index.alias, beside).questions[0])["alpha"] == [
        naive.count([every], says("alpha")),
        *(naive.count([every, own], says("alpha")) for own in spans.values()),
    ]


def replace_records(
    client: Elasticsearch,
    index: IndexSettings,
    folder: Path,
    held: list[Record],
    declared: CoverageSettings,
) -> None:
    path = folder / "records.jsonl"
    path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in held))
    before = find_live_name(client, index.alias)
    options = LoadOptions(covers=declared)
    load_files(client, index, [path], folder / "rejects", SILENT, options)
    if before:
        discard_generation(client, index.alias, before)
