"""A replay names exactly the records that moved a number, and why; the same numbers otherwise."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.config.field_map import FieldMap
from indexer.config.model import IndexSettings, RefreshSettings
from indexer.errors import RequestError
from indexer.index import generations
from indexer.index.generations import prune_generations
from indexer.index.lock import hold_lock
from indexer.jobs.forget import ErasureScope, erase_record
from indexer.jobs.overrides import CheckOverride
from indexer.jobs.refresh import RefreshMode, RefreshOptions, RefreshPlan, refresh_index
from indexer.records.categories import Category
from indexer.records.narrative import MATCHING_RULE
from indexer.version import VERSION
from queries.answer.types import ANSWER_FORMAT, Answer, format_json
from queries.answering.build import compute_answer
from queries.evidence.basis import basis_path, read_basis, save_basis
from queries.evidence.membership import build_membership
from queries.evidence.trace import trace_scope
from queries.matching.term import build_form_query, parse_term
from queries.replay.compare import (
    LabelledRecordChange,
    Replay,
    ReplayContext,
    extract_request,
    read_unpublished_answer,
    replay_answer,
)
from queries.replay.text import format_replay, select_row_labels
from queries.request.reader import Request, parse_request
from queries.spec import term_spec
from queries.tables import scope
from tests.support.command_line import Outcome, run_command
from tests.support.counted_records import COUNTED_RECORDS, TERMS, four_questions
from tests.support.counter import Counter
from tests.support.examples import examples
from tests.support.oracle import mentions, text_of, variants
from tests.support.server import SILENT

Records = list[dict[str, Any]]

DISTRICT = {"district": Category()}

MOST = 1_000

REQUEST = """
reference: R1
title: T
period: 2017/18
mentions: [live stream]
offences: [{codes: [22B], label: Under 16}, {codes: [88A], label: Meeting}]
questions:
  - {id: Q1, kind: offences}
  - {id: Q2, kind: keywords, keywords: [Snapchat, Instagram], each_offence: true}
  - {id: Q3, kind: linked, codes: [86/2]}
  - {id: Q4, kind: victims, youngest: true, bands: [{to: 11}, {from: 12, to: 15}]}
  - {id: Q5, kind: by, by: district}
  - {id: Q6, kind: by, by: outcome}
"""


def record(reference: str, text: str = "live stream", **more: Any) -> dict[str, Any]:
    return {
        "crime_ref": reference,
        "recorded_on": "2017-06-01",
        "offence_code": "22B",
        "narrative": text,
        "updated_at": "2019-01-01T00:00:00Z",
        **more,
    }


def the_request() -> Request:
    return parse_request(REQUEST, categories=DISTRICT)


class Force:
    """An index that is refreshed, and the answers it gave."""

    def __init__(self, client: Elasticsearch, index: IndexSettings, folder: Path) -> None:
        self.client, self.index, self.folder = client, index, folder

    def refresh(self, held: Records, mode: RefreshMode = "full") -> None:
        path = self.folder / "source.jsonl"
        path.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in held))
        fields = FieldMap(categories=DISTRICT)
        plan = RefreshPlan((path,), self.folder / "rejects", fields=fields)
        settings = RefreshSettings(keep=9, lease_seconds=10)
        # Random records need not look like those before them.
        allowed = frozenset(CheckOverride) - {CheckOverride.REJECTS}
        options = RefreshOptions(settings, lambda _: {}, mode, allowed)
        refresh_index(self.client, self.index, plan, options, SILENT)

    def answer(self, asking: Request, most: int = MOST) -> Answer:
        found = compute_answer(self.client, self.index.alias, asking)
        kept, _ = save_basis(self.client, found, asking, self.folder, most)
        return msgspec.json.decode(format_json(kept), type=Answer)

    def replay(self, given_answer: Answer, most: int = MOST) -> Replay:
        asking = extract_request(given_answer, Path("answer.json"))
        context = ReplayContext(self.client, self.index.alias, self.folder, most)
        return replay_answer(context, given_answer, asking)

    def forget(self, reference: str) -> None:
        folder = self.folder / "rejects"
        alias = self.index.alias
        with hold_lock(self.client, alias, 60) as lock:
            erase_record(self.client, ErasureScope(alias, folder), reference, lock)

    def prune(self) -> None:
        prune_generations(self.client, self.index.alias, 1)


@pytest.fixture
def force(client: Elasticsearch, index: IndexSettings, tmp_path: Path) -> Force:
    return Force(client, index, tmp_path)


def reasons(found: Replay) -> dict[str, list[str]]:
    assert found.record_changes is not None, found.movers_unavailable_reason
    return {one.crime_ref: [reason.kind for reason in one.reasons] for one in found.record_changes}


def rows(found: Replay, reference: str) -> tuple[list[str], list[str]]:
    """What the text says a record left and entered."""
    (mover,) = [one for one in found.record_changes or () if one.crime_ref == reference]
    return select_row_labels(mover.numbers_left), select_row_labels(mover.numbers_entered)


BEFORE = [
    record("A-same", "live stream on Snapchat"),
    record("B-deleted", victims=[{"victim_ref": "V1", "age": 9}]),
    record("C-status"),
    record("D-code-out"),
    record("E-code-across"),
    record("F-date-out"),
    record("G-date-in", recorded_on="2018-04-01"),
    record("H-wording-out", "live stream on Instagram"),
    record("I-wording-in", "livestreamed"),
    record("J-keyword", "live stream on Snapchat"),
    record("K-victims", victims=[{"victim_ref": "V2", "age": 12}]),
    record("L-links", linked=[{"offence_code": "86/2"}]),
    record("M-category", district="North"),
    record("N-outcome", outcome=1),
    record("O-code-in", offence_code="21"),
    record("Q-no-number", "live stream, first"),
    record("R-outside", "nothing of the kind"),
]

NEWER = {"updated_at": "2019-02-01T00:00:00Z"}

CHANGES = [
    {"crime_ref": "B-deleted", "status": "deleted", **NEWER},
    record("C-status", status="cancelled", **NEWER),
    record("D-code-out", offence_code="21", **NEWER),
    record("E-code-across", offence_code="88/1", **NEWER),
    record("F-date-out", recorded_on="2018-04-02", **NEWER),
    record("G-date-in", **NEWER),
    record("H-wording-out", "live. Stream on Instagram", **NEWER),
    record("I-wording-in", "live-stream", **NEWER),
    record("J-keyword", "live stream on Instagram", **NEWER),
    record("K-victims", victims=[{"victim_ref": "V2", "age": 10}], **NEWER),
    record("L-links", linked=[], **NEWER),
    record("M-category", district="South", **NEWER),
    record("N-outcome", outcome=2, **NEWER),
    record("O-code-in", **NEWER),
    record("P-added", **NEWER),
    record("Q-no-number", "live stream, second", **NEWER),
    record("R-outside", "nothing of any kind", **NEWER),
]

MOVED = {
    "B-deleted": ["deleted"],
    "C-status": ["status"],
    "D-code-out": ["code"],
    "E-code-across": ["code"],
    "F-date-out": ["date"],
    "G-date-in": ["date"],
    "H-wording-out": ["wording"],
    "I-wording-in": ["wording"],
    "J-keyword": ["wording"],
    "K-victims": ["victims"],
    "L-links": ["links"],
    "M-category": ["category"],
    "N-outcome": ["outcome"],
    "O-code-in": ["code"],
    "P-added": ["added"],
}


@pytest.mark.parametrize(
    "later",
    [
        pytest.param("at once", marks=pytest.mark.long),
        pytest.param("incremental", marks=pytest.mark.long),
        "full",
    ],
)
def test_a_number_that_moved_as_a_record_was_forgotten_is_told_so(force: Force, later: str) -> None:
    force.refresh(BEFORE)
    answered = force.answer(the_request())
    force.forget("B-deleted")
    if later == "incremental":
        force.refresh([record("R-outside", "nothing of any kind", **NEWER)], "incremental")
    elif later == "full":
        force.refresh([one for one in BEFORE if one["crime_ref"] != "B-deleted"])
    found = force.replay(answered)
    assert (found.generation_kept, found.erased) == (True, 1)
    assert reasons(found) == {"B-deleted": ["forgotten"]}
    assert rows(found, "B-deleted")[0][0] == "Q1 Under 16"
    assert (found.integrity_warnings, found.unexplained_changes) == ((), ())
    assert {one.key for one in found.source_changes} == {one.key for one in found.live_changes}
    text = format_replay(found)
    assert (
        "Note: 1 of its records was forgotten since it answered (foidex forget), and no longer counts"
        in text
    )
    assert f"{len(found.source_changes)} numbers differ. Records were forgotten in it" in text
    assert "the answer was changed" not in text
    assert "  B-deleted  forgotten on 20" in text


@pytest.mark.long
def test_without_a_basis_what_a_forgotten_record_counted_in_is_said_not_to_be_known(
    force: Force,
) -> None:
    force.refresh(BEFORE)
    answered = force.answer(the_request(), 0)
    force.forget("B-deleted")
    found = force.replay(answered)
    assert (found.erased, found.record_changes) == (1, ())
    assert found.unexplained_changes
    text = format_replay(found)
    assert "No record explains the change." in text
    assert "Moved by 0" not in text
    assert "without an evidence file nobody knows what a forgotten record counted in" in text


@pytest.mark.long
def test_a_forgotten_record_of_a_pruned_generation_is_told_by_the_next_one(force: Force) -> None:
    force.refresh(BEFORE)
    answered = force.answer(the_request())
    force.forget("B-deleted")
    force.refresh([one for one in BEFORE if one["crime_ref"] != "B-deleted"])
    force.prune()
    found = force.replay(answered)
    assert (found.generation_kept, found.erased, reasons(found)) == (
        False,
        0,
        {"B-deleted": ["forgotten"]},
    )
    assert "B-deleted  forgotten on 20" in format_replay(found)


def after() -> Records:
    changed = {one["crime_ref"]: one for one in CHANGES}
    kept = {one["crime_ref"]: one for one in BEFORE} | changed
    return [one for one in kept.values() if one.get("status") != "deleted"]


@pytest.mark.parametrize("mode", ["full", "incremental"])
@pytest.mark.parametrize("left", ["basis", "generation", "basis and generation"])
def test_a_replay_names_the_records_that_moved_and_why(
    force: Force, left: str, mode: RefreshMode
) -> None:
    force.refresh(BEFORE)
    answered = force.answer(the_request(), MOST if "basis" in left else 0)
    force.refresh(after() if mode == "full" else CHANGES, mode)
    if "generation" not in left:
        force.prune()
    found = force.replay(answered)
    assert (found.generation_kept, found.basis) == (
        "generation" in left,
        "kept" if "basis" in left else "not kept",
    )
    assert reasons(found) == MOVED
    assert not found.source_changes
    assert not found.integrity_warnings
    assert not found.unexplained_changes
    assert found.error
    assert found.error.exit_code == 14
    assert rows(found, "E-code-across") == (
        ["Q1 Under 16", "Q2 None of these / Under 16"],
        ["Q1 Meeting", "Q2 None of these / Meeting"],
    )
    assert rows(found, "J-keyword") == (["Q2 Snapchat"], ["Q2 Instagram"])
    assert rows(found, "M-category") == (["Q5 North"], ["Q5 South"])
    text = format_replay(found)
    for line in (
        "  C-status  status recorded -> cancelled",
        "  D-code-out  offence code 22B -> 21",
        "  F-date-out  recorded on 2017-06-01 -> 2018-04-02, out of the period",
        "  G-date-in  recorded on 2018-04-01 -> 2017-06-01, into the period",
        '  H-wording-out  wording changed: it no longer mentions "live stream"',
        '  I-wording-in  wording changed: it now mentions "live stream"',
        "  N-outcome  outcome 1 -> 2",
    ):
        assert f"{line}\n" in text
    assert "nothing of" not in text


def test_numbers_that_moved_are_told_as_they_were_and_are(force: Force) -> None:
    """By hand: two victims then, aged 9 and 12; one now, aged 10."""
    force.refresh(BEFORE)
    answered = force.answer(the_request())
    force.refresh(after())
    found = force.replay(answered)
    told = {one.label: (one.before, one.after) for one in found.live_changes}
    assert told["Q4 youngest"] == (9, 10)
    assert told["Q4 Aged 12 to 15"] == (1, 0)
    assert told["Q4 All victims asked about / Different people"] == (2, 1)
    assert told["Left out as cancelled"] == (0, 1)
    assert told["Q2 Snapchat"] == (2, 1)
    assert told["Q5 South"] == (0, 1)
    assert "Q4 Aged 11 and under" not in told


def test_an_answer_of_another_index_is_said_to_be_one(force: Force) -> None:
    force.refresh(BEFORE)
    answered = force.answer(the_request())
    provenance = msgspec.structs.replace(
        answered.provenance, generation=f"north-{answered.provenance.generation[-15:]}"
    )
    other = msgspec.structs.replace(answered, provenance=provenance)
    assert "The answer is of the index north, and this is the index" in format_replay(
        force.replay(other)
    )
    assert "of the index" not in format_replay(force.replay(answered))


def test_nothing_moved_is_the_same_numbers(force: Force) -> None:
    force.refresh(BEFORE)
    answered = force.answer(the_request())
    force.refresh([*BEFORE, record("Z", "no such word")])
    found = force.replay(answered)
    assert (found.live_changes, found.source_changes, found.integrity_warnings, found.error) == (
        (),
        (),
        (),
        None,
    )
    assert "the same numbers" in format_replay(found)


def test_without_basis_and_generation_the_numbers_are_told_and_why_no_record_is(
    force: Force,
) -> None:
    force.refresh(BEFORE)
    kept = force.answer(the_request())
    plain = force.answer(the_request(), 0)
    assert plain.provenance.basis is None
    force.refresh(after())
    force.prune()
    bare = force.replay(plain)
    assert bare.record_changes is None
    assert bare.live_changes
    assert "was pruned, and no basis was kept" in format_replay(bare)
    basis_path(force.folder, str(kept.provenance.basis)).unlink()
    gone = force.replay(kept)
    assert gone.basis == "missing"
    assert "the basis is not in the audit folder" in gone.movers_unavailable_reason


def test_a_newcomer_that_no_basis_could_tell_is_not_called_added(force: Force) -> None:
    """In scope now, by code and by date; with only the basis nobody knows that it was there."""
    old = [record("A"), record("B", recorded_on="2016-01-01", offence_code="21")]
    force.refresh(old)
    answered = force.answer(the_request())
    force.refresh([record("A"), record("B")])
    known = force.replay(answered)
    assert reasons(known) == {"B": ["code", "date"]}
    force.prune()
    (mover,) = force.replay(answered).record_changes or ()
    assert "or it was held then" in mover.reasons[0].text


def test_a_basis_is_for_its_owner_alone_and_the_same_each_time(force: Force) -> None:
    force.refresh(BEFORE)
    one, other = force.answer(the_request()), force.answer(the_request())
    assert one.provenance.basis == other.provenance.basis
    (file,) = (force.folder / "basis").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "A-same" not in format_json(one)


# -- answers that were changed ---------------------------------------------------------------------


def changed(answered: Answer, path: str, value: Any) -> Answer:
    raw = json.loads(format_json(answered))
    *steps, last = path.split(".")
    inner = raw
    for step in steps:
        inner = inner[int(step)] if step.isdigit() else inner[step]
    inner[int(last) if last.isdigit() else last] = value
    return msgspec.convert(raw, Answer)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("questions.0.table.rows.0.counts.0", 99, "the answer says 99, its basis"),
        ("provenance.query", {}, "The query in the answer is not the one whose hash it holds"),
        ("provenance.mapping_hash", "x", "with another mapping than the answer says"),
        ("provenance.built_at", "2019-01-01T00:00:00Z", "was built at another time"),
        ("provenance.basis", "0" * 63 + "g", "is not a SHA-256"),
        ("provenance.basis", "../../audit", "is not a SHA-256"),
        ("request.mentions.0", "live streams", "gives another query than the one that was sent"),
    ],
)
def test_an_answer_that_was_changed_is_told(force: Force, path: str, value: Any, told: str) -> None:
    force.refresh(BEFORE)
    found = force.replay(changed(force.answer(the_request()), path, value))
    assert told in format_replay(found)
    assert found.error


def test_a_basis_that_was_changed_is_told_and_not_used(force: Force) -> None:
    force.refresh(BEFORE)
    answered = force.answer(the_request())
    file = basis_path(force.folder, str(answered.provenance.basis))
    file.write_bytes(file.read_bytes() + b"x")
    found = force.replay(answered)
    assert (found.basis, len(found.integrity_warnings)) == ("wrong", 1)
    assert "its SHA-256 is not the one in its name" in found.integrity_warnings[0]


def test_a_change_of_the_matching_rule_is_told_as_that(
    force: Force, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if another version found other forms: the records are the same, the numbers are not."""
    force.refresh(BEFORE)
    answered = force.answer(the_request())
    monkeypatch.setattr(
        scope, "build_term_query", lambda term: build_form_query(term, term.forms[0])
    )
    found = force.replay(answered)
    assert found.source_changes
    assert {kind for kinds in reasons(found).values() for kind in kinds} == {"rule"}
    assert "foidex counts differently" in format_replay(found)


TRUCK = """
reference: R1
title: T
questions: [{id: Q1, kind: keywords, keywords: [pickup truck]}]
"""


def test_an_answer_by_the_rule_before_says_that_the_rule_changed(
    force: Force, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer has no version of the rule, as foidex wrote it, and the rule had fewer forms."""
    force.refresh([record("C1", "a pickup truck"), record("C2", "a pick-up truck"), record("C3")])
    asking = parse_request(TRUCK)
    parsed = parse_term("pickup truck")
    old_form = msgspec.structs.replace(parsed, forms=(("pickup", "truck"),))
    with monkeypatch.context() as old_rule:
        old_rule.setattr(term_spec, "parse_term", lambda *_, **__: old_form)
        plain = json.loads(format_json(force.answer(asking)))
    assert plain["provenance"].pop("matching_rule") == MATCHING_RULE
    answered = msgspec.convert(plain, Answer)
    assert answered.provenance.matching_rule == 1
    replayed = force.replay(answered)
    assert replayed.integrity_warnings == ()
    assert replayed.matching_rule_changed
    told = f"version 1 of it answered, and version {MATCHING_RULE} counts now"
    assert any(told in note for note in replayed.notes)
    assert reasons(replayed) == {"C2": ["rule"]}
    text = format_replay(replayed)
    assert "Its records are the same: the matching rule changed, as noted above." in text
    assert "nothing in it differs: the matching rule changed" in text
    force.prune()


@pytest.mark.parametrize("recorded", [3, None])
def test_an_answer_has_the_rule_by_which_the_text_of_its_generation_was_cut(
    force: Force, monkeypatch: pytest.MonkeyPatch, recorded: int | None
) -> None:
    """None: a generation of before the rule was recorded."""
    with monkeypatch.context() as earlier:
        earlier.setattr(generations, "MATCHING_RULE", recorded)
        force.refresh([record("C1", "a pickup truck")])
    answered = force.answer(parse_request(TRUCK))
    assert answered.provenance.matching_rule == 3
    replayed = force.replay(answered)
    assert not replayed.matching_rule_changed
    force.refresh([record("C1", "a pickup truck")])
    replayed = force.replay(answered)
    told = f"version 3 of it answered, and version {MATCHING_RULE} counts now"
    assert any(told in note for note in replayed.notes)
    force.prune()


def test_a_record_that_came_into_scope_since_the_rule_changed_is_not_said_to_be_reworded(
    force: Force, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its generation is gone, and the basis does not say whether its text changed."""
    force.refresh([record("C1", "a pickup truck"), record("C2", "a pick-up truck")])
    asking = parse_request(
        "reference: R1\ntitle: T\nmentions: [pickup truck]\nquestions: [{id: Q1, kind: offences}]"
    )
    parsed = parse_term("pickup truck")
    old_form = msgspec.structs.replace(parsed, forms=(("pickup", "truck"),))
    with monkeypatch.context() as old_rule:
        old_rule.setattr(term_spec, "parse_term", lambda *_, **__: old_form)
        plain = json.loads(format_json(force.answer(asking)))
    del plain["provenance"]["matching_rule"]
    force.refresh([record("C1", "a pickup truck"), record("C2", "a pick-up truck")])
    force.prune()
    replayed = force.replay(msgspec.convert(plain, Answer))
    assert reasons(replayed) == {"C2": ["unknown"]}
    assert "its wording or the matching rule changed" in format_replay(replayed)


# -- against a naive reading -----------------------------------------------------------------------

EVERY_KIND = """
  - {id: A, kind: by, by: offence}
  - {id: B, kind: by, by: offence_group}
  - {id: C, kind: by, by: status}
  - {id: D, kind: by, by: sex}
  - {id: E, kind: by, by: month, count: victims}
  - {id: F, kind: cross, rows: {bands: [{to: 15}]}, columns: sex}
  - {id: G, kind: cross, rows: offence, columns: {keywords: [Snapchat, livestreaming]}}
  - {id: H, kind: cross, rows: {keywords: [Snapchat, Musical.ly]}, columns: sex, count: offences}
  - {id: I, kind: cross, rows: offence, columns: sex}
  - {id: J, kind: overlap, keywords: [live stream, livestreaming, Snapchat]}
  - {id: K, kind: keywords, keywords: [Snapchat], within: {period: 2017, offences: [{codes: ["22"]}]}}
  - {id: L, kind: victims, bands: [{to: 15}], youngest: true, within: {mentions: [Snapchat]}}
  - {id: M, kind: keywords, keywords: [{term: Snapchat, with: [live stream]}]}
"""


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COUNTED_RECORDS, st.sampled_from(["one period", "side by side"]))
def test_every_number_of_every_kind_is_the_sum_of_its_records(
    force: Force, written: Records, periods: str
) -> None:  # fmt: skip
    """``basis.keep`` refuses where one is not; every record is in it once."""
    for number, one in enumerate(written):
        one["crime_ref"] = f"R{number}"
    force.refresh(written)
    within = (
        "periods: [{from: 2017-01-01, to: 2017-12-31}, {from: 2017-06-01, to: 2018-12-31}]"
        if periods == "side by side"
        else "period: {from: 2017-01-01, to: 2018-12-31}"
    )
    asking = parse_request(f"reference: R\ntitle: T\n{within}\nquestions:{EVERY_KIND}")
    found = compute_answer(force.client, force.index.alias, asking)
    kept, why = save_basis(force.client, found, asking, force.folder, MOST)
    read = read_basis(force.folder, str(kept.provenance.basis))
    assert not why
    assert read
    assert len(read.records) == len(written)
    force.prune()


def test_many_names_are_asked_in_several_searches_with_one_result(force: Force) -> None:
    force.refresh(BEFORE)
    asking = the_request()
    found = compute_answer(force.client, force.index.alias, asking)
    plan = build_membership(asking, found)
    name = found.provenance.generation
    once = list(trace_scope(force.client, name, asking.scope, plan))
    assert len(plan.batches()) == 1
    small = msgspec.structs.replace(plan, max_clauses=5)
    assert len(small.batches()) > 5
    assert list(trace_scope(force.client, name, asking.scope, small)) == once


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COUNTED_RECORDS, COUNTED_RECORDS, st.sampled_from(["kept", "pruned"]))
def test_random_refreshes_move_as_a_naive_reading_of_both_sides_says(
    force: Force, old: Records, new: Records, generation: str
) -> None:  # fmt: skip
    """Of each side, the naive rows of each record; the movers are those whose rows differ."""
    for side in (old, new):
        for number, one in enumerate(side):
            one["crime_ref"] = f"R{number}"
    asking = four_questions(TERMS[:2], ["22B", "88A"])
    force.refresh(old)
    answered = force.answer(asking)
    force.refresh(new)
    if generation == "pruned":
        force.prune()
    found = force.replay(answered)
    was, now = naive(old), naive(new)
    expected = {one for one in {**was, **now} if was.get(one) != now.get(one)}
    named = {
        one.crime_ref
        for one in found.record_changes or ()
        if one.numbers_left or one.numbers_entered or rowed(one)
    }
    if found.live_changes:
        assert named == expected
    assert not found.unexplained_changes
    assert not found.source_changes
    force.prune()


FORMS = sorted({form for term in TERMS for form in variants(term)} | set(TERMS))


def rowed(mover: LabelledRecordChange) -> bool:
    """Whether it counts another number of times in a row, and is not listed for a fact alone."""
    return any(
        one.key.part != "fact" and one.key.column != "people" for one in mover.numbers_changed
    )


def naive(held: Records) -> dict[str, Any]:
    """What each record counts, by the naive counter over that record alone, its links resolved."""
    start, end = date(2017, 4, 1), date(2018, 3, 31)
    found = {}
    for one in held:
        alone = Counter([one], terms=TERMS[:2], codes=["22B", "88A"], start=start, end=end)
        alone.everything = {other["crime_ref"]: other for other in held}
        bands = [(0, 11), (12, 15), (16, 17)]
        said = text_of(one)
        row = (
            sorted(alone.left_out.items()),
            len(alone.records),
            [alone.of_codes([code]) for code in ("22B", "88A")],
            [alone.saying(term) for term in TERMS],
            [form for form in FORMS if alone.records and mentions(said, [form])],
            [alone.linked([code]) for code in ("86/2", "88A", "22")],
            [alone.aged(*band) for band in bands],
            len(alone.ages()),
            len(alone.victims()),
        )
        if any(alone.left_out.values()) or alone.records:
            found[one["crime_ref"]] = row
    return found


# -- the command line ------------------------------------------------------------------------------


def run(environment: dict[str, str], *words: str) -> Outcome:
    return run_command(*words, environment=environment)


def test_the_commands_replay_and_log(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> None:
    load([record("A"), record("B", "live stream on Snapchat")])
    path = tmp_path / "request.yaml"
    path.write_text(REQUEST.replace("  - {id: Q5, kind: by, by: district}\n", ""), "utf-8")
    answered = run(environment, "answer", str(path), "--format", "json")
    assert answered.code == 0, answered.err
    (tmp_path / "answer.json").write_text(answered.out, encoding="utf-8")
    same = run(environment, "replay", str(tmp_path / "answer.json"))
    assert (same.code, same.err) == (0, "")
    (tmp_path / "odd.json").write_text(
        answered.out.replace(f'"version": "{VERSION}"', '"version": "9\\u001b[5m"'), "utf-8"
    )
    assert r"9\x1b[5m" in run(environment, "replay", str(tmp_path / "odd.json")).out
    load([record("B", "live stream on Snapchat", status="cancelled"), record("C")])
    moved = run(environment, "replay", str(tmp_path / "answer.json"), "--format", "json")
    assert moved.code == 14
    assert "A" not in moved.err.replace("FOI", "")
    told = {one["crime_ref"]: one["reasons"][0]["kind"] for one in json.loads(moved.out)["movers"]}
    assert told == {"A": "deleted", "B": "status", "C": "added"}
    found = run(environment, "find", "live stream", "--refs-only")
    assert found.out.split() == ["C"]
    refused = run(environment, "count", "")
    assert refused.code == 3
    lines = [json.loads(line) for line in run(environment, "audit", "show").out.splitlines()]
    assert [(one["command"], one["exit_code"]) for one in lines] == [
        ("answer", 0), ("replay", 0), ("replay", 0), ("replay", 14), ("find", 0), ("count", 3),
    ]  # fmt: skip
    assert [one.get("records") for one in lines] == [2, 0, 0, 3, 1, None]
    assert lines[0]["request"] == lines[1]["request"]
    assert lines[0]["numbers"] == lines[1]["numbers"]
    assert lines[4]["asked"] == {"terms": ["live stream"]}
    assert run(environment, "audit", "verify").code == 0
    log = tmp_path / "home" / "audit" / "audit.jsonl"
    log.write_text(log.read_text("utf-8").replace('"find"', '"seek"'), encoding="utf-8")
    broken = run(environment, "audit", "verify")
    assert (broken.code, broken.out) == (18, "")


def test_no_result_is_given_where_it_cannot_be_logged(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> None:
    load([record("A")])
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "audit").write_text("a file where the folder would be")
    for words in (["count", "live stream"], ["find", "live stream"]):
        refused = run(environment, *words)
        assert (refused.code, refused.out) == (11, "")
        assert "every query must be logged" in refused.err
    config = tmp_path / "foidex.toml"
    config.write_text("[audit]\nlog = false\n")
    counted = run(environment, "--config", str(config), "find", "live stream", "--refs-only")
    assert (counted.code, counted.out) == (0, "A\n")


def test_nothing_is_forgotten_where_it_cannot_be_logged(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> None:
    load([record("A"), record("B")])
    config = tmp_path / "foidex.toml"
    config.write_text("[audit]\nlog = false\n")
    kept = ("--config", str(config), "find", "live stream", "--refs-only")
    log = tmp_path / "home" / "audit" / "audit.jsonl"
    log.mkdir(parents=True)
    for words in (["forget", "A"], ["forget", "A", "--undo"]):
        refused = run(environment, *words)
        assert (refused.code, refused.out) == (11, "")
        assert refused.err.count("foidex: ") == 1
        assert "every change must be logged, so nothing was changed" in refused.err
    log.rmdir()
    assert run(environment, *kept).out.split() == ["A", "B"]
    assert run(environment, "forget", "A").code == 0
    assert run(environment, "forget", "").code == 3
    assert run(environment, *kept).out.split() == ["B"]
    lines = [json.loads(line) for line in run(environment, "audit", "show").out.splitlines()]
    begun, done, wrong = lines[-3:]
    assert (begun["begins"], "records" in begun, done["records"]) == (True, False, 1)
    assert (wrong["exit_code"], "begins" in wrong, "of" in wrong) == (3, False, False)
    assert [line["asked"] for line in (begun, done)] == [begun["asked"]] * 2


def test_a_scope_too_large_for_a_basis_is_told(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> None:
    load([record("A"), record("B")])
    (tmp_path / "request.yaml").write_text(
        "reference: R\ntitle: T\nmentions: [live stream]\nquestions: [{id: Q1, kind: offences}]\n"
    )
    config = tmp_path / "foidex.toml"
    config.write_text("[audit]\nbasis_records = 1\n")
    answered = run(environment, "--config", str(config), "answer", str(tmp_path / "request.yaml"))
    assert answered.code == 0
    assert "The basis of this answer is not kept: 2 records are in scope" in answered.err


def test_an_answer_that_is_none_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "answer.json"
    with pytest.raises(RequestError, match="cannot be read"):
        read_unpublished_answer(path)
    for text, told in (
        ("{", "is not JSON"),
        ("[1]", "is not an answer of foidex"),
        ('{"format": "foidex-answer/9"}', 'has the format "foidex-answer/9"'),
        (f'{{"format": "{ANSWER_FORMAT}"}}', "is not an answer"),
    ):
        path.write_text(text)
        with pytest.raises(RequestError, match=told) as refused:
            read_unpublished_answer(path)
        assert "\n" not in str(refused.value)


def test_suspects_that_changed_are_the_reason_that_is_given(force: Force) -> None:
    """By hand: two suspects then, aged 30 and 15; then 30 and 16, of one record."""
    asking = parse_request(
        "reference: R1\ntitle: T\nperiod: 2017/18\n"
        "questions: [{id: Q1, kind: suspects, youngest: true, bands: [{to: 15}]}]\n",
        categories=DISTRICT,
    )
    elder = {"suspect_ref": "S1", "age": 30}
    same = record("A", suspects=[elder])
    force.refresh([same, record("B", suspects=[{"suspect_ref": "S2", "age": 15}])])
    answered = force.answer(asking)
    force.refresh([same, record("B", suspects=[{"suspect_ref": "S2", "age": 16}], **NEWER)])
    found = force.replay(answered)
    told = {one.label: (one.before, one.after) for one in found.live_changes}
    assert told["Q1 youngest"] == (15, 16)
    assert told["Q1 Aged 15 and under"] == (1, 0)
    assert reasons(found) == {"B": ["suspects"]}
    assert rows(found, "B") == (["Q1 Aged 15 and under"], ["Q1 Any other known age"])
