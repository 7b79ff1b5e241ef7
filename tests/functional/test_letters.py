"""Answers that are more than figures, from the request file to the letter, on a real server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Outcome, run_command
from tests.support.force import FORCE_TOML

RULE = FORCE_TOML + '[disclosure]\nthreshold = 5\nledger = "releases.jsonl"\n'

HEAD = "reference: R/1\ntitle: Live streams\nperiod: 2017/18\nmentions: [live stream]\n"

Run = Callable[..., Outcome]


@pytest.fixture
def foidex(environment: dict[str, str], tmp_path: Path, load: Callable[..., Any]) -> Run:
    """Run the program in a folder with the force's rule, on 400 records."""
    (tmp_path / "foidex.toml").write_text(RULE)
    load(
        [
            {
                "crime_ref": f"R{number}",
                "recorded_on": f"2017-{4 + number // 50:02}-10",
                "offence_code": "22B",
                "narrative": "A live stream was reported.",
            }
            for number in range(400)
        ]
    )

    def run(*words: object, code: int = 0) -> Outcome:
        ran = run_command(*words, environment=environment, folder=tmp_path, expected_code=code)
        assert "Traceback" not in ran.err
        return ran

    return run


@pytest.mark.parametrize("more", ["", "- {id: b), kind: offences, note: One note.}\n"])
def test_a_request_with_parts_not_covered_is_one_like_any_other(
    foidex: Run, tmp_path: Path, more: str
) -> None:
    """It is checked, estimated, answered, replayed and published, with and without figures."""
    request = tmp_path / "request.yaml"
    request.write_text(
        f"{HEAD}questions:\n- {{id: a), text: 'How many arrests?', not_covered: Not held.}}\n{more}"
    )
    assert "a)" in foidex("lint", request).out
    assert "400 records would have to be read" in foidex("estimate", request).out
    answer = json.loads(foidex("answer", request, "--format", "json").out)
    assert [part["id"] for part in answer["uncovered"]] == ["a)"]
    assert answer["scope"]["records"] == 400
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    assert ": the same numbers." in foidex("replay", "answer.json").out
    for options in ((), ("--publish",)):
        letter = " ".join(foidex("answer", request, *options, "--format", "letter").out.split())
        assert "How many arrests? Not held." in letter
        assert ("One note." in letter) == ("The figures count" in letter) == bool(more)
    foidex("answer", request, "--publish", "--out", "published")
    assert (tmp_path / "published" / "R-1.letter.pdf").is_file()


COST = "letter: {outcome: refused, sections: [{section: 12, minutes: 3}]}\n"


def test_a_refusal_at_the_cost_limit_has_its_numbers_from_the_records(
    foidex: Run, tmp_path: Path
) -> None:
    """400 records at 3 minutes are 20 hours; the last seven months have 350."""
    request = tmp_path / "request.yaml"
    request.write_text(HEAD + COST)
    assert "is valid" in foidex("lint", request).out
    answer = json.loads(foidex("answer", request, "--format", "json").out)
    assert answer["reading_limit"] == {
        "minutes": 3.0,
        "limit_hours": 18,
        "start": "2017-05-01",
        "end": "2018-03-31",
        "question": "",
    }
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    assert ": the same numbers." in foidex("replay", "answer.json").out
    for options in ((), ("--publish",)):
        letter = " ".join(foidex("answer", request, *options, "--format", "letter").out.split())
        assert "We found 400 records." in letter
        assert "Reading them all would take about 20 hours." in letter
        assert "The records from 1 May 2017 to 31 March 2018 would fit." in letter


def test_a_refusal_at_the_cost_limit_is_not_written_if_reading_is_within_it(
    foidex: Run, tmp_path: Path
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(HEAD + COST.replace("minutes: 3", "minutes: 2.5"))
    refused = foidex("answer", request, "--format", "letter", code=3)
    assert "400 records at 2.5 minutes each takes 16.7 hours, and the limit is 18." in refused.err
    assert refused.out == ""
    (tmp_path / "foidex.toml").write_text(RULE.replace("[force]", '[force]\nact = "scotland"'))
    request.write_text(HEAD + COST)
    assert "the limit is 40." in foidex("answer", request, code=3).err


def test_the_letters_around_an_answer_need_no_index(
    environment: dict[str, str], tmp_path: Path
) -> None:
    request = tmp_path / "request.yaml"
    request.write_text(
        f"{HEAD}questions: [{{id: 1, kind: offences}}]\nletter: {{received: 2026-03-20}}\n"
    )
    (tmp_path / "foidex.toml").write_text(RULE)

    def run(*words: object, code: int = 0) -> Outcome:
        return run_command(*words, environment=environment, folder=tmp_path, expected_code=code)

    printed = run("letter", "acknowledgement", request, "--date", "2026-03-23").out
    assert "by 21 April 2026." in " ".join(printed.split())
    listed = run("letter", "acknowledgement", request, "--out", "letters").out.split()
    assert listed == [
        f"letters/R-1.acknowledgement.{end}" for end in ("txt", "html", "docx", "pdf")
    ]
    assert (
        "already has" in run("letter", "acknowledgement", request, "--out", "letters", code=11).err
    )
    assert "needs clarification" in run("letter", "clarification", request, code=3).err
    assert "acknowledgement" in run("letter", "thanks", request, code=2).err
    assert "is not a date" in run("letter", "review", request, "--date", "soon", code=2).err
    assert "--force needs --out" in run("letter", "review", request, "--force", code=2).err
