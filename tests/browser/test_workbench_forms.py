"""The forms of the workbench in a real browser: by keyboard alone, in any light, on any screen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from queries.request.reader import parse_request
from queries.workbench.access.people import Sessions
from tests.support.browsing import open_workbench
from tests.support.workbench_browser import (
    Served,
    click_through,
    find_faults,
    find_width,
    follow,
    press_until,
    serve,
    sign_in,
)

REQUEST = """\
reference: FOI/1
title: Mentions of dating and messaging apps in recorded offences against children, by age
periods: [2020/21, {from: 2021-04-01, to: 2021-09-30, label: half of 2021/22}]
mentions: [TikTok, {term: Hinge, with: [{term: app, within: 5}]}]
where: {outcome: [1]}
questions:
  - {id: Q1, kind: offences}
  - {id: Q2, kind: cross, rows: {keywords: [TikTok, Snapchat]}, columns: financial_year}
  - {id: Q3, kind: victims, bands: [{to: 11}, {from: 12, to: 15}], youngest: true}
  - {id: Q4, kind: list, fields: [offence, month]}
"""

LETTER = """\
From: Pat Example <pat@example.org>
Subject: Request

Dear team,

1. How many offences recorded between 1 April 2024 and 31 March 2025 mention Snapchat?
2. How many were some kind of stalking?
"""


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A workbench without a server of records, with one request."""
    environment = {"FOIDEX_HOME": str(tmp_path / "home")}
    workbench = open_workbench(tmp_path, environment, monkeypatch, **{"FOI-1": REQUEST})
    workbench.print_link = lambda: None
    yield from serve(workbench)


def test_a_request_is_changed_by_form_with_the_keyboard_alone(
    served: Served, browser: Browser
) -> None:
    page = browser.new_context(java_script_enabled=True).new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/requests/FOI-1.yaml")
    press_until(page, "Change the request")
    follow(page)
    press_until(page, "Find an offence by words")
    page.keyboard.type("upskirting")
    press_until(page, "Look it up")
    follow(page)
    page.locator("fieldset input[type=checkbox]").first.focus()
    page.keyboard.press("Space")
    press_until(page, "Add the ticked offences")
    follow(page)
    press_until(page, "Subject")
    page.keyboard.press("Control+a")
    page.keyboard.type("Apps")
    press_until(page, "Save")
    follow(page)
    assert page.url.endswith("/requests/FOI-1.yaml")
    request = parse_request(served.workbench.requests.read("FOI-1.yaml").text)
    assert request.title == "Apps"
    assert len(request.scope.offences) == 1
    page.context.close()


def test_what_was_typed_comes_back_after_the_session_ended(
    served: Served, browser: Browser
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/requests/FOI-1.yaml/form")
    page.get_by_label("Subject").fill("Typed for an hour")
    served.workbench.sessions = Sessions(3600)
    click_through(page.get_by_role("button", name="Save", exact=True))
    assert page.get_by_role("heading", name="You are not signed in").count() == 1
    other = page.context.new_page()
    sign_in(other, served)
    click_through(page.get_by_role("button", name="Send it again"))
    assert page.url.endswith("/requests/FOI-1.yaml")
    assert "title: Typed for an hour" in served.workbench.requests.read("FOI-1.yaml").text
    page.context.close()


def test_the_key_enter_saves_what_was_typed(served: Served, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    sign_in(page, served)
    page.goto(f"{served.url}/requests/FOI-1.yaml/form")
    page.get_by_label("Subject").fill("Entered")
    with page.expect_navigation():
        page.get_by_label("Subject").press("Enter")
    assert "title: Entered" in served.workbench.requests.read("FOI-1.yaml").text
    page.context.close()


def open_pages(page: Page, served: Served, letter: Path) -> Iterator[str]:
    """Open each page that a form leads to, one after the other, and say its name."""
    form = f"{served.url}/requests/FOI-1.yaml/form"
    page.goto(form)
    page.get_by_label("Find an offence by words").fill("grooming")
    click_through(page.get_by_role("button", name="Look it up"))
    page.get_by_text("What each kind gives").click()
    yield "the form with offences and examples"
    page.get_by_label("Add a question").select_option("cross")
    click_through(page.get_by_role("button", name="Add it"))
    page.get_by_label("Subject").fill("")
    click_through(page.get_by_role("button", name="Save", exact=True))
    assert page.get_by_role("link", name="Enter the subject of the request").count() == 1
    yield "the form with what is wrong"
    page.goto(form)
    opened = served.workbench.requests.read("FOI-1.yaml")
    served.workbench.requests.save("FOI-1.yaml", opened.text + "# theirs\n", opened.version)
    page.get_by_label("Subject").fill("Mine")
    click_through(page.get_by_role("button", name="Save", exact=True))
    assert page.get_by_text("Someone else saved this request").count() == 1
    yield "the form with what someone else saved"
    page.goto(f"{served.url}/letters/new")
    click_through(page.get_by_role("button", name="Read it"))
    yield "no letter"
    page.get_by_label("The letter").set_input_files(letter)
    click_through(page.get_by_role("button", name="Read it"))
    page.get_by_label("Reference").fill("FOI/1")
    click_through(page.get_by_role("button", name="Save the request"))
    assert page.get_by_text("There is a problem").count() == 1
    yield "a draft whose reference is taken"
    page.goto(f"{served.url}/letters/new")
    yield "drafts that are not saved"
    page.goto(f"{served.url}/requests/none.yaml")
    yield "no such request"
    page.goto(form)
    served.workbench.sessions = Sessions(3600)
    click_through(page.get_by_role("button", name="Save", exact=True))
    yield "what was typed when the session ended"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_of_a_form_is_out_of_reach_or_wider_than_a_small_screen(
    served: Served, browser: Browser, tmp_path: Path, scheme: Literal["light", "dark"]
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text(LETTER)
    page = browser.new_context(color_scheme=scheme, bypass_csp=True).new_page()
    sign_in(page, served)
    for name in open_pages(page, served, letter):
        assert find_faults(page) == [], name
        assert find_width(page) <= 320, name
    page.context.close()
