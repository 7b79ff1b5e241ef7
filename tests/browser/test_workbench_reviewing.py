"""Texts, and reviews beside a number, in a real browser: by keyboard, and usable by everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.browsing import open_workbench
from tests.support.force import FORCE_TOML
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
reference: FOI/62
title: What was written
mentions: [entry]
questions:
  - {id: L1, kind: list, text: "What do the records say?", fields: [offence, narrative]}
"""

NUMBERS = """\
reference: FOI/63
title: Entries
mentions: [entry]
questions:
  - {id: Q1, kind: offences}
"""

RECORDS = [
    {
        "crime_ref": f"SYN-{number:03}",
        "recorded_on": "2023-02-01",
        "offence_code": "22B",
        "narrative": text,
    }
    for number, text in enumerate(
        [f"An entry of Exampleton, kept by zqxname {one}." for one in range(6)]
        + ["An entrx was kept."] * 2
        + ["Nothing of note."] * 3
    )
]


@pytest.fixture
def served(
    environment: dict[str, str],
    load: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Served]:
    load(RECORDS)
    (tmp_path / "foidex.toml").write_text("[lists]\nnarratives = true\n" + FORCE_TOML)
    workbench = open_workbench(tmp_path, environment, monkeypatch, texts=REQUEST, numbers=NUMBERS)
    yield from serve(workbench)


def test_texts_and_reviews_beside_a_number_are_read_by_keyboard(
    served: Served, browser: Browser
) -> None:
    page = browser.new_context(bypass_csp=True).new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/requests/texts.yaml")
    press_until(page, "Approve the texts")
    follow(page)
    require_usable(page, "texts")
    press_until(page, "Read the next text of question L1")
    follow(page)
    press_until(page, "Words to hide")
    page.keyboard.type("zqxname")
    press_until(page, "Hide these words")
    follow(page)
    assert page.get_by_text("zqxname").count() == 0
    require_usable(page, "text")
    press_until(page, "Approve")
    follow(page)
    press_until(page, "Refuse")
    follow(page)
    assert page.get_by_text("2 of 6 texts decided").count() == 1
    page.goto(f"{served.url}/requests/texts.yaml/texts")
    require_usable(page, "texts-begun")
    page.goto(f"{served.url}/requests/numbers.yaml")
    click_through(page.get_by_role("button", name="Count", exact=True))
    await_end(page, served, "answer numbers.yaml")
    click_through(page.locator("td.number a").last)
    click_through(page.get_by_role("link", name="Read and decide"))
    require_usable(page, "begin-review")
    page.get_by_label("Which records are read").select_option("without a mention")
    page.get_by_label("When is a record relevant?").fill("Something was kept")
    press_until(page, "Begin")
    follow(page)
    require_usable(page, "review-beside")
    click_through(page.get_by_role("link", name="Read the next record"))
    require_usable(page, "record-beside")
    page.goto(f"{page.url.removesuffix('/read')}/end-second-readings")
    press_until(page, "End second readings")
    follow(page)
    assert page.get_by_text("There is a problem").count() == 1
    require_usable(page, "end-second-readings")
    page.context.close()
