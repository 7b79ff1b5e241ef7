"""What terms say of each other, enumerated: of any three terms on two words, those that a reader
holds to be possible together are those that some text has together."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import combinations, product
from typing import Final, TypeAlias

import pytest

from queries.answer.condition import Condition
from queries.disclosure.attack.constraints import find_nested_pairs, make_population
from queries.disclosure.attack.term_pieces import partition_terms
from queries.spec.term_spec import CooccurrenceSpec, TermSpec, Wording, to_mention
from tests.support.fake_search import meets

ALPHA_BETA: Final = ("alpha", "beta", "alpha beta", "beta alpha", "alpha alpha", "beta alpha beta")

#: Every text of up to four words, and those with another word between two and two. A text of
#: several of them, far apart, has what any of them has.
PASSAGES: Final = [
    " ".join(words)
    for words in (
        *(
            words
            for length in range(5)
            for words in product(("alpha", "beta", "other"), repeat=length)
        ),
        *((*words[:2], "other", *words[2:]) for words in product(("alpha", "beta"), repeat=4)),
    )
]

Truths: TypeAlias = tuple[bool, ...]


def near(first: str, second: str, distance: int) -> TermSpec:
    return TermSpec(first, cooccurrences=(CooccurrenceSpec(second, distance),))


WORDINGS: Final[dict[str, Wording]] = {
    **{words: words for words in ALPHA_BETA},
    **{
        f"{first} {distance} {second}": near(first, second, distance)
        for first, second in combinations(ALPHA_BETA[:4], 2)
        for distance in (0, 1)
    },
    "alpha 2 beta": near("alpha", "beta", 2),
    "alpha 0 alpha": near("alpha", "alpha", 0),
    "alpha 1 alpha": near("alpha", "alpha", 1),
}


@cache
def name_condition(name: str) -> Condition:
    return to_mention(WORDINGS[name]).condition


@cache
def read_passages(name: str) -> Truths:
    """Which passages a term is found in, by the search that counts it."""
    query = to_mention(WORDINGS[name]).query().to_dict()
    return tuple(meets({"narrative": passage}, query) for passage in PASSAGES)


def list_realised(names: Iterable[str]) -> set[Truths]:
    """Which of some terms a text has together."""
    realised = {*zip(*map(read_passages, names), strict=True)}
    while True:
        joined = {
            tuple(map(max, first, second)) for first in realised for second in realised
        } - realised
        if not joined:
            return realised
        realised |= joined


def list_supposed(names: Iterable[str]) -> set[Truths]:
    """Which of some terms a reader supposes that a record may have together."""
    names = [*names]
    everything = frozenset[Condition]()
    sets = frozenset({everything, *(frozenset({name_condition(name)}) for name in names)})
    (pieces,) = partition_terms(sets)[everything]
    return {
        tuple(frozenset({name_condition(name)}) in piece.holders for name in names)
        for piece in pieces
    }


def compare_sets(names: Iterable[str]) -> tuple[set[Truths], set[Truths]]:
    """What a reader supposes that records may have together and do not, and the other way round."""
    names = [*names]
    supposed, realised = list_supposed(names), list_realised(names)
    return supposed - realised, realised - supposed


def test_what_three_terms_may_have_together_is_what_texts_have_together() -> None:
    differences = {chosen: compare_sets(chosen) for chosen in combinations(WORDINGS, 3)}
    assert len(differences) > 1_000
    assert {*map(str, differences.values())} == {"(set(), set())"}, {
        chosen: sets for chosen, sets in differences.items() if any(sets)
    }


@pytest.mark.parametrize(
    ("narrow", "wide"),
    [
        ("alpha beta", near("alpha", "beta", 0)),
        ("alpha of beta", near("alpha", "beta", 1)),
        ("alpha beta", near("beta", "alpha", 3)),
        (TermSpec("alpha beta", variants="none"), near("alpha", "beta", 0)),
        (TermSpec("gamma", aliases=("alpha beta",)), TermSpec("gamma", aliases=("alpha",))),
        (near("alpha beta", "gamma", 2), near("alpha", "gamma", 3)),
        (near("alpha beta", "gamma", 2), near("gamma", "beta", 3)),
        (near("alpha beta", "gamma", 2), near("alpha", "beta", 0)),
        (near("alpha beta", "gamma", 2), "beta"),
        ("xbox live stream", "livestream"),
        ("pickup truck", "pick up"),
    ],
    ids=str,
)
def test_a_phrase_or_a_distance_lies_within_what_its_words_say(
    narrow: Wording, wide: Wording
) -> None:
    pair = tuple(
        make_population("offences", [to_mention(wording).condition]) for wording in (narrow, wide)
    )
    assert [*find_nested_pairs(pair)] == [pair]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("alpha beta", near("alpha", "gamma", 0)),
        ("alpha of beta", near("alpha", "beta", 0)),
        (near("alpha beta", "gamma", 2), near("alpha", "gamma", 2)),
        (near("alpha", "beta", 1), "alpha beta"),
        ("alpha beta", TermSpec("alphabeta", variants="none")),
        ("together", "get her"),
    ],
    ids=str,
)
def test_what_no_text_says_is_not_supposed(first: Wording, second: Wording) -> None:
    pair = [
        make_population("offences", [to_mention(wording).condition]) for wording in (first, second)
    ]
    assert (pair[0], pair[1]) not in {*find_nested_pairs(pair)}
