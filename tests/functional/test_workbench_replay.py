"""An old answer is replayed in the browser, and says what ``foidex replay`` says of it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from queries.workbench.files.counted_answers import KEPT_ANSWERS, list_counted_answers
from tests.support.browsing import Browsing, open_workbench, text_of
from tests.support.command_line import CommandLine

FILE = "apps.yaml"

PAGE = f"/requests/{FILE}"

REQUEST = """\
reference: FOI/1
title: Snapchat in records
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences}
"""


def make_record(number: int, text: str) -> dict[str, Any]:
    return {
        "crime_ref": f"SYN-{number:03}",
        "recorded_on": "2023-02-01",
        "offence_code": "22B",
        "narrative": text,
    }


RECORDS = [make_record(number, "Snapchat was open.") for number in range(12)]


@pytest.fixture
def browsing(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Browsing:
    load(RECORDS)
    workbench = open_workbench(tmp_path, environment, monkeypatch, apps=REQUEST)
    found = Browsing(workbench)
    found.sign_in()
    return found


def count(browsing: Browsing) -> None:
    browsing.post(f"{PAGE}/answer")
    browsing.finish(f"answer {FILE}")


def publish(browsing: Browsing) -> None:
    browsing.press_publish(FILE, browsing.preview(FILE))


def replay(browsing: Browsing, name: str) -> str:
    browsing.post(f"{PAGE}/replay", answer=name)
    browsing.finish(f"replay {FILE} {name}")
    return text_of(browsing.get(f"{PAGE}/replay"))


def test_the_link_of_a_replay_that_runs_opens_the_page_again(browsing: Browsing) -> None:
    count(browsing)
    (counted,) = list_counted_answers(browsing.workbench.requests, FILE)
    gate = threading.Event()
    browsing.workbench.tasks.start(f"replay {FILE} {counted.name}", "anna", gate.wait)
    try:
        pages = [browsing.get(f"{PAGE}/replay").text for _ in range(2)]
    finally:
        gate.set()
    links = [re.findall(r'href="(.*?)#(.*?)">See whether it is done', page)[0] for page in pages]
    assert {part for _, part in links} == {counted.name}
    # A link to the address of the page itself, with a part, only scrolls.
    assert len({address for address, _ in links}) == 2


def test_the_page_says_of_each_answer_what_the_command_says(
    browsing: Browsing, foidex: CommandLine, load: Callable[..., Any], tmp_path: Path
) -> None:
    requests = browsing.workbench.requests
    assert "Replay an old answer" not in text_of(browsing.get(PAGE))
    assert "nothing to replay" in text_of(browsing.get(f"{PAGE}/replay"))
    count(browsing)
    publish(browsing)
    assert f'href="{PAGE}/replay"' in browsing.get(PAGE).text
    published, own = list_counted_answers(requests, FILE)
    assert (published.kind, own.kind) == ("published", "answer")
    assert "the numbers would be the same today" in replay(browsing, own.name)
    load([*RECORDS[1:], make_record(40, "Snapchat was open."), make_record(41, "Snap chat.")])
    count(browsing)  # the documents of the first count are gone, its answer is not
    for counted in (published, own):
        shown = replay(browsing, counted.name)
        told = foidex("replay", counted.path)
        assert told.code == 14
        for line in told.out.splitlines():
            for word in line.replace(" was", "").replace(" is", "").split():
                assert word in shown, word
        assert "SYN-000" in shown
        assert "SYN-040" in shown
        assert re.search(r"\b12 13\b", shown)
        assert "FOI/1: " in shown
        assert "moved, by 3 records" in shown
    log = (tmp_path / "home" / "audit" / "audit.jsonl").read_text().splitlines()
    lines = [line for line in map(json.loads, log) if line["command"] == "replay"]
    assert [line.get("signed_in") for line in lines] == ["anna", "anna", None, "anna", None]
    assert {line["reference"] for line in lines} == {"FOI/1"}


def test_only_who_may_see_numbers_replays_them_and_only_answers_of_the_request(
    browsing: Browsing,
) -> None:
    count(browsing)
    assert browsing.post(f"{PAGE}/replay", answer="../../foidex.toml").status_code == 404
    assert browsing.post("/requests/none.yaml/replay", answer="documents").status_code == 404
    browsing.sign_in("ben", "reader")
    assert "/replay" not in browsing.get(PAGE).text
    assert browsing.get(f"{PAGE}/replay").status_code == 403
    assert browsing.post(f"{PAGE}/replay", answer="documents").status_code == 403


def test_own_answers_are_kept_privately_and_no_more_than_the_newest(
    browsing: Browsing, foidex: CommandLine
) -> None:
    foidex("answer", browsing.workbench.requests.path / FILE, "--out",
           browsing.workbench.requests.path / "answers" / FILE / "answer")  # fmt: skip
    (documents,) = list_counted_answers(browsing.workbench.requests, FILE)
    assert "the numbers would be the same today" in replay(browsing, documents.name)
    count(browsing)
    (first,) = list_counted_answers(browsing.workbench.requests, FILE)
    folder = first.path.parent
    assert first.path.stat().st_mode & 0o777 == 0o600
    for number in range(KEPT_ANSWERS + 3):
        first.path.with_name(f"2020010{1 + number % 9}T0000000000{number:02}Z.answer.json").touch()
    older = folder / "20200101T000000000000Z.published.json"
    older.touch()
    count(browsing)
    names = {
        counted.path.name for counted in list_counted_answers(browsing.workbench.requests, FILE)
    }
    assert len(names) == KEPT_ANSWERS + 1
    assert {first.path.name, older.name} <= names
