"""The page of a replay in a real browser: found from the request, and usable by everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.support.browsing import make_workbench
from tests.support.force import FORCE_TOML
from tests.support.workbench_browser import Served, follow, press_until, require_usable

REQUEST = """\
reference: FOI/7
title: Snapchat in records
mentions: [Snapchat]
questions:
  - {id: Q1, kind: offences}
"""

RECORDS = [
    {
        "crime_ref": f"SYN-{number:03}",
        "recorded_on": "2023-02-01",
        "offence_code": "22B",
        "narrative": "Snapchat was open.",
    }
    for number in range(20)
]


@pytest.fixture
def served(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Served]:
    load(RECORDS)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "foidex.toml").write_text(FORCE_TOML)
    workbench = make_workbench(tmp_path / "foidex.toml")
    workbench.requests.create("FOI-7.yaml", REQUEST)
    running = Served(workbench)
    running.start()
    yield running
    running.stop()


def await_end(page: Page, served: Served, task: str) -> None:
    while (found := served.workbench.tasks.find(task)) is None or found.is_running:
        page.wait_for_timeout(50)
    page.reload()


def test_an_old_answer_is_replayed_by_keyboard(
    served: Served, browser: Browser, load: Callable[..., Any]
) -> None:
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(served.sign_in_address())
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{served.url}/requests/FOI-7.yaml")
    page.get_by_role("button", name="Count", exact=True).click()
    await_end(page, served, "answer FOI-7.yaml")
    load(RECORDS[3:])
    page.goto(f"{served.url}/requests/FOI-7.yaml")
    press_until(page, "Replay an old answer")
    follow(page)
    require_usable(page, "replay")
    press_until(page, "Replay")
    follow(page)
    name = page.locator("section h2").get_attribute("id")
    await_end(page, served, f"replay FOI-7.yaml {name}")
    assert page.get_by_text("moved, by 3 records").count() == 1
    assert page.get_by_text("SYN-000").count() == 1
    require_usable(page, "replayed")
    page.context.close()
