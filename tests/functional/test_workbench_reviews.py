"""Reading hits in the workbench on a real server: one decision a record, blind, and kept for good."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.records.sample import generate_records
from queries.review.types import Reading
from queries.reviewing.configured_store import open_configured_store
from tests.support.browsing import (
    Browsing,
    make_workbench,
    open_workbench,
    text_of,
)
from tests.support.command_line import CommandLine
from tests.support.force import FORCE_TOML
from tests.support.serving import read_hidden, read_turn

FILE = "apps.yaml"

REQUEST = """\
reference: FOI/1
title: Snapchat in records
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences}
"""

NAME = "FOI-1-Q1"


@pytest.fixture
def browsing(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Browsing:
    load(generate_records(200))
    workbench = open_workbench(tmp_path, environment, monkeypatch, apps=REQUEST)
    found = Browsing(workbench)
    found.sign_in("anna", "reviewer")
    found.post(f"/requests/{FILE}/answer")
    found.finish(f"answer {FILE}")
    return found


def begin(browsing: Browsing, **changes: str) -> Any:
    page = browsing.get(f"/requests/{FILE}/answer")
    links = re.findall(r'href="(/requests/[^"]*/records\?[^"]*row=total[^"]*)"', page.text)
    records = browsing.get(links[0].replace("&amp;", "&"))
    address = re.findall(r'href="(/requests/[^"]*/review\?[^"]*)"', records.text)[0]
    form = browsing.get(address.replace("&amp;", "&"))
    fields = dict(re.findall(r'type="hidden" name="(.*?)" value="(.*?)"', form.text))
    assert "only 1 to 4 are relevant, or not relevant, publishing withholds" in text_of(form)
    fields |= {"criterion": "The app was used", "sample": "4", "second": "50"} | changes
    return browsing.post(f"/requests/{FILE}/review", **fields)


def decide(browsing: Browsing, page: Any, review: str = NAME, **fields: str) -> Any:
    """Press a button on the page of a record."""
    return browsing.post(f"/reviews/{review}/read", **{**read_turn(page), **fields})


def list_decisions(browsing: Browsing) -> list[Any]:
    session = browsing.workbench.session
    with open_configured_store(session.settings, session.progress) as store:
        return store.list_decisions(NAME)


def read_all(browsing: Browsing, verdict: str) -> list[str]:
    """Read until nothing is left; the text of every page that was shown."""
    shown = []
    page = browsing.get(f"/reviews/{NAME}/read")
    while 'class="decide"' in page.text:
        shown.append(text_of(page))
        page = decide(browsing, page, verdict=verdict)
    return [*shown, text_of(page)]


def test_a_sample_is_read_twice_blind_and_settled(browsing: Browsing, tmp_path: Path) -> None:
    assert "Waiting for you" not in text_of(browsing.get("/"))
    started = begin(browsing)
    assert started.url.path == f"/reviews/{NAME}"
    assert "The app was used" in text_of(started)
    assert f"Waiting for you {NAME} : records are to be read" in text_of(browsing.get("/"))
    nowhere = browsing.post(f"/reviews/{NAME}/read", do="back", before="")
    assert "There is nothing to go back to" in text_of(nowhere)
    assert f'href="/reviews/{NAME}/read"' in nowhere.text
    shown = read_all(browsing, "relevant")
    assert "0 of 6 readings done" in shown[0]
    assert "Question Q1, the total, of the request FOI/1" in shown[0]
    assert ["Go back to my last decision" in page for page in shown[:2]] == [False, True]
    assert "Question Q1, the total, of the request FOI/1" in shown[-1]
    assert "snap chat" in shown[0].casefold() or "snapchat" in shown[0].casefold()
    assert "No record is left for you to read. What is left is for another reviewer" in shown[-1]
    assert "What it says" not in shown[-1]  # the second reader could see it
    assert "Read the next record" not in shown[-1]
    assert "Waiting for you" not in text_of(browsing.get("/"))
    browsing.sign_in("rob", "reader")
    assert "Waiting for you" not in text_of(browsing.get("/"))
    browsing.sign_in("ben", "reviewer")
    assert f"Waiting for you {NAME} : records are to be read" in text_of(browsing.get("/"))
    early = browsing.get(f"/reviews/{NAME}/read?settle")
    assert early.url.path == f"/reviews/{NAME}"
    assert "anna" not in text_of(early)
    shown = read_all(browsing, "not relevant")
    assert len(shown) == 3
    assert "What readers disagree on is to be settled." in shown[-1]
    for page in shown[:-1]:
        assert "anna" not in page
        assert "You decided" not in page
        assert "First reading" not in page
    assert "To settle 2" in shown[-1]
    assert f"Waiting for you {NAME} : records are to be settled" in text_of(browsing.get("/"))
    page = browsing.get(f"/reviews/{NAME}/read?settle")
    assert "2 to settle" in text_of(page)
    assert "First reading, anna: relevant." in text_of(page)
    assert "Second reading, ben: not relevant." in text_of(page)
    page = decide(browsing, page, verdict="relevant")
    page = decide(browsing, page, verdict="not relevant")
    assert "Everything is decided" in text_of(page)
    assert "What it says Relevant 3 Not relevant 1 Relevant of all between 3 and" in text_of(page)
    assert "Publishing withholds this result" in text_of(page)  # 1 is small
    kinds = [(one.reviewer, one.reading) for one in list_decisions(browsing)]
    assert kinds == [
        *[("anna", Reading.FIRST)] * 4, *[("ben", Reading.SECOND)] * 2, *[("ben", Reading.SETTLING)] * 2,
    ]  # fmt: skip
    log = (tmp_path / "home" / "audit" / "audit.jsonl").read_text().splitlines()
    opened = [
        line for line in map(json.loads, log) if line["command"] in ("review next", "review settle")
    ]
    assert len(opened) >= 8
    assert {line["signed_in"] for line in opened} == {"anna", "ben"}
    assert all(line["reference"] == "FOI/1" for line in opened)
    assert "The app was used" not in "".join(log)


def find_boxes(page: Any) -> list[str]:
    """The names of the boxes of reviews that may be ticked."""
    boxes = re.findall('<input type="checkbox"[^>]*name="(review-[^"]*)"([^>]*)>', page.text)
    return [name for name, rest in boxes if "disabled" not in rest]


def test_the_result_of_a_review_is_in_the_answer_and_in_what_is_published(
    browsing: Browsing, tmp_path: Path
) -> None:
    begin(browsing)
    read_all(browsing, "relevant")
    assert find_boxes(browsing.get(f"/requests/{FILE}/answer")) == []  # not before it is unblinded
    assert "when all second readings are done" in text_of(browsing.get(f"/requests/{FILE}/answer"))
    browsing.sign_in("ben", "publisher")
    read_all(browsing, "relevant")
    (box,) = find_boxes(browsing.get(f"/requests/{FILE}/answer"))
    chosen = text_of(browsing.get(f"/requests/{FILE}/answer"))
    assert "A number of it is small: publishing withholds the result" in chosen
    browsing.post(f"/requests/{FILE}/answer", **{box: "on"})
    browsing.finish(f"answer {FILE}")
    answer = text_of(browsing.get(f"/requests/{FILE}/answer"))
    assert f"With the result of the review {NAME}" in answer
    assert "read a random sample of 4 of the" in answer
    page = browsing.get(f"/requests/{FILE}/publish")
    assert f'name="{box}"' in page.text
    assert re.search(f'name="{box}"[^>]* checked', page.text)
    page = browsing.preview(FILE, **{box: "on"})
    assert f"with the result of {NAME}" in text_of(page)
    assert f"Not all of the review {NAME} is given: too few" in text_of(page)  # 4 are few
    page = browsing.press_publish(FILE, page)
    assert re.search(f'name="{box}"[^>]* checked', page.text)
    sets = tmp_path / "requests" / "answers" / FILE
    for kind in ("answer", "published"):
        written = json.loads((sets / kind / "FOI-1.answer.json").read_text())
        assert [review["name"] for review in written["reviews"]] == [NAME], kind
    log = (tmp_path / "home" / "audit" / "audit.jsonl").read_text().splitlines()
    named = [line["asked"] for line in map(json.loads, log) if "reviews" in str(line.get("asked"))]
    assert named == [{"reviews": [NAME]}] * 4  # the answer, the preview, the release and its ledger
    page = text_of(browsing.get(f"/requests/{FILE}/publish"))
    assert "This request was not published yet" not in page


def test_a_review_that_is_ticked_after_the_preview_does_not_go_out(
    browsing: Browsing, tmp_path: Path, load: Callable[..., Any]
) -> None:
    """Of two tabs, each publishes what it shows."""
    begin(browsing)
    read_all(browsing, "relevant")
    browsing.sign_in("ben", "publisher")
    read_all(browsing, "relevant")
    page = browsing.preview(FILE)
    (box,) = find_boxes(page)
    with_review = browsing.preview(FILE, **{box: "on"})
    assert NAME in text_of(with_review).partition("Worked out")[2]
    fields = {**read_hidden(page), "do": "publish", box: "on"}
    browsing.post(f"/requests/{FILE}/publish", **fields)
    browsing.finish(f"publish {FILE}")
    answers = tmp_path / "requests" / "answers" / FILE
    written = json.loads((answers / "published" / "FOI-1.answer.json").read_text())
    assert "reviews" not in written
    # The other tab: it was published since. With other records, the review belongs to no number.
    late = text_of(browsing.press_publish(FILE, with_review))
    assert "It was published since you looked at it" in late
    page = browsing.preview(FILE, **{box: "on"})
    load(generate_records(400))
    gone = browsing.press_publish(FILE, page)
    new_preview = browsing.workbench.tasks.find_newest(f"preview {FILE} ", "ben")
    assert new_preview
    browsing.finish(new_preview.name)
    page = text_of(browsing.get(str(gone.url)))
    assert "Nothing was published It cannot go out any more as you saw it" in page
    assert page.count("was drawn from") == 1
    assert "This did not work" not in page


def test_a_review_whose_second_readings_are_open_is_not_given(browsing: Browsing) -> None:
    begin(browsing)
    browsing.post(f"/requests/{FILE}/answer", **{f"review-{NAME}": "on"})
    browsing.finish(f"answer {FILE}")
    assert "second readings that are still to be made" in text_of(
        browsing.get(f"/requests/{FILE}/answer")
    )


def test_a_decision_may_be_changed_before_anyone_else_reads(browsing: Browsing) -> None:
    begin(browsing)
    first = browsing.get(f"/reviews/{NAME}/read")
    decide(browsing, first, verdict="relevant")
    back = browsing.post(f"/reviews/{NAME}/read", do="back", before="")
    assert "You decided: relevant." in text_of(back)
    decide(browsing, back, verdict="unsure")
    decisions = list_decisions(browsing)
    assert [one.verdict.value for one in decisions] == ["relevant", "unsure"]
    assert len({one.reference for one in decisions}) == 1


def test_a_page_that_is_sent_twice_decides_once(browsing: Browsing) -> None:
    begin(browsing)
    page = browsing.get(f"/reviews/{NAME}/read")
    decide(browsing, page, verdict="relevant")
    again = decide(browsing, page, verdict="not relevant")
    assert again.status_code == 409
    assert "was not stored" in text_of(again)
    assert [one.verdict.value for one in list_decisions(browsing)] == ["relevant"]


def test_two_reviewers_never_have_the_same_record(browsing: Browsing) -> None:
    begin(browsing, second="0")
    pages = [browsing.get(f"/reviews/{NAME}/read")]
    other = Browsing(browsing.workbench)
    other.sign_in("ben", "reviewer")
    pages.append(other.get(f"/reviews/{NAME}/read"))
    references = [re.findall("<h1>(.*?)</h1>", page.text)[0] for page in pages]
    assert references[0] != references[1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"criterion": " "}, "Say when a record is relevant"),
        ({"sample": "many"}, "Enter a number of records"),
        ({"sample": "0"}, "Enter a number of records"),
        ({"sample": "999999"}, 'Leave the field "How many records are read" empty'),
        ({"second": "101"}, "from 0 to 100"),
        ({"criterion": "x" * 501}, "in 500 characters"),
        ({"question": "Q9"}, "no question"),
    ],
)
def test_a_review_that_cannot_begin_says_why(
    browsing: Browsing, changes: dict[str, str], message: str
) -> None:
    page = begin(browsing, **changes)
    assert page.status_code == 422
    assert message in text_of(page)
    assert "--" not in text_of(page)
    if (field := next(iter(changes))) != "question" and "999999" not in changes.values():
        assert f'<li><a href="#{field}">' in page.text
        described = re.findall(f'id="{field}"[^>]*aria-describedby="([^"]*)"', page.text)[0]
        assert f"{field}-error" in described.split()
        assert f'id="{field}-error"' in page.text


def test_who_is_not_listed_reviews_nothing(browsing: Browsing) -> None:
    config = browsing.workbench.session.config
    assert config is not None
    config.write_text(FORCE_TOML + '[review]\nreviewers = ["ben"]\n')
    other = Browsing(make_workbench(config))
    other.sign_in("anna", "administrator")
    assert "is not one of the reviewers" in text_of(other.get("/reviews"))


def test_the_list_counts_changed_texts_as_the_page_of_a_review_does(
    browsing: Browsing, load: Callable[..., Any]
) -> None:
    begin(browsing, second="0")
    read_all(browsing, "relevant")
    assert "4 of 4 0 of 0" in text_of(browsing.get("/reviews"))
    records = [*generate_records(200)]
    for record in records:
        record["narrative"] += " An entry was added."
    load(records)
    assert "0 of 4 0 of 0" in text_of(browsing.get("/reviews"))
    assert "Read 0 of 4" in text_of(browsing.get(f"/reviews/{NAME}"))


def test_records_beside_a_number_are_read_and_bound_what_the_words_miss(
    browsing: Browsing, load: Callable[..., Any]
) -> None:
    load(
        [
            {"crime_ref": f"SYN-{number}", "recorded_on": "2023-01-01", "offence_code": "22B",
             "narrative": text}
            for number, text in enumerate(["Snapchat was open."] * 8 + ["A snapchst came."] * 3
                                          + ["Nothing of note."] * 20)
        ]
    )  # fmt: skip
    browsing.post(f"/requests/{FILE}/answer")
    browsing.finish(f"answer {FILE}")
    assert begin(browsing, second="0", sample="").url.path == f"/reviews/{NAME}"
    read_all(browsing, "relevant")
    form = browsing.get(f"/requests/{FILE}/review?question=Q1&row=total")
    assert 'value="The app was used"' in form.text  # the criterion of the number itself
    assert begin(browsing, records="all of them").status_code == 422
    near = begin(browsing, second="0", sample="", records="near misses")
    assert near.url.path == f"/reviews/{NAME}-near-misses"
    assert "Records beside the number, near misses 3" in text_of(near)
    page = browsing.get(f"/reviews/{NAME}-near-misses/read")
    assert "The number does not count this record." in text_of(page)
    for _ in range(3):  # one text, so one decision
        if 'class="decide"' in page.text:
            page = decide(browsing, page, review=f"{NAME}-near-misses", verdict="not relevant")
    assert (
        "What it says Relevant 0 Not relevant 3 Relevant of all 0 at most, of 3 (95% confidence)"
        in text_of(page)
    )
    assert "Publishing withholds" not in text_of(page)  # of those beside the number, none is small
    others = begin(browsing, second="0", sample="5", records="without a mention")
    assert others.url.path == f"/reviews/{NAME}-no-mention"
    page = browsing.get(f"/reviews/{NAME}-no-mention/read")
    assert "Nothing of note." in text_of(page)
    decide(browsing, page, review=f"{NAME}-no-mention", verdict="not relevant")
    chosen = dict.fromkeys(find_boxes(browsing.get(f"/requests/{FILE}/answer")), "on")
    assert len(chosen) == 3
    browsing.post(f"/requests/{FILE}/answer", **chosen)
    browsing.finish(f"answer {FILE}")
    shown = text_of(browsing.get(f"/requests/{FILE}/answer"))
    assert "None was relevant" in shown, shown


def test_second_readings_that_nobody_makes_are_ended_with_a_reason(
    browsing: Browsing, tmp_path: Path
) -> None:
    begin(browsing)
    address = f"/reviews/{NAME}/end-second-readings"
    read_all(browsing, "relevant")
    assert address in browsing.get(f"/reviews/{NAME}").text
    asked = browsing.get(address)
    assert "2 records are not read a second time" in text_of(asked)
    assert "Say why" in text_of(browsing.post(address, reason=" "))
    ended = browsing.post(address, reason="There is one reader only.")
    assert ended.url.path == f"/reviews/{NAME}"
    assert "by anna: 2 are not made. Reason: There is one reader only." in text_of(ended)
    assert "Everything is decided" in text_of(ended)
    assert address not in ended.text
    assert browsing.post(address, reason="Again.").status_code == 409
    assert browsing.get(address).url.path == f"/reviews/{NAME}"
    log = (tmp_path / "home" / "audit" / "audit.jsonl").read_text().splitlines()
    line = next(one for one in map(json.loads, log) if "end-second" in one["command"])
    assert (line["signed_in"], line["reference"]) == ("anna", "FOI/1")


def test_the_list_of_what_was_drawn_is_saved_and_tells_a_second_reader_nothing(
    browsing: Browsing, foidex: CommandLine
) -> None:
    begin(browsing)
    read_all(browsing, "relevant")
    saved = browsing.get(f"/reviews/{NAME}/export")
    assert saved.headers["content-disposition"].startswith("attachment")
    assert saved.text == foidex("review", "export", NAME).out
    assert saved.text.count("relevant,") == 2  # of those that are read once
