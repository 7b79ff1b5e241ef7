"""The officer's job in the workbench on a real server, with the same numbers as the commands."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.records.sample import generate_records
from queries.workbench.error_text import adapt_advice
from tests.support.browsing import Browsing, make_workbench, open_workbench, text_of
from tests.support.command_line import CommandLine
from tests.support.paths import ROOT

REFERENCE = (ROOT / "tests" / "data" / "requests" / "reference.yaml").read_text("utf-8")

FILE = "reference.yaml"

PAGE = f"/requests/{FILE}"


@pytest.fixture
def browsing(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Browsing:
    """A workbench of a force whose index has records, with one request file in its folder."""
    lines = (ROOT / "tests" / "data" / "reference.jsonl").read_text("utf-8").splitlines()
    load([*map(json.loads, lines), *generate_records(300)])
    workbench = open_workbench(tmp_path, environment, monkeypatch, reference=REFERENCE)
    found = Browsing(workbench)
    found.sign_in()
    return found


def answer(browsing: Browsing) -> Any:
    browsing.post(f"{PAGE}/answer")
    browsing.finish(f"answer {FILE}")
    return browsing.get(f"{PAGE}/answer")


def publish(browsing: Browsing, file: str = FILE) -> Any:
    """Look at what would go out, and press the button below it."""
    return browsing.press_publish(file, browsing.preview(file))


def list_log(tmp_path: Path) -> list[dict[str, Any]]:
    log = tmp_path / "home" / "audit" / "audit.jsonl"
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_numbers_are_those_of_the_command_line(browsing: Browsing, foidex: CommandLine) -> None:
    page = answer(browsing)
    printed = json.loads(
        foidex("answer", browsing.workbench.requests.path / FILE, "--format", "json").out
    )
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', page.text, re.DOTALL)
    shown = [
        [re.sub("<.*?>", "", cell).strip() for cell in re.findall("<td.*?</td>", cells, re.DOTALL)]
        for _, cells in rows
    ]
    expected = [
        [f"{count:,}" for count in row["counts"]]
        for question in printed["questions"]
        for row in (*question["table"]["rows"], question["table"]["total"])
    ]
    assert shown == expected
    assert "Not for publication" in text_of(page)


def test_each_number_leads_to_as_many_records_and_each_look_is_logged(
    browsing: Browsing, tmp_path: Path
) -> None:
    page = answer(browsing)
    links = re.findall(
        r'<a href="(/requests/[^"]*/records\?[^"]*)" aria-label="([\d,]+), ', page.text
    )
    assert len(links) >= 3
    places: list[str] = []
    for address, number in links:
        records = browsing.get(address.replace("&amp;", "&"))
        count = int(number.replace(",", ""))
        assert f"{count:,} record" in text_of(records)
        assert len(re.findall('<th scope="row">', records.text)) == min(count, 100)
        assert "these lines are not anonymous" in text_of(records)
        places.append(
            re.findall(r"Records behind a number (Question .*?) Read", text_of(records))[0]
        )
    labels = re.findall('aria-label="([\\d,]+, records of [^"]*)"', page.text)
    assert len(labels) == len(set(labels)) == len(links)
    words = [label.partition(", records of ")[2].replace(", ", ": ", 1) for label in labels]
    assert [re.sub(r" \(\S*\)", "", f"Question {word}") for word in words] == [
        place.replace(" asked about", "") for place in places
    ]
    opened = [line for line in list_log(tmp_path) if line["command"] == "find"]
    assert len(opened) == len(links)
    assert {line["signed_in"] for line in opened} == {"anna"}
    assert {line["reference"] for line in opened} == {"FOI2018/03922"}


def test_a_reader_sees_neither_unpublished_numbers_nor_records(browsing: Browsing) -> None:
    answer(browsing)
    browsing.sign_in("ben", "reader")
    assert "/answer" not in browsing.get(PAGE).text
    for address in ("answer", "wording", "documents/answer/FOI2018-03922.answer.json"):
        assert browsing.get(f"{PAGE}/{address}").status_code == 403


def test_numbers_of_a_request_that_was_changed_say_so(browsing: Browsing) -> None:
    assert "changed since this was counted" not in text_of(answer(browsing))
    opened = browsing.workbench.requests.read(FILE)
    browsing.workbench.requests.save(
        FILE, opened.text.replace("Snapchat", "Snapchat chat"), opened.version
    )
    assert "changed since this was counted" in text_of(browsing.get(f"{PAGE}/answer"))


def test_the_wording_check_says_what_lint_says(browsing: Browsing, foidex: CommandLine) -> None:
    browsing.post(f"{PAGE}/wording")
    browsing.finish(f"wording {FILE}")
    page = text_of(browsing.get(f"{PAGE}/wording"))
    printed = foidex("lint", browsing.workbench.requests.path / FILE, "--no-context").out
    said = adapt_advice(printed.split("\nIn ", 1)[1])
    assert "Counted as well, written with a space" in said
    assert " ".join(said.split()) in page


def test_a_near_miss_is_counted_by_ticking_it(browsing: Browsing, load: Callable[..., Any]) -> None:
    load([
        {"crime_ref": f"A/{n}", "recorded_on": "2018-01-05", "offence_code": "22B", "narrative": text}
        for n, text in enumerate(["A live stream was named."] * 6 + ["Someone was livestreamed."] * 3)
    ])  # fmt: skip
    text = (
        "reference: R/1\ntitle: T\nmentions: [live stream]\nquestions: [{id: Q1, kind: offences}]\n"
    )
    browsing.workbench.requests.create("near.yaml", text)
    address = "/requests/near.yaml/wording"
    browsing.post(address)
    browsing.finish("wording near.yaml")
    page = browsing.get(address)
    assert "would add 3 to the 6 of live stream" in text_of(page)
    (box,) = re.findall('<input type="checkbox"[^>]*name="(count-[^"]*)"', page.text)
    version = re.findall('name="version" value="(.*?)"', page.text)[0]
    stale = browsing.post(address, do="count", version="0" * 64, **{box: "on"})
    assert stale.status_code == 409
    assert browsing.workbench.requests.read("near.yaml").text == text
    browsing.post(address, do="count", version=version, **{box: "on"})
    browsing.finish("wording near.yaml")
    assert "livestreamed" in browsing.workbench.requests.read("near.yaml").text
    browsing.post("/requests/near.yaml/answer")
    browsing.finish("answer near.yaml")
    assert 'aria-label="9, records of Q1' in browsing.get("/requests/near.yaml/answer").text


def test_an_answer_is_published_with_small_numbers_withheld_and_recorded(
    browsing: Browsing, foidex: CommandLine, tmp_path: Path
) -> None:
    assert 'value="publish"' not in browsing.get(f"{PAGE}/publish").text
    shown = browsing.preview(FILE)
    previewed = text_of(shown)
    (letter,) = re.findall('<pre class="letter">(.*?)</pre>', shown.text, re.DOTALL)
    assert "withheld" in previewed
    assert "Publish it What you see here goes out, and nothing else" in previewed
    assert "[c]" in previewed.partition("The numbers as they would be given")[2]
    assert not list((tmp_path / "requests" / "answers").glob("*/published"))
    page = browsing.press_publish(FILE, shown)
    assert "Published By anna" in text_of(page)
    assert "Documents to send" in text_of(page)
    assert "The numbers as they would be given" not in text_of(page)
    assert 'value="publish"' not in page.text
    links = re.findall(r'href="(/requests/[^"]*/documents/published/[^"]*)"', page.text)
    assert len(links) > 8
    for link in links:
        document = browsing.get(link)
        assert document.status_code == 200
        kind = "inline" if link.endswith(".txt") else "attachment"
        assert document.headers["content-disposition"].startswith(kind)
    released = browsing.get(f"{PAGE}/documents/published/FOI2018-03922.letter.txt").text
    sources = "Where the figures come from"  # which has the minute of the count
    assert html.unescape(letter).partition(sources)[0] == released.partition(sources)[0]
    assert sources in released
    published = json.loads(
        browsing.get(f"{PAGE}/documents/published/FOI2018-03922.answer.json").text
    )
    assert published["disclosure"]["threshold"] == 5
    lines = [line for line in list_log(tmp_path) if line.get("ledger")]
    assert [line["signed_in"] for line in lines] == ["anna"]
    browsing.press_publish(FILE, shown)  # the same form again
    assert [line for line in list_log(tmp_path) if line.get("ledger")] == lines
    assert "is intact" in foidex("audit", "verify").out or foidex("audit", "verify").code == 0
    assert "Published" in text_of(browsing.get("/"))


def test_a_force_that_is_not_complete_is_told_what_is_missing(browsing: Browsing) -> None:
    config = browsing.workbench.session.config
    assert config is not None
    config.write_text("")
    other = Browsing(make_workbench(config))
    other.sign_in()
    assert "must set name, address, contact, signatory" in text_of(other.get(f"{PAGE}/publish"))
    page = text_of(other.preview(FILE))
    assert "This did not work" in page
    assert "Publish it What" not in page
    assert "[force]" in page


MONTHS = """\
reference: FOI/2
title: Mentions
period: {from: 2017-04-01, to: 2017-12-31}
mentions: [live stream]
questions:
  - {id: Q1, kind: by, by: month}
"""


def test_the_page_says_what_would_give_more_and_what_was_released_before(
    browsing: Browsing, foidex: CommandLine, load: Callable[..., Any]
) -> None:
    """3 or 4 records in each month: by month little is given, by quarter all of it."""
    days = [f"2017-{month:02}-05" for month in range(4, 13) for _ in range(3 + month % 2)]
    load([
        {"crime_ref": f"A/{n}", "recorded_on": day, "offence_code": "22B", "narrative": "A live stream was named."}
        for n, day in enumerate(days)
    ])  # fmt: skip
    address = "/requests/months.yaml/publish"
    browsing.workbench.requests.create("months.yaml", MONTHS)
    page = text_of(browsing.get(address))
    assert "This request was not published yet" in page
    assert "of other requests" not in page
    publish(browsing)
    path = browsing.workbench.requests.path / "months.yaml"
    printed = foidex("lint", path, "--publish", "--no-context").out
    page = text_of(browsing.preview("months.yaml"))
    expected = [line for line in printed.splitlines() if "would give more" in line]
    assert len(expected) == 2  # by quarter, and by financial year
    for line in expected:
        words, numbers = line.split("would give more: ")[1].rsplit(": ", 1)
        assert f"{words}: {numbers.partition(' numbers')[0]}" in page
    assert "1 release of other requests" in page
    assert "FOI2018/03922" in page
    own = text_of(browsing.get(f"{PAGE}/publish"))
    assert "Rule set aside" in own
    assert "of other requests" not in own


def test_every_record_of_a_large_number_is_on_one_of_its_pages(
    browsing: Browsing, load: Callable[..., Any]
) -> None:
    load([
        {"crime_ref": f"A/{n:03}", "recorded_on": "2017-05-05", "offence_code": "22B", "narrative": "A live stream was named."}
        for n in range(230)
    ])  # fmt: skip
    browsing.workbench.requests.create("months.yaml", MONTHS)
    browsing.post("/requests/months.yaml/answer")
    browsing.finish("answer months.yaml")
    assert (
        'href="/requests/months.yaml/publish">Go on'
        in browsing.get("/requests/months.yaml/answer").text
    )
    page = browsing.get("/requests/months.yaml/records?question=Q1&row=total&column=")
    shown, words = [], []
    for _ in range(3):
        shown += re.findall('<th scope="row">(.*?)</th>', page.text)
        words.append(re.findall(r"These are (\d+ to \d+)", text_of(page)))
        links = dict(re.findall('<a href="([^"]*)">(Next|Previous) records</a>', page.text))
        following = [address for address, word in links.items() if word == "Next"]
        if following:
            page = browsing.get(html.unescape(following[0]))
    assert shown == [f"A/{n:03}" for n in range(230)]
    assert words == [["1 to 100"], ["101 to 200"], ["201 to 230"]]
    assert "Previous records" in text_of(page)
    assert "Next records" not in text_of(page)
    address = "/requests/months.yaml/records?question=Q1&row=total&column=&page="
    for number, first in (("99", "A/200"), ("0", "A/000"), ("x", "A/000"), ("2", "A/100")):
        assert (
            re.findall('<th scope="row">(.*?)</th>', browsing.get(address + number).text)[0]
            == first
        )


@pytest.mark.parametrize(
    "address",
    [
        "documents/answer/manifest.json",
        "documents/answer/%2e%2e/published/x",
        "documents/answer/../../../foidex.toml",
        "documents/other/FOI2018-03922.answer.json",
        "documents/answer/tables%2f..%2fFOI2018-03922.answer.json",
        "records?question=Q9&row=total&column=",
        "records?question=Q1&row=%00&column=x",
    ],
)
def test_no_other_file_or_number_is_reached(browsing: Browsing, address: str) -> None:
    answer(browsing)
    page = browsing.get(f"{PAGE}/{address}")
    assert page.status_code in (400, 404)
    assert "signatory" not in page.text
    assert "Traceback" not in page.text


def test_the_index_page_says_what_it_holds(browsing: Browsing) -> None:
    page = text_of(browsing.get("/index"))
    assert "Records 3" in page
    assert "UTC" in page
