"""Wordings that differ only by hyphens and spaces: each counts the records in which any is written.

The exceptions are those that the rule states, and no others. They are written here gap by gap, apart
from foidex and from the oracle: a gap is the place between two letters of the term in one word.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.config.model import IndexSettings
from indexer.index.generations import discard_generation, find_live_name
from indexer.jobs.refresh import load_files
from queries.matching.term import build_term_query, parse_term
from tests.support.examples import examples
from tests.support.narratives import REAL, as_records
from tests.support.oracle import mentions, prepared, variants
from tests.support.server import SILENT

Parts = tuple[str, ...]

SOFT = r"[\s\-\u2010-\u2015\u2212]+"

WORD = re.compile(r"[^\W_]+(?:'[^\W\d_]+)*")

PLAIN = re.compile("[a-z]+")

SEED = 20180703


def gaps(parts: Parts) -> set[int]:
    return {*itertools.accumulate(map(len, parts[:-1]))}


def is_counted(term: Parts, written: Parts) -> bool:
    """Whether a term counts another wording of it: unless that must be opened more than once, or
    into a part of one letter. In one word it may be opened twice, into parts of three letters."""
    opened = gaps(written) - gaps(term)
    if len(opened) > 1:
        return len(written) == 3 and min(map(len, written)) >= 3
    ends = sorted({0, *gaps(written), sum(map(len, written))})
    beside = [(ends[n], ends[n + 1]) for n in range(len(ends) - 1) if opened & {*ends[n : n + 2]}]
    return all(end - start >= 2 for start, end in beside)


def every_wording(closed: str, most: int) -> Iterator[Parts]:
    """A word with up to so many parts, opened everywhere."""
    for count in range(min(most, len(closed))):
        for cuts in itertools.combinations(range(1, len(closed)), count):
            yield tuple(closed[a:b] for a, b in itertools.pairwise((0, *cuts, len(closed))))


def joinings(parts: Parts) -> set[Parts]:
    own = sorted(gaps(parts))
    kept = itertools.chain.from_iterable(
        itertools.combinations(own, count) for count in range(len(own) + 1)
    )
    whole = "".join(parts)
    return {
        tuple(whole[a:b] for a, b in itertools.pairwise((0, *cuts, len(whole)))) for cuts in kept
    }


def count_all(client: Elasticsearch, index: str, terms: list[Parts]) -> dict[Parts, set[str]]:
    """The references of the records of each term, many terms a search."""
    found: dict[Parts, set[str]] = {}
    inside = {"refs": {"terms": {"field": "crime_ref", "size": 10_000}}}
    for start in range(0, len(terms), 100):
        some = terms[start : start + 100]
        queries = [build_term_query(parse_term("-".join(term))).to_dict() for term in some]
        filters = {str(number): query for number, query in enumerate(queries)}
        asked = {"all": {"filters": {"filters": filters}, "aggs": inside}}
        buckets = client.search(index=index, size=0, aggs=asked)["aggregations"]["all"]["buckets"]
        for number, term in enumerate(some):
            found[term] = {one["key"] for one in buckets[str(number)]["refs"]["buckets"]}
    return found


closed_words = st.text("abcd", min_size=2, max_size=7)

joints = st.sampled_from([" ", "-", " - ", "\u2013", "\n", " \u0301", "-\u0308"])


@settings(max_examples=examples(10), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(closed_words, joints, st.randoms(use_true_random=False))
def test_a_wording_counts_every_other_but_for_the_exceptions_that_are_stated(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path, closed: str, joint: str, rng: random.Random
) -> None:  # fmt: skip
    """Of one word, each opening is a record; each term of up to four parts counts as stated."""
    written = dict(enumerate(every_wording(closed, len(closed))))
    texts = {f"R{number}": f"It was {joint.join(parts)}." for number, parts in written.items()}
    path = tmp_path / "generated.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in as_records(texts)), "utf-8")
    before = find_live_name(client, index.alias)
    load_files(client, index, [path], tmp_path, SILENT)
    if before:
        discard_generation(client, index.alias, before)
    every = [*every_wording(closed, 4)]
    terms = rng.sample(every, min(len(every), 40))
    found = count_all(client, index.alias, terms)
    for term in terms:
        forms = variants(" ".join(term))
        assert found[term] == {ref for ref, text in texts.items() if mentions(text, forms)}, term
        stated = {f"R{number}" for number, parts in written.items() if is_counted(term, parts)}
        assert found[term] == stated, term


def iter_runs(text: str) -> Iterator[list[str]]:
    """The words of a text that only spaces and dashes separate, run by run."""
    words: list[str] = []
    end = 0
    plain = prepared(text)
    for token in WORD.finditer(plain):
        if not re.fullmatch(SOFT, plain[end : token.start()]):
            yield words
            words = []
        end = token.end()
        words.append(token[0].removesuffix("'s"))
        if token[0].endswith("'s"):
            yield words
            words = []
    yield words


def mine_wordings(texts: dict[str, str]) -> dict[str, dict[Parts, set[str]]]:
    """By the letters of up to four words in a row: each way a text writes them, and where."""
    wordings: dict[str, dict[Parts, set[str]]] = defaultdict(lambda: defaultdict(set))
    for reference, text in texts.items():
        for words in iter_runs(text):
            for first, size in itertools.product(range(len(words)), (1, 2, 3, 4)):
                parts = tuple(words[first : first + size])
                closed = "".join(parts)
                if len(parts) == size and 4 <= len(closed) <= 24 and PLAIN.fullmatch(closed):
                    wordings[closed][parts].add(reference)
    return wordings


def test_every_pair_of_wordings_of_real_text_counts_the_same(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    """Two words and three in a row, all that the text also writes otherwise among them, and their
    joinings; a pair differs only where the text has a wording from which one of them is apart."""
    if not REAL.is_file():
        pytest.skip(f"the real text is not here: {REAL.parent.name}/{REAL.name}")
    rows = map(json.loads, REAL.read_text("utf-8").splitlines())
    texts = {row["id"]: row["text"] for row in rows}
    load(as_records(texts))
    wordings = mine_wordings(texts)
    several = sorted(closed for closed, some in wordings.items() if len(some) > 1)
    others = sorted(closed for closed, some in wordings.items() if max(map(len, some)) in (2, 3))
    pairs = 0
    for closed in [*several, *random.Random(SEED).sample(others, 400)]:
        some = wordings[closed]
        natural = [parts for parts in some if len(parts) < 4]
        terms = sorted({joined for parts in natural for joined in joinings(parts)})
        found = count_all(client, index.alias, terms)
        for term in terms:
            stated = [refs for parts, refs in some.items() if is_counted(term, parts)]
            assert found[term] == set().union(*stated), term
        for one, other in itertools.combinations(terms, 2):
            if is_counted(one, other) and is_counted(other, one):
                pairs += 1
                differing = found[one] ^ found[other]
                assert not differing & (some.get(one, set()) | some.get(other, set())), (one, other)
    assert len(several) > 70
    assert pairs > 1_000


def test_pickup_truck_counts_the_same_wherever_the_hyphen_is(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    texts = {
        "R1": "A pickup truck.",
        "R2": "A Pick-Up truck.",
        "R3": "A pick up\ntruck's door.",
        "R4": "A pickuptruck.",
        "R5": "A pick \u2013 uptruck.",
        "R6": "A p ick-up truck, a pick up. Truck.",
        "R7": "A pick-up tr-uck.",
        "R8": "An online chat.",
        "R9": "An on-line chat, on line chat.",
        "R10": "In chat on line.",
        "R11": "To get her there.",
        "R12": "Together there.",
    }
    load(as_records(texts))
    right = {
        ("pickup", "truck"): {"R1", "R2", "R3", "R4", "R5"},
        ("pick", "uptruck"): {"R1", "R2", "R3", "R4", "R5"},
        ("pick", "up", "truck"): {"R1", "R2", "R3", "R4", "R5", "R7"},
        ("pickuptruck",): {"R1", "R4", "R5"},
        ("online", "chat"): {"R8", "R9"},
        ("on", "line", "chat"): {"R8", "R9"},
        ("together",): {"R12"},
        ("to", "get", "her"): {"R11", "R12"},
    }
    assert count_all(client, index.alias, [*right]) == right
