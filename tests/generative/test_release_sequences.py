"""What is really published, read by a reader who shares nothing with the protection.

Sequences of up to four releases over random records: no withheld number is known more closely than
the rule promises. ``tests/support/published_reader.py`` says what the reader knows and supposes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from queries.questions import load_question_kinds
from queries.spec.scope_spec import AgeBand, AxisSpec, OffenceSpec, PersonSpec, ScopeSpec
from queries.spec.term_spec import CooccurrenceSpec, TermSpec
from queries.tables.field_axes import list_field_names
from queries.tables.field_filter import list_where_fields
from tests.support.examples import examples, repeats
from tests.support.published_reader import Rule
from tests.support.release_sequences import (
    attack_sequence,
    explain_findings,
    list_errors,
    list_small_differences,
    publish_sequence,
)
from tests.support.sequence_themes import EVERY_THEME, OF_ANY, PERIODS, WIDER_THEMES, Theme

RULES = [Rule(threshold=3), Rule(threshold=5), Rule(threshold=10), Rule(rounding=5)]

SEEDS = st.integers(0, 1 << 32)

#: Keys of a question that change no number of people or records: words, the age, or the sex, of one
#: person, which is withheld by a rule of its own, and references, which are of listed lines alone.
OF_NO_NUMBER = {
    "id", "text", "note", "not_covered", "table_of", "youngest", "youngest_sex", "references",
    "average",  # the total of the same table, divided
}  # fmt: skip

#: What a kind of question refuses.
REFUSED = {"list": {"share"}}

#: Ways to write a term. Which records each counts is not told apart by the plain words here; what
#: one says of another is in tests/unit/disclosure/test_terms.py. Labels are words as well.
OF_WORDING = {"variants", "openings", "label"}


@pytest.mark.parametrize("rule", RULES, ids=str)
@settings(max_examples=examples(3), deadline=None)
@given(seed=SEEDS)
def test_the_reader_never_rules_out_what_is_true(
    rule: Rule, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Within one generation the reader supposes nothing, so a range always has the true number."""
    folder = tmp_path_factory.mktemp("ledger")
    assert not list_errors(publish_sequence(seed, folder, rule, refreshed=False))


@cache
def list_asked() -> list[dict[str, Any]]:
    """Every question that a sequence may ask, with the request that it is part of."""
    return [
        {**yaml.safe_load(f"{scope}\n{theme.always}\n{condition}"), "question": yaml.safe_load(text)}
        for theme in EVERY_THEME.values()
        for text in (*OF_ANY, *theme.questions)
        for scope in PERIODS
        for condition in ("", *theme.conditions)
    ]  # fmt: skip


def list_mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    if isinstance(value, (Mapping, list)):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from list_mappings(part)


@pytest.mark.parametrize("name", load_question_kinds())
def test_sequences_ask_every_kind_of_question_with_every_key(name: str) -> None:
    asked = [one["question"] for one in list_asked() if one["question"]["kind"] == name]
    keys = {key for question in asked for key in question}
    fields = msgspec.structs.fields(load_question_kinds()[name])
    assert asked
    assert {field.encode_name for field in fields} <= keys | OF_NO_NUMBER | REFUSED.get(name, set())


def test_sequences_use_every_key_of_a_scope_a_table_and_a_term() -> None:
    mappings = [*list_mappings(list_asked())]
    keys = {key for mapping in mappings for key in mapping}
    for spec in (
        ScopeSpec, AxisSpec, PersonSpec, AgeBand, OffenceSpec, TermSpec, CooccurrenceSpec,
    ):  # fmt: skip
        named = {field.encode_name for field in msgspec.structs.fields(spec)}
        assert named <= keys | OF_WORDING, spec
    where = {key for mapping in mappings for key in mapping.get("where", {})}
    assert where >= {*list_where_fields({}), "district", "flag"}
    by = {
        side if isinstance(side, str) else side.get("by")
        for mapping in mappings
        for name in ("by", "rows", "columns", "for_each")
        if (side := mapping.get(name))
    }
    assert by >= {*list_field_names({}), "district", "flag"}


@pytest.mark.parametrize(
    ("seed", "refreshed"),
    [(20, False), (30, False), (33, False), (58, False), (122, False), (257, False), (397, False), (707, False),
     (33, True), (85, True), (216, True), (230, True), (1000, True), (1033, True)],
)  # fmt: skip
def test_sequences_that_gave_a_number_away_no_longer_do(
    seed: int, tmp_path: Path, *, refreshed: bool
) -> None:
    rule = RULES[seed % 4]
    attempt = publish_sequence(seed, tmp_path, rule, refreshed=refreshed)
    findings = attack_sequence(attempt, rule)
    assert attempt.readings
    assert not findings, explain_findings(attempt, findings)


@pytest.mark.parametrize(
    ("name", "seed", "refreshed"),
    [("distances", 8, False), ("lists", 12, False), ("for each", 13, True),
     ("one victim", 14, False), ("one suspect", 26, False),
     pytest.param("one victim", 417, True, marks=pytest.mark.long)],
)  # fmt: skip
def test_sequences_of_a_wider_theme_that_narrowed_a_number_no_longer_do(
    name: str, seed: int, tmp_path: Path, *, refreshed: bool
) -> None:
    rule = RULES[seed % 4]
    theme: dict[str, Theme] = {name: WIDER_THEMES[name]}
    attempt = publish_sequence(seed, tmp_path, rule, refreshed=refreshed, themes=theme)
    findings = attack_sequence(attempt, rule)
    assert attempt.readings
    assert not findings, explain_findings(attempt, findings)


def test_what_only_a_total_counts_is_known_to_be_nothing(tmp_path: Path) -> None:
    """Every record has one of the flags of the rows, also among those of one period alone."""
    rule = RULES[2]
    attempt = publish_sequence(698, tmp_path, rule, refreshed=False, themes=EVERY_THEME)
    assert attempt.readings
    findings = attack_sequence(attempt, rule)
    assert not findings, explain_findings(attempt, findings)


@pytest.mark.parametrize("name", WIDER_THEMES)
def test_each_wider_theme_asks_what_is_published_and_gives_nothing_away(
    name: str, tmp_path: Path
) -> None:
    """One sequence of each; the long run has many."""
    theme: dict[str, Theme] = {name: WIDER_THEMES[name]}
    attempt = publish_sequence(1, tmp_path, RULES[1], refreshed=False, themes=theme)
    assert attempt.readings
    assert not list_errors(attempt)
    findings = attack_sequence(attempt, RULES[1])
    assert not findings, explain_findings(attempt, findings)


@pytest.mark.long
@pytest.mark.parametrize("refreshed", [False, True], ids=["one generation", "refreshes"])
@pytest.mark.parametrize("name", WIDER_THEMES)
def test_no_sequence_of_a_wider_theme_gives_a_withheld_number_away(
    name: str, tmp_path: Path, *, refreshed: bool
) -> None:
    theme: dict[str, Theme] = {name: WIDER_THEMES[name]}
    for seed in range(repeats(8, 40)):
        rule = RULES[seed % 4]
        attempt = publish_sequence(seed, tmp_path, rule, refreshed=refreshed, themes=theme)
        if not refreshed:
            assert not list_errors(attempt), f"seed {seed}"
        findings = attack_sequence(attempt, rule)
        assert not findings, f"seed {seed}\n{explain_findings(attempt, findings)}"


@pytest.mark.long
@pytest.mark.parametrize("refreshed", [False, True], ids=["one generation", "refreshes"])
@pytest.mark.parametrize("number", range(len(RULES)), ids=map(str, RULES))
def test_no_sequence_of_releases_gives_a_withheld_number_away(
    number: int, tmp_path: Path, *, refreshed: bool
) -> None:
    for seed in range(number, repeats(40, 240), len(RULES)):
        attempt = publish_sequence(seed, tmp_path, RULES[number], refreshed=refreshed)
        findings = attack_sequence(attempt, RULES[number])
        assert not findings, f"seed {seed}\n{explain_findings(attempt, findings)}"


@pytest.mark.long
@pytest.mark.parametrize("threshold", [3, 5, 10])
@settings(max_examples=examples(25), deadline=None)
@given(seed=SEEDS)
def test_no_two_releases_are_about_all_but_a_few_of_the_same_records(
    threshold: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rule = Rule(threshold=threshold)
    folder = tmp_path_factory.mktemp("ledger")
    attempt = publish_sequence(seed, folder, rule, refreshed=True)
    assert not list_small_differences(attempt, rule)


@pytest.mark.long
@pytest.mark.parametrize("threshold", [3, 5, 10])
def test_few_releases_are_refused(threshold: int, tmp_path: Path) -> None:
    """Each is refused for a reason that it states, and most are published."""
    rule = Rule(threshold=threshold)
    attempts = [
        publish_sequence(seed, tmp_path, rule, refreshed=True) for seed in range(repeats(40, 400))
    ]
    refusals = [refusal for attempt in attempts for refusal in attempt.refusals]
    published = sum(len(attempt.readings) for attempt in attempts)
    share = len(refusals) / (len(refusals) + published)
    print(f"threshold {threshold}: {share:.1%} of {len(refusals) + published} releases refused")
    assert all("--override" in refusal for refusal in refusals)
    assert share < 0.2
