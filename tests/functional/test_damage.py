"""Damaged text on a real server: counted when it is loaded, reported everywhere, repaired if asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from elasticsearch import Elasticsearch

from indexer.config.model import IndexSettings
from indexer.index.generations import build_index_meta, read_live_generation
from indexer.index.mapping import ADDED_FIELDS, load_index_schema
from indexer.records.damage.cut_texts import CutTexts
from indexer.records.damage.kinds import TextDamage
from tests.support.command_line import CommandLine
from tests.support.findings import list_findings, sole_finding
from tests.support.index_content import write_records

TEXTS = {
    "A1": "A live\x96stream was seen.",
    "A2": "The live â€“ stream ended.",
    "A3": "The live&nbsp;stream ended.",
    "A4": "The live_x000D_\nstream ended.",
    "A5": "The live<b> </b>stream ended.",
    "A0": r"{\rtf1\ansi A live\par stream.}",
    "A6": "The caller saw it on\u200bTikTok.",
    "A8": r"Seen.\nLive\r\nstream.",
    "A7": "A live \ufffd stream &amp; more.",
    "B1": "A live stream – as people write it, <3, at AT&T.",
    "B2": "Nothing of note.",
}

RECORDS = [
    {"crime_ref": ref, "recorded_on": "2019-06-01", "offence_code": "22B", "narrative": text}
    for ref, text in TEXTS.items()
]

REQUEST = """\
reference: FOI/1
title: Live streams
period: {from: 2019-05-01, to: 2019-12-31}
offences: [{label: Some offence, codes: ["22B"]}]
questions:
  - {id: Q1, kind: keywords, keywords: [live stream, TikTok]}
"""

KINDS = {
    "control": 1, "mojibake": 1, "html": 3, "rtf": 1, "spreadsheet": 1, "escape": 1,
    "replacement": 1, "invisible": 1,
}  # fmt: skip

EVERY = '["control", "mojibake", "html", "rtf", "spreadsheet", "escape", "invisible"]'

FOUND = (
    "The text of 9 of 11 records is damaged, and a term in it may not be found: control characters "
    "(1), characters decoded twice (1), HTML tags or entities (3), RTF codes (1), "
    "spreadsheet escapes (1), escapes of JSON, SQL or mail (1), replacement characters or "
    "spreadsheet errors (1), invisible characters inside words (1)."
)


def write_config(folder: Path, repair: str = "[]") -> dict[str, str]:
    """A configuration of a source of the records, with a report and metrics."""
    write_records(folder / "records.jsonl", RECORDS)
    config = folder / "foidex.toml"
    config.write_text(
        f'[source]\npaths = ["records.jsonl"]\nrepair = {repair}\n'
        '[refresh]\nreport = "report.json"\nmetrics = "foidex.prom"\n'
    )
    return {"FOIDEX_CONFIG": str(config)}


def count(foidex: CommandLine, term: str) -> int:
    answer = msgspec.json.decode(foidex("count", term, "--format", "json").out)
    return int(answer["records"])


def test_damage_is_counted_by_kind_and_each_report_says_so(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    configured = write_config(tmp_path)
    checked = foidex("refresh", "--check", **configured)
    assert FOUND in checked.out
    refreshed = foidex("refresh", **configured)
    assert refreshed.code == 0
    assert FOUND in refreshed.out
    assert (
        'set repair = ["control", "mojibake", "html", "rtf", "spreadsheet", "escape", "invisible"]'
        in refreshed.out
    )
    damage = read_live_generation(client, index.alias).damage
    assert damage == TextDamage(damaged=9, kinds=KINDS)
    report = msgspec.json.decode(
        Path(foidex.environment["FOIDEX_HOME"], "report.json").read_bytes()
    )
    assert report["generation"]["damage"] == {"damaged": 9, "kinds": KINDS}
    metrics = Path(foidex.environment["FOIDEX_HOME"], "foidex.prom").read_text().splitlines()
    label = f'alias="{index.alias}"'
    assert f"foidex_refresh_damaged_records{{{label}}} 9.0" in metrics
    assert f'foidex_refresh_damaged_records_by_kind{{{label},kind="html"}} 3.0' in metrics
    assert f'foidex_refresh_repaired_records_by_kind{{{label},kind="html"}} 0.0' in metrics


def test_nothing_is_repaired_unless_it_is_named_and_what_is_named_counts(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    assert foidex("refresh", **write_config(tmp_path)).code == 0
    assert (count(foidex, "live stream"), count(foidex, "TikTok")) == (1, 0)
    refreshed = foidex("refresh", **write_config(tmp_path, EVERY))
    assert "Damaged text was repaired in 9 of 11 records: control characters (1)" in refreshed.out
    assert "The text of 1 of 11 records is damaged" in refreshed.out
    assert "what was lost cannot be repaired" in refreshed.out
    assert (count(foidex, "live stream"), count(foidex, "TikTok")) == (8, 1)
    assert read_live_generation(client, index.alias).damage == TextDamage(
        ("control", "mojibake", "html", "rtf", "spreadsheet", "escape", "invisible"),
        1,
        {"replacement": 1},
        9,
        {kind: number for kind, number in KINDS.items() if kind != "replacement"},
    )
    # A load repairs as the refresh does.
    loaded = foidex("load", tmp_path / "records.jsonl", **write_config(tmp_path, '["html"]'))
    assert "Damaged text was repaired in 3 of 11 records: HTML tags or entities (3)." in loaded.out
    assert count(foidex, "live stream") == 3


def test_an_increment_counts_the_damage_of_the_whole_generation(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    configured = write_config(tmp_path)
    assert foidex("refresh", **configured).code == 0
    changed = {**RECORDS[0], "narrative": "A live stream was seen."}
    new = {**RECORDS[0], "crime_ref": "C1", "narrative": "it&#39;s new"}
    write_records(tmp_path / "records.jsonl", [changed, new])
    assert foidex("refresh", "--incremental", **configured).code == 0
    live = read_live_generation(client, index.alias)
    assert live.damage == TextDamage(
        damaged=9, kinds={**{k: n for k, n in KINDS.items() if k != "control"}, "html": 4}
    )
    # A changed repair would leave the records that are not read again as they are.
    refused = foidex("refresh", "--incremental", **write_config(tmp_path, EVERY))
    assert refused.code == 4
    assert "was built with another repair in [source]" in refused.message
    assert read_live_generation(client, index.alias) == live


def test_the_doctor_says_what_is_damaged_and_what_to_do(
    foidex: CommandLine, load: Callable[..., Any]
) -> None:
    load(RECORDS[-2:])
    assert sole_finding(list_findings(foidex), "text") == (
        "ok",
        "no record has damaged text. ",
    )
    load([RECORDS[0], *RECORDS[-2:]])
    assert sole_finding(list_findings(foidex), "text") == (
        "warning",
        "the text of 1 of 3 records is damaged, and a term in it may not be found: control "
        'characters (1). Correct the export of the records, or set repair = ["control"] in '
        "[source] of foidex.toml and load them all again.",
    )


def test_lint_counts_the_damaged_records_of_the_request_by_kind(
    foidex: CommandLine, load: Callable[..., Any], tmp_path: Path
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(REQUEST)
    outside = {**RECORDS[0], "crime_ref": "X1", "recorded_on": "2018-01-01"}
    other = {**RECORDS[2], "crime_ref": "X2", "offence_code": "8N"}
    cancelled = {**RECORDS[1], "crime_ref": "X3", "status": "cancelled"}
    load([*RECORDS, outside, other, cancelled])
    told = " ".join(foidex("lint", request).out.split())
    assert (
        "Records with damaged text among these: 9. A term in it may not be counted: control "
        "characters (1), characters decoded twice (1), HTML tags or entities (3)," in told
    )
    report = msgspec.json.decode(foidex("lint", request, "--format", "json").out)
    assert report["wording"]["damage"] == {"records": 9, "kinds": KINDS}
    load(RECORDS[-2:])
    assert "damaged text" not in foidex("lint", request).out
    report = msgspec.json.decode(foidex("lint", request, "--format", "json").out)
    assert report["wording"]["damage"] == {"records": 0, "kinds": {}}


def test_a_count_says_how_many_records_in_scope_are_damaged(
    foidex: CommandLine, load: Callable[..., Any]
) -> None:
    outside = {**RECORDS[0], "crime_ref": "X1", "recorded_on": "2018-01-01"}
    cancelled = {**RECORDS[1], "crime_ref": "X3", "status": "cancelled"}
    load([*RECORDS, outside, cancelled])
    asked = ("count", "live stream", "--from", "2019-05-01", "--to", "2019-12-31")
    counted = msgspec.json.decode(foidex(*asked, "--format", "json").out)
    assert counted["damage"] == {"records": 9, "kinds": KINDS}
    for form in ("table", "csv"):
        outcome = foidex(*asked, "--format", form)
        assert "damaged" not in outcome.out
        (note,) = [line for line in outcome.err.splitlines() if "damaged" in line]
        assert note.startswith("Records with damaged text among these: 9. A term in it may not be")
    load(RECORDS[-2:])
    assert "damaged" not in foidex(*asked).err
    counted = msgspec.json.decode(foidex(*asked, "--format", "json").out)
    assert counted["damage"] == {"records": 0, "kinds": {}}


def test_records_without_any_text_are_reported_everywhere(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    """Of a month of them, "none mentions it" would be a number that means nothing."""
    config = write_config(tmp_path)
    texts: dict[int, Any] = {10: "", 11: [], 12: " -\u00a0"}
    silent = [
        {**RECORDS[0], "crime_ref": f"N{day}", "recorded_on": f"2019-07-{day}", "narrative": text}
        for day, text in texts.items()
    ]
    gone = {**RECORDS[0], "crime_ref": "N9", "narrative": "", "status": "cancelled"}
    write_records(tmp_path / "records.jsonl", [*RECORDS[-2:], *silent, gone])
    missing = "4 of 6 records have no text, so no term is found in them."
    assert missing in foidex("refresh", "--check", **config).out
    refreshed = foidex("refresh", **config)
    assert refreshed.code == 0, refreshed.err
    assert missing in refreshed.out
    live = read_live_generation(client, index.alias)
    assert live.damage == TextDamage(without_text=4)
    assert live.coverage
    assert live.coverage.textless_months == (date(2019, 7, 1),)
    metrics = Path(foidex.environment["FOIDEX_HOME"], "foidex.prom").read_text()
    assert f'foidex_refresh_records_without_text{{alias="{index.alias}"}} 4.0' in metrics
    assert missing in foidex("doctor").out
    request = tmp_path / "request.yaml"
    request.write_text(REQUEST)
    in_scope = "Records without any text among these: 3, in which no term is counted."
    month = "No record of July 2019 has any text, so no term can be found there."
    linted = " ".join(foidex("lint", request).out.split())
    assert in_scope in linted
    assert month in linted
    assert in_scope in foidex("count", "live stream").err
    answered = foidex("answer", request)
    assert missing in " ".join(answered.err.split())
    assert f"{month} Check that the source is complete. A 0 there says nothing" in answered.err
    report = " ".join(answered.out.split())
    assert month in report
    assert "4 of the 6 records have no text, so no word is counted in them." in report
    request.write_text(
        REQUEST.split("  - {id", maxsplit=1)[0] + "  - {id: Q1, kind: by, by: month}\n"
    )
    answered = foidex("answer", request)
    assert "no text" not in answered.err
    assert month not in " ".join(answered.out.split())


def test_an_answer_says_what_was_repaired_and_what_is_damaged(
    foidex: CommandLine, tmp_path: Path
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(REQUEST)
    assert foidex("refresh", **write_config(tmp_path, EVERY)).code == 0
    answer = msgspec.json.decode(foidex("answer", request, "--format", "json").out)
    assert answer["provenance"]["damage"] == {
        "repair": ["control", "mojibake", "html", "rtf", "spreadsheet", "escape", "invisible"],
        "damaged": 1,
        "kinds": {"replacement": 1},
        "repaired": 9,
        "repaired_kinds": {kind: n for kind, n in KINDS.items() if kind != "replacement"},
    }
    repaired = (
        "Damaged text was repaired before counting in 9 of the 11 records: control characters, "
        "characters decoded twice, HTML tags or entities, RTF codes, spreadsheet escapes, escapes of "
        "JSON, SQL or mail, invisible characters inside words."
    )
    damaged = (
        "Text is damaged in 1 of the 11 records, so a word in it may not be counted: replacement "
        "characters or spreadsheet errors."
    )
    report = " ".join(foidex("answer", request).out.split())
    assert repaired in report
    assert damaged in report
    written = foidex("answer", request, "--out", tmp_path / "documents")
    assert written.code == 0, written.err
    page = (tmp_path / "documents" / "FOI-1.report.html").read_text()
    text = " ".join(page.split())
    assert repaired in text
    assert damaged in text


def test_texts_that_are_cut_off_are_reported_everywhere(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings, tmp_path: Path
) -> None:
    configured = write_config(tmp_path)
    texts = [f"{'The live stream was seen. ' * 9}{number} and then it en" for number in range(10)]
    records = [
        {**RECORDS[0], "crime_ref": f"D{number}", "narrative": text}
        for number, text in enumerate(texts)
    ]
    write_records(tmp_path / "records.jsonl", [*RECORDS[-2:], *records])
    words = "10 texts end at exactly 250 characters, in the middle of a sentence"
    assert words in foidex("refresh", "--check", **configured).out
    assert words in foidex("refresh", **configured).out
    metrics = Path(foidex.environment["FOIDEX_HOME"], "foidex.prom").read_text()
    assert f'foidex_refresh_cut_texts{{alias="{index.alias}"}} 10.0' in metrics
    assert words in foidex("count", "TikTok").err
    request = tmp_path / "request.yaml"
    request.write_text(REQUEST)
    assert f"{words}, so" in " ".join(foidex("lint", request).out.split())
    said = "10 texts of the records end at exactly 250 characters, in the middle of a sentence"
    assert said in " ".join(foidex("answer", request).out.split())
    status, message = sole_finding(list_findings(foidex), "text")
    assert (status, words in message) == ("warning", True)
    # An increment reads few records, and a record that is forgotten changes no other.
    write_records(tmp_path / "records.jsonl", [{**RECORDS[0], "crime_ref": "E1"}])
    assert foidex("refresh", "--incremental", **configured).code == 0
    assert foidex("forget", "D1").code == 0
    damage = read_live_generation(client, index.alias).damage
    assert damage
    assert damage.cut == (CutTexts(250, 10),)


@pytest.mark.long
def test_a_forgotten_record_is_no_longer_counted_as_damaged(
    foidex: CommandLine, client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(RECORDS)
    assert foidex("forget", "A1").code == 0
    damage = read_live_generation(client, index.alias).damage
    assert damage == TextDamage(
        damaged=8, kinds={kind: number for kind, number in KINDS.items() if kind != "control"}
    )


@pytest.mark.parametrize("repair", ['["replacement"]', '["ftfy"]', '"html"'])
def test_a_repair_that_does_not_exist_is_refused(
    foidex: CommandLine, tmp_path: Path, repair: str
) -> None:
    refused = foidex("refresh", "--check", **write_config(tmp_path, repair))
    assert refused.code == 10
    assert "repair" in refused.message


def test_a_generation_of_the_version_before_is_counted_as_before(
    foidex: CommandLine,
    client: Elasticsearch,
    index: IndexSettings,
    load: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Its mapping has no field for damage, and its metadata does not count any."""
    schema = load_index_schema()
    fields = {
        name: mapping
        for name, mapping in schema.mappings["properties"].items()
        if name not in ADDED_FIELDS
    }
    older = msgspec.structs.replace(schema, mappings={**schema.mappings, "properties": fields})
    monkeypatch.setattr("indexer.jobs.refresh.load_index_schema", lambda: older)
    generation = load(RECORDS[-2:]).generation
    monkeypatch.undo()
    written = msgspec.structs.replace(generation, damage=None)
    client.indices.put_mapping(index=generation.name, meta=build_index_meta(written))
    assert read_live_generation(client, index.alias).damage is None
    assert count(foidex, "live stream") == 1
    level, message = sole_finding(list_findings(foidex), "text")
    assert level == "warning"
    assert "was built by an earlier foidex, which did not look for damaged text." in message
    (tmp_path / "request.yaml").write_text(REQUEST)
    assert "did not look for damaged text" in foidex("lint", tmp_path / "request.yaml").out
    answer = foidex("answer", tmp_path / "request.yaml", "--format", "json")
    assert "damage" not in msgspec.json.decode(answer.out)["provenance"]
