"""The pages judged by axe-core in a real browser: what a screen reader or a keyboard cannot use."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from queries.documents.formats.letter import render_letter_html
from queries.documents.formats.report import render_report_html
from tests.support.answers import FORCE, hostile, sample_answer, tabled, wide
from tests.support.rendered import rendered

DAY = date(2018, 8, 15)

PAGES = {
    "report": rendered(render_report_html, sample_answer(1234), FORCE, DAY),
    "report, no records": rendered(render_report_html, sample_answer(0), FORCE, DAY),
    "report, hostile": rendered(render_report_html, hostile(sample_answer(1)), FORCE, DAY),
    "report, wide": rendered(render_report_html, tabled(sample_answer(1), wide(6, 24)), FORCE, DAY),
    "letter": rendered(render_letter_html, sample_answer(1234), FORCE, DAY),
    "letter, wide": rendered(render_letter_html, tabled(sample_answer(1), wide(6, 24)), FORCE, DAY),
}


def violations(
    browser: Browser, text: str, path: Path, scheme: Literal["light", "dark"]
) -> list[tuple[str, str]]:
    path.write_text(text, encoding="utf-8")
    # our pages forbid scripts, also axe's
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    page.goto(path.as_uri())
    found: dict[str, Any] = Axe().run(page, options={"resultTypes": ["violations"]}).response
    page.context.close()
    return [(one["id"], node["html"]) for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_on_the_page_is_out_of_reach(
    name: str, scheme: Literal["light", "dark"], browser: Browser, tmp_path: Path
) -> None:
    assert violations(browser, PAGES[name], tmp_path / "page.html", scheme) == []


def test_what_is_out_of_reach_would_be_told(browser: Browser, tmp_path: Path) -> None:
    broken = PAGES["report"].replace('role="img"', "").replace('<html lang="en-GB">', "<html>")
    broken = broken.replace("--soft: #4d4d4d", "--soft: #d0d0d0")
    found = {rule for rule, _ in violations(browser, broken, tmp_path / "page.html", "light")}
    assert {"html-has-lang", "color-contrast"} <= found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fetches_nothing_and_runs_nothing(
    name: str, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGES[name], encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    dialogues: list[str] = []
    page.on("dialog", lambda dialogue: dialogues.append(dialogue.message))
    page.goto(path.as_uri())
    assert asked == [path.as_uri()]
    assert not dialogues
    page.close()


@pytest.mark.parametrize("name", ["report, wide", "letter, wide"])
def test_a_wide_table_scrolls_by_itself_and_not_the_page(
    name: str, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGES[name], encoding="utf-8")
    page = browser.new_page(viewport={"width": 400, "height": 800})
    page.goto(path.as_uri())
    widths = page.evaluate(
        "[document.documentElement.scrollWidth, innerWidth,"
        " document.querySelector('.scroll').scrollWidth]"
    )
    assert widths[0] <= widths[1] < widths[2]
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.className")
    assert ("skip" if name.startswith("report") else "scroll") in focused.split()
    page.close()
