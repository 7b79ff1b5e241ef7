"""The workbench in a real browser: the whole job by keyboard alone, without script, on any screen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from indexer.records.sample import generate_records
from tests.support.browsing import open_workbench
from tests.support.paths import ROOT
from tests.support.workbench_browser import (
    Served,
    await_end,
    click_through,
    find_faults,
    follow,
    press_until,
    serve,
    sign_in,
)

Scheme = Literal["light", "dark"]

PATHS = [
    "/",
    "/requests/new",
    "/requests/reference.yaml",
    "/requests/reference.yaml/form",
    "/requests/reference.yaml/edit",
    "/requests/reference.yaml/letters",
    "/requests/reference.yaml/versions",
    "/requests/reference.yaml/versions/000001",
    "/requests/reference.yaml/wording",
    "/requests/reference.yaml/answer",
    "/requests/reference.yaml/publish",
    "/requests/reference.yaml/replay",
    "/requests/broken.yaml",
    "/letters/new",
    "/reviews",
    "/index",
    "/nothing",
]


@pytest.fixture
def served(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Served]:
    lines = (ROOT / "tests" / "data" / "reference.jsonl").read_text("utf-8").splitlines()
    load([*map(json.loads, lines), *generate_records(200)])
    reference = (ROOT / "tests" / "data" / "requests" / "reference.yaml").read_text("utf-8")
    broken = "reference: A\ntitel: T\n"
    workbench = open_workbench(
        tmp_path, environment, monkeypatch, reference=reference, broken=broken
    )
    opened = workbench.requests.read("reference.yaml")
    workbench.requests.save("reference.yaml", f"{reference}# Changed.\n", opened.version)
    yield from serve(workbench)


def test_the_whole_job_is_done_by_keyboard_alone(served: Served, browser: Browser) -> None:
    page = browser.new_context().new_page()
    page.goto(served.sign_in_address())
    press_until(page, "Sign in")
    follow(page)
    press_until(page, "New request")
    follow(page)
    assert page.url.endswith("/requests/new")
    for label, text in (
        ("Reference", "FOI/7"),
        ("Subject", "Snapchat in records"),
        ("Words that a record must mention", "Snapchat"),
    ):
        press_until(page, label)
        page.keyboard.type(text)
    press_until(page, "Save and continue")
    follow(page)
    assert page.url.endswith("/requests/FOI-7.yaml")
    press_until(page, "Count")
    follow(page)
    assert page.url.endswith("/answer")
    await_end(page, served, "answer FOI-7.yaml")
    assert page.locator("td.number a").count() > 0
    page.locator("td.number a").first.focus()
    follow(page)
    assert "/records?" in page.url
    assert page.locator("mark").first.inner_text().casefold().replace(" ", "") == "snapchat"
    page.goto(f"{served.url}/requests/FOI-7.yaml/publish")
    press_until(page, "See what would go out")
    follow(page)
    await_preview(page, served, "FOI-7.yaml")
    press_until(page, "Publish")
    follow(page)
    await_end(page, served, "publish FOI-7.yaml")
    with page.expect_download() as download:
        page.get_by_text("FOI-7.letter.pdf").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    page.context.close()


def await_preview(page: Page, served: Served, file: str) -> None:
    """Wait until what would go out is worked out, then show it."""
    await_end(page, served, f"preview {file} {page.url.partition('?preview=')[2]}")


def test_every_page_works_without_script(served: Served, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, served)
    assert page.get_by_role("heading", name="Requests").count() == 1
    click_through(page.get_by_role("link", name="FOI2018/03922"))
    click_through(page.get_by_role("button", name="Count", exact=True))
    await_end(page, served, "answer reference.yaml")
    assert page.locator("table").count() >= 3
    preview_letter(page, served)
    click_through(page.get_by_role("button", name="Publish"))
    await_end(page, served, "publish reference.yaml")
    assert page.get_by_role("heading", name="Published").count() == 1
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_on_any_page_is_out_of_reach(
    served: Served, browser: Browser, scheme: Scheme
) -> None:
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    page.goto(served.sign_in_address())
    assert find_faults(page) == []
    click_through(page.get_by_role("button", name="Sign in"))
    for name in ("answer", "wording"):
        page.goto(f"{served.url}/requests/reference.yaml/{name}")
        page.goto(f"{served.url}/requests/reference.yaml")
        button = {"answer": "Count", "wording": "Check the wording"}[name]
        click_through(page.get_by_role("button", name=button, exact=True))
        await_end(page, served, f"{name} reference.yaml")
    preview_letter(page, served)
    page.goto(f"{served.url}/requests/new")
    click_through(page.get_by_role("button", name="Save and continue"))
    assert page.get_by_text("There is a problem").count() == 1
    assert find_faults(page) == []
    for path in PATHS:
        page.goto(f"{served.url}{path}")
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert find_faults(page) == [], path
    page.context.close()


def preview_letter(page: Page, served: Served) -> None:
    """Have the letter as it would go out on the page of publishing."""
    page.goto(f"{served.url}/requests/reference.yaml/publish")
    click_through(page.get_by_role("button", name="See what would go out"))
    await_preview(page, served, "reference.yaml")
    assert page.get_by_text("The letter as it would go out").count() == 1


def test_no_page_is_wider_than_a_small_screen(served: Served, browser: Browser) -> None:
    page = browser.new_context(viewport={"width": 320, "height": 640}).new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/requests/reference.yaml")
    click_through(page.get_by_role("button", name="Count", exact=True))
    await_end(page, served, "answer reference.yaml")
    preview_letter(page, served)
    for path in PATHS:
        page.goto(f"{served.url}{path}")
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 320, (path, width)
    page.goto(served.url)
    table = page.get_by_role("region", name="Requests")
    assert table.evaluate("e => e.scrollWidth <= e.clientWidth"), "the state is scrolled to"
    page.context.close()


def test_nothing_is_fetched_from_elsewhere_and_no_script_runs(
    served: Served, browser: Browser
) -> None:
    page = browser.new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    sign_in(page, served)
    for path in PATHS:
        page.goto(f"{served.url}{path}")
        assert page.locator("script").count() == 0
    assert all(url.startswith(served.url) for url in fetched)
    page.context.close()
