"""Texts for release in the workbench: shown masked, decided by name, and only then given."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.browsing import Browsing, make_workbench, open_workbench, text_of
from tests.support.command_line import CommandLine
from tests.support.force import FORCE_TOML

FILE = "texts.yaml"

PAGE = f"/requests/{FILE}"

REQUEST = """\
reference: FOI/62
title: What was written
questions:
  - {id: L1, kind: list, text: "What do the records say?", fields: [offence, narrative]}
"""

#: Six records of one line, and two of another, which is too short a line for its texts.
RECORDS = [
    {
        "crime_ref": f"SYN-{number:03}",
        "recorded_on": f"2023-0{1 + number % 9}-01",
        "offence_code": "22B" if number < 6 else "88E",
        "narrative": f"An entry of Exampleton, kept by zqxname, about item {'abcdefgh'[number]}.",
    }
    for number in range(8)
]


@pytest.fixture
def browsing(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Browsing:
    load(RECORDS)
    (tmp_path / "foidex.toml").write_text("[lists]\nnarratives = true\n" + FORCE_TOML)
    workbench = open_workbench(tmp_path, environment, monkeypatch, texts=REQUEST)
    found = Browsing(workbench)
    found.sign_in("anna", "reviewer")
    return found


def press(browsing: Browsing, page: Any, **fields: str) -> Any:
    """Press a button of the page of a text."""
    hidden = dict(re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', page.text))
    return browsing.post(f"{PAGE}/texts/L1", **{**hidden, **fields})


def list_approvals(foidex: CommandLine, browsing: Browsing) -> Any:
    path = browsing.workbench.requests.path / FILE
    (report,) = json.loads(foidex("review", "approvals", path, "--format", "json").out)
    return report


def test_each_text_is_read_masked_and_decided_by_name_before_it_is_given(
    browsing: Browsing, foidex: CommandLine, tmp_path: Path
) -> None:
    assert f'href="{PAGE}/texts"' in browsing.get(PAGE).text
    assert "Waiting for you Texts of FOI/62" in text_of(browsing.get("/"))
    browsing.post(f"{PAGE}/answer")
    browsing.finish(f"answer {FILE}")
    refused = text_of(browsing.get(f"{PAGE}/answer"))
    assert "some are still to be read (L1: 6 of 6)" in refused
    assert 'the link "Approve the texts" on the page of the request' in refused
    assert "foidex review" not in refused
    assert f'href="{PAGE}/texts"' in browsing.get(f"{PAGE}/answer").text
    shown = text_of(browsing.get(f"{PAGE}/texts"))
    assert "Texts 6 Approved 0 Refused 0 To be read 6" in shown
    page = browsing.get(f"{PAGE}/texts/L1")
    assert "Exampleton" not in page.text
    assert "zqxname" in page.text  # a name in small letters, which the mask cannot find
    assert "22B" in text_of(page)
    wrong = press(browsing, page, do="hide", words="nobody")
    assert wrong.status_code == 422
    assert "as they stand in the text" in text_of(wrong)
    page = press(browsing, page, do="hide", words="ZQXNAME")
    assert "zqxname" not in page.text
    assert "Hidden in 1 place." in text_of(page)
    again = press(browsing, page, do="show")
    assert "zqxname" in again.text
    following = press(browsing, page, do="approve")
    assert "1 of 6 texts decided" in text_of(following)
    first = re.findall('name="record" value="(.*?)"', page.text)[0]
    assert f'value="{first}"' not in following.text
    following = press(browsing, following, do="refuse")
    for _ in range(4):
        following = press(browsing, following, do="approve")
    assert "Every text is decided" in text_of(following)
    assert f'href="{PAGE}/answer"' in following.text
    report = list_approvals(foidex, browsing)
    assert (report["approved"], report["refused"], report["open"]) == (5, 1, [])
    assert {decision["approved_by"] for decision in report["decisions"]} == {"anna"}
    browsing.post(f"{PAGE}/answer")
    browsing.finish(f"answer {FILE}")
    assert "Waiting for you" not in text_of(browsing.get("/"))
    answer = browsing.get(f"{PAGE}/documents/answer/FOI-62.answer.json").json()
    texts = [
        text for row in answer["questions"][0]["table"]["rows"] for text in row.get("texts", ())
    ]
    assert len([text for text in texts if text is None]) == 1
    assert sum("zqxname" in text for text in texts if text) == 4
    log = [
        json.loads(line)
        for line in (tmp_path / "home" / "audit" / "audit.jsonl").read_text().splitlines()
    ]
    opened = [line for line in log if line["command"] == "review approve"]
    assert len(opened) == 9  # each time that a text was shown, those of the small form too
    assert {line["signed_in"] for line in opened} == {"anna"}
    assert "zqxname" not in json.dumps(log)
    assert first not in json.dumps(log)


def test_the_letter_is_previewed_with_its_texts_once_each_is_decided(
    browsing: Browsing, load: Callable[..., Any]
) -> None:
    load([{**record, "offence_code": "22B"} for record in RECORDS])

    browsing.sign_in("petra", "publisher")
    before = browsing.preview(FILE)
    assert 'value="publish"' not in before.text
    assert "some are still to be read (L1: 8 of 8)" in text_of(before)
    assert "foidex review" not in text_of(before)
    assert "kept by zqxname" not in before.text
    page = browsing.get(f"{PAGE}/texts/L1")
    for decision in ("refuse", *["approve"] * 7):
        page = press(browsing, page, do=decision)
    after = browsing.preview(FILE)
    assert 'value="publish"' in after.text
    letter = text_of(after).partition("The letter as it would go out")[2]
    assert letter.count("kept by zqxname") == 7
    assert letter.count("[withheld]") >= 1
    assert "7 texts are given" in text_of(after)
    folder = browsing.workbench.requests.path / "answers" / FILE / "published"
    assert not folder.exists()
    records = re.findall(
        r'href="([^"]*/texts/L1\?record=[^"]*)">', browsing.get(f"{PAGE}/texts").text
    )
    press(browsing, browsing.get(records[-1]), do="refuse")
    late = text_of(browsing.press_publish(FILE, after))
    assert "Nothing was published" in late
    assert "Other texts of L1 are given: somebody decided on one since" in late
    assert not folder.exists()


def test_a_decision_is_for_what_was_shown_and_no_decision_is_lost(
    browsing: Browsing, foidex: CommandLine
) -> None:
    page = browsing.get(f"{PAGE}/texts/L1")
    record = re.findall('name="record" value="(.*?)"', page.text)[0]
    changed = press(browsing, page, do="approve", hidden="0-2")
    assert "changed since it was shown" in text_of(changed)
    wrong = press(browsing, page, do="approve", hidden="x")
    assert "not as the page made it" in text_of(wrong)
    assert press(browsing, page, do="approve", record="SYN-007").status_code == 400
    assert "to approve or to refuse" in text_of(press(browsing, page, do="perhaps"))
    assert list_approvals(foidex, browsing)["approved"] == 0
    assert press(browsing, page, do="back").status_code == 409
    browsing.sign_in("ben", "reviewer")
    press(browsing, page, do="refuse")
    browsing.sign_in("anna", "reviewer")
    lost = press(browsing, page, do="approve")
    assert lost.status_code == 409
    assert "Your decision was not stored" in text_of(lost)
    (decision,) = list_approvals(foidex, browsing)["decisions"]
    assert (decision["reference"], decision["approved_by"]) == (record, "ben")
    again = browsing.get(f"{PAGE}/texts/L1?record={record}")
    assert "ben refused it on" in text_of(again)
    press(browsing, again, do="approve")
    (decision,) = list_approvals(foidex, browsing)["decisions"]
    assert (decision["is_approved"], decision["approved_by"]) == (True, "anna")
    back = press(browsing, browsing.get(f"{PAGE}/texts/L1"), do="back")
    assert f'value="{record}"' in back.text
    assert "You approved it on" in text_of(back)


def test_only_reviewers_see_texts_and_only_of_lists(browsing: Browsing, tmp_path: Path) -> None:
    assert "no such question" in text_of(browsing.get(f"{PAGE}/texts/L9")).casefold() or (
        browsing.get(f"{PAGE}/texts/L9").status_code >= 400
    )
    browsing.sign_in("rae", "reader")
    assert "/texts" not in browsing.get(PAGE).text
    for path in ("texts", "texts/L1"):
        assert browsing.get(f"{PAGE}/{path}").status_code == 403
    assert browsing.post(f"{PAGE}/texts/L1", do="approve").status_code == 403
    config = tmp_path / "foidex.toml"
    config.write_text(config.read_text() + '[review]\nreviewers = ["ben"]\n')
    listed = Browsing(make_workbench(config))
    listed.sign_in("anna", "reviewer")
    page = text_of(listed.get(f"{PAGE}/texts/L1"))
    assert '"anna" is not one of the reviewers' in page
    assert "zqxname" not in page
