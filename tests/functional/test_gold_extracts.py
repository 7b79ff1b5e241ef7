"""Extracts as analysts get them, from the file to the answer: inspect, decide, refresh, count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import tomlkit

from tests.support.command_line import CommandLine
from tests.support.gold import ANSWERS, EXTRACTS, answer_questions, needs_extracts, read_gold

pytestmark = needs_extracts


def read_json(foidex: CommandLine, *arguments: object) -> Any:
    outcome = foidex(*arguments, "--format", "json")
    assert outcome.code == 0, outcome.err
    return msgspec.json.decode(outcome.out)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_extract_gives_its_gold_counts(name: str, foidex: CommandLine) -> None:
    config = foidex.folder / "foidex.toml"
    assert foidex("inspect", EXTRACTS / name, "--write").code == 0
    answer_questions(config, ANSWERS[name])
    gold = read_gold(name)
    document: Any = tomlkit.parse(config.read_text(encoding="utf-8"))
    document["refresh"] = {"max_rejects": len(gold["bad_rows"]), "report": "report.json"}
    config.write_text(tomlkit.dumps(document), encoding="utf-8")
    refreshed = foidex("refresh", FOIDEX_CONFIG=str(config))
    assert refreshed.code == 0, refreshed.err
    generation = read_report(foidex)
    assert generation["records"] == gold["records"]
    assert generation["rejected"] == len(gold["bad_rows"])
    assert generation["read"] == sum(generation[key] for key in ("indexed", "rejected", "skipped"))
    terms = {term: read_json(foidex, "count", term)["records"] for term in gold["counts"]}
    assert terms == gold["counts"]


def read_report(foidex: CommandLine) -> dict[str, Any]:
    (path,) = (
        path
        for folder in (foidex.folder, Path(foidex.environment["FOIDEX_HOME"]))
        if (path := folder / "report.json").exists()
    )
    generation: dict[str, Any] = msgspec.json.decode(path.read_bytes())["generation"]
    return generation
