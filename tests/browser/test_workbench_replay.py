"""The page of a replay in a real browser: found from the request, and usable by everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import open_workbench
from tests.support.workbench_browser import (
    Served,
    await_end,
    click_through,
    follow,
    press_until,
    require_usable,
    serve,
    sign_in,
)

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
    workbench = open_workbench(tmp_path, environment, monkeypatch, **{"FOI-7": REQUEST})
    yield from serve(workbench)


def test_an_old_answer_is_replayed_by_keyboard(
    served: Served, browser: Browser, load: Callable[..., Any]
) -> None:
    page = browser.new_context(bypass_csp=True).new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/requests/FOI-7.yaml")
    click_through(page.get_by_role("button", name="Count", exact=True))
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
