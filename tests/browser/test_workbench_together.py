"""Two real browsers at the served workbench: one request, double clicks, going back, reloading."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.support.serving import SECRET, Service
from tests.support.workbench_browser import click_through

REQUEST = (
    "reference: FOI/1\ntitle: T\nmentions: [Snapchat]\nquestions: [{id: Q1, kind: offences}]\n"
)

SLOW = 120_000  # milliseconds: the machine may be busy


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FOIDEX_")}
    served = Service(tmp_path, kept | {"FOIDEX_HOME": str(tmp_path / "home")})
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "a.yaml").write_text(REQUEST)
    served.start()
    yield served
    served.stop()


def open_page(browser: Browser, service: Service, name: str) -> Page:
    """A page of a browser of its own, of someone whom the proxy signs in."""
    headers = {"X-Forwarded-User": name, "X-Foidex-Proxy-Secret": SECRET}
    page = browser.new_context(extra_http_headers=headers, java_script_enabled=False).new_page()
    page.set_default_timeout(SLOW)
    page.goto(f"{service.url}/requests/a.yaml/edit")
    return page


def list_texts(service: Service) -> list[str]:
    folder = service.folder / "requests"
    kept = sorted((folder / "versions").glob("a.yaml.*"))
    return [path.read_text() for path in (*kept, folder / "a.yaml")]


@pytest.mark.timeout(900)
def test_two_browsers_change_one_request(service: Service, browser: Browser) -> None:
    anna, ben = (open_page(browser, service, name) for name in ("anna", "ben"))
    mine = f"{REQUEST}# by anna\n"
    anna.locator("textarea").first.fill(mine)
    anna.get_by_role("button", name="Save").first.dblclick()
    anna.wait_for_url("**/requests/a.yaml")
    assert list_texts(service) == [REQUEST, mine]
    ben.locator("textarea").first.fill(f"{REQUEST}# by ben\n")
    click_through(ben.get_by_role("button", name="Save").first)
    assert "omeone else saved this request" in ben.locator("main").inner_text()
    for text in ("# by anna", "# by ben"):
        assert text in ben.content()
    assert list_texts(service) == [REQUEST, mine]
    ben.reload()  # the browser sends the form again, and nothing of it is saved either
    assert list_texts(service) == [REQUEST, mine]
    anna.reload()
    anna.go_back()
    anna.go_forward()
    assert list_texts(service) == [REQUEST, mine]
    service.kill()
    service.start()
    click_through(ben.get_by_role("button", name="Save").first)
    assert ben.url.endswith("/requests/a.yaml")
    assert list_texts(service) == [REQUEST, mine, f"{REQUEST}# by ben\n"]
    for page in (anna, ben):
        page.context.close()
