"""Why one record counts in a request or does not, at the command line, on a real server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from indexer.audit.log import AuditLog
from indexer.config.field_map import FieldMap
from indexer.config.model import IndexSettings
from queries.answer.cells import list_cells
from queries.answering.build import compute_answer
from queries.why.explain import explain_record
from tests.support.command_line import Outcome, run_command
from tests.support.counted_records import reference_records
from tests.support.kinds import CATEGORIES, QUESTIONS, SCOPES, asking, weighted_records
from tests.support.paths import ROOT
from tests.support.server import EVERY_DAY

REQUESTS = ROOT / "tests" / "data" / "requests"

REQUEST = REQUESTS / "reference.yaml"

TERMS_REQUEST = """
reference: R
title: T
mentions: [live stream, {term: device, with: [{term: mobile, within: 2}]}]
questions:
  - {id: Q1, kind: keywords, keywords: [whatsapp], within: {where: {outcome: [1]}}}
"""


def make_record(reference: str, narrative: str, **fields: Any) -> dict[str, Any]:
    return {
        "crime_ref": reference,
        "recorded_on": "2017-06-03",
        "offence_code": "22B",
        "narrative": narrative,
        **fields,
    }


@pytest.fixture
def why(environment: dict[str, str], load: Callable[..., Any]) -> Callable[..., Outcome]:
    load(reference_records())

    def run(*options: str) -> Outcome:
        return run_command("why", *options, environment=environment)

    return run


@pytest.fixture
def explain_words(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> Callable[..., dict[str, Any]]:
    """Explains a record with a narrative, as JSON."""
    request = tmp_path / "request.yaml"
    request.write_text(TERMS_REQUEST)

    def run(narrative: str, *options: str, **fields: Any) -> dict[str, Any]:
        load([make_record("R1", narrative, **fields)])
        outcome = run_command(
            "why",
            request,
            "R1",
            "--format",
            "json",
            *options,
            environment=environment,
            expected_code=0,
        )
        explanation: dict[str, Any] = json.loads(outcome.out)
        return explanation

    return run


@pytest.mark.parametrize("scope", SCOPES)
def test_the_explanations_of_all_records_add_up_to_the_answer(
    client: Elasticsearch, index: IndexSettings, load: Callable[..., Any], scope: str
) -> None:
    """With every kind of question."""
    records = [{**record, **record["categories"]} for record in weighted_records()[:8]]
    for record in records:
        del record["weight"], record["categories"]
    load(records, fields=FieldMap(categories=CATEGORIES), covers=EVERY_DAY)
    request = asking(QUESTIONS, scope)
    answer = compute_answer(client, index.alias, request)
    sums: Counter[tuple[str, str]] = Counter()
    in_scope = 0
    for record in records:
        explanation = explain_record(client, index.alias, request, record["crime_ref"])
        in_scope += explanation.in_scope and all(check.met for check in explanation.scope)
        for question in explanation.questions:
            for number in question.counted:
                sums[question.question, number.number] += number.counts
    assert in_scope == answer.scope.records
    expected: Counter[tuple[str, str]] = Counter()
    for cell in list_cells(answer):
        if cell.key.question and cell.key.part in ("row", "total") and not cell.is_derived:
            place = cell.location.removeprefix(f"{cell.key.question}, ")
            assert isinstance(cell.value, int)
            expected[cell.key.question, place] += cell.value
    assert +sums == +expected


def test_the_verdict_comes_first_and_names_what_is_not_met(why: Callable[..., Outcome]) -> None:
    counted, other = why(str(REQUEST), "41/0000001/17"), why(str(REQUEST), "41/0000008/17")
    assert "in scope, and counted in 14 numbers." in counted.out.splitlines()[0]
    first = other.out.splitlines()[0]
    assert "not in scope, because this is not so: its narrative mentions live stream" in first
    assert "NO   its narrative mentions live stream or livestreaming (mentions none" in other.out


def test_a_named_number_is_explained_condition_by_condition(why: Callable[..., Outcome]) -> None:
    options = (str(REQUEST), "41/0000001/17", "--row", "Q2:Snapchat")
    assert "The record counts in Q2:Snapchat:" in why(*options).out
    other = why(*options, "--column", "88E").out
    assert "The record does not count in Q2:Snapchat, 88E:" in other
    assert '  yes  it is in the row "Snapchat"\n  NO   it is in the column "88E"' in other


@pytest.mark.parametrize(
    ("fields", "condition", "found"),
    [
        ({"recorded_on": "2019-05-01"}, "recorded from 1 April 2017", "recorded on 1 May 2019"),
        ({"offence_code": "8N"}, "an offence with the code 21, 22B", "the code is 8N (Assault"),
        ({"narrative": "nothing"}, "its narrative mentions", "mentions none of them"),
    ],
)
def test_each_condition_says_what_the_record_has_instead(
    environment: dict[str, str],
    load: Callable[..., Any],
    fields: dict[str, str],
    condition: str,
    found: str,
) -> None:
    load([make_record("R1", "a live stream") | fields])
    outcome = run_command("why", REQUEST, "R1", environment=environment, expected_code=0)
    (line,) = (line for line in outcome.out.splitlines() if line.startswith("  NO "))
    assert condition in line
    assert found in line


def test_a_record_left_out_by_its_status_is_in_scope_and_counts_nowhere(
    explain_words: Callable[..., dict[str, Any]],
) -> None:
    explanation = explain_words("a live stream", status="cancelled")
    assert explanation["in_scope"]
    assert [check["found"] for check in explanation["scope"] if not check["met"]] == [
        "the status is cancelled"
    ]
    assert [one["number"] for one in explanation["scope_counted"]] == ["cancelled"]
    assert not any(question["counted"] for question in explanation["questions"])


def test_a_condition_of_a_question_is_named_with_the_question(
    explain_words: Callable[..., dict[str, Any]],
) -> None:
    (question,) = explain_words("live stream on whatsapp", outcome=8)["questions"]
    (failed,) = (check for check in question["conditions"] if not check["met"])
    assert failed["condition"].startswith('the outcome is "Charged or summonsed" (number 1)')
    assert failed["found"].endswith("(number 8)")
    assert question["counted"] == []


@pytest.mark.parametrize(
    ("narrative", "mentioned", "reason", "cut"),
    [
        ("Watched a Live-Stream of it.", True, 'Mentioned, as "live stream" (once).', ""),
        ("They go live. Stream began.", False, "do not count:", "they go live | stream began"),
        ("A live straem was seen.", False, "do not count:", "a live straem was seen"),
        ("A stream, not live.", False, "has all of its words, but apart", "a stream | not live"),
        ("A stream.", False, 'Of its words the narrative has only "stream" (once).', ""),
        ("Nothing.", False, "nothing is close to it.", ""),
    ],
)
def test_the_words_of_a_term_are_shown_as_the_index_cuts_them(
    explain_words: Callable[..., dict[str, Any]],
    narrative: str,
    mentioned: bool,  # noqa: FBT001 - what is expected
    reason: str,
    cut: str,
) -> None:
    finding = explain_words(narrative)["terms"][0]
    assert finding["mentioned"] is mentioned
    assert reason in finding["reason"]
    assert [passage["cut"] for passage in finding["passages"]][:1] == (
        [cut] if cut else [""] * mentioned
    )


@pytest.mark.parametrize(
    ("term", "narrative", "note", "cut"),
    [
        ("USA", "From the U.S.A. there.", "with full stops", "from the u | s | a | there"),
        ("1000", "It was 1,000 there.", "with its digits grouped", "it was 1 | 000 there"),
        ("cafe", "In a caf\u00e9 there.", "with other accents, or none", "in a caf\u00e9 there"),
        ("live stream", "A live-\n\nstream there.", "broken by a page", "a live | stream there"),
        ("TikTok", "Met on\u200bTikTok.", "joined to the word before it", "met ontiktok"),
    ],
)
def test_what_the_rule_cuts_apart_is_shown_as_a_near_miss(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    term: str,
    narrative: str,
    note: str,
    cut: str,
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(TERMS_REQUEST.replace("live stream", f"'{term}'"))
    load([make_record("R1", narrative)])
    outcome = run_command("why", request, "R1", environment=environment, expected_code=0)
    assert "These words are close, and do not count:" in outcome.out
    assert f"near miss: {note}" in outcome.out
    assert cut in outcome.out


@pytest.mark.parametrize(
    ("narrative", "mentioned", "reason"),
    [
        ("a mobile device", True, 'Mentioned, as "device" (once).'),
        ("a device", False, 'It does not count without "mobile"'),
        ("a mobile was with the other device", False, "but nowhere as close as that"),
    ],
)
def test_company_that_is_missing_or_too_far_away_is_named(
    explain_words: Callable[..., dict[str, Any]],
    narrative: str,
    mentioned: bool,  # noqa: FBT001 - what is expected
    reason: str,
) -> None:
    finding = explain_words(narrative)["terms"][1]
    assert finding["mentioned"] is mentioned
    assert reason in finding["reason"]


def test_what_may_identify_a_person_is_masked_on_request(
    explain_words: Callable[..., dict[str, Any]],
) -> None:
    narrative = "Rang 07700 900123 about a live stream."
    (shown,) = explain_words(narrative)["terms"][0]["passages"]
    assert "07700 900123" in shown["before"]
    (masked,) = explain_words(narrative, "--mask")["terms"][0]["passages"]
    assert "07700 900123" not in json.dumps(masked)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([str(REQUEST), "41/0000001/99"], 'no record with the reference "41/0000001/99"'),
        ([str(REQUEST), "41/0000001/17", "--row", "Q2:Snapchit"], 'Did you mean "Snapchat"?'),
        ([str(REQUEST), "41/0000001/17", "--row", "Q9"], 'no question "Q9"'),
        ([str(REQUEST), "41/0000001/17", "--column", "22B"], "--column needs --row"),
        (["nowhere.yaml", "41/0000001/17"], "nowhere.yaml: cannot be read"),
        ([str(REQUEST), ""], "no record with the reference"),
    ],
)
def test_bad_input_has_one_message(
    why: Callable[..., Outcome], options: list[str], message: str
) -> None:
    outcome = why(*options)
    assert outcome.code == 3
    assert message in outcome.err
    assert "Traceback" not in outcome.err
    assert not outcome.out


def test_the_audit_log_says_which_record_was_opened(
    why: Callable[..., Outcome], environment: dict[str, str]
) -> None:
    why(str(REQUEST), "41/0000001/17")
    (log,) = Path(environment["FOIDEX_HOME"], "audit").glob("*.jsonl")
    line = json.loads(log.read_text().splitlines()[-1])
    assert line["command"] == "why"
    mark = line["asked"]["opened_crime_ref_hmac_sha256"]
    assert mark == AuditLog(log).mark("41/0000001/17")
    assert "41/0000001/17" not in log.read_text()
    assert "Snap Chat" not in log.read_text()


def test_a_record_that_only_two_victims_together_would_meet_does_not_count(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> None:
    """One victim must be of the age and of the sex."""
    request = tmp_path / "request.yaml"
    request.write_text(
        "reference: R\ntitle: T\nwhere: {victim: {age: {to: 17}, sex: [F]}}\n"
        "questions: [{id: Q1, kind: offences}]\n"
    )
    woman, boy, girl = {"age": 30, "sex": "F"}, {"age": 9, "sex": "M"}, {"age": 9, "sex": "F"}
    load([make_record("R1", "", victims=[woman, boy]), make_record("R2", "", victims=[boy, girl])])
    outcomes = [
        run_command("why", request, reference, environment=environment, expected_code=0)
        for reference in ("R1", "R2")
    ]
    words = "at least one victim was female and aged 17 or under"
    for outcome in outcomes:
        assert words in " ".join(outcome.out.split())
    assert "female, aged 30; male, aged 9" in " ".join(outcomes[0].out.split())
    found = run_command(
        "find",
        "--request",
        request,
        "--row",
        "Q1",
        "--refs-only",
        environment=environment,
        expected_code=0,
    )
    assert "R2" in found.out
    assert "R1" not in found.out
