"""Two people at the served workbench at once, forms that are sent twice, and pages open for long."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from indexer.records.sample import generate_records
from queries.reviewing.store.review_store import open_store
from tests.support.serving import Browser, Service, read_turn

REQUEST = """\
reference: FOI/1
title: Snapchat in records
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences}
"""

REVIEW = "FOI-1-Q1"

PAGE = "/requests/a.yaml"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Service]:
    """A workbench that needs no server of records."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    yield from serve(tmp_path, kept | {"FOIDEX_HOME": str(tmp_path / "home")})


@pytest.fixture
def counted(
    environment: dict[str, str], load: Callable[..., Any], tmp_path: Path
) -> Iterator[Service]:
    """A workbench with records."""
    load(generate_records(300))
    yield from serve(tmp_path, environment)


def serve(folder: Path, environment: dict[str, str]) -> Iterator[Service]:
    service = Service(folder, environment)
    (folder / "requests").mkdir()
    (folder / "requests" / "a.yaml").write_text(REQUEST)
    service.start()
    yield service
    service.stop()
    assert "Traceback" not in service.log.read_text()


def at_once(*works: Callable[[], httpx2.Response]) -> list[httpx2.Response]:
    """Do all of it at the same moment."""
    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(work) for work in works]]


def list_texts(service: Service) -> list[str]:
    """The kept versions of the request, and the one of now."""
    folder = service.folder / "requests"
    kept = sorted((folder / "versions").glob("a.yaml.*"))
    return [path.read_text() for path in (*kept, folder / "a.yaml")]


@pytest.mark.parametrize("kind", ["edit", "form"])
def test_two_people_change_one_request(served: Service, kind: str) -> None:
    """The second is told, and sees both texts; sent again on purpose, theirs is saved."""
    anna, ben = served.browser("anna"), served.browser("ben")
    address = f"{PAGE}/{kind}"
    pages = [browser.get(address) for browser in (anna, ben)]
    fields = [{"text": f"{REQUEST}# by {name}\n"} for name in ("anna", "ben")]
    if kind == "form":
        fields = [
            read_form(page) | {"title": f"by {name}"}
            for page, name in zip(pages, ("anna", "ben"), strict=True)
        ]
    sent = at_once(
        lambda: anna.press(pages[0], address, **fields[0]),
        lambda: ben.press(pages[1], address, **fields[1]),
    )
    assert sorted(page.status_code for page in sent) == [200, 409]
    late = int(sent[0].status_code == 200)
    assert "omeone else saved this request" in sent[late].text
    for shown in ("by anna", "by ben"):
        assert shown in sent[late].text
    assert len(list_texts(served)) == 2
    again = (anna, ben)[late].press(sent[late], address, **fields[late])
    assert again.status_code == 200
    texts = list_texts(served)
    assert (len(texts), len(set(texts))) == (3, 3)


def read_form(page: httpx2.Response) -> dict[str, str]:
    """The fields of the form of a request, as they are."""
    form = page.text.split("<form")[1].split("</form>")[0]
    found = dict(re.findall(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', form))
    found |= dict(
        re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL)
    )
    return {
        name: value
        for name, value in found.items()
        if name != "version" and not name.startswith("take-")
    }


def test_a_form_that_is_sent_twice_is_saved_once(served: Service) -> None:
    """A double click, and a page that is sent again after going back."""
    anna = served.browser("anna")
    page = anna.get(f"{PAGE}/edit")
    text = REQUEST + "# changed\n"
    sent = at_once(*[lambda: anna.press(page, f"{PAGE}/edit", text=text)] * 2)
    sent.append(anna.press(page, f"{PAGE}/edit", text=text))
    assert [one.status_code for one in sent] == [200] * 3
    assert list_texts(served) == [REQUEST, text]
    page = anna.get(f"{PAGE}/form")
    fields = read_form(page) | {"title": "Another title"}
    sent = at_once(*[lambda: anna.press(page, f"{PAGE}/form", **fields)] * 2)
    assert [one.status_code for one in sent] == [200] * 2
    assert len(list_texts(served)) == 3
    new = {"reference": "FOI/2", "title": "T", "by_offence": "on"}
    sent = at_once(*[lambda: anna.post("/requests/new", **new)] * 2)
    assert [one.status_code for one in sent] == [200] * 2
    other = anna.post("/requests/new", **(new | {"title": "Another"}))
    assert other.status_code == 422
    assert "there is a request of this name" in other.text
    changes = [line for line in served.list_log() if line["command"] == "request change"]
    assert len({(line["asked"]["before"], line["asked"]["after"]) for line in changes}) == 2


def test_pages_that_were_open_over_a_restart(served: Service) -> None:
    """What was typed is saved by a page of before; a form to publish is not."""
    anna = served.browser("anna")
    page = anna.get(f"{PAGE}/edit")
    served.kill()
    served.start()
    text = REQUEST + "# typed before\n"
    assert anna.press(page, f"{PAGE}/edit", text=text).status_code == 200
    assert list_texts(served)[-1] == text


def count_releases(page: httpx2.Response) -> int:
    own = page.text.split('id="releases"')[1].split("<details")[0]
    return len(re.findall(r'<th scope="row">', own))


def preview(browser: Browser) -> httpx2.Response:
    """Look at what would go out, as a page of its own."""
    address = f"{PAGE}/publish"
    sent = browser.press(browser.get(address), address, do="preview")
    return browser.await_that(f"{address}?{sent.url.query.decode()}", 'value="publish"')


def test_two_people_publish_one_request(counted: Service) -> None:
    anna, ben = counted.browser("anna"), counted.browser("ben")
    address = f"{PAGE}/publish"
    pages = [preview(browser) for browser in (anna, ben)]
    stale = ben.get(address)
    at_once(
        lambda: anna.press(pages[0], address, do="publish"),
        lambda: anna.press(pages[0], address, do="publish"),
        lambda: ben.press(pages[1], address, do="publish"),
    )
    done = anna.await_that(address, "Documents to send")
    assert count_releases(done) == 1
    set_address = re.findall(r'href="([^"]*documents/published/[^"]*answer.json)"', done.text)[0]
    content = anna.get(set_address).content
    again = anna.press(pages[0], address, do="publish")  # the same form again
    assert again.status_code == 200
    assert ben.press(stale, address, do="publish").status_code == 200
    late = ben.await_that(address, "Nothing was published")
    assert "It was published since you looked at it" in late.text
    assert anna.get(set_address).content == content
    heads = [line for line in counted.list_log() if "ledger" in line]
    assert [line["ledger"]["releases"] for line in heads] == [1]
    # One changes it while the other publishes: what the page showed is published, or nothing.
    page, editor = preview(ben), anna.get(f"{PAGE}/edit")
    changed = REQUEST.replace("Snapchat in records", "Another subject")
    sent = at_once(
        lambda: ben.press(page, address, do="publish"),
        lambda: anna.press(editor, f"{PAGE}/edit", text=changed),
    )
    assert [one.status_code for one in sent] == [200, 200]
    while "is being published" in ben.get(address).text:
        time.sleep(0.01)
    assert json.loads(ben.get(set_address).text)["title"] == "Snapchat in records"
    # A page that was open over a restart publishes nothing, and says so.
    page = preview(anna)
    counted.kill()
    counted.start()
    late = anna.press(page, address, do="publish")
    assert late.status_code == 409
    assert "Nothing was published" in late.text
    assert count_releases(anna.get(address)) == 1
    # It is looked at again, and published.
    page = preview(anna)
    assert "Another subject" in page.text
    anna.press(page, address, do="publish")
    assert "By anna" in anna.await_that(address, "<h2>Published</h2>").text
    assert json.loads(anna.get(set_address).text)["title"] == "Another subject"


def read_record(browser: Browser) -> tuple[httpx2.Response, dict[str, str]]:
    page = browser.get(f"/reviews/{REVIEW}/read")
    return page, read_turn(page)


def read_all(browser: Browser, verdict: str) -> tuple[list[str], str]:
    """Read until nothing is left, each decision sent twice at once; what was shown."""
    shown: list[str] = []
    text = ""
    while True:
        page, fields = read_record(browser)
        if not fields:
            return shown, text
        text += page.text
        shown += fields["references"].split("\n")
        sent = at_once(
            *[lambda f=fields: browser.post(f"/reviews/{REVIEW}/read", **f, verdict=verdict)] * 2
        )
        assert [one.status_code for one in sent] == [200, 200]


def test_two_people_read_one_review(counted: Service, environment: dict[str, str]) -> None:
    anna, cara = counted.browser("anna"), counted.browser("cara")
    anna.post(f"{PAGE}/answer")
    page = anna.await_that(f"{PAGE}/answer", "row=total")
    link = re.findall(r'href="(/requests/[^"]*/records\?[^"]*row=total[^"]*)"', page.text)[0]
    records = anna.get(link.replace("&amp;", "&"))
    start = re.findall(r'href="(/requests/[^"]*/review\?[^"]*)"', records.text)[0]
    form = anna.get(start.replace("&amp;", "&"))
    begun = {"criterion": "The app was used", "sample": "8", "second": "50"}
    at_once(*[lambda: anna.press(form, f"{PAGE}/review", **begun)] * 2)
    assert anna.get("/reviews").text.count(f'href="/reviews/{REVIEW}"') == 1
    opened = [read_record(browser)[1]["references"] for browser in (anna, cara)]
    assert not set(opened[0].split("\n")) & set(opened[1].split("\n"))
    with ThreadPoolExecutor(2) as pool:
        reads = [
            pool.submit(read_all, browser, verdict)
            for browser, verdict in ((anna, "relevant"), (cara, "not relevant"))
        ]
        texts = [future.result()[1] for future in reads]
    # What the other left to be read a second time.
    texts += [read_all(browser, "relevant")[1] for browser in (anna, cara)]
    for text in texts:
        for word in ("First reading,", "You decided", "decided relevant"):
            assert word not in text
    with open_store(str(Path(environment["FOIDEX_HOME"]) / "reviews" / "reviews.sqlite")) as store:
        decisions = store.list_decisions(REVIEW)
    readings = [(one.reference, one.reading) for one in decisions]
    assert len(readings) == len(set(readings)) == 12
    for reference, _ in readings:
        readers = [one.reviewer for one in decisions if one.reference == reference]
        assert len(readers) == len(set(readers))
