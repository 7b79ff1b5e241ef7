"""Two people at the served workbench at once, forms that are sent twice, and pages open for long."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from tests.support.serving import Service

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
