"""The words around a mention: found where the server finds a record, and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.config.model import IndexSettings
from indexer.errors import RequestError
from indexer.index.generations import discard_generation, find_live_name
from indexer.jobs.refresh import load_files
from indexer.records.narrative import SegmentedNarrative
from queries.evidence.hits import iter_hits
from queries.evidence.locate import locate_scope
from queries.matching.highlight import NARRATIVE_FIELDS, find_term_matches, narrative_from_source
from queries.request.adhoc import build_adhoc_request
from tests.support.examples import examples
from tests.support.narratives import REAL, TERMS
from tests.support.server import SILENT

WORDS = [
    "live", "stream", "livestream", "li", "ve", "s", "what", "what's", "app", "Live", "STREAM", "ly", "x",
    "box", "3", "o'brien", "\u00e9t\u00e9", "\u6771\u4eac", "\u6771", "\u3072\u3089", "\u30ab\u30bf", "\u0e44\u0e17\u0e22", "\ud55c\uad6d", "\u0130x", "stra\u00dfe",
    "e\u0301", "\u2776",
]  # fmt: skip

JOINTS = [
    " ", "-", "", ".", ". ", "/", "'", "'s ", "'s", "\u2019s ", "\u2013", "\n", "\n\n", "_", "&", ", ", " \u2013 ",
    "\u00ad", "\x0c", "\u00b4", "'s.", " '",
]  # fmt: skip

piece = st.builds(str.__add__, st.sampled_from(WORDS), st.sampled_from(JOINTS))

texts = st.lists(piece, max_size=6).map("".join)

narratives = st.lists(st.lists(texts, max_size=3), min_size=1, max_size=30)

asked = st.lists(st.lists(piece, min_size=1, max_size=3).map("".join), min_size=1, max_size=8)

ALWAYS = ["live stream", "what's app", "whatsapp", "xbox", "live.ly", "s's", "x's box", "\u6771"]


def held(client: Elasticsearch, alias: str) -> dict[str, SegmentedNarrative]:
    """The narratives as the index holds them."""
    hits = client.search(index=alias, size=10_000, source_includes=list(NARRATIVE_FIELDS))["hits"][
        "hits"
    ]
    return {hit["_id"]: narrative_from_source(hit["_source"]) for hit in hits}


def agree(
    client: Elasticsearch, alias: str, narratives: dict[str, SegmentedNarrative], term: str
) -> int:
    """Check that context and server have the same records; how many they have."""
    scope = build_adhoc_request([term]).scope
    (mention,) = scope.mentions
    right = {hit.crime_ref for hit in iter_hits(client, alias, locate_scope(scope))}
    mine = {ref for ref, one in narratives.items() if find_term_matches(one, mention.term)}
    assert mine == right, (term, {ref: narratives[ref] for ref in mine ^ right})
    return len(mine)


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(narratives, asked)
def test_a_record_matches_if_and_only_if_its_context_is_found(
    client: Elasticsearch,
    index: IndexSettings,
    tmp_path: Path,
    written: list[list[str]],
    wanted: list[str],
) -> None:
    path = tmp_path / "generated.jsonl"
    records = [
        {"crime_ref": f"R{number}", "recorded_on": "2020-06-01", "offence_code": "8N", "narrative": one}
        for number, one in enumerate(written)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    before = find_live_name(client, index.alias)
    load_files(client, index, [path], tmp_path, SILENT)
    if before:
        discard_generation(client, index.alias, before)
    narratives = held(client, index.alias)
    for term in (*wanted, *ALWAYS):
        try:
            agree(client, index.alias, narratives, term)
        except RequestError:
            continue


def test_real_text_has_its_contexts(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    if not REAL.is_file():
        pytest.skip(f"the real text is not here: {REAL.parent.name}/{REAL.name}")
    lines = REAL.read_text("utf-8").splitlines()[:5_000]
    load(
        [
            {"crime_ref": row["id"], "recorded_on": "2020-06-01", "offence_code": "8N", "narrative": row["text"]}
            for row in map(json.loads, lines)
        ]
    )  # fmt: skip
    narratives = held(client, index.alias)
    found = 0
    for term in TERMS:
        try:
            found += agree(client, index.alias, narratives, term) > 0
        except RequestError:
            continue
    assert found > 15
