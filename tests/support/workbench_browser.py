"""A workbench that a real browser opens, and what is asked of each of its pages."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from queries.workbench.access.people import Person
from queries.workbench.app import build_workbench_app
from queries.workbench.site import Workbench

#: Names a folder for pictures of the pages, to be looked at by a person.
PICTURES: Final = "FOIDEX_TEST_PICTURES"

_SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


class Served:
    """A workbench that a real server serves on a port of its own."""

    def __init__(self, workbench: Workbench) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.workbench = workbench
        self.url = f"http://127.0.0.1:{self.port}"
        app = build_workbench_app(workbench, [f"127.0.0.1:{self.port}"])
        options = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="error")
        self.server = uvicorn.Server(options)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def start(self) -> None:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()

    def sign_in_address(self) -> str:
        return f"{self.url}/sign-in?token={self.workbench.links.issue(Person('anna', 'administrator'))}"


def serve(workbench: Workbench) -> Iterator[Served]:
    """Serve a workbench for as long as a fixture lasts."""
    served = Served(workbench)
    served.start()
    yield served
    served.stop()


def sign_in(page: Page, served: Served) -> None:
    """Sign in by the link, with the button."""
    page.goto(served.sign_in_address())
    click_through(page.get_by_role("button", name="Sign in"))


def await_end(page: Page, served: Served, task: str) -> None:
    """Wait until a task has begun and is done, then show the page again."""
    while (found := served.workbench.tasks.find(task)) is None or found.is_running:
        time.sleep(0.05)
    page.reload()


def press_until(page: Page, label: str) -> None:
    """Go to what has a label by the Tab key alone."""
    for _ in range(200):
        page.keyboard.press("Tab")
        focused = page.evaluate_handle("document.activeElement")
        text = page.evaluate(
            "e => e.innerText || e.getAttribute('aria-label') || (e.labels && e.labels[0] ? e.labels[0].innerText : '')",
            focused,
        )
        if str(text).strip() == label:
            return
    raise AssertionError(f'"{label}" is not reached by the keyboard on {page.url}')


def click_through(element: Locator) -> None:
    """Click what leads to a page, and wait for that page; the click alone does not wait."""
    with element.page.expect_navigation():
        element.click()


def follow(page: Page) -> None:
    """Press Enter, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def find_faults(page: Page) -> list[tuple[str, str]]:
    """What axe says is out of reach for someone."""
    found: dict[str, Any] = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [(one["id"], node["html"]) for one in found["violations"] for node in one["nodes"]]


def find_width(page: Page) -> int:
    """How wide a page is, in pixels, on a screen of 320."""
    page.set_viewport_size({"width": 320, "height": 640})
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1100, "height": 900})
    return int(width)


def require_usable(page: Page, name: str) -> None:
    """Fail if a page is out of reach in light or dark, or wider than a screen of 320 pixels."""
    folder = os.environ.get(PICTURES)
    for scheme in _SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert find_faults(page) == [], (name, scheme)
        if folder:
            page.screenshot(path=Path(folder) / f"{name}-{scheme}.png", full_page=True)
    page.emulate_media(color_scheme="light")
    if folder:
        page.set_viewport_size({"width": 320, "height": 640})
        page.screenshot(path=Path(folder) / f"{name}-320.png", full_page=True)
    assert find_width(page) <= 320, name
