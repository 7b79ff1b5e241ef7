"""The matching rule on a real server, against a naive reading of the same text."""

from __future__ import annotations

import json
import re
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
from queries.evidence.hits import iter_hits
from queries.evidence.locate import locate_scope
from queries.matching.term import parse_term
from queries.request.adhoc import build_adhoc_request
from queries.spec.term_book import load_default_term_book
from queries.tables.scope import Mention, Scope
from tests.support.examples import examples
from tests.support.narratives import REAL, TERMS, as_records
from tests.support.oracle import cleaned, mentions, spellings, variants
from tests.support.server import SILENT


def found(client: Elasticsearch, alias: str, term: str) -> set[str]:
    scope = Scope(mentions=(Mention(parse_term(term)),))
    return {hit.crime_ref for hit in iter_hits(client, alias, locate_scope(scope))}


def expected(texts: dict[str, str], term: str) -> set[str]:
    """What a naive scan of the text finds. Forms of one or two plain words are the oracle's own."""
    parsed = parse_term(term)
    forms = [" ".join(form) for form in parsed.forms]
    plain = cleaned(term).strip(" @#\"'.,;:!?")
    if re.fullmatch(r"\w+([ -]\w+)?", plain) and "_" not in plain:
        forms = variants(plain)
    return {reference for reference, text in texts.items() if mentions(text, forms)}


DECOYS = {
    "live stream": [
        ("a live stream was seen", True),
        ("a Live-Stream was seen", True),
        ("LIVESTREAM", True),
        ("live \u2013 stream", True),
        ("live\nstream", True),
        ("live -\r\n stream", True),
        ("li\u00advestream and live\u200b stream", True),
        ("\uff2c\uff49\uff56\uff45 stream", True),
        ("#livestream", True),
        ("the live stream's end", True),
        ("live stream.Then", True),
        ("livestreaming", False),
        ("livestreamed", False),
        ("live streams", False),
        ("alive stream", False),
        ("They live. Stream nearby", False),
        ("live/stream", False),
        ("live_stream", False),
        ("live.stream", False),
        ("'live' stream", False),
        ("live\n\nstream", False),
        ("livestream2", False),
        ("live\u00b4stream", False),
        ("live \u00a8stream", False),
        ("live \u2776 stream", False),
        ("live \u0301stream", True),
        ("\u0301live-\u0308 \u0301stream", True),
        ("live \u20dd stream", True),
        ("live.\u0301 stream", False),
        ("live\u0301 stream", False),
        ("live\U000e0101stre\U000e01efam", True),
        ("live \ufe7cstream", True),
    ],
    "Live.ly": [("on Live.ly", True), ("www.live.ly/x", True), ("Live.ly's", True), ("lively", False),
                ("live ly", False), ("to live. Ly", False)],
    "Musical.ly": [("MUSICAL.LY", True), ("musically", False), ("musical ly", False)],
    "MSN": [("by MSN", True), ("Ms N came", False), ("M S N", False)],
    "Steam": [("on Steam", True), ("the Violator's Team", False), ("St eam", True)],
    "Facebook": [("www.facebook.com/x", True), ("me@facebook.com", True), ("@facebook", True),
                 ("Facebook's", True), ("Facebook\u2019s", True), ("face book", True), ("facebooked", False)],
    "X-Box": [("x box", True), ("X-box", True), ("xbox", True), ("xbox360", False)],
    "S Club": [("s-club", True), ("Paul's club", False), ("Paul\u00b4s club", False), ("Paul`s club", False),
               ("Paul'\u0301s club", False), ("s \u0301club", True)],
    "what's app": [("What\u2019s App", True), ("the what's app's group", True), ("what's-app", True), ("whats app", False), ("what app", False), ("what'\u0301s app", True)],
    "McDonald's": [("at McDonald\u2019s.", True), ("Mr McDonald", False), ("McDonalds", False)],
    "M&S": [("by M&S.", True), ("M. S", False), ("ms", False), ("M & S", False)],
    "Snapchat ID": [("snap chat id", True), ("snapchatid", True)],
    "circled": [("live \u2776 stream circled", True)],
    "stra\u00dfe": [("STRASSE", True), ("Stra\u00dfe", True)],
}  # fmt: skip


def test_the_rule_by_hand(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    texts = {
        f"{term}:{number}": text
        for term, cases in DECOYS.items()
        for number, (text, _) in enumerate(cases)
    }
    load(as_records(texts))
    for term, cases in DECOYS.items():
        right = {f"{term}:{number}" for number, (_, holds) in enumerate(cases) if holds}
        mine = {
            reference
            for reference in found(client, index.alias, term)
            if reference.startswith(f"{term}:")
        }
        assert mine == right, term
        assert found(client, index.alias, term) == expected(texts, term), term


BOOK_TEXTS = [
    ("by X-Box", "Xbox"),
    ("by x box.", "Xbox"),
    ("by XBOX", "Xbox"),
    ("Mr X. Box of papers", ""),
    ("two x boxes", ""),
    ("on What\u2019s App", "WhatsApp"),
    ("on what's-app's page", "WhatsApp"),
    ("on What'sApp", "WhatsApp"),
    ("on whats app", "WhatsApp"),
    ("what. S app", ""),
    ("a what is app call", ""),
    ("a what's app call", "WhatsApp WhatsApp-call"),
    ("on X-Box Live", "Xbox Xbox-Live"),
    ("on X-BoxLive", "Xbox-Live"),
    ("on e bike", "e-bike"),
    ("an ebike", "e-bike"),
    ("the bike", ""),
    ("Call-of-Duty", "Call-of-Duty"),
    ("callofduty", "Call-of-Duty"),
    ("an X-Box controller", "Xbox Xbox-controller"),
    ("an xboxcontroller", "Xbox-controller"),
]


@pytest.mark.parametrize(
    "wordings",
    [
        ["Xbox", "X-Box", "x box"],
        ["WhatsApp", "Whats App", "what's app", "what'sapp"],
        ["WhatsApp call", "what's-app call"],
        ["Xbox Live", "X-Box Live", "X-BoxLive", "xboxlive"],
        ["e-bike", "ebike"],
        ["Call of Duty", "callofduty"],
        ["Xbox controller", "X-Box controller"],
    ],
    ids=lambda wordings: wordings[0],
)
def test_openings_of_the_term_book_count_and_all_wordings_count_the_same(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any], wordings: list[str]
) -> None:
    texts = {f"R{number}": text for number, (text, _) in enumerate(BOOK_TEXTS)}
    load(as_records(texts))
    name = wordings[0].replace(" ", "-")
    right = {f"R{number}" for number, (_, names) in enumerate(BOOK_TEXTS) if name in names.split()}
    for written in wordings:
        asked = build_adhoc_request([written]).scope
        mine = {hit.crime_ref for hit in iter_hits(client, index.alias, locate_scope(asked))}
        assert mine == right, written


def test_every_term_of_the_book_counts_as_a_naive_scan_does(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    book = load_default_term_book()
    texts: dict[str, str] = {}
    for entry in book.terms:
        for written in (*entry.wordings, *entry.aliases):
            for number, text in enumerate((written, f"{written}s", f"a{written}.", f"{written}'s")):
                texts[f"{entry.term}:{written}:{number}"] = f"It was {text} there"
    load(as_records(texts))
    for entry in book.terms:
        forms = [entry.term.casefold()]
        if not parse_term(entry.term).compound:
            forms = spellings([*entry.wordings])
        right = {reference for reference, text in texts.items() if mentions(text, forms)}
        asked = build_adhoc_request([entry.term]).scope
        mine = {hit.crime_ref for hit in iter_hits(client, index.alias, locate_scope(asked))}
        assert mine == right, entry.term
        assert len(mine) >= 2, entry.term


def test_real_text_has_no_extra_and_no_missed_record(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    if not REAL.is_file():
        pytest.skip(f"the real text is not here: {REAL.parent.name}/{REAL.name}")
    texts = {
        row["id"]: row["text"] for row in map(json.loads, REAL.read_text("utf-8").splitlines())
    }
    load(as_records(texts))
    held = 0
    for term in TERMS:
        try:
            right = expected(texts, term)
        except RequestError:
            continue
        assert found(client, index.alias, term) == right, term
        held += bool(right)
    assert held > 20


WORDS = [
    "live",
    "stream",
    "livestream",
    "li",
    "ve",
    "s",
    "snap",
    "chat",
    "Live",
    "STREAM",
    "ly",
    "play",
    "3",
]

JOINTS = [
    " ",
    "-",
    "",
    ".",
    ". ",
    "/",
    "'",
    "'s ",
    "\u2019",
    "\u2013",
    "\n",
    "\n\n",
    "_",
    "&",
    ", ",
    " \u2013 ",
    "\u00ad",
    " \u0301",
    "'\u0301",
    ".\u0308",
    "\U000e0101",
]

piece = st.builds(str.__add__, st.sampled_from(WORDS), st.sampled_from(JOINTS))

narratives = st.lists(st.lists(piece, max_size=6).map("".join), min_size=1, max_size=30)

asked = st.lists(st.lists(piece, min_size=1, max_size=3).map("".join), min_size=1, max_size=8)


@settings(
    max_examples=examples(12, long=25),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(narratives, asked)
def test_generated_text_has_no_extra_and_no_missed_record(
    client: Elasticsearch,
    index: IndexSettings,
    tmp_path: Path,
    written: list[str],
    wanted: list[str],
) -> None:
    texts = {f"R{number}": text for number, text in enumerate(written)}
    path = tmp_path / "generated.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in as_records(texts)), "utf-8")
    before = find_live_name(client, index.alias)
    load_files(client, index, [path], tmp_path, SILENT)
    if before:
        discard_generation(client, index.alias, before)
    for term in wanted:
        try:
            right = expected(texts, term)
        except RequestError:
            continue
        assert found(client, index.alias, term) == right, (term, texts)
