"""The wording check on a real server: by hand, against a naive count, and from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from indexer.config.model import IndexSettings
from indexer.errors import GenerationError
from indexer.index.generations import discard_generation, find_live_name
from indexer.jobs.refresh import load_files
from indexer.records.sample import generate_records
from queries.answer.types import NearMissCount, NearMisses
from queries.answering.build import compute_answer
from queries.lint.check import check_wording, collect_near_misses
from queries.lint.findings import (
    NearMiss,
    SampleCoverage,
    TermCheck,
    WordingCheck,
    WordingSuggestion,
    format_wording_check,
    lint_schema,
)
from queries.lint.near_misses import SampleLimits
from queries.request.reader import parse_request
from queries.spec.term_book import load_default_term_book
from tests.support.command_line import Outcome, run_command
from tests.support.examples import examples
from tests.support.oracle import mentions, text_of, variants
from tests.support.server import SILENT

BOOK = load_default_term_book()

#: Text, offence and status, by hand.
TEXTS = [
    ("A live stream, it was livestreamed.", "22B"),
    ("It was Live-Streamed twice, livestreamed.", "22B"),
    ("Two live streams were named.", "88/1"),
    ("Two live streams and a livestream on We Chat.", "22B"),
    ("A live straem was named.", "22B"),
    ("On a live stream by WeChat.", "22B"),
    ("On a livestream, in clouds of steam.", "88/1"),
    ("On a livestream, by the game Steam.", "22B"),
    ("On a livestream, by the games of Steem.", "22B"),
    ("On a livestream, posted on FB.", "22B"),
    ("It was livestreamed.", "49"),
    ("It was livestreamed on the x box.", "22B"),
    ("On a livestream that was musical ly.", "22B"),
]

CANCELLED = ("It was livestreamed as well.", "22B")

REQUEST = """\
reference: R1
title: T
period: 2020/21
mentions: [live stream]
offences: [{codes: [22B, 88/1]}, {codes: [88/2]}]
questions:
  - {id: Q1, kind: offences}
  - {id: Q2, kind: keywords, keywords: [WeChat, Steam, Facebook, Musical.ly, Bebo]}
"""


def records() -> list[dict[str, Any]]:
    rows = [(*row, "recorded") for row in TEXTS] + [(*CANCELLED, "cancelled")]
    return [
        {"crime_ref": f"R{number:02}", "recorded_on": "2020-06-01", "offence_code": code, "narrative": text, "status": status}
        for number, (text, code, status) in enumerate(rows)
    ]  # fmt: skip


def checked(client: Elasticsearch, alias: str, text: str, *, contexts: bool = True) -> WordingCheck:
    return check_wording(client, alias, parse_request(text), BOOK, contexts=contexts)


def named(check: WordingCheck, term: str) -> TermCheck:
    (found,) = [one for one in check.terms if one.term == term]
    return found


def test_a_request_has_its_wording_checked_by_hand(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(records())
    check = checked(client, index.alias, REQUEST)
    assert (check.records, check.in_scope) == (12, 8)
    assert check.offences_without_records == ("88/2",)

    stream = named(check, "live stream")
    assert (stream.places, stream.records, stream.in_index) == (("mentions",), 8, None)
    assert stream.near_misses == (
        NearMiss("livestreamed", "another ending", 3, 2),
        NearMiss("live streams", "another ending", 2, 1),
        NearMiss("live straem", "one letter away", 1, 1),
    )
    assert stream.coverage == SampleCoverage(4, 4, 8, 8, 2, 2)

    chat = named(check, "WeChat")
    assert (chat.places, chat.records) == (("Q2",), 2)
    assert [(form.form, form.records) for form in chat.unintended] == [("we chat", 1)]

    steam = named(check, "Steam")
    assert (steam.records, steam.everyday) == (2, True)
    assert [(one.crime_ref, one.before, one.match, one.after) for one in steam.contexts] == [
        ("R06", "On a livestream, in clouds of ", "steam", "."),
        ("R07", "On a livestream, by the game ", "Steam", "."),
    ]
    assert steam.near_misses == (NearMiss("steem", "one letter away", 1, 1),)
    assert steam.suggestions == (WordingSuggestion("with", "game", 1),)

    facebook = named(check, "Facebook")
    assert (facebook.records, facebook.in_index) == (0, 0)
    assert facebook.suggestions == (WordingSuggestion("alias", "FB", 1),)
    assert named(check, "Musical.ly").near_misses == (
        NearMiss("musical ly", "without its punctuation", 1, 1),
    )
    assert named(check, "Bebo").near_misses == ()
    assert check.annex.near_misses_not_counted[0] == NearMissCount(
        "live stream", ("mentions",), "livestreamed", 3, 2
    )


def test_the_check_in_words(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    loaded = load(records())
    assert (
        format_wording_check(checked(client, index.alias, REQUEST))
        == f"""\
The records cover 1 June 2020 to 1 June 2020.
Of the days asked about, only these are counted.
The first and the last of these days are those of the first and the last
record. To declare them, set covers in [records] of foidex.toml, and refresh.

In {loaded.generation.name}: 12 records for this period and these offences, 8 in scope.
No record of the period has one of these offences: 88/2.

"live stream" (mentions): 8 records
  near miss  livestreamed 3 (another ending): not in the request, not counted; would add 2
  near miss  live streams 2 (another ending): not in the request, not counted; would add 1
  near miss  live straem 1 (one letter away): not in the request, not counted; would add 1

"WeChat" (Q2): 2 records
  form       we chat 1: counted, and perhaps not intended; variants: none leaves it out, with: [...] requires another term

"Steam" (Q2): 2 records
  near miss  steem 1 (one letter away): not in the request, not counted; would add 1
  everyday   is also an everyday word, or has other meanings
             R06: On a livestream, in clouds of [steam].
             R07: On a livestream, by the game [Steam].
  with       {{term: Steam, with: [game]}} would leave 1 of 2

"Facebook" (Q2): none in scope, 0 records in the whole index
  alias      {{term: Facebook, aliases: [FB]}} would make it 1

"Musical.ly" (Q2): none in scope, 0 records in the whole index
  near miss  musical ly 1 (without its punctuation): not in the request, not counted; would add 1

None in the whole index (check the spelling): Bebo.
"""
    )


def test_the_near_misses_of_an_answer_are_those_of_the_check_that_enough_records_hold(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(records())
    asked = parse_request(REQUEST)
    answered = compute_answer(client, index.alias, asked)
    whole = checked(client, index.alias, REQUEST).annex.near_misses_not_counted
    assert collect_near_misses(client, index.alias, asked, answered, 1) == NearMisses(
        1, complete=True, told=whole
    )
    assert collect_near_misses(client, index.alias, asked, answered, 2).told == (
        NearMissCount("live stream", ("mentions",), "livestreamed", 3, 2),
        NearMissCount("live stream", ("mentions",), "live streams", 2, 1),
    )


def test_near_misses_of_another_generation_than_answered_are_not_given(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(records())
    asked = parse_request(REQUEST)
    answered = compute_answer(client, index.alias, asked)
    load(records())
    with pytest.raises(GenerationError, match="Run the command again"):
        collect_near_misses(client, index.alias, asked, answered, 1)


def test_variants_none_and_the_book_decide_what_is_a_near_miss(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(records())
    head = "reference: R\ntitle: T\nquestions: [{id: Q1, kind: offences}]\n"
    held = named(
        checked(client, index.alias, f"{head}mentions: [{{term: WeChat, variants: none}}]"),
        "WeChat (exactly so written)",
    )
    assert held.near_misses == (NearMiss("we chat", "opened otherwise", 1, 1),)
    exact = named(
        checked(client, index.alias, f"{head}mentions: [{{term: Xbox, variants: none}}]"),
        "Xbox (exactly so written)",
    )
    assert exact.near_misses == (NearMiss("x box", "opened otherwise", 1, 1),)
    opened = named(checked(client, index.alias, f"{head}mentions: [Xbox]"), "Xbox")
    assert (opened.records, opened.near_misses) == (1, ())
    assert [form.form for form in opened.unintended] == ["x box"]


def test_company_is_wanted_of_a_near_miss_too(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load(records())
    text = "reference: R\ntitle: T\nquestions: [{id: Q1, kind: offences}]\nmentions: [{term: Steam, with: [games]}]"
    assert named(checked(client, index.alias, text), 'Steam (with "games")').near_misses == (
        NearMiss("steem", "one letter away", 1, 1),
    )
    text = text.replace("games", "clouds")
    assert named(checked(client, index.alias, text), 'Steam (with "clouds")').near_misses == ()


REQUIRED_TEXTS = [
    "A live stream on Snapchat.",
    "Snapchat, and one two three four five six live streams there.",
    "Live streams by Snapchat.",
    "A live straem on Snapchat, and a live stream.",
    "Live streams alone.",
    "Snapchatted, with a live stream.",
]


def test_near_misses_of_a_required_term_are_counted_beside_what_requires_it(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    load([
        {"crime_ref": f"R{number}", "recorded_on": "2020-06-01", "offence_code": "22B", "narrative": text}
        for number, text in enumerate(REQUIRED_TEXTS)
    ])  # fmt: skip
    text = (
        "reference: R\ntitle: T\nquestions: [{id: Q1, kind: keywords, keywords: "
        "[{term: Snapchat, with: [live stream]}, live streams]}]"
    )
    check = checked(client, index.alias, text)
    main, required, other = check.terms
    assert (main.term, main.required, other.term) == ('Snapchat (with "live stream")', None, "live streams")  # fmt: skip
    assert main.near_misses == (NearMiss("snapchatted", "another ending", 1, 1),)
    assert (required.term, required.required, required.records) == (
        "live stream, required with Snapchat", "live stream", 2
    )  # fmt: skip
    # The row of its own that the request has does not count them for this one.
    misses = (
        NearMiss("live streams", "another ending", 2, 2),
        NearMiss("live straem", "one letter away", 1, 0),
    )
    assert required.near_misses == misses
    assert required.suggestions == ()
    asked = parse_request(text)
    annex = collect_near_misses(client, index.alias, asked, compute_answer(client, index.alias, asked), 1)  # fmt: skip
    assert [(one.term, one.wording) for one in annex.told][1:3] == [
        ("live stream, required with Snapchat", miss.wording) for miss in misses
    ]
    near = text.replace("[live stream]", "[{term: live stream, within: 5}]")
    required = checked(client, index.alias, near).terms[1]
    assert required.near_misses[0].records == 1


def test_a_sample_that_is_too_small_is_told(
    client: Elasticsearch,
    index: IndexSettings,
    load: Callable[..., Any],
) -> None:
    load(records())
    limits = SampleLimits(records=1, rounds=2)
    check = check_wording(client, index.alias, parse_request(REQUEST), BOOK, limits=limits)
    stream = named(check, "live stream")
    # R01, then what is not livestreamed; the straem was not reached.
    assert stream.coverage == SampleCoverage(3, 4, 1, 8, 2, 2)
    assert [miss.records for miss in stream.near_misses] == [3, 2]
    text = format_wording_check(check)
    assert "searched for in 3 of 4 records that may contain one and do not mention the term" in text
    assert "searched for in 1 of the 8 records that count already" in text


WORDS = [
    "live",
    "stream",
    "livestream",
    "streams",
    "streamed",
    "straem",
    "livesteam",
    "Live",
    "li",
    "vestream",
    "s",
    "a",
]

JOINTS = [" ", "-", "", ". ", "'s ", "\n", ", ", "\n\n"]

piece = st.builds(str.__add__, st.sampled_from(WORDS), st.sampled_from(JOINTS))

narratives = st.lists(st.lists(piece, max_size=6).map("".join), min_size=1, max_size=30)


@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(narratives)
def test_every_number_of_a_near_miss_is_a_naive_count(
    client: Elasticsearch, index: IndexSettings, tmp_path: Path, written: list[str]
) -> None:
    path = tmp_path / "generated.jsonl"
    rows = [
        {"crime_ref": f"R{number}", "recorded_on": "2020-06-01", "offence_code": "8N", "narrative": text}
        for number, text in enumerate(written)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    before = find_live_name(client, index.alias)
    load_files(client, index, [path], tmp_path, SILENT)
    if before:
        discard_generation(client, index.alias, before)
    text = "reference: R\ntitle: T\nmentions: [livestream]\nquestions: [{id: Q1, kind: offences}]"
    (one,) = checked(client, index.alias, text).terms
    counted = [mentions(text, variants("livestream")) for text in written]
    assert one.records == sum(counted)
    for miss in one.near_misses:
        held = [mentions(text, variants(miss.wording)) for text in written]
        assert miss.records == sum(held), miss
        assert miss.added == sum(
            near and not term for near, term in zip(held, counted, strict=True)
        ), miss
    told = {miss.wording.replace(" ", "") for miss in one.near_misses}
    for wording in ("livestreams", "livestreamed", "livestraem", "livesteam"):
        found = any(mentions(text, variants(wording)) for text in written)
        assert (wording in told) == found, wording


def test_the_sample_records_have_the_near_misses_they_are_made_with(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any]
) -> None:
    made = list(generate_records(2_000))
    load(made)
    text = "reference: R\ntitle: T\nmentions: [live stream, live streaming]\nquestions: [{id: Q1, kind: offences}]"
    counted = [record for record in made if record.get("status", "recorded") == "recorded"]
    found = []
    for one in checked(client, index.alias, text).terms:
        for miss in one.near_misses:
            wording = variants(miss.wording)
            right = sum(mentions(text_of(record), wording) for record in counted)
            assert (miss.records, miss.added) == (right, right)
        found.append({miss.wording for miss in one.near_misses})
    same = {"livestreamed", "live streams"}
    assert found == [same | {"alive stream"}, same]


@pytest.mark.parametrize("wording", ["pickup truck", "pick-up truck", "pick up truck"])
def test_wordings_that_differ_by_hyphens_and_spaces_count_and_are_no_near_misses(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any], wording: str
) -> None:
    texts = [
        "A pickup truck.",
        "A pick-up truck.",
        "A pick up truck.",
        "A pickup truk.",
        "A pick-u p truck.",
    ]
    load([
        {"crime_ref": f"R{number}", "recorded_on": "2020-06-01", "offence_code": "22B", "narrative": text}
        for number, text in enumerate(texts)
    ])  # fmt: skip
    text = f"reference: R\ntitle: T\nmentions: [{wording}]\nquestions: [{{id: Q1, kind: offences}}]"
    (one,) = checked(client, index.alias, text).terms
    assert one.records == 3
    spellings = {"pickup truck": 1, "pick up truck": 2}
    own = wording.replace("-", " ")
    assert {form.form: form.records for form in one.unintended} == {
        form: records for form, records in spellings.items() if form != own
    }
    one_letter_parts = {"pick u p truck"} if "up" in own.split() else set()
    assert {miss.wording for miss in one.near_misses} == {"pickup truk"} | one_letter_parts


def run(environment: dict[str, str], *arguments: str) -> Outcome:
    return run_command("lint", *arguments, environment=environment)  # fmt: skip


@pytest.fixture
def asked(tmp_path: Path) -> str:
    path = tmp_path / "request.yaml"
    path.write_text(REQUEST, encoding="utf-8")
    return str(path)


def test_lint_prints_the_file_and_then_its_wording(
    load: Callable[..., Any], environment: dict[str, str], asked: str
) -> None:
    load(records())
    done = run(environment, asked)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{asked}: R1 is valid.\n")
    assert "near miss  livestreamed 3" in done.out
    assert "clouds of [steam]" in done.out
    without = run(environment, asked, "--no-context")
    assert "clouds" not in without.out
    assert "everyday   is also" in without.out


def test_lint_as_json_keeps_to_its_schema(
    load: Callable[..., Any], environment: dict[str, str], asked: str
) -> None:
    load(records())
    found = json.loads(run(environment, asked, "--format", "json").out)
    Draft202012Validator(lint_schema()).validate(found)
    assert found["format"] == "foidex-lint/1"
    assert found["wording"]["annex"]["near_misses_not_counted"][0] == {
        "term": "live stream", "places": ["mentions"], "wording": "livestreamed", "records": 3, "added": 2,
    }  # fmt: skip
    offline = json.loads(run(environment, asked, "--format", "json", "--offline").out)
    assert offline["wording"] is None


def test_contents_that_no_record_has_are_named_with_the_questions_that_need_them(
    load: Callable[..., Any], client: Elasticsearch, index: IndexSettings
) -> None:
    """A source without a table of victims would have none, and 0 would be printed."""
    head = "reference: R1\ntitle: T\nquestions:\n"
    asked = parse_request(
        head
        + """- {id: 1, kind: victims}
- {id: 2, kind: by, by: outcome}
- {id: 3, kind: offences, within: {where: {suspect: {sex: [F]}}}}
- {id: 4, kind: linked, codes: [28]}
- {id: 5, kind: cross, rows: month, columns: sex}
- {id: 6, kind: by, by: month}
"""
    )
    load(records())
    said = check_wording(client, index.alias, asked, BOOK).absent_contents
    assert [sentence.partition(" If ")[0] for sentence in said] == [
        "No record of the index has any victim, which is asked about (1, 5).",
        "No record of the index has any outcome, which is asked about (2).",
        "No record of the index has any suspect, which is asked about (3).",
        "No record of the index has any link to another offence, which is asked about (4).",
    ]
    people = {"victims": [{"age": 9}], "suspects": [{"sex": "F"}], "outcome": 1}
    link = {"linked": [{"crime_ref": "X", "offence_code": "28A"}]}
    load([*records(), {**records()[0], "crime_ref": "NEW", **people, **link}])
    assert check_wording(client, index.alias, asked, BOOK).absent_contents == ()


def test_lint_without_an_index_checks_the_file_and_says_so(
    environment: dict[str, str], asked: str
) -> None:
    done = run(environment, asked)
    assert done.code == 0
    assert done.out == run(environment, asked, "--offline").out
    assert done.err.startswith("foidex: only the file was checked, not its wording: ")


def test_lint_starts_no_server(environment: dict[str, str], asked: str, tmp_path: Path) -> None:
    alone = {name: value for name, value in environment.items() if name not in ("FOIDEX_URL", "FOIDEX_USER", "FOIDEX_PASSWORD")}  # fmt: skip
    done = run(alone, asked)
    assert (done.code, done.out) == (0, run(alone, asked, "--offline").out)
    assert done.err == (
        "foidex: no server is running, so only the file was checked, not its wording. "
        "Start it: foidex up\n"
    )
    assert not (tmp_path / "home" / "server").exists()


def test_a_server_that_was_named_and_cannot_be_asked_is_an_error_after_the_file(
    environment: dict[str, str], asked: str
) -> None:
    done = run({**environment, "FOIDEX_URL": "http://127.0.0.1:9"}, asked)
    assert done.code == 5
    assert done.out == run(environment, asked, "--offline").out
    assert "cannot be reached" in done.err
