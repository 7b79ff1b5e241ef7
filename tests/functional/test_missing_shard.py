"""A part of the index that no node holds: there is no number, only the reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.jobs.refresh import RefreshResult
from indexer.records.sample import generate_records
from tests.support.command_line import CommandLine

REQUEST = """\
reference: FOI/1
title: Live streaming
questions:
  - {id: a, kind: offences}
"""


@pytest.fixture
def half_there(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., RefreshResult]
) -> str:
    """The live generation in two shards, of which the server has no place for the second."""
    whole = load(generate_records(300)).generation.name
    half = f"{whole}-half"
    client.indices.split(
        index=whole,
        target=half,
        settings={"index.number_of_shards": 2, "index.routing.allocation.total_shards_per_node": 1},
        wait_for_active_shards="1",
    )
    client.indices.update_aliases(
        actions=[
            {"remove": {"index": whole, "alias": index.alias}},
            {"add": {"index": half, "alias": index.alias}},
        ]
    )
    return half


def test_without_every_shard_no_command_gives_a_number(
    half_there: str, client: Elasticsearch, foidex: CommandLine, tmp_path: Path
) -> None:
    shards = client.search(index=half_there, size=0).body["_shards"]
    assert shards["successful"] < shards["total"]  # what a careless client takes for an answer
    (tmp_path / "request.yaml").write_text(REQUEST)
    for arguments in (
        ("count", "live stream"),
        ("answer", "request.yaml", "--out", "answer"),
        ("find", "request.yaml"),
    ):
        outcome = foidex(*arguments, FOIDEX_RETRIES="0")
        assert outcome.code == 5, arguments
        assert not any(character.isdigit() for character in outcome.out), arguments
        assert "no node holds a part of the index" in outcome.err, arguments
    assert not [*tmp_path.glob("answer/*")]
    status = foidex("status", "--max-age", "26h", FOIDEX_RETRIES="0")
    assert status.code == 5  # or what watches it every hour stays green
    assert "no node holds a part of the index" in status.err
