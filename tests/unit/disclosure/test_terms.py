"""Terms as sets: what an alias, a required term or a longer phrase says about other terms is
protected, wherever they stand. The reader of what is published shares no code with foidex."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from indexer.errors import DisclosureError
from queries.answer.condition import AnyTermCondition, Not, TermsCondition
from queries.answer.term_name import format_formula, parse_formula, read_digest
from queries.answer.types import Answer
from queries.disclosure.attack.constraints import (
    Population,
    build_system,
    find_nested_pairs,
    make_population,
)
from queries.disclosure.attack.term_pieces import evaluate_terms, partition_terms
from queries.disclosure.ledger import publish_release
from queries.disclosure.policy import Policy
from queries.disclosure.populations import list_printed_cells
from queries.disclosure.release import protect_answer
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, Wording, to_mention
from tests.support.fake_search import answer
from tests.support.kinds import asking
from tests.support.published_reader import PublishedReader, Range, Reading, Rule, list_perhaps_zero
from tests.support.record_types import (
    Record,
    combine,
    count_kinds,
    list_numbers,
    make_record,
    multiply,
)

SCOPE = "period: {from: 2016-04-01, to: 2018-03-31}"

FIVE = Rule(threshold=5)


def publish(
    records: Mapping[str, int],
    questions: Sequence[str],
    scope: str = SCOPE,
    **fields: Sequence[object],
) -> tuple[Answer, Reading, list[Record]]:
    """What is published about so many records of each text, and what a reader makes of it."""
    kinds = [make_record(text) for text in records]
    if fields:
        kinds = [
            make_record(text, **{name: values[place] for name, values in fields.items()})
            for place, text in enumerate(records)
        ]
    request = asking(questions, scope)
    whole = answer(request, multiply(kinds, [*records.values()]))
    published = protect_answer(whole, Policy(*FIVE)).answer
    shares, numbers = count_kinds(request, kinds), list_numbers(published)
    reading = Reading(shares, numbers, FIVE, 1, list_perhaps_zero(shares, numbers))
    return published, reading, kinds


def find_range(reading: Reading, kinds: Sequence[Record], *texts: str) -> Range:
    """How many records of some texts there may be for a reader."""
    shares = tuple(int(kind["narrative"] in texts) for kind in kinds)
    return PublishedReader([reading]).find_range(shares)


def count_withheld(reading: Reading) -> int:
    return sum(number is None for number in reading.numbers.values())


def test_an_alias_beside_its_parts_does_not_give_away_one_of_them() -> None:
    _, reading, kinds = publish(
        {"facebook": 28, "fb": 2, "facebook and fb": 6, "neither": 20},
        [
            "{kind: keywords, keywords: [{term: Facebook, aliases: [FB]}]}",
            "{kind: overlap, keywords: [Facebook, FB]}",
        ],
    )
    assert find_range(reading, kinds, "fb").width >= 5
    assert find_range(reading, kinds, "fb", "facebook and fb").width >= 5


def test_an_alias_and_its_parts_are_printed_if_all_are_large() -> None:
    _, reading, _ = publish(
        {"facebook": 28, "fb": 22, "facebook and fb": 16, "neither": 20},
        [
            "{kind: keywords, keywords: [{term: Facebook, aliases: [FB]}]}",
            "{kind: overlap, keywords: [Facebook, FB]}",
        ],
    )
    assert count_withheld(reading) == 0


def test_a_term_with_another_beside_the_term_alone() -> None:
    _, reading, kinds = publish(
        {"alpha beta": 20, "alpha": 3, "neither": 40},
        ["{kind: keywords, keywords: [alpha, {term: alpha, with: [beta]}]}"],
    )
    assert find_range(reading, kinds, "alpha").width >= 5
    assert count_withheld(reading) > 0


def test_terms_of_the_scope_in_a_narrower_question() -> None:
    """In scope and not Snapchat is Facebook."""
    kinds = combine(text=["facebook", "snapchat", "facebook and snapchat"], outcome=[1, 2])
    request = asking(
        ["{kind: keywords, keywords: [Snapchat], within: {where: {outcome: ['1']}}}"],
        f"{SCOPE}\nmentions: [Facebook, Snapchat]",
    )
    whole = answer(request, multiply(kinds, [9, 0, 0, 1, 0, 0]))
    shares = count_kinds(request, kinds)
    numbers = list_numbers(protect_answer(whole, Policy(*FIVE)).answer)
    perhaps_zero = list_perhaps_zero(shares, numbers)
    reader = PublishedReader([Reading(shares, numbers, FIVE, 1, perhaps_zero)])
    assert reader.find_range(shares["scope, term 2"]).width >= 5


@pytest.mark.parametrize(
    ("questions", "texts", "small"),
    [
        (
            ["{kind: keywords, keywords: [Xbox, Xbox live]}"],
            {"xbox live": 20, "xbox": 3, "neither": 40},
            ["xbox"],
        ),
        (
            [
                "{kind: keywords, keywords: [alpha, {term: alpha, with: [{term: beta, within: 2}]}]}",
            ],
            {"alpha beta": 20, "alpha and then some more beta": 3, "neither": 40},
            ["alpha and then some more beta"],
        ),
        (
            [
                "{kind: keywords, keywords: [{term: alpha, with: [beta]}]}",
                "{kind: keywords, keywords: [{term: alpha, with: [{term: beta, within: 2}]}]}",
            ],
            {"alpha beta": 20, "alpha and then some more beta": 3, "neither": 40},
            ["alpha and then some more beta"],
        ),
        (
            [
                "{kind: keywords, keywords: [live stream]}",
                "{kind: keywords, keywords: [{term: live stream, variants: none}]}",
            ],
            {"live stream": 20, "livestream": 3, "neither": 40},
            ["livestream"],
        ),
        (
            [
                "{kind: keywords, keywords: [{term: alpha, aliases: [beta]}]}",
                "{kind: keywords, keywords: [{term: alpha, aliases: [beta, gamma]}]}",
            ],
            {"alpha": 20, "gamma": 3, "alpha gamma": 5, "neither": 40},
            ["gamma"],
        ),
    ],
    ids=["phrase", "near", "near beside with", "exact", "more aliases"],
)
def test_a_term_within_another_leaves_no_small_rest(
    questions: list[str], texts: dict[str, int], small: list[str]
) -> None:
    _, reading, kinds = publish(texts, questions)
    assert find_range(reading, kinds, *small).width >= 5


def test_two_names_of_one_population_are_one_number() -> None:
    """An alias counts what any of two terms count, and a required term what both do."""
    published, _, _ = publish(
        {"alpha": 7, "beta": 8, "alpha beta": 9, "neither": 40},
        [
            "{kind: keywords, keywords: [{term: alpha, aliases: [beta]}]}",
            "{kind: keywords, keywords: [{term: alpha, with: [beta]}]}",
            "{kind: overlap, keywords: [alpha, beta]}",
        ],
    )
    by_location = {cell.location: cell.population for cell in list_printed_cells(published)}
    assert by_location["Q1, alpha, Offences"] == by_location["Q3, Any of these, Offences"]
    assert (
        by_location['Q2, alpha (with "beta"), Offences']
        == by_location["Q3, All of these, Offences"]
    )


# Whatever a question can say about terms has its relation.

ALPHA, BETA, GAMMA = (to_mention(term).condition for term in ("alpha", "beta", "gamma"))

NAMES = frozenset().union(*(entry.terms for entry in (ALPHA, BETA, GAMMA)))  # type: ignore[attr-defined]


def list_condition_kinds(kind: type[TermsCondition] = TermsCondition) -> list[type[TermsCondition]]:
    return [
        kind for direct in kind.__subclasses__() for kind in (direct, *list_condition_kinds(direct))
    ]


def make_condition(kind: type[TermsCondition]) -> TermsCondition:
    """A condition of a kind on three terms; its other fields are 1."""
    others = {field.name: 1 for field in msgspec.structs.fields(kind) if field.name != "terms"}
    return kind(NAMES, **others)


@pytest.mark.parametrize("kind", list_condition_kinds())
@pytest.mark.parametrize("negated", [False, True], ids=["met", "not met"])
def test_every_kind_of_condition_on_terms_is_the_sum_of_its_pieces(
    kind: type[TermsCondition], *, negated: bool
) -> None:
    condition = make_condition(kind)
    number = make_population("offences", [Not(condition) if negated else condition])
    system = build_system(
        [number, *(make_population("offences", [term]) for term in (ALPHA, BETA, GAMMA))], []
    )
    sums = [entry for entry in system.constraints if (number, -1) in entry.terms and entry.low == 0]
    assert any(entry.high == 0 and len(entry.terms) > 1 for entry in sums)


def test_a_kind_of_condition_on_terms_without_a_relation_is_an_error() -> None:
    class Novel(TermsCondition, frozen=True):
        name = "novel"

    with pytest.raises(NotImplementedError):
        evaluate_terms(Novel(NAMES), {})


#: For each key of a term, one with it, and one that counts what it counts and more.
KEYS: dict[str, tuple[Wording, Wording]] = {
    "term": ("Xbox live", "Xbox"),
    "variants": (TermSpec("live stream", variants="none"), "live stream"),
    "aliases": ("alpha", TermSpec("alpha", aliases=("beta",))),
    "cooccurrences": (TermSpec("alpha", cooccurrences=("beta",)), "beta"),
    "openings": (
        TermSpec("Xbox live", openings={"Xbox live": ("X box live",)}),
        TermSpec("Xbox", openings={"Xbox": ("X box",)}),
    ),
}

REQUIRED_KEYS: dict[str, tuple[Wording, Wording]] = {
    "term": (TermSpec("alpha", cooccurrences=(CooccurrenceSpec("beta"),)), "beta"),
    "max_distance": (
        TermSpec("alpha", cooccurrences=(CooccurrenceSpec("beta", 3),)),
        TermSpec("beta", cooccurrences=(CooccurrenceSpec("alpha", 5),)),
    ),
}


def count_mentions(wording: Wording) -> Population:
    return make_population("offences", [to_mention(wording).condition])


@pytest.mark.parametrize(
    ("narrow", "wide"), [*KEYS.values(), *REQUIRED_KEYS.values()], ids=[*KEYS, *REQUIRED_KEYS]
)
def test_what_a_key_of_a_term_says_of_other_terms_is_known(narrow: Wording, wide: Wording) -> None:
    pair = (count_mentions(narrow), count_mentions(wide))
    assert [*find_nested_pairs(pair)] == [pair]


def test_every_key_of_a_term_has_such_an_example() -> None:
    assert KEYS.keys() == {field.name for field in msgspec.structs.fields(TermSpec)}
    assert REQUIRED_KEYS.keys() == {
        field.name for field in msgspec.structs.fields(CooccurrenceSpec)
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("live stream", "Live-Stream"),
        (TermSpec("alpha", aliases=("beta",)), TermSpec("beta", aliases=("alpha",))),
        (TermSpec("alpha", cooccurrences=("beta",)), TermSpec("beta", cooccurrences=("alpha",))),
        (
            TermSpec("alpha", cooccurrences=(CooccurrenceSpec("beta", 3),)),
            TermSpec("beta", cooccurrences=(CooccurrenceSpec("alpha", 3), "alpha")),
        ),
    ],
)
def test_two_ways_to_write_a_term_are_one_population(first: Wording, second: Wording) -> None:
    assert count_mentions(first) == count_mentions(second)


def test_many_terms_are_compared_in_groups_that_are_made_of_each_other() -> None:
    terms = [to_mention(f"term{number}").condition for number in range(30)]
    both = frozenset({terms[0], terms[1]})
    everything = AnyTermCondition(frozenset().union(*(term.terms for term in terms)))  # type: ignore[attr-defined]
    sets = frozenset({both, *(frozenset({term}) for term in terms), frozenset({everything})})
    partitions = partition_terms(sets)
    assert [len(parts) for parts in partitions[both]] == [1]
    assert [len(parts) for parts in partitions[frozenset({terms[0]})]] == [2]
    assert [len(parts) for parts in partitions[frozenset({everything})]] == [4]
    assert partitions[frozenset({terms[5]})] == ()


def test_a_term_with_aliases_that_an_earlier_version_released_is_known(tmp_path: Path) -> None:
    """Its name there does not say what it is made of."""
    alias = TermSpec("live stream", aliases=("beta",))
    question = "{kind: keywords, keywords: [{term: live stream, aliases: [beta]}]}"
    kinds = combine(text=["live stream", "beta", ""], recorded_on=["2016-05-05", "2017-05-05"])
    records = multiply(kinds, [20, 0, 6, 3, 40, 40])
    ledger = tmp_path / "releases.jsonl"
    publish_release(answer(asking([question], SCOPE), records), Policy(*FIVE), ledger)
    name, *_ = to_mention(alias).condition.terms  # type: ignore[attr-defined]
    names_in_line = format_formula(parse_formula(name)).replace(" + ", "|")
    line = ledger.read_text().replace(names_in_line, f"livestream~{read_digest(name)}")
    assert "|" not in line
    ledger.write_text(line)
    one_year = answer(asking([question], "period: 2016/17"), records)
    with pytest.raises(DisclosureError, match="earlier"):
        publish_release(one_year, Policy(*FIVE), ledger)


def test_a_phrase_that_is_written_in_one_word_is_no_contradiction() -> None:
    """More mention "Xbox live" than "Xbox": a reader supposes nothing that the numbers rule out."""
    _, reading, _ = publish(
        {"xboxlive": 30, "xbox": 20, "neither": 40},
        ["{kind: keywords, keywords: [Xbox, Xbox live]}"],
    )
    assert count_withheld(reading) == 0
